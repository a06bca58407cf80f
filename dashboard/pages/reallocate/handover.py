"""Hand-over to duty bearers on the Reallocate page: which tasks of a table fit into their spare capacity.

The tables stay in the session and are saved with a plan; see risk/handover/__init__.py.
"""

from __future__ import annotations

import streamlit as st

from dashboard.pages.reallocate import planner, session
from dashboard.pages.reallocate.session import Workplace
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import page_frame
from dashboard.widgets.upload import ask_files
from data.errors import TactError
from risk.handover import Tables

_TASKS, _ROOM, _FREE, _REFUSED = "plan-tasks", "plan-room", "plan-free", "plan-tasks-refused"
# The head of each table, and a row that shows how it is filled in.
_TASKS_DRAFT = "area,partner,axis,children,to,from_quarter\nAL-11,PARTNER,prevention,12,school;municipality,1\n"
_ROOM_DRAFT = "area,duty_bearer,quarter,children\nAL-11,school,1,20\n"


def read_tables(tasks: bytes, room: bytes | None, free: float | None) -> Tables:
    """Return the tables of a hand-over from uploaded files.

    tasks : the table of tasks. room : the table of spare capacity; None to use `free`, the share (0 to 1) of the
    release's service places that are free. Raises FileRefused for a file that is not text, and InputError if there is
    a table of tasks, but neither a table of spare capacity nor a share.
    """
    text = planner.decode_upload("The table of tasks", tasks)
    if room is None:
        return Tables(text, free_share=free)
    return Tables(text, planner.decode_upload("The table of room", room))


def ask_tables(current: CurrentRelease, work: Workplace) -> None:
    """Ask for the tables of tasks and of spare capacity, and offer to calculate or remove the hand-over."""
    page_frame.show_text(
        _(
            "The programme will end, and its work must continue with the duty bearers. Each task goes to one duty "
            "bearer as soon as that duty bearer has lasting spare capacity, or it stays with the partner."
        ),
        _(
            "Tasks: one row for each task, with area, partner, axis, children per quarter, duty bearers who may take "
            "it, and the first quarter. Spare capacity: how many more children per quarter a duty bearer can help."
        ),
    )
    left, right = st.columns(2, gap="medium")
    with left:
        ask_files(_("Table of tasks"), type="csv", key=_TASKS)
        st.download_button(_("Empty table of tasks"), _TASKS_DRAFT, "tasks.csv", "text/csv", on_click="ignore")
    with right:
        ask_files(_("Table of spare capacity, if you have one"), type="csv", key=_ROOM)
        st.download_button(_("Empty table of spare capacity"), _ROOM_DRAFT, "room.csv", "text/csv", on_click="ignore")
    st.number_input(
        _("Without a table of spare capacity: share of service places that is free, in %"),
        min_value=0, max_value=100, value=None, step=5, key=_FREE, placeholder=_("ask the duty bearers"),
    )  # fmt: skip
    with st.container(horizontal=True):
        state = st.session_state
        known = state.get(_ROOM) is not None or state.get(_FREE) is not None
        ready = state.get(_TASKS) is not None and known
        st.button(_("Calculate the hand-over"), on_click=_take_tables, args=(current,), disabled=not ready)
        if work.handover.tasks:
            st.button(_("Remove the hand-over"), on_click=session.set_tables, args=(Tables(),))
    if refused := st.session_state.get(_REFUSED, ""):
        st.error(escape_markdown(refused))


def _take_tables(current: CurrentRelease) -> None:
    state = st.session_state
    tasks, room = state.get(_TASKS), state.get(_ROOM)
    state[_REFUSED] = ""
    if tasks is None:
        return
    try:
        content = None if room is None else room.getvalue()
        free = None if state[_FREE] is None else state[_FREE] / 100
        tables = read_tables(tasks.getvalue(), content, free)
        planner.hand_over_tasks(current, tables)
    except TactError as error:
        state[_REFUSED] = str(error)
    else:
        session.set_tables(tables)
