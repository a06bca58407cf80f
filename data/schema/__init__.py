"""Record kinds: what each column means and may contain, and the check of stored records.

`KINDS` has the six kinds. A partner's file has the columns `file_columns` of a kind, and the vault has its columns
`stored`; they differ where an identifier is replaced by its keyed hash. A missing text is the empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol

import pandas as pd

from data.errors import InputError
from data.schema import words
from data.schema.column import MANY, Column, RecordKind
from data.schema.kinds import KINDS
from data.schema.vocabulary import COUNTRIES

# A file of an invented world has a column of this name, so that renaming it does not make it real.
INVENTED = "invented"

PERIOD = (
    r"(?:\d{4}-(?:0[1-9]|1[0-2])-01/P(?:1M|3M|1Y)"
    r"|\d{4}-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01])/\d{4}-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01]))"
)
# One area; one by a town in it, whose name a village elsewhere may have too; one by its name in another language, which
# a place of the country of that language may have too; several that the text may mean; one of another level or country;
# a place and, in brackets, an area in which it is not; none.
Finding = Literal["one", "town", "exonym", "several", "elsewhere", "apart", "none"]


class Match(Protocol):
    """The area that a name means; `code` is None if there is not exactly one, and `reason` says why."""

    @property
    def code(self) -> str | None:
        """The area's code, or None."""

    @property
    def named(self) -> frozenset[str]:
        """The codes that the text names; a municipality created in 2019 has its own code here."""

    @property
    def reason(self) -> str:
        """Why there is no code, in plain words."""

    @property
    def finding(self) -> Finding:
        """What was found, in one word; it does not repeat the text."""

    @property
    def respelled(self) -> bool:
        """Whether the text matches the name of the area only by its sound, such as "Duress" for "Durrës"."""

    @property
    def candidates(self) -> tuple[str, ...]:
        """The areas that the text may mean, or the most similar ones."""


class Resolve(Protocol):
    """A function that finds the area of a text, such as in geo/places/__init__.py; the commands pass it in."""

    def __call__(self, text: str, country: str | None = None, level: str | None = "municipality") -> Match:
        """Return the area that a code or a name means, of this country and level unless they are None."""


class HashIdentifier(Protocol):
    """A function that replaces identifiers by their keyed hash, as data/restricted/keys.py does."""

    def __call__(self, identifiers: Sequence[str], /) -> list[str]:
        """Return 64 hexadecimal digits for each identifier; "" for an empty identifier."""


def area_word(level: str, country: str) -> str:
    """Return the word for an area of a level: a region of Albania is a county."""
    return "county" if (level, country) == ("region", "AL") else level


def get_kind(name: str) -> RecordKind:
    """Return a kind by name; raise InputError, which names all kinds, for an unknown name."""
    try:
        return KINDS[name]
    except KeyError:
        raise InputError(f"No record kind {name!r}. There are: {', '.join(KINDS)}.") from None


def conform(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a frame cast to a kind's stored columns and dtypes, after validating it; `name` is the kind.

    Raises InputError for an unknown kind, a missing column or a failed check; it never repeats a value.
    """
    kind = get_kind(name)
    missing = [c.name for c in kind.stored if c.name not in frame]
    if missing:
        raise InputError(f"Records of kind {name!r} without the columns {', '.join(missing)}.")
    typed = frame[[c.name for c in kind.stored]].astype({c.name: c.dtype for c in kind.stored})
    allowed = _list_allowed(name)
    failed = [f"{c.name} ({c.limits})" for c in kind.stored if not all(map(allowed[c.name], typed[c.name].unique()))]
    # A rule reads columns whose values are allowed.
    failed = failed or [f"row ({r.column}: {r.reason})" for r in kind.rules if r.broken(typed).any()]
    if failed:
        raise InputError(f"Records of kind {name!r} break their schema: {'; '.join(sorted(failed))}.")
    return typed


@lru_cache(maxsize=len(KINDS))
def _list_allowed(name: str) -> dict[str, Callable[[Any], object]]:
    """Return, for each stored column of a kind, a function that says whether a value is allowed."""
    return {column.name: _find_allowed(column) for column in get_kind(name).stored}


def _find_allowed(column: Column) -> Callable[[Any], object]:
    if column.numeric:
        least, most = column.minimum, column.maximum
        return lambda number: (
            not column.required
            if pd.isna(number)
            else (least is None or number >= least) and (most is None or number <= most)
        )
    empty = [] if column.required or column.default or column.derived else [""]
    if column.many:
        return lambda text: isinstance(text, str) and {*column.allowed} >= {*text.split(MANY)}
    if column.type == "category":
        return {*column.allowed, *empty}.__contains__
    if column.type == "area":
        countries = {*COUNTRIES, *words.index_codes("abroad.country").values()} if column.abroad else set[str]()
        return {*_codes(column.level), *countries, *empty}.__contains__
    pattern = re.compile(_pattern(column), re.ASCII)
    return lambda text: isinstance(text, str) and pattern.fullmatch(text)


def _pattern(column: Column) -> str:
    least = 1 if column.required else 0
    pattern = {
        "date": r"\d{4}-\d{2}-\d{2}",
        "day_or_week": r"\d{4}-\d{2}-\d{2}",
        "period": PERIOD,
        "hash": "[0-9a-f]{64}",
        "code": rf"[A-Za-z0-9_.-]{{1,{column.longest}}}",
    }.get(column.type, rf"[^\r\n]{{{least},{column.longest}}}")
    return pattern if column.required else rf"(?:{pattern})?"


def _codes(level: str | None) -> list[str]:
    from data.reference import area_table

    areas = area_table()
    counted = areas[areas["counted"]]
    return list(counted.index if level is None else counted.index[counted["level"] == level])
