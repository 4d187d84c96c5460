"""Parameters, numbers and times in few characters, for lines, tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hpsearch import _sklearn as bridge

MAX_VALUE = 24  # characters


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return, for each name, its last parts that no other name ends with.

    Examples
    --------
    >>> short_names(["svc__C", "pca__n_components"])
    {'svc__C': 'C', 'pca__n_components': 'n_components'}
    >>> short_names(["a__C", "b__C"])
    {'a__C': 'a__C', 'b__C': 'b__C'}
    """
    split = {name: name.split("__") for name in dict.fromkeys(names)}
    found = {}
    for name, parts in split.items():
        others = [other for key, other in split.items() if key != name]
        for n in range(1, len(parts) + 1):
            if all(other[-n:] != parts[-n:] for other in others):
                break
        found[name] = "__".join(parts[-n:])
    return found


def short_value(value: Any, most: int = MAX_VALUE) -> str:
    """Return a value as one would tell it: four digits, the name of a class or function.

    Examples
    --------
    >>> short_value(0.0123456), short_value("rbf"), short_value(math.sqrt)
    ('0.01235', 'rbf', 'sqrt')
    >>> short_value(np.float64(0.5)), short_value(np.str_("rbf")), short_value(np.bool_(True))
    ('0.5', 'rbf', 'True')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.4g}"
    if bridge.is_estimator(value) or hasattr(value, "dtype"):
        return type(value).__name__
    return cut_text(getattr(value, "__name__", None) or str(value), most)


def cut_text(text: str, most: int) -> str:
    """Return a text, or its beginning, in so many characters.

    Examples
    --------
    >>> cut_text("abcdef", 6), cut_text("abcdefg", 6)
    ('abcdef', 'abcde…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def typed_value(value: Any) -> str:
    """Return a text by which values of different types differ, though they be equal.

    Examples
    --------
    >>> typed_value(1), typed_value(True)
    ('int 1', 'bool True')
    """
    return f"{type(value).__name__} {value!r}"


def short_params(params: Mapping[str, Any], most: int = 70) -> str:
    """Return "C=10, gamma=0.1", cut to about `most` characters.

    Examples
    --------
    >>> short_params({"svc__C": 10, "svc__gamma": 0.1})
    'C=10, gamma=0.1'
    """
    told: list[str] = []
    for name, short in short_names(params).items():
        told.append(f"{short}={short_value(params[name])}")
        if sum(map(len, told)) + 2 * len(told) > most and len(told) > 1:
            return ", ".join([*told[:-1], "…"])
    return ", ".join(told)


def short_time(seconds: float) -> str:
    """Return a duration in its two largest units.

    Examples
    --------
    >>> [short_time(s) for s in (0.0034, 0.34, 7.6, 100, 8100)]
    ['3 ms', '0.34 s', '8 s', '1 min 40 s', '2 h 15 min']
    """
    if seconds < 0.1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 1:
        return f"{seconds:.2f} s"
    seconds = round(seconds)
    for unit, size, smaller, part in (
        ("d", 86400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


def short_amount(amount: float) -> str:
    """Return an error or a difference with two digits, and no exponent where it is large.

    Examples
    --------
    >>> short_amount(0.01234), short_amount(364.7)
    ('0.012', '365')
    """
    return f"{amount:.0f}" if 100 <= abs(amount) < 1e15 else f"{amount:.2g}"


def short_score(score: float) -> str:
    """Return a score with four digits; a dash where there is none.

    Examples
    --------
    >>> short_score(0.97894736), short_score(float("nan"))
    ('0.9789', '-')
    """
    return f"{score:.4g}" if math.isfinite(score) else "-"
