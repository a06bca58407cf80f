"""`tact import`: read partner files into the vault; rejected rows are listed, the others are stored.

`tact imports` lists what was imported.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from dashboard.commands.option_groups import expand_options
from dashboard.commands.output import Json, Tick, emit, format_table, progress
from dashboard.commands.workspace import DeleteOverdue, check_overdue, delete_overdue, open_workspace, warn_backup
from data.errors import FileRefused, InputError
from data.reference import area_table, town_table
from data.restricted import intake
from data.restricted.doubts import DoubtfulFile
from data.restricted.governance.retention import find_overdue
from data.restricted.imports import Importer, check_workspace_kind, find_mappings
from data.restricted.intake import mapping
from data.restricted.intake.checks import APART, EXONYM, TOWN
from data.restricted.intake.mapping import ColumnMapping, Slashes
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.recognition import CHILDREN, NO_COLUMN, read_place_label
from data.restricted.intake.values import MISSING_CODE, TWO_READINGS, UNSURE_WORD
from data.restricted.vault import load_keys, open_vault
from data.restricted.vault.earlier import FileCounts
from data.schema.kinds import KINDS
from data.workspace.files import write_bytes
from geo.places import Places

_MAX_REASONS = 5  # on the screen; all of them are in the file of rejects
_OVERDUE = (
    "{count:,} of these records are about children without an encounter since {day}. The next import or "
    "release deletes them, as governance.toml says; where they are many, it asks first. If that is wrong, raise months."
)
_NO_CATEGORY = "not one of the categories"
_WORDS_UNKNOWN = (
    TWO_READINGS,
    MISSING_CODE,
    _NO_CATEGORY,
    UNSURE_WORD,
    "is not a known municipality",
    TOWN,
    EXONYM,
    APART,
)
_COUNTS = ("accepted", "rejected", "changed", "already_known")


@dataclass(frozen=True)
class Hints:
    """Options that say how the files of one call are read."""

    same: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="COLUMN=VALUE",
            help="What holds for all rows (axis=prevention), or what a word means (form.lypje=begging). Repeatable.",
        ),
    ] = None
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="COLUMN=HEADING", help="Which heading means a column. Repeatable."),
    ] = None
    days: Annotated[
        str | None, typer.Option(metavar="ORDER", help="'day first' or 'month first', for days such as 4/3/2008.")
    ] = None
    sheet: Annotated[str | None, typer.Option(help="Name or number of the sheet, where several have our columns.")] = (
        None
    )
    heading_row: Annotated[
        int | None, typer.Option("--heading-row", min=1, help="Row of the headings, where it is not found.")
    ] = None


NO_HINTS = Hints()
Answers = Annotated[
    list[str] | None,
    typer.Option(
        "--answer",
        metavar="QUESTION=ANSWER",
        help="Answer to a question about the file, as period=replaces. A refused file names its questions. Repeatable.",
    ),
]


def extend_mappings(mappings: Mapping[str, ColumnMapping], hints: Hints) -> dict[str, ColumnMapping]:
    """Return the mappings of all kinds of record, by kind, extended by the options of this call.

    Raises InputError as `_read_hints` does. A column is only in the mappings of kinds that have it.
    """
    entries = _read_hints(hints)
    return {kind: mappings.get(kind, ColumnMapping()).extend(mapping.keep_columns(entries, kind)) for kind in KINDS}


def check_hints(hints: Hints, kind: str) -> None:
    """Raise InputError for a kind or value that is not allowed, and for a column that the kind of record lacks."""
    mapping.check(_read_hints(hints), kind, "The options")


def _read_hints(hints: Hints) -> ColumnMapping:
    """Return the options of a call as a mapping.

    Raises InputError for an option that is not COLUMN=VALUE, a column that no kind has, or an unknown order of days.
    """
    constants: dict[str, str] = {}
    names: dict[str, dict[str, str]] = {}
    for text in hints.same or ():
        ours, value = _split("--set", text)
        column, dot, word = ours.partition(".")
        if dot:
            names.setdefault(column, {})[word] = read_place_label(value)
        else:
            constants[column] = read_place_label(value)
    theirs = dict(_split("--column", text) for text in hints.columns or ())
    known = dict.fromkeys(column.name for kind in KINDS.values() for column in kind.file_columns)
    wrong = [column for column in [*constants, *names, *theirs] if column not in known]
    if wrong:
        raise InputError(f"There is no column {', '.join(map(repr, wrong))}. There are: {', '.join(known)}.")
    if hints.days and hints.days not in mapping.SLASHES:
        raise InputError(f"--days is {hints.days!r}. Allowed: {', '.join(map(repr, mapping.SLASHES))}.")
    lacking = tuple(column for column, heading in theirs.items() if heading == NO_COLUMN)
    return ColumnMapping(
        columns={column: heading for column, heading in theirs.items() if column not in lacking},
        ignore=lacking,
        constants=constants,
        value_names=names,
        slashes=cast("Slashes", hints.days or ""),
        sheet=hints.sheet or "",
        heading_row=hints.heading_row or 0,
    )


def word_table(kind: str | None, hints: Hints) -> str:
    """Return the given options that say which table of a file is read, for a command line; with a blank before each."""
    options = {"--kind": kind, "--sheet": hints.sheet, "--heading-row": hints.heading_row}
    return "".join(f" {option} {shlex.quote(str(value))}" for option, value in options.items() if value)


def word_answers(hints: Hints) -> str:
    """Return the given options that answer questions, for a command line; with a blank before each."""
    options = {"--set": hints.same, "--column": hints.columns, "--days": [hints.days] if hints.days else None}
    return "".join(f" {option} {shlex.quote(text)}" for option, texts in options.items() for text in texts or ())


def _split(option: str, text: str) -> tuple[str, str]:
    ours, equals, value = (part.strip() for part in text.partition("="))
    if not (ours and equals and value):
        raise InputError(f"{option} {text!r} is not COLUMN=VALUE, as --set axis=prevention or --column date='Data'.")
    return ours, value


def check_files(files: list[Path]) -> None:
    """Raise InputError for a folder, or a file that does not exist."""
    folders = [str(path) for path in files if path.is_dir()]
    missing = [str(path) for path in files if not path.exists()]
    if folders:
        raise InputError(f"{', '.join(folders)} is a folder. Name its files: tact import {folders[0]}/*.xlsx")
    if missing:
        raise InputError(f"No such file: {', '.join(missing)}. Nothing was imported.")


@expand_options
def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="CSV or Excel; Kobo and ODK exports too.")],
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}.")] = None,
    partner: Annotated[
        str | None, typer.Option(help="The partner who sent the file, if the rows do not say it.")
    ] = None,
    new_partner: Annotated[
        bool, typer.Option("--new-partner", help="The partner is new, although the name is nearly that of another.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--mapping", help="File that translates this partner's column names and words; saved if no file is refused."
        ),
    ] = None,
    hints: Hints = NO_HINTS,
    answers: Answers = None,
    confirmed: DeleteOverdue = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what an import would do, and store nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Import partner files. Rejected rows are listed with the reason.

    Importing the same file twice changes nothing. A file with personal data of children is refused. Not every
    name can be recognised, so check the file first.
    """
    workspace = open_workspace(context)
    check_files([*files, *([rules] if rules else [])])
    check_workspace_kind(workspace, files)
    if kind:
        check_hints(hints, kind)
    # Files of one call may be of several kinds, and an option is for those that have its column.
    only = hints if kind is None and len(files) == 1 else NO_HINTS
    mappings = extend_mappings(find_mappings(workspace, partner, rules), hints)
    secrets = load_keys(workspace)
    results = []
    with open_vault(workspace, secrets) as vault:
        if not dry_run:
            with vault.writing():
                delete_overdue(workspace, vault, check_overdue(workspace, vault, confirmed))
        places = Places(area_table(), town_table())
        replies = read_answers(answers)
        importer = Importer(workspace, vault, secrets, places.resolve, mappings, dry_run, new_partner, replies)
        for path in files:
            with progress(path.name) as tick:
                results.append(import_one(importer, path, kind, partner, tick, only))
        overdue = find_overdue(workspace, vault)
        warn_backup(workspace, vault)
    totals = {name: sum(result.get(name, 0) for result in results) for name in _COUNTS}
    refused = [result["file"] for result in results if result.get("refused")]
    if rules and partner and not refused and not dry_run:
        write_bytes(mapping.file_for(workspace.mappings, partner), rules.read_bytes(), mode=0o600)
    emit(
        {**totals, "overdue": overdue.count, "refused": refused, "stored": not dry_run, "files": results},
        as_json,
        *(summarise(result, partner, word_table(kind, hints)) for result in results),
        *([_OVERDUE.format(count=overdue.count, day=overdue.since)] if overdue.count else []),
        *(["Nothing was stored: this was a dry run."] if dry_run else []),
    )
    if refused:
        raise SystemExit(InputError.exit_code)


