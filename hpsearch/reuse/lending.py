"""Arrays and tables that many fits read, and that none may change.

Something lent out twice must come back as it was. `frozen` makes an object safe to lend, or says
that it cannot be; `lent` gives a handle to it that is the borrower's own: what the borrower does
to the handle stays with it, and the contents are read-only. scikit-learn copies read-only input
wherever a step would write to it (`copy=False`).
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from datetime import date
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

SCALARS = (NoneType, bool, int, float, complex, str, bytes, date)
N_MEASURED = 50  # elements of a container that are looked at
ALIGNMENT = 64  # bytes: a line of the cache, and the widest vector instruction
MAX_ALIGNED = 2**26  # bytes: larger arrays are not copied for it
SPARSE_PARTS = ("data", "indices", "indptr", "row", "col", "offsets")


def frozen(value: Any) -> Any:
    """Return the value made read-only, or None if what a borrower does to it could be seen later.

    The value itself is locked, not a copy: it must be new, and held by nobody else.
    """
    kind = _kind_of(value)
    return None if kind is None else kind.freeze(value)


def lent(value: Any) -> Any:
    """Return a handle of the borrower's own to something frozen."""
    kind = _kind_of(value)
    if kind is None:
        raise TypeError(type(value))
    return kind.lend(value)


def aligned(value: Any) -> Any:
    """Return an array like this one, in layout too, that begins at a multiple of ALIGNMENT.

    Loads that straddle two cache lines cost kernels and products some per cent: where memory
    happens to be allocated decides that, for a fit; what many read is worth a copy. What is not an
    array, or larger than MAX_ALIGNED, is returned as it is.
    """
    if type(value) is not np.ndarray or value.dtype.hasobject or value.nbytes > MAX_ALIGNED:
        return value
    is_dense = value.flags.c_contiguous or value.flags.f_contiguous
    if not is_dense or _address(value) % ALIGNMENT == 0:
        return value
    room = np.empty(value.nbytes + ALIGNMENT, dtype=np.uint8)
    start = -_address(room) % ALIGNMENT
    twin: Any = np.ndarray(value.shape, value.dtype, room, start, value.strides)
    twin[...] = value
    return twin


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def n_bytes(value: Any) -> int:
    """Estimate what an object holds, in bytes: fitted estimators, arrays, tables, lists."""
    return _measure(value, set())


def is_read_only_error(error: BaseException) -> bool:
    """Whether the text of an error, or of what caused it, is about an array that is read-only."""
    seen: BaseException | None = error
    while seen is not None:
        if says_read_only(str(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def says_read_only(text: str) -> bool:
    text = text.lower().replace("-", "").replace(" ", "")
    return "readonly" in text or "writeable" in text or "notwritable" in text


def _is_scalars(values: Any) -> bool:
    return all(isinstance(v, (*SCALARS, np.generic)) for v in values)


def _is_array(cls: type) -> bool:
    return cls in (np.ndarray, np.memmap)


def _freeze_array(value: Any) -> Any:
    if value.dtype.hasobject and not _is_scalars(value.flat):
        return None  # its elements could be changed
    _lock(value)
    return value


def _lock(array: Any) -> None:
    while isinstance(array, np.ndarray):  # a writeable base would let a view be unlocked
        array.flags.writeable = False
        array = array.base


def _is_sparse(cls: type) -> bool:
    return cls.__module__.startswith("scipy.sparse") and issubclass(cls, (sp.spmatrix, sp.sparray))


def _freeze_sparse(value: Any) -> Any:
    parts = [getattr(value, name) for name in SPARSE_PARTS if hasattr(value, name)]
    if (
        not parts
        or not all(_is_array(type(part)) for part in parts)
        or value.format in ("lil", "dok")
    ):
        return None
    return value if all(_freeze_array(part) is not None for part in parts) else None


def _is_pandas(cls: type) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and cls in (pandas.DataFrame, pandas.Series)


def _freeze_pandas(value: Any) -> Any:
    pandas = sys.modules["pandas"]
    copies_on_write = int(pandas.__version__.split(".")[0]) >= 3  # always, from 3 on
    if not copies_on_write:
        return None
    columns = [value] if value.ndim == 1 else [value.iloc[:, i] for i in range(value.shape[1])]
    if not all(_is_scalars(c) for c in columns if c.dtype == object):
        return None
    for column in columns:  # scikit-learn unlocks what numpy shows of a table (`copy=False`)
        if isinstance(column.dtype, np.dtype):
            _lock(column.to_numpy())
    return value


def _is_polars(cls: type) -> bool:
    polars = sys.modules.get("polars")
    return polars is not None and cls in (polars.DataFrame, polars.Series)


def _freeze_polars(value: Any) -> Any:
    kinds = value.dtypes if hasattr(value, "dtypes") else [value.dtype]
    return None if sys.modules["polars"].Object in kinds else value


def _is_list(cls: type) -> bool:
    return cls is list


def _freeze_list(value: Any) -> Any:
    return value if _is_scalars(value) else None


class _Kind(NamedTuple):
    """Types that are lent in one way."""

    holds: Callable[[type], bool]
    freeze: Callable[[Any], Any]
    lend: Callable[[Any], Any]


_KINDS = (
    _Kind(_is_array, _freeze_array, lambda v: v.view()),
    _Kind(_is_sparse, _freeze_sparse, copy.copy),
    _Kind(_is_list, _freeze_list, list),
    _Kind(_is_pandas, _freeze_pandas, lambda v: v[:]),  # quicker than a shallow copy
    _Kind(_is_polars, _freeze_polars, lambda v: v.clone()),
)


_KNOWN: dict[type, _Kind | None] = {}


def _kind_of(value: Any) -> _Kind | None:
    cls = type(value)
    if cls not in _KNOWN:
        _KNOWN[cls] = next((kind for kind in _KINDS if kind.holds(cls)), None)
    return _KNOWN[cls]


def _measure(value: Any, seen: set[int]) -> int:
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray) and value.dtype.hasobject:  # the trees of a boosted model
        return value.nbytes + _measure_some(list(value.flat), seen)
    for holds, measure in _SIZES:
        if holds(value):
            return int(measure(value))
    size = sys.getsizeof(value, 64)
    if isinstance(value, dict):
        return size + _measure_some([v for pair in value.items() for v in pair], seen)
    if isinstance(value, (list, tuple, set)):
        return size + _measure_some(list(value), seen)
    return size + (_measure(vars(value), seen) if hasattr(value, "__dict__") else 0)


def _measure_some(values: list[Any], seen: set[int]) -> int:
    """The size of many things, from that of some of them: a vocabulary has a million."""
    some = values[:: max(1, len(values) // N_MEASURED)]
    return sum(_measure(v, seen) for v in some) * len(values) // max(1, len(some))


_SIZES: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (lambda v: isinstance(v, np.ndarray), lambda v: v.nbytes),
    (sp.issparse, lambda v: sum(p.nbytes for p in vars(v).values() if isinstance(p, np.ndarray))),
    (lambda v: _is_pandas(type(v)), lambda v: np.sum(v.memory_usage(deep=True))),
    (lambda v: _is_polars(type(v)), lambda v: v.estimated_size()),
    # A tree of scikit-learn hides its arrays.
    (lambda v: hasattr(v, "node_count"), lambda v: 64 * v.node_count + v.value.nbytes),
)
