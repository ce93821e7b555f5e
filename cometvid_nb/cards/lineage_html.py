"""Lineage as static HTML: a tree with posters, which survives the sanitizer of any notebook."""

from __future__ import annotations

from collections.abc import Sequence

from .html import NO_MATH, code, code_of_id, foreign, quiet
from .lineage import KIN_WORDS, Kin, LineageNode, lineage_rows, lineage_text
from .markup import Markup
from .text import one_line

MOST_DEPTH = 6
"""Beyond that nothing is indented further: a narrow page has no room."""
INDENT_PX = 26
POSTER_PX = (112, 63)
MOST_POSTERS_CHARS = 1_500_000
"""All the pictures of one tree, as they stand in the notebook's file."""

_GREY = "rgba(128,128,128,0.35)"
_CHIP = (
    "display:inline-block;padding:0 7px;border-radius:9px;font-size:11px;line-height:18px;"
    "background:rgba(128,128,128,0.18)"
)
_ASKED = "border-left:3px solid #4c8dff;padding-left:8px"
_NOT_ASKED = "border-left:3px solid transparent;padding-left:8px"


def lineage_to_bundle(roots: Sequence[LineageNode]) -> dict[str, str]:
    """Return trees of clips as HTML and as text."""
    left_chars, rows = MOST_POSTERS_CHARS, []
    for depth, node in lineage_rows(roots):
        poster = node.poster or ""
        has_poster = 0 < len(poster) <= left_chars
        left_chars -= len(poster) if has_poster else 0
        rows.append(_row(depth, node, poster if has_poster else None))
    html = Markup(
        '<div class="cometvid-lineage {}" style="max-width:760px;font-size:13px;'
        'line-height:1.45">{}</div>'
    ).format(NO_MATH, Markup("").join(rows))
    return {"text/html": str(html), "text/plain": lineage_text(roots)}


def _row(depth: int, node: LineageNode, poster: str | None) -> Markup:
    """One clip: a line that leads to it from above, its picture, its words."""
    left_px = INDENT_PX * max(0, min(depth, MOST_DEPTH) - 1)
    arm = Markup("")
    if depth:
        arm = Markup(
            '<div style="flex:none;width:{}px;height:{}px;box-sizing:border-box;margin:-10px 4px 0 '
            "9px;border-left:2px solid {};border-bottom:2px solid {};"
            'border-bottom-left-radius:8px"></div>'
        ).format(INDENT_PX - 12, 10 + POSTER_PX[1] // 2, _GREY, _GREY)
    return Markup(
        '<div style="display:flex;align-items:flex-start;margin:10px 0 0 {}px">{}'
        '<div style="display:flex;flex-wrap:wrap;gap:4px 12px;flex:1 1 0;min-width:0;{}">{}'
        '<div dir="auto" style="flex:1 1 180px;min-width:0;overflow-wrap:anywhere">{}</div>'
        "</div></div>"
    ).format(
        left_px, arm, _ASKED if node.is_asked else _NOT_ASKED, _picture(node, poster), _words(node)
    )


def _picture(node: LineageNode, poster: str | None) -> Markup:
    width, height = POSTER_PX
    if poster is None:
        sign = "?" if node.kin == Kin.UNKNOWN else "▤" if node.kin == Kin.REEL else "–"
        return Markup(
            '<div style="flex:none;width:{}px;height:{}px;box-sizing:border-box;border:1px {} {};'
            'border-radius:6px;text-align:center;line-height:{}px;opacity:0.7">{}</div>'
        ).format(
            width,
            height,
            "dashed" if node.kin == Kin.UNKNOWN else "solid",
            _GREY,
            height - 2,
            sign,
        )
    return Markup(
        '<img src="{}" alt="Picture of {}" width="{}" height="{}" style="flex:none;width:{}px;'
        'height:{}px;max-width:none;margin:0;object-fit:cover;border-radius:6px;background:#0a0d18">'
    ).format(poster, one_line(node.name, 100), width, height, width, height)


def _words(node: LineageNode) -> Markup:
    name = code(one_line(node.name, 300)) if node.kin == Kin.REEL else code_of_id(node.name)
    label = KIN_WORDS[node.kin]
    chip = Markup('<span style="{}">{}</span> ').format(_CHIP, label) if label else Markup("")
    asked = Markup(" {}").format(quiet("asked for")) if node.is_asked else Markup("")
    lines = [chip + name + asked]
    lines += [quiet(foreign(one_line(node.words, 300)))] if node.words else []
    lines += [foreign(node.prompt)] if node.prompt else []
    return Markup("<br>").join(lines)
