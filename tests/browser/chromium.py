"""The Chromium that the browser tests drive: where it is, and how it comes onto a machine.

It has to be one that plays H.264. Debian's and Google's do; the build that Playwright downloads
does not. Debian's headless shell is the same Chromium without windows, as Playwright itself uses:
it takes half as long for most tests. `make test` runs this file, before pytest, so it uses the
standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FLAGS = (
    "--no-sandbox",  # root in a container has no user namespace
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CHOICE = "COMETVID_CHROMIUM"
"""The environment variable that names another browser."""

_COMMANDS = (
    "chromium-headless-shell",
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
)
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

MISSING = f"""\
The browser tests need a Chromium that plays H.264, and none was found.
  Debian           sudo apt-get install chromium-headless-shell
  Ubuntu, Fedora   install Google Chrome (the snap of Chromium cannot be driven in a container)
  macOS            brew install --cask google-chrome
Or name one: {CHOICE}=/path/to/chrome make test"""


def find() -> str | None:
    """Path of a Chromium or Chrome, or None; `COMETVID_CHROMIUM` goes first."""
    if chosen := os.environ.get(CHOICE):
        return shutil.which(chosen)
    for command in _COMMANDS:
        if path := shutil.which(command):
            return path
    return next((place for place in _PLACES if Path(place).exists()), None)


def install() -> str | None:
    """Path of a Chromium, installed with apt-get where that is possible without a question."""
    found = find()
    if found or os.environ.get(CHOICE):
        return found
    prefix = _root_prefix()
    if prefix is None or not shutil.which("apt-get") or not _is_debian():
        return None
    environ = ["env", "DEBIAN_FRONTEND=noninteractive"]
    apt_get = [*prefix, *environ, "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    print("Installing Debian's chromium …", flush=True)
    # A fresh container has no package lists; an update that half fails may still be enough.
    subprocess.run([*apt_get, "update"], check=False, stdin=subprocess.DEVNULL)
    for package in ("chromium-headless-shell", "chromium"):  # the former since Debian 12
        subprocess.run(
            [*apt_get, "install", "-y", "--no-install-recommends", package],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        if found := find():
            break
    return found


def _is_debian() -> bool:
    """Whether this is Debian itself: Ubuntu's `chromium` is a snap, which needs a running snapd."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(line.strip().replace('"', "") == "ID=debian" for line in text.splitlines())


def _root_prefix() -> list[str] | None:
    """What to put before a command that needs root; None = root is out of reach."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    silent = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)
    return ["sudo", "-n"] if silent.returncode == 0 else None


def main() -> None:
    """Find or, with `--install`, install a Chromium; exit 1 with a message where there is none."""
    path = install() if "--install" in sys.argv[1:] else find()
    if path is None:
        sys.exit(MISSING)


if __name__ == "__main__":
    main()
