"""Tables of the meetings with children and of the outreach records of an invented world."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data.workspace.types import Floats, Ints


@dataclass(frozen=True)
class MeetingTable:
    """Meetings as arrays of positions, all of the same length; `date` is in days since 1970.

    step : number of the meeting among those with the child, from 0. way : 0 reported, 1 discovered. pathway : the
    true one. known_pathway : the recorded one.
    """

    child: Ints
    step: Ints
    date: Ints
    municipality: Ints
    partner: Ints
    stage: Ints
    way: Ints
    pathway: Ints
    known_pathway: Ints

    def take(self, rows: np.ndarray) -> MeetingTable:
        """Return the rows at these positions, or of this mask."""
        return MeetingTable(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def join(parts: list[MeetingTable]) -> MeetingTable:
        """Return one table with the rows of all `parts`."""
        names = [f.name for f in fields(MeetingTable)]
        return MeetingTable(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


@dataclass(frozen=True)
class OutreachSlots:
    """Records of effort as arrays of equal length, ordered by municipality and quarter."""

    municipality: Ints
    quarter: Ints
    start: Ints  # day since 1970
    length: Ints  # days
    partner: Ints
    days: Floats
