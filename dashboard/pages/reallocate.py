"""Which units to move where, what that would bring, and whether to move any: decided, kept, taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import (
    arrows,
    frame,
    frontier,
    handing,
    legend,
    mapview,
    picking,
    planbook,
    plandesk,
    planforms,
    planned,
    prose,
    reading,
    reallocatepage,
    served,
    situation,
)
from dashboard.access import site
from dashboard.plandesk import Desk
from dashboard.reading import Held
from dashboard.text import _, said
from data.derived import Result
from data.errors import InputError, ReleaseError
from geo.layers.communities import BESIDE
from risk.plan import RulesClash
from risk.planning import Setting

__all__ = ["show"]

Told = Mapping[str, Any]


def show() -> None:
    """Draw the page; what changes is within one fragment."""
    of = reading.held(site())
    if of is None:
        frame.empty()
        return
    st.title(_("Reallocate"), anchor=False)
    if of.tier == "public":
        st.html(prose.paragraphs([_(_PUBLIC)]))
        return
    st.html(prose.paragraphs([_(_QUESTION)]))
    st.fragment(_page)(of)


_QUESTION = "Which units should move where, so that the need of more children is met – or should none move?"
_PUBLIC = (
    "Plans are made of the partner tier: the public one holds neither outreach nor staff, so there is "
    "nothing to plan with here."
)


def _page(of: Held) -> None:
    found = planbook.kept(of)
    if not plandesk.arrive(found):
        st.warning(_("The plan that the address names is not kept here. Shown is a new one."))
    desk = plandesk.desk()
    answer = st.container(border=True, key="answer")
    left, right = st.columns([13, 8], gap="medium")
    with right, st.container(key="choosing"):
        setting = planforms.choices()
    with answer:
        told = _made(of, desk, setting)
        if told is not None and (changed := planbook.drifted(found, desk, setting, told)):
            st.warning(changed)
    if told is not None:
        with left:
            _map(of, told)
        _moves(of, told)
    planforms.undo(of, desk)
    if told is not None:
        _around(of, desk, setting, told)
    _section(_("Today's posts"))
    planforms.posts(of, desk)
    _kept(of, found, desk, setting if told is not None else None)


def _made(of: Held, desk: Desk, setting: Setting) -> Told | None:
    """Make the plan and give the answer; where there is none, say why and what to do."""
    try:
        with st.spinner(_("Making the plan. The first one of a release takes up to half a minute.")):
            told = planned.told(
                of,
                desk.posts,
                setting,
                desk.decided,
                plandesk.author(planforms.ANYBODY),
                title=_("A plan that is not kept yet"),
                handover=desk.handover,
            )
    except RulesClash as error:
        st.html(prose.lead(_("No plan keeps all rules. These stand against each other; ease one of them:")))
        st.html(prose.listed(reallocatepage.clash(of, error.clashes)))
    except (InputError, ReleaseError) as error:
        st.error(said(str(error)))
    else:
        first, *others = reallocatepage.answer(told)
        st.html(prose.lead(first))
        st.html(prose.definitions(reallocatepage.key_numbers(told)))
        st.html(prose.paragraphs([" ".join(others), " ".join(reallocatepage.reasons(told))]))
        return told
    return None


def _map(of: Held, told: Told) -> None:
    views = {name: _(words) for name, words in arrows.VIEWS.items()}
    with st.container(key="mapbox"):
        view = picking.segments("when", _("Show"), views)
        mapview.show(situation.within(of), arrows.values(of, told, view))
        st.html(legend.legend([arrows.mark_of(of, told, view)], more=arrows.key(told)))


def _moves(of: Held, told: Told) -> None:
    _section(_("Moves"))
    if not told["moves"]:
        st.html(prose.paragraphs([_("No move is proposed. Today's posts stay as they are.")]))
        return
    st.html(prose.table(reallocatepage.moves(of, told)))
    st.caption(reallocatepage.ways(told))
    planforms.decide(of, told)


def _around(of: Held, desk: Desk, setting: Setting, told: Told) -> None:
    if told["moves"]:
        _section(_("When"))
        st.html(prose.table(reallocatepage.phases(of, told)))
        st.caption(reallocatepage.later(told))
    with st.expander(_("Hand over to duty bearers"), expanded=bool(desk.handover.tasks)):
        _handing(of, desk, told)
    _section(_("More moves, or fewer"))
    if st.toggle(_("Show what more or fewer moves would bring"), key="weigh"):
        _frontier(of, desk, setting, told)
    _section(_("Who is served"))
    st.html(prose.narrow(prose.table(served.by_group(of, told))))
    st.caption(_(BESIDE))
    with st.expander(_("By county and region")):
        st.html(prose.table(served.by_area(of, told)))


def _handing(of: Held, desk: Desk, told: Told) -> None:
    for rows in (handing.over(of, told), handing.stays(of, told)):
        if not rows.empty:
            st.html(prose.table(rows))
    handing.ask(of, desk)


def _frontier(of: Held, desk: Desk, setting: Setting, told: Told) -> None:
    with st.spinner(_("Weighing numbers of moves")):
        points = [frontier.plain(one) for one in planned.frontier(of, desk.posts, setting, desk.decided)]
    left, right = st.columns(2, gap="medium")
    left.altair_chart(frontier.drawn(points, "moved", told["plan"]), width="stretch")
    right.altair_chart(frontier.drawn(points, "cost", told["plan"]), width="stretch")
    st.caption(_("Filled: sure enough to advise. Hollow: not. Ring: the plan above. Lines hold 95 %."))


def _kept(of: Held, found: list[Result], desk: Desk, setting: Setting | None) -> None:
    _section(_("Keep, compare, take a briefing"))
    if setting is not None:
        planbook.keep(of, desk, setting)
    if not found:
        st.html(prose.paragraphs([_(_NONE_KEPT)]))
        return
    st.html(prose.table(planbook.shelf(found)))
    planbook.opener(found)
    if len(found) > 1:
        planbook.compare(of, found)
    _section(_("Briefing"))
    planbook.briefing(of, found)


_NONE_KEPT = (
    "No plan is kept yet. Keep this one, and it can be compared with others, opened again, and taken away as "
    "a briefing: two pages in English, Albanian or Greek, and pictures for slides."
)


def _section(title: str) -> None:
    st.header(title, anchor=False)
