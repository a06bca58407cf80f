"""Series breaks: quarters from which counts have another meaning, such as a new recording system or a new law.

A break that a person accepted stops comparisons across it, and the risk model gives it a separate level,
docs/risk-model.md eq. (89). Accepted breaks are a small table in the workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from data.errors import InputError
from data.release.signed_list import BREAKS
from risk.model.decisions import DecisionTable, check_quarter


@dataclass(frozen=True)
class Break:
    """A quarter from which counts have another meaning.

    period : identifier of the quarter. place : code of the country or area; empty: everywhere. note : the reason.
    by, on : the role of the person who accepted the break, and the day.
    """

    period: str
    place: str = ""
    note: str = ""
    by: str = ""
    on: str = ""

    def concerns(self, area: str) -> bool:
        """Return whether the break affects the counts of this area; an area's code begins with its country's code."""
        return self.place in ("", area, area.partition("-")[0])


_TABLE = DecisionTable(BREAKS, Break, ("period", "place"), lambda entry: check_quarter(entry.period))


def read_breaks(folder: Path | None) -> tuple[Break, ...]:
    """Read the accepted breaks from the folder of derived results, oldest first; errors as in `DecisionTable.read`."""
    return _TABLE.read(folder)


def accept_break(folder: Path, new: Break, places: Collection[str], before: Callable[[], None] = lambda: None) -> None:
    """Write a break into the table, in place of any break of the same quarter and place.

    `places` are the codes of countries and areas that a break may have; raises InputError for another one. `before` and
    errors as in `DecisionTable.put`.
    """
    if new.place and new.place not in places:
        raise InputError(f"No country, county or region {new.place!r}. Give its code, for example AL or AL-11.")
    _TABLE.put(folder, new, before)


def remove_break(folder: Path, period: str, place: str, before: Callable[[], None] = lambda: None) -> None:
    """Remove the break of a quarter and place from the table; raise InputError if there is no such break."""
    if not _TABLE.remove(folder, (period, place), before):
        raise InputError(f"No accepted break in {period} of {place or 'all places'}. See: tact breaks list")
