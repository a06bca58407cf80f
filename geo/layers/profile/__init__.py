"""The profile of one area: its main numbers, how they changed, and how certain that is.

Every statement follows from the release: each sentence comes from published cells and their margins. If these do not
decide, the profile says "cannot tell". Effort is shown beside every change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from data.disclosure.cell_key import CellKey
from data.errors import AreaError
from data.message import Message, mark
from data.release import Release
from data.tables.periods import Period
from geo.layers import effort, encounters
from geo.layers.core import View
from geo.layers.core.change import Cell, Change, bound_share, compare_cells
from geo.layers.core.words import KINDS_OF_AREA, LEVELS, format_number
from geo.layers.profile import facts as _facts
from geo.layers.profile.facts import Fact, Place
from geo.layers.reading import tables
from geo.layers.reading.counted import Counted

_TELLING = 0.4
_SAME = 0.1


@dataclass(frozen=True)
class Bar:
    """One period of a series; `complete` is false if the release ends before the period does."""

    period: str
    label: str
    value: float
    margin: float
    state: str
    words: str
    complete: bool


@dataclass(frozen=True)
class Meaning:
    """What the numbers mean: a headline on the change from the year before, and sentences that explain it."""

    headline: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """The profile of an area: its names, its numbers, how they changed, and what that means."""

    area: str
    name: str
    name_local: str
    kind: str
    country: str
    period: str
    facts: tuple[Fact, ...]
    series: tuple[Bar, ...]
    effort: tuple[Bar, ...]
    meaning: Meaning


def build_profile(release: Release, area: str, period: str) -> Profile:
    """Build the profile of an area for a period (identifier; empty for the latest).

    Raises AreaError when the release does not have the area. A text that is not a period may raise InputError.
    """
    return _profile(release, tables.release_key(release), area, period)


@lru_cache(maxsize=2048)
def _profile(release: Release, _stamp: int, area: str, period: str) -> Profile:
    areas = tables.load_areas(release)
    if area not in areas.index:
        msg = f"No area {area!r} in release {release.name!r}. Choose one from the list of areas."
        raise AreaError(msg)
    row = areas.loc[area]
    level = str(row["level"])
    place = Place(release, area, level, str(areas.loc[row["country"], "name_en"]))
    facts = _facts.list_facts(place, period)
    return Profile(
        area=area,
        name=str(row["name_en"]),
        name_local=str(row["name_local"]),
        kind=KINDS_OF_AREA.get((str(row["country"]), level), LEVELS[level]),
        country=place.country,
        period=facts[0].period,
        facts=facts,
        series=_read_bars(place, encounters.COUNTED),
        effort=_read_bars(place, effort.COUNTED),
        meaning=_meaning(place, period),
    )


def _find_days(release: Release) -> tuple[date, date]:
    """Return the first and the last day that a release covers; where it names none, the first and last of all days."""
    first, last = (release.manifest["tact"].get(name) for name in ("first", "last"))
    return (date.fromisoformat(first) if first else date.min), (date.fromisoformat(last) if last else date.max)


def _read_bars(place: Place, counted: Counted) -> tuple[Bar, ...]:
    """Read an area's cells of all periods of the finest grain."""
    history = counted.history(place.release, place.level, place.area, {})
    periods = counted.periods(place.release, View(place.level, ""))
    _, last = _find_days(place.release)
    bars = []
    for period in periods:
        parsed, cell = Period.parse(period), history.get(period, Cell("no_data"))
        bars.append(
            Bar(
                period,
                parsed.label,
                cell.value,
                cell.margin,
                cell.state,
                _facts.format_cell(cell, place),
                parsed.end <= last,
            )
        )
    return tuple(bars)


def _find_years(place: Place, period: str) -> tuple[str, str] | None:
    """Return the ids of two complete years in order of time; None if there is no earlier year.

    The second is the year that contains the period or, if there is none, the last year.
    """
    history = encounters.COUNTED.history(place.release, place.level, place.area, {})
    first, last = _find_days(place.release)
    years = [p for p in map(Period.parse, sorted(history)) if p.grain == "year" and p.end <= last]
    if len(years) < 2:
        return None
    around = [i for i, year in enumerate(years) if period and year.contains(Period.parse(period))]
    position = around[0] if around else len(years) - 1
    # A programme may begin within its first year.
    is_comparable = position > 0 and years[position - 1].start >= first
    return (years[position - 1].id, years[position].id) if is_comparable else None


