"""A partner's table as read: columns of codes over distinct texts, and the rows that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, order=True)
class Fault:
    """Why a row is rejected: its line in the file, the column, what is wrong and what is allowed."""

    line: int
    column: str
    reason: str
    allowed: str


@dataclass(frozen=True)
class RawColumn:
    """A column as read: its heading, one code per row, and the distinct texts that the codes index."""

    heading: str
    codes: Codes
    distinct: list[str]


@dataclass
class RawTable:
    """A table as read: columns, the line on which each row begins, rows that could not be read."""

    columns: list[RawColumn]
    lines: npt.NDArray[np.int64]
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
