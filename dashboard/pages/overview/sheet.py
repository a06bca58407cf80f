"""The sheet of the Overview page: its map with the best moves, to take away."""

from __future__ import annotations

from dashboard.briefing.map import AreaShape
from dashboard.briefing.sheet import LegendPart, LegendRow, Sheet, fill_state
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.overview import partner, public
from dashboard.site.current_release import CurrentRelease, load_areas, read_risk_manifest
from dashboard.site.text import _
from dashboard.widgets.picture import AreaMark

_MOST = 6  # arrows, as on the page


def make_sheet(current: CurrentRelease) -> Sheet | None:
    """Return the sheet; None on the partner tier where the risk model was not fitted, as the page has no map then."""
    if current.tier == "partner" and read_risk_manifest(current) is None:
        return None
    make_content = partner.make_content if current.tier == "partner" else public.make_content
    content = make_content(speak_to_reader(current), current)
    key = content.key
    noise = _("Numbers carry noise that protects children.")
    rows = [LegendRow(_fill(one.colour), one.words) for one in key.classes]
    return Sheet(
        load_areas(current.release),
        "region",
        {code: _shape(code, mark) for code, mark in content.marks.items()},
        [LegendPart(key.title, key.unit, rows, [*filter(None, key.notes), noise])],
        {code: mark.name for code, mark in content.marks.items() if mark.name},
        content.flows[:_MOST],
    )


def _shape(code: str, mark: AreaMark) -> AreaShape:
    return AreaShape(fill_state("cannot_tell") if mark.pattern else mark.colour, {"area": code}, mark.words)


def _fill(colour: str) -> str:
    """Return the fill of a class; what is no colour on the page is the pattern of "cannot tell"."""
    return colour if colour.startswith("#") else fill_state("cannot_tell")
