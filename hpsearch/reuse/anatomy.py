"""What each part of a candidate's estimator depends on.

The estimator of a search is the same for all candidates, so a part of it is what the candidate's
values for it make of it: two candidates with equal values for a step have equal steps. Nothing
else is compared.

path         where a part stands: "" for the whole, "clf", "prep__num"
values       keys of all the candidate's values for the part
fit_values   of those that its fit reads, without the parameter that is nested
upstream     what comes before the part in its pipeline
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from hpsearch import _sklearn as bridge
from hpsearch.reuse.boosters import BOOSTER_FAMILIES
from hpsearch.reuse.families import SKLEARN_FAMILIES
from hpsearch.reuse.family import Family, is_one_of
from hpsearch.reuse.unread import NONE, may_be_unread, unread_by_fit
from hpsearch.reuse.values import Key, key_of

Keyed = tuple[tuple[str, Key], ...]


@dataclass(frozen=True)
class Settings:
    """What may be shared.

    Attributes
    ----------
    prefix : bool
        Fitted steps of pipelines, and branches of unions and column transformers.
    inactive : bool
        Fits of candidates that differ in what the fit does not read, and of duplicates.
    families : tuple of Family
        Nested models.
    """

    prefix: bool = False
    inactive: bool = False
    families: tuple[Family, ...] = ()

    @classmethod
    def of(cls, reuse: Any) -> Settings:
        """Read the argument of a search: True, False, or a list of names and families.

        Raises
        ------
        ValueError
            If a name is unknown.
        """
        if isinstance(reuse, BOOLS):
            reuse = KINDS if reuse else ()
        families: list[Family] = []
        for item in reuse:
            if isinstance(item, Family):
                families.append(item)
            elif item == "submodels":
                families += [*SKLEARN_FAMILIES, *BOOSTER_FAMILIES]
            elif item not in KINDS:
                raise ValueError(
                    f"reuse: {item!r} is neither a Family nor one of {', '.join(map(repr, KINDS))}."
                )
        return cls("prefix" in reuse, "inactive" in reuse, tuple(families))

    def without(self, types: set[str]) -> Settings:
        """The same, less the families of some types of estimators."""
        return replace(self, families=tuple(f for f in self.families if types.isdisjoint(f.types)))

    def __bool__(self) -> bool:
        return self.prefix or self.inactive or bool(self.families)

    def may_share(self, estimator: Any) -> bool:
        """Whether candidates of this estimator can have anything in common but all."""
        if isinstance(estimator, (Pipeline, FeatureUnion, ColumnTransformer)):
            return bool(self)
        has_family = any(is_one_of(estimator, family.types) for family in self.families)
        return has_family or (self.inactive and may_be_unread(estimator))

    def family_of(self, estimator: Any, fit_params: Mapping[str, Any], names: Any) -> Family | None:
        """The family whose parameter is among the names, if the estimator has one."""
        for family in self.families:
            if (
                family.name in names
                and is_one_of(estimator, family.types)
                and family.holds(estimator, fit_params)
                and family.accepts(family.value_of(estimator))
            ):
                return family
        return None


BOOLS = (bool, np.bool_)  # values of an array are numpy's
COPIES = ("copy", "copy_X", "copy_x")
# Packages that arrays are safe with, though torch may be imported.
TORCHLESS = {"builtins", "catboost", "lightgbm", "numpy", "scipy", "sklearn", "xgboost"}
KINDS = ("prefix", "submodels", "inactive")


@dataclass(slots=True)
class Part:
    """A part of a candidate's estimator; see the module for the attributes."""

    path: str
    upstream: Key
    values: Keyed
    fit_values: Keyed
    family: Family | None = None
    value: Any = None  # of the parameter that is nested
    steps: Sequence[Part | None] = ()  # of a pipeline, the last one included; None: passthrough
    branches: dict[str, Part] = field(default_factory=dict)  # of a union or column transformer

    @property
    def key(self) -> Key:
        """What its fit depends on, but for the rows."""
        return self.path, self.upstream, self.fit_values

    @property
    def full_key(self) -> Key:
        """What it is, but for the rows."""
        return self.path, self.upstream, self.values

    @property
    def is_shareable(self) -> bool:
        """Whether one fit may serve several of its values."""
        return self.family is not None or self.fit_values != self.values

    def walk(self) -> Iterator[Part]:
        """The part and all that it is made of."""
        yield self
        for part in (*self.steps, *self.branches.values()):
            if part is not None:
                yield from part.walk()


def anatomy(
    estimator: Any, params: Mapping[str, Any], settings: Settings, fit_params: Mapping[str, Any]
) -> Part:
    """Take apart the estimator on which the candidate `params` was set; nothing is fitted."""
    keyed = {name: key_of(value) for name, value in params.items()}
    return _Dissection(settings, fit_params).part(estimator, "", (), keyed)


