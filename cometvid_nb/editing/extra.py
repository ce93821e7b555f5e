"""Extra: the libraries that editing needs, which are installed by `cometvid-nb[edit]`."""

from __future__ import annotations

import importlib

from ..errors import EditError

INSTALL = "Run %pip install 'cometvid-nb[edit]'."
_LIBRARIES = ("av", "numpy", "PIL")


def check_extra() -> None:
    """Check that PyAV, numpy and Pillow are there; whoever opens a clip calls this first.

    Raises:
        EditError: one is missing; it says how to install all three.
    """
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            raise EditError(
                f"Frames, sheets, loops, reels and copies of clips need {name}, which is missing.",
                advice=INSTALL,
            ) from None
