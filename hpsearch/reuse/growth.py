"""Going on from the last rung: a model of 20 trees becomes one of 60 by fitting 40 more.

A fit that goes on must give the very model that a fit of the whole would have given. The ensembles
of scikit-learn do under the conditions below; solvers that iterate, such as SGD's, do not, as they
begin anew with their step sizes and shuffles.
"""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cloudpickle
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from hpsearch.notes import clear_leftovers, prefix
from hpsearch.trial import Task


def _is_plain_ensemble(model: Any) -> bool:
    # Of a model that went on, the out-of-bag score is that of the new members alone; and it warns
    # of class weights that it would work out again.
    return not model.oob_score and not isinstance(getattr(model, "class_weight", None), str)


def _has_all_stages(model: Any) -> bool:
    return model.n_iter_no_change is None


def _has_all_iterations(model: Any) -> bool:
    return model.early_stopping is not True and not getattr(model, "do_early_stopping_", False)


EXACT: dict[type, tuple[str, Callable[[Any], bool]]] = {
    BaggingClassifier: ("n_estimators", _is_plain_ensemble),
    BaggingRegressor: ("n_estimators", _is_plain_ensemble),
    ExtraTreesClassifier: ("n_estimators", _is_plain_ensemble),
    ExtraTreesRegressor: ("n_estimators", _is_plain_ensemble),
    GradientBoostingClassifier: ("n_estimators", _has_all_stages),
    GradientBoostingRegressor: ("n_estimators", _has_all_stages),
    HistGradientBoostingClassifier: ("max_iter", _has_all_iterations),
    HistGradientBoostingRegressor: ("max_iter", _has_all_iterations),
    RandomForestClassifier: ("n_estimators", _is_plain_ensemble),
    RandomForestRegressor: ("n_estimators", _is_plain_ensemble),
}
TOTALS = {"n_estimators"}  # parameters that say how many in all, not how many more


class Growth:
    """Models of the last rung, and how to go on from them.

    They are kept in memory where fits run in the process of the search, and else in a folder of
    this machine.

    Parameters
    ----------
    name : str
        The parameter that rungs differ in.
    is_always : bool
        Whether models go on with `warm_start` even if a plain fit would give another one.
    place : str
        Where to make the folder.
    """

    def __init__(self, name: str, is_always: bool, place: str) -> None:
        self._path, _, self._own = name.rpartition("__")
        self._is_always = is_always
        self._place = place
        self._folder: str | None = None
        self._models: dict[str, Any] | None = {}  # None in the processes that it is sent to

    @property
    def folder(self) -> str:
        """The folder, made when a process asks for it; removed with this object."""
        if self._folder is None:
            clear_leftovers()
            self._folder = tempfile.mkdtemp(prefix=prefix(), dir=self._place)
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_folder": self.folder, "_models": None}

    def has(self, task: Task) -> bool:
        """Whether there is a model to go on from."""
        if self._models is not None:
            return _name(task) in self._models
        return Path(self.folder, _name(task)).exists()

    def fit(self, task: Task, estimator: Any, fit: Callable[[Any], None]) -> Any:
        """Fit an estimator, or go on from its model of the last rung; return what was fitted."""
        before = self._take(task)
        if before is None or not self.may_go_on(estimator):
            fit(estimator)
            return estimator
        plain = self._owner(estimator)
        amount, warm = getattr(plain, self._own), plain.warm_start
        more = amount if self._is_total(plain) else amount - getattr(before, self._own)
        before.set_params(warm_start=True, **{self._own: more})
        if self._path:
            estimator.set_params(**{self._path: before})
        else:
            estimator = before
        fit(estimator)
        self._owner(estimator).set_params(warm_start=warm, **{self._own: amount})
        return estimator

    def keep(self, task: Task, estimator: Any) -> None:
        """Keep a model that another rung may go on from."""
        if task.resource >= 1 or not self.may_go_on(estimator):
            return
        if self._models is not None:
            self._models[_name(task)] = self._owner(estimator)
            return
        file = Path(self.folder, _name(task))
        with suppress(OSError, pickle.PicklingError, TypeError, AttributeError):
            # A worker on another machine has no such folder, and begins anew.
            part = file.with_suffix(f".{os.getpid()}")
            part.write_bytes(cloudpickle.dumps(self._owner(estimator)))
            part.replace(file)

    def _take(self, task: Task) -> Any:
        if self._models is not None:
            return self._models.pop(_name(task), None)
        file = Path(self.folder, _name(task))
        try:
            model = pickle.loads(file.read_bytes())  # noqa: S301 - our own worker wrote it
        except OSError:
            return None
        file.unlink(missing_ok=True)
        return model

    def _owner(self, estimator: Any) -> Any:
        """What has the parameter, if it is fitted as it is: the whole, or a pipeline's last step.

        Others are cloned before they are fitted, and a clone cannot go on.
        """
        if not self._path:
            return estimator
        *_, (name, step) = getattr(estimator, "steps", [("", None)])
        return step if name == self._path else None

    def _is_total(self, owner: Any) -> bool:
        return self._own in TOTALS or type(owner) in EXACT

    def may_go_on(self, estimator: Any) -> bool:
        """Whether a model may be gone on from."""
        owner = self._owner(estimator)
        if self._is_always:
            return hasattr(owner, "warm_start")
        parameter, is_exact = EXACT.get(type(owner), ("", bool))
        return parameter == self._own and _has_fixed_seeds(owner) and is_exact(owner)


def _name(task: Task) -> str:
    return f"{task.trial}-{task.split}"


def _has_fixed_seeds(owner: Any) -> bool:
    """Whether all seeds are numbers: a generator would be further on the second time."""
    params = owner.get_params().items()
    return all(type(v) is int for name, v in params if name.endswith("random_state"))
