r"""Two notebooks, alike but for the words of others: whatever those say, their exports are alike.

The words of the one are an attack on everything that an export may go through: HTML, Markdown, TeX,
templates, terminals. Its export must have the structure of the other's, whose words are harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mistune
import nbformat
import pytest
from ipywidgets.embed import dependency_state  # type: ignore[import-untyped]
from nbconvert import exporters as nbconvert_exporters

from cometvid_nb.api.catalogue import Catalogue, read_models
from cometvid_nb.cards.card import Card
from cometvid_nb.cards.card_html import card_to_bundle
from cometvid_nb.cards.gallery import Gallery
from cometvid_nb.cards.gallery_html import gallery_to_bundle
from cometvid_nb.cards.job_table import jobs_to_bundle
from cometvid_nb.clips.places import SavedClip, Saving
from cometvid_nb.display.widget import CardWidget, GridWidget
from cometvid_nb.errors import RequestRejected
from cometvid_nb.job.job import Job
from cometvid_nb.ledger.entry import Entry
from cometvid_nb.magic import tables
from cometvid_nb.magic.magics import _without_traceback
from cometvid_nb.magic.model_table import models_bundle
from cometvid_nb.session.remembered import rows_of
from cometvid_nb.settings import Settings
from cometvid_nb.watching.state import WatchState

exporters: Any = nbconvert_exporters  # untyped
ATTACK = (
    "t\n\n![p](http://evil.test/p.png) [c](javascript:alert(1)) <img src=x onerror=alert(1)>"
    "</script><script>alert(1)</script><!-- \\input{/etc/passwd} \\write18{id} ^^5cinput{x} "
    "$\\href{javascript:alert(2)}{x}$ \\(x\\) `c` `<i>`{=html} {{7*7}} {% raw %}\n```\n\n# head\n\n"
    "---\n\n    code\n\\end{Verbatim} \x1b[2J\x1b]0;t\x07 \u202e \u2028 url(javascript:1) "
    "\" onload=\"x ' style='background:url(//evil.test)' &lt;b&gt; http://evil.test <x@y.z> *em*"
)
HARMLESS = "t words"
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NOW_S = 1_781_079_500.0


def states(said: str, line: str, job_id: str) -> Iterator[WatchState]:
    """A watch in every state in which words of others are shown; `line`: without line breaks."""
    word = "".join(c for c in line if c.isascii() and c.isprintable() and c not in " @")
    told: dict[str, Any] = {"model": said, "prompt": said, "size": said, "progress": 30}
    told |= {"id": job_id, "video_url": f"https://x.test/a.mp4?{word}", "expires_at": 1.79e9}
    told |= {"error": {"message": said, "code": said}}

    def watched(status: str, **changes: Any) -> WatchState:
        job = replace(Job.parse(told | {"status": status}), images=(said,))
        begun = WatchState.begin(job_id, NOW_S - 60, 3600.0).answered(job, NOW_S)
        return replace(begun, **changes)

    name = line.replace("/", "")
    saved = SavedClip(f"/x/{name}.mp4", f"clips/{name}.mp4", f"clips/{name}.mp4", 3)
    saved = replace(saved, also=(f"/other/{name}",), others=(replace(saved, number=1),))
    yield watched("in_progress", problem=said)
    yield watched("completed")
    yield watched("completed", saved=saved)
    yield watched("completed", saving=Saving(3, 10, 2, said, 1, 2))
    yield watched("failed")
    yield watched(said)
    yield watched("in_progress").gave_up(NOW_S + 9000)
    yield watched("in_progress").broke(ValueError(said), NOW_S + 9000)


def bundles(said: str, line: str, job_id: str) -> Iterator[dict[str, Any]]:
    """Everything that is displayed of others."""
    watched = list(states(said, line, job_id))
    for state in watched:
        yield card_to_bundle(Card.of_watch(state))
        yield card_to_bundle(Card.of_watch(state), is_player=False)
    assert watched[4].job is not None
    yield card_to_bundle(Card.of_job(watched[4].job))
    gallery = Gallery(tuple(replace(s, job_id=f"{job_id}{i}") for i, s in enumerate(watched)))
    yield gallery_to_bundle(gallery)
    yield gallery_to_bundle(gallery, is_player=False)
    # What stands in a file of SQLite, where other hands may have written.
    clip = "/x/" + line.replace("/", "")
    row = [*("a" * 32, job_id, "b", line, said, "4", line, said, None, None, 1.78e9, 70.0)]
    rated = [said, 9, said, said, said, said]
    entry = Entry.of_row([*row, said, clip, 3, 1, None, said, None, *rated])
    yield jobs_to_bundle(rows_of([entry], Path("/x")), 90)
    yield tables.settings_bundle(Settings(model=said, save_dir=said))
    word = "".join(c for c in line if c.isprintable() and c != " ")[:190]
    model = {"id": word, "provider": said, "features": [said], "model_type": "video"}
    page_url = f"https://d.test/{word.encode('ascii', 'ignore').decode()[:100]}"
    models = read_models({"data": [model | {"api_doc_url": page_url}]})
    yield models_bundle(Catalogue(tuple(models), 1.78e9), [], "host")
    yield models_bundle(Catalogue((), 1.78e9), [said], "host")


@cache
def notebook(said: str, job_id: str) -> Any:
    line = said.replace("\n", " ")
    outputs = [
        nbformat.v4.new_output("display_data", data=data) for data in bundles(said, line, job_id)
    ]
    error = _without_traceback(RequestRejected(said, status_code=400, code=said, advice=said))
    lines = error._render_traceback_()  # type: ignore[attr-defined]
    outputs.append(nbformat.v4.new_output("error", ename="X", evalue=str(error), traceback=lines))
    outputs.append(nbformat.v4.new_output("stream", name="stdout", text=lines[0]))
    *_, last = watched = list(states(said, line, job_id))
    card, grid = CardWidget(), GridWidget()
    card.show(Card.of_watch(last))
    grid.show(Gallery(tuple(watched[:1])), NOW_S)
    for widget in (card, grid):
        shown = widget._repr_mimebundle_()
        assert shown is not None
        data = shown[0]
        outputs.append(nbformat.v4.new_output("display_data", data=data))
    cells = [nbformat.v4.new_code_cell("x", id=f"c{i}", outputs=[o]) for i, o in enumerate(outputs)]
    made = nbformat.v4.new_notebook(cells=cells)
    state = {"version_major": 2, "version_minor": 0, "state": dependency_state([card, grid])}
    made.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    return made


class Structure(HTMLParser):
    """The elements of a page, each with the names of its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))
        for name, value in attrs:
            if name in ("src", "href", "poster"):
                assert not (value or "").lower().startswith("javascript:")
            if name == "style":
                assert "evil" not in (value or "")

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        self.found.append("a comment")


