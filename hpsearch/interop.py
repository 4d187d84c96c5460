"""To and from the records of other libraries: Optuna's studies, scikit-optimize's results.

What is written is seen by optuna-dashboard and by Optuna's own plots; what is read can be given to
a search as prior knowledge. Optuna is imported when something is written for it, and not before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from hpsearch.dimensions import Dimension, Frozen, Integer, Real
from hpsearch.foreign.reading import home
from hpsearch.objective import METRIC
from hpsearch.outcome import outcome_of
from hpsearch.protocols import Event
from hpsearch.space import Space
from hpsearch.timing import cost_of
from hpsearch.trial import Board, Params, Status, Trial

Direction = Literal["minimize", "maximize"]
PLAIN = (type(None), bool, int, float, str)  # what Optuna's storages take as a choice


class OptunaWriter:
    """Writes trials into a study of Optuna: as they end, if it watches a search.

    Parameters
    ----------
    storage : str or optuna.storages.BaseStorage
        As Optuna takes it: ``"sqlite:///study.db"``.
    study_name : str
        The study; made if it is not there. Trials that are in it by their number are left alone.
    space : dict, list of dict or Space
        The space of the search, from which the study's distributions are made.
    direction : {"maximize", "minimize"}, default="maximize"
        Of the values: "minimize" for `minimize`, "maximize" for all else.

    Raises
    ------
    ImportError
        If Optuna is not installed.

    Examples
    --------
    >>> import optuna
    >>> from hpsearch import maximize
    >>> from hpsearch.interop import OptunaWriter
    >>> from hpsearch.trial import Board
    >>> storage, space = optuna.storages.InMemoryStorage(), {"x": [1, 2, 3]}
    >>> writer = OptunaWriter(storage, "squares", space)
    >>> found = maximize(lambda p: p["x"] ** 2, space, optimizer="grid", watch=writer)
    >>> study = optuna.load_study(study_name="squares", storage=storage)
    >>> study.best_params, study.best_value
    ({'x': 3}, 9.0)
    >>> writer.write(found.trials[0], Board("score", 1, []))  # the study has it already
    >>> len(study.trials)
    3
    """

    def __init__(
        self, storage: Any, study_name: str, space: Any, direction: Direction = "maximize"
    ) -> None:
        import optuna  # noqa: PLC0415 - an optional extra

        self._optuna = optuna
        self._study = optuna.create_study(
            storage=storage, study_name=study_name, direction=direction, load_if_exists=True
        )
        self._direction = direction
        self._distributions = {
            name: self._distribution(dimensions)
            for name, dimensions in _by_name(Space.of(space)).items()
        }
        known = self._study.get_trials(deepcopy=False)
        self._known = {t.user_attrs.get("hpsearch_number") for t in known}

    def __call__(self, event: Event) -> None:
        """Take an event of a search: what is closed is written."""
        if event.kind == "closed" and event.trial is not None:
            self.write(event.trial, event.board)

    def write(self, trial: Trial, board: Board) -> None:
        """Write a trial, unless the study has it.

        Parameters
        ----------
        trial : Trial
            One that has ended.
        board : Board
            With the metric that it is judged by.
        """
        if trial.number in self._known or trial.status in (Status.RUNNING, Status.PAUSED):
            return
        self._known.add(trial.number)
        score = board.score(trial)
        value = -score if self._direction == "minimize" else score
        steps = trial.results[0].details.get("steps", []) if trial.results else []
        state = self._state(trial, value)
        frozen = self._optuna.trial.create_trial(
            state=state,
            value=None if state.name == "FAIL" else value,
            params={n: _plain(v) for n, v in trial.params.items() if n in self._distributions},
            distributions={n: d for n, d in self._distributions.items() if n in trial.params},
            intermediate_values={int(step): float(value) for step, value in steps},
            user_attrs=_attributes(trial),
        )
        now = datetime.now()  # noqa: DTZ005 - Optuna's times have no zone
        frozen.datetime_start, frozen.datetime_complete = (
            now - timedelta(seconds=cost_of(trial)),
            now,
        )
        self._study.add_trial(frozen)

    def _state(self, trial: Trial, value: float) -> Any:
        states = self._optuna.trial.TrialState
        if trial.status.is_failure or not math.isfinite(value):
            return states.FAIL
        return states.PRUNED if trial.status is Status.PRUNED else states.COMPLETE

    def _distribution(self, dimensions: Sequence[Dimension]) -> Any:
        """One distribution for a parameter, which may have other values in each branch."""
        made = self._optuna.distributions
        if all(isinstance(d, (Real, Integer, Frozen)) for d in dimensions):
            ends = [end for d in dimensions for end in _ends(d)]
            low, high = min(ends), max(ends)
            log = all(getattr(d, "log", False) for d in dimensions)
            whole = all(isinstance(d, Integer) for d in dimensions)
            return (made.IntDistribution if whole else made.FloatDistribution)(low, high, log=log)
        if any(d.levels is None for d in dimensions):
            raise ValueError(
                f"{list(dimensions)!r}: a parameter that is listed in one branch and a range in "
                "another has no distribution in Optuna."
            )
        listed = [d.decode(d.cell(i)) for d in dimensions for i in range(d.levels or 0)]
        return made.CategoricalDistribution(list(dict.fromkeys(map(_plain, listed))))


def to_optuna(
    found: Any, storage: Any, study_name: str, space: Any = None, metric: str | None = None
) -> None:
    """Write a search that has ended, or what `minimize` returned, into a study of Optuna.

    Parameters
    ----------
    found : BaseSearchCV, Optimum or sequence of Trial
        What has `trials_` or `trials`, or the trials themselves.
    storage : str or optuna.storages.BaseStorage
        As Optuna takes it: ``"sqlite:///study.db"``.
    study_name : str
        The study; made if it is not there. Written again, after the search went on, it gets the
        trials that are new.
    space : dict, list of dict, Space or None, default=None
        The space of the search; None for that of `found`, or, if it does not know, for the values
        that were tried.
    metric : str or None, default=None
        The metric whose mean is the value of a trial; None for the one that the search goes by.

    Raises
    ------
    ImportError
        If Optuna is not installed.

    Examples
    --------
    >>> from hpsearch import minimize
    >>> from hpsearch.interop import to_optuna
    >>> space = {"x": (0.0, 1.0)}
    >>> found = minimize(lambda p: p["x"], space, n_iter=5)
    >>> to_optuna(found, "sqlite:///study.db", "x", space)  # doctest: +SKIP
    """
    trials = list(getattr(found, "trials_", None) or getattr(found, "trials", None) or found)
    if space is None:
        space = getattr(found, "param_distributions", None)
        is_ours = hasattr(found, "initial_params")  # elsewhere a tuple is values, and no range
        space = space if space is not None and is_ours else _seen(trials)
    direction: Direction = getattr(found, "direction", "maximize")
    writer = OptunaWriter(storage, study_name, space, direction)
    board = Board(metric or _metric_of(found), getattr(found, "n_splits_", 1), trials)
    for trial in trials:
        writer.write(trial, board)


def prior_trials_of(
    source: Any, direction: Direction = "maximize", names: Sequence[str] | None = None
) -> list[tuple[Params, float]]:
    """Return what another search has found, as candidates with their scores.

    Parameters
    ----------
    source : Study, OptimizeResult, or fitted search
        A study of Optuna, a result of scikit-optimize, an `Optimum`, or any search with
        `trials_` or `cv_results_`; of several metrics, by the one that `refit` names, or the first.
    direction : {"maximize", "minimize"}, default="maximize"
        How the scores are wanted: greater is better for searches of estimators, less is better
        for `minimize`. They are turned if the source has it the other way.
    names : sequence of str or None, default=None
        Names of the parameters of a scikit-optimize result whose dimensions have none.

    Returns
    -------
    trials : list of (dict, float)
        NaN stands for a failure. What was not evaluated to its end is left out.

    Raises
    ------
    TypeError
        If the source is none of those.
    ValueError
        If the parameters have no names, or the study has several objectives.

    Examples
    --------
    >>> from hpsearch import maximize
    >>> from hpsearch.interop import prior_trials_of
    >>> prior_trials_of(maximize(lambda p: p["n"], {"n": [1, 2]}, optimizer="grid"))
    [({'n': 1}, 1.0), ({'n': 2}, 2.0)]
    """
    read, known = _reader(source)
    sign = 1.0 if read == direction else -1.0
    return [(params, sign * value) for params, value in known(source, names)]


def _reader(source: Any) -> tuple[Direction, Any]:
    """The direction of a source's values, and what reads them."""
    if home(source) == "optuna":
        if len(source.directions) != 1:
            raise ValueError("The study has several objectives; a search has one.")
        return source.direction.name.lower(), _of_optuna
    if hasattr(source, "x_iters"):
        return "minimize", _of_skopt
    if hasattr(source, "trials_") or hasattr(source, "best_value"):
        return "maximize", _of_ours  # by their scores, for which greater is better
    if hasattr(source, "cv_results_"):
        return "maximize", _of_table
    raise TypeError(
        f"{source!r} is none of: a study of Optuna, a result of scikit-optimize, a fitted search."
    )


