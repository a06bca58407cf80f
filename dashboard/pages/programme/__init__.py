"""The Programme page: who does what, expected results, hand-over to the state, and children by stage."""

from __future__ import annotations

import streamlit as st

from dashboard.pages.programme import engaged, render, results, summary
from dashboard.pages.programme.advocacy import show_advocacy
from dashboard.pages.programme.targets import describe_targets, show_targets
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, read_country_names
from dashboard.site.text import _, format_period
from dashboard.widgets import address, markup, page_frame, stages
from dashboard.widgets.chart import describe_chart, show_chart


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    with st.container(key="programme"):
        st.title(_("Programme"), anchor=False)
    periods = current_release.name_periods(current, "children", "country", "stage")
    if not periods:
        page_frame.show_text(_("This release has only published figures, nothing of the programme."))
        return
    page_frame.show_part(_show_programme, current, periods)


def _show_programme(current: CurrentRelease, periods: dict[str, str]) -> None:
    areas = summary.name_areas(current)
    area = address.find_area(current, areas, "")
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        if not area:  # of both countries, one at a time
            area = address.pick_segment("country", _("Country"), read_country_names(current))
        period = address.pick_from_menu("time", _("Period"), periods, next(iter(periods)))
    if current.tier == "public":
        _show_public(current, area, period)
    else:
        _show_partner(current, area, period)
    show_targets(current)
    st.header(_("Stage at which children were first met"), anchor=False)
    st.html(stages.render_stages(stages.read_stages(current, {area: areas[area]}, period)))


def _show_partner(current: CurrentRelease, area: str, period: str) -> None:
    country = summary.find_country(current, area)
    answers = [
        describe_targets(current),
        results.describe_verdicts(current, country),
        summary.describe_state_share(current, country),
    ]
    st.html(markup.render_lead(" ".join(filter(None, answers))))
    name = summary.name_areas(current)[country]
    quarter = summary.find_last_quarter(current)
    when = format_period(quarter.id) if quarter else ""
    st.header(_("Who does what in {country}: services of {when}", country=name, when=when), anchor=False)
    if summary.read_cells(current, "services", country):
        st.html(render.render_matrix(current, area, period))
        page_frame.show_text(
            _(
                "A cell: services, places, a bar of services with the target. Withheld: fewer than three operators, "
                "possibly none, or another number would follow. Children: by the axis of their first encounter."
            )
        )
        with st.expander(_("Table: services, places and targets")):
            st.dataframe(render.tabulate_matrix(current, area), hide_index=True)
        with st.expander(_("Table: duty bearers engaged, by area and quarter")):
            st.dataframe(engaged.tabulate_engaged(current, country), hide_index=True)
    else:
        page_frame.show_text(_(_NO_TABLES))
    _show_results(current, area)
    _show_handover(current, area)
    show_advocacy(current, country)


_NO_TABLES = (
    "This release was made without services by axis and duty bearer. A data officer can add the breakdowns "
    "“axis and duty_bearer” and “carrier” to policy.toml (docs/policy.md) and make a release."
)


def _show_results(current: CurrentRelease, area: str) -> None:
    st.header(_("Expected results"), anchor=False)
    if not results.has_indicators(current):
        page_frame.show_text(
            _(
                "This release has no indicators. A data officer can import a file of indicators, one row for each "
                "value with its target, and make a release:"
            )
        )
        st.code("tact import FILE --kind indicator\ntact release", language=None)
        return
    listed = results.read_results(current, area)
    if not listed:
        page_frame.show_text(
            _(
                "No indicator is shown for this area. Choose a country: counties and regions show indicators of "
                "prevention and coordination alone, if partners gave any."
            )
        )
        return
    st.html(render.render_results([result for result in listed if not (result.axis and result.bearer)]))
    if of_bearers := [result for result in listed if result.axis and result.bearer]:
        with st.expander(_("Services of each duty bearer, with targets")):
            st.html(render.render_results(of_bearers))


def _show_handover(current: CurrentRelease, area: str) -> None:
    st.header(_("Hand-over to the state: prevention and coordination"), anchor=False)
    board = summary.read_totals(current, area, "carrier")
    if not board:
        page_frame.show_text(_(_NO_TABLES))
        return
    st.html(render.render_board(board))
    shares = summary.read_state_share(current, area)
    if shares["share"].notna().any():
        show_chart(describe_chart(render.draw_state_share(shares)), width="stretch")
    with st.expander(_("Table: the board of each area")):
        st.dataframe(summary.tabulate_board(current, summary.find_country(current, area)), hide_index=True)


def _show_public(current: CurrentRelease, area: str, period: str) -> None:
    if lead := describe_targets(current):
        st.html(markup.render_lead(lead))
    page_frame.show_text(
        _(
            "The public tier shows services in ranges and children by axis. Indicators, places, targets and hand-over "
            "are for partners."
        )
    )
    st.header(_("The five axes"), anchor=False)
    st.html(markup.render_table(summary.tabulate_axes(current, area, period)))
