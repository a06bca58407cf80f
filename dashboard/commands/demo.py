"""`tact demo`: an invented world in a workspace of its own, or as partner files to learn importing with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.import_ import Importer
from dashboard.commands.output import Json, emit, progress, say
from dashboard.commands.release import release_workspace
from dashboard.commands.risk import score
from data.errors import WorkspaceError
from data.release import current_name
from data.restricted import governance, keys
from data.restricted.vault import Vault
from data.workspace import Workspace, demo_path, files
from risk import worlds

_CHILDREN = 1400


def _world(seed: int, children: int) -> worlds.World:
    return worlds.over_own_areas(worlds.WorldParameters(seed=seed, children=children))


def build_demo(
    path: Path, *, seed: int = worlds.DEFAULT_SEED, children: int = _CHILDREN, missing_only: bool = False
) -> Workspace:
    """Make the demo's workspace, fill it with an invented world and release it.

    With `missing_only` a demo that has a release is opened as it is. One that was interrupted is built anew.
    """
    known = _demo_at(path)
    if known is not None and current_name(known.releases):
        if missing_only:
            return known
        msg = f"{path} has a demo world already. Another one needs another folder: tact --workspace DIR demo"
        raise WorkspaceError(msg)
    if known is not None:
        files.remove_folder(path)
    workspace = Workspace.create(path, "invented", demo=True, workspace_id=known.id if known else None)
    governance.ensure(workspace)
    if not keys.exist(workspace.id):
        keys.store(workspace.id, keys.of_seed(seed))
    secrets = keys.load(workspace.id)
    say("Building an invented world.")
    with Vault.create(workspace.vault, secrets) as vault:
        _fill(Importer.of(workspace, vault, secrets), _world(seed, children))
        with progress("Releasing") as tick:
            release_workspace(workspace, vault, secrets, tick)
    with progress("Fitting the risk model") as tick:
        score(workspace, tick)
    return workspace


def _demo_at(path: Path) -> Workspace | None:
    """Open the demo workspace that is there; None where nothing is, an error where something else is."""
    if not (path / "workspace.toml").exists():
        return None
    workspace = Workspace.open(path)
    if not workspace.demo:
        msg = f"{path} is a workspace for records. The demo needs one of its own: tact --workspace DIR demo"
        raise WorkspaceError(msg)
    return workspace


def _fill(importer: Importer, world: worlds.World) -> None:
    """Take the world in by the same way as a partner's files."""
    with tempfile.TemporaryDirectory(dir=importer.workspace.path) as folder:
        for kind, frame in world.records.items():
            path = Path(folder) / f"{kind}.csv"
            frame.to_csv(path, index=False)
            with progress(f"Storing {kind} records") as tick:
                importer.take(path, kind=kind, partner=None, rules=None, tick=tick)


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = worlds.DEFAULT_SEED,
    children: Annotated[int, typer.Option(min=1, help="How many children, about.")] = _CHILDREN,
    folder: Annotated[
        Path | None,
        typer.Option("--files", help="Write the world as partner files into this folder."),
    ] = None,
    bad_rows: Annotated[
        bool, typer.Option("--bad-rows", help="With --files: add rows that an import must return.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build the invented demo world, or write it as partner files."""
    if folder is not None:
        written = [str(p) for p in worlds.write_partner_files(_world(seed, children), folder, bad_rows)]
        emit({"files": written}, as_json, *written)
        return
    workspace = build_demo(context.obj or demo_path(), seed=seed, children=children)
    name = current_name(workspace.releases)
    emit(
        {"workspace": str(workspace.path), "release": name},
        as_json,
        f"Built the invented world in {workspace.path}, release {name}.",
        "Open it with: tact serve",
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)
