"""How busy a cluster is, and what it costs to ask before results are in: 10 to 1,000 workers.

    python benchmarks/cluster.py --record   # measure fit times once: benchmarks/fit_times.txt
    python benchmarks/cluster.py            # the table

A simulation in virtual time of the Hartmann function of six parameters: fits take times that were
recorded from real ones (forests of different sizes), scaled to a mean of `--seconds`. The seconds
of processor time that each ask takes count, since one process asks for all workers. "waves" waits
for all fits of a wave, as searches by batches do; "one by one" is the same optimizer with a single
worker and the same number of fits: what is lost against it is the price of asking early.
"""

from __future__ import annotations

import argparse
import heapq
import math
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from hpsearch.optimizers import GPOptimizer, RandomOptimizer, TPEOptimizer

TIMES = Path(__file__).with_name("fit_times.txt")
OPTIMIZERS = {"GP": GPOptimizer, "TPE": TPEOptimizer, "random": RandomOptimizer}
SPACE = {f"x{i}": (0.0, 1.0) for i in range(6)}
# Dixon & Szego (1978); minimum -3.32237.
ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
BEST = 3.32237


@dataclass(frozen=True)
class Run:
    """What a simulated search came to."""

    utilisation: float
    regret: float
    ask_seconds: float


def score(params: dict[str, float]) -> float:
    """The Hartmann function, greater is better."""
    x = np.array([params[f"x{i}"] for i in range(6)])
    return float(ALPHA @ np.exp(-(A * (x - P) ** 2).sum(axis=1)))


def simulate(optimizer, n_workers: int, n_fits: int, times: np.ndarray, *, waves: bool) -> Run:
    """Play a search in virtual time; the parent asks, and tells, one after another."""
    now = busy = asking = 0.0
    best, n_asked = -math.inf, 0
    running: list[tuple[float, int, dict[str, float]]] = []
    while n_asked < n_fits or running:
        while len(running) < n_workers and n_asked < n_fits:
            began = time.process_time()
            params = optimizer.ask()
            seconds = time.process_time() - began
            now += seconds
            asking += seconds
            heapq.heappush(running, (now + times[n_asked], n_asked, params))
            busy += times[n_asked]
            n_asked += 1
        for _ in range(len(running) if waves else 1):
            end, _, params = heapq.heappop(running)
            now = max(now, end)
            best = max(best, score(params))
            optimizer.tell(params, score(params))
    return Run(busy / (n_workers * now), BEST - best, asking / n_fits)


def record() -> None:
    """Measure fits of random forests on the digits, of sizes that a search would try."""
    X, y = load_digits(return_X_y=True)
    seconds = []
    for seed, params in zip(
        range(200),
        RandomOptimizer(
            {
                "n_estimators": (10, 300, "log-uniform"),
                "max_features": (0.05, 1.0, "log-uniform"),
                "min_samples_leaf": (1, 20, "log-uniform"),
            },
            random_state=0,
        ),
        strict=False,
    ):
        model = RandomForestClassifier(**params, random_state=seed)
        began = time.process_time()
        model.fit(X, y)
        seconds.append(time.process_time() - began)
    TIMES.write_text("".join(f"{s:.4f}\n" for s in seconds))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0, help="mean of a fit")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    options = parser.parse_args()
    if options.record:
        record()
        return
    recorded = np.loadtxt(TIMES)
    recorded *= options.seconds / recorded.mean()
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, sklearn {sklearn.__version__}"
    )
    print(f"{len(recorded)} recorded times, mean {options.seconds:g} s, {options.seeds} seeds")
    print(f"{'workers':>7} {'fits':>5} {'':8} {'':10} {'busy':>5} {'regret':>7} {'ms an ask':>9}")
    for n_workers in options.workers:
        n_fits = {10: 200, 100: 500}.get(n_workers, 2 * n_workers)
        for name in options.optimizers:
            make = OPTIMIZERS[name]
            for how, workers in [("at once", n_workers), ("waves", n_workers), ("one by one", 1)]:
                if name == "random" and how == "one by one":
                    continue
                runs = []
                for seed in range(options.seeds):
                    times = np.random.default_rng(seed).choice(recorded, n_fits)
                    optimizer = make(SPACE, random_state=seed)
                    runs.append(simulate(optimizer, workers, n_fits, times, waves=how == "waves"))
                busy = np.mean([r.utilisation for r in runs])
                regret = np.median([r.regret for r in runs])
                ask = 1000 * np.mean([r.ask_seconds for r in runs])
                row = f"{n_workers:7d} {n_fits:5d} {name:8} {how:10}"
                print(f"{row} {busy:5.0%} {regret:7.3f} {ask:9.1f}", flush=True)


if __name__ == "__main__":
    main()
