"""`python -m cometvid_nb demo | simulate`: JupyterLab on the demo notebooks, or the simulator."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib import util
from pathlib import Path
from typing import Any, NoReturn

from .machine import say

FIRST_NOTEBOOK = "01_first_video.ipynb"
MARIMO_NOTEBOOK = "06_marimo.py"


def main(argv: list[str] | None = None) -> int:
    """Run the command named in `argv` (None: the process's own); return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cometvid_nb", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="open JupyterLab, or marimo, on the demo notebooks")
    demo.add_argument(
        "--dir",
        type=Path,
        help="where to put the notebooks (default: demo/ of a checkout, else a new folder)",
    )
    demo.add_argument("--marimo", action="store_true", help="open marimo instead, on its notebook")
    simulate = commands.add_parser("simulate", help="serve a simulated API until interrupted")
    simulate.add_argument("--port", type=_port, default=0, help="0 = any free one")
    simulate.add_argument("--speed", type=_speed, default=1.0, help="how many times as fast")
    simulate.add_argument(
        "--strict", action="store_true", help="refuse what a model's documentation does not name"
    )
    simulate.add_argument(
        "--no-key", action="store_true", help="want no key, as servers at home do"
    )
    simulate.add_argument(
        "--dialect", default="", metavar="NAME", help="how it speaks of created jobs"
    )
    simulate.add_argument(
        "--ids", default="plain", metavar="NAME", help="the shape of the ids of created jobs"
    )
    words = "print one JSON line, as is done whenever the output is no terminal"
    simulate.add_argument("--json", action="store_true", help=words)
    # Arguments that this parser does not know go to JupyterLab or marimo.
    arguments, rest = parser.parse_known_args(argv)
    if arguments.command == "demo":
        return (run_marimo if arguments.marimo else run_demo)(arguments.dir, rest)
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    from .simulator import serve_forever

    options: dict[str, Any] = {"strict": arguments.strict}
    options |= {"dialect": arguments.dialect, "ids": arguments.ids}
    options |= {"api_key": None} if arguments.no_key else {}
    options |= {"is_for_people": sys.stdout.isatty() and not arguments.json}
    try:
        serve_forever(port=arguments.port, speed=arguments.speed, **options)
    except ValueError as error:  # there is no such dialect, or no such ids
        parser.error(str(error))
    except OSError as error:
        say(f"Cannot serve on port {arguments.port}: {error.strerror}.", sys.stderr)
        return 1
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give 0 to 65535")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: give 0.01 to 1000")
    return speed


def run_demo(folder: Path | None, lab_arguments: list[str]) -> int:  # noqa: RET503 - execv
    """Replace this process with a JupyterLab that shows the first demo notebook.

    `folder` receives the notebooks; None picks one. `lab_arguments` go to JupyterLab unchanged.
    Returns 1 if JupyterLab is not installed, else never.
    """
    if util.find_spec("jupyterlab") is None:
        say("JupyterLab is missing: pip install 'cometvid-nb[demo]'", sys.stderr)
        return 1
    root = _notebooks(folder)
    is_root_user = hasattr(os, "geteuid") and os.geteuid() == 0
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    # JupyterLab refuses to run as root without this option, and a container often has only root.
    command += ["--allow-root"] if is_root_user else []
    command += [f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}", *lab_arguments]
    _become(command, root)


def run_marimo(folder: Path | None, arguments: list[str]) -> int:  # noqa: RET503 - execv
    """Replace this process with a marimo that shows its demo notebook; see `run_demo`.

    `arguments` go to `marimo edit` unchanged. Returns 1 if marimo is not installed, else never.
    """
    if util.find_spec("marimo") is None:
        say("marimo is missing: pip install 'cometvid-nb[marimo]'", sys.stderr)
        return 1
    root = _notebooks(folder)
    # What the notebook needs is here already; marimo would ask whether to install it.
    command = [sys.executable, "-m", "marimo", "edit", "--no-sandbox", *arguments]
    _become([*command, str(root / MARIMO_NOTEBOOK)], root)


def _become(command: list[str], root: Path) -> NoReturn:
    """Replace this process by one that shows the notebooks in `root`."""
    # Flushed, as execv drops what Python's own buffer still holds.
    say(f"The demo notebooks are in {root}")
    sys.stdout.flush()
    if sys.platform == "win32":
        # There execv quotes no spaces, and the shell would not wait. Ctrl+C is the other
        # process's, which asks whether it is meant.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def _notebooks(folder: Path | None) -> Path:
    """Copy the demo notebooks to a folder and return the folder.

    The reader works on a copy, because a checkout has the originals under version control. A
    notebook that is there already keeps the reader's changes.
    """
    package = Path(__file__).resolve().parent
    checkout = package.parent / "notebooks"
    is_checkout = (checkout / FIRST_NOTEBOOK).is_file()
    source = checkout if is_checkout else package / "notebooks"
    # An installed package has no folder of its own to write to, so there the copy is temporary.
    lasting = package.parent / "demo" if is_checkout else None
    target = folder or lasting or Path(tempfile.mkdtemp(prefix="cometvid-demo-"))
    for notebook in sorted([*source.glob("*.ipynb"), source / MARIMO_NOTEBOOK]):
        target.mkdir(parents=True, exist_ok=True)
        if not (target / notebook.name).exists():
            shutil.copy(notebook, target)
    return target.resolve()


if __name__ == "__main__":
    sys.exit(main())
