"""Plain: text of others without what a terminal or a page would obey."""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""ECMA-48 §5.4. Left without its ESC, a coloured log would be strewn with `[31m`."""
_LINE_ENDS = re.compile(r"\r\n|[\r\u2028\u2029]")
"""One kind is left: a tool that indents a text line by line may know no other."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ORDERS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of all the text that follows, ours too."""
_SURROGATES = re.compile(r"[\ud800-\udfff]")
"""What UTF-8 cannot say."""


def squeezed(text: str) -> str:
    """Return `text` on one line, without anything that cannot be printed."""
    if not text.isprintable():  # which is rare, and twenty times as slow
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def plain(text: str) -> str:
    """Return `text` without control characters, but with its line breaks and tabs."""
    if text.isprintable():  # which is nearly always so, and ten times as quick
        return text
    text = _LINE_ENDS.sub("\n", _COLOUR.sub("", text))
    return _SURROGATES.sub("\ufffd", _ORDERS.sub("", _CONTROLS.sub(" ", text)))
