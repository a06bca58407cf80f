"""The picture of the Flows page: its sentences, a map with arrows, and the share of internal trafficking by year."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dashboard.briefing.map import AreaShape
from dashboard.briefing.sheet import Drawing, LegendPart, LegendRow, Sheet, draw_areas, draw_chart
from dashboard.briefing.view_sheet import KNOWN, WIDER, draw_arrow, format_cell, read_source
from dashboard.narrative.risk import name_pathways
from dashboard.narrative.shift import list_shifts
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.flows import chart, summary
from dashboard.pages.flows import map as flow_map
from dashboard.pages.flows.summary import EVERY, FlowChoice
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, load_areas, name_periods, name_regions, read_area_names
from dashboard.site.text import _, format_period
from dashboard.widgets import address


def make_sheet(_site: Site, current: CurrentRelease) -> Sheet | None:
    """Return the sheet of the flows in the address; None on the public tier, or if the release has no flows."""
    periods = name_periods(current, "flows", "region", "origin")
    if current.tier == "public" or not periods:
        return None
    pathway = address.read_pathway([EVERY, *name_pathways()])
    area = address.find_area(current, summary.name_areas(current), EVERY)
    choice = FlowChoice(address.read_choice("time", list(periods)), pathway, area)
    heading = [_("Flows"), *([name_pathways()[pathway]] if pathway != EVERY else [])]
    heading += [str(read_area_names(current)[area])] if area != EVERY else []
    shares, answer = summary.read_shares(current), summary.find_answer(current, choice)
    drawings, legend = [_draw_flows(current, choice)], [_make_legend(current, choice)]
    if len(shares):
        drawings.append(draw_chart(chart.draw_shares(shares)))
        shifts = [*list_shifts(speak_to_reader(current), current), read_source(current, "risk")]
        legend.append(LegendPart(_("Is internal trafficking a larger part than before?"), "", [], shifts))
    sentences = [answer, summary.describe_reach(current, choice)]
    return Sheet(drawings, legend, current.release.invented, " · ".join(heading), sentences)


def _draw_flows(current: CurrentRelease, choice: FlowChoice) -> Drawing:
    areas, names = load_areas(current.release), read_area_names(current)
    codes = list(name_regions(current))
    flows = zip(flow_map.draw_arrows(current, choice), flow_map.list_drawn(current, choice), strict=True)
    over = [draw_arrow(arrow, _describe_cell(row, choice.period)) for arrow, row in flows]
    named = {code: str(names[code]) for code in codes}
    return draw_areas(areas, "region", dict.fromkeys(codes, AreaShape(KNOWN)), named, over=over)


def _describe_cell(row: Mapping[Any, Any], period: str) -> dict[str, str]:
    cell = {name: str(row[name]) for name in ("area", "origin", "state")}
    numbers = {name: float(row[name]) for name in ("value", "margin")}
    return {**cell, "period": period, **{name: format_cell(n) for name, n in numbers.items() if not math.isnan(n)}}


def _make_legend(current: CurrentRelease, choice: FlowChoice) -> LegendPart:
    drawn = summary.read_flows(current, choice).drawn
    widths = flow_map.list_widths(drawn)
    rows = [LegendRow("#1D2433", words, line=WIDER * width) for width, words in widths]
    rows += [LegendRow(colour, words) for colour, words in flow_map.list_kinds(drawn)]
    notes = [summary.describe_rest(current, choice), flow_map.word_loop(drawn), read_source(current, "encounters")]
    return LegendPart(_("Children met"), format_period(choice.period), rows, notes)
