"""The Flows page: where children who were met came from, where they were taken, and internal trafficking's share."""

from __future__ import annotations

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend
from dashboard.map.shapes import describe_shapes
from dashboard.narrative.risk import name_pathways
from dashboard.narrative.shift import list_shifts
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.flows import chart, returns, summary
from dashboard.pages.flows import map as flow_map
from dashboard.pages.flows.summary import EVERY, FlowChoice
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, read_country_names
from dashboard.site.text import _
from dashboard.widgets import address, markup, page_frame, stages
from dashboard.widgets.chart import describe_chart, show_chart


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    with st.container(key="flows"):
        st.title(_("Flows"), anchor=False)
    if current.tier == "public":
        _show_public(current)
    elif periods := current_release.name_periods(current, "flows", "region", "origin"):
        page_frame.show_part(_show_flows, current, periods)
        _show_shares(current)
    else:
        page_frame.show_text(
            _("This release has no flows."),
            _(
                "A data officer can import encounters with their municipalities of origin and destination, see that "
                "flows are in the policy, and make a release."
            ),
        )


def _show_flows(current: CurrentRelease, periods: dict[str, str]) -> None:
    pathway = address.read_pathway([EVERY, *name_pathways()])
    area = address.find_area(current, summary.name_areas(current), EVERY)
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        period = address.pick_from_menu("time", _("Period"), periods, next(iter(periods)))
    choice = FlowChoice(period, pathway, area)
    st.html(markup.render_lead(summary.find_answer(current, choice)))
    left, right = st.columns((1.7, 1), gap="medium")
    with left, st.container(key="mapbox"):
        live_map.show_map(describe_shapes(current, in_page=True), flow_map.describe_view(current, choice))
        st.html(legend.render_legend([], more=flow_map.render_legend(current, choice)))
    with right:
        page_frame.show_text(summary.describe_reach(current, choice))
        st.html(markup.render_definitions(summary.list_totals(current, choice)))
        if flows := summary.list_largest(current, choice):
            st.html(flow_map.render_largest(flows))
    with st.expander(_("Table: a flow in each row")):
        st.dataframe(summary.tabulate_flows(current, choice), hide_index=True)
    st.header(_("From where to where"), anchor=False)
    st.html(flow_map.render_matrix(current, choice))
    _show_returns(current, choice)
    st.header(_("At which stage children were first met"), anchor=False)
    shown = read_country_names(current) if area == EVERY else {area: summary.name_areas(current)[area]}
    st.html(stages.render_stages(stages.read_stages(current, shown, period)))


def _show_returns(current: CurrentRelease, choice: FlowChoice) -> None:
    st.header(_("Returns"), anchor=False)
    table = returns.tabulate_returns(current, choice.period, choice.pathway)
    if table.empty:
        page_frame.show_text(
            _(
                "This release was made without returns. A data officer can add “returns” by “return_way” to "
                "policy.toml (docs/policy.md) and make a release."
            )
        )
        return
    page_frame.show_text(
        returns.describe_returns(current, choice.period, choice.pathway),
        _("Above, such a child counts in the flow that brought it there, not in one back."),
    )
    st.html(markup.render_table(table))


def _show_shares(current: CurrentRelease) -> None:
    st.header(_("Is internal trafficking a larger part than before?"), anchor=False)
    if current_release.read_risk_manifest(current) is None:
        page_frame.show_no_risk()
        return
    sentences, shares = list_shifts(speak_to_reader(current), current), summary.read_shares(current)
    if not sentences:
        page_frame.show_text(_("Two complete years of Durrës or Tirana are needed to compare."))
        return
    st.html(markup.render_list(sentences))
    if len(shares):
        show_chart(describe_chart(chart.draw_shares(shares)))
        with st.expander(_("Table: the share in each year")):
            st.html(markup.render_table(summary.tabulate_shares(current)))


def _show_public(current: CurrentRelease) -> None:
    page_frame.show_text(
        _(
            "From where to where children were taken is not public: a small number between two areas could let "
            "somebody recognise a child. Partners see flows on their own tier."
        )
    )
    rows = summary.tabulate_pathways(current)
    if rows.empty:
        page_frame.show_text(_("This release has no children by pathway."))
        return
    st.header(_("Children met by pathway, whole programme"), anchor=False)
    st.html(markup.render_table(rows))
