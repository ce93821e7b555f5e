"""Measures what a thousand jobs in one kernel cost, beside openai-python on as many jobs.

    python -m benchmarks.scale [--jobs 1000] [--median 105] [--latency 0] [--no-peer]

Three run side by side, each in a fresh process with a simulator in another: all jobs of ours; as
many of `AsyncOpenAI().videos.poll`, with the interval that makes about as many requests; and a few
jobs of ours, to see how late an end is noticed without a crowd. They run at the same time because
a machine's clock rate drifts by more than the differences. CPU is that of the watching process and
its children. Delay is measured in the simulator, from the end of a job to the first answer
"completed". `--latency` is the time in seconds that the server takes for each answer.

Then all jobs of ours run alone, under a reader's busy cell: plain Python on the main thread, for
a minute while the jobs run. Its loss is its time beyond its own CPU time, when it waits for the
interpreter or for a core. (The time beyond that of another minute would contain the drift.) On
Linux the wait for a core is reported apart: the simulator takes one as well, and with very many
jobs so does the worker. Needs `pip install openai`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cometvid_nb.simulator import Fault, Request, Scenario, Simulator

FEW = 90
"""The kernel polls so many jobs by itself; from 100 on the worker does."""
SPREAD = 0.45
"""The standard deviation of ln(duration)."""
BUSY_FROM_S, BUSY_S = 20.0, 60.0
"""When the busy cell starts, so that all jobs run by then, and how long it runs."""
POLLS_A_JOB = 11.0
"""The peer's interval is the median divided by this, so that it polls about as often as we do."""


class WatchedSimulator(Simulator):
    """A simulator that notes when it first answered "completed" for each job."""

    def __init__(self, scenarios: list[Scenario]) -> None:
        super().__init__(scenarios=scenarios)
        # A count of its own, as `requests` keeps only the last 10,000.
        self.asked = 0
        self.told_at_s: dict[str, float] = {}

    def record(self, request: Request) -> None:
        super().record(request)
        self.asked += 1

    def retrieve(self, job_id: str) -> Any:
        answer = super().retrieve(job_id)
        if answer["status"] == "completed":
            self.told_at_s.setdefault(job_id, time.time())
        return answer

    def delays_s(self) -> list[float]:
        """Return how late each end was noticed, in seconds."""
        delays_s = []
        for job_id, told_at_s in self.told_at_s.items():
            job = self._owned(job_id)
            assert job.started_at_s is not None
            ended_at_s = job.started_at_s + job.scenario.queue_s + job.scenario.run_s
            delays_s.append(told_at_s - ended_at_s)
        return delays_s


def scenarios(count: int, median_s: float) -> list[Scenario]:
    rng = random.Random(7)
    return [
        Scenario(
            f"video_{n:05}",
            queue_s=rng.uniform(0, 20),
            run_s=rng.lognormvariate(math.log(median_s), SPREAD),
        )
        for n in range(count)
    ]


def serve(count: int, median_s: float, latency_s: float) -> None:
    """Serve the jobs: print the URL and the key, then, after a line of input, the results."""
    with WatchedSimulator(scenarios(count, median_s)) as simulator:
        if latency_s:
            simulator.add_fault(Fault("GET /videos/{id}", times=None, delay_s=latency_s))
        print(json.dumps([simulator.base_url, simulator.api_key]), flush=True)
        sys.stdin.readline()
        print(json.dumps([simulator.asked, simulator.delays_s()]), flush=True)


def busy_loss() -> tuple[float, float]:
    """Return by which share a minute of plain Python takes longer than its own CPU time.

    The second value is the share spent waiting for a core; NaN where the system does not tell.
    """
    began_s, began_cpu_s, began_queued_s = time.perf_counter(), time.thread_time(), queued_s()
    total = 0
    while (took_s := time.perf_counter() - began_s) < BUSY_S:
        for n in range(100_000):
            total += n % 7
    worked_s = time.thread_time() - began_cpu_s
    return took_s / worked_s - 1, (queued_s() - began_queued_s) / worked_s


def queued_s() -> float:
    """Return how long this thread has been ready to run without a core so far; NaN: unknown.

    Linux: the second number in schedstat, in nanoseconds.
    """
    try:
        text = Path("/proc/thread-self/schedstat").read_text("ascii")
    except OSError:
        return math.nan
    return int(text.split()[1]) / 1e9


