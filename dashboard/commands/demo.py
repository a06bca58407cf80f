"""`tact demo`: an invented world in a workspace of its own, or as partner files to learn importing with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.importing import import_frame
from dashboard.commands.output import Json, emit, progress, say
from dashboard.commands.release import release_workspace
from data import keys
from data.errors import WorkspaceError
from data.reference import area_table
from data.release import current_name
from data.vault import Vault
from data.workspace import Workspace, demo_path
from geo import areas
from risk import simulate

__all__ = ["build_demo", "register"]


def _world(seed: int, children: int) -> simulate.World:
    places = areas.load()
    parameters = simulate.WorldParameters(seed=seed, children=children)
    return simulate.simulate(parameters, area_table(), places.neighbours("municipality"))


def build_demo(path: Path, *, seed: int = 1, children: int = 1400, missing_only: bool = False) -> Workspace:
    """Make the demo's workspace, fill it with an invented world and release it.

    With `missing_only` a demo that has a release is opened as it is.
    """
    if (path / "workspace.toml").exists():
        workspace = Workspace.open(path)
        workspace.require("invented", "the demo world")
        if missing_only and current_name(workspace.releases):
            return workspace
    else:
        workspace = Workspace.create(path, "invented")
    secrets = keys.load(workspace.id) if keys.exist(workspace.id) else keys.create(workspace.id)
    _fill(workspace, secrets, seed, children)
    return workspace


def _fill(workspace: Workspace, secrets: keys.Keys, seed: int, children: int) -> None:
    say("Building an invented world (about ten seconds).")
    with Vault.open_or_create(workspace.vault, secrets) as vault:
        if vault.has_records():
            msg = f"{workspace.path} has records. The demo needs a workspace of its own: tact --workspace DIR demo"
            raise WorkspaceError(msg)
        world = _world(seed, children)
        with progress("Storing") as tick:
            for kind, frame in world.records.items():
                import_frame(vault, secrets, kind, frame, source="demo", tick=tick)
        release_workspace(workspace, vault, secrets)


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 1,
    children: Annotated[int, typer.Option(min=1, help="How many children, about.")] = 1400,
    files: Annotated[
        Path | None, typer.Option(help="Write the world as partner files into this folder instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Build the invented demo world, or write it as partner files."""
    if files is not None:
        written = [str(p) for p in simulate.write_partner_files(_world(seed, children), files)]
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
