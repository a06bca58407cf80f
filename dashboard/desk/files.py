"""Files: drop a partner's files, see how they are read, answer open questions, and import the files."""

from __future__ import annotations

from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.desk import questions, summary, words
from dashboard.desk.bringing import offer_servers, show_deletable
from dashboard.desk.consent import ask_consent
from dashboard.desk.frame import show_note, show_title, tell_errors
from dashboard.desk.hand import FileInHand, Hand, list_governed, read_hand, recall_overdue
from dashboard.desk.state import Desk
from dashboard.site.text import _, escape_markdown, format_number, html, translate_message
from dashboard.widgets.markup import render_list, render_steps, render_table
from dashboard.widgets.upload import ask_files
from data.restricted.governance.retention import Overdue
from data.restricted.imports import Imported, is_table, undo_import
from data.restricted.intake import UNSTORED
from data.restricted.intake.mapping import ColumnMapping
from data.schema import get_kind
from data.schema.kinds import KINDS
from data.workspace import Workspace

_MOST_SPELLINGS = 5  # that are listed without a fold
_LOOKS_EVERY = 5.0  # seconds between two checks of governance.toml


def show(desk: Desk) -> None:
    """Show the drop zone and the files in hand."""
    hand = read_hand(desk)
    show_title(
        desk, _("Files"), _("Drop a partner's lists as they are. You see how they are read before anything is stored.")
    )
    _watch_partners(desk.workspace, list_governed(desk.workspace))
    with desk.open_vault():  # once for all that follows
        _take_files(hand)
        offer_servers(hand)
        _show_files(desk, hand)


def _show_files(desk: Desk, hand: Hand) -> None:
    if not hand.files:
        _show_steps()
    # Counted once for all files: an import counts again before it deletes anything.
    overdue = recall_overdue(desk) if hand.files else None
    taken_back, basis = hand.list_taken_back(), hand.read_basis()
    above = st.container()
    for entry in reversed(hand.files.values()):
        with st.container(border=True, key=f"file-{entry.number}"):
            with tell_errors():
                with st.spinner(_("Reading {file} …", file=escape_markdown(entry.file.name))):
                    hand.look(entry, basis)
                _show_file(hand, entry, overdue, taken_back=entry.number in taken_back)
            label = _("Put it away") if entry.result is not None else _("Leave it out")
            if st.button(label, key=f"out-{entry.number}"):
                hand.put_away(entry)
                st.rerun()
    with above, tell_errors():
        _offer_all(hand, overdue)


def _offer_all(hand: Hand, overdue: Overdue | None) -> None:
    """Offer to import all files that are ready with all their rows, if they are several and nothing is to be deleted.

    Each is tried again before it goes in: the import of another one may have changed what it would do. A file that then
    has another note than the officer saw, such as that its records are those of another partner, stays.
    """
    ready = [(entry, entry.trial.notes) for entry in hand.files.values() if entry.is_whole and entry.trial]
    if len(ready) > 1 and overdue is not None and not overdue.count:
        label = _("Import all {count} files that are ready", count=format_number(len(ready)))
        if st.button(label, key="import-all", type="primary"):
            for entry, notes in ready:
                with st.spinner(_("Importing {file} …", file=escape_markdown(entry.file.name))):
                    hand.look(entry)
                    if entry.is_whole and entry.trial and entry.trial.notes == notes:
                        hand.store(entry)
            st.rerun()


def _show_steps() -> None:
    """Show the steps of the work to an officer who has no file in hand."""
    steps = [
        (_("Drop"), _("Say whose files they are, and drop them above: Excel or CSV, as the partner keeps them.")),
        (_("Answer"), _("The desk asks what it cannot know, and keeps your answers for the files of the next month.")),
        (_("Import"), _("See which rows go in and which are rejected, and why. Nothing is stored before.")),
        (_("Release"), _("Try a release, look at it, and publish it.")),
    ]
    st.html(render_steps(steps))


@st.fragment(run_every=_LOOKS_EVERY)
def _watch_partners(workspace: Workspace, known: tuple[str, ...]) -> None:
    """Draw the page again when governance.toml names other partners than before.

    Streamlit keeps the arguments until the page is drawn again, so they hold nothing secret that a lock must delete.
    """
    if list_governed(workspace) != known:
        st.rerun()


