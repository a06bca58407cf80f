"""`tact release` and `tact releases`: protect and publish; list what was published."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.output import Json, Tick, emit, format_table, progress, say
from dashboard.commands.second import confirm_release, log_approval
from dashboard.commands.workspace import delete_overdue, open_workspace, warn_overdue
from data.disclosure import policy_file
from data.errors import ReleaseRefused
from data.reference import area_table, figures
from data.release import Release, current_name, names
from data.restricted import governance, keys, publishing
from data.restricted.vault import Vault, open_vault
from data.tables.spec import TIERS
from data.workspace import Workspace
from geo import areas

_HEAD = ("release", "created (UTC)", "tiers", "")
_FIRST = (
    "What it shows of an area and time is repeated until {k} children there have changed. So import what all "
    "partners have of a time before you release it."
)


def _read_areas(workspace: Workspace) -> tuple[bytes, str]:
    """Return the workspace's areas as GeoParquet, and the source of their boundaries."""
    places = areas.load_areas(workspace.areas)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "areas.parquet"
        places.write(path)
        return path.read_bytes(), places.source


def release_workspace(
    workspace: Workspace, vault: Vault | None, secrets: keys.Keys | None, tick: Tick | None = None
) -> publishing.NewRelease:
    """Write a release of a workspace; without a vault, only from published figures and areas."""
    geometry, source = _read_areas(workspace)
    rules = policy_file.read(workspace.path)
    hasher = keys.IdentifierHasher(secrets.identifier) if secrets else None
    return publishing.make_release(
        vault,
        workspace.releases,
        areas_geoparquet=geometry,
        area_table=area_table(),
        figures=figures(),
        invented=workspace.invented,
        record_keys=hasher.record_keys if hasher else None,
        areas_source=source,
        first_month=workspace.start_month,
        plan=governance.read(workspace).permitted(rules.plan),
        policy=rules.policy,
        progress=tick,
    )


def release(
    context: typer.Context,
    figures_only: Annotated[
        bool, typer.Option("--figures-only", help="Only published figures; needs no vault and no key.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Protect the records, test the result with attacks, and publish both tiers.

    If an attack succeeds, nothing is published and the cells are named. Real records need a complete
    governance.toml and a second person, who confirms with a passphrase.
    """
    workspace = open_workspace(context)
    first = not names(workspace.releases)
    try:
        with _report_when_stopped(workspace):
            new = _make_release(workspace, figures_only or not workspace.vault.exists())
    except ReleaseRefused as refusal:
        if not as_json:
            raise
        emit({"release": None, "tiers": [], "refused": str(refusal).splitlines()}, True)
        raise SystemExit(refusal.exit_code) from None
    withheld = sum(new.withheld.values())
    emit(
        {"release": new.name, "tiers": list(new.tiers), "refused": [], "withheld": dict(new.withheld)},
        as_json,
        f"Published release {new.name}, tiers {' and '.join(new.tiers)}.",
        *([f"{withheld} cells are withheld, to protect children."] if withheld else []),
        *([_FIRST.format(k=Release.open(workspace.releases, "public", new.name).k)] if first else []),
        "Next, estimate risk: tact risk",
        "Open it with: tact serve",
    )


@contextmanager
def _report_when_stopped(workspace: Workspace) -> Iterator[None]:
    """Report whether anything was published, if the user interrupts a release."""
    before = set(names(workspace.releases))
    try:
        yield
    except KeyboardInterrupt:
        published = set(names(workspace.releases)) - before
        say(f"\nPublished: {', '.join(published)}." if published else "\nNothing was published.")
        raise


def _make_release(workspace: Workspace, figures_only: bool) -> publishing.NewRelease:
    if figures_only:  # nothing of any child: nobody needs to approve it
        with progress("Releasing") as tick:
            return release_workspace(workspace, None, None, tick)
    secrets = keys.load(workspace.id)
    with open_vault(workspace, secrets) as vault, vault.writing():
        warn_overdue(workspace, vault)
        second = confirm_release(workspace, vault, governance.read(workspace))
        delete_overdue(workspace, vault)
        with progress("Releasing") as tick:
            new = release_workspace(workspace, vault, secrets, tick)
        log_approval(workspace, second, new.name)
        return new


def list_releases(context: typer.Context, as_json: Json = False) -> None:
    """List the releases, newest first."""
    folder = open_workspace(context, or_demo=True).releases
    current = current_name(folder)
    rows = [_describe_release(folder, name, current) for name in names(folder)]
    emit(
        rows,
        as_json,
        *(format_table([_HEAD, *map(_format_row, rows)]) if rows else ["No release yet. Make one with: tact release"]),
    )


def _format_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    tiers = ", ".join(row["tiers"])
    return row["release"], row["created"], tiers, "current" if row["current"] else ""


def _describe_release(folder: Path, name: str, current: str | None) -> dict[str, Any]:
    opened = Release.open(folder, "public", name)
    return {
        "release": name,
        "created": opened.manifest["created"],
        "tiers": [tier for tier in TIERS if (folder / name / tier).is_dir()],
        "invented": opened.invented,
        "current": name == current,
    }
