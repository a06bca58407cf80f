"""One language: its messages, numbers, dates, names of areas and words for the codes in a plan.

Pages use the language of their reader, the command line uses English, and the briefing one of LANGUAGES. Characters of
data (titles, reasons, names) that cannot be printed are replaced, because PDF/UA requires a glyph for each character.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboard.site.catalogues import load_catalogue
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import LANGUAGE_NAMES as LANGUAGE_NAMES
from dashboard.site.text import SEPARATORS, find_language, name_area, translate_into, write_day
from data.message import mark
from geo.areas import Areas
from geo.islands import find_region, find_town
from risk.model.statements import CERTAINTIES
from risk.planning.explain import Estimate

LANGUAGES = tuple(LANGUAGE_NAMES)
_MINUS = "−"
_OF_ONE = 10.0  # from this size on, numbers have no decimals
_OF_NOTHING = 0.05  # below this, a number rounds to 0.0
_NEARLY_SURE = 0.995
_KINDS = {
    "": mark("unit of any kind"),
    "outreach team": mark("outreach team"),
    "prevention": mark("prevention"),
    "protection": mark("protection"),
    "assisted_voluntary_return": mark("assisted voluntary return"),
    "reintegration": mark("reintegration"),
    "coordination": mark("coordination"),
}
# Within a sentence; as titles: `name_pathways` in risk.py.
PATHWAYS = {"internal": mark("internal trafficking"), "cross_border": mark("cross-border trafficking")}
_ROLES = {
    "programme manager": mark("programme manager"),
    "coordinator": mark("coordinator"),
    "data officer": mark("data officer"),
    "board": mark("board"),
}
_DECIDED = {"accept": mark("accepted"), "decline": mark("declined"), "lock": mark("keep in place")}
_BEARERS = {
    "state": mark("the state"),
    "anti_trafficking_police": mark("the anti-trafficking police"),
    "municipality": mark("a municipality"),
    "school": mark("a school"),
    "ngo": mark("a non-governmental organisation"),
    "community": mark("a community"),
}
_WHY_STAYS = {
    "no_children": mark("there is nothing to hand over"),
    "room_taken": mark("other tasks use all of the spare capacity"),
    "no_room": mark("no duty bearer who may take it has enough spare capacity"),
}
_RULES = {
    "moves": mark("the maximum number of moves"),
    "budget": mark("the maximum hours of travel"),
    "floor": mark("the minimum for every county or region"),
    "services_floor": mark("the minimum for areas with Roma and Egyptian communities"),
    "exploration": mark("the share for areas with too little outreach"),
    "commitments": mark("the committed units"),
    "room": mark("the largest number of units in each area"),
    "accepted": mark("the accepted moves"),
    "locked": mark("units to keep in place"),
    "country": mark("moves outside the chosen country"),
    "keep": mark("the teams that areas keep"),
    "at_most": mark("the most teams in an area"),
    "declined": mark("moves that were declined"),
}
# The letters of European languages and the signs of plain text.
_LATIN = "\u0020-\u007e\u00a1-\u00ac\u00ae-\u017f\u0218-\u021b"
_GREEK, _CYRILLIC = "\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce", "\u0400-\u045f"
_SIGNS = (
    "\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2032\u2033\u2039\u203a"
    "\u20ac\u2122\u2190-\u2193\u2212\u2264\u2265"
)
UNPRINTABLE = re.compile(f"[^{_LATIN}{_GREEK}{_CYRILLIC}{_SIGNS}]")
_SPACE = re.compile(r"\s+")
_INSTEAD = "?"
# A word of 25 characters or more may be broken after every eighth character.
_LONG_WORD, _PIECE, _BREAK = re.compile(r"\S{25,}"), re.compile(r".{1,8}"), "\u200b"


def make_legible(text: object, longest: int = 60) -> str:
    """Return a text on one line with only characters that can be printed.

    Other characters become "?". A text with more than `longest` characters is cut and ends in "…". Words of 25
    characters or more get invisible places where a line may break.
    """
    plain = unicodedata.normalize("NFC", "" if text is None else str(text)[: 20 * longest])
    plain = _SPACE.sub(" ", plain)
    visible = "".join(c for c in plain if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Mn"))
    printed = UNPRINTABLE.sub(_INSTEAD, visible.strip())
    cut = printed if len(printed) <= longest else printed[: longest - 1].rstrip() + "…"
    return _LONG_WORD.sub(lambda word: _BREAK.join(_PIECE.findall(word[0])), cut)


@dataclass(frozen=True)
class Speech:
    """One language and the areas of a release. Call an instance to translate a message and fill in its values."""

    language: str
    areas: Areas

    def __call__(self, message: str, **values: object) -> str:
        """Translate a message and fill in its values."""
        return _join_percent_sign(translate_into(self.language, message, **values))

    def format_plural(self, singular: str, plural: str, count: int, **values: object) -> str:
        """Translate a message that has {count} in it, in the form for this count, and fill in its values."""
        text = load_catalogue(self.language).ngettext(singular, plural, count)
        return _join_percent_sign(text.format(count=self.format_number(count), **values))

    def format_number(self, value: float | None, decimals: int | None = None) -> str:
        """Format a number with `decimals`; a dash for None, NaN and infinity.

        If `decimals` is None, whole numbers, numbers from 10 and numbers that round to 0.0 have no decimals.
        """
        if value is None or not math.isfinite(value):
            return "–"
        if decimals is None:
            decimals = 0 if abs(value) >= _OF_ONE or abs(value) < _OF_NOTHING or float(value).is_integer() else 1
        thousands, point, _sign = SEPARATORS[self.language]
        plain = f"{abs(value):,.{decimals}f}"
        written = plain.replace(",", "\0").replace(".", point).replace("\0", thousands)
        below = value < 0 and any(digit in "123456789" for digit in plain)
        return f"{_MINUS}{written}" if below else written

    def format_change(self, value: float | None, decimals: int | None = None) -> str:
        """Format a change like `format_number`, with + or − unless it is written as 0."""
        written = self.format_number(value, decimals)
        return f"+{written}" if value is not None and value > 0 and written.strip("0.,–") else written

    def format_percent(self, share: float | None) -> str:
        """Format a share from 0 to 1 as per cent; a dash stands for the number if it is None or not finite."""
        number = self.format_number(None if share is None else 100.0 * share, 0)
        return f"{number}{SEPARATORS[self.language][2]}%"

    def format_chance(self, share: float | None) -> str:
        """Format a probability from 0 to 1 as per cent, but never as 0 % or 100 %: "under 1 %", "over 99 %".

        A probability below a limit of certainty, such as that from which moves are advised, is not rounded up to it.
        """
        if share is not None and share >= _NEARLY_SURE:
            return self("over {share}", share=self.format_percent(0.99))
        if share is not None and share < 1 - _NEARLY_SURE:
            return self("under {share}", share=self.format_percent(0.01))
        if share is not None and any(share < limit <= round(share, 2) for limit in CERTAINTIES.values()):
            return self.format_percent(math.floor(100.0 * share) / 100.0)
        return self.format_percent(share)

    def format_interval(self, estimate: Estimate) -> str:
        """Format the interval of an estimate, such as "2.1 to 7.4"; see `_decimals` for the number of decimals."""
        decimals = _decimals(estimate)
        low, high = self.format_number(estimate.low, decimals), self.format_number(estimate.high, decimals)
        return self("{low} to {high}", low=low, high=high)

    def format_gain(self, estimate: Estimate) -> str:
        """Format the mean of a change with its sign, and its interval in brackets."""
        return f"{self.format_change(estimate.mean, _decimals(estimate))} ({self.format_interval(estimate)})"

    def format_date(self, day: dt.date) -> str:
        """Return a day as it is written in the language, such as "17 May 2009"."""
        return write_day(self.language, day)

    def format_day(self, text: object) -> str:
        """Format a day that is given in ISO form; any other text is cut to 20 characters and made printable."""
        try:
            return self.format_date(dt.date.fromisoformat(str(text)[:10]))
        except ValueError:
            return make_legible(text, 20)

    def join_parts(self, parts: Iterable[str]) -> str:
        """Join parts of a sentence with semicolons; in Greek, where ; is the question mark, with raised dots."""
        return ("· " if self.language == "el" else "; ").join(parts)

    def join_and(self, parts: Iterable[str]) -> str:
        """Join parts as in a sentence: "Durrës, Tirana and Vlorë". Raises ValueError if there are none."""
        return self._join(mark("{first} and {last}"), parts)

    def join_or(self, parts: Iterable[str]) -> str:
        """Join parts as in a sentence: "Durrës, Tirana or Vlorë". Raises ValueError if there are none."""
        return self._join(mark("{first} or {last}"), parts)

    def _join(self, template: str, parts: Iterable[str]) -> str:
        *first, last = parts
        return self(template, first=", ".join(first), last=last) if first else last

    def list_names(self, names: Sequence[str], most: int | None = None) -> str:
        """Return the first `most` names (all if None), separated by commas, and the number of the others, if any."""
        shown, rest = (names, 0) if most is None or len(names) <= most else (names[:most], len(names) - most)
        text = ", ".join(shown)
        return text if not rest else f"{text}, {self.format_plural('{count} more', '{count} more', rest)}"

    def name_area(self, code: object) -> str:
        """Return the name of an area; for an unknown area, the code in a form to print.

        It is the local name if the reader's language is that of the area's country, else the translated or English one.
        An island of a plan has the name of its region in brackets.
        """
        if (region := find_region(str(code))) != (island := find_town(str(code))):
            return f"{self.name_area(island)} ({self.name_area(region)})"
        row = self.areas.rows.get(str(code))
        if row is None:
            return make_legible(str(code))
        names = (str(row[column]) for column in ("country", "level", "name_en", "name_local"))
        return make_legible(name_area(self.language, *names))

    def list_areas(self, codes: Iterable[object], most: int | None = None) -> str:
        """Return the names of the first `most` areas (all if None), and the number of the others, if any."""
        return self.list_names([self.name_area(code) for code in codes], most)

    def name_kind(self, code: str) -> str:
        """Return the name of a kind of unit or an axis of work; an unknown code is returned in a form to print."""
        return self(_KINDS[code]) if code in _KINDS else make_legible(code.replace("_", " "), 32)

    def name_unit(self, units: int, kind: str) -> str:
        """Return a number of units with their kind, such as "2 × outreach team"."""
        return f"{self.format_number(units, 0)} × {self.name_kind(kind)}"

    def name_pathway(self, code: str) -> str:
        """Return the name of a pathway for use within a sentence. Raises KeyError for an unknown code."""
        return self(PATHWAYS[code])

    def name_decision(self, code: str) -> str:
        """Return the word for a decision on a move. Raises KeyError for an unknown code."""
        return self(_DECIDED[code])

    def name_bearer(self, code: str) -> str:
        """Return the name of a duty bearer; an unknown code is returned in a form to print."""
        return self(_BEARERS[code]) if code in _BEARERS else make_legible(code, 40)

    def name_reason(self, code: str) -> str:
        """Return why a task is not handed over; a text that is no code of the planner is only made printable."""
        return self(_WHY_STAYS[code]) if code in _WHY_STAYS else make_legible(code, 80)

    def name_role(self, code: str) -> str:
        """Return the name of the role of an author. Raises KeyError for an unknown code."""
        return self(_ROLES[code])

    def name_rule(self, code: str) -> str:
        """Return the name of a rule of a plan; an unknown code is returned in a form to print."""
        return self(_RULES[code]) if code in _RULES else make_legible(code)


def speak_to_reader(current: CurrentRelease) -> Speech:
    """Return a Speech in the reader's language, with the areas of the release."""
    return Speech(find_language(), load_areas(current.release))


def _join_percent_sign(text: str) -> str:
    """Replace the space before each per cent sign by a no-break space, so that it stays beside its number."""
    return text.replace(" %", "\u00a0%")


def _decimals(estimate: Estimate) -> int:
    """Return the number of decimals: 1 if mean and ends are between −10 and 10 and not all of them whole, else 0."""
    parts = estimate.mean, estimate.low, estimate.high
    return 1 if max(map(abs, parts)) < _OF_ONE and not all(part.is_integer() for part in parts) else 0
