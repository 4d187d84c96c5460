"""Code as users write it; it must pass mypy with the strictest settings. It is never run."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hpsearch import (
    Categorical,
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    Optimum,
    Ordinal,
    Real,
    RunningTrial,
    SampledSearchCV,
    StepHalving,
    StepLedger,
    TPESearchCV,
    maximize,
    minimize,
)
from hpsearch.optimizers import (
    AbstractOptimizer,
    GPOptimizer,
    History,
    Optimizer,
    SpaceExhausted,
    TPEOptimizer,
)
from hpsearch.results import Trials
from hpsearch.space import Point
from hpsearch.trial import Status

Array = np.ndarray[Any, Any]


def searches(estimator: object, X: Array, y: Array) -> None:
    grid: ExhaustiveSearchCV = ExhaustiveSearchCV(estimator, {"C": [1, 10]}, cv=3).fit(X, y)
    sampled = SampledSearchCV(
        estimator, [{"C": Real(1, 10, log=True)}, {"n": Integer(1, 9)}], n_iter=5, n_jobs=2
    ).fit(X, y, sample_weight=None)
    guided = GPSearchCV(
        estimator,
        {"C": (0.1, 10.0, "log-uniform"), "kernel": Categorical(["rbf"]), "d": Ordinal([1, 2])},
        n_iter=20,
        random_state=0,
        initial_params=[{"C": 1.0}],
        constraint=lambda params: bool(params["C"] < 5),
        scoring=["accuracy", "recall"],
        refit="recall",
    ).fit(X, y)
    parzen = TPESearchCV(estimator, {"C": (0.1, 1.0)}, refit=lowest, metric="accuracy")
    trials: Trials = parzen.fit(X, y).trials_
    for trial in trials:
        number: int = trial.number
        value: Any = trial.params["C"]
        failed: bool = trial.status is Status.FAILED
        told: str | None = trial.error
        use(number, value, failed, told, grid, sampled, guided)


def use(*values: object) -> None:
    """Take anything."""


def lowest(results: dict[str, Any]) -> int:
    return int(np.argmin(results["mean_test_accuracy"]))


def ask_and_tell(objective: Callable[[float], float]) -> float:
    best = -np.inf
    for optimizer in (GPOptimizer({"x": (0.0, 1.0)}, random_state=0), TPEOptimizer({"x": [1, 2]})):
        taken: Optimizer = optimizer
        try:
            params = taken.ask()
        except SpaceExhausted:
            continue
        score = objective(params["x"])
        taken.tell(params, score, cost=0.1)
        best = max(best, score)
    return best


class Anywhere(AbstractOptimizer):
    def propose(self, history: History, rng: np.random.Generator) -> Point:
        return self.space.snap(self.space.point(rng.random(self.space.n_coordinates)))


class AnywhereSearchCV(GPSearchCV):
    _optimizer_class = Anywhere


def own_optimizer(estimator: object) -> GPSearchCV:
    return GPSearchCV(estimator, {"C": (0.1, 1.0)}, optimizer=Anywhere)


def train(params: dict[str, Any], trial: RunningTrial) -> float:
    loss: float = params["x"]
    return loss if trial.report(1, loss) else -loss


def functions() -> None:
    found: Optimum = minimize(
        train, {"x": (0.0, 1.0)}, n_iter=5, steps=StepHalving(reduction=2), n_jobs=2
    )
    value: float = found.best_value
    most = maximize(lambda params: value, {"x": [1, 2]}, optimizer="grid")
    goes_on: bool = StepLedger(StepHalving()).start().report(1, most.best_value)
    assert goes_on