def _of_optuna(study: Any, _names: object) -> Iterable[tuple[Params, float]]:
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name == "COMPLETE":
            yield dict(trial.params), float(trial.value)
        elif trial.state.name == "FAIL":
            yield dict(trial.params), math.nan


def _of_skopt(result: Any, names: Sequence[str] | None) -> Iterable[tuple[Params, float]]:
    names = names or [dimension.name for dimension in result.space.dimensions]
    if None in names:
        raise ValueError("The dimensions of the result have no names: give them by names=.")
    for point, value in zip(result.x_iters, result.func_vals, strict=True):
        params = dict(zip(names, map(_builtin, point), strict=True))
        yield params, float(value)


def _of_ours(found: Any, _names: object) -> Iterable[tuple[Params, float]]:
    trials = found.trials_ if hasattr(found, "trials_") else found.trials
    board = Board(_metric_of(found), getattr(found, "n_splits_", 1), trials)
    for trial in trials:
        if trial.status is Status.COMPLETE or trial.status.is_failure:
            yield dict(trial.params), board.score(trial)


def _of_table(search: Any, _names: object) -> Iterable[tuple[Params, float]]:
    table: Mapping[str, Any] = search.cv_results_
    means = [name for name in table if name.startswith("mean_test_")]
    own = f"mean_test_{search.refit}"
    scores = table[own if own in means else means[0]]
    for params, score in zip(table["params"], scores, strict=True):
        yield {name: _builtin(value) for name, value in params.items()}, float(score)


