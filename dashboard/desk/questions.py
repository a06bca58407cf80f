"""The questions about a file, as a form: one question for each column, for all of its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.desk import words
from dashboard.desk.frame import show_note
from dashboard.desk.hand import FileInHand, Hand
from dashboard.desk.summary import name_areas, name_choices
from dashboard.site.text import _, escape_markdown, format_number, format_plural, html, translate_message
from dashboard.widgets.address import renew_menu
from dashboard.widgets.markup import render_list, render_note
from data.reference import area_table
from data.restricted import governance
from data.restricted.intake.made_ages import MadeAges
from data.restricted.intake.recognition import Question, read_place_label
from data.schema import get_kind
from data.schema.kinds import KINDS
from data.workspace.folding import is_same_partner
from data.workspace.partner_names import find_similar

_WIDTH = 420
_MOST_GAPS = 6  # open questions that a message names
_COLUMN = "\0"  # before a heading, in place of a code
_NONE = "\0\0"  # in place of a heading, if no column of the file is the answer
_UNNAMED = re.compile(r"column \d+")  # stands for a heading that is not repeated


def ask_partner(hand: Hand, key: str, label: str, help_text: str | None = None) -> str:
    """Ask for a partner and return the name. For real records only known partners can be chosen.

    Empty without an answer, for a partner that governance.toml does not name, and for a name that is nearly that of
    another partner, until the officer says that it is new.
    """
    partners, invented = hand.list_partners(), hand.desk.workspace.invented
    partner = st.selectbox(
        label,
        partners,
        index=None,
        accept_new_options=invented,
        placeholder=_("Choose a partner, or type a new one") if invented else _("Choose"),
        help=help_text,
        key=key,
        width=_WIDTH,
        disabled=not (partners or invented),
    )
    chosen = " ".join((partner or "").split())
    chosen = next((name for name in partners if is_same_partner(name, chosen)), chosen)
    similar = find_similar(chosen, partners) if chosen and invented else ""
    # Drawn also when it is empty: otherwise a page that is drawn again by itself would still show the earlier content.
    with st.empty():
        if not partners and not invented:
            st.info(
                _(
                    "Real records go in for the partners that {file} names, and it names none yet. Write your "
                    "organisation there under [controllers], names. Then the desk goes on by itself.",
                    file=escape_markdown(str(governance.read(hand.desk.workspace).path)),
                )
            )
        elif chosen and not hand.may_send(chosen):
            tell_unknown(hand)
            return ""
        elif similar and not _ask_new(chosen, similar, key):
            return ""
    return chosen


def _ask_new(partner: str, similar: str, key: str) -> bool:
    """Ask whether a partner is new, because the name is nearly that of a known one; return the answer."""
    names = {"partner": escape_markdown(partner), "similar": escape_markdown(similar)}
    with st.container():
        st.warning(
            _(
                "{partner} is a new partner, and the name is nearly that of {similar}. If {similar} is meant, choose "
                "it above: otherwise the same rows go in twice.",
                **names,
            )
        )
        return st.checkbox(_("{partner} is really another partner", **names), key=f"{key}-new-{partner}")


def tell_unknown(hand: Hand) -> None:
    """Show that governance.toml does not name a partner, and what to do."""
    st.error(
        _(
            "This partner is not in {file}. Partners are organisations, never persons. Write an organisation there "
            "under [controllers], or with an agreement of kind “partner”. The desk looks again by itself.",
            file=escape_markdown(str(governance.read(hand.desk.workspace).path)),
        )
    )


def ask_kind(entry: FileInHand) -> None:
    """Ask what kind of records a file has, if its columns fit no kind or several kinds."""
    kind = st.selectbox(
        _("Its columns fit no kind of record, or fit several. What is in the file?"),
        list(KINDS),
        index=None,
        format_func=lambda name: _(words.KINDS[name]),
        placeholder=_("Choose"),
        key=renew_menu(f"kind-{entry.number}"),
        width=_WIDTH,
    )
    if kind:
        entry.kind = kind
        st.rerun()


def ask(hand: Hand, entry: FileInHand) -> None:
    """Ask all open questions about a file at once, and note the answers, or that the file lacks what an import needs.

    Questions about the file as a whole (doubts) come last, when all its rows can be read.

    Raises InputError for an answer that is not allowed.
    """
    assert entry.recognition is not None
    if not entry.recognition.questions:
        _ask_doubts(entry)
        return
    with st.form(f"questions-{entry.number}", border=False):
        # Answers for all rows matter most, so these questions come first.
        questions = sorted(entry.recognition.questions, key=lambda question: question.topic != "constants")
        if st.session_state.pop(f"gaps-{entry.number}", None):
            kind = entry.recognition.kind
            parts = [_word_part(kind, question, part) for question in questions for part in question.parts]
            listed = ", ".join(parts[:_MOST_GAPS]) + (" …" if len(parts) > _MOST_GAPS else "")
            st.warning(_("Not answered yet: {questions}. Choose an answer, then press Answer again.", questions=listed))
        asked = [(question, _ask(entry, question)) for question in questions]
        if st.form_submit_button(_("Answer"), type="primary"):
            if lacking := [question for question, answers in asked if _NONE in answers.values()]:
                entry.refusal = lacking[0].without
                st.rerun()
            headings = [(part, _heading_of(reply)) for _q, answers in asked for part, reply in answers.items()]
            columns = {part: heading for part, heading in headings if heading}
            replies = [
                (q, {part: reply for part, reply in answers.items() if part not in columns}) for q, answers in asked
            ]
            hand.reply(entry, replies, columns)
            st.session_state[f"gaps-{entry.number}"] = not all(all(answers.values()) for _q, answers in asked)
            st.rerun()


def _ask_doubts(entry: FileInHand) -> None:
    """Ask the open questions about the whole file, each with the facts it rests on, and note the answers."""
    if not entry.doubts or entry.recognition is None:
        return
    with st.form(f"doubts-{entry.number}", border=False):
        answers = {}
        for doubt in entry.doubts:
            st.markdown(f"**{escape_markdown(translate_message(doubt.text))}**")
            st.html(
                render_list([words.word_note(entry.recognition.kind, fact) for fact in (*doubt.facts, *doubt.sample)])
            )
            meanings = {code: translate_message(meaning) for code, meaning in doubt.answers.items()}
            answers[doubt.name] = st.radio(
                _("Your answer"),
                list(meanings),
                index=None,
                format_func=meanings.__getitem__,
                key=f"doubt-{entry.number}-{doubt.name}",
                label_visibility="collapsed",
            )
        if st.form_submit_button(_("Answer"), type="primary"):
            entry.answers |= {name: answer for name, answer in answers.items() if answer}
            st.rerun()


def _heading_of(reply: str) -> str:
    """Return the heading that an answer names; empty if the answer is not a heading."""
    return reply.removeprefix(_COLUMN) if reply.startswith(_COLUMN) else ""


def _ask(entry: FileInHand, question: Question) -> dict[str, str]:
    assert entry.recognition is not None
    kind = entry.recognition.kind
    st.markdown(f"**{escape_markdown(words.word_question(kind, question))}**")
    if (
        question.topic == "column"
        and len(question.parts) == 1
        and (meaning := get_kind(kind).column(question.column).meaning)
    ):
        show_note(_(meaning))
    if question.topic == "constants":
        sentence = _(
            "What you choose here is stored for all {count} rows of this file. If the rows differ, do not guess: ask "
            "the partner for a column that says it.",
            count=format_number(entry.recognition.rows),
        )
        show_note(sentence)
    replies, names = {}, name_choices()
    for cell, (part, allowed) in zip(place_fields(len(question.parts)), question.parts.items(), strict=True):
        options = list(allowed)
        of_places = question.topic != "column" and not allowed
        if of_places:
            options = list_places(kind, question.column, question.near.get(part, ()))
        elif question.topic == "constants":
            # The file may have a column for it, with a heading that is not known.
            options += [_COLUMN + heading for heading in entry.recognition.worded if not _UNNAMED.fullmatch(heading)]
        if question.without:
            options.append(_NONE)
        likely = question.proposal.get(part, "")
        likely = likely if likely in options else read_place_label(likely)
        places = names if of_places else {}
        replies[part] = cell.selectbox(
            _word_part(kind, question, part),
            options,
            index=options.index(likely) if likely in options else None,
            format_func=lambda reply, part=part, places=places: (
                places.get(reply) or _word_answer(kind, question, part, reply)
            ),
            placeholder=_("Choose"),
            key=renew_menu(f"answer-{entry.number}-{question.topic}-{question.column}-{part}"),
        )
        if len(near := [places[read_place_label(label)] for label in question.near.get(part, ()) if places]) > 1:
            cell.html(render_note(_("Perhaps: {places}.", places=", ".join(near))))
        if question.topic == "constants" and (explained := words.list_help(kind, part)):
            cell.html(html('<div class="meanings">{}</div>', render_list(explained)))
    return {part: reply or "" for part, reply in replies.items()}


def _word_answer(kind: str, question: Question, part: str, reply: str) -> str:
    if reply == _NONE:
        return _("None: the file has no such column")
    heading = _heading_of(reply)
    if heading:
        return _("The column “{heading}” says it", heading=heading)
    return words.word_answer(kind, question, part, reply)


def _word_part(kind: str, question: Question, part: str) -> str:
    """Return what a part of a question is about: one of our columns, or a word of the file with its number of rows."""
    if question.topic == "words":
        count = question.rows[part]
        if ages := MadeAges.read(part):
            return format_plural(
                "{ages}, which a spreadsheet made a date ({count} row)",
                "{ages}, which a spreadsheet made a date ({count} rows)",
                count,
                ages=ages.ages,
            )
        return format_plural("“{word}” ({count} row)", "“{word}” ({count} rows)", count, word=escape_markdown(part))
    return words.name_column(kind, part)


def place_fields(number: int) -> list[DeltaGenerator]:
    """Return the containers of `number` fields: three in each row, from left to right and row by row."""
    return [cell for _row in range(0, number, 3) for cell in st.columns(3)][:number]


def list_places(kind: str, column: str, near: Sequence[str] = ()) -> list[str]:
    """Return the codes of the areas that a column may name: first those in `near`, then the others, each by name.

    near : the labels of areas with names similar to a word of the file, see `read_place_label`.
    """
    level, table = get_kind(kind).column(column).level, area_table()
    codes = table.index if level is None else table.index[table["level"] == level]
    names = name_areas()
    first = set(map(read_place_label, near))
    return sorted(map(str, codes), key=lambda code: (code not in first, names[code]))
