"""Spaces to begin with: `suggest(estimator)` gives ranges that others have found sensible."""

from hpsearch.spaces.suggesting import suggest

__all__ = ["suggest"]
