r"""Markup: HTML in which the words of others stay words, wherever that HTML is put.

A notebook's `text/html` does not stay HTML alone. `nbconvert --to markdown` copies it as it is;
there a blank line ends it, and what follows is Markdown. Pandoc and Quarto read Markdown and TeX
inside of it as well (`\\input{…}` then reads a file), Jekyll fills in `{{ … }}`. A character
reference is a letter for all of them and never structure: CommonMark 0.31 §2.5.
"""

from __future__ import annotations

import re

import markupsafe

from ..job.plain import plain

_STRUCTURE = re.compile(r"[\n\\`*$\[\]{}]")
"""What begins code, a link, a picture, emphasis, mathematics, a command or a template."""


class Markup(markupsafe.Markup):
    """A piece of HTML, whose `format` and `join` escape each text that is none.

    Control characters are left out: whoever opens an export with `less` has a terminal.
    """

    __slots__ = ()

    @classmethod
    def escape(cls, s: object, /) -> Markup:
        """Return `s` as HTML; what is HTML already comes back as it is."""
        if hasattr(s, "__html__"):
            return cls(markupsafe.escape(s))
        text = str(markupsafe.escape(plain(str(s))))
        return cls(_STRUCTURE.sub(lambda found: f"&#{ord(found[0])};", text))
