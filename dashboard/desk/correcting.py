"""Corrections of how a file is read: the kind, the sheet, the row of the headings, and the heading of a column."""

from __future__ import annotations

import streamlit as st

from dashboard.desk import questions, words
from dashboard.desk.hand import FileInHand, Hand
from dashboard.site.text import _, escape_markdown
from data.restricted.intake.mapping import ColumnMapping
from data.schema import get_kind
from data.schema.kinds import KINDS


def show(hand: Hand, entry: FileInHand) -> None:
    """Show what an officer may correct; an empty field leaves the value as it was found."""
    if entry.partner:
        label = _("Whose file is it, if not of {partner}?", partner=escape_markdown(entry.partner))
        partner = questions.ask_partner(hand, f"other-partner-{entry.number}", label)
        if partner and partner != entry.partner:
            entry.partner = partner
            st.rerun()
    again = _("Forget all answers for these files and ask again")
    if entry.recognition is not None and st.button(again, key=f"again-{entry.number}"):
        hand.ask_again(entry)
        st.rerun()
    number, recognition = entry.number, entry.recognition
    with st.form(f"correct-{number}", border=False, width=420):
        kind = st.selectbox(
            _("Kind of record"),
            list(KINDS),
            index=list(KINDS).index(recognition.kind) if recognition else None,
            format_func=lambda name: _(words.KINDS[name]),
            placeholder=_("Choose"),
        )
        sheet = st.text_input(_("Name or number of the sheet"), autocomplete="off")
        row = st.number_input(_("Row of the headings"), min_value=1, max_value=1000, value=None, step=1)
        ours = heading = None
        if recognition is not None:
            columns = [column.name for column in get_kind(recognition.kind).file_columns]
            headings = [heading for reading in recognition.readings for heading in reading.headings]
            headings += recognition.unknown
            ours = st.selectbox(
                _("Column"),
                columns,
                index=None,
                format_func=lambda name: words.name_column(recognition.kind, name),
                placeholder=_("Choose"),
            )
            heading = st.selectbox(
                _("Heading in the file"), list(dict.fromkeys(headings)), index=None, placeholder=_("Choose")
            )
        if st.form_submit_button(_("Read it so")):
            entry.kind = kind or entry.kind
            # The chosen column is one of the recognised kind; the corrected kind may not have it.
            columns = [column.name for column in get_kind(entry.kind).file_columns] if entry.kind else []
            chosen = {ours: heading} if heading and ours in columns else {}
            hand.correct(entry, ColumnMapping(columns=chosen, sheet=sheet.strip(), heading_row=int(row or 0)))
            st.rerun()
