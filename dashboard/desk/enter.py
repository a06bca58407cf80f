"""Enter by hand: records of a partner without files, checked like any file, kept as a draft until they are imported."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.desk import questions, summary, words
from dashboard.desk.consent import ask_consent
from dashboard.desk.frame import show_note, show_title, tell_errors
from dashboard.desk.hand import Hand, read_hand, recall_overdue
from dashboard.desk.questions import list_places, place_fields
from dashboard.desk.state import Desk
from dashboard.desk.summary import name_choices
from dashboard.site.text import _, escape_markdown, html
from dashboard.widgets.address import renew_menu
from dashboard.widgets.markup import render_table
from data.errors import FileRefused, InputError
from data.message import Message, mark
from data.restricted import drafts
from data.restricted.drafts import Draft, Row
from data.restricted.intake.missing_columns import list_missing
from data.restricted.intake.recognition import MASK
from data.restricted.intake.rejects import is_private
from data.schema import get_kind
from data.schema.column import Column
from data.schema.kinds import KINDS

_SAID = "entered"
_MISSING = "missing"
_IMPORTED = "entered-imported"
_PERSONAL = mark("it seems to contain {sort}; nothing here may tell who a child is, and a code looks like K-0412")
_REPEAT = {"date", "municipality", "area", "country", "axis", "kind", "period", "source", "year", "valid_from"}
_SHOWN = "entry-shown"  # kind, partner and hash of the draft that was on the screen when a button was pressed
Shown = tuple[str, str, int]


def show(desk: Desk) -> None:
    """Show the form for a record of the chosen kind, and the draft of that kind."""
    show_title(
        desk,
        _("Enter by hand"),
        _("For a partner without files. What you enter is kept, encrypted, until you import it."),
    )
    hand = read_hand(desk)
    notice = st.session_state.pop(_SAID, None)
    if notice:
        st.success(notice)
    if st.session_state.pop(_IMPORTED, None):
        st.html(summary.render_next())
    left, right = st.columns(2, gap="large")
    with left:
        kind = st.selectbox(
            _("Kind of record"),
            list(KINDS),
            format_func=lambda name: _(words.KINDS[name]),
            key=renew_menu("entry-kind"),
        )
    with desk.open_vault() as (vault, _keys):
        draft = drafts.read_draft(vault, kind)
    shown: Shown = st.session_state.get(_SHOWN, ("", "", 0))
    with right:
        if draft.rows:
            st.html(html("<p>{}</p><p><b>{}</b></p>", _("Draft for"), draft.partner))
        else:
            key = f"entry-partner-{kind}"
            if shown[0] == kind and shown[1] and key not in st.session_state:
                st.session_state[key] = shown[1]  # the draft was imported, perhaps in another window
            draft = replace(draft, partner=questions.ask_partner(hand, key, _("Partner")))
    st.session_state[_SHOWN] = _mark(draft)
    if draft.partner:
        _show_form(desk, hand, draft, shown)
    else:
        show_note(_("Choose the partner: then the form comes here."))
    if draft.rows:
        _show_draft(desk, hand, draft, shown)


def _mark(draft: Draft) -> Shown:
    return draft.kind, draft.partner, hash(repr(draft.rows))


def _show_form(desk: Desk, hand: Hand, draft: Draft, shown: Shown) -> None:
    number = st.session_state.setdefault("entry", 0)
    with st.form(f"entry-{draft.kind}-{number}"):
        row, places = _ask_record(draft.kind, f"entry-{number}")
        pressed = st.form_submit_button(_("Add it to the draft"), type="primary")
    of_children = _("* is needed. Give the partner's identifier of the child or a programme number, never a name.")
    show_note(of_children if get_kind(draft.kind).of_children else _("* is needed."))
    with tell_errors():
        if pressed and shown[:2] != _mark(draft)[:2]:
            raise InputError(
                _("Not added: the partner is now {partner}. Is the record one of this partner?", partner=draft.partner)
            )
        if pressed and not _refuse(draft.kind, find_faults(hand, draft, row), places):
            with desk.open_vault() as (vault, _keys):
                drafts.add_row(vault, draft.kind, draft.partner, row)
            st.session_state["entry"] = number + 1
            _repeat(draft.kind, number)
            st.session_state[_SAID] = _("Added to the draft. What often repeats, such as day and place, stays.")
            st.rerun()


def _repeat(kind: str, number: int) -> None:
    """Fill the next form with the values that are usually the same for the next record."""
    for column in {column.name for column in get_kind(kind).file_columns} & _REPEAT:
        st.session_state[f"entry-{number + 1}-{column}"] = st.session_state.get(f"entry-{number}-{column}")


def find_faults(hand: Hand, draft: Draft, row: Row) -> dict[str, str]:
    """Return why a row cannot be added, by column; empty if it can.

    The reason is `_MISSING` for an empty column that is needed. The column is "" for a reason on the whole row.
    """
    faults = dict.fromkeys(list_missing(get_kind(draft.kind), row, draft.partner), _MISSING)
    try:
        checked = hand.check_rows(draft.kind, draft.partner, [row]).reasons if row else []
    except FileRefused as refusal:
        if not refusal.personal:
            raise
        return faults | {column: Message(_PERSONAL, sort=Message(sort)) for sort, column, _line in refusal.personal}
    return faults | {fault["column"]: fault["reason"] for fault in checked}


def _refuse(kind: str, faults: dict[str, str], places: dict[str, DeltaGenerator]) -> bool:
    """Show the faults above the form, and each reason beside its field; return whether there is any fault."""
    if not faults:
        return False
    missing = [words.name_column(kind, column) for column, reason in faults.items() if reason == _MISSING]
    wrong = [words.name_column(kind, column) for column, reason in faults.items() if column and reason != _MISSING]
    sentences = [
        _("Not added."),
        _("Fill in: {columns}.", columns=", ".join(missing)) if missing else "",
        _("Correct: {columns}.", columns=", ".join(wrong)) if wrong else "",
        words.word_reason(faults.get("", "")),
    ]
    st.error(escape_markdown(" ".join(filter(None, sentences))))
    for column, reason in faults.items():
        if column in places:
            places[column].html(html('<p class="fault">{}</p>', words.word_reason(reason)))
    return True


def _show_draft(desk: Desk, hand: Hand, draft: Draft, shown: Shown) -> None:
    st.html(html("<h2>{}</h2>", _("The draft")))
    st.html(render_table(tabulate_draft(draft)))
    overdue = recall_overdue(desk)
    agreed = ask_consent(overdue, "entry")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button(_("Import the draft"), key="entry-import", type="primary", disabled=not agreed):
            _require_shown(draft, shown)
            _import_draft(hand, draft, overdue.to_confirm)
        numbers = list(range(1, len(draft.rows) + 1))
        number = st.selectbox(_("Take out number"), numbers, index=None, placeholder=_("Choose"), width=180)
        if number is not None and st.button(_("Take it out"), key="entry-out"):
            _require_shown(draft, shown)
            with desk.open_vault() as (vault, _keys):
                drafts.take_out(vault, replace(draft, rows=(draft.rows[number - 1],)))
            st.rerun()


def _require_shown(draft: Draft, shown: Shown) -> None:
    """Raise InputError if the draft is not the one that was on the screen."""
    if shown != _mark(draft):
        raise InputError(_("The draft has changed meanwhile. Nothing was done. Look at it again."))


def _import_draft(hand: Hand, draft: Draft, confirmed: int | None) -> None:
    """Import all rows of a draft. If a row is empty or would be rejected, import none and show why."""
    empty = [str(number) for number, row in enumerate(draft.rows, start=1) if not row]
    if empty:
        st.error(
            _("Nothing was imported. There is nothing in number {numbers}: take it out.", numbers=", ".join(empty))
        )
        return
    imported = hand.store_draft(draft, confirmed)
    if imported.rejected:
        st.html(render_table(summary.tabulate_reasons(imported)))
        return
    st.session_state[_SAID] = _("The draft is imported: {counts}.", counts=summary.word_counts(imported))
    st.session_state[_IMPORTED] = True
    st.rerun()


def tabulate_draft(draft: Draft) -> pd.DataFrame:
    """Return the rows of a draft as a table in words; values that identify a child are masked."""
    areas = summary.name_areas()
    columns = [column for column in get_kind(draft.kind).file_columns if any(column.name in row for row in draft.rows)]
    table: dict[str, list[Any]] = {_("Number"): [str(n) for n in range(1, len(draft.rows) + 1)]}
    for column in columns:
        cells: list[Any] = [row.get(column.name, "") for row in draft.rows]
        if is_private(column):
            cells = [MASK if cell else "" for cell in cells]
        elif column.type == "area":
            cells = [areas.get(cell, cell) for cell in cells]
        else:
            cells = [words.word_value(draft.kind, column.name, cell) for cell in cells]
        table[words.name_column(draft.kind, column.name)] = cells
    return pd.DataFrame(table)


_FIRST = dt.date(2000, 1, 1)
_DAY = "DD.MM.YYYY"  # as partners write days
_NEEDS_ONE = ("child_id", "programme_number")


def _ask_record(kind: str, key: str) -> tuple[dict[str, str], dict[str, DeltaGenerator]]:
    """Show the fields of a record; return the texts of the filled fields and the containers of all fields, by column.

    kind : the kind of record. key : the beginning of the names of the fields in the session's state.
    """
    columns = [column for column in get_kind(kind).file_columns if column.name != "partner"]
    row: dict[str, str] = {}
    places = dict(zip((column.name for column in columns), place_fields(len(columns)), strict=True))
    for column in columns:
        with places[column.name]:
            text = _ask(kind, column, f"{key}-{column.name}")
        if text:
            row[column.name] = text
    return row, places


def _ask(kind: str, column: Column, key: str) -> str:
    needed = column.required and column.name not in _NEEDS_ONE
    label = f"{words.name_column(kind, column.name)}{' *' if needed else ''}"
    meaning = _(column.meaning)
    if column.allowed or column.type == "area":
        names = name_choices() if column.type == "area" else {}
        options = list(column.allowed) or list_places(kind, column.name)
        chosen = st.selectbox(
            label,
            options,
            index=None,
            format_func=lambda code: names.get(code) or words.name_code(kind, column.name, code),
            placeholder=_("Choose"),
            help=meaning,
            key=renew_menu(key),
        )
        return chosen or ""
    if column.type in ("date", "day_or_week"):
        last = None if column.future else "today"
        day = st.date_input(label, None, _FIRST, last, key=key, help=meaning, format=_DAY)
        return day.isoformat() if isinstance(day, dt.date) else ""
    return st.text_input(label, key=key, help=meaning, autocomplete="off").strip()
