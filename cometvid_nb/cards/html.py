"""What the records of a card and of a gallery have in common: players, words and links as HTML.

The HTML is what survives JupyterLab's sanitizer in an untrusted notebook: `<video src>` (never
`<source>`), no `<style>`, no scripts, no `var(…)` in a style.

JupyterLab puts the address of a file in the place of its path only once the HTML is parsed. What
the browser loads by itself it has asked for below `/lab/tree/` by then, in vain. So a clip is
loaded when `card_record.js` or the reader wants it.

Every piece of HTML is a `Markup` of ours: see `markup`.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ..job.ids import MOST_CHARACTERS, SHOWN_CHARACTERS, shown_id
from .card import Card
from .clip import Clip
from .markup import Markup
from .text import one_line

NO_MATH = "tex2jax_ignore mathjax_ignore"
"""The classes of what MathJax leaves alone, 2 in exports and 3 in JupyterLab: in all other HTML of
a notebook it takes what stands between the dollars of two prices for a formula."""
KEEPS_KEYS = Markup('data-lm-suppress-shortcuts="true"')
"""On each element that can have the focus: JupyterLab then leaves its keys alone, where a letter
such as `m` would turn the cell into Markdown, and its output would be gone. The sanitizer of an
untrusted notebook takes it away, and leaves nothing that would do in its place."""


@dataclass(frozen=True, slots=True)
class Box:
    """The box of a player, which it has before its clip is loaded, so that nothing jumps.

    Its measures are attributes, as the sanitizer keeps those.
    """

    width: int
    height: int
    style: str
    picture_width: int
    """How wide the poster is where no `<video>` is allowed."""


def source_of(clip: Clip | None) -> str | None:
    """What a page can load a clip from; None where there is nothing."""
    if clip is None:
        return None
    if clip.data_url is not None:
        return clip.data_url
    if clip.path is not None:
        return _link(clip.path)
    url = clip.url
    return url if url and urlsplit(url).scheme.lower() in ("http", "https") else None


def _link(path: str) -> str:
    return quote(path, errors="surrogateescape")  # no name of a file has to be UTF-8


def quiet(html: str | Markup) -> Markup:
    """What matters less, as HTML."""
    return Markup('<span style="opacity:0.75">{}</span>').format(html)


def code(html: str | Markup) -> Markup:
    """What can be typed or copied, as HTML."""
    return Markup("<code>{}</code>").format(html)


def code_of_id(job_id: str, most: int = SHOWN_CHARACTERS) -> Markup:
    """An id, cut in the middle where it is long; the whole of it shows where the mouse rests."""
    return Markup('<code title="{}">{}</code>').format(
        one_line(job_id, MOST_CHARACTERS), shown_id(job_id, most)
    )


def foreign(text: str) -> Markup:
    """Somebody's own words, which may run from right to left, as HTML."""
    return Markup('<span dir="auto">{}</span>').format(text)


def player_of(
    card: Card, clip: Clip | None, box: Box, poster: str | None, *, is_patient: bool = False
) -> Markup:
    """The player of a clip, empty where there is none; `is_patient`: it loads when it is wanted.

    A GIF is shown as the picture it is, in the same box.
    """
    source = source_of(clip)
    if clip is None or source is None:
        return Markup("")
    if clip.is_image:
        image = Markup(
            '<img loading="lazy" width="{}" height="{}" style="{};object-fit:contain" alt="{}" '
            'src="{}">'
        )
        return image.format(box.width, box.height, box.style, f"Clip of {card.job_id}", source)
    return Markup(
        '<video controls loop muted {} preload="{}" playsinline width="{}" height="{}" style="{}" '
        'title="{}"{}{} src="{}">{}</video>'
    ).format(
        KEEPS_KEYS,
        "none" if is_patient or urlsplit(source).scheme == "" else "metadata",
        box.width,
        box.height,
        box.style,
        card.job_id,
        Markup(' poster="{}"').format(poster) if poster else "",
        Markup(' data-served="{}"').format(_link(clip.served)) if clip.served else "",
        source,
        picture_of(clip, box, poster),
    )


def picture_of(clip: Clip | None, box: Box, poster: str | None) -> Markup:
    """What stands in the place of a `<video>` that is not known or not allowed, as on GitHub."""
    source = source_of(clip)
    if clip is None or source is None:
        return Markup("")
    label: str | Markup = clip.saved_to or clip.url or "the clip"
    if poster:
        image = Markup('<img src="{}" alt="{}" width="{}">')
        label = image.format(poster, label, box.picture_width)
    return Markup.escape(label) if source.startswith("data:") else anchor(source, label)


def open_link(clip: Clip | None) -> Markup:
    """A link that opens the clip in a tab; empty where it is embedded, or nowhere."""
    source = source_of(clip)
    if source is None or source.startswith("data:"):
        return Markup("")
    link = Markup(
        '<a href="{}" target="_blank" rel="noopener" {} style="flex:none;color:inherit">'
        "Open in a tab</a>"
    )
    return link.format(source, KEEPS_KEYS)


def no_math(html: Markup) -> str:
    """`html` in an element of its own, in which a dollar is a dollar."""
    return str(Markup('<div class="{}">{}</div>').format(NO_MATH, html))


def anchor(target: str, label: str | Markup) -> Markup:
    """A link, as HTML."""
    return Markup('<a href="{}" {}>{}</a>').format(target, KEEPS_KEYS, label)
