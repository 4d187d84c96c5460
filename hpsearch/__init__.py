"""Hyperparameter search for scikit-learn: same answers, fewer fits, nothing lost."""

from hpsearch.dimensions import Categorical, Integer, Ordinal, Real

__all__ = ["Categorical", "Integer", "Ordinal", "Real"]
