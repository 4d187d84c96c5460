"""Families of other libraries; none of them is imported here."""

from __future__ import annotations

from hpsearch.reuse.family import Family

BOOSTER_FAMILIES: tuple[Family, ...] = ()
