"""How the briefing speaks: messages, numbers, dates and names of areas in one of its languages."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.briefing.legible import legible
from dashboard.site.catalogues import load_catalogue
from geo.areas import Areas
from geo.layers.core.words import mark

LANGUAGES = ("en", "sq", "el")
# Between thousands, before decimals, before the sign of per cent (CLDR; English as on the pages).
_SEPARATORS = {"en": (",", ".", "\u00a0"), "sq": ("\u00a0", ",", ""), "el": (".", ",", "")}
_MONTHS = (
    mark("January"),
    mark("February"),
    mark("March"),
    mark("April"),
    mark("May"),
    mark("June"),
    mark("July"),
    mark("August"),
    mark("September"),
    mark("October"),
    mark("November"),
    mark("December"),
)
_MINUS = "−"
_OF_ONE = 10.0
_NEARLY_SURE = 0.995
# The language that each country's own names are in.
_AT_HOME = {"AL": "sq", "GR": "el"}


@dataclass(frozen=True)
class Speech:
    """One language, and the areas that are spoken of. Call it with a message and the values in it."""

    language: str
    areas: Areas

    def __call__(self, message: str, **values: object) -> str:
        """Translate a message and fill in its values."""
        text = load_catalogue(self.language).gettext(message)
        return _kept(text.format(**values) if values else text)

    def several(self, one: str, many: str, count: int, **values: object) -> str:
        """Translate a message that counts something, with {count} in it."""
        text = load_catalogue(self.language).ngettext(one, many, count)
        return _kept(text.format(count=self.number(count), **values))

    def number(self, value: float | None, decimals: int | None = None) -> str:
        """Write a number: whole from ten on, else with one decimal; a dash for none."""
        if value is None or not math.isfinite(value):
            return "–"
        if decimals is None:
            decimals = 0 if abs(value) >= _OF_ONE or float(value).is_integer() else 1
        thousands, point, _sign = _SEPARATORS[self.language]
        plain = f"{abs(value):,.{decimals}f}"
        written = plain.replace(",", "\0").replace(".", point).replace("\0", thousands)
        below = value < 0 and any(digit in "123456789" for digit in plain)
        return f"{_MINUS}{written}" if below else written

    def signed(self, value: float | None, decimals: int | None = None) -> str:
        """Write a change, with its sign."""
        written = self.number(value, decimals)
        return f"+{written}" if value is not None and value > 0 and written.strip("0.,–") else written

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """Write a share from 0 to 1 as per cent."""
        return f"{self.number(_hundredfold(share), decimals)}{_SEPARATORS[self.language][2]}%"

    def chance(self, share: float | None) -> str:
        """Write a probability, never as certain."""
        if share is not None and share >= _NEARLY_SURE:
            return self("over {share}", share=self.percent(0.99))
        if share is not None and share < 1 - _NEARLY_SURE:
            return self("under {share}", share=self.percent(0.01))
        return self.percent(share)

    def interval(self, estimate: Mapping[str, Any]) -> str:
        """Write the ends of an estimate's interval, both as exactly as its mean."""
        ends = {name: self.number(estimate[name], _decimals(estimate)) for name in ("low", "high")}
        return self("{low} to {high}", **ends)

    def gain(self, estimate: Mapping[str, Any]) -> str:
        """Write a change with its sign and its interval."""
        return f"{self.signed(estimate['mean'], _decimals(estimate))} ({self.interval(estimate)})"

    def date(self, day: dt.date) -> str:
        """Write a day."""
        return f"{day.day} {self(_MONTHS[day.month - 1])} {day.year}"

    def day(self, text: object) -> str:
        """Write a day that is given in ISO form; as it stands where it is none."""
        try:
            return self.date(dt.date.fromisoformat(str(text)[:10]))
        except ValueError:
            return legible(text, 20)

    def joined(self, parts: Iterable[str]) -> str:
        """Join parts of a sentence; a semicolon asks a question in Greek."""
        return ("· " if self.language == "el" else "; ").join(parts)

    def listed(self, names: Sequence[str], most: int | None = None) -> str:
        """List names, the first of many; say how many more there are."""
        kept, rest = (names, 0) if most is None or len(names) <= most else (names[:most], len(names) - most)
        told = ", ".join(kept)
        return told if not rest else f"{told}, {self.several('{count} more', '{count} more', rest)}"

    def area(self, code: object) -> str:
        """Name an area in the language: its own name at home, a name that the catalogue knows, or English."""
        key = str(code)
        if key not in self.areas.table.index:
            return legible(key)
        row = self.areas.table.loc[key]
        if _AT_HOME.get(str(row["country"])) == self.language:
            return legible(row["name_local"])
        if row["level"] == "municipality":
            return legible(row["name_en"])
        return legible(load_catalogue(self.language).pgettext("area", str(row["name_en"])))

    def named(self, codes: Iterable[object], most: int | None = None) -> str:
        """List areas."""
        return self.listed([self.area(code) for code in codes], most)


def _kept(text: str) -> str:
    """Keep the sign of per cent on the line of its number."""
    return text.replace(" %", "\u00a0%")


def _decimals(estimate: Mapping[str, Any]) -> int:
    """Give one decimal to estimates that are small in all their parts, unless they are whole."""
    parts = [float(estimate[name]) for name in ("mean", "low", "high")]
    return 1 if max(map(abs, parts)) < _OF_ONE and not all(part.is_integer() for part in parts) else 0


def _hundredfold(share: float | None) -> float | None:
    return None if share is None else 100.0 * share
