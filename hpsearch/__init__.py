"""Hyperparameter search for scikit-learn: same answers, fewer fits, nothing lost."""

from hpsearch.base import BaseSearchCV
from hpsearch.bayesian import GPSearchCV, TPESearchCV
from hpsearch.classical import ExhaustiveSearchCV, SampledSearchCV
from hpsearch.dimensions import Categorical, Integer, Ordinal, Real
from hpsearch.journal import CheckpointError
from hpsearch.loop import Event, SearchAborted, StopSearch
from hpsearch.postgres_journal import PostgresJournal
from hpsearch.sqlite_journal import SQLiteJournal

__all__ = [
    "BaseSearchCV",
    "Categorical",
    "CheckpointError",
    "Event",
    "ExhaustiveSearchCV",
    "GPSearchCV",
    "Integer",
    "Ordinal",
    "PostgresJournal",
    "Real",
    "SQLiteJournal",
    "SampledSearchCV",
    "SearchAborted",
    "StopSearch",
    "TPESearchCV",
]
