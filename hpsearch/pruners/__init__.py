"""Stopping hopeless candidates early: by splits (racing) or by a resource (halving, Hyperband)."""

from hpsearch.pruners.base import Move, NoPruner, Pruner, Verdict
from hpsearch.pruners.estimates import estimates
from hpsearch.pruners.halving import HalvingPruner, HyperbandPruner
from hpsearch.pruners.racing import RacingPruner
from hpsearch.pruners.spelled import NAMED, pruner_of

__all__ = [
    "NAMED",
    "HalvingPruner",
    "HyperbandPruner",
    "Move",
    "NoPruner",
    "Pruner",
    "RacingPruner",
    "Verdict",
    "estimates",
    "pruner_of",
]