def html_of(said: str, job_id: str, template: str) -> str:
    exporter = exporters.HTMLExporter(template_name=template)
    return str(exporter.from_notebook_node(notebook(said, job_id))[0])


@pytest.mark.parametrize("template", ["lab", "classic", "basic", "reveal"])
def test_no_word_of_others_becomes_html_in_an_export(template: str) -> None:
    attacked, plain = (
        html_of(*words, template) for words in ((ATTACK, "v'\"<b>[x](y)`$\\"), (HARMLESS, "v"))
    )
    assert "evil.test" in attacked
    assert Structure(attacked).found == Structure(plain).found
    assert not OBEYED.search(attacked)


class Outermost(HTMLParser):
    """The classes of the elements that lie in no other."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth == 0 and tag not in ("style", "script"):  # MathJax skips these
            self.found.append(dict(attrs).get("class") or "")
        self._depth += tag not in ("img", "br")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= 1


def test_two_prices_are_no_formula() -> None:
    """JupyterLab and exports read the HTML of outputs for mathematics: $5 beside $10."""
    for bundle in bundles(HARMLESS, HARMLESS, "v"):
        for name in Outermost(bundle["text/html"]).found:
            assert {"tex2jax_ignore", "mathjax_ignore"} <= {*name.split()}, bundle


def kinds(tokens: Any) -> list[object]:
    return [(one["type"], kinds(one.get("children") or [])) for one in tokens]


def test_no_word_of_others_becomes_markdown_in_an_export() -> None:
    parse = mistune.create_markdown(renderer="ast", plugins=["url", "table", "strikethrough"])
    found = []
    for words in ((ATTACK, "v'\"<b>[x](y)`$\\"), (HARMLESS, "v")):
        text, _ = exporters.MarkdownExporter().from_notebook_node(notebook(*words))
        assert not OBEYED.search(text)
        found.append(kinds(parse(text)))
        # What only other readers of Markdown obey: Pandoc's TeX, mathematics and code in HTML,
        # Jekyll's templates. In an indented block they are text for all of them.
        html = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
        # Our own styles and scripts are the same in every export.
        html = re.sub(r"<(style|script)>.*?</\1>", "", html.replace("```", ""))
        assert not re.search(r"[\\`$\[\]{}*]", html)
    assert found[0] == found[1]


def test_no_word_of_others_becomes_a_command_in_an_export_to_latex() -> None:
    text, _ = exporters.LatexExporter().from_notebook_node(notebook(ATTACK, "v'\"<b>[x](y)`$\\"))
    body = text.split(r"\begin{document}")[1]
    assert "evil.test" in body
    assert "input" in body
    assert not re.search(r"\\(?:input|write|href|end\{Verbatim\}\\?\^)|\^\^", body)
    assert not OBEYED.search(body)
    told, _ = exporters.LatexExporter().from_notebook_node(notebook(HARMLESS, "v"))
    assert text.count(r"\end{Verbatim}") == told.count(r"\end{Verbatim}")
    assert (
        "evil.test"
        not in exporters.ScriptExporter().from_notebook_node(notebook(ATTACK, "v'\"<b>[x](y)`$\\"))[
            0
        ]
    )
