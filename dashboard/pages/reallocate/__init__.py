"""The Reallocate page: propose moves of units and their gain, decide on them, save and download the plan."""

from __future__ import annotations

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend
from dashboard.map.shapes import describe_shapes
from dashboard.narrative import plan as narrative
from dashboard.narrative.judgement import read_needs
from dashboard.narrative.moves import count_left, list_handover
from dashboard.pages.reallocate import forms, frontier, handover, planner, saved, session, summary
from dashboard.pages.reallocate import map as move_map
from dashboard.pages.reallocate.session import Workplace
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import address, markup, page_frame
from data.errors import InputError, ReleaseError
from geo.layers.communities import CAUTION
from risk.planning.clashes import RulesClash
from risk.planning.inputs import Setting
from risk.planning.saved import SavedPlans
from risk.planning.summary import PlanSummary

__all__ = ["show"]


def show() -> None:
    """Show the page; all content that changes is inside one fragment."""
    current = current_release.open_current_release(read_site())
    if current is None:
        page_frame.show_no_release()
        return
    st.title(_("Reallocate"), anchor=False)
    if current.tier == "public":
        st.html(markup.render_paragraphs([_(_PUBLIC)]))
        return
    st.html(markup.render_paragraphs([_(_QUESTION)]))
    st.fragment(_show_page)(current)


_QUESTION = (
    "Which outreach teams and services should move where, so that more children get help – or should nothing change?"
)
_PUBLIC = "Plans need the partner tier. The public tier has classes of outreach days alone, and no staff."


def _show_page(current: CurrentRelease) -> None:
    t, plans = planner.speak(current), saved.list_plans(current)
    if not session.open_from_address(plans.plans):
        st.warning(_("The saved plan in the address was not found. A new plan is shown."))
    if damaged := saved.word_damaged(plans):
        st.warning(escape_markdown(damaged))
    answer = st.container(border=True, key="answer")
    left, right = st.columns([13, 8], gap="medium")
    with right, st.container(key="choosing"):
        setting = forms.ask_setting()
    work = session.read_workplace(setting.level)
    with answer:
        plan = _make_plan(current, work, setting)
        if plan is not None and (changes := saved.word_changes(t, plans.plans, work, setting, plan)):
            st.warning(changes)
    if plan is not None:
        with left:
            _show_map(current, plan)
        _show_moves(current, plan)
    forms.list_decisions(current, work)
    if plan is not None:
        _show_details(current, work, setting, plan)
    _section(_("Current posts"))
    forms.ask_posts(current, work, setting.level)
    _show_saved(current, plans, work, setting if plan is not None else None)


def _make_plan(current: CurrentRelease, work: Workplace, setting: Setting) -> PlanSummary | None:
    """Compute and show the plan; if there is none, show why and what to do."""
    t = planner.speak(current)
    try:
        with st.spinner(_("Calculating the plan. The first plan of a release takes up to half a minute.")):
            plan = planner.compute_plan(
                current,
                work.posts,
                setting,
                work.decisions,
                session.name_author(forms.ANYBODY),
                title=_("Plan, not saved yet"),
                handover=work.handover,
            )
    except RulesClash as error:
        head, lines = narrative.word_clashes(t, error.clashes)
        st.html(markup.render_lead(head))
        st.html(markup.render_list(lines))
    except (InputError, ReleaseError) as error:
        st.error(escape_markdown(str(error)))
    else:
        verdict = narrative.word_verdict(t, plan)
        st.html(markup.render_lead(verdict.head))
        st.html(markup.render_definitions(summary.list_key_numbers(t, plan)))
        sentences = [verdict.text, verdict.warning, "" if plan.verdict.proven else narrative.word_time_up(t)]
        st.html(markup.render_paragraphs([" ".join(filter(None, sentences)), " ".join(summary.explain_measure(plan))]))
        return plan
    return None


def _show_map(current: CurrentRelease, plan: PlanSummary) -> None:
    views = {name: _(words) for name, words in move_map.VIEWS.items()}
    with st.container(key="mapbox"):
        view = address.pick_segment("when", _("Show"), views)
        live_map.show_map(describe_shapes(current, in_page=True), move_map.describe_view(current, plan, view))
        layer = move_map.describe_layer(current, plan, view)
        st.html(legend.render_legend([layer], more=move_map.word_arrows(plan)))


def _show_moves(current: CurrentRelease, plan: PlanSummary) -> None:
    _section(_("Moves"))
    if not plan.moves:
        st.html(markup.render_paragraphs([_("No move is proposed. All units stay where they are.")]))
        return
    st.html(markup.render_table(summary.tabulate_moves(planner.speak(current), plan)))
    st.caption(summary.explain_moves(plan))
    forms.ask_decision(current, plan)


def _show_details(current: CurrentRelease, work: Workplace, setting: Setting, plan: PlanSummary) -> None:
    t = planner.speak(current)
    if plan.moves:
        _section(_("When"))
        st.html(markup.render_table(summary.tabulate_quarters(t, plan)))
        st.caption(count_left(t, plan))
    with st.expander(_("Hand over to duty bearers"), expanded=bool(work.handover.tasks)):
        if lines := list_handover(t, plan):
            st.html(markup.render_list(lines))
        handover.ask_tables(current, work)
    _section(_("More moves, or fewer"))
    if st.toggle(_("Show the gain of more or fewer moves"), key="weigh"):
        _show_frontier(current, work, setting, plan)
    _section(_("Who is served"))
    st.html(markup.render_narrow(markup.render_table(summary.tabulate_groups(t, plan))))
    st.caption(_(CAUTION))
    by_level = {"region": _("By county and region"), "municipality": _("By municipality")}
    with st.expander(by_level[setting.level]):
        st.html(markup.render_table(summary.tabulate_areas(t, plan, read_needs(current, setting.pathway))))


def _show_frontier(current: CurrentRelease, work: Workplace, setting: Setting, plan: PlanSummary) -> None:
    with st.spinner(_("Comparing numbers of moves")):
        points = planner.compute_frontier(current, work.posts, setting, work.decisions)
    left, right = st.columns(2, gap="medium")
    left.altair_chart(frontier.draw_frontier(points, "moved", plan.verdict), width="stretch")
    right.altair_chart(frontier.draw_frontier(points, "cost", plan.verdict), width="stretch")
    st.caption(_("Filled: sure enough to advise. Hollow: not sure enough. Ring: the plan above. Lines: 95 % interval."))


def _show_saved(current: CurrentRelease, plans: SavedPlans, work: Workplace, setting: Setting | None) -> None:
    _section(_("Save, compare, briefing"))
    t = planner.speak(current)
    if setting is not None:
        saved.ask_to_save(current, work, setting)
    if not plans.plans:
        st.html(markup.render_paragraphs([_(_NONE_SAVED)]))
        return
    st.html(markup.render_table(saved.tabulate_plans(t, plans.plans)))
    saved.ask_to_open(plans.plans)
    if len(plans.plans) > 1:
        saved.show_comparison(t, plans.plans)
    _section(_("Briefing"))
    saved.show_briefing(current, plans.plans)


_NONE_SAVED = (
    "No plan is saved yet. Save this one to compare it with others, open it again, or download it as a "
    "briefing: two pages in English, Albanian or Greek, and pictures for slides."
)


def _section(title: str) -> None:
    st.header(title, anchor=False)
