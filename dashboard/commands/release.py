"""`tact release` and `tact releases`: protect and publish; list what was published."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.output import Json, Tick, emit, format_table, progress, say
from dashboard.commands.second import confirm_release, log_approval
from dashboard.commands.workspace import DeleteOverdue, check_overdue, delete_overdue, open_workspace, warn_overdue
from data.disclosure import policy_file
from data.disclosure.policy import Policy
from data.errors import InputError, ReleaseRefused
from data.reference import area_table, figures
from data.release import Release, current_name, names
from data.restricted import governance, keys, publishing
from data.restricted.vault import Vault, open_vault
from data.tables.spec import TIERS
from data.workspace import Workspace
from geo import areas

_HEAD = ("release", "created (UTC)", "tiers", "")
_FIRST = (
    "The numbers of a year that is final never change. So import what all partners have of a year within {lag} months "
    "after its end."
)
_PROVISIONAL = "Quarters after {final} are provisional, for partners alone. Their year is not final yet."
_ALL_PROVISIONAL = "All quarters are provisional, for partners alone: no year is final yet."
_WAITING = "{number} encounters of years that are final came or changed later. They wait and are not counted."


def _name_provisional(final: str, policy: Policy) -> str:
    return _PROVISIONAL.format(final=final) if final > policy.first.isoformat() else _ALL_PROVISIONAL


def _read_areas(workspace: Workspace) -> tuple[bytes, str]:
    """Return the workspace's areas as GeoParquet, and the source of their boundaries."""
    places = areas.load_areas(workspace.areas)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "areas.parquet"
        places.write(path)
        return path.read_bytes(), places.source


def release_workspace(
    workspace: Workspace,
    vault: Vault | None,
    secrets: keys.Keys | None,
    tick: Tick | None = None,
    day: date | None = None,
) -> publishing.NewRelease:
    """Write a release of a workspace as of a day (today); without a vault, only from published figures and areas."""
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
        day=day,
        progress=tick,
    )


def release(
    context: typer.Context,
    figures_only: Annotated[
        bool, typer.Option("--figures-only", help="Only published figures; needs no vault and no key.")
    ] = False,
    day: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="For practice with invented records: release as if it were an earlier day."
        ),
    ] = None,
    confirmed: DeleteOverdue = None,
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
            new = _make_release(workspace, figures_only, _check_day(workspace, day), confirmed)
    except ReleaseRefused as refusal:
        if not as_json:
            raise
        emit({"release": None, "tiers": [], "refused": str(refusal).splitlines()}, True)
        raise SystemExit(refusal.exit_code) from None
    withheld, policy = sum(new.withheld.values()), policy_file.read(workspace.path).policy
    emit(
        {
            "release": new.name,
            "tiers": list(new.tiers),
            "refused": [],
            "withheld": dict(new.withheld),
            "final": new.final,
            "waiting": new.waiting,
        },
        as_json,
        f"Published release {new.name}, tiers {' and '.join(new.tiers)}.",
        *([f"{withheld} cells are withheld, to protect children."] if withheld else []),
        *([_FIRST.format(lag=policy.lag)] if first else []),
        *([_name_provisional(new.final, policy)] if new.final else []),
        *([_WAITING.format(number=new.waiting)] if new.waiting else []),
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


def _check_day(workspace: Workspace, day: datetime | None) -> date | None:
    if day is not None and not (workspace.invented and day.date() <= datetime.now(UTC).date()):
        raise InputError("--day is for practice with invented records, and for a day that has passed. Leave it out.")
    return day.date() if day else None


def _make_release(
    workspace: Workspace, figures_only: bool, day: date | None, confirmed: int | None
) -> publishing.NewRelease:
    if figures_only:  # nothing of any child: nobody needs to approve it
        with progress("Releasing") as tick:
            return release_workspace(workspace, None, None, tick)
    secrets = keys.load(workspace.id)
    with open_vault(workspace, secrets) as vault, vault.writing():
        overdue = check_overdue(workspace, vault, confirmed)
        warn_overdue(overdue)
        second = confirm_release(workspace, vault, governance.read(workspace))
        delete_overdue(workspace, vault, overdue)
        with progress("Releasing") as tick:
            new = release_workspace(workspace, vault, secrets, tick, day)
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
