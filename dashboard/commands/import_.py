"""`tact import`: read partner files into the vault; rejected rows are listed, the others are stored.

`tact imports` lists what was imported.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from dashboard.commands.option_groups import expand_options
from dashboard.commands.output import Json, Tick, emit, format_table, progress
from dashboard.commands.workspace import DeleteOverdue, check_overdue, delete_overdue, open_workspace
from data.errors import FileRefused, InputError, WorkspaceError
from data.reference import area_table
from data.restricted import intake, keys
from data.restricted.governance.retention import find_overdue
from data.restricted.intake import mapping
from data.restricted.intake.mapping import ColumnMapping, Slashes
from data.restricted.intake.recognition import read_place_label
from data.restricted.intake.rejects import find_list, group_rejects
from data.restricted.vault import Counts, Vault, open_vault
from data.schema.kinds import KINDS
from data.workspace import Workspace
from data.workspace.files import write_bytes
from geo.places import Places

_TABLES = (".csv", ".xlsx", ".xls")  # what is no such file is read too if its content is
_MAX_REASONS = 5  # on the screen; all of them are in the file of rejects
_OVERDUE = (
    "{count:,} of these records are about children without an encounter since {day}. The next import or "
    "release deletes them, as governance.toml says; where they are many, it asks first. If that is wrong, raise months."
)
_WORDS_UNKNOWN = ("not one of the categories", "is not a known municipality")
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


class _Rehearsal(Exception):
    """Ends the transaction of a dry run, so that nothing of it is stored."""


@dataclass(frozen=True)
class Importer:
    """The tools of an import: an open vault, the keys, the names of areas, and the partner's mappings by kind.

    With `rehearse`, nothing is stored and no list of rejected rows is written.
    """

    workspace: Workspace
    vault: Vault
    secrets: keys.Keys
    mappings: Mapping[str, ColumnMapping] = field(default_factory=dict)
    rehearse: bool = False
    places: Places = field(default_factory=lambda: Places(area_table()))

    def import_file(self, path: Path, *, kind: str | None, partner: str | None, tick: Tick) -> dict[str, Any]:
        """Import one file; return its counts and the path of the list of rejected rows."""
        kind = kind or intake.guess_kind(path, self.mappings)
        if kind is None:
            raise FileRefused(word_unknown(path))
        # One lock for all, so that nobody is forgotten between reading a file and storing what comes of it.
        with self.vault.writing():
            read = intake.read_file(
                path,
                kind,
                resolve=self.places.resolve,
                hash_identifier=keys.IdentifierHasher(self.secrets.identifier).hash,
                mapping=self.mappings.get(kind),
                partner=partner,
                forgotten=self.vault.forgotten_children(),
                progress=tick,
            )
            counts = self._store(path, read)
            rejects = None if self.rehearse else self._write_rejects(path, read)
        reasons = group_rejects(read.rejects)
        return {
            "file": str(path),
            "kind": read.kind,
            "accepted": counts.accepted,
            "rejected": read.rejected_rows,
            "changed": counts.changed,
            "already_known": counts.already_known,
            "rejects": rejects,
            "faults": len(read.rejects),
            "reasons": reasons[:_MAX_REASONS],
            "more_reasons": max(len(reasons) - _MAX_REASONS, 0),
            "unknown_columns": list(read.unknown_columns),
            "notes": list(read.notes),
        }

    def _store(self, path: Path, read: intake.Intake) -> Counts:
        with contextlib.suppress(_Rehearsal), self.vault.importing(read.kind, path, read.partner or "") as records:
            for batch in read.batches():
                records.add(batch)
            if self.rehearse:
                records.flush()
                raise _Rehearsal
        return records.counts

    def _write_rejects(self, path: Path, read: intake.Intake) -> str | None:
        target = find_list(self.workspace.rejects, read.partners, path.name)
        if read.rejects.empty:
            # A file that was corrected leaves no old list behind.
            target.unlink(missing_ok=True)
            return None
        intake.write_rejects(target, read.rejects)
        return str(target)


def word_unknown(path: Path) -> str:
    """Return why no kind of record was recognised in a file."""
    if path.suffix.lower() not in _TABLES:
        msg = (
            f"{path.name} is not a table of records. CSV and Excel files are read (.csv, .xlsx, .xls), also those that "
        )
        return msg + "Kobo and ODK export. Save it as one of them, with the names of the columns in the first row."
    msg = f"The columns of {path.name} fit no kind of record, or fit several. Say which kind it is with --kind: "
    return msg + f"{', '.join(KINDS)}. The columns of each kind: tact doctor --schema"


def find_mappings(workspace: Workspace, partner: str | None, file: Path | None) -> dict[str, ColumnMapping]:
    """Return the mappings by kind of the file of this call, or else those that are saved for its partner."""
    if partner is None:
        if file is None:
            return {}
        raise InputError("A mapping belongs to a partner. Name the partner: --partner NAME --mapping FILE")
    source = file or mapping.file_for(workspace.mappings, partner)
    return {kind: mapping.read(source, kind) for kind in KINDS}


def extend_mappings(mappings: Mapping[str, ColumnMapping], hints: Hints) -> dict[str, ColumnMapping]:
    """Return the mappings of all kinds with what the options of this call say.

    Raises InputError for an option that is no COLUMN=VALUE, or that no kind of record allows.
    """
    constants: dict[str, str] = {}
    names: dict[str, dict[str, str]] = {}
    for text in hints.same or ():
        ours, value = _split("--set", text)
        column, dot, word = ours.partition(".")
        if dot:
            names.setdefault(column, {})[word] = read_place_label(value)
        else:
            constants[column] = value
    theirs = dict(_split("--column", text) for text in hints.columns or ())
    _check_columns([*constants, *names, *theirs])
    if hints.days and hints.days not in mapping.SLASHES:
        raise InputError(f"--days is {hints.days!r}. Allowed: {', '.join(map(repr, mapping.SLASHES))}.")
    extended = {}
    for kind in KINDS.values():
        given = {column.name for column in kind.given}
        call = ColumnMapping(
            columns={ours: text for ours, text in theirs.items() if ours in given},
            constants={ours: text for ours, text in constants.items() if ours in given},
            value_names={ours: words for ours, words in names.items() if ours in given},
            slashes=cast("Slashes", hints.days or ""),
            sheet=hints.sheet or "",
            heading_row=hints.heading_row or 0,
        )
        extended[kind.name] = mappings.get(kind.name, ColumnMapping()).extend(call)
    return extended


def _split(option: str, text: str) -> tuple[str, str]:
    ours, equals, value = (part.strip() for part in text.partition("="))
    if not (ours and equals and value):
        raise InputError(f"{option} {text!r} is not COLUMN=VALUE, as --set axis=prevention or --column date='Data'.")
    return ours, value


def _check_columns(columns: list[str]) -> None:
    known = dict.fromkeys(column.name for kind in KINDS.values() for column in kind.given)
    wrong = [column for column in columns if column not in known]
    if wrong:
        raise InputError(f"There is no column {', '.join(map(repr, wrong))}. There are: {', '.join(known)}.")


def check_workspace_kind(workspace: Workspace, files: list[Path]) -> None:
    """Raise WorkspaceError for the demo, and for invented files in a workspace of real records."""
    if workspace.demo:
        raise WorkspaceError(
            f"{workspace.path} is the demo, and nothing can be imported into it. To practise with invented "
            "files, make a practice workspace: tact --workspace DIR init --practice"
        )
    invented = [path.name for path in files if _is_invented(path)]
    if invented and not workspace.invented:
        raise WorkspaceError(
            f"{', '.join(invented)}: these records are invented, but {workspace.path} is for real records. "
            "To practise, make a practice workspace: tact --workspace DIR init --practice"
        )


def check_files(files: list[Path]) -> None:
    """Raise InputError for a folder, or a file that is not there."""
    folders = [str(path) for path in files if path.is_dir()]
    missing = [str(path) for path in files if not path.exists()]
    if folders:
        raise InputError(f"{', '.join(folders)} is a folder. Name its files: tact import {folders[0]}/*.xlsx")
    if missing:
        raise InputError(f"No such file: {', '.join(missing)}. Nothing was imported.")


def _is_invented(path: Path) -> bool:
    try:
        return intake.is_invented(path)
    except FileRefused:
        return False  # it is refused when it is read


@expand_options
def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="CSV or Excel; Kobo and ODK exports too.")],
    kind: Annotated[
        str | None, typer.Option(help="encounter, effort, service, community, indicator or figure.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option(help="The partner who sent the file, if the rows do not say it.")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--mapping", help="File that translates this partner's column names and words; saved if no file is refused."
        ),
    ] = None,
    hints: Hints = NO_HINTS,
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
    if dry_run and rules:
        raise InputError("--mapping saves a mapping, and a dry run saves nothing. Import without --dry-run.")
    mappings = extend_mappings(find_mappings(workspace, partner, rules), hints)
    secrets = keys.load(workspace.id)
    results = []
    with open_vault(workspace, secrets) as vault:
        if not dry_run:
            with vault.writing():
                delete_overdue(workspace, vault, check_overdue(workspace, vault, confirmed))
        importer = Importer(workspace, vault, secrets, mappings, dry_run)
        for path in files:
            with progress(path.name) as tick:
                results.append(_import_one(importer, path, kind, partner, tick))
        overdue = find_overdue(workspace, vault)
    totals = {name: sum(result.get(name, 0) for result in results) for name in _COUNTS}
    refused = [result["file"] for result in results if result.get("refused")]
    if rules and partner and not refused:
        write_bytes(mapping.file_for(workspace.mappings, partner), rules.read_bytes(), mode=0o600)
    emit(
        {**totals, "overdue": overdue.count, "refused": refused, "stored": not dry_run, "files": results},
        as_json,
        *map(_summarise, results),
        *([_OVERDUE.format(count=overdue.count, day=overdue.since)] if overdue.count else []),
        *(["Nothing was stored: this was a dry run."] if dry_run else []),
    )
    if refused:
        raise SystemExit(InputError.exit_code)


def list_imports(context: typer.Context, as_json: Json = False) -> None:
    """List the imports: number, when, kind, partner and counts.

    The names of files are not stored, because people put names of children into them.
    """
    workspace = open_workspace(context)
    with open_vault(workspace) as vault:
        imports = vault.list_imports()
    rows = [("number", "when (UTC)", "kind", "partner", "accepted", "changed", "already known")]
    rows += [
        (str(i["number"]), i["at"][:16], i["kind"], i["partner"], *(f"{i[n]:,}" for n in _STORED)) for i in imports
    ]
    emit(imports, as_json, *(format_table(rows) if imports else ["Nothing was imported yet."]))


_STORED = ("accepted", "changed", "already_known")


def _import_one(importer: Importer, path: Path, kind: str | None, partner: str | None, tick: Tick) -> dict[str, Any]:
    """Import one of several files; a file that is refused does not stop the others."""
    try:
        return importer.import_file(path, kind=kind, partner=partner, tick=tick)
    except FileRefused as refusal:
        return {"file": str(path), "refused": str(refusal)}


def _summarise(result: dict[str, Any]) -> str:
    if result.get("refused"):
        return f"Refused: {result['refused']}"
    parts = [f"{result['accepted']:,} accepted", f"{result['rejected']:,} rejected"]
    parts += [f"{result[name]:,} {name.replace('_', ' ')}" for name in _COUNTS[2:] if result[name]]
    lines = [f"{Path(result['file']).name} ({result['kind']}): {', '.join(parts)}."]
    lines += [f"  {_word_reason(reason)}" for reason in result["reasons"]]
    if result["more_reasons"]:
        lines.append(f"  and {result['more_reasons']:,} more.")
    if any(reason["reason"] in _WORDS_UNKNOWN for reason in result["reasons"]):
        lines.append(
            f"  To say once what such words mean: tact mapping draft {shlex.quote(result['file'])} --partner NAME"
        )
    if result["rejects"]:
        lines.append(f"  All reasons, to correct the rows or to send back: {result['rejects']}")
    return "\n".join([*lines, *(f"  {note}" for note in result["notes"])])


def _word_reason(reason: dict[str, Any]) -> str:
    """Return one reason with the rows that it is about: "line 3, stage" or "210 rows (lines 3, 4, ...), stage 'M'"."""
    lines = ", ".join(map(str, reason["lines"]))
    more = ", ..." if reason["rows"] > len(reason["lines"]) else ""
    where = f"line {lines}" if reason["rows"] == 1 else f"{reason['rows']:,} rows (lines {lines}{more})"
    column = f", {reason['column']}" if reason["column"] else ""
    value = f" '{reason['value']}'" if reason["value"] else ""
    return f"{where}{column}{value}: {reason['reason']}. Allowed: {reason['allowed']}"
