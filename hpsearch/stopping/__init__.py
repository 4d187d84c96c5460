"""Boosting that stops when rows it is not fitted on say so, inside of a cross-validation."""

from hpsearch.stopping.early import EarlyStopping, early_of
from hpsearch.stopping.rounds import STOPPED_AT, Stopping, check, columns, settle, types_of
from hpsearch.stopping.stoppers import Stopper, Validation

__all__ = [
    "STOPPED_AT",
    "EarlyStopping",
    "Stopper",
    "Stopping",
    "Validation",
    "check",
    "columns",
    "early_of",
    "settle",
    "types_of",
]