def ours(base_url: str, api_key: str, count: int, *, is_busy: bool) -> dict[str, float]:
    """Watch the jobs with our package, with a ledger and without saving clips.

    `is_busy`: measure the loss of a busy cell, and stop after that minute.
    """
    import cometvid_nb.api.client  # noqa: F401 - imports are not measured, nor are the peer's
    from cometvid_nb.session.session import Session
    from cometvid_nb.settings import Settings

    folder = TemporaryDirectory()
    session = Session(
        Settings.from_environ({"COMETAPI_BASE_URL": base_url, "COMETAPI_KEY": api_key}).changed(
            save=False, ledger=f"{folder.name}/ledger.sqlite3"
        )
    )
    before = used_mib()
    began_s = time.process_time()
    watches = [session.watch(f"video_{n:05}") for n in range(count)]
    slower = coreless = math.nan
    if is_busy:
        time.sleep(BUSY_FROM_S)
        slower, coreless = busy_loss()
    else:
        for watch in watches:
            watch.wait()
    session.close()
    folder.cleanup()
    worker = resource.getrusage(resource.RUSAGE_CHILDREN)  # the worker's process
    return {
        "cpu_s": time.process_time() - began_s + worker.ru_utime + worker.ru_stime,
        "mib": used_mib() - before + worker.ru_maxrss / 1024,
        "slower": slower,
        "coreless": coreless,
    }


async def theirs(base_url: str, api_key: str, count: int, interval_s: float) -> dict[str, float]:
    import warnings

    from openai import AsyncOpenAI

    warnings.simplefilter("ignore")
    before = used_mib()
    began_s = time.process_time()
    async with AsyncOpenAI(base_url=base_url, api_key=api_key) as client:
        polls = (
            client.videos.poll(f"video_{n:05}", poll_interval_ms=round(1000 * interval_s))
            for n in range(count)
        )
        await asyncio.gather(*polls)
    return {"cpu_s": time.process_time() - began_s, "mib": used_mib() - before, "slower": math.nan}


def used_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True, slots=True)
class Given:
    """The conditions of one run, the same for all watchers, in seconds."""

    median_s: float
    latency_s: float


class Watching:
    """A running watcher with a simulator of its own, both in fresh processes."""

    def __init__(self, who: str, count: int, given: Given, interval_s: float = 0.0) -> None:
        module = [sys.executable, "-m", "benchmarks.scale"]
        self._server = subprocess.Popen(
            [*module, "serve", str(count), str(given.median_s), str(given.latency_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        base_url, api_key = json.loads(self._server.stdout.readline())
        self._watcher = subprocess.Popen(
            [*module, who, base_url, api_key, str(count), str(interval_s)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def result(self) -> dict[str, float]:
        """Wait until all jobs have ended, and return what was measured."""
        told, _ = self._watcher.communicate()
        requests, delays_s = json.loads(self._server.communicate("\n")[0])
        if self._watcher.returncode:
            raise SystemExit("the watcher has failed")
        measured: dict[str, float] = json.loads(told.splitlines()[-1])
        measured["requests"] = requests
        measured["cpu_ms"] = 1000 * measured["cpu_s"] / requests
        measured["delay_s"] = statistics.fmean(delays_s or [math.nan])
        return measured


def show(name: str, measured: dict[str, float]) -> None:
    slower = "" if math.isnan(measured["slower"]) else f"{100 * measured['slower']:6.1f} %"
    print(
        f"{name:28} {measured['requests']:8.0f} {measured['cpu_ms']:8.2f} {measured['mib']:8.1f} "
        f"{measured['delay_s']:8.2f} {slower:>8}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    match sys.argv[1:]:
        case ["serve", count, median_s, latency_s]:
            serve(int(count), float(median_s), float(latency_s))
        case ["ours" | "busy" as mode, url, key, count, _]:
            print(json.dumps(ours(url, key, int(count), is_busy=mode == "busy")))
        case ["theirs", url, key, count, interval_s]:
            measured = asyncio.run(theirs(url, key, int(count), float(interval_s)))
            print(json.dumps(measured))
        case _:
            compare()


def compare() -> None:
    """Run all of ours, the peer and a few of ours at once, then the busy cell; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--median", type=float, default=105.0, help="of their duration, seconds")
    parser.add_argument("--latency", type=float, default=0.0, help="of every answer, seconds")
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    count, given = arguments.jobs, Given(arguments.median, arguments.latency)
    interval_s = given.median_s / POLLS_A_JOB
    many_at_work = Watching("ours", count, given)
    peer_at_work = None if arguments.no_peer else Watching("theirs", count, given, interval_s)
    few = Watching("ours", FEW, given).result()
    many = many_at_work.result()
    peer = peer_at_work.result() if peer_at_work is not None else None
    busy = Watching("busy", count, given).result()
    many["slower"] = busy["slower"]
    columns = ("requests", "CPU ms", "MiB", "delay s", "slower")
    print(f"{'':28} " + " ".join(f"{column:>8}" for column in columns))
    show(f"ours, {FEW} jobs", few)
    show(f"ours, {count} jobs", many)
    print(f"  slower: {100 * busy['coreless']:.1f} points of it wait for a core (target: 3 in all)")
    print(f"  delay: {many['delay_s'] / few['delay_s']:.2f} of that of a few (target: 1.3)")
    if peer is not None:
        show(f"openai-python, {interval_s:.1f} s", peer)
        ratio = many["cpu_ms"] / peer["cpu_ms"]
        print(f"  CPU per request: {ratio:.2f} of openai-python's (target: 0.7)")
    print("CPU ms: per request; slower: a busy main thread while the jobs are watched")


if __name__ == "__main__":
    main()
