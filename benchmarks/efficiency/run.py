# ruff: noqa: E402 - the number of threads is set before numpy is imported
"""Run optimizers on the problems, keep what came of it, and write the table.

    python benchmarks/efficiency/run.py                    ours anew, then the table
    python benchmarks/efficiency/run.py optuna-gp          a peer; what is stored is not run again
    python benchmarks/efficiency/run.py gp --seeds 3 --purpose tuning --as gp-try
    python benchmarks/efficiency/run.py --table            the table alone

A run's record is the true score of the incumbent (the best as observed) after 5, 10, ..., 50
evaluations. Results lie in results/, a file a method.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # one core for everyone; before numpy is imported

import numpy as np
from methods import METHODS, OURS
from problems import Problem, problems
from table import write_table

RESULTS = Path(__file__).parent / "results"
BUDGET = 50
EVERY = 5


def run(problem: Problem, method: str, seed: int, memo: dict[str, float]) -> dict[str, Any]:
    """Return the record of one search."""
    rng = np.random.default_rng([seed, sum(map(ord, problem.name))])  # the same noise for all
    noise = problem.noise * rng.standard_normal(BUDGET)
    optimizer = METHODS[method](problem, seed)
    true, seen, seconds = [], [], 0.0
    for step in range(BUDGET):
        start = time.process_time()
        params = optimizer.ask()
        seconds += time.process_time() - start
        key = repr(sorted(params.items()))
        if key not in memo:
            memo[key] = problem.score(params)
        true.append(memo[key])
        seen.append(true[-1] + noise[step])
        start = time.process_time()
        optimizer.tell(params, seen[-1])
        seconds += time.process_time() - start
    ends = range(EVERY, BUDGET + 1, EVERY)
    return {
        "curve": [rounded(true[int(np.nanargmax(seen[:end]))]) for end in ends],
        "best": rounded(np.nanmax(true)),
        "median": rounded(np.nanmedian(true)),
        "ms": round(1e3 * seconds / BUDGET, 2),
    }


def rounded(score: float) -> float:
    return float(f"{score:.8g}")


def run_all(method: str, label: str, n_seeds: int, purpose: str | None) -> None:
    """Run what is not stored yet, and store it."""
    path = RESULTS / f"{label}.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    chosen = [p for p in problems() if purpose in (None, p.purpose)]
    memos: dict[str, dict[str, float]] = {p.name: {} for p in chosen}
    for seed in range(n_seeds):
        for problem in chosen:
            records = stored.setdefault(problem.name, {})
            if str(seed) in records:
                continue
            records[str(seed)] = run(problem, method, seed, memos[problem.name])
            path.write_text(dumped(stored))
        print(f"{label}: {seed + 1} of {n_seeds} seeds", flush=True)


def dumped(stored: dict[str, Any]) -> str:
    """One line a search: differences between two versions can be read."""
    blocks = []
    for problem, records in stored.items():
        lines = [f'  "{seed}": {json.dumps(record)}' for seed, record in records.items()]
        blocks.append(f' "{problem}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", choices=[[], *METHODS])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--purpose", choices=["tuning", "final"])
    parser.add_argument("--as", dest="label", help="store under another name")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    methods = [] if given.table else given.methods or list(OURS)
    for method in methods:
        label = given.label or method
        if not given.methods:
            (RESULTS / f"{label}.json").unlink(missing_ok=True)
        run_all(method, label, given.seeds, given.purpose)
    write_table(RESULTS)


if __name__ == "__main__":
    main()
