"""Measures what a schedule costs: requests per job, and how late it notices the end.

    python -m benchmarks.pacing [--jobs 600] [--seed 1]

It runs thousands of invented jobs on a virtual clock: log-normal durations (medians 70, 105 and
210 s), 0-20 s in the queue, one job in fifty that never ends, several shapes of progress, refreshed
at once or every 15 s. All schedules get the same jobs. The delay counts from the moment when the
API first answers "completed". Schedules are compared by requests x mean delay. For any fixed
interval this is half the job's duration, so that a better schedule has less.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cometvid_nb.job.status import JobStatus
from cometvid_nb.watching.durations import DEFAULT_PRIOR, DurationPrior
from cometvid_nb.watching.schedule import Observation, PollPolicy, PollState

DEADLINE_S = 3600.0
QUEUE_S = 20.0
"""The longest time in the queue; `schedule.USUAL_QUEUE_S` is the same."""
WEDGED = 0.02
"""The share of jobs that never end; `durations.ENDLESS` is the same."""
# Close to the durations seen on the live API for clips of 4, 5 and 12 s.
MEDIANS_S = (70.0, 105.0, 210.0)
# The real gateway probably refreshes a job's state every 15 s or so; 0 = at once.
REFRESHES_S = (0.0, 15.0)
FIXED_S = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0)
LEARNED_FROM = 30
"""How many jobs of the kind the prior is learned from."""

SHAPES: dict[str, Callable[[float], float]] = {
    "frozen at 0": lambda x: 0.0,
    "linear": lambda x: 100 * x,
    "plateaus 10/20/30": lambda x: 10.0 * min(3, int(4 * x)),
    "jump 0 to 90": lambda x: 90.0 if x > 0.5 else 0.0,
    "fast, then slow": lambda x: 100 * math.sqrt(x),
    "slow, then fast": lambda x: 100 * x * x,
    "linear, rests at 99": lambda x: min(99.0, 130 * x),
    "starts again": lambda x: 160 * x if x < 0.5 else 100 * (x - 0.5),
}
"""Shapes of progress: the percentage by the share (0-1) of the work that is done."""

Delays = Callable[[random.Random], Iterator[float]]


def every(low_s: float, high_s: float | None = None) -> Delays:
    return lambda rng: iter(lambda: rng.uniform(low_s, high_s or low_s), None)


def api_core(rng: random.Random) -> Iterator[float]:
    delay_s = 1.0
    while True:
        yield rng.uniform(0, delay_s)
        delay_s = min(20.0, delay_s * 1.5)


# How other clients poll, by their source code or their documentation.
PEERS: dict[str, Delays] = {
    "fal 0.1 s": every(0.1),
    "replicate 0.5 s": every(0.5),
    "openai-python 1 s": every(1.0),
    "ComfyUI 5 s": every(5.0),
    "runwayml 6 +- 1.5 s": every(4.5, 7.5),
    "CometAPI's guide 10 s": every(10.0),
    "CometAPI's guide 15 s": every(15.0),
    "google-genai 20 s": every(20.0),
    "api_core x1.5 to 20 s": api_core,
    "azure-core 30 s": every(30.0),
}


@dataclass(frozen=True, slots=True)
class Job:
    """An invented job. `ends_s` is its age at its end, infinite for a job that never ends."""

    queue_s: float
    work_s: float
    ends_s: float
    phase_s: float
    """When in its period the gateway refreshes this job, as a share (0-1)."""

    @classmethod
    def draw(cls, rng: random.Random, law: DurationPrior) -> Job:
        queue_s = rng.uniform(0, QUEUE_S)
        work_s = law.median_s * math.exp(rng.gauss(0, law.spread))
        ends_s = math.inf if rng.random() < WEDGED else queue_s + work_s
        return cls(queue_s, work_s, ends_s, rng.random())

    def shown_end_s(self, refresh_s: float) -> float:
        """Return the age at which the API first answers "completed"."""
        if not refresh_s or self.ends_s == math.inf:
            return self.ends_s
        phase_s = self.phase_s * refresh_s
        return math.ceil((self.ends_s - phase_s) / refresh_s) * refresh_s + phase_s

    def shown(self, at_s: float, refresh_s: float, shape: Callable[[float], float]) -> Observation:
        """Return what a poll at age `at_s` sees."""
        true_s = at_s
        if refresh_s:
            phase_s = self.phase_s * refresh_s
            true_s = math.floor((at_s - phase_s) / refresh_s) * refresh_s + phase_s
        if true_s < self.queue_s:
            return Observation(at_s, JobStatus.QUEUED, 0.0)
        done = min(1.0, (true_s - self.queue_s) / self.work_s)
        return Observation(at_s, JobStatus.IN_PROGRESS, float(int(min(99, shape(done)))))


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one schedule, as means over many jobs."""

    requests: float
    delay_s: float
    delay_p95_s: float

    @classmethod
    def of(cls, runs: Sequence[tuple[int, float]]) -> Cost:
        delays_s = sorted(delay_s for _, delay_s in runs if delay_s < math.inf)
        return cls(
            statistics.fmean(count for count, _ in runs),
            statistics.fmean(delays_s),
            delays_s[int(0.95 * len(delays_s))],
        )

    @property
    def product_s(self) -> float:
        return self.requests * self.delay_s


