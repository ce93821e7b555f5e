"""Runs hundreds of jobs under a storm of faults: each watch must end true, each clip be whole.

    python -m benchmarks.soak [--jobs 300] [--seed N] [--minutes M] [--share 0.3]
                              [--worker stopped|killed] [--reload]

The seed determines the faults. The pauses after them are the product's own, so that the jobs run
side by side. Half way the polling process is stopped or killed, and with `--reload` all modules are
reloaded under the running watches. `tests/product/test_soak.py` runs a short soak.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import random
import re
import sys
import tempfile
import threading
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cometvid_nb.api import turns
from cometvid_nb.cards.card import Card
from cometvid_nb.cards.card_html import card_to_bundle
from cometvid_nb.errors import CometVidError
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.session.session import Session
from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import ESCAPES, Scenario, Simulator, Storm
from cometvid_nb.watching import worker
from cometvid_nb.watching.state import Ending, WatchState
from cometvid_nb.watching.watch import Watch

KEY = "sk-soak-0123456789-0123456789"
# What happens to a job at the server, and how its watch must end.
TRUTHS = {"completed": Ending.COMPLETED, "failed": Ending.FAILED, "lost": Ending.BROKEN}
SIZES = ("1280x720", "720x1280", "960x960")
STEP_S = 0.5
SILENT_S = 6.0
"""So long a silence of the polling process is a hang here: a soak is shorter than a working day."""
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, and so must stand in no message and on no card."""
WEIGHED_EVERY_S = 1.0


@dataclass
class Figures:
    """The results of a soak."""

    jobs: int
    took_s: float = 0.0
    requests: int = 0
    faults: int = 0
    kinds_of_faults: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """Every job whose watch did not end as the job did, with what happened."""
    wrong_clips: list[str] = field(default_factory=list)
    missing_clips: list[str] = field(default_factory=list)
    resumed: int = 0
    """Clips that could not be fetched on any road at first, and that a second watch fetched."""
    strange_files: list[str] = field(default_factory=list)
    obeyed: list[str] = field(default_factory=list)
    """Jobs of whose words a terminal would obey some."""
    worker: str = "none"
    """What became of the polling process: lost, as it was stopped or killed, or never there."""
    unfinished_in_ledger: int = 0
    did_the_key_stray: bool = False
    threads_left: int = 0
    files_left: int = 0
    memory_mb: list[int] = field(default_factory=list)
    """The whole process, simulator included, in the course of the soak: ten values."""
    grown_bytes: int = 0
    """Memory that is still held when everything is over and closed, for all jobs together."""

    @property
    def is_flawless(self) -> bool:
        """Whether nothing went wrong and nothing is left over."""
        faults = (self.wrong, self.wrong_clips, self.missing_clips, self.strange_files, self.obeyed)
        left = (self.threads_left, self.files_left, self.unfinished_in_ledger)
        return not any((*faults, *left, self.did_the_key_stray))


def soak(
    jobs: int,
    seed: int,
    within_s: float,
    folder: Path,
    share: float = 0.3,
    *,
    worker_is: str = "",
    is_reloaded: bool = False,
) -> Figures:
    """Run `jobs` jobs through a storm for at most `within_s` seconds and return the results.

    `worker_is`: what happens to the polling process half way, "stopped" or "killed"; "": nothing,
    and a crowd of this size may not even need one. `is_reloaded`: all modules are reloaded then.
    """
    rng = random.Random(seed)
    truths = {f"video_soak_{n}": rng.choices(list(TRUTHS), (8, 2, 1))[0] for n in range(jobs)}
    storm = Storm(seed, share)
    figures = Figures(jobs)
    before = _held()
    began_s = time.monotonic()
    tracemalloc.start()
    with Simulator(api_key=KEY, separate_clip_host=True, seed=seed, storm=storm) as sim:
        _life(sim, truths, rng, within_s, folder, figures, (worker_is, is_reloaded))
        figures.faults, figures.kinds_of_faults = sum(storm.counts.values()), len(storm.counts)
        figures.did_the_key_stray = any(
            r.has_authorization for r in sim.requests if r.host != "api"
        )
        figures.requests = len(sim.requests)
        _check_clips(sim, truths, folder, figures)
        ledger = Ledger(folder / "ledger.sqlite3")
        # A job that the server lost stays unfinished in the ledger: it was never said to fail.
        expected = {job_id for job_id, truth in truths.items() if truth == "lost"}
        left = {str(entry.job_id) for entry in ledger.unfinished(sim.base_url)}
        ledger.close()
        figures.unfinished_in_ledger = len(left - expected)
    gc.collect()
    figures.grown_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    figures.took_s = time.monotonic() - began_s
    until_s = time.monotonic() + 5
    while _held() > before and time.monotonic() < until_s:
        threading.Event().wait(0.05)
    after = _held()
    figures.threads_left, figures.files_left = (
        max(0, b - a) for a, b in zip(before, after, strict=True)
    )
    return figures


