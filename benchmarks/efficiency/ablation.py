"""What a constant of ours is worth: the problems for tuning, with another value of it.

    python benchmarks/efficiency/ablation.py gp "_gaussian.SINGLES=(1e-9, 2e-9)" [--seeds 10]

The last argument is a module of hpsearch.optimizers, a constant in it and its other value. Prints
the difference of regret, at 20 and at 50 evaluations, to the stored results of the method, which
must be those of the code as it is; standard errors are over seeds, the problems being given.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
from typing import Any

import numpy as np
from problems import problems
from run import RESULTS, run
from table import ENDS, error

N_SEEDS = 5


def set_constant(change: str) -> None:
    """Set `module.NAME=value`."""
    place, _, value = change.partition("=")
    name, _, constant = place.rpartition(".")
    module = importlib.import_module(f"hpsearch.optimizers.{name}")
    if not hasattr(module, constant):
        raise SystemExit(f"{place!r}: there is no such constant.")
    setattr(module, constant, ast.literal_eval(value))


def differences(method: str, stored: dict[str, Any], names: list[str], n_seeds: int) -> np.ndarray:
    """Return regret less that of the stored results, (problems, seeds, ends of the curve)."""
    random = json.loads((RESULTS / "random.json").read_text())
    found = []
    for problem in problems():
        if problem.name not in names:
            continue
        known, memo = stored[problem.name], {}
        best = max(record["best"] for record in known.values())
        median = np.mean([record["median"] for record in random[problem.name].values()])
        rows = []
        for seed in range(n_seeds):
            curve = np.array(run(problem, method, seed, memo)["curve"])
            rows.append((known[str(seed)]["curve"] - curve) / (best - median))
        found.append(rows)
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=["gp", "tpe"])
    parser.add_argument("change", help="module.NAME=value")
    names = [problem.name for problem in problems() if problem.purpose == "tuning"]
    parser.add_argument("--problems", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    given = parser.parse_args()
    stored = json.loads((RESULTS / f"{given.method}.json").read_text())
    set_constant(given.change)
    found = differences(given.method, stored, given.problems, given.seeds)
    cells = [f"{found[:, :, at].mean():+.3f}{error(found[:, :, at])}" for at in ENDS.values()]
    print(f"| `{given.change}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