def follow(
    policy: PollPolicy,
    job: Job,
    refresh_s: float,
    shape: Callable[[float], float],
    rng: random.Random,
) -> tuple[int, float]:
    """Return (requests, delay in seconds) of our schedule on one job; it starts with the job.

    The delay is infinite if the deadline passes first.
    """
    state, at_s, count = PollState.begin(0.0, 0.0), 0.0, 1
    shown_end_s = job.shown_end_s(refresh_s)
    while at_s < shown_end_s:
        state = state.after(job.shown(at_s, refresh_s, shape))
        delay_s = policy.next_delay_s(state, at_s, rng)
        if delay_s is None:
            return count, math.inf
        at_s += delay_s
        count += 1
    return count, at_s - shown_end_s


def follow_blindly(delays: Iterator[float], shown_end_s: float) -> tuple[int, float]:
    """Return the same for a schedule that does not look at the answers."""
    at_s, count = 0.0, 1
    while at_s < shown_end_s:
        if at_s >= DEADLINE_S:
            return count, math.inf
        at_s += next(delays)
        count += 1
    return count, at_s - shown_end_s


def optimum(law: DurationPrior, policy: PollPolicy, refresh_s: float) -> Cost:
    """Return the least possible cost, for a schedule that knows the true distribution.

    Dynamic programming over the job's age, with the price and the limits of delay of `policy`.
    The schedule does not see progress.
    """
    step_s = 0.5
    count, scale = int(DEADLINE_S / step_s), law.spread * math.sqrt(2)
    lags = [QUEUE_S * (n + 0.5) / 16 for n in range(16)]
    if refresh_s:
        lags = [lag + refresh_s * (n + 0.5) / 8 for lag in lags for n in range(8)]
    alive = [
        WEDGED
        + (1 - WEDGED)
        * statistics.fmean(
            0.5 * math.erfc(math.log(max(1e-9, n * step_s - lag) / law.median_s) / scale)
            for lag in lags
        )
        for n in range(count + 1)
    ]
    lived = [0.0, *itertools.accumulate((a + b) / 2 * step_s for a, b in itertools.pairwise(alive))]
    least, most = round(policy.min_delay_s / step_s), round(policy.max_delay_s / step_s)
    cost, polls, delay = [0.0] * (count + 1), [0.0] * (count + 1), [0.0] * (count + 1)
    for n in range(count - 1, -1, -1):
        best = math.inf
        for later in range(min(n + least, count), min(n + most, count) + 1):
            waste_s = (later - n) * step_s - (lived[later] - lived[n]) / alive[n]
            share = alive[later] / alive[n]
            total = policy.price_s + waste_s + share * cost[later]
            if total < best:
                best = total
                polls[n] = 1 + share * polls[later]
                delay[n] = waste_s + share * delay[later]
        cost[n] = best
    return Cost(1 + polls[0], delay[0] / (1 - WEDGED), math.nan)


def learned(law: DurationPrior, refresh_s: float, rng: random.Random) -> DurationPrior:
    """Return the prior learned from `LEARNED_FROM` jobs of this kind, as from the ledger."""
    seen = (Job.draw(rng, law).shown_end_s(refresh_s) for _ in range(10**6))
    done = itertools.islice((end_s for end_s in seen if end_s < math.inf), LEARNED_FROM)
    return DurationPrior.learn(list(done), DEFAULT_PRIOR)


