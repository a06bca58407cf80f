"""`tact import`: read partner files into the vault; rejected rows are listed, the others are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.output import Json, Tick, emit, progress
from dashboard.commands.workspace import count_overdue, delete_overdue, open_workspace
from data.errors import FileRefused, InputError, WorkspaceError
from data.reference import area_table
from data.restricted import intake, keys
from data.restricted.intake import mapping
from data.restricted.vault import Vault, open_vault
from data.schema.kinds import KINDS
from data.workspace import Workspace
from geo.places import Places

_TABLES = (".csv", ".xlsx")  # what is no such file is read too if its content is
_MAX_REASONS = 5  # on the screen; all of them are in the file of rejects
_OVERDUE = (
    "{count:,} of these records are about children without an encounter since {day}. The next import or "
    "release deletes them, as governance.toml says. If that is wrong, raise months."
)
_COUNTS = ("accepted", "rejected", "changed", "already_known")


@dataclass(frozen=True)
class Importer:
    """The tools of an import: an open vault, the keys, and the names of areas."""

    workspace: Workspace
    vault: Vault
    secrets: keys.Keys
    places: Places = field(default_factory=lambda: Places(area_table()))

    def import_file(
        self, path: Path, *, kind: str | None, partner: str | None, rules: Path | None, tick: Tick
    ) -> dict[str, Any]:
        """Import one file; return its counts and the path of the list of rejected rows."""
        kind = kind or intake.guess_kind(path, rules)
        if kind is None:
            raise FileRefused(_word_unknown(path))
        # One lock for both, so that nobody is forgotten between reading a file and storing its records.
        with self.vault.writing():
            read = intake.read_file(
                path,
                kind,
                resolve=self.places.resolve,
                hash_identifier=keys.IdentifierHasher(self.secrets.identifier).hash,
                mapping=mapping.read(rules, kind) if rules else None,
                partner=partner,
                forgotten=self.vault.forgotten_children(),
                progress=tick,
            )
            with self.vault.importing(read.kind, path, read.partner or "") as records:
                for batch in read.batches():
                    records.add(batch)
        return {
            "file": str(path),
            "kind": read.kind,
            "accepted": records.counts.accepted,
            "rejected": read.rejected_rows,
            "changed": records.counts.changed,
            "already_known": records.counts.already_known,
            "rejects": self._write_rejects(path, read),
            "faults": len(read.rejects),
            "reasons": read.rejects.drop(columns=["record_number", "value"]).head(_MAX_REASONS).to_dict("records"),
            "unknown_columns": list(read.unknown_columns),
            "notes": list(read.notes),
        }

    def _write_rejects(self, path: Path, read: intake.Intake) -> str | None:
        target = self.workspace.rejects / f"{path.name}.rejected.csv"
        if read.rejects.empty:
            # A file that was corrected leaves no old list behind.
            target.unlink(missing_ok=True)
            return None
        intake.write_rejects(target, read.rejects)
        return str(target)


def _word_unknown(path: Path) -> str:
    """Return why no kind of record was recognised in a file."""
    if path.suffix.lower() not in _TABLES:
        msg = f"{path.name} is not a table of records. CSV and XLSX files are read (.csv, .xlsx), also those that "
        return msg + "Kobo and ODK export. Save it as one of them, with the names of the columns in the first row."
    msg = f"The columns of {path.name} fit no kind of record, or fit several. Say which kind it is with --kind: "
    return msg + f"{', '.join(KINDS)}. The columns of each kind: tact doctor --schema"


def _find_mapping(workspace: Workspace, partner: str | None, file: Path | None) -> Path | None:
    """Save the mapping file of this call for its partner, and return the partner's saved mapping."""
    if partner is None:
        if file is None:
            return None
        raise InputError("A mapping belongs to a partner. Name the partner: --partner NAME --mapping FILE")
    saved = mapping.file_for(workspace.mappings, partner)
    if file is not None:
        for kind in KINDS:
            mapping.read(file, kind)
        saved.write_bytes(file.read_bytes())
    return saved if saved.exists() else None


def _check_workspace_kind(workspace: Workspace, files: list[Path]) -> None:
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


def _check_files(files: list[Path]) -> None:
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


def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="CSV or XLSX; Kobo and ODK exports too.")],
    kind: Annotated[
        str | None, typer.Option(help="encounter, effort, service, community, indicator or figure.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option(help="The partner who sent the file, if the rows do not say it.")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--mapping", help="File that translates this partner's column names and words; saved for next time."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Import partner files. Rejected rows are listed with the reason.

    Importing the same file twice changes nothing. A file with personal data of children is refused. Not every
    name can be recognised, so check the file first.
    """
    workspace = open_workspace(context)
    _check_files([*files, *([rules] if rules else [])])
    _check_workspace_kind(workspace, files)
    saved = _find_mapping(workspace, partner, rules)
    secrets = keys.load(workspace.id)
    results = []
    with open_vault(workspace, secrets) as vault:
        delete_overdue(workspace, vault)
        importer = Importer(workspace, vault, secrets)
        for path in files:
            with progress(path.name) as tick:
                results.append(_import_one(importer, path, kind, partner, saved, tick))
        overdue, since = count_overdue(workspace, vault)
    totals = {name: sum(result.get(name, 0) for result in results) for name in _COUNTS}
    refused = [result["file"] for result in results if result.get("refused")]
    emit(
        {**totals, "overdue": overdue, "refused": refused, "files": results},
        as_json,
        *map(_summarise, results),
        *([_OVERDUE.format(count=overdue, day=since)] if overdue else []),
    )
    if refused:
        raise SystemExit(InputError.exit_code)


def _import_one(
    importer: Importer, path: Path, kind: str | None, partner: str | None, rules: Path | None, tick: Tick
) -> dict[str, Any]:
    """Import one of several files; a file that is refused does not stop the others."""
    try:
        return importer.import_file(path, kind=kind, partner=partner, rules=rules, tick=tick)
    except FileRefused as refusal:
        return {"file": str(path), "refused": str(refusal)}


def _summarise(result: dict[str, Any]) -> str:
    if result.get("refused"):
        return f"Refused: {result['refused']}"
    parts = [f"{result['accepted']:,} accepted", f"{result['rejected']:,} rejected"]
    parts += [f"{result[name]:,} {name.replace('_', ' ')}" for name in _COUNTS[2:] if result[name]]
    lines = [f"{Path(result['file']).name} ({result['kind']}): {', '.join(parts)}."]
    lines += [f"  {_word_reason(reason)}" for reason in result["reasons"]]
    more = result["faults"] - len(result["reasons"])
    if more:
        lines.append(f"  and {more:,} more.")
    if result["rejects"]:
        lines.append(f"  All reasons, to correct the rows or to send back: {result['rejects']}")
    return "\n".join([*lines, *(f"  {note}" for note in result["notes"])])


def _word_reason(reject: dict[str, Any]) -> str:
    where = f"line {reject['line']}, {reject['column']}" if reject["column"] else f"line {reject['line']}"
    return f"{where}: {reject['reason']}. Allowed: {reject['allowed']}"
