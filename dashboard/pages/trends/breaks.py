"""Breaks of series on the Trends page: sentences on breaks and changes, and buttons to accept or remove a break.

A reader who may save plans may accept a break. The table of accepted breaks is in the folder of the results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard.narrative import risk as narrative
from dashboard.pages.trends import summary
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from dashboard.site.text import _, escape_markdown, format_period, translate_message
from dashboard.widgets.activity import note_plan
from dashboard.widgets.address import renew_menu
from data.errors import TactError
from data.personal.free_text import LONGEST
from risk.model.breaks import Break, accept_break, remove_break
from risk.planning.summary import ROLES

_NOTE, _ROLE, _REFUSED = "break_note", "break_role", "break_refused"


def name_breaks(current: CurrentRelease, accepted: Sequence[Break], area: str, pathway: str) -> dict[str, str]:
    """Return a sentence on each accepted or possible break of an area's series, by quarter."""
    possible = summary.list_possible(current, accepted, area, pathway)
    mine = summary.list_accepted(accepted, area)
    return {
        **{jump.period: narrative.format_break(current, jump) for jump in possible},
        **{known.period: narrative.format_accepted_break(current, known) for known in mine},
    }


def list_latest_changes(current: CurrentRelease, accepted: Sequence[Break], area: str, pathway: str) -> list[str]:
    """Return short sentences on the possible breaks and on the change of the last year.

    If breaks of the area were accepted or removed after the model ran, the only sentence says this.
    """
    if summary.is_outdated(current, accepted, area):
        return [_("Breaks were accepted or removed since the risk model ran: run tact risk again to see changes.")]
    breaks = [
        _("A possible break from {quarter} on: did recording change?", quarter=format_period(jump.period))
        for jump in summary.list_possible(current, accepted, area, pathway)
    ]
    latest = summary.word_latest_changes(current, area)
    changes = [latest[pathway]] if pathway in latest else summary.list_count_changes(current, area, pathway)
    return [*breaks, *changes]


def list_details(current: CurrentRelease, accepted: Sequence[Break], area: str, pathway: str) -> list[str]:
    """Return sentences on all breaks and changes of an area.

    If breaks of the area were accepted or removed after the model ran, there are none on changes.
    """
    named = [*name_breaks(current, accepted, area, pathway).values()]
    if summary.is_outdated(current, accepted, area):
        return named
    return [*named, *summary.list_count_changes(current, area, pathway), *summary.list_changes(current, area)]


def ask_about_breaks(current: CurrentRelease, accepted: Sequence[Break], area: str, pathway: str) -> None:
    """Offer to accept the possible breaks of an area's series, and to remove accepted ones.

    Nothing is shown if there are none, or if the reader may not change the table of breaks.
    """
    possible = summary.list_possible(current, accepted, area, pathway)
    mine = summary.list_accepted(accepted, area)
    if _find_folder() is None or not (possible or mine):
        return
    with st.expander(_("Did recording change?")):
        if possible:
            st.text_input(_("Reason, such as a new law or a new form"), max_chars=LONGEST, key=_NOTE)
            st.selectbox(_("Your role"), ROLES, format_func=_, key=renew_menu(_ROLE))
        for jump in possible:
            place = read_area_names(current)[jump.place]
            label = _("Accept a break from {quarter} on, {place}", quarter=format_period(jump.period), place=place)
            st.button(
                label,
                key=f"accept-{jump.period}-{jump.place}",
                on_click=_accept,
                args=(current, jump.period, jump.place),
            )
        for known in mine:
            label = _("Remove the break from {quarter} on", quarter=format_period(known.period))
            st.button(label, key=f"remove-{known.period}-{known.place}", on_click=_remove, args=(known,))
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(escape_markdown(refused))


def _name(known: Break) -> str:
    return f"{known.period} {known.place}".strip()


def _find_folder() -> Path | None:
    """Return the folder of the table of breaks.

    None on the public tier, if the reader may not change the table, or if a publisher sent it.
    """
    site = read_site()
    return site.work_folder if site.tier == "partner" and site.publisher is None else None


def _accept(current: CurrentRelease, period: str, place: str) -> None:
    def accept(folder: Path) -> None:
        state, today = st.session_state, datetime.now(UTC).date().isoformat()
        places = [str(code) for code in load_areas(current.release).table.index]
        new = Break(period, place, state[_NOTE], state[_ROLE], today)
        accept_break(folder, new, places, partial(note_plan, "break accepted", _name(new)))

    _change(accept)


def _remove(accepted: Break) -> None:
    note = partial(note_plan, "break removed", _name(accepted))
    _change(lambda folder: remove_break(folder, accepted.period, accepted.place, note))


def _change(make: Callable[[Path], object]) -> None:
    """Call `make` with the folder of the table of breaks if the reader may change it; keep the words of an error."""
    try:
        if folder := _find_folder():
            make(folder)
    except (TactError, OSError) as error:
        words = translate_message(error.message) if isinstance(error, TactError) else str(error)
        st.session_state[_REFUSED] = words
