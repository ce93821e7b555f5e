"""Tables as static HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence

from .markup import Markup
from .text import one_line

_CELL = "text-align:left;vertical-align:top;white-space:normal"
_NAME, _VALUE = Markup('<th style="{}">{}</th>'), Markup('<td style="{}">{}</td>')
_ROW = Markup("<tr>{}</tr>")


def html_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str | Markup]],
    styles: Sequence[str] | None = None,
) -> Markup:
    """Return a table; whatever is no `Markup` in it is escaped. `styles`: one for each column."""
    columns = [f"{_CELL};{style}" for style in styles] if styles else [_CELL] * len(head)

    def row(cell: Markup, words: Sequence[str | Markup]) -> Markup:
        cells = [cell.format(style, word) for style, word in zip(columns, words, strict=True)]
        return _ROW.format(Markup("").join(cells))

    body = Markup("").join(row(_VALUE, cells) for cells in rows)
    table = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>")
    return table.format(row(_NAME, head), body)


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the same as text: a line for each row, the columns below their heads."""
    return "\n".join(text_lines(head, rows))


def text_lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of `text_table`, the head first."""
    lines = [tuple(head), *(tuple(one_line(text) for text in row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return [
        "  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
