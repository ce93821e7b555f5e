"""Runs hundreds of jobs under a storm of faults: each watch must end true, each clip be whole.

    python -m benchmarks.soak [--jobs 300] [--seed N] [--minutes M] [--share 0.3]

The seed determines the faults. The pauses after them are the product's own, so that the jobs run
side by side. `tests/product/test_soak.py` runs a short soak.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tempfile
import threading
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cometvid_nb.errors import CometVidError
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.session.session import Session
from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import Scenario, Simulator, Storm
from cometvid_nb.watching.state import Ending, WatchState

KEY = "sk-soak-0123456789-0123456789"
# What happens to a job at the server, and how its watch must end.
TRUTHS = {"completed": Ending.COMPLETED, "failed": Ending.FAILED, "lost": Ending.BROKEN}
SIZES = ("1280x720", "720x1280", "960x960")
STEP_S = 0.5


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
    unfinished_in_ledger: int = 0
    did_the_key_stray: bool = False
    threads_left: int = 0
    files_left: int = 0
    grown_bytes: int = 0
    """Memory that is still held when everything is over and closed, for all jobs together."""

    @property
    def is_flawless(self) -> bool:
        """Whether nothing went wrong and nothing is left over."""
        faults = (self.wrong, self.wrong_clips, self.missing_clips, self.strange_files)
        left = (self.threads_left, self.files_left, self.unfinished_in_ledger)
        return not any((*faults, *left, self.did_the_key_stray))


def soak(jobs: int, seed: int, within_s: float, folder: Path, share: float = 0.3) -> Figures:
    """Run `jobs` jobs through a storm for at most `within_s` seconds and return the results."""
    rng = random.Random(seed)
    truths = {f"video_soak_{n}": rng.choices(list(TRUTHS), (8, 2, 1))[0] for n in range(jobs)}
    storm = Storm(seed, share)
    figures = Figures(jobs)
    before = _held()
    began_s = time.monotonic()
    tracemalloc.start()
    with Simulator(api_key=KEY, separate_clip_host=True, seed=seed, storm=storm) as sim:
        _life(sim, truths, rng, within_s, folder, figures)
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
) -> None:
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
    try:
        for job_id, truth in truths.items():
            ending = "never" if truth == "lost" else truth
            sim.add(
                Scenario(
                    job_id,
                    queue_s=rng.uniform(0, 1),
                    run_s=rng.uniform(0, 5),
                    size=rng.choice(SIZES),
                    ending=ending,  # type: ignore[arg-type]  # one of its words
                    link=rng.choice(("signed", "signed", "signed", "none", "dead")),
                    link_life_s=rng.choice((None, None, 0.2)),
                )
            )
            if truth == "lost":
                sim.forget(job_id)
            session.watch(job_id).subscribe(observe)
        for _ in truths:
            if not settled.acquire(timeout=max(0.0, until_s - time.monotonic())):
                break
        _resume(session, truths, until_s, figures)
        for watch in session.watches:
            state = watch.state
            figures.endings[str(state.ending)] += 1
            is_true = state.ending is TRUTHS[truths[watch.job_id]]
            is_whole = state.ending is not Ending.COMPLETED or state.saved is not None
            if not (is_true and is_whole):
                why = state.problem or state.error
                figures.wrong.append(
                    f"{watch.job_id}: {truths[watch.job_id]}, {state.ending}, {why}"
                )
    finally:
        try:
            session.close()
        except CometVidError as error:
            figures.wrong.append(str(error))


def _resume(session: Session, truths: dict[str, str], until_s: float, figures: Figures) -> None:
    """Watch jobs again until no clip is missing, as a reader does with `%cometvid resume`."""
    while time.monotonic() < until_s:
        unsaved = [
            watch.job_id
            for watch in session.watches
            if watch.state.ending is Ending.COMPLETED and watch.state.saved is None
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
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = soak(given.jobs, given.seed, given.minutes * 60, Path(name), given.share)
    for name, value in vars(figures).items():
        print(f"{name:<22} {value}")
    sys.exit(not figures.is_flawless)


if __name__ == "__main__":
    main()