class World:
    """Many jobs of one distribution, with the refresh period of their gateway."""

    def __init__(self, law: DurationPrior, refresh_s: float, count: int, seed: int) -> None:
        self.law, self.refresh_s, self.seed = law, refresh_s, seed
        rng = random.Random(seed)
        self.prior = learned(law, refresh_s, rng)
        self.jobs = [Job.draw(rng, law) for _ in range(count)]

    def ours(self, policy: PollPolicy, shape: Callable[[float], float]) -> Cost:
        rng = random.Random(self.seed)
        return Cost.of([follow(policy, job, self.refresh_s, shape, rng) for job in self.jobs])

    def blind(self, delays: Delays) -> Cost:
        rng = random.Random(self.seed)
        return Cost.of(
            [follow_blindly(delays(rng), job.shown_end_s(self.refresh_s)) for job in self.jobs]
        )

    def best_fixed_s(self) -> float:
        """Return requests x mean delay of the best fixed interval, started at a random moment.

        An interval that starts with the job could hit or miss its end by chance.
        """
        rng = random.Random(self.seed)
        return min(
            Cost.of(
                [
                    follow_blindly(
                        itertools.chain([rng.uniform(0, interval_s)], itertools.repeat(interval_s)),
                        job.shown_end_s(self.refresh_s),
                    )
                    for job in self.jobs
                ]
            ).product_s
            for interval_s in FIXED_S
        )


def mean(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.fmean(getattr(c, name) for c in costs) for name in Cost.__slots__))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=600, help="of each kind (default: 600)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    worlds = {
        spread: [
            World(DurationPrior(median_s, spread), refresh_s, arguments.jobs, arguments.seed)
            for median_s in MEDIANS_S
            for refresh_s in REFRESHES_S
        ]
        for spread in (0.2, 0.45)
    }
    policy = PollPolicy(give_up_after_s=DEADLINE_S)
    fixed = {id(world): world.best_fixed_s() for group in worlds.values() for world in group}

    def ratio(world: World, cost: Cost) -> float:
        return cost.product_s / fixed[id(world)]

    def row(name: str, group: Sequence[World], costs: Sequence[Cost]) -> None:
        whole = mean(costs)
        ratios = [ratio(world, cost) for world, cost in zip(group, costs, strict=True)]
        print(
            f"  {name:34} {whole.requests:8.1f} {whole.delay_s:8.2f} {whole.delay_p95_s:8.2f} "
            f"{statistics.fmean(ratios):8.2f} {max(ratios):8.2f}"
        )

    for spread, group in worlds.items():
        print(f"\nSpread {spread}, medians 70, 105, 210 s, live and refreshed every 15 s")
        columns = ("requests", "delay s", "p95 s", "ratio", "worst")
        print(f"  {'':34} " + " ".join(f"{column:>8}" for column in columns))
        for name, delays in PEERS.items():
            row(name, group, [world.blind(delays) for world in group])
        for name, shape in SHAPES.items():
            costs = [world.ours(_with(policy, world.prior), shape) for world in group]
            row(f"ours, learned: {name}", group, costs)
        for name in ("frozen at 0", "linear"):
            costs = [world.ours(policy, SHAPES[name]) for world in group]
            row(f"ours, nothing learned: {name}", group, costs)
        for factor in (1 / 3, 3):
            costs = [
                world.ours(
                    _with(policy, DurationPrior(world.law.median_s * factor, spread)),
                    SHAPES["frozen at 0"],
                )
                for world in group
            ]
            row(f"ours, prior {factor:.2g} times the truth", group, costs)
        best = [optimum(world.law, policy, world.refresh_s) for world in group]
        row("the best that knows the true law", group, best)
        ours = [world.ours(_with(policy, world.prior), SHAPES["frozen at 0"]) for world in group]
        dearer = [
            (c.delay_s + policy.price_s * c.requests) / (b.delay_s + policy.price_s * b.requests)
            for c, b in zip(ours, best, strict=True)
        ]
        print(f"  ours costs {statistics.fmean(dearer):.3f} of that best (worst {max(dearer):.3f})")
    print("\nratio: requests x mean delay over that of the best fixed interval on the same jobs")


def _with(policy: PollPolicy, prior: DurationPrior) -> PollPolicy:
    return PollPolicy(give_up_after_s=policy.give_up_after_s, prior=prior)


if __name__ == "__main__":
    main()
