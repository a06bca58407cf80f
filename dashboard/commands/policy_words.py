"""What a comparison of policies found, for people: a table, and in words who fails which limit."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from data.disclosure.attacks.membership import LIMITS
from data.reference import area_table
from data.restricted.comparison import ALL_NUMBERS, BOTH, ONE_NUMBER, Measured, Readers

__all__ = ["Comparison"]

_NARROWEST, _FILE_WIDTH = 80, 110
_Tell = Callable[[Measured], str]


@dataclass(frozen=True)
class Comparison:
    """Policies that were measured on the same worlds; `current` is the place of the one in use."""

    found: Sequence[Measured]
    current: int
    worlds: int
    children: int
    seed: int

    @property
    def names(self) -> list[str]:
        """A letter for each policy, in the table and in the picture."""
        return [_letters(number) for number in range(len(self.found))]

    @property
    def basis(self) -> str:
        """Say what it was worked out on."""
        if self.worlds == 1:
            return f"One invented world of about {self.children:,} children (seed {self.seed})"
        last = self.seed + self.worlds - 1
        return (
            f"{self.worlds} invented worlds of about {self.children:,} children (seeds {self.seed} to {last})"
        )

    def title(self, place: int) -> str:
        """Name a policy by what it is."""
        policy = self.found[place].policy
        now = " (current policy)" if place == self.current else ""
        noise = f"variance {policy.variance:g} (near k {policy.variance_near_k:g})"
        return f"k {policy.k}, {noise}, largest {policy.largest}{now}"

    def verdict(self, place: int) -> str:
        """Say which limits a policy fails, and by how much."""
        one, attackers = self.found[place], self.found[place].attackers
        told = (
            (
                ONE_NUMBER,
                f"one public number can tell {attackers.one_number:.3f}, the limit is {LIMITS[0]:.2f}",
            ),
            (ALL_NUMBERS, f"all numbers tell {attackers.all_numbers:.3f}, the limit is {LIMITS[1]:.2f}"),
        )
        words = [f"fails, {words}" for name, words in told if name in one.fails]
        return "; ".join(words) or "holds both limits"

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        rows = [{**one.as_dict(), "current": n == self.current} for n, one in enumerate(self.found)]
        return {
            "invented": True,
            "worlds": self.worlds,
            "children": self.children,
            "seed": self.seed,
            "limits": {ONE_NUMBER: LIMITS[0], ALL_NUMBERS: LIMITS[1]},
            "candidates": rows,
        }

    def csv(self) -> str:
        """Write one row a policy; names of nested values are joined by underscores."""
        rows = [dict(_flat(row)) for row in self.as_dict()["candidates"]]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def lines(self) -> list[str]:
        """Write the table and what it says."""
        return [
            f"{self.basis}. No record was read. Everything below is invented.",
            "",
            *self._table(),
            "",
            *(f"{n}  {self.title(p)}: {self.verdict(p)}." for p, n in enumerate(self.names)),
            *(
                ["A release under a policy that fails may be refused."]
                if any(m.fails for m in self.found)
                else []
            ),
            "",
            *(self._against(p) for p in range(len(self.found)) if p != self.current),
            "",
            "Over guessing: 0 is guessing whether a certain child was counted, 1 is knowing it.",
            "One number: the worst case, exact. All numbers: of the worst-placed child of the worst world,",
            "estimated, with an interval of 95 %. Other rows are means of the worlds; partners' numbers are",
            "those of municipalities and quarters in which a child was met. What is withheld, and the",
            "breakdowns that counties go without, a release takes away by itself.",
        ]

    def _against(self, place: int) -> str:
        """Say what a policy changes for readers, beside the current one."""
        one, now = self.found[place].readers[BOTH], self.found[self.current].readers[BOTH]
        more = round(100 * (now.hidden_children - one.hidden_children), 1)
        seen = f"{abs(more):g} of 100 children {'more' if more > 0 else 'fewer'} are seen by the public"
        return (
            f"{self.names[place]} instead of {self.names[self.current]}: "
            f"{seen if more else 'the public sees as many children'}; shown numbers are off by "
            f"{_percent(one.relative_error)} (now {_percent(now.relative_error)}), those of partners by "
            f"{_children(one.partner_error)} children (now {_children(now.partner_error)})."
        )

    def _table(self) -> list[str]:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.add_column("", overflow="fold")
        for place, name in enumerate(self.names):
            policy = self.found[place].policy
            now = "current\n" if place == self.current else ""
            noise = f"variance {policy.variance:g}\nnear k {policy.variance_near_k:g}"
            head = f"{name}\n{now}k {policy.k}\n{noise}\nlargest {policy.largest}"
            table.add_column(head, justify="right", vertical="bottom")
        for words, tell in _rows(self.found[0]):
            table.add_row(words, *([] if tell is None else [tell(one) for one in self.found]))
        console = Console(file=io.StringIO(), width=_width(), color_system=None)
        with console.capture() as caught:
            console.print(table)
        return [line.rstrip() for line in caught.get().splitlines()]


def _rows(first: Measured) -> Iterator[tuple[str, _Tell | None]]:
    """List the rows of the table: words, and how to tell the value; no value for a heading."""
    countries = [c for c in first.readers if c != BOTH]
    yield "WHAT READERS LOSE", None
    yield "Children the public does not see", None
    yield from _by_country(countries, lambda r: _percent(r.hidden_children, 0))
    yield "County-years that show a number", None
    yield from _by_country(countries, lambda r: _percent(r.cells_shown, 0))
    yield "Shown numbers are off by (median)", None
    yield from _by_country(countries, lambda r: _percent(r.relative_error))
    yield "Partners' numbers are off by, children (mean)", lambda m: _children(m.readers[BOTH].partner_error)
    yield "Counties without their breakdown", lambda m: f"{m.quietened:g}"
    yield "Public numbers withheld", lambda m: f"{m.withheld['public']:g}"
    yield "Partners' numbers withheld", lambda m: f"{m.withheld['partner']:g}"
    yield "", None
    yield "WHAT ATTACKERS GAIN, over guessing", None
    yield f"One number (limit {LIMITS[0]:.2f})", lambda m: _marked(m, ONE_NUMBER, m.attackers.one_number)
    yield f"All numbers (limit {LIMITS[1]:.2f})", lambda m: _marked(m, ALL_NUMBERS, m.attackers.all_numbers)
    yield "  interval", lambda m: f"{m.attackers.all_numbers_low:.2f} to {m.attackers.all_numbers_high:.2f}"
    yield "  before breakdowns were withheld", lambda m: f"{m.attackers.planned:.3f}"
    yield "A child alone shows as none", lambda m: _percent(m.attackers.one_as_none, 0)
    yield "", None
    yield "Limits", lambda m: "FAILS" if m.fails else "holds"


def _by_country(countries: Sequence[str], tell: Callable[[Readers], str]) -> Iterator[tuple[str, _Tell]]:
    names = area_table()["name_en"]
    for country in countries:
        yield f"  {names[country]}", lambda m, c=country: tell(m.readers[c])  # type: ignore[misc]


def _marked(one: Measured, limit: str, value: float) -> str:
    return f"{'! ' if limit in one.fails else ''}{value:.3f}"


def _percent(share: float | None, digits: int = 1) -> str:
    return "none shown" if share is None else f"{100 * share:.{digits}f} %"


def _children(number: float | None) -> str:
    return "none shown" if number is None else f"{number:.1f}"


def _letters(number: int) -> str:
    return ascii_uppercase[number]


def _flat(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}_")
        else:
            yield before + name, " ".join(value) if isinstance(value, list) else value


def _width() -> int:
    """Give the terminal's width; a file gets one that holds everything."""
    if not sys.stdout.isatty():
        return _FILE_WIDTH
    return max(shutil.get_terminal_size().columns, _NARROWEST)
