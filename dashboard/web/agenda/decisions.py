"""Decisions beside a view of an agenda: what was decided, and the form with which a manager adds a decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

import streamlit as st
from markupsafe import Markup

from dashboard.narrative.speech import Speech, make_legible, speak_to_reader
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, name_regions, read_country_names
from dashboard.site.reader import find_accounts, find_reader
from dashboard.site.text import _, escape_markdown, html, join_markup, translate_message
from dashboard.web.agenda.state import Played, find_played, may_write, open_store
from dashboard.web.views import split_view
from dashboard.widgets.address import renew_menu, tell_apart
from dashboard.widgets.page_frame import show_part
from data.accounts.database import Accounts
from data.accounts.meetings import Decision, add_decision, remove_decision
from data.errors import TactError, WorkspaceError
from data.message import Message
from data.personal.free_text import LONGEST, WRITE_NO_NAME, check_free_text
from data.schema.vocabulary import DUTY_BEARERS
from risk.planning.saved import list_all_saved_plans, list_saved_plans

_SECONDS = 4.0  # after which the list of decisions is read again
_WEEKS = 4  # until a decision is due, if nobody says another day
_WHAT, _WHO, _DUE, _AREA, _PLAN, _REFUSED = (
    f"decide-{name}" for name in ("what", "who", "due", "area", "plan", "refused")
)


def show_decisions(played: Played, current: CurrentRelease) -> None:
    """Show the decisions beside a view, and to managers the form for a new one."""
    if played.item is None:
        return
    with st.container(key="decide"):
        show_part(_show_list, current, every=_SECONDS)
        if may_write():
            _ask_for_decision(played, current)
        if refused := st.session_state.pop(_REFUSED, ""):
            st.error(escape_markdown(refused))


def _show_list(current: CurrentRelease) -> None:
    """Show the present decisions beside the view in the address. They are read again, as another person may add one."""
    played = find_played()
    if played is None or played.item is None:
        return
    decisions = _render_decisions(speak_to_reader(current), current, played.item.decisions)
    st.html(html("<h2>{}</h2>{}", _("Decisions beside this view"), decisions))
    if may_write():
        for decision in played.item.decisions:
            _offer_to_remove(played.meeting.key, decision)


def _render_decisions(t: Speech, current: CurrentRelease, decisions: tuple[Decision, ...]) -> Markup:
    if not decisions:
        return html("<p>{}</p>", _("Nothing is decided here yet."))
    plans = name_plans(current, decisions)
    rows = (html("<li><b>{}</b><span>{}</span></li>", d.what, word_details(t, d, plans)) for d in decisions)
    return html("<ol>{}</ol>", join_markup(rows))


def word_details(t: Speech, decision: Decision, plans: Mapping[str, str]) -> str:
    """Return who will do it by when, and for which area or plan; `plans` are the titles from `name_plans`."""
    by = t("{who}, by {day}", who=name_actor(t, decision.who), day=t.format_day(decision.due))
    return " · ".join(filter(None, [by, word_subject(t, decision, plans)]))


def word_subject(t: Speech, decision: Decision, plans: Mapping[str, str]) -> str:
    """Return the area and the saved plan of a decision; empty if it has neither."""
    parts = [t.name_area(decision.area)] if decision.area else []
    if decision.plan:
        title = plans.get(decision.plan, "")
        parts.append(t("plan “{title}”", title=title) if title else t("a saved plan"))
    return " · ".join(parts)


def name_actor(t: Speech, who: str) -> str:
    """Return the name of the actor: a duty bearer in the reader's language, a typed name made legible."""
    return t.name_bearer(who) if who in DUTY_BEARERS else make_legible(who, LONGEST)


def name_plans(current: CurrentRelease, decisions: Iterable[Decision]) -> dict[str, str]:
    """Return the titles of the saved plans of all releases, by the address of the plan.

    The result is empty if no decision names a plan, and always on the public tier.
    """
    names_plan = any(decision.plan for decision in decisions)
    folders = read_site().plan_folders if names_plan and current.tier == "partner" else ()
    plans = list_all_saved_plans(folders, current.tier).plans
    return {plan.address: make_legible(plan.summary.title) for plan in plans}


