"""What a family of nested models is, and where an estimator's family is found.

In a family one parameter only says how far a fit goes: a forest of 50 trees holds the forest of
10. One fit serves all its values, exactly or not at all.

To add a family, write a class and pass it: `ExhaustiveSearchCV(..., reuse=["prefix", Mine()])`.

    class Mine(Family):
        types = ("mylibrary.BoostedThing",)
        name = "n_rounds"

        def view(self, fitted, value):
            view = shallow_copy(fitted)
            view.rounds_ = fitted.rounds_[:value]
            return view
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Collection, Mapping
from types import MethodType
from typing import Any, ClassVar


class Family:
    """Nested models of one kind; a subclass sets `types` and `name`, and writes `view`.

    Attributes
    ----------
    types : tuple of str
        Public names of the estimators, as they are imported. Subclasses of these do not belong:
        they may fit in another way.
    name : str
        The parameter that is nested.
    parameters_at : tuple of str
        Attributes that hold the parameters, if these are not attributes themselves.
    """

    types: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str] = ""
    parameters_at: ClassVar[tuple[str, ...]] = ()

    def holds(self, estimator: Any, fit_params: Mapping[str, Any]) -> bool:
        """Whether the models are nested, bit for bit, with the other parameters as they are.

        Parameters
        ----------
        estimator : estimator
            Not fitted.
        fit_params : mapping
            What its `fit` is given besides X and y.
        """
        return True

    def value_of(self, estimator: Any) -> Any:
        """Return the value of the parameter."""
        return getattr(estimator, self.name)

    def set_value(self, estimator: Any, value: Any) -> None:
        """Set the parameter of an estimator, fitted or not, and nothing else."""
        setattr(estimator, self.name, value)

    def accepts(self, value: Any) -> bool:
        """Whether a value can be served; one that may fail must fail in its own fit."""
        is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        return is_whole and int(value) >= 1

    def fitted_at(self, values: Collection[Any], estimator: Any, X: Any) -> Any:
        """Return the value to fit at, so that all of `values` are served; None if none does."""
        return max(values)

    def serves(self, at: Any, value: Any, fitted: Any) -> bool:
        """Whether an estimator fitted at `at` holds the one at `value`."""
        return bool(value <= at)

    def view(self, fitted: Any, value: Any) -> Any:
        """Return a copy with the fitted attributes of a fit at `value`; `fitted` stays as it is."""
        raise NotImplementedError

    def output(self, fitted: Any, output: Any, value: Any) -> Any:
        """Return what `fit_transform` gives at `value`, from what it gave; None: `transform`."""
        return None


def shallow_copy(estimator: Any) -> Any:
    """Return a copy that shares all attributes; `copy.copy` would run pickling hooks.

    Methods that the instance holds bound to itself are bound to the copy: a histogram model that
    was stopped early by a scorer predicts through one.
    """
    twin = object.__new__(type(estimator))
    for name, attribute in vars(estimator).items():
        vars(twin)[name] = rebound(attribute, estimator, twin)
    return twin


def rebound(attribute: Any, old: Any, new: Any) -> Any:
    """Return the attribute; a method bound to one object bound to another instead."""
    is_own = isinstance(attribute, MethodType) and attribute.__self__ is old
    return MethodType(attribute.__func__, new) if is_own else attribute


def is_one_of(estimator: Any, types: Collection[str]) -> bool:
    """Whether the type is exactly one of these, named as they are imported."""
    kind = type(estimator)
    for name in types:
        module, _, own = name.rpartition(".")
        # What the estimator is made of has been imported: nothing is imported to find out.
        if own == kind.__name__ and getattr(sys.modules.get(module), own, None) is kind:
            return True
    return False
