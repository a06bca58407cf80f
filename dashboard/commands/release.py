"""`tact release` and `tact releases`: protect and publish; list what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.output import Json, emit, format_table, progress, say
from dashboard.commands.second import confirm_release
from dashboard.commands.workspace import (
    DeleteOverdue,
    check_overdue,
    delete_overdue,
    open_workspace,
    warn_backup,
    warn_overdue,
)
from dashboard.narrative.coverage import describe_waiting
from data.disclosure import policy_file
from data.errors import InputError, ReleaseRefused
from data.release import Release, names, read_withdrawn, shown_name
from data.restricted import publication
from data.restricted.publishing import NewRelease
from data.restricted.vault import load_keys, open_vault
from data.tables.spec import TIERS
from data.workspace import Workspace
from geo.areas import pack_areas

_HEAD = ("release", "created (UTC)", "tiers", "state")
_FIRST = (
    "The numbers of a year that is final never change. So import what all partners have of a year within {lag} months "
    "after its end."
)
_PROVISIONAL = "Quarters after {final} are provisional, for partners alone. Their year is not final yet."
_ALL_PROVISIONAL = "All quarters are provisional, for partners alone: no year is final yet."
_FIGURES = "It has only published figures, and nothing of the programme."
_NO_RECORDS = (
    "There are no records to release yet, so it has only published figures. Import records (tact import FILE), and "
    "release again."
)


def _word_withheld(withheld: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each tier that withholds numbers of children, as the desk says it after a trial."""
    for tier, count in withheld.items():
        if count:
            yield f"Tier {tier}: {count:,} cells with numbers of children are withheld to protect others."


def _read_day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a day. Write a day as 2008-12-31.") from None


def release(
    context: typer.Context,
    figures_only: Annotated[
        bool, typer.Option("--figures-only", help="Only published figures; needs no vault and no key.")
    ] = False,
    day: Annotated[
        date | None,
        typer.Option(
            parser=_read_day,
            metavar="DAY",
            help="For practice with invented records: release as if it were an earlier day.",
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
    policy = policy_file.read(workspace.path).policy
    alone = not any(contents.states for contents in new.contents.values())  # figures without numbers of the programme
    words = _PROVISIONAL if new.final and new.final > policy.first.isoformat() else _ALL_PROVISIONAL
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
        *_word_withheld(new.withheld),
        *([_FIGURES if figures_only else _NO_RECORDS] if alone else []),
        *([_FIRST.format(lag=policy.lag)] if first and not alone else []),
        *([words.format(final=new.final)] if new.final else []),
        *([describe_waiting(new.waiting)] if new.waiting else []),
        *([] if alone else ["Next, estimate risk: tact risk"]),
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


def _check_day(workspace: Workspace, day: date | None) -> date | None:
    if day is not None and not (workspace.invented and day <= datetime.now(UTC).date()):
        raise InputError("--day is for practice with invented records, and for a day that has passed. Leave it out.")
    return day


def _make_release(workspace: Workspace, figures_only: bool, day: date | None, confirmed: int | None) -> NewRelease:
    areas = pack_areas(workspace.areas)
    if figures_only:  # it has no number from records, so nobody needs to approve it
        with progress("Releasing") as tick:
            return publication.release_workspace(workspace, None, None, areas, tick)
    secrets = load_keys(workspace)
    with open_vault(workspace, secrets) as vault, vault.writing():
        overdue = check_overdue(workspace, vault, confirmed)
        warn_overdue(overdue)
        second = confirm_release(workspace, vault)
        delete_overdue(workspace, vault, overdue)
        with progress("Releasing") as tick:
            new = publication.release_workspace(workspace, vault, secrets, areas, tick, day, second=second)
        warn_backup(workspace, vault)
        return new


def list_releases(context: typer.Context, as_json: Json = False) -> None:
    """List the releases, newest first."""
    folder = open_workspace(context, or_demo=True).releases
    current = shown_name(folder)
    rows = [_describe_release(folder, name, current) for name in names(folder)]
    emit(
        rows,
        as_json,
        *(format_table([_HEAD, *map(_format_row, rows)]) if rows else ["No release yet. Make one with: tact release"]),
    )


def _format_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    tiers = ", ".join(row["tiers"])
    state = next((name for name in ("current", "withdrawn") if row[name]), "")
    return row["release"], row["created"], tiers, state


def _describe_release(folder: Path, name: str, current: str | None) -> dict[str, Any]:
    opened = Release.open(folder, "public", name)
    return {
        "release": name,
        "created": opened.manifest["created"],
        "tiers": [tier for tier in TIERS if (folder / name / tier).is_dir()],
        "invented": opened.invented,
        "current": name == current,
        "withdrawn": name in read_withdrawn(folder),
    }
