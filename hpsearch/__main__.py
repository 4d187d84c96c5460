"""Commands: ``python -m hpsearch`` compares the searches on real data, ``show`` reads a checkpoint.

``python -m hpsearch show run.sqlite`` prints the table and the curve of a running or finished
search.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import (
    CheckpointError,
    ExhaustiveSearchCV,
    GPSearchCV,
    Real,
    SampledSearchCV,
    TPESearchCV,
)
from hpsearch.show import shown

DESCRIPTION = "Run the searches on the same real data, or show a checkpoint file."
C, GAMMA = (1e-3, 1e4), (1e-6, 1e1)
SPACE = {"svc__C": Real(*C, log=True), "svc__gamma": Real(*GAMMA, log=True)}


@dataclass(frozen=True)
class Outcome:
    """What a search came to."""

    name: str
    cv_score: float
    held_out_score: float
    n_fits: int
    seconds: float
    params: dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the searches, a line of progress each, and print what they found; or show a file."""
    options = _parser().parse_args(arguments)
    if options.command == "show":
        _show(options)
    else:
        _compare(options)


def _show(options: argparse.Namespace) -> None:
    try:
        _print(shown(options.path, options.metric, None if options.all else options.top))
    except (CheckpointError, ValueError) as error:
        sys.exit(str(error))


def _compare(options: argparse.Namespace) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    rows = train_test_split(X, y, test_size=0.3, stratify=y, random_state=options.seed)
    _print(
        f"Breast cancer: {len(rows[0])} rows to search on, {len(rows[1])} held out. "
        f"At most {options.budget} candidates, 5 folds, accuracy."
    )
    outcomes = [_run(search, rows) for search in _searches(options)]
    _print("")
    _print(f"{'':20} {'best CV':>9} {'held out':>9} {'fits':>6} {'seconds':>8}  best parameters")
    for o in outcomes:
        scores = f"{o.cv_score:9.5f} {o.held_out_score:9.5f} {o.n_fits:6d} {o.seconds:8.1f}"
        _print(f"{o.name:20} {scores}  {_spelled(o.params)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m hpsearch", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", metavar="show")
    show = commands.add_parser("show", help="print the table and the curve of a checkpoint file")
    show.add_argument("path", help="what was given as checkpoint=")
    show.add_argument("--metric", help="the score to go by (default: the first)")
    show.add_argument("--top", type=int, default=10, help="rows of the table (default: 10)")
    show.add_argument("--all", action="store_true", help="every row of the table")
    parser.add_argument("--n-jobs", type=int, default=2, help="fits at a time (default: 2)")
    parser.add_argument("--budget", type=int, default=30, help="candidates each (default: 30)")
    parser.add_argument("--seed", type=int, default=0, help="of the splits and searches")
    parser.add_argument("--tpe", action="store_true", help="run TPESearchCV as well")
    return parser


def _searches(options: argparse.Namespace) -> list[Any]:
    model = make_pipeline(StandardScaler(), SVC())
    folds = StratifiedKFold(5, shuffle=True, random_state=options.seed)
    common = {"cv": folds, "n_jobs": options.n_jobs, "verbose": 1}
    drawn = {"n_iter": options.budget, "random_state": options.seed}
    classes = [SampledSearchCV, GPSearchCV, *([TPESearchCV] if options.tpe else [])]
    grid = ExhaustiveSearchCV(model, _grid(options.budget), **common)
    return [grid, *(cls(model, SPACE, **drawn, **common) for cls in classes)]


def _grid(budget: int) -> dict[str, list[Any]]:
    """Return the same space as a grid of at most `budget` candidates."""
    n = max(math.isqrt(budget), 1)
    return {
        "svc__C": np.geomspace(*C, n).tolist(),
        "svc__gamma": np.geomspace(*GAMMA, n).tolist(),
    }


def _run(search: Any, rows: Sequence[Any]) -> Outcome:
    X_train, X_test, y_train, y_test = rows
    _print(f"\n{type(search).__name__}")
    began = time.perf_counter()
    search.fit(X_train, y_train)
    seconds = time.perf_counter() - began
    return Outcome(
        type(search).__name__,
        float(search.best_score_),
        float(search.score(X_test, y_test)),
        sum(len(trial.results) for trial in search.trials_),
        seconds,
        search.best_params_,
    )


def _spelled(params: dict[str, Any]) -> str:
    def short(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    return ", ".join(f"{name}={short(value)}" for name, value in params.items())


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's output; in order with the progress lines


if __name__ == "__main__":
    main()
