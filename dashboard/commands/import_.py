"""`tact import`: partner files into the vault; what fails is listed, the rest goes in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.output import Json, Tick, emit, progress
from dashboard.commands.workspace import delete_overdue, open_workspace, overdue
from data.errors import FileRefused, InputError, WorkspaceError
from data.reference import area_table
from data.restricted import intake, keys
from data.restricted.intake import mapping
from data.restricted.vault import Vault, open_vault
from data.schema import KINDS
from data.workspace import Workspace
from geo.places import Places

_SHOWN = 5  # reasons on the screen; all of them are in the file
_OVERDUE = (
    "{count:,} of these records are of children last met before {day} and are deleted by the next import or "
    "release, as governance.toml says; raise months if that is wrong."
)
_COUNTS = ("accepted", "rejected", "changed", "already_known")


@dataclass(frozen=True)
class Importer:
    """What an import needs: an open vault, the hasher of identifiers, and the names of areas."""

    workspace: Workspace
    vault: Vault
    secrets: keys.Keys
    places: Places

    @classmethod
    def of(cls, workspace: Workspace, vault: Vault, secrets: keys.Keys) -> Importer:
        """Make one with the areas that the product ships."""
        return cls(workspace, vault, secrets, Places(area_table()))

    def take(
        self, path: Path, *, kind: str | None, partner: str | None, rules: Path | None, tick: Tick
    ) -> dict[str, Any]:
        """Import one file; give its counts and where its rejected rows are."""
        kind = kind or intake.guess_kind(path, rules)
        if kind is None:
            msg = f"{path.name} has the columns of no kind of record, or of several alike. Say which it is: "
            msg += "--kind encounter. What each kind holds: tact doctor --schema"
            raise FileRefused(msg)
        # Nobody is forgotten between the reading of a file and its going in.
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
            "rejects": self._return_rejects(path, read),
            "faults": len(read.rejects),
            "reasons": read.rejects.drop(columns=["record_number", "value"]).head(_SHOWN).to_dict("records"),
            "unknown_columns": list(read.unknown_columns),
            "notes": list(read.notes),
        }

    def _return_rejects(self, path: Path, read: intake.Intake) -> str | None:
        target = self.workspace.rejects / f"{path.name}.rejected.csv"
        if read.rejects.empty:
            # A file that was mended leaves no stale list behind.
            target.unlink(missing_ok=True)
            return None
        intake.write_rejects(target, read.rejects)
        return str(target)


def _rules(workspace: Workspace, partner: str | None, given: Path | None) -> Path | None:
    """Keep a mapping that was given for its partner, and find the one that was kept."""
    if given is not None:
        if partner is None:
            msg = "A mapping belongs to a partner. Name it: --partner NAME --mapping FILE"
            raise InputError(msg)
        for kind in KINDS:
            mapping.read(given, kind)
        kept = mapping.file_for(workspace.mappings, partner)
        kept.write_bytes(given.read_bytes())
        return kept
    if partner is None:
        return None
    kept = mapping.file_for(workspace.mappings, partner)
    return kept if kept.exists() else None


def _check_kind_of_world(workspace: Workspace, files: list[Path]) -> None:
    if workspace.demo:
        msg = (
            f"{workspace.path} is the demo world, and nothing is imported into it. To learn with invented "
            "files, make a workspace for it: tact --workspace DIR init --practice"
        )
        raise WorkspaceError(msg)
    invented = [path.name for path in files if _is_invented(path)]
    if invented and not workspace.invented:
        msg = (
            f"{', '.join(invented)}: these records are invented, and {workspace.path} is for real ones. "
            "Make a workspace to practise in: tact --workspace DIR init --practice"
        )
        raise WorkspaceError(msg)


def _check_files(files: list[Path]) -> None:
    folders = [str(path) for path in files if path.is_dir()]
    missing = [str(path) for path in files if not path.exists()]
    if folders:
        msg = f"{', '.join(folders)} is a folder. Name its files: tact import {folders[0]}/*.xlsx"
        raise InputError(msg)
    if missing:
        msg = f"No such file: {', '.join(missing)}. Nothing was imported."
        raise InputError(msg)


def _is_invented(path: Path) -> bool:
    try:
        return intake.is_invented(path)
    except FileRefused:
        return False  # it is refused by itself when its turn comes


def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="CSV or XLSX; Kobo and ODK exports too.")],
    kind: Annotated[
        str | None, typer.Option(help="encounter, effort, service, community, indicator or figure.")
    ] = None,
    partner: Annotated[str | None, typer.Option(help="Whose file it is, where the rows do not say.")] = None,
    rules: Annotated[
        Path | None, typer.Option("--mapping", help="How this partner names columns; kept for next time.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Import partner files. Rows that fail are listed with the reason; the same file twice changes nothing.

    A file in which personal data of children are seen is refused whole. Not every name can be recognised:
    look before you import.
    """
    workspace = open_workspace(context)
    _check_files([*files, *([rules] if rules else [])])
    _check_kind_of_world(workspace, files)
    kept = _rules(workspace, partner, rules)
    secrets = keys.load(workspace.id)
    results = []
    with open_vault(workspace, secrets) as vault:
        delete_overdue(workspace, vault)
        importer = Importer.of(workspace, vault, secrets)
        for path in files:
            with progress(path.name) as tick:
                results.append(_take(importer, path, kind, partner, kept, tick))
        late, since = overdue(workspace, vault)
    totals = {name: sum(result.get(name, 0) for result in results) for name in _COUNTS}
    refused = [result["file"] for result in results if result.get("refused")]
    emit(
        {**totals, "overdue": late, "refused": refused, "files": results},
        as_json,
        *map(_line, results),
        *([_OVERDUE.format(count=late, day=since)] if late else []),
    )
    if refused:
        raise SystemExit(InputError.exit_code)


def _take(
    importer: Importer, path: Path, kind: str | None, partner: str | None, kept: Path | None, tick: Tick
) -> dict[str, Any]:
    """Import one of several files; a refused one does not keep the others out."""
    try:
        return importer.take(path, kind=kind, partner=partner, rules=kept, tick=tick)
    except FileRefused as refusal:
        return {"file": str(path), "refused": str(refusal)}


def _line(result: dict[str, Any]) -> str:
    if result.get("refused"):
        return f"Refused: {result['refused']}"
    parts = [f"{result['accepted']:,} accepted", f"{result['rejected']:,} rejected"]
    parts += [f"{result[name]:,} {name.replace('_', ' ')}" for name in _COUNTS[2:] if result[name]]
    lines = [f"{Path(result['file']).name} ({result['kind']}): {', '.join(parts)}."]
    lines += [f"  {_reason(why)}" for why in result["reasons"]]
    more = result["faults"] - len(result["reasons"])
    if more:
        lines.append(f"  and {more:,} more.")
    if result["rejects"]:
        lines.append(f"  All reasons, to mend the rows by or to send back: {result['rejects']}")
    return "\n".join([*lines, *(f"  {note}" for note in result["notes"])])


def _reason(why: dict[str, Any]) -> str:
    where = f"line {why['line']}, {why['column']}" if why["column"] else f"line {why['line']}"
    return f"{where}: {why['reason']}. Allowed: {why['allowed']}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_files)
