"""What a column and a record kind are; the columns themselves are defined in data/schema/columns.csv.

One definition is used by the checks at intake, the check of stored records, `tact doctor --schema`, the
empty forms and the codebook of exports. Words are message identifiers in English, which the dashboard translates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import pandas as pd

from data.message import Message

ColumnType = Literal[
    "date",  # a day, ISO
    "day_or_week",  # a day, or an ISO week that becomes its Monday
    "period",  # an ISO interval; a year becomes one
    "area",  # a code or a name; becomes a code
    "category",  # one of `allowed`
    "code",  # letters, digits and _ . -
    "text",  # free text, one line
    "identifier",  # hashed at intake, never stored
    "hash",  # 64 hexadecimal digits, stored in place of an identifier
    "whole",  # a whole number
    "year",  # a year that has begun
    "decimal",  # a number
]
MANY = ";"  # between the values of a cell with many
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Column:
    """One column: its meaning, allowed values, and where it exists (in the file, the vault or both).

    `allowed` maps each code to its words. `default` is what an empty cell means ("unknown"). A `derived`
    column may be empty in a file and is filled from other columns before it is stored. `minimum`, `maximum`: limits of
    a number. `earliest` is an ISO day; `future` allows a day after today. `several`: partners may write several values
    in a cell, of which the first counts; with `many` all count, and are stored with MANY between them in the order of
    `allowed`. `abroad`: a country may stand in place of an area. `later`: the column was added after records were
    imported; a record with its default keeps the digest that it had before. `level`: of an area; None allows any.
    `longest`: characters of a text.
    """

    name: str
    label: str
    meaning: str
    type: ColumnType
    required: bool = False
    example: str = ""
    allowed: Mapping[str, str] = field(default_factory=lambda: _NONE)
    default: str = ""
    minimum: float | None = None
    maximum: float | None = None
    earliest: str = "2000-01-01"
    future: bool = False
    derived: bool = False
    several: bool = False
    many: bool = False
    abroad: bool = False
    later: bool = False
    level: str | None = "municipality"
    longest: int = 200
    in_files: bool = True
    stored: bool = True

    @property
    def numeric(self) -> bool:
        """Whether the stored value is a number."""
        return self.type in ("whole", "year", "decimal")

    @property
    def dtype(self) -> str:
        """The pandas dtype of the stored column; a missing text is the empty text."""
        return {"whole": "Int64", "year": "Int64", "decimal": "float64"}.get(self.type, "str")

    @property
    def limits(self) -> str:
        """The allowed values of a cell, in plain words."""
        text = _LIMITS[self.type](self)
        return text if self.required else f"{text}, or an empty cell"


@dataclass(frozen=True)
class Rule:
    """A condition on several columns of one row.

    `broken` takes a frame of the stored columns named in `reads` and returns a mask of the rows that break the rule.
    The fault is reported under `column`, with the `reason` and what is `allowed`.
    """

    column: str
    reads: tuple[str, ...]
    reason: Message
    allowed: str
    broken: Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class RecordKind:
    """One kind of record: its columns in stored order, its rules, and what its files must not contain.

    A file with a column of a kind in `refuses` (data/personal/headings.py) is refused.
    """

    name: str
    title: str
    meaning: str
    columns: tuple[Column, ...]
    refuses: frozenset[str]
    rules: tuple[Rule, ...] = ()

    @property
    def file_columns(self) -> tuple[Column, ...]:
        """The columns of a partner's file and of the template."""
        return tuple(c for c in self.columns if c.in_files)

    @property
    def stored(self) -> tuple[Column, ...]:
        """The canonical columns, in the order of the vault."""
        return tuple(c for c in self.columns if c.stored)

    @property
    def of_children(self) -> bool:
        """Whether each row is about one child."""
        return any(column.type == "identifier" for column in self.file_columns)

    def column(self, name: str) -> Column:
        """Return a column by name; raise KeyError when this kind has no such column."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _days(column: Column) -> str:
    text = f"a day such as 2007-05-31, not before {column.earliest}"
    return text if column.future else f"{text} and not after today"


_DECIMALS = "after a point (0.5), or one or two after a comma (0,5)"


def _numbers(column: Column) -> str:
    whole = column.type == "whole"
    word, sign = ("a whole number", "") if whole else ("a number", f", decimals {_DECIMALS}")
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{word} from {low:.10g} to {high:.10g}{sign}"
    return f"{word}{sign}" if low is None else f"{word}, {low:.10g} or more{sign}"


def _areas(column: Column) -> str:
    if column.level is None:
        return "a code such as AL-02, or a name that only one country, county, region or municipality has"
    return f"the code or the name of a {column.level}" + (", or the name of a country" if column.abroad else "")


_LIMITS: Mapping[str, Callable[[Column], str]] = MappingProxyType(
    {
        "date": _days,
        "day_or_week": lambda c: f"{_days(c)}, or a week such as 2007-W22",
        "period": lambda _: (
            "a year (2008); a first day and P1M, P3M or P1Y for a month, quarter, year (2008-04-01/P3M); "
            "or a first and a last day (2006-06-01/2009-05-31)"
        ),
        "area": _areas,
        "category": lambda c: ", ".join(c.allowed),
        "code": lambda c: f"letters, digits, _ . and -, no spaces, at most {c.longest} characters",
        "text": lambda c: f"text on one line, at most {c.longest} characters",
        "identifier": lambda c: f"text on one line, at most {c.longest} characters",
        "hash": lambda _: "64 hexadecimal digits",
        "whole": _numbers,
        "decimal": _numbers,
        "year": lambda c: f"a year from {c.minimum:.0f} to this year",
    }
)