def _metric_of(found: Any) -> str:
    """The metric that a search goes by; `minimize` and bare trials have but one."""
    return outcome_of(found).metric if hasattr(found, "trials_") else METRIC


def _by_name(space: Space) -> dict[str, list[Dimension]]:
    """The dimensions that a parameter has in the branches."""
    found: dict[str, list[Dimension]] = {}
    for branch in space.branches:
        for name, dimension in branch.items():
            found.setdefault(name, []).append(dimension)
    return found


def _ends(dimension: Any) -> tuple[float, float]:
    """The least and the greatest value; of a distribution without end, next to none is beyond."""
    low, high = dimension.low, dimension.high
    return (
        low if math.isfinite(low) else dimension.decode(0.0),
        high if math.isfinite(high) else dimension.decode(1.0),
    )


def _seen(trials: Sequence[Trial]) -> dict[str, list[Any]]:
    """The values that were tried, by name; not those of which there is another in each trial."""
    values: dict[str, list[Any]] = {}
    for trial in trials:
        for name, value in trial.params.items():
            values.setdefault(name, []).append(value)
    return {name: _distinct(found) for name, found in values.items()}


def _distinct(values: list[Any]) -> Any:
    """A range of the numbers, or the values themselves."""
    kinds = {type(_builtin(v)) for v in values}
    if kinds <= {int, float} and min(values) < max(values):
        whole = kinds == {int}
        return (Integer if whole else Real)(_builtin(min(values)), _builtin(max(values)))
    kept: list[Any] = []
    kept += (v for v in values if not any(v is k or _plain(v) == _plain(k) for k in kept))
    return kept


def _builtin(value: Any) -> Any:
    """A number of numpy as Python's."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _plain(value: Any) -> Any:
    """A value as Optuna can store it."""
    value = _builtin(value)
    return value if isinstance(value, PLAIN) else repr(value)


def _attributes(trial: Trial) -> dict[str, Any]:
    """What Optuna has no place of its own for."""
    told: dict[str, Any] = {"hpsearch_number": trial.number, "status": trial.status.value}
    if trial.error is not None:
        told["error"] = trial.error
    for result in trial.results if len(trial.results) > 1 else []:
        told |= {f"split{result.split}_{name}": score for name, score in result.scores.items()}
    return told
