"""The moves of a plan as cards. On each card a reader can accept or decline the move or keep the units in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import streamlit as st
from markupsafe import Markup

from dashboard.narrative.plan import head_moves_table
from dashboard.pages.reallocate import forms, planner, render, session, summary
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown, format_plural, translate_message
from dashboard.widgets import page_frame
from data.errors import InputError
from data.message import Message, mark
from data.personal.free_text import WRITE_NO_NAME, check_free_text
from risk.planning.explain import Move
from risk.planning.problem import Decision
from risk.planning.summary import AuthoredDecision, PlanSummary

_SHOWN = 3  # cards; the others are in a fold
_OFFERED = {"accept": mark("Accept"), "decline": mark("Decline"), "lock": mark("Keep in place")}
_MEANING = {
    "accept": mark("Accept: make this move"),
    "decline": mark("Decline: do not make this move"),
    "lock": mark("Keep in place: none of these units moves"),
}
_OPEN, _ROLE, _REASON, _REFUSED = "decide-open", "decide-role", "decide-reason", "decide-refused"
_Step = tuple[str, str, str, int]


def show_moves(current: CurrentRelease, plan: PlanSummary) -> None:
    """Show the moves of a plan, the largest gain first. Those after the first three are folded."""
    with st.container(key="moves"):
        with st.container(horizontal=True, vertical_alignment="center", key="moveshead"):
            st.header(head_moves_table(planner.speak(current), plan), anchor=False)
            if plan.moves:
                forms.ask_role(_ROLE)
        if not plan.moves:
            page_frame.show_text(_("No move is proposed. All units stay where they are."))
            return
        cards = render.render_moves(planner.speak(current), plan)
        _show_cards(plan, cards, range(min(_SHOWN, len(cards))))
        if (more := len(plan.moves) - _SHOWN) > 0:
            with st.expander(format_plural("{count} more move", "{count} more moves", more)):
                _show_cards(plan, cards, range(_SHOWN, len(cards)))
                st.caption(summary.explain_moves(plan))


def _show_cards(plan: PlanSummary, cards: Sequence[Markup], numbers: Sequence[int]) -> None:
    for number in numbers:
        step = _name_step(plan.moves[number])
        with st.container(border=True, key=f"move-{number}"):
            st.html(cards[number])
            with st.container(horizontal=True, key=f"offers-{number}"):
                for code in _OFFERED:
                    st.button(
                        _(_OFFERED[code]),
                        key=f"offer-{number}-{code}",
                        help=_(_MEANING[code]),
                        on_click=_take if code == "accept" else _open,
                        args=(step, code),
                    )
            opened, what = st.session_state.get(_OPEN, (None, ""))
            if opened == step:
                _ask_reason(step, what)


def _name_step(move: Move) -> _Step:
    return move.start, move.end, move.kind, move.units


def _open(step: _Step, what: str) -> None:
    st.session_state[_OPEN] = step, what


def _ask_reason(step: _Step, what: str) -> None:
    """Ask for the reason why a move is declined or units are kept in place. Other people can read the reason."""
    with st.form("decide", border=False):
        st.text_input(_("Reason (others will read it; write nothing about a child)"), key=_REASON)
        st.caption(_(WRITE_NO_NAME))
        st.form_submit_button(_(_MEANING[what]), on_click=_take, args=(step, what), type="primary")
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(escape_markdown(refused))


def _take(step: _Step, what: str) -> None:
    """Add a decision on a move; if its reason is missing or refused, set a message that says so instead.

    Every decision except to accept needs a reason.
    """
    state = st.session_state
    reason = "" if what == "accept" else state[_REASON].strip()
    if what != "accept" and not reason:
        state[_REFUSED] = _(
            "Write why the move is declined or the units are kept in place: readers of the plan will ask."
        )
        return
    try:
        check_free_text([reason], Message("A reason"))
    except InputError as error:
        state[_REFUSED] = translate_message(error.message)
        return
    start, end, kind, units = step
    if what == "lock":
        end, units = "", 1
    decision = Decision(start, end, kind, cast("Any", what), units, reason)
    session.add_decision(AuthoredDecision(decision, session.name_author(state[_ROLE])))
    state.pop(_OPEN, None)