def _meaning(place: Place, period: str) -> Meaning:
    years = _find_years(place, period)
    if years is None:
        return Meaning(mark("No earlier year"), (mark("There is no earlier full year to compare with."),))
    mechanism = CellKey.from_manifest(place.release.manifest["tact"])
    reach = place.release.find_reach(place.level, "year")
    was, now = (place.read_cell(encounters.COUNTED, year) for year in years)
    difference = compare_cells(was, now, reach, find_noise(mechanism, was, now))
    inside = place.read_cell(encounters.COUNTED, years[1], _facts.INTERNAL)
    sentences = (
        *_describe_change(difference, (was, now), years),
        _describe_share(place, years[1], bound_share(inside, now, reach), inside),
        _describe_effort(place, years, difference),
    )
    return Meaning(_HEADLINES[difference.verdict if difference else "cannot tell"], tuple(filter(None, sentences)))


def find_noise(mechanism: CellKey, *cells: Cell) -> float:
    """Return the largest variance of the noise of the published numbers of these cells; 0 without any number."""
    numbers = [int(cell.published.value) for cell in cells if cell.state == "number"]
    variance = mechanism.channel(mechanism.channel(0).steady).variance()  # larger counts have the noise of the last one
    return max((float(variance[min(number, len(variance) - 1)]) for number in numbers), default=0.0)


_UNTOLD = {
    "not_searched": mark("Cannot compare: no outreach is recorded for {when}."),
    "no_data": mark("Cannot compare: there are no data for {when}."),
    "withheld": mark("Cannot compare: the number for {when} is withheld to protect people."),
}
_SILENT = frozenset(_UNTOLD)
_HEADLINES = {
    "more": mark("More than the year before"),
    "fewer": mark("Fewer than the year before"),
    "cannot tell": mark("Cannot tell whether it changed"),
}
_MORE = mark("{low} to {high} more children were identified or met in {now} than in {was}.")
_FEWER = mark("{low} to {high} fewer children were identified or met in {now} than in {was}.")
_BEYOND = mark("Neither noise nor chance is likely to explain this.")
_CHANCE = mark("Noise cannot explain this, but chance can.")


def _describe_change(difference: Change | None, cells: tuple[Cell, Cell], years: tuple[str, str]) -> tuple[str, ...]:
    was, now = (Period.parse(y).label for y in years)
    if difference is None:
        when, silent = next((w, c) for w, c in zip((was, now), cells, strict=True) if c.state in _SILENT)
        return (Message(_UNTOLD[silent.state], when=when),)
    if difference.verdict == "cannot tell":
        template = mark("Children identified or met in {now} and in {was}: the margins are larger than the change.")
        return (Message(template, was=was, now=now),)
    low, high = map(format_number, sorted((abs(difference.low), abs(difference.high))))
    sentence = Message(_MORE if difference.verdict == "more" else _FEWER, low=low, high=high, was=was, now=now)
    return sentence, _BEYOND if difference.beyond_chance else _CHANCE


def _describe_share(place: Place, year: str, share: tuple[float, float] | None, inside: Cell) -> str:
    """Return a sentence on the share of internal trafficking; empty without a number or if the limits are far apart."""
    if inside.state != "number" or share is None or share[1] - share[0] > _TELLING:
        return ""
    template = mark("In {year}, {low} to {high} in 10 of these children were in internal trafficking in {country}.")
    low, high = math.floor(share[0] * 10), math.ceil(share[1] * 10)
    return Message(template, year=Period.parse(year).label, low=low, high=high, country=place.country)


def _describe_effort(place: Place, years: tuple[str, str], difference: Change | None) -> str:
    """Return a sentence on how the effort changed, because more outreach finds more children."""
    was, now = (place.read_cell(effort.COUNTED, year) for year in years)
    if was.state == now.state == "number":
        return _effort_change(was.value, now.value, difference.verdict if difference else "cannot tell")
    if was.state in _SILENT and now.state in _SILENT:
        return mark("No outreach is recorded for these years.")
    texts = [_facts.format_cell(c, place) for c in (was, now)]
    if texts[0] == texts[1]:
        return Message(mark("Outreach days in both years: {was}."), was=texts[0])
    return Message(mark("Outreach days: {was}, then {now}."), was=texts[0], now=texts[1])


def _effort_change(was: float, now: float, verdict: str) -> str:
    values = {"was": format_number(was), "now": format_number(now)}
    if abs(now - was) <= _SAME * max(was, now):
        return Message(mark("Outreach stayed about the same: {was} days, then {now}."), **values)
    if (now > was and verdict == "more") or (now < was and verdict == "fewer"):
        return Message(mark("Outreach changed from {was} to {now} days, which can explain part of it."), **values)
    return Message(mark("Outreach changed from {was} to {now} days."), **values)
