"""The questions about a file, as a form: one for each column, however many rows it is about."""

from __future__ import annotations

import streamlit as st

from dashboard.desk import words
from dashboard.desk.hand import FileInHand, Hand
from dashboard.desk.summary import name_areas
from dashboard.site.text import _, escape_markdown, format_number
from data.reference import area_table
from data.restricted.intake.recognition import Question, read_place_label
from data.schema import get_kind
from data.schema.kinds import KINDS

_WIDTH = 420


def ask_partner(hand: Hand, key: str) -> str:
    """Ask whose files they are; empty if nobody says it."""
    partner = st.selectbox(
        _("Whose files are they?"),
        hand.list_partners(),
        index=None,
        accept_new_options=True,
        placeholder=_("Choose a partner, or type a new one"),
        help=_("Leave it empty if the rows themselves name the partner."),
        key=key,
        width=_WIDTH,
    )
    return " ".join((partner or "").split())


def ask_kind(entry: FileInHand) -> None:
    """Ask what kind of records a file has, where its columns fit none or several."""
    kind = st.selectbox(
        _("Its columns fit no kind of record, or fit several. What is in the file?"),
        list(KINDS),
        index=None,
        format_func=lambda name: _(words.KINDS[name]),
        placeholder=_("Choose"),
        key=f"kind-{entry.number}",
        width=_WIDTH,
    )
    if kind:
        entry.kind = kind
        st.rerun()


def ask(hand: Hand, entry: FileInHand) -> None:
    """Ask all open questions about a file at once."""
    assert entry.found is not None
    with st.form(f"questions-{entry.number}", border=False):
        replies = [(question, _ask(entry, question)) for question in entry.found.questions]
        if st.form_submit_button(_("Answer"), type="primary"):
            hand.reply(entry, replies)
            st.rerun()


def _ask(entry: FileInHand, question: Question) -> dict[str, str]:
    assert entry.found is not None
    kind = entry.found.kind
    st.markdown(f"**{escape_markdown(words.word_question(kind, question))}**")
    replies = {}
    for part, allowed in question.parts.items():
        options = list(allowed) or list_places(kind, question.column)
        likely = question.proposal.get(part, "")
        likely = likely if likely in options else read_place_label(likely)
        places = {} if allowed else name_areas()
        replies[part] = st.selectbox(
            _word_part(kind, question, part),
            options,
            index=options.index(likely) if likely in options else None,
            format_func=lambda reply, part=part, places=places: (
                places.get(reply) or words.word_answer(kind, question, part, reply)
            ),
            placeholder=_("Choose"),
            key=f"answer-{entry.number}-{question.topic}-{question.column}-{part}",
            width=_WIDTH,
        )
    return {part: reply or "" for part, reply in replies.items()}


def _word_part(kind: str, question: Question, part: str) -> str:
    """Return what a part of a question is about: a column of ours, or a word of the file with its number of rows."""
    if question.topic == "words":
        rows = format_number(question.rows[part])
        return _("“{word}” ({rows} rows)", word=escape_markdown(part), rows=rows)
    return words.name_column(kind, part)


def list_places(kind: str, column: str) -> list[str]:
    """Return the codes of the places that a column may name, in the order of their names."""
    level, table = get_kind(kind).column(column).level, area_table()
    codes = table.index if level is None else table.index[table["level"] == level]
    names = name_areas()
    return sorted(map(str, codes), key=names.__getitem__)