@dataclass
class _Dissection:
    settings: Settings
    fit_params: Mapping[str, Any]

    def part(self, estimator: Any, path: str, upstream: Key, keyed: dict[str, Key]) -> Part:
        children = children_of(estimator)
        if children and type(estimator) is Pipeline:
            return self._pipeline(children, path, upstream, keyed)
        if children and self.settings.prefix:
            return self._branches(children, path, upstream, keyed)
        return self._leaf(estimator, path, upstream, keyed)

    def _leaf(self, estimator: Any, path: str, upstream: Key, keyed: dict[str, Key]) -> Part:
        values = _sorted(keyed)
        if estimator is None or isinstance(estimator, str) or _has_callbacks(estimator):
            return Part(path, upstream, values, values)
        family = self.settings.family_of(estimator, self._fit_params(path), keyed)
        unread = unread_by_fit(estimator) if self.settings.inactive else NONE
        if family is not None:
            unread |= {family.name}
        read = tuple(pair for pair in values if pair[0] not in unread)
        value = None if family is None else family.value_of(estimator)
        return Part(path, upstream, values, read, family, value)

    def _pipeline(
        self, children: dict[str, Any], path: str, upstream: Key, keyed: dict[str, Key]
    ) -> Part:
        own, below = _divided(keyed, children)
        before: Key = (upstream, own)
        steps: list[Part | None] = []
        for name, child in children.items():
            if child is None or child == "passthrough":
                steps.append(None)
            else:
                steps.append(self.part(child, _join(path, name), before, below[name]))
            before = (before, _sorted(below[name]))
        values = _sorted(keyed)
        if not self.settings.prefix and not any(s is not None and s.is_shareable for s in steps):
            steps = []
        return Part(path, upstream, values, values, steps=steps)

    def _branches(
        self, children: dict[str, Any], path: str, upstream: Key, keyed: dict[str, Key]
    ) -> Part:
        own, below = _divided(keyed, children)
        branches = {
            name: self.part(child, _join(path, name), (upstream, own), below[name])
            for name, child in children.items()
            if child is not None and not isinstance(child, str)
        }
        values = _sorted(keyed)
        return Part(path, upstream, values, values, branches=branches)

    def _fit_params(self, path: str) -> dict[str, Any]:
        """Names of what the part's fit may be given, however it is addressed."""
        return {name.removeprefix(f"{path}__"): v for name, v in self.fit_params.items()}


def children_of(estimator: Any) -> dict[str, Any]:
    """Parts of a container that shares them, by name; none for any other."""
    kind = type(estimator)
    try:
        if kind is Pipeline:
            return dict(estimator.steps)
        if kind is FeatureUnion and estimator.n_jobs in (None, 1):
            return dict(estimator.transformer_list)
        if kind is ColumnTransformer and estimator.n_jobs in (None, 1):
            return {name: child for name, child, _ in estimator.transformers}
    except (TypeError, ValueError):  # its own fit will say what is wrong with it
        pass
    return {}


def is_seeded(estimator: Any) -> bool:
    """Whether two fits draw the same numbers, as far as parameters tell."""
    params = estimator.get_params().items()
    return not any(v is None and name.endswith("random_state") for name, v in params)


def _divided(
    keyed: dict[str, Key], children: Mapping[str, Any]
) -> tuple[Keyed, dict[str, dict[str, Key]]]:
    """Values for the container itself, and those for each child by the name they have there."""
    own: dict[str, Key] = {}
    below: dict[str, dict[str, Key]] = {name: {} for name in children}
    for name, key in keyed.items():
        head, _, rest = name.partition("__")
        if head in below:
            below[head][rest] = key  # "" if the child itself is replaced
        else:
            own[name] = key
    return _sorted(own), below


def _sorted(keyed: Mapping[str, Key]) -> Keyed:
    return tuple(sorted(keyed.items(), key=lambda pair: pair[0]))


def _join(path: str, name: str) -> str:
    return f"{path}__{name}" if path else name


def _has_callbacks(estimator: Any) -> bool:
    return bool(getattr(estimator, "_skl_callbacks", None))


def writes_unseen(estimator: Any) -> bool:
    """Whether a part may write to arrays that are read-only.

    A tensor of torch is another view of an array, whatever that allows, and what it does in place
    raises nothing. Who uses torch cannot be seen; who surely does not can.
    """
    if "torch" not in sys.modules:
        return False
    values = [estimator, *estimator.get_params().values()]
    parts = (v for v in values if bridge.is_estimator(v) or callable(v))
    return any(_home(part) not in TORCHLESS for part in parts)


def _home(value: Any) -> str:
    """The package that a function or class is from, or the class of anything else."""
    module = getattr(value, "__module__", None) or type(value).__module__
    return str(module).partition(".")[0]


def writes(params: Mapping[str, Any]) -> bool:
    """Whether a part may write to its input, by what its parameters say."""
    nested = [v.get_params() for v in params.values() if bridge.is_estimator(v)]
    return any(
        isinstance(value, BOOLS) and not value and name.rpartition("__")[2] in COPIES
        for given in (params, *nested)
        for name, value in given.items()
    )
