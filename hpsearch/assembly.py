"""From what the user has said to what is run: the pruner, and the work that workers are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joblib import effective_n_jobs

from hpsearch import _sklearn as bridge
from hpsearch import foreign, stopping
from hpsearch.ambient import Ambient
from hpsearch.keep import Keep
from hpsearch.notes import folder as temporary_folder
from hpsearch.prepared import Prepared, n_classes
from hpsearch.pruners import Pruner, pruner_of
from hpsearch.resources import Resource, resolve
from hpsearch.reuse import Settings
from hpsearch.reuse.growth import Growth
from hpsearch.source import Source
from hpsearch.splits import Splits, sizes_of
from hpsearch.stopping import Stopping
from hpsearch.work import Work


def judge_of(
    search: Any, prepared: Prepared, splits: Splits, metric: str
) -> tuple[Pruner, Resource | None]:
    """Return the pruner, its rungs settled, and what it gives out."""
    names = bridge.metric_names(prepared.scorer)
    if search.pruner is not None and names is not None and metric not in names:
        raise ValueError(
            f"pruner: it needs one metric to go by, and scoring gives {names}. Pass the name "
            f"of one as refit, such as refit={names[0]!r}."
        )
    given = pruner_of(search.pruner)
    if not hasattr(given, "resource"):
        return given, None
    sizes = [n_train for n_train, _ in sizes_of(splits)]
    classes = n_classes(prepared.estimator, prepared.y)
    return resolve(given, prepared.estimator, _searched(search), sizes, classes)


def work_of(
    search: Any,
    prepared: Prepared,
    splits: Splits,
    source: Source,
    resource: Resource | None,
) -> Work:
    stops = _stopping(search, prepared, splits)
    reuse = Settings.of(search.reuse)
    if stops is not None:  # what stops early is not what a longer fit begins with
        reuse = reuse.without(stopping.types_of(stops.early))
    return Work(
        estimator=prepared.estimator,
        X=prepared.X,
        y=prepared.y,
        splits=splits,
        scorer=prepared.scorer,
        fit_params=dict(prepared.fit_params),
        score_params=dict(prepared.score_params),
        error_score=search.error_score,
        return_train_score=search.return_train_score,
        verbose=search.verbose,
        n_candidates=source.n_candidates,
        ambient=Ambient.here(),
        reuse=reuse,
        learns=source.optimizer.learns,
        n_workers=effective_n_jobs(search.n_jobs),
        resource=resource,
        growth=None if stops else _growth(search, prepared.estimator, resource),
        is_stratified=resource is not None and _has_classes(prepared),
        keep=Keep.of(search.keep),
        stopping=stops,
    )


def _searched(search: Any) -> set[str]:
    """Names of the parameters that are searched."""
    params = search.get_params(deep=False)
    given = foreign.read(params.get("param_grid", params.get("param_distributions", {}))).space
    branches = getattr(given, "branches", [given] if isinstance(given, Mapping) else given)
    return {name for branch in branches for name in branch}


def _stopping(search: Any, prepared: Prepared, splits: Splits) -> Stopping | None:
    """Return the rows that fits are stopped by, if they are."""
    early = stopping.early_of(search.early_stopping)
    if early is None:
        return None
    stopping.check(early, prepared.estimator, _searched(search), prepared.fit_params)
    of_classes = _has_classes(prepared)
    groups = prepared.split_params.get("groups")
    return Stopping.on(early, splits, prepared.y, groups, prepared.cv, of_classes=of_classes)


def _growth(search: Any, estimator: Any, resource: Resource | None) -> Growth | None:
    """Return where models wait to go on, if they may."""
    goes_on = getattr(search.pruner, "continue_fits", False)
    if resource is None or resource.is_rows or goes_on is False:
        return None
    growth = Growth(resource.name, goes_on is True, temporary_folder())
    return growth if growth.may_go_on(estimator) else None


def _has_classes(prepared: Prepared) -> bool:
    return n_classes(prepared.estimator, prepared.y) > 1
