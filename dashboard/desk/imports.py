"""Imports: a list of all imports, and how to take back a whole import."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.desk import words
from dashboard.desk.frame import show_note, show_title
from dashboard.desk.state import Desk
from dashboard.site.text import _, format_day, format_number, format_plural
from dashboard.widgets.address import renew_menu
from dashboard.widgets.markup import render_list, render_table
from data.restricted import drafts
from data.restricted.imports import undo_import
from data.restricted.vault import Undone

_DONE = "undone"


def show(desk: Desk) -> None:
    """Show the list of imports, latest first, and what would change if the chosen one were taken back."""
    show_title(desk, _("Imports"), _("Each import can be taken back as a whole. What was published stays."))
    with desk.open_vault() as (vault, _keys):
        imports = vault.list_imports()[::-1]
    done = st.session_state.pop(_DONE, None)
    if done:
        st.success(_("Import {number} was taken back.", number=done))
    if not imports:
        st.info(_("Nothing was imported yet. Start with the page Files."))
        return
    st.html(render_table(tabulate_imports(imports)))
    show_note(
        _(
            "The vault keeps no names of files, because people put names of children into them. Only a list of "
            "rejected rows, in the folder rejects, has the name of its file until the list is deleted."
        )
    )
    _show_undo(desk, imports)


def tabulate_imports(imports: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the imports as a table of words, one row for each: number, time, kind, partner, and counts of rows."""
    rows = [
        (
            str(entry["number"]),
            _word_time(entry),
            _(words.KINDS[entry["kind"]]),
            entry["partner"] or _("named in its rows"),
            *(format_number(entry[name]) for name in ("accepted", "changed", "already_known")),
            _("not known") if entry["rejected"] is None else format_number(entry["rejected"]),
        )
        for entry in imports
    ]
    head = [_("Number"), _("When"), _("Kind of record"), _("Partner"), _("New"), _("Corrected"), _("Known already")]
    return pd.DataFrame(rows, columns=[*head, _("Rejected")])


def _word_time(entry: dict[str, Any]) -> str:
    """Return when an import was made, by the clock of this machine."""
    moment = dt.datetime.fromisoformat(entry["at"]).astimezone()
    return f"{format_day(moment.date())}, {moment:%H:%M:%S}"


def list_effects(undone: Undone) -> list[str]:
    """Return sentences on what happens when an import is taken back."""
    again = _("{count} records are again as other imports say.", count=format_number(undone.restored))
    remaining = format_number(undone.remaining)
    stay = _("{count} records stay, because they were corrected or sent again since.", count=remaining)
    return [
        format_plural("{count} record goes away.", "{count} records go away.", undone.removed),
        *([again] if undone.restored else []),
        *([stay] if undone.remaining else []),
        _("The lists of rejected rows of this partner go too: they can be made again from the files."),
        _("Published numbers of final years stay as they are. Provisional ones stay until their year is final."),
    ]


def _show_undo(desk: Desk, imports: list[dict[str, Any]]) -> None:
    names = {entry["number"]: _name_import(entry) for entry in imports}
    number = st.selectbox(
        _("Take back an import"),
        list(names),
        index=None,
        format_func=names.__getitem__,
        placeholder=_("Choose"),
        key=renew_menu("undo"),
        width=520,
    )
    if number is None:
        return
    with desk.open_vault() as (vault, _keys):
        basis = vault.read_state(), number
        undone = desk.recall("undo", basis, lambda: vault.undo(number, rehearse=True))
        kind = next(entry["kind"] for entry in imports if entry["number"] == number)
        by_hand = drafts.is_by_hand(vault, number, kind)
    st.html(render_list(list_effects(undone)))
    if by_hand:
        st.warning(
            _(
                "This import was entered by hand: there is no file to import again. Who takes it back must enter its "
                "records anew."
            )
        )
    agreed = st.checkbox(_("Yes, take it back"), key=f"undo-sure-{number}")
    label = _("Take back import {number}", number=number)
    if st.button(label, key="undo-now", type="primary", disabled=not agreed):
        with desk.open_vault() as (vault, _keys):
            undo_import(desk.workspace, vault, number)
        st.session_state[_DONE] = number
        del st.session_state["undo"]
        st.rerun()


def _name_import(entry: dict[str, Any]) -> str:
    partner = f", {entry['partner']}" if entry["partner"] else ""
    rows = _(
        "{new} new, {corrected} corrected",
        new=format_number(entry["accepted"]),
        corrected=format_number(entry["changed"]),
    )
    return f"{entry['number']}: {_word_time(entry)}, {_(words.KINDS[entry['kind']])}{partner}, {rows}"
