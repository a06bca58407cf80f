"""The Programme page as markup and charts: matrix of services, expected results, hand-over, share of the state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd
from markupsafe import Markup

from dashboard.pages.programme import engaged, results, summary
from dashboard.pages.programme.results import Result, Verdict
from dashboard.pages.programme.summary import CARRIERS, Number
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import (
    _,
    cache_by_language,
    capitalise,
    format_number,
    format_period,
    format_plural,
    html,
    join_markup,
)

_STATE, _HEIGHT = "#0F6B66", 180
_NOTHING = Number("")


def render_bullet(reached: float, target: float) -> Markup:
    """Return a bar for the value that is reached, with a mark at the target.

    Empty if a value is NaN, or if the target is not above 0.
    """
    if math.isnan(reached) or not target > 0:
        return Markup("")
    most = max(reached, target)
    words = _("{reached} reached, target {target}", reached=format_number(reached), target=format_number(target))
    return html(
        '<i class="bullet" role="img" aria-label="{}" title="{}"><b style="width:{}%"></b><s style="left:{}%"></s></i>',
        words,
        words,
        f"{100 * reached / most:.0f}",
        f"{100 * target / most:.0f}",
    )


@cache_by_language(maxsize=64)
def render_matrix(current: CurrentRelease, area: str, period: str) -> Markup:
    """Return the matrix of axes by duty bearers for the country of `area`.

    A cell has services, places and the target; the last column has the children met in `period`, the last row the
    number of counties or regions where a duty bearer has a service of prevention or coordination. Raises KeyError if
    the release has no services by axis and duty bearer.
    """
    country = summary.find_country(current, area)
    services, places = (summary.read_cells(current, measure, country) for measure in ("services", "capacity"))
    listed, children = results.read_results(current, country), summary.read_children(current, country, period)
    bearers, quarter = summary.name_bearers(), summary.find_last_quarter(current)
    met = _("Children met, {when}", when=format_period(period))
    head = join_markup(html('<th scope="col">{}</th>', name) for name in [*bearers.values(), met])
    rows = [
        html(
            '<tr><th scope="row">{}</th>{}<td class="sum">{}{}</td></tr>',
            name,
            join_markup(
                _render_cell(
                    services[axis, bearer],
                    places.get((axis, bearer), _NOTHING),
                    results.find_goal(listed, quarter, axis, bearer, "services"),
                )
                for bearer in bearers
            ),
            children.get(axis, _NOTHING).words,
            _render_reach(results.find_goal(listed, quarter, axis, "", "people")),
        )
        for axis, name in summary.name_axes().items()
    ]
    areas = engaged.count_engaged(current, country)
    foot = join_markup(_render_engaged(areas.get(bearer)) for bearer in bearers)
    return html(
        '<div class="matrix doers" tabindex="0" role="region" aria-label="{}"><table>'
        "<thead><tr><td></td>{}</tr></thead>"
        '<tbody>{}</tbody><tfoot><tr><th scope="row">{}</th>{}<td></td></tr></tfoot></table></div>',
        _("Services by axis and duty bearer"),
        head,
        join_markup(rows),
        _("Areas where engaged"),
        foot,
    )


def _render_cell(services: Number, places: Number, goal: Result | None) -> Markup:
    if not services.known:
        short = _("withheld") if services.state == "withheld" else services.words
        return html('<td class="quiet" title="{}">{}</td>', services.words, short)
    if services.words == "0" and goal is None:
        return html('<td class="quiet">{}</td>', _("none"))
    return html(
        "<td><strong>{}</strong> <small>{}</small>{}</td>",
        services.words,
        format_plural("{n} place", "{n} places", int(places.value), n=places.words) if places.value > 0 else "",
        render_bullet(services.value, goal.target) if goal and services.state == "number" else "",
    )


def _render_reach(result: Result | None) -> Markup:
    if result is None:
        return Markup("")
    reported = _(
        "reported: {n} of {target} {unit}", n=result.words, target=format_number(result.target), unit=result.unit
    )
    return html("<small>{}</small>{}", reported, render_bullet(result.value, result.target))


def _render_engaged(areas: tuple[int, int] | None) -> Markup:
    if areas is None:
        return html("<td></td>")
    return html("<td>{}</td>", _("{n} of {total}", n=format_number(areas[0]), total=format_number(areas[1])))


def tabulate_matrix(current: CurrentRelease, area: str) -> pd.DataFrame:
    """Return the matrix for the country of `area` as a table of words, a row for each axis and duty bearer."""
    country = summary.find_country(current, area)
    services, places = (summary.read_cells(current, measure, country) for measure in ("services", "capacity"))
    listed, axes, bearers = results.read_results(current, country), summary.name_axes(), summary.name_bearers()
    rows, quarter = [], summary.find_last_quarter(current)
    for axis, bearer in services:
        goal = results.find_goal(listed, quarter, axis, bearer, "services")
        rows.append(
            (
                axes[axis],
                bearers[bearer],
                services[axis, bearer].words,
                places.get((axis, bearer), _NOTHING).words,
                format_number(goal.target) if goal else "",
            )
        )
    head = [_("Axis"), _("Duty bearer"), _("Services"), _("Places"), _("Target, services")]
    return pd.DataFrame(rows, columns=head)


def render_results(listed: Sequence[Result]) -> Markup:
    """Return expected results as a table in groups by axis; within each, late results come first."""
    axes = {**summary.name_axes(), "": _("Programme")}
    order: Mapping[Verdict, int] = {"late": 0, "cannot_tell": 1, "on_course": 2}
    groups = [
        (name, sorted((r for r in listed if r.axis == a), key=lambda r: order[r.verdict])) for a, name in axes.items()
    ]
    columns = [_("Expected result"), _("Baseline"), _("Latest"), _("Target"), "", _("Verdict"), _("Date"), _("Source")]
    head = join_markup(html('<th scope="col">{}</th>', name) for name in columns)
    parts = [
        html(
            '<tr class="group"><th scope="rowgroup" colspan="8">{}</th></tr>{}',
            name,
            join_markup(_render_result(result) for result in group),
        )
        for name, group in groups
        if group
    ]
    return html(
        '<div class="wordtable wide results"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        head,
        join_markup(parts),
    )


def _render_result(result: Result) -> Markup:
    bearer = summary.name_bearers().get(result.bearer, "")
    cells = [
        (_("Baseline"), result.baseline),
        (_("Latest"), result.words),
        (_("Target"), format_number(result.target)),
        ("", render_bullet(result.value, result.target)),
        (_("Verdict"), html('<em class="{}">{}</em>', result.verdict, _(results.VERDICTS[result.verdict]))),
        (_("Date"), format_period(result.period.id)),
        (_("Source"), result.source),
    ]
    return html(
        '<tr><th scope="row">{}<small>{}</small></th>{}</tr>',
        capitalise(result.unit),
        bearer or (_("protected as a count of children") if result.counts == "people" else ""),
        join_markup(html('<td data-label="{}">{}</td>', name, cell) for name, cell in cells),
    )


def render_board(board: Mapping[str, Number]) -> Markup:
    """Return a card for each carrier of services with its name, its number of services, and its meaning.

    board : the number of services by carrier.
    """
    words, meaning = summary.name_carriers(), summary.explain_carriers()
    return html(
        '<ol class="board">{}</ol>',
        join_markup(
            html("<li><h3>{}</h3><b>{}</b><p>{}</p></li>", words[carrier], board[carrier].words, meaning[carrier])
            for carrier in CARRIERS
            if carrier in board
        ),
    )


def draw_state_share(rows: pd.DataFrame) -> alt.LayerChart:
    """Return a chart by quarter of the share, in per cent, of services of prevention and coordination the state runs.

    rows : as `read_state_share` returns them.
    """
    title = _("Share of the services of prevention and coordination that the state carries, %")
    base = alt.Chart(rows).encode(
        x=alt.X(
            "end:O", sort=list(rows["end"]), axis=alt.Axis(title=None, labelAngle=0, labelOverlap=True, ticks=False)
        ),
        y=alt.Y(
            "share:Q",
            scale=alt.Scale(domain=[0, 100]),
            axis=alt.Axis(title=None, values=[0, 25, 50, 75, 100], domain=False),
        ),
        tooltip=[alt.Tooltip("label:N", title=_("quarter")), alt.Tooltip("words:N", title=_("services"))],
    )
    line = base.mark_line(color=_STATE, strokeWidth=2)
    dots = base.mark_circle(color=_STATE, size=46, opacity=1)
    return alt.LayerChart(layer=[line, dots], height=_HEIGHT, title=title, description=title)
