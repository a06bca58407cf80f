"""The Reallocate page: a sentence that asks, the verdict, the map with the moves beside it, and folded parts below."""

from __future__ import annotations

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend
from dashboard.map.shapes import describe_shapes
from dashboard.narrative import area_plan
from dashboard.narrative import plan as narrative
from dashboard.narrative.judgement import Amount, judge_area, list_risen
from dashboard.pages.reallocate import cards, drawers, forms, planner, render, saved, session
from dashboard.pages.reallocate import map as move_map
from dashboard.pages.reallocate.session import Workplace
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown, html
from dashboard.widgets import address, markup, page_frame
from data.errors import InputError, ReleaseError
from risk.planning.clashes import RulesClash
from risk.planning.inputs import NoPosts, Setting
from risk.planning.saved import SavedPlans, list_saved_plans
from risk.planning.summary import PlanSummary

__all__ = ["show"]


def show() -> None:
    """Show the page; all content that changes is inside a part that is drawn again by itself."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    with st.container(key="reallocate"):
        st.title(_("Reallocate"), anchor=False)
    if current.tier == "public":
        page_frame.show_text(
            _("Plans need the partner tier. The public tier has classes of outreach days alone, and no staff.")
        )
        return
    page_frame.show_part(_show_page, current)


def _show_page(current: CurrentRelease) -> None:
    plans = list_saved_plans(read_site().plan_folders, current.release)
    if not session.open_from_address(plans.plans):
        st.warning(_("The saved plan in the address was not found. A new plan is shown."))
    if plans.damaged:
        warning = _("Saved plans that are damaged or were not made by this program are left out: {names}.")
        st.warning(escape_markdown(warning.format(names=", ".join(plans.damaged))))
    with st.container(key="asking"):
        setting = forms.ask_setting(current)
        work = session.read_workplace(setting.level)
    answer = st.container(border=True, key="answer")
    with st.container(key="planning"):
        left, right = st.columns([58, 42], gap="small")
    with left:
        box = st.container(key="mapbox")
    words = box.empty()
    words.html(render.render_waiting(_("The map comes with the plan.")))
    with answer:
        plan = _show_answer(current, plans, work, setting)
    if plan is None:
        words.html(render.render_waiting(_("Without a plan there is no map.")))
    else:
        with box:
            _show_map(current, plan)
        words.empty()
        with left:
            _show_area(current, plan)
        with right:
            cards.show_moves(current, plan)
    with st.container(key="drawers"):
        drawers.show_drawers(current, plans, work, setting, plan)


def _show_answer(current: CurrentRelease, plans: SavedPlans, work: Workplace, setting: Setting) -> PlanSummary | None:
    """Compute and show the plan; if it cannot be made, show why and what to do, and return None."""
    t = planner.speak(current)
    try:
        with st.spinner(_("Calculating the plan. The first plan of a release takes about a minute.")):
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
        return None
    except NoPosts:
        page_frame.show_no_posts()
        return None
    except (InputError, ReleaseError) as error:
        st.error(escape_markdown(str(error)))
        return None
    st.html(render.render_verdict(t, plan, list_risen(current)))
    if changes := saved.word_changes(t, plans.plans, work, setting, plan):
        st.warning(changes)
    with st.container(horizontal=True, vertical_alignment="center", key="keeping"):
        saved.offer_briefing(current, plans, work, setting, plan)
        with st.popover(_("Save")):
            saved.ask_to_save(current, plans, work, setting)
        st.html(html('<p class="sharing"><button class="copy">{}</button></p>', _("Share")), width="content")
    return plan


def _show_map(current: CurrentRelease, plan: PlanSummary) -> None:
    views = {name: _(words) for name, words in move_map.VIEWS.items()}
    view = address.pick_segment("when", _("Show"), views)
    live_map.show_map(describe_shapes(current, in_page=True), move_map.describe_view(current, plan, view))
    layer = move_map.describe_layer(current, plan, view)
    st.html(legend.render_legend([layer], more=move_map.word_arrows(plan)))


def _show_area(current: CurrentRelease, plan: PlanSummary) -> None:
    """Show what the plan does in the chosen area, why it does not do more, and what would change that."""
    t = planner.speak(current)
    area = address.find_area(current, {row.area: "" for row in plan.coverage}, "")
    judged = judge_area(current, area)
    needs: dict[str, Amount | None] = {}
    if judged is not None:
        needs = {"all": judged.need, **{name: burden.amount for name, burden in judged.burdens.items()}}
    words = area_plan.word_area_plan(t, plan, area, needs.get(plan.setting.pathway))
    st.html(render.render_area(t, area, words))
