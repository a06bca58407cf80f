"""The form for one record: a field for each column of its kind, with drop-downs for categories and places."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.desk import words
from dashboard.desk.questions import list_places, place_fields
from dashboard.desk.summary import name_choices
from dashboard.site.text import _
from dashboard.widgets.address import renew_menu
from data.schema import get_kind
from data.schema.column import Column

_FIRST = dt.date(2000, 1, 1)
_DAY = "DD.MM.YYYY"  # as partners write days
_NEEDS_ONE = ("child_id", "programme_number")


def ask_record(kind: str, key: str) -> tuple[dict[str, str], dict[str, DeltaGenerator]]:
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