def _ask_for_decision(played: Played, current: CurrentRelease) -> None:
    t = speak_to_reader(current)
    areas = {"": _("The whole programme"), **read_country_names(current), **name_regions(current)}
    saved = list_saved_plans(read_site().plan_folders, current.release).plans
    plans = {"": _("No plan"), **{plan.address: make_legible(plan.summary.title) for plan in saved}}
    _page, parameters = split_view(played.item.view if played.item else "")
    with st.form("decide-form", border=False):
        st.text_input(_("What is decided"), max_chars=LONGEST, key=_WHAT)
        st.caption(_(WRITE_NO_NAME))
        st.selectbox(
            _("Who does it: an office or organisation, no name of a person"),
            sorted(DUTY_BEARERS, key=t.name_bearer),
            format_func=partial(name_actor, t),
            accept_new_options=True,
            index=None,
            placeholder=_("Choose or write"),
            key=renew_menu(_WHO),
        )
        due = dt.date.fromisoformat(played.meeting.day) + dt.timedelta(weeks=_WEEKS)
        st.date_input(_("By when"), value=due, format="DD/MM/YYYY", key=_DUE)
        _choose(_("Area"), areas, parameters.get("area", ""), _AREA)
        if len(plans) > 1:
            _choose(_("Saved plan"), plans, parameters.get("plan", ""), _PLAN)
        offered = frozenset({*areas, *plans})
        st.form_submit_button(_("Minute this decision"), type="primary", on_click=_save, args=(played, offered))


def _choose(label: str, words: Mapping[str, str], first: str, key: str) -> None:
    index, texts = list(words).index(first) if first in words else 0, tell_apart(words)
    st.selectbox(label, list(words), format_func=texts.__getitem__, index=index, key=renew_menu(key))


def _save(played: Played, offered: Collection[str]) -> None:
    """Save the decision in the form. offered : codes of areas and addresses of plans that it may name.

    A browser may send any text in place of a choice, and these texts are not checked for personal data.
    """
    state, item = st.session_state, played.item
    what, who = " ".join(str(state[_WHAT]).split()), " ".join(str(state[_WHO] or "").split())
    if not what or not who or item is None:
        state[_REFUSED] = _("Write what is decided, and who does it.")
        return
    area, plan = (str(state.get(name) or "") for name in (_AREA, _PLAN))
    if not {area, plan} <= {"", *offered}:
        state[_REFUSED] = _("Choose the area and the plan from the lists.")
        return
    decision = Decision(what, who, str(state[_DUE]), area, plan)

    def save(store: Accounts) -> None:
        check_free_text([what, who], Message("A decision"))
        add_decision(store, played.meeting.key, item.id, decision, find_reader().name)
        state[_WHAT], state[_WHO] = "", None

    change(save, _REFUSED)


def _offer_to_remove(key: str, decision: Decision) -> None:
    def remove(store: Accounts) -> None:
        remove_decision(store, key, decision.id, find_reader().name)

    st.button(
        _("Remove: {decision}", decision=escape_markdown(make_legible(decision.what, 40))),
        key=f"undecide-{decision.id}",
        on_click=change,
        args=(remove, _REFUSED),
        type="tertiary",
    )


def change(make: Callable[[Accounts], None], refused: str) -> None:
    """Call `make` with the file of meetings; do nothing if this reader may not write there.

    If it fails, the reason is stored in the session's state under the name `refused`.
    """
    try:
        store = open_store()
        if store is not None:
            make(store)
    except (TactError, OSError) as error:
        # Readers who sign in to a server are told nothing about its files.
        if isinstance(error, OSError) or (isinstance(error, WorkspaceError) and find_accounts() is not None):
            st.session_state[refused] = _(
                "This could not be saved: the folder cannot be written. Ask the person who started the map."
            )
        else:
            st.session_state[refused] = translate_message(error.message)
