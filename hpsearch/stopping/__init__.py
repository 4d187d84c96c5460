"""Boosting that stops when rows it is not fitted on say so, inside of a cross-validation."""

from hpsearch.stopping.early import STOPPED_AT, EarlyStopping, Stopping
from hpsearch.stopping.stoppers import Stopper, Validation

__all__ = ["STOPPED_AT", "EarlyStopping", "Stopper", "Stopping", "Validation"]