def read_answers(answers: list[str] | None) -> dict[str, str]:
    """Return the options --answer by the name of their question; raise InputError for one that is not NAME=ANSWER."""
    return dict(_split("--answer", text) for text in answers or ())


def list_imports(
    context: typer.Context,
    number: Annotated[
        int | None, typer.Argument(help="The number of an import: say what was understood of its file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the imports, newest first: number, when, kind, partner and counts of rows.

    With a number, say what was understood of that file by counts to compare with the paper, beside the partner's file
    before. They are true numbers, so they are shown on a terminal only.

    The vault keeps no names of files, because people put names of children into them. Only a list of rejected rows, in
    the folder rejects, has the name of its file until the list is deleted.
    """
    workspace = open_workspace(context)
    with open_vault(workspace) as vault:
        if number is not None:
            _show_counts(number, *vault.count_file(number), as_json=as_json)
            return
        imports = vault.list_imports()
    rows = [("number", "when (UTC)", "kind", "partner", "new", "corrected", "known already", "rejected")]
    rows += [
        (
            str(i["number"]),
            i["at"][:19],
            i["kind"],
            i["partner"] or "named in its rows",
            *(_word_count(i[name]) for name in _LISTED),
        )
        for i in reversed(imports)
    ]
    emit(imports, as_json, *(format_table(rows) if imports else ["Nothing was imported yet."]))


def _show_counts(number: int, kind: str, counts: FileCounts, before: FileCounts, *, as_json: bool) -> None:
    """Print the true counts of a file and of the one before it; raise InputError if the output is no terminal."""
    if not sys.stdout.isatty():
        raise InputError("True counts are for the data officer's eyes: run this on a terminal, or look at the desk.")
    head = ("column", "value", "children" if kind == "encounter" else "rows", "the file before")
    names, rows = area_table()["name_en"], []
    for name, now in counts.items():
        was = before.get(name, {})
        for value in {**now, **was}:
            word = names.get(value, value) or ("not known" if name else "all")
            rows.append((name, word, str(now.get(value, 0)), str(was.get(value, 0)) if before else ""))
    back = f"If that is not right, take it back: tact undo {number}"
    emit({"number": number, "counts": counts, "before": before}, as_json, *format_table([head, *rows]), back)


_LISTED = ("accepted", "changed", "already_known", "rejected")


def _word_count(count: int | None) -> str:
    return "not known" if count is None else f"{count:,}"


def import_one(
    importer: Importer, path: InputFile, kind: str | None, partner: str | None, tick: Tick, hints: Hints
) -> dict[str, Any]:
    """Import one of several files, and return the result as plain values, with at most `_MAX_REASONS` reasons.

    A file that is refused does not stop the others: its result has only its path and the reason. Raises InputError for
    one of `hints` that is not for the kind of the file.
    """
    try:
        kind = kind or intake.guess_kind(path, importer.mappings)
        if kind:
            check_hints(hints, kind)
        imported = importer.import_file(path, kind=kind, partner=partner, progress=tick)
    except FileRefused as refusal:
        doubts = refusal.doubts if isinstance(refusal, DoubtfulFile) else ()
        questions = [asdict(replace(doubt, sample=())) for doubt in doubts]
        return {"file": str(path), "refused": str(refusal), "questions": questions}
    plain = asdict(imported)
    del plain["totals"]  # true numbers, which only an officer at the desk may see
    return {
        "file": str(path),
        **plain,
        "reasons": imported.reasons[:_MAX_REASONS],
        "more_reasons": max(len(imported.reasons) - _MAX_REASONS, 0),
        "respelled": [asdict(spelling) for spelling in imported.respelled[:_MAX_REASONS]],
        "more_respelled": max(len(imported.respelled) - _MAX_REASONS, 0),
    }


def summarise(result: dict[str, Any], partner: str | None, table: str) -> str:
    """Return the lines on one file; `table` has the options that said which of its tables was read."""
    if result.get("refused"):
        return f"Refused: {result['refused']}"
    parts = [f"{result['accepted']:,} accepted", f"{result['rejected']:,} rejected"]
    parts += [f"{result[name]:,} {name.replace('_', ' ')}" for name in _COUNTS[2:] if result[name]]
    lines = [f"{Path(result['file']).name} ({result['kind']}): {', '.join(parts)}."]
    lines += [f"  {_word_reason(reason)}" for reason in result["reasons"]]
    if result["more_reasons"]:
        lines.append(f"  and {result['more_reasons']:,} more.")
    unknown = [reason for reason in result["reasons"] if reason["reason"] in _WORDS_UNKNOWN]
    hidden = [reason for reason in unknown if reason["reason"] == _NO_CATEGORY and not reason["value"]]
    if hidden:
        lines.append(
            f"  A word of fewer than {CHILDREN} children may be a name: it is not shown, and nobody asks about it. "
            f"Correct the cells, or say what a word means: --set {hidden[0]['column']}.WORD=CODE"
        )
    if any(reason not in hidden or reason["rows"] >= CHILDREN for reason in unknown):
        lines.append(
            f"  To say once what such words mean: tact mapping draft {shlex.quote(result['file'])} "
            f"--partner {shlex.quote(partner) if partner else 'NAME'}{table}"
        )
    if result["rejects"]:
        lines.append(f"  All reasons, to correct the rows or to send back: {result['rejects']}")
    lines += [f"  {_word_respelled(word)}" for word in result["respelled"]]
    if result["more_respelled"]:
        lines.append(f"  and {result['more_respelled']:,} more words read so.")
    return "\n".join([*lines, *(f"  {note}" for note in result["notes"])])


def _word_respelled(respelled: dict[str, Any]) -> str:
    """Return a line on a word that was read as a place of similar sound.

    For example "1 row, municipality: 'Duress' read as Durrës."
    """
    rows = "1 row" if respelled["rows"] == 1 else f"{respelled['rows']:,} rows"
    word = f"'{respelled['word']}'" if respelled["word"] else "a word"
    return f"{rows}, {respelled['column']}: {word} read as {area_table()['name_en'][respelled['code']]}."


def _word_reason(reason: dict[str, Any]) -> str:
    """Return one reason with the rows that it is about: "line 3, stage" or "210 rows (lines 3, 4, ...), stage 'M'"."""
    lines = ", ".join(map(str, reason["lines"]))
    more = ", ..." if reason["rows"] > len(reason["lines"]) else ""
    where = f"line {lines}" if reason["rows"] == 1 else f"{reason['rows']:,} rows (lines {lines}{more})"
    column = f", {reason['column']}" if reason["column"] else ""
    value = f" '{reason['value']}'" if reason["value"] else ""
    return f"{where}{column}{value}: {reason['reason']}. Allowed: {reason['allowed']}"
