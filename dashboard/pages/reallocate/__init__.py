"""Which units to move where, what that would bring, and whether to move any: decided, kept, taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend
from dashboard.map.shapes import describe_shapes
from dashboard.pages.reallocate import forms, frontier, handover, made, saved, served, session, summary
from dashboard.pages.reallocate import map as move_map
from dashboard.pages.reallocate.session import Desk
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import address, markup, page_frame
from data.errors import InputError, ReleaseError
from data.release.result import Result
from geo.layers.communities import CAUTION
from risk.planning import RulesClash
from risk.planning.inputs import Setting

__all__ = ["show"]

Told = Mapping[str, Any]


def show() -> None:
    """Draw the page; what changes is within one fragment."""
    current = current_release.open_current_release(read_site())
    if current is None:
        page_frame.show_no_release()
        return
    st.title(_("Reallocate"), anchor=False)
    if current.tier == "public":
        st.html(markup.render_paragraphs([_(_PUBLIC)]))
        return
    st.html(markup.render_paragraphs([_(_QUESTION)]))
    st.fragment(_page)(current)


_QUESTION = "Which units should move where, so that the need of more children is met – or should none move?"
_PUBLIC = (
    "Plans are made of the partner tier: the public one holds neither outreach nor staff, so there is "
    "nothing to plan with here."
)


def _page(current: CurrentRelease) -> None:
    found = saved.kept(current)
    if not session.arrive(found):
        st.warning(_("The plan that the address names is not kept here. Shown is a new one."))
    desk = session.desk()
    answer = st.container(border=True, key="answer")
    left, right = st.columns([13, 8], gap="medium")
    with right, st.container(key="choosing"):
        setting = forms.choices()
    with answer:
        told = _made(current, desk, setting)
        if told is not None and (changed := saved.drifted(found, desk, setting, told)):
            st.warning(changed)
    if told is not None:
        with left:
            _map(current, told)
        _moves(current, told)
    forms.undo(current, desk)
    if told is not None:
        _around(current, desk, setting, told)
    _section(_("Today's posts"))
    forms.posts(current, desk)
    _kept(current, found, desk, setting if told is not None else None)


def _made(current: CurrentRelease, desk: Desk, setting: Setting) -> Told | None:
    """Make the plan and give the answer; where there is none, say why and what to do."""
    try:
        with st.spinner(_("Making the plan. The first one of a release takes up to half a minute.")):
            told = made.told(
                current,
                desk.posts,
                setting,
                desk.decided,
                session.author(forms.ANYBODY),
                title=_("A plan that is not kept yet"),
                handover=desk.handover,
            )
    except RulesClash as error:
        st.html(
            markup.render_lead(
                _("No plan keeps all rules. These stand against each other; ease one of them:")
            )
        )
        st.html(markup.render_list(summary.clash(current, error.clashes)))
    except (InputError, ReleaseError) as error:
        st.error(escape_markdown(str(error)))
    else:
        first, *others = summary.answer(told)
        st.html(markup.render_lead(first))
        st.html(markup.render_definitions(summary.key_numbers(told)))
        st.html(markup.render_paragraphs([" ".join(others), " ".join(summary.reasons(told))]))
        return told
    return None


def _map(current: CurrentRelease, told: Told) -> None:
    views = {name: _(words) for name, words in move_map.VIEWS.items()}
    with st.container(key="mapbox"):
        view = address.pick_segment("when", _("Show"), views)
        live_map.show_map(describe_shapes(current, in_page=True), move_map.values(current, told, view))
        st.html(legend.render_legend([move_map.mark_of(current, told, view)], more=move_map.key(told)))


def _moves(current: CurrentRelease, told: Told) -> None:
    _section(_("Moves"))
    if not told["moves"]:
        st.html(markup.render_paragraphs([_("No move is proposed. Today's posts stay as they are.")]))
        return
    st.html(markup.render_table(summary.moves(current, told)))
    st.caption(summary.ways(told))
    forms.decide(current, told)


def _around(current: CurrentRelease, desk: Desk, setting: Setting, told: Told) -> None:
    if told["moves"]:
        _section(_("When"))
        st.html(markup.render_table(summary.phases(current, told)))
        st.caption(summary.later(told))
    with st.expander(_("Hand over to duty bearers"), expanded=bool(desk.handover.tasks)):
        _handing(current, desk, told)
    _section(_("More moves, or fewer"))
    if st.toggle(_("Show what more or fewer moves would bring"), key="weigh"):
        _frontier(current, desk, setting, told)
    _section(_("Who is served"))
    st.html(markup.render_narrow(markup.render_table(served.by_group(current, told))))
    st.caption(_(CAUTION))
    with st.expander(_("By county and region")):
        st.html(markup.render_table(served.by_area(current, told)))


def _handing(current: CurrentRelease, desk: Desk, told: Told) -> None:
    for rows in (handover.over(current, told), handover.stays(current, told)):
        if not rows.empty:
            st.html(markup.render_table(rows))
    handover.ask(current, desk)


def _frontier(current: CurrentRelease, desk: Desk, setting: Setting, told: Told) -> None:
    with st.spinner(_("Weighing numbers of moves")):
        points = [frontier.plain(one) for one in made.frontier(current, desk.posts, setting, desk.decided)]
    left, right = st.columns(2, gap="medium")
    left.altair_chart(frontier.drawn(points, "moved", told["plan"]), width="stretch")
    right.altair_chart(frontier.drawn(points, "cost", told["plan"]), width="stretch")
    st.caption(_("Filled: sure enough to advise. Hollow: not. Ring: the plan above. Lines hold 95 %."))


def _kept(current: CurrentRelease, found: list[Result], desk: Desk, setting: Setting | None) -> None:
    _section(_("Keep, compare, take a briefing"))
    if setting is not None:
        saved.keep(current, desk, setting)
    if not found:
        st.html(markup.render_paragraphs([_(_NONE_KEPT)]))
        return
    st.html(markup.render_table(saved.shelf(found)))
    saved.opener(found)
    if len(found) > 1:
        saved.compare(current, found)
    _section(_("Briefing"))
    saved.briefing(current, found)


_NONE_KEPT = (
    "No plan is kept yet. Keep this one, and it can be compared with others, opened again, and taken away as "
    "a briefing: two pages in English, Albanian or Greek, and pictures for slides."
)


def _section(title: str) -> None:
    st.header(title, anchor=False)
