"""What a search for the least or greatest value of a function has found."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hpsearch.keywords import OF_OPTIMA, TellsOfAttributes
from hpsearch.results import Trials
from hpsearch.trial import Params, Trial

MAX_TOLD = 3  # kinds of errors that are told, the commonest


@dataclass(frozen=True)
class Optimum(TellsOfAttributes):
    """What `minimize` and `maximize` found.

    Parameters
    ----------
    best_params : dict
        Of the best trial that was evaluated to its end, as the objective got them.
    best_value : float
        What the objective returned for it.
    best_trial : Trial
        The record of it: its number, its seconds, what it reported on the way.
    trials : Trials
        A record an evaluation, failures and stopped ones included, in the order in which they
        were asked. `scores["value"]` of its one result is what the objective returned, and
        `scores["score"]` the same, turned so that greater is better.
    direction : {"minimize", "maximize"}, default="minimize"
        Which values are better.
    stopped : str or None, default=None
        Why the search ended before its time: "max_time", "interrupted", or what a watcher said.

    Examples
    --------
    >>> from hpsearch import minimize
    >>> found = minimize(lambda p: p["n"] ** 2, {"n": [-1, 0, 2]}, optimizer="grid")
    >>> found.best_params, found.best_value
    ({'n': 0}, 0.0)
    >>> found.best_trial.number
    1
    """

    _elsewhere: ClassVar[Mapping[str, str]] = OF_OPTIMA

    best_params: Params
    best_value: float
    best_trial: Trial
    trials: Trials
    direction: Literal["minimize", "maximize"] = "minimize"
    stopped: str | None = None

    def to_frame(self) -> Any:
        """Return a table with a row a trial.

        Returns
        -------
        frame : pandas.DataFrame
            Columns: number, status, value, one `param_*` a parameter, seconds, error.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> from hpsearch import minimize
        >>> found = minimize(lambda p: p["n"] ** 2, {"n": [-1, 0, 2]}, optimizer="grid")
        >>> found.to_frame()[["param_n", "value"]].values.tolist()
        [[-1.0, 1.0], [0.0, 0.0], [2.0, 4.0]]
        """
        import pandas as pd  # noqa: PLC0415 - an optional extra

        return pd.DataFrame([_row(trial) for trial in self.trials])


def tell_failures(trials: Trials) -> None:
    """Warn once of all that failed."""
    failed = [trial for trial in trials if trial.status.is_failure]
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(trials)} trials failed ({grouped(failed)}). Parameters "
            "and tracebacks are in `trials`.",
            RuntimeWarning,
            stacklevel=6,
        )


def grouped(failed: Sequence[Trial]) -> str:
    """The commonest errors, with how often they came."""
    kinds = Counter((trial.error or "no reason given").strip().splitlines()[-1] for trial in failed)
    return "; ".join(f"{n} times {text}" for text, n in kinds.most_common(MAX_TOLD))


def _row(trial: Trial) -> Mapping[str, Any]:
    result = trial.results[0] if trial.results else None
    row: dict[str, Any] = {"number": trial.number, "status": trial.status.value}
    row["value"] = float("nan") if result is None else result.scores.get("value", float("nan"))
    row |= {f"param_{name}": value for name, value in trial.params.items()}
    row["seconds"] = 0.0 if result is None else result.details.get("fit_time", 0.0)
    return row | {"error": trial.error}
