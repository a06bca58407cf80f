"""The numbers of tables and cells in a release, by which two releases are compared without showing a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from data.release import Release


@dataclass(frozen=True)
class Contents:
    """The number of tables of a release, and the number of cells in each state, of all tables that have states."""

    tables: int = 0
    states: Mapping[str, int] = field(default_factory=dict)


def count_contents(release: Release) -> Contents:
    """Count the tables of a release, and its cells by state. Raises ReleaseDamaged if a table was changed."""
    counted: Counter[str] = Counter()
    for name in release.tables:
        table = release.table(name)
        if "state" in table:
            counted.update({str(state): int(number) for state, number in table["state"].value_counts().items()})
    return Contents(len(release.tables), counted)
