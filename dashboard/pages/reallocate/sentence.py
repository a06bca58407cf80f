"""What a reader asks for, in one sentence with controls in place, and the rules for single areas and moves below it.

The address is what counts: each control shows what stands there, and writes its change into it. Moves that are required
or forbidden are decisions, which stay in the session until the plan is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard.narrative.moves import word_decision
from dashboard.pages.reallocate import planner, session
from dashboard.pages.reallocate.session import Workplace
from dashboard.site.current_release import CurrentRelease, load_areas, read_country_names
from dashboard.site.text import _, escape_markdown, html
from dashboard.widgets import address
from data.errors import InputError
from data.message import mark
from risk.planning.inputs import Setting
from risk.planning.problem import Decision
from risk.planning.summary import ROLES, AuthoredDecision

NEEDS = {
    "all": mark("all pathways"),
    "internal": mark("internal trafficking"),
    "cross_border": mark("cross-border trafficking"),
}
MOST = 200
_KEEP, _WHERE, _NEED, _LAND = "rule-keep", "rule-where", "rule-need", "rule-land"
_NEW, _FROM, _TO, _COUNT, _REFUSED = "rule-new", "rule-from", "rule-to", "rule-count", "rule-refused"
_OFFERED = {
    "keep": mark("The least number of teams in an area"),
    "at_most": mark("The largest number of teams in an area"),
    "decline": mark("No team moves from one area to another"),
    "accept": mark("A team moves from one area to another"),
}


def ask_sentence(current: CurrentRelease, setting: Setting) -> None:
    """Show the sentence; its controls show `setting` and write what the reader changes into the address."""
    t, state = planner.speak(current), st.session_state
    frame = load_areas(current.release).frame("region")
    codes = frame.index[(frame["country"] == setting.country) | (not setting.country)]
    areas = dict(sorted(((str(code), t.name_area(code)) for code in codes), key=lambda item: item[1]))
    area, units = next(iter(setting.keep), (None, state.get(_KEEP, 2)))
    state[_KEEP], state[_NEED], state[_LAND] = units, setting.pathway, setting.country
    state[_WHERE] = area if area in areas else None
    with st.container(horizontal=True, vertical_alignment="center", key="sentence"):
        _say(_("Move at most"))
        address.pick_number("moves", _("Maximum number of moves"), MOST, Setting().moves, "", width=92)
        _say(_("teams in"))
        lands = {"": _("both countries"), **read_country_names(current)}
        _menu(_("Country"), lands, _LAND, 168, _take_land)
        _say(_("keep at least"))
        st.number_input(
            _("Teams that stay"), 0, MOST, key=_KEEP, label_visibility="collapsed", width=92, on_change=_take_keep
        )
        _say(_("in"))
        _menu(_("Area"), areas, _WHERE, 196, _take_keep, _("choose an area"))
        _say(_("for"))
        _menu(_("Pathway"), {code: _(words) for code, words in NEEDS.items()}, _NEED, 264, _take_need)
        with st.popover(_("Add a rule")):
            _ask_rule(areas)


def _say(words: str) -> None:
    st.html(html("<span>{}</span>", words), width="content")


def _menu(
    label: str, words: Mapping[str, str], key: str, width: int, take: Callable[[], None], empty: str = ""
) -> None:
    st.selectbox(
        label,
        list(words),
        format_func=words.__getitem__,
        key=address.renew_menu(key),
        index=None if empty else 0,
        placeholder=empty or None,
        label_visibility="collapsed",
        width=width,
        on_change=take,
    )


def _take_land() -> None:
    st.query_params["within"] = st.session_state[_LAND] or "none"


def _take_need() -> None:
    st.query_params["pathway"] = st.session_state[_NEED]


def _take_keep() -> None:
    """Write the rule of the sentence into the address; without an area there is no such rule."""
    rules, area = session.read_rules(address.read_parameter(session.RULES)), st.session_state[_WHERE]
    rules["keep"] = dict(list(rules["keep"].items())[1:])
    if area:
        rules["keep"] = {area: st.session_state[_KEEP] or 0, **rules["keep"]}
    session.write_rules(rules, "keep")


def show_rules(current: CurrentRelease, setting: Setting, work: Workplace) -> None:
    """Show the rules that the sentence has no room for, and the decisions, each as a button that removes it."""
    t = planner.speak(current)
    with st.container(horizontal=True, vertical_alignment="center", key="rules"):
        others = [*(("keep", *rule) for rule in setting.keep[1:]), *(("at_most", *rule) for rule in setting.at_most)]
        for name, area, units in others:
            values = {"area": t.name_area(area), "units": t.format_plural("{count} team", "{count} teams", units)}
            keeps = name == "keep"
            words = _("{area} keeps at least {units}", **values) if keeps else _("{area} has at most {units}", **values)
            _offer_removal(words, f"rule-{name}-{area}", _remove, name, area)
        for number, decision in enumerate(work.decisions):
            _offer_removal(word_decision(t, decision), f"undo-{number}", session.remove_decision, decision)
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(escape_markdown(refused))


def _offer_removal(words: str, key: str, remove: Callable[..., None], *values: object) -> None:
    st.button(f"{escape_markdown(words)} ×", key=key, help=_("Remove this rule"), on_click=remove, args=values)


def _ask_rule(areas: Mapping[str, str]) -> None:
    kind = st.selectbox(
        _("Rule"), list(_OFFERED), format_func=lambda code: _(_OFFERED[code]), key=address.renew_menu(_NEW)
    )
    is_move = kind in ("decline", "accept")
    for label, key in ((_("From"), _FROM), (_("To"), _TO)) if is_move else ((_("Area"), _FROM),):
        st.selectbox(label, list(areas), None, format_func=areas.__getitem__, key=key, placeholder=_("Choose"))
    if not is_move:
        st.number_input(_("Teams"), 0, MOST, 2, key=_COUNT)
    chosen = st.session_state[_FROM] and (not is_move or st.session_state[_TO])
    st.button(_("Add"), on_click=_add, disabled=not chosen)


def _add() -> None:
    state = st.session_state
    kind, area = state[_NEW], state[_FROM]
    if kind in ("keep", "at_most"):
        rules = session.read_rules(address.read_parameter(session.RULES))
        rules[kind] = {**rules[kind], area: state[_COUNT] or 0}
        session.write_rules(rules, kind)
        return
    try:
        decision = Decision(area, state[_TO], "", kind)
    except InputError:
        state[_REFUSED] = _("Choose two different areas.")
    else:
        session.add_decision(AuthoredDecision(decision, session.name_author(ROLES[0])))


def _remove(name: str, area: str) -> None:
    rules = session.read_rules(address.read_parameter(session.RULES))
    rules[name].pop(area, None)
    session.write_rules(rules, name)
