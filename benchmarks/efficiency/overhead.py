"""CPU time of a suggestion, on one core, in a mixed space of 14 parameters in two branches.

    python benchmarks/efficiency/overhead.py

The median and the greatest of 20 asks (each told before the next) after n random points.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from hpsearch.optimizers import GPOptimizer, RandomOptimizer, TPEOptimizer

N_ASKS = 20
COMMON = {
    **{f"x{i}": (0.0, 1.0) for i in range(4)},
    **{f"rate{i}": (1e-5, 1e2, "log-uniform") for i in range(3)},
    "leaves": (2, 256, "log-uniform"),
    "depth": (1, 30),
    "criterion": ["gini", "entropy", "log_loss"],
    "bootstrap": [True, False],
    "features": [0.2, 0.4, 0.6, 0.8, 1.0],
}
SPACE = [
    COMMON | {"booster": ["tree"], "gamma": (1e-4, 10.0, "log-uniform")},
    COMMON | {"booster": ["dart"], "gamma": (1e-4, 10.0, "log-uniform"), "drop": (0.0, 1.0)},
]


def score(params: dict[str, Any], rng: np.random.Generator) -> float:
    smooth = -sum((params[f"x{i}"] - 0.3 - i / 10) ** 2 for i in range(4))
    return smooth + 0.1 * (params["criterion"] == "gini") + 0.02 * rng.standard_normal()


def milliseconds(optimizer: GPOptimizer | TPEOptimizer, n: int) -> np.ndarray:
    """Return the CPU time of asks after n random points."""
    rng, drawn = np.random.default_rng(0), RandomOptimizer(SPACE, 0)
    for _ in range(n):
        params = drawn.ask()
        optimizer.tell(params, score(params, rng))
    times = []
    for _ in range(N_ASKS):
        start = time.process_time()
        params = optimizer.ask()
        optimizer.tell(params, score(params, rng))
        times.append(time.process_time() - start)
    return 1e3 * np.array(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=100_000, help="points before the asks")
    most = parser.parse_args().most
    print("| n | GP median | GP most | TPE median | TPE most |")
    print("|---|---|---|---|---|")
    for n in (20, 50, 100, 200, 300, 1000, 10_000, 100_000):
        if n > most:
            break
        cells = []
        for make in (GPOptimizer, TPEOptimizer):
            if make is GPOptimizer and n > 1000:
                cells += ["", ""]
                continue
            times = milliseconds(make(SPACE, 0), n)
            cells += [f"{np.median(times):.1f}", f"{times.max():.1f}"]
        print(f"| {n} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
