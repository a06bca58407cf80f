"""Tables of the meetings with children and of the outreach records of an invented world."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data.workspace.types import Floats, Ints


@dataclass(frozen=True)
class MeetingTable:
    """Meetings as arrays of positions, all of the same length; `date` in days since 1970."""

    child: Ints
    step: Ints
    date: Ints
    municipality: Ints
    partner: Ints
    stage: Ints
    found: Ints
    pathway: Ints
    known_pathway: Ints

    def take(self, rows: np.ndarray) -> MeetingTable:
        """Return rows by position or by mask."""
        return MeetingTable(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def join(parts: list[MeetingTable]) -> MeetingTable:
        """Return the rows of several tables in one."""
        names = [f.name for f in fields(MeetingTable)]
        return MeetingTable(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


@dataclass(frozen=True)
class OutreachSlots:
    """Where outreach took place: one entry for each record of effort, by municipality and quarter."""

    municipality: Ints
    quarter: Ints
    start: Ints  # day since 1970
    length: Ints  # days
    partner: Ints
    days: Floats
