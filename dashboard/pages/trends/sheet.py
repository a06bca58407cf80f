"""The picture of the Trends page: the chart of the chosen area, that of a second area, small pictures of all areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard.briefing.sheet import Drawing, LegendPart, LegendRow, Sheet, draw_cells, draw_chart, write_line
from dashboard.briefing.view_sheet import read_source
from dashboard.narrative.evaluation import warn_of_model
from dashboard.pages.trends import breaks, cells, summary
from dashboard.pages.trends.drawing import draw_trend
from dashboard.pages.trends.multiples import AreaCell, Badge
from dashboard.pages.trends.view import TrendView, read_view
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, list_levels, read_country_names, read_risk_manifest
from dashboard.site.text import _
from risk.model.breaks import Break, read_breaks

_WIDE = 600
_ACROSS, _CELL, _GAP = 5, (188, 100), 12  # small pictures in a row, their width and height, and the gap between them
_INK, _MUTED = "#1D2433", "#5B6575"


def make_sheet(site: Site, current: CurrentRelease) -> Sheet | None:
    """Return the sheet of the areas, pathway and measure in the address; None if there is nothing to draw."""
    if "encounters" not in list_levels(current):
        return None
    view, names = read_view(current), summary.name_others(current)
    accepted = read_breaks(site.derived) if current.tier == "partner" else ()
    most = summary.find_most(current, view.areas, view.pathway)
    drawings, signs = [], list[str]()
    for code in view.areas:
        if drawn := draw_trend(site, current, accepted, code, view.pathway, view.measure, most):
            chart, meanings = drawn
            titled = chart.properties(width=_WIDE, title=names[code])
            behind = summary.list_cells(current, code, view.pathway, view.measure, with_forecast=True)
            drawings.append(draw_chart(titled, behind))
            signs += meanings
    if not drawings:
        return None
    badges = cells.judge_changes(current, accepted, view.pathway) if current.tier == "partner" else {}
    drawings.append(_draw_multiples(current, accepted, badges, view))
    is_share = view.measure == summary.SHARE
    title = summary.name_measures(current)[view.measure] if is_share else summary.name_pathways(current)[view.pathway]
    unit = _("95 % interval") if is_share else _("children identified or met, with the bounds of each")
    sources = [read_source(current, layer) for layer in (["risk"] if is_share else ["encounters", "effort"])]
    return Sheet(
        drawings,
        [LegendPart(title, unit, _list_rows(signs), list(dict.fromkeys(filter(None, sources))))],
        current.release.invented,
        " · ".join([_("Trends"), names[view.area]]),
        _list_sentences(current, accepted, badges, view) if current.tier == "partner" else [],
    )


def _list_sentences(
    current: CurrentRelease, accepted: Sequence[Break], badges: Mapping[str, Badge], view: TrendView
) -> list[str]:
    """Return the first sentences of the page, then the sentences on the chosen area."""
    manifest = read_risk_manifest(current)
    first = [cells.find_answer(current, badges), warn_of_model(manifest.evaluation if manifest else None)]
    return [*filter(None, first), *breaks.list_latest_changes(current, accepted, view.area, view.pathway)]


def _draw_multiples(
    current: CurrentRelease, accepted: Sequence[Break], badges: Mapping[str, Badge], view: TrendView
) -> Drawing:
    """Return a drawing of the small pictures of all areas, in a group for each country below the country's name."""
    listed, parts = cells.list_multiples(current, accepted, badges, view.pathway, view.measure), list[str]()
    down = 0.0
    for country, name in read_country_names(current).items():
        inside = [cell for cell in listed if cell.country == country]
        parts.append(write_line(name, 0, down + 20, 19, _INK, bold=True))
        down += 32
        for place, cell in enumerate(inside):
            x, y = (place % _ACROSS) * (_CELL[0] + _GAP), down + (place // _ACROSS) * (_CELL[1] + _GAP)
            behind = summary.list_cells(current, cell.area, view.pathway, view.measure)
            parts.append(f'<g transform="translate({x:.0f} {y:.0f})">{_draw_multiple(cell)}{draw_cells(behind)}</g>')
        down += -(-len(inside) // _ACROSS) * (_CELL[1] + _GAP) + 8
    wide = _ACROSS * (_CELL[0] + _GAP)
    size = f'width="{wide:.0f}" height="{down:.0f}" viewBox="-14 0 {wide:.0f} {down:.0f}"'
    return Drawing(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>', wide, down)


def _draw_multiple(cell: AreaCell) -> str:
    """Return a small picture with the name of its area, its change and its scale, as SVG."""
    wide, high = _CELL[0] - 22, _CELL[1] - 38
    picture = cell.picture.replace("<svg ", f'<svg x="20" y="36" width="{wide}" height="{high}" ', 1)
    name = write_line(cell.name, 0, 14, min(14.0, 2 * _CELL[0] / len(cell.name)), _INK, bold=True)
    return (
        f"{name}{write_line(cell.badge.words, 0, 30, 13, _MUTED)}{write_line(cell.scale, 0, 46, 12, _MUTED)}{picture}"
    )


def _list_rows(signs: Sequence[str]) -> list[LegendRow]:
    """Return a row of the legend for each text that begins with a sign; equal texts have one row."""
    pairs = (words.partition(" ") for words in dict.fromkeys(signs))
    return [LegendRow("#1D2433", words, sign=sign) for sign, _space, words in pairs if not sign[0].isalpha()]
