"""`tact demo`: a workspace with invented data, or the same data as partner files to practise with."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from dashboard.commands.output import Json, emit, progress, say
from dashboard.commands.risk import score
from data.errors import WorkspaceError
from data.reference import area_table, town_table
from data.release import Release, current_name
from data.restricted import governance, keys
from data.restricted.imports import Importer
from data.restricted.publication import release_workspace
from data.restricted.vault import Vault
from data.workspace import Workspace, demo_path, files
from geo.areas import pack_areas
from geo.places import Places
from risk import worlds
from risk.report import reconstruct_forecasts

_CHILDREN = 1400
_RENEW = "To build it anew, delete that folder and run the command again."


def _build_world(seed: int, children: int) -> worlds.World:
    return worlds.simulate_default_areas(worlds.WorldParameters(seed=seed, children=children))


def build_demo(
    path: Path, *, seed: int = worlds.DEFAULT_SEED, children: int = _CHILDREN, missing_only: bool = False
) -> Workspace:
    """Create the demo's workspace, fill it with an invented world, release it and calculate the risk.

    With `missing_only`, a demo that has a release is only opened. A demo whose build was interrupted is built again.
    Raises WorkspaceError if `path` has another workspace or, without `missing_only`, a demo that has a release.
    """
    existing = _open_demo(path)
    if existing is not None and current_name(existing.releases):
        if missing_only:
            return existing
        msg = f"{path} already has a demo. Use another folder for another one: tact --workspace DIR demo"
        raise WorkspaceError(msg)
    if existing is not None:
        files.remove_folder(path)
    workspace = release_demo(path, seed, children, existing.id if existing else None)
    with progress("Calculating what would have been forecast"):
        reconstruct_forecasts(Release.open(workspace.releases, "partner"), workspace.derived)
    with progress("Calculating the risk model") as tick:
        score(workspace, tick)
    return workspace


def release_demo(path: Path, seed: int, children: int = _CHILDREN, workspace_id: str | None = None) -> Workspace:
    """Create the demo's workspace in an empty folder, fill it with an invented world and release it.

    children : their approximate number. workspace_id : the identifier of an earlier build, whose keys are used again.
    """
    workspace = Workspace.create(path, "invented", demo=True, workspace_id=workspace_id)
    governance.write_missing(workspace)
    if not keys.has_keys(workspace.key_id):
        keys.store(workspace.key_id, keys.create_from_seed(seed))
    secrets = keys.load(workspace.key_id)
    say("Building the demo with invented data. This happens once and takes a minute or more.")
    with Vault.create(workspace.vault, secrets) as vault:
        import_records(workspace, vault, secrets, _build_world(seed, children).records)
        with progress("Releasing") as tick:
            release_workspace(workspace, vault, secrets, pack_areas(workspace.areas), tick)
    return workspace


def _open_demo(path: Path) -> Workspace | None:
    """Open the demo at a path; None if there is none. Raises WorkspaceError for another workspace."""
    if not (path / "workspace.toml").exists():
        return None
    workspace = Workspace.open(path)
    if not workspace.demo:
        msg = f"{path} is a workspace for records. The demo needs its own folder: tact --workspace DIR demo"
        raise WorkspaceError(msg)
    return workspace


def import_records(workspace: Workspace, vault: Vault, secrets: keys.Keys, records: Mapping[str, pd.DataFrame]) -> None:
    """Import the records of a world, by kind, in the same way as a partner's files."""
    importer = Importer(workspace, vault, secrets, Places(area_table(), town_table()).resolve)
    with tempfile.TemporaryDirectory(dir=workspace.path) as folder:
        for kind, frame in records.items():
            path = Path(folder) / f"{kind}.csv"
            frame.to_csv(path, index=False)
            with progress(f"Storing {kind} records") as tick:
                importer.import_file(path, kind=kind, progress=tick)


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed gives the same data.")] = worlds.DEFAULT_SEED,
    children: Annotated[int, typer.Option(min=1, help="Approximate number of children.")] = _CHILDREN,
    folder: Annotated[
        Path | None, typer.Option("--files", help="Write the invented data as partner files to this folder.")
    ] = None,
    bad_rows: Annotated[
        bool, typer.Option("--bad-rows", help="With --files: add wrong rows that an import rejects.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build the demo with invented data, or write it as partner files."""
    if folder is not None:
        world = _build_world(seed, children)
        paths = [str(path) for path in worlds.write_partner_files(world, folder, bad_rows)]
        emit({"files": paths}, as_json, *paths)
        return
    path, usual = context.obj or demo_path(), (seed, children) == (worlds.DEFAULT_SEED, _CHILDREN)
    existing = _open_demo(path) if usual else None
    is_there = existing is not None and current_name(existing.releases) is not None
    workspace = build_demo(path, seed=seed, children=children, missing_only=usual)
    name = current_name(workspace.releases)
    lines = [f"Built the demo with invented data in {workspace.path}, release {name}."]
    if is_there:
        lines = [f"The demo with invented data is there already: {workspace.path}, release {name}.", _RENEW]
    emit({"workspace": str(workspace.path), "release": name}, as_json, *lines, "Open it with: tact serve")
