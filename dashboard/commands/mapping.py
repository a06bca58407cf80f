"""`tact mapping`: how a partner's files are read; questions about a file, and answers that are kept."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.asking import ask, can_ask
from dashboard.commands.import_ import (
    NO_HINTS,
    Hints,
    check_files,
    check_hints,
    extend_mappings,
    word_answers,
    word_table,
)
from dashboard.commands.option_groups import expand_options
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from data.errors import FileRefused, InputError
from data.reference import area_table, town_table
from data.restricted import intake
from data.restricted.doubts import DoubtfulFile
from data.restricted.imports import Importer, check_workspace_kind, find_mappings, word_unknown
from data.restricted.intake import mapping
from data.restricted.intake.headings import SURE
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import Question, Recognition, answer, recognise
from data.restricted.intake.xlsform import read_form
from data.restricted.vault import load_keys, open_vault
from data.schema import get_kind
from data.schema.kinds import KINDS
from data.workspace import Workspace
from data.workspace.folding import make_key
from geo.places import Places

app = typer.Typer(help="How the files of a partner are read.", no_args_is_help=True)
_TRIES = 3
_NONE = "0"  # the answer that no column is what is asked for
_LATER = "-"  # leaves a question open that has a likely answer
_SHOWN = 8  # answers that a question lists
_OPEN = {"column": "HEADING", "days": "ORDER"}  # what stands for an answer where none is likely; else CODE


@app.callback()
def explain() -> None:
    """How the files of a partner are read."""


@app.command("draft")
@expand_options
def draft(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file of the partner: CSV or Excel.")],
    partner: Annotated[str | None, typer.Option(help="Whose file it is; answers are kept for it.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="encounter, effort, service, community, indicator or figure.")
    ] = None,
    form: Annotated[
        Path | None, typer.Option(help="The XLSForm behind a Kobo or ODK export: its labels explain names and codes.")
    ] = None,
    hints: Hints = NO_HINTS,
    as_json: Json = False,
) -> None:
    """Show how a file would be read and ask what is not sure. Nothing is imported.

    On a terminal and with a partner, the answers are kept and the next file is read without a question. Otherwise the
    questions are listed, and --set and --column answer them. What they say is kept too if a partner is named.
    """
    workspace = open_workspace(context)
    check_files([file, *([form] if form else [])])
    check_workspace_kind(workspace, [file])
    saved = find_mappings(workspace, partner)
    if form:
        saved = {
            record_kind: saved.get(record_kind, ColumnMapping()).extend(read_form(form, KINDS[record_kind]))
            for record_kind in KINDS
        }
    mappings = extend_mappings(saved, hints)
    name = kind or intake.guess_kind(file, mappings)
    if name is None:
        intake.refuse_unknown_children(file)
        raise FileRefused(word_unknown(file))
    check_hints(hints, name)
    learnt = extend_mappings({name: read_form(form, KINDS[name])} if form else {}, hints)[name]
    places = Places(area_table(), town_table())

    rules = dict(mappings)

    def look(more: ColumnMapping) -> Recognition:
        rules[name] = mappings[name].extend(more)
        return recognise(file, resolve=places.resolve, mappings=rules, kind=name, partner=partner)

    path: Path | None = None

    def keep(answers: ColumnMapping) -> Recognition:
        """Return what is recognised with these answers, and keep them if a partner is named."""
        nonlocal path
        recognition = look(answers)
        if partner is not None and answers != ColumnMapping():
            path = mapping.keep(workspace.mappings, partner, name, answers)
        return recognition

    recognition = keep(learnt)
    stopped = False
    may_ask = partner is not None and can_ask() and not as_json
    if may_ask:
        emit(None, False, *_describe(file, recognition))
        recognition, stopped = _ask_all(recognition, learnt, keep)
    refusal = None if recognition.questions else _rehearse(workspace, file, name, partner, rules, places)
    doubts = refusal.doubts if isinstance(refusal, DoubtfulFile) else ()
    parts = asdict(recognition)
    del parts["sample"]  # only an officer at the desk may see the first rows; the output of a command may be stored
    emit(
        {
            "file": str(file),
            **parts,
            "mapping": str(path) if path else None,
            "refused": str(refusal) if refusal else None,
            "doubts": [asdict(replace(doubt, sample=())) for doubt in doubts],
        },
        as_json,
        *([] if may_ask else [*_describe(file, recognition), *_word_questions(recognition)]),
        *([f"Kept for {partner}: {path}"] if path else []),
        *(_word_open(recognition) if may_ask else []),
        *([f"An import would be refused: {refusal}"] if refusal else []),
        _word_next(
            file,
            recognition,
            partner,
            word_table(kind, hints) + ("" if partner else word_answers(hints)),
            form,
            "".join(f" --answer {doubt.name}=ANSWER" for doubt in doubts),
        ),
    )
    if stopped:
        raise KeyboardInterrupt


def _rehearse(
    workspace: Workspace, file: Path, kind: str, partner: str | None, rules: Mapping[str, ColumnMapping], places: Places
) -> FileRefused | None:
    """Return why an import would refuse a file, such as open questions about it as a whole (DoubtfulFile)."""
    secrets = load_keys(workspace)
    with open_vault(workspace, secrets) as vault:
        try:
            Importer(workspace, vault, secrets, places.resolve, rules, rehearse=True).import_file(
                file, kind=kind, partner=partner
            )
        except FileRefused as refusal:
            return refusal
    return None


def _describe(file: Path, recognition: Recognition) -> Iterator[str]:
    """Yield lines on the kind of a file, and on how each of its columns is read."""
    sheet = f" of sheet {recognition.sheet}" if recognition.sheet else ""
    place = f"headings in row {recognition.line}{sheet}, {recognition.rows:,} rows below."
    yield f"{file.name}: kind {recognition.kind}, {place}"
    for reading in recognition.readings:
        headings = ", ".join(f"'{heading}'" for heading in reading.headings) or "the same for all rows"
        sure = "" if reading.confidence >= SURE else f" (confidence {reading.confidence:.0%})"
        yield f"  {reading.column}: {headings}{sure}"
    if recognition.placing:
        yield f"  read to find the place, but not stored: {', '.join(map(repr, recognition.placing))}"
    if unread := recognition.unread:
        yield f"  not read: {', '.join(map(repr, unread))}"
    yield from (f"  {note}" for note in recognition.notes)


def _word_questions(recognition: Recognition) -> Iterator[str]:
    for number, question in enumerate(recognition.questions, start=1):
        yield f"Question {number}: {question.text}"
        for part, allowed in question.parts.items():
            answers = [_word_answer(recognition.kind, question, part, reply) for reply in allowed]
            yield f"  {_word_part(question, part, answers)}"
        if question.without:
            yield f"  If no column is it, the file cannot be imported. {question.without}"


def _word_answer(kind: str, question: Question, part: str, reply: str) -> str:
    """Return an allowed answer; a code with the words that explain it, such as "al_to_gr (Albania to Greece)"."""
    name = {"words": question.column, "constants": part}.get(question.topic)
    words = get_kind(kind).column(name).allowed.get(reply, reply) if name else reply
    return reply if make_key(words) == make_key(reply) else f"{reply} ({words})"


def _word_part(question: Question, part: str, answers: Sequence[str]) -> str:
    rows = _word_rows(question, part)
    likely = f"; perhaps {question.proposal[part]}" if part in question.proposal else ""
    listed = ", ".join(answers[:_SHOWN]) + (", ..." if len(answers) > _SHOWN else "")
    nothing = "perhaps none of the columns" if question.topic == "column" else "name or code of a place"
    return f"{part}{rows}: {listed or nothing}{likely}"


def _word_rows(question: Question, part: str) -> str:
    """Return the number of rows that a part of a question is about; empty if it is about all rows."""
    if part not in question.rows:
        return ""
    return f" ({question.rows[part]:,} {'row' if question.rows[part] == 1 else 'rows'})"


def _word_open(recognition: Recognition) -> Iterator[str]:
    """Yield lines on the questions that are open after a person was asked, and on what an import does then."""
    if not recognition.questions:
        return
    yield "Not answered yet:"
    for question in recognition.questions:
        for part in question.parts:
            word = f"{question.column}: '{part}'" if question.topic == "words" else part
            yield f"  {word}{_word_rows(question, part)}"
    if recognition.blocks:
        yield "Without an answer, an import may refuse the file. The same command asks again."
    else:
        yield "An import rejects the rows that they are about. The same command asks again."


def _word_next(
    file: Path, recognition: Recognition, partner: str | None, options: str, form: Path | None, replies: str
) -> str:
    """Return the command to run next. What is kept for a partner need not be given again.

    options : the options of this run that the next one needs too. form : the XLSForm of this run. replies : the options
    with which an import answers the questions about the whole file.
    """
    path, questions = shlex.quote(str(file)), "".join(f" {_word_option(q)}" for q in recognition.questions)
    if partner:
        options = f" --partner {shlex.quote(partner)}{options}"
    elif questions or form:
        options = f" --partner NAME{options}" + (f" --form {shlex.quote(str(form))}" if form else "")
    if questions:
        return f"Next, with your answers: tact mapping draft {path}{options}{questions}"
    if form and not partner:  # an import takes no form
        return f"Next, to keep what the form says: tact mapping draft {path}{options}"
    if recognition.unanswered:
        return f"Next, when the cells are corrected or their words said: tact import {path}{options} --dry-run"
    return f"Next: tact import {path}{options}{replies}"


def _word_option(question: Question) -> str:
    """Return the options that answer a question, with HEADING, ORDER or CODE where no answer is likely."""
    options = []
    for part in question.parts:
        # Where nothing is likely, nothing is proposed: a command that is copied must not decide.
        value = question.proposal.get(part, _OPEN.get(question.topic, "CODE"))
        if question.topic == "column":
            options.append(f"--column {shlex.quote(f'{part}={value}')}")
        elif question.topic == "days":
            options.append(f"--days {shlex.quote(value)}")
        else:
            key = f"{question.column}.{part}" if question.topic == "words" else part
            options.append(f"--set {shlex.quote(f'{key}={value}')}")
    return " ".join(options)


def _ask_all(
    recognition: Recognition, learnt: ColumnMapping, keep: Callable[[ColumnMapping], Recognition]
) -> tuple[Recognition, bool]:
    """Ask the questions about a file on the terminal, and those that follow from the answers; keep the answers.

    Returns what is recognised with them, and whether the person stopped with Ctrl+C. Nothing is asked twice. `keep` is
    called with all answers after each round. Raises FileRefused if the file lacks what an import needs.
    """
    before: set[tuple[str, str, str]] = set()
    while rest := [(q, part) for q in recognition.questions for part in q.parts if _identify(q, part) not in before]:
        for number, (question, part) in enumerate(rest):
            if not number or question is not rest[number - 1][0]:
                say(question.text)
            before.add(_identify(question, part))
            try:
                learnt = learnt.extend(_ask_part(recognition.kind, question, part))
            except KeyboardInterrupt:
                say("")  # ends the line of the question
                return keep(learnt), True
            except FileRefused:
                keep(learnt)
                raise
        recognition = keep(learnt)
    return recognition, False


def _identify(question: Question, part: str) -> tuple[str, str, str]:
    return question.topic, part if question.topic == "column" else question.column, part


def _ask_part(kind: str, question: Question, part: str) -> ColumnMapping:
    """Ask one part of a question and return the answer; an empty mapping if it is left open.

    An empty answer accepts the proposal, or leaves the part open if there is none. After three answers that are not
    allowed, it stays open too.
    """
    numbered = {str(number): reply for number, reply in enumerate(question.parts[part], start=1)}
    for number, reply in numbered.items():
        say(f"  {number}  {_word_answer(kind, question, part, reply)}")
    if question.without:
        say(f"  {_NONE}  no column")
    likely = question.proposal.get(part, "")
    enter = f"Enter: {likely}; {_LATER}: leave it open" if likely else "Enter: leave it open"
    for _ in range(_TRIES):
        reply = ask(f"  {part}{_word_rows(question, part)} [{enter}]").strip()
        if question.without and reply == _NONE:
            raise FileRefused(question.without)
        if reply == _LATER or not (reply or likely):
            break
        try:
            return answer(question, {part: numbered.get(reply, reply) or likely})
        except InputError as wrong:
            say(str(wrong))
    return ColumnMapping()
