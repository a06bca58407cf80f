"""Make a release of a workspace: the trial and the publication by two people, for the command line and the desk."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from data.disclosure import policy_file
from data.errors import InputError, WorkspaceError
from data.message import Message
from data.reference import area_table, figures
from data.release import MANIFEST
from data.restricted import governance, keys, publishing
from data.restricted.governance import logs, second_person
from data.restricted.governance.second_person import SecondPerson
from data.restricted.publishing import NewRelease, coverage
from data.restricted.publishing.coverage import Coverage
from data.restricted.vault import Vault
from data.tables.periods import Calendar
from data.tables.spec import TIERS
from data.workspace import Workspace
from data.workspace.types import Progress
from data.workspace.user import find_user

_COLUMNS = ("day", "release", "released_by", "confirmed_by", "replaced", *TIERS)
# The areas of a workspace as GeoParquet, and the source of their boundaries: geo/areas.py (`pack_areas`).
PackedAreas = tuple[bytes, str]


def release_workspace(
    workspace: Workspace,
    vault: Vault | None,
    secrets: keys.Keys | None,
    areas: PackedAreas,
    progress: Progress | None = None,
    day: dt.date | None = None,
    *,
    rehearse: bool = False,
    second: SecondPerson | None = None,
) -> NewRelease:
    """Publish a release of a workspace for a day (default: today), and return what was published.

    Without a vault, the release has only published figures and areas. With a vault, the caller must hold the writer's
    lock, and have deleted the records that are kept too long. With `rehearse`, everything is made and attacked, but
    nothing is published. `second` is the person who confirmed it, from `confirm`. Raises the errors of
    `publishing.make_release`.
    """
    rules = policy_file.read(workspace.path)
    hasher = keys.IdentifierHasher(secrets.identifier) if secrets else None
    if not rehearse:
        governance.note_blocked(workspace)
    return publishing.make_release(
        vault,
        workspace.releases,
        areas_geoparquet=areas[0],
        area_table=area_table(),
        figures=figures(),
        invented=workspace.invented,
        record_keys=hasher.record_keys if hasher else None,
        areas_source=areas[1],
        first_month=workspace.start_month,
        plan=governance.read(workspace).permitted(rules.plan),
        policy=rules.policy,
        day=day,
        progress=progress,
        rehearse=rehearse,
        add_approval=partial(_add_approval, workspace, second) if second else None,
        drop_approval=partial(_drop_approval, workspace),
    )


def recover(workspace: Workspace, vault: Vault | None) -> None:
    """Finish or undo a release that was interrupted, with its line in approvals.csv.

    Raises ReleaseError while another run is active.
    """
    publishing.recover(vault, workspace.releases, partial(_drop_approval, workspace))


def find_coverage(workspace: Workspace, vault: Vault) -> Coverage:
    """Return what a release made today would cover and make final."""
    policy, today = policy_file.read(workspace.path).policy, dt.datetime.now(dt.UTC).date()
    return coverage.find_coverage(vault, area_table(), Calendar(workspace.start_month), policy, today)


def find_second(workspace: Workspace, vault: Vault) -> SecondPerson | None:
    """Return the person who must confirm a release; None for invented records.

    Raises WorkspaceError if governance.toml is not complete, or nobody is appointed.
    """
    if workspace.invented:
        return None
    governance.read(workspace).require()
    person = second_person.read(vault)
    if person is None:
        raise WorkspaceError(
            Message(
                "A release of real records needs two people. The second person first chooses a passphrase "
                "that nobody else knows: tact second --name NAME"
            )
        )
    return person


def read_second(workspace: Workspace, vault: Vault) -> SecondPerson | None:
    """Return the second person; None if nobody is appointed, or governance.toml does not name them as an approver."""
    person, approvers = second_person.read(vault), governance.read(workspace).approvers
    return person if person is not None and second_person.find_approver(approvers, person.name) else None


def appoint_second(
    workspace: Workspace, vault: Vault, name: str, passphrase: str, old_passphrase: str | None
) -> SecondPerson:
    """Appoint an approver of governance.toml as the second person; see second_person.appoint.

    Raises the errors of that function, and InputError for a name that is not that of an approver.
    """
    return second_person.appoint(vault, require_approver(workspace, name), passphrase, old_passphrase)


def require_approver(workspace: Workspace, name: str) -> str:
    """Return the name of an approver as it is written in governance.toml; raise InputError for any other name."""
    approvers = governance.read(workspace).approvers
    approver = second_person.find_approver(approvers, name)
    if not approver:
        names = ", ".join(approvers) or Message("nobody")
        raise InputError(
            Message("{name} is not one of the people who approve in governance.toml: {names}.", name=name, names=names)
        )
    return approver


def confirm(workspace: Workspace, vault: Vault, ask: Callable[[SecondPerson], str]) -> SecondPerson | None:
    """Check the second person's passphrase, which `ask` returns; return this person, or None as `find_second` does.

    Raises InputError for a wrong passphrase, and WorkspaceError as `find_second` does or if the person is no longer an
    approver.
    """
    person = find_second(workspace, vault)
    if person is not None:
        second_person.confirm(person, governance.read(workspace).approvers, ask(person))
    return person


def _add_approval(workspace: Workspace, person: SecondPerson, release: str, folder: Path) -> None:
    """Add a line to approvals.csv: the people, the release, and a checksum of each tier's manifest."""
    sums = [hashlib.sha256((folder / tier / MANIFEST).read_bytes()).hexdigest() for tier in TIERS]
    today = dt.datetime.now(dt.UTC).date().isoformat()
    line = [today, release, find_user(), person.name, person.replaced, *sums]
    logs.append_line(workspace.path / logs.APPROVALS, _COLUMNS, line)


def _drop_approval(workspace: Workspace, release: str) -> None:
    """Remove from approvals.csv the line of a release that was not published."""
    logs.remove_lines(workspace.path / logs.APPROVALS, "release", release)
