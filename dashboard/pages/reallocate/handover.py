"""Hand-over to duty bearers on the Reallocate page: a table of tasks is given, and what fits goes over.

What was worked out lies on the desk and is kept with a plan; see risk/handover/__init__.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.pages.reallocate import made, session
from dashboard.pages.reallocate.session import Desk
from dashboard.pages.reallocate.summary import named
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown, number
from dashboard.widgets import markup
from data.errors import FileRefused, TactError
from geo.layers.core.words import mark
from risk import handover
from risk.handover import Tables

Told = Mapping[str, Any]

_TASKS, _ROOM, _FREE, _REFUSED = "plan-tasks", "plan-room", "plan-free", "plan-tasks-refused"
# The head of each table, and a row that shows how it is filled in.
_TASKS_DRAFT = (
    "area,partner,axis,children,to,from_quarter\nAL-11,PARTNER,prevention,12,school;municipality,1\n"
)
_ROOM_DRAFT = "area,duty_bearer,quarter,children\nAL-11,school,1,20\n"
_AXES = {
    "prevention": mark("prevention"),
    "protection": mark("protection"),
    "assisted_voluntary_return": mark("assisted voluntary return"),
    "reintegration": mark("reintegration"),
    "coordination": mark("coordination"),
}


def tables(tasks: bytes, room: bytes | None, free: float | None) -> Tables:
    """Make the tables of what was given: room by a table, or the free share of the places in the release.

    Raises FileRefused for what is no text, and InputError where neither is given.
    """
    listed = _text("tasks", tasks)
    return Tables(listed, free_share=free) if room is None else Tables(listed, _text("room", room))


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"The table of {name} cannot be read. Save it as CSV in UTF-8."
        raise FileRefused(msg) from error


def ask(current: CurrentRelease, desk: Desk) -> None:
    """Ask for tasks and room, and say what goes over."""
    st.html(markup.render_paragraphs([_(_WHY), _(_HOW)]))
    left, right = st.columns(2, gap="medium")
    with left:
        st.file_uploader(_("Table of tasks"), type="csv", key=_TASKS)
        st.download_button(
            _("An empty table of tasks"), _TASKS_DRAFT, "tasks.csv", "text/csv", on_click="ignore"
        )
    with right:
        st.file_uploader(_("Table of room, if you have one"), type="csv", key=_ROOM)
        st.download_button(
            _("An empty table of room"), _ROOM_DRAFT, "room.csv", "text/csv", on_click="ignore"
        )
    st.number_input(
        _("Without a table of room: share of the places in the release that is free, in %"),
        min_value=0, max_value=100, value=None, step=5, key=_FREE, placeholder=_("ask the duty bearers"),
    )  # fmt: skip
    with st.container(horizontal=True):
        state = st.session_state
        known = state.get(_ROOM) is not None or state.get(_FREE) is not None
        ready = state.get(_TASKS) is not None and known
        st.button(_("Work out the hand-over"), on_click=_taken, args=(current,), disabled=not ready)
        if desk.handover.tasks:
            st.button(_("Leave the hand-over out"), on_click=session.give_tables, args=(Tables(),))
    if refused := st.session_state.get(_REFUSED, ""):
        st.error(escape_markdown(refused))


_WHY = (
    "A programme ends; what it does has to go on with those whose duty it is. A task goes whole to one duty "
    "bearer, as early as there is room for good, or it stays with its partner."
)
_HOW = (
    "Tasks: one row a task, with area, partner, axis, children a quarter, duty bearers that may take it, and "
    "the first quarter. Room: children a quarter that a duty bearer can take on besides its own."
)


def _taken(current: CurrentRelease) -> None:
    state = st.session_state
    tasks, room = state.get(_TASKS), state.get(_ROOM)
    state[_REFUSED] = ""
    if tasks is None:
        return
    try:
        content = None if room is None else room.getvalue()
        free = None if state[_FREE] is None else state[_FREE] / 100
        given = tables(tasks.getvalue(), content, free)
        made.handed(current, given)
    except TactError as error:
        state[_REFUSED] = str(error)
    else:
        session.give_tables(given)


def over(current: CurrentRelease, told: Told) -> pd.DataFrame:
    """List the tasks that go over, by quarter."""
    rows = [
        (
            named(current, one["area"]),
            _(_AXES.get(one["axis"], one["axis"])),
            one["partner"],
            _(handover.WORDS.get(one["to"], one["to"])),
            _("Quarter {number}", number=one["quarter"]),
            number(one["children"]),
        )
        for one in sorted(told["handover"], key=lambda one: int(one["quarter"]))
    ]
    head = [_("Area"), _("Task"), _("Partner"), _("Goes to"), _("When"), _("Children a quarter")]
    return pd.DataFrame(rows, columns=head)


def stays(current: CurrentRelease, told: Told) -> pd.DataFrame:
    """List the tasks that stay with their partners, and why."""
    rows = [
        (
            named(current, one["area"]),
            _(_AXES.get(one["axis"], one["axis"])),
            one["partner"],
            number(one["children"]),
            one["why"],
        )
        for one in told["stays"]
    ]
    return pd.DataFrame(
        rows, columns=[_("Area"), _("Task"), _("Partner"), _("Children a quarter"), _("Why it stays")]
    )
