"""Measures what `%load_ext cometvid_nb` costs, beside an extension that does nothing.

    python -m benchmarks.load [RUNS]

Each run starts a fresh kernel for each extension, in turn. The figures are the kernel's own CPU
time, which other programs disturb less than the time on a clock.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from tests.kernel import Kernel

TIMED = """
import time
_began_s = time.process_time()
get_ipython().run_line_magic("load_ext", "{name}")
print(time.process_time() - _began_s)
"""
# The imports that %load_ext must avoid; the first command makes them.
HEAVY = (
    "httpx",
    "anywidget",
    "ipywidgets",
    "tornado.web",
    "nest_asyncio2",
    "cometvid_nb.api.client",
)


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    cpu_s: dict[str, list[float]] = {"empty_extension": [], "cometvid_nb": []}
    loaded = ""
    for run in range(runs + 1):
        for name, seen in cpu_s.items():
            with tempfile.TemporaryDirectory() as folder:
                kernel = Kernel(Path(folder))
                (kernel.cwd / "empty_extension.py").write_text(
                    "def load_ipython_extension(shell): pass\n", encoding="utf-8"
                )
                kernel.start()
                try:
                    taken_s = float(kernel.run(TIMED.format(name=name)).text)
                    if name == "cometvid_nb":
                        code = f"import sys; print([m for m in {HEAVY} if m in sys.modules])"
                        loaded = kernel.run(code).text.strip()
                finally:
                    kernel.stop()
            if run:  # the first run only warms up the disk's cache
                seen.append(taken_s)
    for name, seen in cpu_s.items():
        print(f"{name:<16} {1000 * statistics.median(seen):6.1f} ms CPU, median of {runs}")
    empty_s, ours_s = (statistics.median(seen) for seen in cpu_s.values())
    print(f"difference       {1000 * (ours_s - empty_s):6.1f} ms (target: at most 30)")
    print(f"heavy modules loaded: {loaded} (target: none)")


if __name__ == "__main__":
    main()
