"""What a release holds, in numbers of cells: to compare it with another without looking at any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from data.release import Release

STATE = "state"


def count_states(release: Release) -> Mapping[str, int]:
    """Return the number of cells in each state, of all tables of the release that have states."""
    counted: Counter[str] = Counter()
    for name in release.tables:
        table = release.table(name)
        if STATE in table:
            counted.update({str(state): int(number) for state, number in table[STATE].value_counts().items()})
    return counted
