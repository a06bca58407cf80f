"""Columns that several kinds of record have in common, and the country of each area."""

from functools import lru_cache

from data.schema import vocabulary as v
from data.schema.column import Column

MUNICIPALITY = Column(
    "municipality",
    "Municipality",
    "Where it took place: the municipality, never a place within it. A code, or the name in Latin, "
    "Albanian or Greek spelling.",
    "area",
    required=True,
    example="Tiranë",
)
PARTNER = Column(
    "partner",
    "Partner",
    "The organisation that keeps this record. May be left out where the import names the partner.",
    "text",
    required=True,
    example="ARSIS",
    longest=80,
)
AXIS = Column(
    "axis",
    "Axis of intervention",
    "Which of the programme's five axes this belongs to.",
    "category",
    required=True,
    example="protection",
    allowed=v.AXES,
)


@lru_cache(maxsize=1)
def area_countries() -> dict[str, str]:
    """Give each area code its country's code."""
    from data.reference import area_table

    return dict(area_table()["country"])
