"""Two ages that a spreadsheet turned into a day, as one value; data/restricted/intake/age_days.py finds them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r"(\d{1,2})-(\d{1,2}) as a date")


@dataclass(frozen=True)
class MadeAges:
    """The lower and the higher age, in years; 10-12, typed into a spreadsheet, is stored as 10 December.

    As a text, which takes the place of the cell in tables, questions and mappings, it is "10-12 as a date".
    """

    young: int
    old: int

    def __str__(self) -> str:
        return f"{self.ages} as a date"

    @property
    def ages(self) -> str:
        """The ages as they were typed."""
        return f"{self.young}-{self.old}"

    @classmethod
    def read(cls, text: str) -> MadeAges | None:
        """Return the ages of a text; None for one of another kind."""
        match = _TEXT.fullmatch(text)
        return cls(int(match[1]), int(match[2])) if match else None
