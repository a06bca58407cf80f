"""The value of a cell with two ages that a spreadsheet changed into a date (data/restricted/intake/age_days.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r"(\d{1,2})-(\d{1,2}) as a date")


@dataclass(frozen=True)
class MadeAges:
    """The lower and the higher age, in years. A spreadsheet stores the text 10-12 as 10 December.

    Tables, questions and mappings show such a cell as the text "10-12 as a date".
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
        """Return the ages in a text such as "10-12 as a date"; None for any other text."""
        match = _TEXT.fullmatch(text)
        return cls(int(match[1]), int(match[2])) if match else None
