"""Hyperparameter search for scikit-learn: same answers, fewer fits, nothing lost."""

from hpsearch.base import BaseSearchCV
from hpsearch.bayesian import GPSearchCV, TPESearchCV
from hpsearch.classical import ExhaustiveSearchCV, SampledSearchCV
from hpsearch.dimensions import Categorical, Integer, Ordinal, Real
from hpsearch.journal import CheckpointError
from hpsearch.keep import Keep
from hpsearch.minimize import maximize, minimize
from hpsearch.nested import nested_score
from hpsearch.objective import RunningTrial
from hpsearch.optimum import Optimum
from hpsearch.postgres_journal import PostgresJournal
from hpsearch.protocols import Event, SearchAborted, StopSearch
from hpsearch.pruners import HalvingPruner, HyperbandPruner, RacingPruner
from hpsearch.rules import FastestWithin, OneStandardError, WithinPercent
from hpsearch.sqlite_journal import SQLiteJournal
from hpsearch.steps import StepHalving, StepLedger
from hpsearch.stopping import EarlyStopping
from hpsearch.workers import Workers

__all__ = [
    "BaseSearchCV",
    "Categorical",
    "CheckpointError",
    "EarlyStopping",
    "Event",
    "ExhaustiveSearchCV",
    "FastestWithin",
    "GPSearchCV",
    "HalvingPruner",
    "HyperbandPruner",
    "Integer",
    "Keep",
    "OneStandardError",
    "Optimum",
    "Ordinal",
    "PostgresJournal",
    "RacingPruner",
    "Real",
    "RunningTrial",
    "SQLiteJournal",
    "SampledSearchCV",
    "SearchAborted",
    "StepHalving",
    "StepLedger",
    "StopSearch",
    "TPESearchCV",
    "WithinPercent",
    "Workers",
    "maximize",
    "minimize",
    "nested_score",
]
