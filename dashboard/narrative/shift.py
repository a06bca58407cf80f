"""Sentences on internal trafficking in Durrës and Tirana, the same on pages, in the briefing and in `tact risk`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from dashboard.narrative.speech import Speech
from dashboard.site.current_release import CurrentRelease, read_risk_manifest
from data.message import mark
from risk.report.shift import REFERENCE, AreaShift

_VERDICTS = {
    "rose": mark(
        "{areas}: the share of internal trafficking rose from {before} in the year that began on {first} to "
        "{after} in the year that ended on {last} (95 % interval of the difference: {low} to {high} percentage "
        "points; chance of a rise: {chance})."
    ),
    "fell": mark(
        "{areas}: the share of internal trafficking fell from {before} in the year that began on {first} to "
        "{after} in the year that ended on {last} (95 % interval of the difference: {low} to {high} percentage "
        "points; chance of a rise: {chance})."
    ),
    "unclear": mark(
        "{areas}: it is not sure enough that the share of internal trafficking changed ({before} in the year that "
        "began on {first}, {after} in the year that ended on {last}; 95 % interval of the difference: {low} to {high} "
        "percentage points; chance of a rise: {chance})."
    ),
}
POSSIBLE_BREAK = mark("Counts jumped there: first check whether recording changed.")
_ENOUGH = 80.0  # of 100 cases


def list_shifts(t: Speech, current: CurrentRelease) -> list[str]:
    """Return the sentences on internal trafficking in Durrës and Tirana, together and in each.

    Empty without a result of the risk model.
    """
    manifest = read_risk_manifest(current)
    return word_shifts(t, manifest.shifts, manifest.years) if manifest else []


def word_shifts(t: Speech, shifts: Iterable[AreaShift], years: tuple[str, str]) -> list[str]:
    """Return a text on each shift. years : first day of the first year and last day of the last year, in ISO form."""
    return [word_shift(t, shift, years) for shift in shifts]


def word_shift(t: Speech, shift: AreaShift, years: tuple[str, str]) -> str:
    """Return the sentence on a shift; if it is unclear, a second one says how often a rise would be seen, if known.

    years : as for `word_shifts`.
    """
    names = [t.name_area(code) for code in shift.areas]
    first, last = (t.format_date(dt.date.fromisoformat(day)) for day in years)
    sentence = t(
        _VERDICTS[shift.verdict],
        areas=t("{first} and {last} together", first=names[0], last=names[-1]) if len(names) > 1 else names[0],
        before=t.format_percent(shift.before / 100.0),
        after=t.format_percent(shift.after / 100.0),
        first=first,
        last=last,
        low=t.format_change(shift.low, 0),
        high=t.format_change(shift.high, 0),
        chance=t.format_chance(shift.probability),
    )
    if shift.verdict != "unclear" or shift.power is None:
        return sentence
    template = mark("A rise of {points} percentage points would be seen in {power} of 100 cases.")
    if shift.power < _ENOUGH:
        template = mark(
            "With so few children, a rise of {points} percentage points would be seen in {power} of 100 cases."
        )
    points, power = t.format_number(100.0 * REFERENCE, 0), t.format_number(shift.power, 0)
    return f"{sentence} {t(template, points=points, power=power)}"
