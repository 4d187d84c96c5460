"""Hyperparameter search for scikit-learn: same answers, fewer fits, nothing lost."""

from hpsearch.base import BaseSearchCV
from hpsearch.bayesian import GPSearchCV, TPESearchCV
from hpsearch.classical import ExhaustiveSearchCV, SampledSearchCV
from hpsearch.dimensions import Categorical, Integer, Ordinal, Real

__all__ = [
    "BaseSearchCV",
    "Categorical",
    "ExhaustiveSearchCV",
    "GPSearchCV",
    "Integer",
    "Ordinal",
    "Real",
    "SampledSearchCV",
    "TPESearchCV",
]
