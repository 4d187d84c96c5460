"""Workers that finish when they finish: what pending points cost, and what waves cost.

    python benchmarks/asynchrony/run.py [--seeds 10] [--workers 4 16]

Simulated workers take lognormal times. As soon as one is done a candidate is asked for it, while
those of the others are pending. `ours` is GPOptimizer; `ignored` is the same with pending points
hidden from the model (none is asked twice even so). `waves` asks for all workers at once and waits
for the slowest. The problems are those of benchmarks/efficiency that take no time; by default those
that were not tuned on.

Regret is normalised as there. A first table has it averaged over evaluations 10 to 50, in the order
of finishing, a second at the last of them, which is what a search ends with.
*Late* is one worker's regret at as many evaluations less as there are other workers, as if those
still pending had not been asked. *Loss kept* is what is lost against one worker, as a share of what
is lost when pending points are ignored; ± is its standard error over seeds, by the jackknife.
Beside it stands the same of *late*, and the time that waves take as a multiple of ours.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from hpsearch.optimizers import GPOptimizer, RandomOptimizer
from hpsearch.optimizers.gp import Model

sys.path.insert(0, str(Path(__file__).parents[1] / "efficiency"))
from problems import Problem, problems

BUDGET, EARLY = 50, 10
SPREAD = 0.7  # standard deviation of the logarithm of a duration; its median is 1
HELD_OUT = (
    *("categories", "counts", "shared", "camel-noise", "hartmann3", "hartmann6-noise", "levy8"),
    *("tang5-noise", "michalewicz5", "few-matter20"),
)
TUNED_ON = (
    *("shifted-mixed", "branching", "branin-noise", "hartmann6", "ackley5", "rosenbrock4-noise"),
)


Scales = dict[str, tuple[float, float]]  # a problem's best score, and the median of random


@dataclass
class Search:
    """True scores in the order of finishing, as observed, and when each was there."""

    true: list[float]
    seen: list[float]
    times: list[float]

    def incumbents(self) -> np.ndarray:
        ends = range(1, len(self.true) + 1)
        return np.array([self.true[int(np.argmax(self.seen[:end]))] for end in ends])


def one_by_one(problem: Problem, seed: int, n_workers: int) -> Search:
    """Ask for a worker as soon as it is free."""
    optimizer, rng = GPOptimizer(problem.space, seed), np.random.default_rng([seed, 1])
    busy: list[tuple[float, int, dict]] = []
    search, now = Search([], [], []), 0.0
    for number in range(BUDGET + n_workers):
        if len(busy) == n_workers:
            now, _, params = heapq.heappop(busy)
            record(search, problem, params, now, rng)
            optimizer.tell(params, search.seen[-1])
        if len(search.true) == BUDGET:
            break
        heapq.heappush(busy, (now + rng.lognormal(0.0, SPREAD), number, optimizer.ask()))
    return search


def in_waves(problem: Problem, seed: int, n_workers: int) -> Search:
    """Ask for all workers at once, and wait for all."""
    optimizer, rng = GPOptimizer(problem.space, seed), np.random.default_rng([seed, 1])
    search, now = Search([], [], []), 0.0
    while len(search.true) < BUDGET:
        wave = [optimizer.ask() for _ in range(n_workers)]
        now += max(rng.lognormal(0.0, SPREAD, n_workers))
        for params in wave:
            record(search, problem, params, now, rng)
            optimizer.tell(params, search.seen[-1])
    return search


def record(search: Search, problem: Problem, params: dict, now: float, rng: np.random.Generator):
    search.true.append(problem.score(params))
    search.seen.append(search.true[-1] + problem.noise * rng.standard_normal())
    search.times.append(now)


@contextmanager
def pending_ignored() -> Iterator[None]:
    """Hide pending points from the model."""
    original = Model.of
    Model.of = lambda evidence, theta, pending, *others: original(
        evidence, theta, pending[:0], *others
    )
    try:
        yield
    finally:
        Model.of = original


def ignoring(problem: Problem, seed: int, n_workers: int) -> Search:
    with pending_ignored():
        return one_by_one(problem, seed, n_workers)


def scale(problem: Problem, searches: list[Search]) -> tuple[float, float]:
    """Return the best score known and the median of random ones."""
    # A finite space may end before.
    drawn = [problem.score(p) for p in islice(RandomOptimizer(problem.space, 0), 2000)]
    found = [score for search in searches for score in search.true]
    return max(drawn + found), float(np.median(drawn))


def regrets(
    found: dict[str, list[Search]], scales: Scales, first: int, late: int = 0
) -> np.ndarray:
    """Return the regret of each seed from some evaluation on, averaged over problems, (seeds,)."""
    parts = []
    for name, searches in found.items():
        best, median = scales[name]
        curves = np.array([s.incumbents()[first - 1 - late : BUDGET - late] for s in searches])
        parts.append(((best - curves) / (best - median)).mean(axis=1))
    return np.mean(parts, axis=0)


def kept(ours: np.ndarray, ignored: np.ndarray, alone: np.ndarray) -> str:
    """Return the share of the loss that is kept, and its standard error by the jackknife."""
    n = len(alone)
    without = 1 - np.eye(n)
    lost, could = (without @ (part - alone) for part in (ours, ignored))
    shares = lost / could
    share = (ours - alone).mean() / (ignored - alone).mean()
    if n == 1:
        return f"{share:.2f}"
    error = np.sqrt((n - 1) * shares.var())
    return f"{share:.2f} ± {error:.2f}"


def clock(found: dict[str, list[Search]]) -> float:
    """Return the time at which the last evaluation was there, on average."""
    return float(np.mean([search.times[BUDGET - 1] for r in found.values() for search in r]))


def table(found: dict[tuple[str, int], dict[str, list[Search]]], scales: Scales, first: int) -> str:
    """Return regrets from some evaluation on, and what is lost, as a table in Markdown."""
    alone = regrets(found["ours", 1], scales, first)
    lines = ["| workers | ours | ignored | waves | late | loss kept | if late | time of waves |"]
    lines += ["|---|---|---|---|---|---|---|---|", f"| 1 | {alone.mean():.3f} | | | | | | |"]
    for n in sorted({n for _, n in found} - {1}):
        ours, ignored, waves = (regrets(found[mode, n], scales, first) for mode in MODES)
        late = regrets(found["ours", 1], scales, first, n - 1) if n <= first else None
        cells = [f"{part.mean():.3f}" for part in (ours, ignored, waves)]
        cells += ["" if late is None else f"{late.mean():.3f}", kept(ours, ignored, alone)]
        cells += ["" if late is None else kept(late, ignored, alone)]
        cells += [f"{clock(found['waves', n]) / clock(found['ours', n]):.2f}"]
        lines.append(f"| {n} | {' | '.join(cells)} |")
    return "\n".join(lines)


MODES: dict[str, Callable[[Problem, int, int], Search]] = {
    "ours": one_by_one,
    "ignored": ignoring,
    "waves": in_waves,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8, 16, 64])
    parser.add_argument("--problems", nargs="+", choices=HELD_OUT + TUNED_ON, default=HELD_OUT)
    given = parser.parse_args()
    plan = [("ours", 1)] + [(mode, n) for n in given.workers for mode in MODES]
    chosen = [p for p in problems() if p.name in given.problems]
    found = {
        key: {p.name: [MODES[key[0]](p, s, key[1]) for s in range(given.seeds)] for p in chosen}
        for key in plan
    }
    scales = {p.name: scale(p, [s for r in found.values() for s in r[p.name]]) for p in chosen}
    for title, first in (("averaged over evaluations 10 to 50", EARLY), ("at 50", BUDGET)):
        print(f"Regret {title}\n\n{table(found, scales, first)}\n")


if __name__ == "__main__":
    main()
