"""What reading a foreign space comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hpsearch.trial import Params

MAX_BRANCHES = 1_000  # of a conditional space
MAX_VALUES = 100_000  # of a range in steps


@dataclass(frozen=True)
class Reading:
    """A space as we write it: a dict or a list of dicts, and what goes with it.

    `constraint` says whether a candidate is allowed; `shape` turns one into the nested value that
    the other library would have given to a function. None where there is none.
    """

    space: Any
    constraint: Callable[[Params], bool] | None = None
    shape: Callable[[Params], Any] | None = None


def home(value: Any) -> str:
    """Return the name of the package that an object's class is from."""
    return type(value).__module__.partition(".")[0]


def kind(value: Any) -> str:
    """Return the name of an object's class."""
    return type(value).__name__


def check_branches(n: int) -> None:
    """Raise if a conditional space would have too many branches."""
    if n > MAX_BRANCHES:
        raise ValueError(
            f"The conditions make more than {MAX_BRANCHES} branches; the search takes at most so "
            "many. Choose among fewer things that have parameters of their own."
        )


@dataclass(frozen=True)
class Both:
    """The constraint that two constraints make together."""

    one: Callable[[Params], bool]
    other: Callable[[Params], bool]

    def __call__(self, params: Params) -> bool:
        return bool(self.one(params)) and bool(self.other(params))


def both(
    one: Callable[[Params], bool] | None, other: Callable[[Params], bool] | None
) -> Callable[[Params], bool] | None:
    """Return the constraint that two make together; None is no constraint."""
    if one is None or other is None:
        return one or other
    return Both(one, other)
