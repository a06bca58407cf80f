"""What a reader sets and decides on the Reallocate page: choices, decisions on moves, the posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args, get_type_hints

import streamlit as st

from dashboard.pages.reallocate import made, session, summary
from dashboard.pages.reallocate.session import Desk
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import address, markup
from data.errors import InputError, ReleaseError
from data.personal.free_text import LONGEST
from geo.layers.core.words import mark
from risk.planning import Decision
from risk.planning.inputs import Setting
from risk.planning.saved import ROLES, Decided

Told = Mapping[str, Any]
Way = tuple[str, str, str, int]  # from, to, kind, units

NEEDS = {
    "all": mark("All pathways"),
    "internal": mark("Inside the country"),
    "cross_border": mark("Across a border"),
}
_OFFERED = {
    "accept": mark("Accept: make it"),
    "decline": mark("Decline: never make it"),
    "lock": mark("Keep as it is: none of these units leaves"),
}
_MOST_MOVES, _MOST_HOURS = 200, 10_000
_MOVE, _WHAT, _REASON, _ROLE = "decide-move", "decide-what", "decide-reason", "decide-role"
_UNSAID = "decide-unsaid"
_FILE, _REFUSED = "plan-file", "plan-file-refused"
ANYBODY = ROLES[0]  # for a plan that nobody has kept yet


def choices() -> Setting:
    """Ask for what a plan may do and what counts; every choice stands in the address."""
    first = Setting()
    needs = {name: _(words) for name, words in NEEDS.items()}
    picked: dict[str, str | int | None] = {
        "need": address.pick_segment("need", _("Whose need counts"), needs, labelled=True)
    }
    left, right = st.columns(2)
    with left:
        told = _("Units that leave their post, all together.")
        picked["moves"] = address.pick_number(
            "moves", _("At most so many moves"), _MOST_MOVES, first.moves, told
        )
    with right:
        told = _("Between old and new posts, all moves together. Empty: no limit.")
        picked["hours"] = address.pick_number("hours", _("At most so many hours"), _MOST_HOURS, None, told)
    for name, label, start, told in _sliders(first):
        picked[name] = address.pick_share(name, label, start, told)
    with st.expander(_("Rules that every plan keeps")):
        told = _("What can be moved in a quarter; the rest follows in the next ones.")
        picked["pace"] = address.pick_number(
            "pace", _("At most so many moves a quarter"), _MOST_MOVES, first.per_quarter, told, least=1
        )
        for name, label, start, told in _rules(first):
            picked[name] = address.pick_share(name, label, start, told)
    return session.setting(picked)


def _sliders(first: Setting) -> Sequence[tuple[str, str, int, str]]:
    return (
        (
            "worst",
            _("How much the worst-off areas count"),
            round(100 * first.equity),
            _("0: every child counts the same. 100: only where the smallest share of need is met."),
        ),
        (
            "dear",
            _("How much distance counts against a move"),
            round(100 * first.cost),
            _("0: not at all. The higher, the more a long way must bring."),
        ),
        (
            "bad",
            _("How much bad cases count"),
            round(100 * first.robustness),
            _("0: the average of what may be true. 100: only the worst tenth of cases."),
        ),
    )


def _rules(first: Setting) -> Sequence[tuple[str, str, int, str]]:
    return (
        (
            "floor",
            _("Every area keeps at least"),
            round(100 * first.floor),
            _("Of what reaches it today, so that no area is stripped."),
        ),
        (
            "kept",
            _("Services where Roma and Egyptian communities live"),
            round(100 * first.services_floor),
            _("None of these areas falls below this part of what reaches the one with least today."),
        ),
        (
            "unsearched",
            _("Outreach for areas where too little was looked"),
            round(100 * first.exploration),
            _(
                "Goes to such areas drawn by chance, so that the map learns where it is blind. It costs need "
                "met elsewhere now: set it to 0 to see how much."
            ),
        ),
    )


def role(key: str) -> str:
    """Ask who decides: a role, never a name."""
    names = {one: _(one)[:1].upper() + _(one)[1:] for one in ROLES}
    chosen: str = st.selectbox(_("You decide as"), ROLES, format_func=names.__getitem__, key=key)
    return chosen


def decide(current: CurrentRelease, told: Told) -> None:
    """Ask for a decision on a move; the plan is then made anew around it."""
    ways = [(move["start"], move["end"], move["kind"], int(move["units"])) for move in told["moves"]]
    if not ways:
        return
    names = {way: _way_name(current, way) for way in ways}
    offered = [one for one in _OFFERED if one in _known()]
    with st.form("decide"):
        st.selectbox(_("Decide on a move"), ways, format_func=lambda way: names.get(way, ""), key=_MOVE)
        st.radio(
            _("What is decided"),
            offered,
            format_func=lambda one: _(_OFFERED[one]),
            key=_WHAT,
            horizontal=True,
        )
        left, right = st.columns([3, 1])
        with left:
            st.text_input(_("Why (others read it; nothing about a child)"), max_chars=LONGEST, key=_REASON)
        with right:
            role(_ROLE)
        st.form_submit_button(_("Decide"), on_click=_taken)
    if st.session_state.pop(_UNSAID, False):
        st.error(_("Say why the move is declined or kept as it is: those who read the plan will ask."))


def _way_name(current: CurrentRelease, way: Way) -> str:
    return summary.move_name(current, dict(zip(("start", "end", "kind", "units"), way, strict=True)))


def _known() -> tuple[str, ...]:
    """Give what the planner understands."""
    return get_args(get_type_hints(Decision)["decided"])


def _taken() -> None:
    """Take a decision up; what is not made needs a reason, since others wonder why."""
    state = st.session_state
    if state[_WHAT] != "accept" and not state[_REASON].strip():
        state[_UNSAID] = True
        return
    start, end, kind, units = state[_MOVE]
    what = state[_WHAT]
    if what == "lock":
        end, units = "", 1
    decision = Decision(start, end, kind, cast("Any", what), units, state[_REASON].strip())
    session.decide(Decided(decision, session.author(state[_ROLE])))
    state[_REASON], state[_WHAT] = "", "accept"


def undo(current: CurrentRelease, desk: Desk) -> None:
    """List what was decided, each with a button that takes it back."""
    for at, one in enumerate(desk.decided):
        with st.container(horizontal=True, vertical_alignment="center", key=f"decided-{at}"):
            st.button(_("Undo"), key=f"undo-{at}", on_click=session.undo, args=(one,))
            st.html(markup.render_paragraphs([summary.decided(current, one)]))


def posts(current: CurrentRelease, desk: Desk) -> None:
    """Offer the table of posts to take away, and take a corrected one."""
    st.html(markup.render_paragraphs([_(_GIVEN) if desk.posts else _(_DRAFT), _(_COLUMNS)]))
    left, right = st.columns([1, 2], vertical_alignment="top")
    with left:
        if current_release.may_download(current.release):
            try:
                text = made.posts_file(current, desk.posts)
            except (InputError, ReleaseError):
                return  # The answer says why there is none.
            name = "posts.csv"
            st.download_button(_("Download the table of posts"), text, name, "text/csv", on_click="ignore")
        else:
            st.caption(_("A table of real records does not leave by this page: the data officer writes it."))
            st.code("tact plan --draft FILE", language=None)
        if desk.posts:
            st.button(_("Back to the draft"), on_click=session.give_posts, args=("",))
    with right:
        st.file_uploader(
            _("Give the corrected table back"), type="csv", key=_FILE, on_change=_given, args=(current,)
        )
    if refused := st.session_state.get(_REFUSED, ""):
        st.error(escape_markdown(refused))
        st.caption(_("Nothing of the file was taken; the plan stands on the same posts as before."))


_DRAFT = (
    "The posts are a draft: outreach teams, worked out from the outreach that the release records. Services "
    "are not in it. To plan with the posts that there are: download the table, fill it in, give it back."
)
_GIVEN = "The plan stands on the table of posts that was given here."
_COLUMNS = (
    "One row an area and kind of unit: units, how many children one unit can meet or serve in a quarter, how "
    "many are committed and may not move, and the most units that the area has room for (empty: no limit)."
)


def _given(current: CurrentRelease) -> None:
    file = st.session_state.get(_FILE)
    st.session_state[_REFUSED] = ""
    if file is None:
        return
    try:
        session.give_posts(made.read_posts(current, file.name, file.getvalue()))
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
