"""What keywords of other packages are called here, so that an error can tell."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SPACE = ("param_grid", "param_distributions", "space")
# Names in scikit-learn, scikit-optimize, Optuna, hyperopt, Ray Tune, Keras Tuner or an older one of
# them, and ours that may be meant, of which a callable has one at most.
MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("param_grid", "param_distributions", "space", "search_space"), SPACE),
    **dict.fromkeys(("search_spaces", "param_space", "dimensions", "params", "parameters"), SPACE),
    **dict.fromkeys(("n_trials", "n_calls", "max_evals", "max_trials", "num_samples"), ("n_iter",)),
    **dict.fromkeys(("timeout", "time_limit", "time_budget_s"), ("max_time",)),
    **dict.fromkeys(("callback", "callbacks"), ("watch",)),
    **dict.fromkeys(("seed", "rstate", "random_seed"), ("random_state",)),
    **dict.fromkeys(("study", "storage", "trials", "trials_save_file"), ("checkpoint",)),
    **dict.fromkeys(("sampler", "algo", "optimizer_kwargs", "base_estimator"), ("optimizer",)),
    **dict.fromkeys(("fn", "func"), ("objective",)),
    **dict.fromkeys(("x0", "points_to_evaluate"), ("initial_params",)),
    "early_stopping_rounds": ("early_stopping",),
    **dict.fromkeys(("categories", "choices"), ("values",)),
}
# And those that have no counterpart of another name.
ADVICE: dict[str, str] = {
    "direction": "Call minimize or maximize.",
    "fit_params": "Give these to fit.",
    "n_points": "There are no batches: n_jobs says how many fits run at a time.",
    "name": "The key of the dict names a parameter.",
    "step": "List the values: range(low, high + 1, step).",
    "prior": 'prior="log-uniform" is log=True here.',
    **dict.fromkeys(("factor", "min_resources", "resource"), 'Halving is pruner="halving".'),
}


def check_keywords(function: Callable[..., object], name: str, given: Iterable[str]) -> None:
    """Raise for a keyword that a function does not take; say which one is meant.

    Raises
    ------
    TypeError
        That names the keyword, and what it is called here.
    """
    takes = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values()):
        return
    for keyword in given:
        if keyword not in takes:
            hint = _hint(keyword, takes)
            raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}. {hint}")


def tells_of_keywords(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function: a keyword of another package is told in ours."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        check_keywords(function, function.__name__, kwargs)
        return function(*args, **kwargs)

    return checked


class TellsOfKeywords:
    """Base of classes that say what a keyword of another package is called here."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: ARG004 - as `__init__`
        """Make an object, if its keywords are known."""
        if kwargs:
            check_keywords(cls.__init__, cls.__name__, kwargs)
        return super().__new__(cls)


def _hint(keyword: str, takes: Collection[str]) -> str:
    if keyword in ADVICE:
        return ADVICE[keyword]
    meant = [name for name in MEANT.get(keyword, ()) if name in takes]
    if meant:
        return f"It is {meant[0]!r} here."
    close = difflib.get_close_matches(keyword, takes, n=1)
    listed = ", ".join(name for name in takes if name != "self")
    return f"Did you mean {close[0]!r}?" if close else f"It takes: {listed}."
