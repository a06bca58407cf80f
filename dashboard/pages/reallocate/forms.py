"""The inputs of the Reallocate page: choices, decisions on moves, the posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args, get_type_hints

import streamlit as st

from dashboard.narrative.moves import word_decision, word_move
from dashboard.pages.reallocate import planner, session
from dashboard.pages.reallocate.session import Workplace
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import address, markup
from data.errors import InputError, ReleaseError
from data.personal.free_text import LONGEST
from data.tables.spec import Level
from geo.layers.core.words import mark
from risk.planning.inputs import Setting
from risk.planning.problem import Decision
from risk.planning.schedule import Step
from risk.planning.summary import ROLES, AuthoredDecision, PlanSummary

NEEDS = {
    "all": mark("All pathways"),
    "internal": mark("Internal trafficking"),
    "cross_border": mark("Cross-border trafficking"),
}
LEVELS = {"region": mark("Counties and regions"), "municipality": mark("Municipalities")}
_OFFERED = {
    "accept": mark("Accept: make this move"),
    "decline": mark("Decline: do not make this move"),
    "lock": mark("Keep in place: none of these units moves"),
}
_MOST_MOVES, _MOST_HOURS = 200, 10_000
_MOVE, _WHAT, _REASON, _ROLE = "decide-move", "decide-what", "decide-reason", "decide-role"
_UNSAID = "decide-unsaid"
_FILE, _REFUSED = "plan-file", "plan-file-refused"
ANYBODY = ROLES[0]  # for a plan that nobody has kept yet


def ask_setting() -> Setting:
    """Ask for the limits and weights of a plan; every choice is kept in the address."""
    first = Setting()
    between = {name: _(words) for name, words in LEVELS.items()}
    choices: dict[str, str | int | None] = {
        "between": address.pick_segment("between", _("Units move between"), between, labelled=True)
    }
    choices["pathway"] = address.read_pathway(list(NEEDS))
    left, right = st.columns(2)
    with left:
        hint = _("All units that move, added together.")
        choices["moves"] = address.pick_number("moves", _("Maximum number of moves"), _MOST_MOVES, first.moves, hint)
    with right:
        hint = _("Travel between old and new posts, all moves added together. Empty: no limit.")
        choices["hours"] = address.pick_number("hours", _("Maximum hours of travel"), _MOST_HOURS, None, hint)
    for name, label, start, hint in _sliders(first):
        choices[name] = address.pick_share(name, label, start, hint)
    with st.expander(_("Rules that every plan keeps")):
        hint = _("How many units can move in one quarter; the others move in the next quarters.")
        choices["pace"] = address.pick_number(
            "pace", _("Maximum number of moves per quarter"), _MOST_MOVES, first.per_quarter, hint, least=1
        )
        for name, label, start, hint in _rules(first):
            choices[name] = address.pick_share(name, label, start, hint)
    return session.read_setting(choices)


def _sliders(first: Setting) -> Sequence[tuple[str, str, int, str]]:
    return (
        (
            "worst",
            _("Weight of the worst-served areas"),
            round(100 * first.equity),
            _("0: every child counts the same. 100: only the worst-served areas count."),
        ),
        (
            "dear",
            _("Weight of travel"),
            round(100 * first.cost),
            _("0: distance does not matter. The higher, the more a long move must gain."),
        ),
        (
            "bad",
            _("Weight of the worst cases"),
            round(100 * first.robustness),
            _("0: the average of all cases counts. 100: only the worst tenth of cases counts."),
        ),
    )


def _rules(first: Setting) -> Sequence[tuple[str, str, int, str]]:
    return (
        (
            "floor",
            _("Minimum for every county or region"),
            round(100 * first.floor),
            _("Part of today's outreach and services that each county or region keeps, so that none loses all help."),
        ),
        (
            "kept",
            _("Minimum for areas with Roma and Egyptian communities"),
            round(100 * first.services_floor),
            _("Each of these areas has at least this part of the services that the worst-served of them has today."),
        ),
        (
            "unsearched",
            _("Share for areas with too little outreach"),
            round(100 * first.exploration),
            _(
                "Part of the outreach goes to such areas, chosen at random, to learn more "
                "about them. This reduces the need met elsewhere; set it to 0 to see by how "
                "much."
            ),
        ),
    )


def ask_role(key: str) -> str:
    """Ask for the role of the person who decides, never for a name."""
    names = {role: _(role)[:1].upper() + _(role)[1:] for role in ROLES}
    chosen: str = st.selectbox(_("Your role"), ROLES, format_func=names.__getitem__, key=key)
    return chosen


def ask_decision(current: CurrentRelease, plan: PlanSummary) -> None:
    """Ask for a decision on a move; the plan is then computed again with it."""
    steps = [(move.start, move.end, move.kind, move.units) for move in plan.moves]
    if not steps:
        return
    t = planner.speak(current)
    names = {step: word_move(t, Step(*step)) for step in steps}
    offered = [code for code in _OFFERED if code in _list_decisions()]
    with st.form("decide"):
        st.selectbox(_("Decision on a move"), steps, format_func=lambda step: names.get(step, ""), key=_MOVE)
        st.radio(_("Decision"), offered, format_func=lambda code: _(_OFFERED[code]), key=_WHAT, horizontal=True)
        left, right = st.columns([3, 1])
        with left:
            st.text_input(
                _("Reason (others will read it; write nothing about a child)"), max_chars=LONGEST, key=_REASON
            )
        with right:
            ask_role(_ROLE)
        st.form_submit_button(_("Decide"), on_click=_take_decision)
    if st.session_state.pop(_UNSAID, False):
        st.error(_("Write why the move is declined or the units are kept in place: readers of the plan will ask."))


def _list_decisions() -> tuple[str, ...]:
    """Return the codes of decisions that the planner understands."""
    return get_args(get_type_hints(Decision)["decided"])


def _take_decision() -> None:
    """Add the decision of the form; a declined move needs a reason, which others can read."""
    state = st.session_state
    if state[_WHAT] != "accept" and not state[_REASON].strip():
        state[_UNSAID] = True
        return
    start, end, kind, units = state[_MOVE]
    what = state[_WHAT]
    if what == "lock":
        end, units = "", 1
    decision = Decision(start, end, kind, cast("Any", what), units, state[_REASON].strip())
    session.add_decision(AuthoredDecision(decision, session.name_author(state[_ROLE])))
    state[_REASON], state[_WHAT] = "", "accept"


def list_decisions(current: CurrentRelease, work: Workplace) -> None:
    """Show the decisions, each with a button that removes it."""
    t = planner.speak(current)
    for number, decision in enumerate(work.decisions):
        with st.container(horizontal=True, vertical_alignment="center", key=f"decided-{number}"):
            st.button(_("Undo"), key=f"undo-{number}", on_click=session.remove_decision, args=(decision,))
            st.html(markup.render_paragraphs([word_decision(t, decision)]))


def ask_posts(current: CurrentRelease, work: Workplace, level: Level) -> None:
    """Show the table of posts for download, and ask for a corrected one."""
    st.html(markup.render_paragraphs([_(_FROM_FILE) if work.posts else _(_DRAFT), _(_COLUMNS)]))
    left, right = st.columns([1, 2], vertical_alignment="top")
    with left:
        if current_release.may_download(current.release):
            try:
                text = planner.write_posts_file(current, work.posts, level)
            except (InputError, ReleaseError):
                return  # The answer says why there is none.
            name = "posts.csv"
            st.download_button(_("Download the table of posts"), text, name, "text/csv", on_click="ignore")
        else:
            st.caption(_("Tables of real records cannot be downloaded here; the data officer writes them:"))
            option = "" if level == "region" else f" --level {level}"
            st.code(f"tact plan draft FILE{option}", language=None)
        if work.posts:
            st.button(_("Use the estimated posts again"), on_click=session.set_posts, args=("",))
    with right:
        args = current, level
        st.file_uploader(_("Upload the corrected table"), type="csv", key=_FILE, on_change=_take_posts, args=args)
    if refused := st.session_state.get(_REFUSED, ""):
        st.error(escape_markdown(refused))
        st.caption(_("The file was not used; the plan still uses the posts from before."))


_DRAFT = (
    "The posts are an estimate: outreach teams, calculated from the outreach days of the "
    "release, without services. To plan with the real posts, download the table, correct it "
    "and upload it."
)
_FROM_FILE = "The plan uses the table of posts that was uploaded here."
_COLUMNS = (
    "One row for each area and kind of unit: units; how many children one unit can meet or "
    "help in a quarter; committed units, which may not move; and the largest number of units "
    "in the area (empty: no limit)."
)


def _take_posts(current: CurrentRelease, level: Level) -> None:
    file = st.session_state.get(_FILE)
    st.session_state[_REFUSED] = ""
    if file is None:
        return
    try:
        session.set_posts(planner.read_posts(current, file.name, file.getvalue(), level))
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
