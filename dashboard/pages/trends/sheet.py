"""The picture of the Trends page: the chart of the chosen area, another one below it, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.briefing.sheet import LegendPart, LegendRow, Sheet, draw_chart
from dashboard.briefing.view_sheet import read_source
from dashboard.pages.trends import breaks, summary
from dashboard.pages.trends.drawing import draw_trend
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, list_levels, name_regions
from dashboard.site.text import _
from dashboard.widgets import address
from risk.model.breaks import Break, read_breaks

_WIDE = 600


def make_sheet(site: Site, current: CurrentRelease) -> Sheet | None:
    """Return the sheet of the areas, pathway and measure in the address; None where there is nothing to draw."""
    if "encounters" not in list_levels(current):
        return None
    names, pathways = summary.name_others(current), summary.name_pathways(current)
    area = address.find_area(current, name_regions(current), summary.find_first_area(current))
    pathway, shown, beside = summary.EVERY, summary.CHILDREN, summary.NOBODY
    accepted: Sequence[Break] = ()
    if current.tier == "partner":
        pathway = address.read_pathway(list(pathways))
        shown = address.read_choice("trend", list(summary.name_measures(current)))
        beside, accepted = address.read_choice("beside", list(names)), read_breaks(site.derived)
    areas = [area, *([beside] if beside not in (summary.NOBODY, area) else [])]
    most = summary.find_most(current, areas, pathway)
    drawings, signs = [], list[str]()
    for code in areas:
        if drawn := draw_trend(site, current, accepted, code, pathway, shown, most):
            chart, named = drawn
            titled = chart.properties(width=_WIDE, title=names[code])
            drawings.append(draw_chart(titled, summary.list_cells(current, code, pathway, shown)))
            signs += named
    if not drawings:
        return None
    measure = summary.name_measures(current)[shown] if shown == summary.SHARE else pathways[pathway]
    return Sheet(
        drawings,
        [LegendPart(measure, _name_unit(shown), _list_rows(signs), _list_sources(current, shown))],
        current.release.invented,
        " · ".join([_("Trends"), names[area]]),
        breaks.list_latest_changes(current, accepted, area, pathway) if current.tier == "partner" else [],
    )


def _list_rows(signs: Sequence[str]) -> list[LegendRow]:
    """Return what the signs mean, each sign before its words."""
    pairs = (words.partition(" ") for words in dict.fromkeys(signs))
    return [LegendRow("#1D2433", words, sign=sign) for sign, _space, words in pairs if not sign[0].isalpha()]


def _name_unit(shown: str) -> str:
    return _("95 % interval") if shown == summary.SHARE else _("children identified or met, with the bounds of each")


def _list_sources(current: CurrentRelease, shown: str) -> Sequence[str]:
    layers = ["risk"] if shown == summary.SHARE else ["encounters", "effort"]
    return [*dict.fromkeys(source for layer in layers if (source := read_source(current, layer)))]
