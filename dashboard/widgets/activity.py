"""The rows that pages write into the audit log: the page and area that a person saw on the partner tier, their plans.

Rows are written only if people sign in. The door notes files that are downloaded (dashboard/web/door.py).
"""

from __future__ import annotations

import streamlit as st

from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.reader import find_accounts, find_reader
from dashboard.widgets.address import follow_area, read_area
from data.accounts.log import Event, note
from data.accounts.rights import Right

_SEEN = "activity-seen"


def note_page(page: str, current: CurrentRelease | None) -> None:
    """Write into the log that the reader sees a page and the area in its address; once until one of them changes.

    Only readers who may see the partner tier are noted. Raises WorkspaceError if the log cannot be written, so that the
    page is not shown.
    """
    follow_area(lambda area: _note(page, current, area))
    _note(page, current, read_area())


def note_plan(what: str, name: str = "") -> None:
    """Write into the log that the reader saved or changed a plan, if people sign in.

    what : what was done. name : the name of the file, without words that a person typed; empty for none. Raises
    WorkspaceError if the log cannot be written.
    """
    accounts, reader = find_accounts(), find_reader()
    if accounts is not None:
        note(accounts, Event.PLANNED, reader.name, what=what, **({"name": name} if name else {}))


def _note(page: str, current: CurrentRelease | None, area: str) -> None:
    accounts, reader = find_accounts(), find_reader()
    if accounts is None or current is None or Right.SEE_PARTNER not in reader.rights:
        return
    # An address may hold anything.
    place = {"area": area} if area in load_areas(current.release).table.index else {}
    if st.session_state.get(_SEEN) != (seen := (page, *place.values())):
        note(accounts, Event.SAW, reader.name, page=page, **place)
        st.session_state[_SEEN] = seen