def _life(
    sim: Simulator,
    truths: dict[str, str],
    rng: random.Random,
    within_s: float,
    folder: Path,
    figures: Figures,
    half_way: tuple[str, bool],
) -> None:
    usual = turns.MANY, worker._SILENT_S
    if half_way[0]:
        # Few enough that the process polls to the last of them.
        turns.MANY, worker._SILENT_S = 2, SILENT_S
    session = Session(
        Settings(
            api_key=Secret(KEY),
            base_url=sim.base_url,
            save_dir=str(folder / "videos"),
            ledger=str(folder / "ledger.sqlite3"),
            interval_s=STEP_S,
        )
    )
    settled = threading.Semaphore(0)
    open_ids = set(truths)

    def observe(state: WatchState) -> None:
        if state.is_settled and state.job_id in open_ids:
            open_ids.discard(state.job_id)
            settled.release()

    until_s = time.monotonic() + within_s
    over = threading.Event()
    weighing = threading.Thread(target=_weigh, args=(over, figures.memory_mb))
    weighing.start()
    try:
        for job_id in truths:
            _add(sim, job_id, truths[job_id], rng)
            session.watch(job_id).subscribe(observe)
        for n in range(len(truths)):
            if n == len(truths) // 2:
                figures.worker = _strike(*half_way)
            if not settled.acquire(timeout=max(0.0, until_s - time.monotonic())):
                break
        _resume(session, truths, until_s, figures)
        _judge(session.watches, truths, figures)
    finally:
        over.set()
        weighing.join()
        turns.MANY, worker._SILENT_S = usual
        try:
            session.close()
        except CometVidError as error:
            figures.wrong.append(str(error))


def _add(sim: Simulator, job_id: str, truth: str, rng: random.Random) -> None:
    """Let the simulator have a job that ends as `truth` says."""
    sim.add(
        Scenario(
            job_id,
            queue_s=rng.uniform(0, 1),
            run_s=rng.uniform(0, 5),
            size=rng.choice(SIZES),
            ending="never" if truth == "lost" else truth,  # type: ignore[arg-type]  # one of its words
            link=rng.choice(("signed", "signed", "signed", "none", "dead")),
            link_life_s=rng.choice((None, None, 0.2)),
            error_message=rng.choice(("no", f"no{ESCAPES}")),
        )
    )
    if truth == "lost":
        sim.forget(job_id)


def _judge(watches: list[Watch], truths: dict[str, str], figures: Figures) -> None:
    """Note every watch that did not end as its job did, and every word that a terminal obeys."""
    for watch in watches:
        state = watch.state
        figures.endings[str(state.ending)] += 1
        is_true = state.ending == TRUTHS[truths[watch.job_id]]
        is_whole = state.ending != Ending.COMPLETED or state.saved is not None
        if not (is_true and is_whole):
            why = state.problem or state.error
            figures.wrong.append(f"{watch.job_id}: {truths[watch.job_id]}, {state.ending}, {why}")
        if OBEYED.search(_words(watch)):
            figures.obeyed.append(watch.job_id)


def _strike(worker_is: str, is_reloaded: bool) -> str:
    """Stop or kill the polling process, and reload every module; return what was done."""
    if is_reloaded:
        for name in [name for name in sys.modules if name.startswith("cometvid_nb")]:
            if "simulator" not in name:
                importlib.reload(sys.modules[name])
    children = psutil.Process().children() if worker_is else []
    for child in children:
        if worker_is == "stopped":
            child.suspend()
        else:
            child.kill()
    return worker_is if children else "none"


def _words(watch: Watch) -> str:
    """Return all that a person reads of a watch."""
    card = Card.of_watch(watch.state)
    return "".join([str(watch.state.error), repr(watch), *card_to_bundle(card).values()])


def _weigh(over: threading.Event, memory_mb: list[int]) -> None:
    """Note the memory of this process until `over`; thin the notes out to ten in the end."""
    process = psutil.Process()
    noted = []
    while not over.wait(WEIGHED_EVERY_S):
        noted.append(process.memory_info().rss // 2**20)
    memory_mb += [noted[len(noted) * n // 10] for n in range(10)] if noted else []


def _resume(session: Session, truths: dict[str, str], until_s: float, figures: Figures) -> None:
    """Watch jobs again until no clip is missing, as a reader does with `%cometvid resume`."""
    while time.monotonic() < until_s:
        unsaved = [
            watch.job_id
            for watch in session.watches
            if watch.state.ending == Ending.COMPLETED and watch.state.saved is None
        ]
        if not unsaved:
            return
        figures.resumed += len(unsaved)
        for watch in [session.watch(job_id) for job_id in unsaved]:
            try:
                watch.wait(max(0.1, until_s - time.monotonic()))
            except CometVidError as error:
                figures.wrong.append(f"{watch.job_id}, {truths[watch.job_id]}: {error}")


def _check_clips(sim: Simulator, truths: dict[str, str], folder: Path, figures: Figures) -> None:
    expected = {f"{job_id}.mp4" for job_id, truth in truths.items() if truth == "completed"}
    for path in sorted((folder / "videos").iterdir()):
        if path.name.removesuffix(".json") in {name.removesuffix(".mp4") for name in truths}:
            continue  # the recipe beside a clip
        if path.name not in expected:
            figures.strange_files.append(path.name)
        elif path.read_bytes() != sim.clip_bytes(path.stem):
            figures.wrong_clips.append(path.name)
        expected.discard(path.name)
    figures.missing_clips += sorted(expected)


def _held() -> tuple[int, int]:
    """Return how many threads of ours there are, and how many open files."""
    gc.collect()
    files = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
    return sum("cometvid" in thread.name for thread in threading.enumerate()), files


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--worker", choices=("stopped", "killed"), default="stopped")
    parser.add_argument("--reload", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = soak(
            given.jobs,
            given.seed,
            given.minutes * 60,
            Path(name),
            given.share,
            worker_is=given.worker,
            is_reloaded=given.reload,
        )
    for name, value in vars(figures).items():
        print(f"{name:<22} {value}")
    sys.exit(not figures.is_flawless)


if __name__ == "__main__":
    main()