def _take_files(hand: Hand) -> None:
    """Show the drop zone, and move dropped files from Streamlit's storage to the files in hand."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        help_text = _("Leave it empty if the rows themselves name the partner.")
        if not hand.desk.workspace.invented:
            help_text += " " + _("A partner who is not in the list must stand in governance.toml first.")
        if "partner" not in st.session_state and hand.partner in hand.list_partners():
            st.session_state["partner"] = hand.partner  # the officer looked at another page meanwhile
        partner = hand.partner = questions.ask_partner(hand, "partner", _("Whose files are they?"), help_text)
    for entry in hand.files.values():
        if partner and entry.needs_partner:
            entry.partner = partner
    number = st.session_state.setdefault("drop", 0)
    with right:
        dropped = ask_files(_("CSV or Excel files"), accept_multiple_files=True, key=f"drop-{number}")
    if not dropped:
        return
    context = get_script_run_ctx()
    for upload in dropped:
        hand.take(upload.name, upload.getvalue(), partner)
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
    st.session_state["drop"] = number + 1
    st.rerun()


def _show_file(hand: Hand, entry: FileInHand, overdue: Overdue | None, *, taken_back: bool) -> None:
    partner = f" · {entry.partner}" if entry.partner else ""
    state = summary.find_state(entry, taken_back=taken_back)
    st.html(
        html(
            '<div class="filehead"><h2>{}</h2><span class="state {}">{}</span><p>{}{}</p></div>',
            entry.file.name,
            "asked" if state in ("some", "none") else state,
            _(summary.STATES[state]),
            summary.word_recognition(entry.recognition) if entry.recognition else _("Not recognised yet"),
            partner,
        )
    )
    if taken_back:
        st.html(html('<p class="counts">{}</p>', _("This import was taken back. Nothing of it counts.")))
        show_note(_("To import the file anew, let it be read again: you see what an import would do."))
        if st.button(_("Read it again"), key=f"anew-{entry.number}", type="primary"):
            hand.try_again(entry)
            st.rerun()
        return
    if entry.result is not None:
        _show_result(hand, entry, entry.result)
        return
    _tell_replaced(entry)
    if entry.refusal:
        _show_refusal(hand, entry)
    elif entry.recognition is None:
        questions.ask_kind(entry)
    elif entry.needs_partner:
        entry.partner = questions.ask_partner(hand, f"partner-{entry.number}", _("Whose file is it?"))
        if entry.partner:
            st.rerun()
    else:
        questions.ask(hand, entry)
    if entry.trial is not None and overdue is not None:
        _show_trial(hand, entry, entry.trial, overdue)
    _show_reading(hand, entry)


def _tell_replaced(entry: FileInHand) -> None:
    if entry.replaces:
        show_note(
            _(
                "It took the place of another file with this name that was not imported yet. If both are to go in, "
                "import this one first, then drop the other again."
            )
        )


def _show_refusal(hand: Hand, entry: FileInHand) -> None:
    if entry.names_unknown:
        questions.tell_unknown(hand)
        return
    lead = _("This file cannot be imported as it is.")
    if not entry.personal:
        st.error(f"**{lead}** {escape_markdown(words.word_refusal(entry.refusal))}")
        return
    remedy = _("It seems to contain personal data of children. Take this out of the file, and drop it again:")
    st.error(f"**{lead}** {remedy}")
    st.html(render_list(words.word_personal(*place) for place in entry.personal))


def _show_trial(hand: Hand, entry: FileInHand, trial: Imported, overdue: Overdue) -> None:
    st.html(html('<p class="counts"><b>{}</b> {}</p>', _("An import would do this:"), summary.word_counts(trial)))
    _show_reasons(trial)
    if not entry.goes_in and entry.partner:
        st.warning(
            _(
                "No row goes in. If it is not a file of {partner}, say whose it is, under “Something is read wrongly”.",
                partner=escape_markdown(entry.partner),
            )
        )
    _show_notes(trial)
    agreed = ask_consent(overdue, str(entry.number))
    label = _("Import it without these rows") if trial.rejected else _("Import it")
    # What is still to be answered or corrected comes first.
    first = entry.goes_in and summary.find_state(entry) == "ready"
    rank: Literal["primary", "secondary"] = "primary" if first else "secondary"
    if st.button(label, key=f"import-{entry.number}", type=rank, disabled=not agreed):
        with st.spinner(_("Importing …")):
            hand.store(entry, overdue.to_confirm)
        st.rerun()


def _show_reasons(imported: Imported) -> None:
    if not imported.reasons:
        return
    st.html(render_table(summary.tabulate_reasons(imported)))
    show_note(
        _(
            "Rejected rows are not stored. Correct them in the partner's file and drop it again: what is "
            "stored already is not stored twice. ••• is not shown, because it may tell who a child is."
        )
    )


def _show_notes(imported: Imported) -> None:
    """Show which words were read as a place of similar sound, and the other notes on the file."""
    notes = [words.word_note(imported.kind, note) for note in imported.notes if not note.startswith(UNSTORED)]
    respelled = summary.word_respelled(imported)
    if len(respelled) > _MOST_SPELLINGS:
        count = format_number(len(respelled))
        with st.expander(_("{count} spellings of places, and how they are read", count=count)):
            st.html(render_list(respelled))
        respelled = []
    if respelled or notes:
        st.html(render_list([*respelled, *notes]))


def _show_reading(hand: Hand, entry: FileInHand) -> None:
    recognition = entry.recognition
    if recognition is not None:
        with st.expander(
            _("The first rows, as they would be read"), expanded=entry.trial is not None and len(hand.files) == 1
        ):
            st.html(render_table(summary.tabulate_sample(recognition)))
            show_note(_("••• is not shown, because it may tell who a child is. ? cannot be read."))
        with st.expander(_("How each column is read")):
            show_note(summary.word_reasoning(recognition))
            st.html(render_table(summary.tabulate_readings(recognition)))
            if recognition.placing:
                named = ", ".join(map(translate_message, recognition.placing))
                show_note(_("Read to find the place, but not stored: {columns}.", columns=named))
            if recognition.unread:
                named = ", ".join(map(translate_message, recognition.unread))
                show_note(_("Not read and not stored: {columns}.", columns=named))
            if entry.trial is None:
                st.html(
                    render_list(
                        words.word_note(recognition.kind, n) for n in recognition.notes if not n.startswith(UNSTORED)
                    )
                )
    if recognition is None and not is_table(entry.file):
        return  # no kind, sheet or row makes a table of it
    with st.expander(
        _("Something is read wrongly"), expanded=bool(entry.refusal) and recognition is None and not entry.personal
    ):
        _show_corrections(hand, entry)


def _show_result(hand: Hand, entry: FileInHand, result: Imported) -> None:
    st.html(html('<p class="counts">{}</p>', summary.word_counts(result)))
    st.html(summary.render_next())
    show_deletable(hand, entry)
    if result.number is not None:
        _show_understood(hand, entry, result, result.number)
    _show_reasons(result)
    _show_notes(result)
    if result.list_failed:
        st.warning(
            _(
                "The list of rejected rows could not be written: the disk may be full. All other rows are "
                "stored. Import the file again to get the list."
            )
        )
    if result.rejects is not None and not result.rejects.exists():
        show_note(_("The list of rejected rows was removed. Import the file again to get it back."))
    elif result.rejects is not None:
        st.download_button(
            _("The rejected rows, to correct or to send to the partner"),
            result.rejects.read_bytes(),
            file_name=result.rejects.name,
            mime="text/csv",
            key=f"rejects-{entry.number}",
        )


def _show_understood(hand: Hand, entry: FileInHand, result: Imported, number: int) -> None:
    """Show true counts of what was understood, to be compared with the paper, and a button that takes all back."""
    if entry.counts is None:  # seconds for a large file
        with hand.desk.open_vault() as (vault, _keys):
            entry.counts = vault.count_file(number)
    with st.expander(_("What was understood, to compare with the paper"), expanded=len(hand.files) == 1):
        st.html(render_table(summary.tabulate_file(*entry.counts)))
        if result.totals:
            listed = ", ".join(map(format_number, result.totals))
            show_note(_("Numbers in the file's own rows of totals: {numbers}.", numbers=listed))
        show_note(_("These are true numbers: keep them here."))
    if st.button(_("Not right: take this import back"), key=f"back-{entry.number}"):
        with hand.desk.open_vault() as (vault, _keys):
            undo_import(hand.desk.workspace, vault, number)
        st.rerun()


def _show_corrections(hand: Hand, entry: FileInHand) -> None:
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
        named: dict[str, dict[str, str]] = {}
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
            codes = [
                (column.name, code) for column in get_kind(recognition.kind).file_columns for code in column.allowed
            ]
            word = st.text_input(_("A word of the file that is not read"), autocomplete="off").strip()
            meaning = st.selectbox(
                _("What the word means"),
                codes,
                index=None,
                format_func=lambda pair: (
                    f"{words.name_column(recognition.kind, pair[0])}: {words.name_code(recognition.kind, *pair)}"
                ),
                placeholder=_("Choose"),
            )
            named = {meaning[0]: {word: meaning[1]}} if word and meaning else {}
        if st.form_submit_button(_("Read it so")):
            entry.kind = kind or entry.kind
            # The chosen column is one of the recognised kind; the corrected kind may not have it.
            columns = [column.name for column in get_kind(entry.kind).file_columns] if entry.kind else []
            chosen = {ours: heading} if heading and ours in columns else {}
            named = {column: theirs for column, theirs in named.items() if column in columns}
            entries = ColumnMapping(chosen, named, sheet=sheet.strip(), heading_row=int(row or 0))
            hand.correct(entry, entries)
            st.rerun()
