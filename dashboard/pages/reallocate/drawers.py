"""The folded parts of the Reallocate page: when, hand-over, who is served, posts, saved plans."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative.judgement import read_needs
from dashboard.narrative.moves import count_left, list_handover
from dashboard.narrative.plan_places import list_outings
from dashboard.pages.reallocate import forms, frontier, handover, planner, saved, summary
from dashboard.pages.reallocate.session import Workplace
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from dashboard.widgets import markup
from dashboard.widgets.chart import describe_chart, show_chart
from geo.layers.communities import CAUTION
from risk.planning.inputs import Setting
from risk.planning.saved import SavedPlans
from risk.planning.summary import PlanSummary


def show_drawers(
    current: CurrentRelease, plans: SavedPlans, work: Workplace, setting: Setting, plan: PlanSummary | None
) -> None:
    """Show all folded parts; without a plan only posts and saved plans, which help to get one."""
    if plan is not None:
        t = planner.speak(current)
        _show_when(current, plan)
        with st.expander(_("Hand over to duty bearers"), expanded=bool(work.handover.tasks)):
            if lines := list_handover(t, plan):
                st.html(markup.render_list(lines))
            handover.ask_tables(current, work)
        with st.expander(_("Who is served")):
            st.html(markup.render_narrow(markup.render_table(summary.tabulate_groups(t, plan))))
            st.caption(_(CAUTION))
        by_level = {"region": _("By county and region"), "municipality": _("By municipality")}
        with st.expander(by_level[setting.level]):
            st.html(markup.render_table(summary.tabulate_areas(t, plan, read_needs(current, setting.pathway))))
        with st.expander(_("Moves as a table")):
            st.html(markup.render_table(summary.tabulate_moves(t, plan)))
            st.caption(summary.explain_moves(plan))
        with st.expander(_("More moves, or fewer")):
            if st.toggle(_("Show the gain of more or fewer moves"), key="weigh"):
                _show_frontier(current, work, setting, plan)
    with st.expander(_("Current posts")):
        forms.ask_posts(current, work, setting.level)
    saved.show_saved(current, plans)


def _show_when(current: CurrentRelease, plan: PlanSummary) -> None:
    if not plan.moves:
        return
    t = planner.speak(current)
    with st.expander(_("When: four quarters")):
        st.html(markup.render_table(summary.tabulate_quarters(t, plan)))
        if outings := list_outings(t, plan):
            st.html(markup.render_list(outings))
        st.caption(count_left(t, plan))


def _show_frontier(current: CurrentRelease, work: Workplace, setting: Setting, plan: PlanSummary) -> None:
    with st.spinner(_("Comparing numbers of moves")):
        points = planner.compute_frontier(current, work.posts, setting, work.decisions)
    left, right = st.columns(2, gap="medium")
    for column, axis in ((left, "moved"), (right, "cost")):
        with column:
            show_chart(describe_chart(frontier.draw_frontier(points, axis, plan.verdict)), width="stretch")
    st.caption(_("Filled: “Do it”. Hollow: not. Ring: the plan above. Lines: 95 % interval."))
    st.html(markup.render_table(frontier.tabulate_words(planner.speak(current), points)))
