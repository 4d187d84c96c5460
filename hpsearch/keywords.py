"""What keywords and attributes of other packages are called here, so that an error can tell."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SPACE = ("param_grid", "param_distributions", "space")
# Names in scikit-learn, scikit-optimize, Optuna, hyperopt, Ray Tune, Keras Tuner or an older one of
# them, and ours that may be meant, of which a callable has one at most.
MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("param_grid", "param_distributions", "space", "search_space"), SPACE),
    **dict.fromkeys(("search_spaces", "param_space", "dimensions", "params", "parameters"), SPACE),
    **dict.fromkeys(("n_trials", "n_calls", "max_evals", "max_trials", "num_samples"), ("n_iter",)),
    "n_candidates": ("n_iter",),
    **dict.fromkeys(("timeout", "time_limit", "time_budget_s"), ("max_time",)),
    **dict.fromkeys(("callback", "callbacks"), ("watch",)),
    **dict.fromkeys(("seed", "rstate", "random_seed"), ("random_state",)),
    **dict.fromkeys(("study", "storage", "trials", "trials_save_file"), ("checkpoint",)),
    **dict.fromkeys(("sampler", "algo", "optimizer_kwargs", "base_estimator"), ("optimizer",)),
    **dict.fromkeys(("fn", "func"), ("objective",)),
    **dict.fromkeys(("x0", "points_to_evaluate"), ("initial_params",)),
    "early_stopping_rounds": ("early_stopping",),
    "enable_pruning": ("pruner",),
    **dict.fromkeys(("categories", "choices"), ("values",)),
}
# And those that have no counterpart of another name.
ADVICE: dict[str, str] = {
    "direction": "Call minimize or maximize.",
    "fit_params": "Give these to fit.",
    "n_points": "There are no batches: n_jobs says how many fits run at a time.",
    "name": "The key of the dict names a parameter.",
    **dict.fromkeys(("step", "q"), "List the values: range(low, high + 1, step)."),
    "prior": 'prior="log-uniform" is log=True here; values of a list are all as likely.',
    **dict.fromkeys(("base", "transform"), "Leave it out: it makes no difference here."),
    **dict.fromkeys(
        ("factor", "min_resources", "max_resources", "resource"),
        'Halving is pruner="halving", or a HalvingPruner, which takes this.',
    ),
    "aggressive_elimination": 'Halving is pruner="halving", and has no such option.',
    "max_iter": 'For halving by it write pruner=HalvingPruner("max_iter").',
    "subsample": 'To begin with fewer rows write pruner="halving"; else give fit fewer.',
    "catch": "What fails costs its candidate alone.",
    **dict.fromkeys(
        ("acq_func", "acq_optimizer", "n_initial_points", "n_startup_trials", "n_random_starts"),
        "The optimizers have no such option: leave it out.",
    ),
}
# What a fitted search of another package has, and where it is found here.
OF_SEARCHES: dict[str, str] = {
    **dict.fromkeys(("optimizer_results_", "optimizers_"), "See trials_, a record a candidate."),
    "total_iterations": "plan(X, y) tells what fit would do.",
    "study_": "See trials_; hpsearch.interop.to_optuna writes a study of Optuna.",
    "n_trials_": "Write len(search.trials_).",
    "best_trial_": "Write search.trials_[search.best_index_].",
    "trials_dataframe": "Write search.trials_.to_frame().",
    **dict.fromkeys(
        ("n_resources_", "n_candidates_", "n_remaining_candidates_", "n_iterations_"),
        'See cv_results_["n_resources"]: what each candidate got of the resource at most.',
    ),
}
# And what the result of another minimiser has: of scipy, scikit-optimize, Optuna, hyperopt.
OF_OPTIMA: dict[str, str] = {
    "x": "Write found.best_params, a dict.",
    "fun": "Write found.best_value.",
    **dict.fromkeys(("nfev", "nit"), "Write len(found.trials)."),
    "x_iters": "Write [trial.params for trial in found.trials].",
    **dict.fromkeys(("func_vals", "losses"), 'Write found.to_frame()["value"].'),
    "trials_dataframe": "Write found.to_frame().",
    "best_trials": "There is one objective, and one best_trial.",
    "get_trials": "Write found.trials.",
    "optimize": "To go on, make the same call with its checkpoint= and a greater n_iter=.",
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


class TellsOfAttributes:
    """Base of classes that say where an attribute of another package is found here."""

    _elsewhere: ClassVar[Mapping[str, str]] = {}

    if not TYPE_CHECKING:  # to a type checker every attribute would be there

        def __getattr__(self, name: str) -> Any:
            """Raise for what is missing, and say where it is if another package calls it so."""
            if name in self._elsewhere:
                kind, advice = type(self).__name__, self._elsewhere[name]
                told = f"{kind!r} object has no attribute {name!r}. {advice}"
                raise AttributeError(told, name=name, obj=self)
            # A property that refused, such as `predict` without a refit, says why once more.
            return object.__getattribute__(self, name)


def _hint(keyword: str, takes: Collection[str]) -> str:
    if keyword in ADVICE:
        return ADVICE[keyword]
    meant = [name for name in MEANT.get(keyword, ()) if name in takes]
    if meant:
        return f"It is {meant[0]!r} here."
    close = difflib.get_close_matches(keyword, takes, n=1)
    listed = ", ".join(name for name in takes if name != "self")
    return f"Did you mean {close[0]!r}?" if close else f"It takes: {listed}."
