"""The large chart of an area and the meaning of its signs, for the page and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dashboard.pages.trends import breaks, charts, summary
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, name_regions
from dashboard.site.text import _, cache_by_language
from dashboard.widgets.chart import describe_chart
from risk.model.breaks import Break

if TYPE_CHECKING:
    import altair as alt


def draw_trend(
    site: Site,
    current: CurrentRelease,
    accepted: Sequence[Break],
    area: str,
    pathway: str,
    shown: str,
    most: float | None = None,
) -> tuple[alt.LayerChart, list[str]] | None:
    """Return the chart of an area and texts on what its signs mean.

    None if the measure is the share of internal trafficking and the area has none. shown : the measure, see
    `summary.name_measures`. most : the upper end of the axis of children, if two charts share it.
    """
    if shown == summary.SHARE:
        shares = summary.read_share(current, area)
        return None if shares.empty else (charts.draw_share(shares), [_("Band: 95 % interval of the share.")])
    met = summary.read_met(current, area, pathway)
    every = [summary.read_met(current, code, pathway) for code in name_regions(current)]
    if current.tier == "public":
        return charts.draw_met(met, met.head(0), met.head(0), charts.Notes()), charts.list_signs(every)
    days, ahead = summary.read_effort(current, area), summary.read_expected(current, area, pathway)
    notes = charts.Notes(
        breaks.name_breaks(current, accepted, area, pathway),
        summary.list_releases(site, current),
        summary.find_effort_jumps(days),
    )
    return charts.draw_met(met, ahead, days, notes, most), charts.name_signs([*every, days], notes)


@cache_by_language(maxsize=512)
def describe_trend(
    site: Site,
    current: CurrentRelease,
    accepted: tuple[Break, ...],
    area: str,
    pathway: str,
    shown: str,
    most: float | None,
) -> tuple[dict[str, Any], list[str]] | None:
    """Return the result of `draw_trend` with the chart in the form for the browser. It is shared: never change it."""
    drawn = draw_trend(site, current, accepted, area, pathway, shown, most)
    return None if drawn is None else (describe_chart(drawn[0]), drawn[1])
