"""What a child process of a test may see: this Python, and nothing of the person who runs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_KEPT_PREFIXES = ("LANG", "LC_", "TZ", "PATH", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV", "COVERAGE")


def isolated_environ(home: Path) -> dict[str, str]:
    """Environment with `home` in place of the user's home, configuration and keys.

    Only a few harmless names pass, so neither an API key nor a proxy nor a Jupyter setting can.
    """
    environ = {k: v for k, v in os.environ.items() if k.startswith(_KEPT_PREFIXES)}
    scripts = str(Path(sys.executable).parent)
    environ["PATH"] = scripts + os.pathsep + environ.get("PATH", os.defpath)
    folders = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "jupyter-config",
        "JUPYTER_DATA_DIR": home / "jupyter-data",
        "JUPYTER_RUNTIME_DIR": home / "jupyter-runtime",
        "XDG_CACHE_HOME": home / "xdg-cache",
        "XDG_CONFIG_HOME": home / "xdg-config",
        "XDG_DATA_HOME": home / "xdg-data",
        "XDG_STATE_HOME": home / "xdg-state",
    }
    for name, folder in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        environ[name] = str(folder)
    environ["PYTHONUNBUFFERED"] = "1"
    return environ
