"""`tact doctor`: problems of workspace, keys, vault and releases, and the meaning of each column."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, console, emit, say
from dashboard.commands.workspace import warn_gaps
from data.accounts.database import Accounts
from data.accounts.log import verify_log
from data.disclosure import policy_file
from data.errors import TactError, VaultError
from data.release import WITHDRAWN, Release, current_name, names, read_withdrawn, shown_name
from data.restricted import backup, governance, keys, publication
from data.restricted.governance.retention import find_overdue
from data.restricted.vault import examine, load_keys, open_vault, rotation
from data.schema.codebook import describe
from data.schema.kinds import KINDS
from data.tables.spec import TIERS
from data.workspace import Workspace, default_path

UNHEALTHY = 7


def doctor(
    context: typer.Context,
    schema: Annotated[bool, typer.Option("--schema", help="Print what each column means, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Check workspace, keys, vault and releases, and say how to solve each problem.

    A release that was interrupted is finished or undone first.
    """
    if schema:
        answer = {name: describe(name) for name in KINDS}
        lines = [line for name, columns in answer.items() for line in _wrap(KINDS[name].title, columns)]
        emit(answer, as_json, *lines)
        return
    problems = _find_problems(context.obj or default_path())
    emit(
        {"healthy": not problems, "problems": problems},
        as_json,
        *(problems or ["No problems found: workspace, keys, vault and releases are in order."]),
    )
    if problems:
        raise SystemExit(UNHEALTHY)


def _find_problems(path: Path) -> list[str]:
    try:
        workspace = Workspace.open(path)
    except TactError as error:
        return [str(error)]
    _recover_release(workspace)
    _register_plans(workspace)
    for written in governance.write_missing(workspace):
        say(f"{written.name} was missing; {written} is there now.")
    _warn_of_gaps(workspace)
    return [
        *workspace.check(),
        *keys.check(workspace.key_id),
        *_vault_problems(workspace),
        *rotation.find_problems(workspace),
        *_release_problems(workspace.releases),
        *_governance_problems(workspace),
        *_policy_problems(workspace),
        *_account_problems(workspace.accounts),
    ]


def _recover_release(workspace: Workspace) -> None:
    """Finish or undo a release that was interrupted.

    Nothing is done if the vault cannot be opened, or while another process writes.
    """
    try:
        if not workspace.vault.exists():
            publication.recover(workspace, None)
            return
        with open_vault(workspace) as vault, vault.writing():
            staged = vault.staged_publication()
            publication.recover(workspace, vault)
    except (TactError, OSError):
        return  # the checks that follow name what is wrong
    if staged is not None:
        outcome = "finished" if staged in names(workspace.releases) else "undone"
        say(f"Release {staged} was interrupted; it is {outcome} now.")


def _register_plans(workspace: Workspace) -> None:
    """Register saved plans that an interrupted command did not register."""
    for name in names(workspace.releases):
        if not any(workspace.derived.glob(f"{name}/plan-partner-*")):
            continue
        from risk.planning.saved import register_plans

        with suppress(TactError, OSError):  # the checks that follow name what is wrong
            register_plans(workspace.derived, Release.open(workspace.releases, "partner", name))


def _vault_problems(workspace: Workspace) -> list[str]:
    if keys.check(workspace.key_id):
        return []  # `keys.check` names what is wrong with them
    try:
        return examine(workspace.vault, load_keys(workspace))
    except VaultError as error:
        return [str(error)]


def _governance_problems(workspace: Workspace) -> list[str]:
    """List what the governance file lacks, and where records, the release or the risk model do not follow it."""
    governed = governance.read(workspace)
    problems = [] if workspace.invented else list(governed.missing)
    name = shown_name(workspace.releases)
    tiers = TIERS if name in names(workspace.releases) else ()
    opened = [Release.open(workspace.releases, tier, name) for tier in tiers]
    measures = {str(r["tact"]["measure"]) for release in opened for r in release.manifest["resources"] if "tact" in r}
    problems += [words for measure, words in _UNAPPROVED.items() if measure in measures & governed.blocked]
    problems += _risk_problems(workspace) if "dark_figure" in governed.blocked else []
    try:
        with open_vault(workspace) as vault:
            overdue, second = find_overdue(workspace, vault), publication.read_second(workspace, vault)
            problems += filter(None, [backup.word_overdue(workspace, vault)])
    except TactError:
        return problems  # the check of the vault names what is wrong with it
    if second is None and not workspace.invented:
        problems.append(_NO_SECOND)
    if overdue.count:
        problems.append(
            f"{overdue.count} records of children without an encounter since {overdue.since} should have been deleted. "
            "The next `tact import` or `tact release` deletes them, or asks first where they are many."
        )
    return problems


def _warn_of_gaps(workspace: Workspace) -> None:
    """Print what partners did not send, with what follows: a question to answer, no problem of the workspace."""
    name = shown_name(workspace.releases)
    if name in names(workspace.releases):
        with suppress(TactError):  # the check of the releases names what is wrong with it
            warn_gaps(Release.open(workspace.releases, "partner", name, derived=workspace.derived))


def _risk_problems(workspace: Workspace) -> list[str]:
    """Return a problem if the risk result of the shown release was calculated with intervals of the dark figure.

    Empty if it was not. The caller has found that these intervals are not approved.
    """
    name = shown_name(workspace.releases)
    if name not in names(workspace.releases):
        return []
    from risk.report import KIND

    result = Release.open(workspace.releases, "partner", name, derived=workspace.derived).result(KIND)
    share = result.manifest["card"].get("share_found") if result else None
    return [_RISK_UNAPPROVED] if share else []


def _account_problems(path: Path) -> list[str]:
    """List what is wrong with the file of the people who sign in and with its audit log; empty if there is no file."""
    if not path.exists():
        return []
    problems = []
    if os.name != "nt" and path.stat().st_mode & 0o077:
        problems.append(
            f"Others on this machine can read {path}, which holds second factors. Close it: chmod 600 '{path}'"
        )
    try:
        fault = verify_log(Accounts.open(path)).problem
    except TactError as error:
        return [*problems, str(error)]
    if fault:
        problems.append(
            f"The audit log was changed: {fault} Compare it with a copy, and tell your data protection officer."
        )
    return problems


def _policy_problems(workspace: Workspace) -> list[str]:
    try:
        policy = policy_file.read(workspace.path).policy
    except TactError as error:
        return [str(error)]
    try:
        with open_vault(workspace) as vault:
            outside = publication.find_coverage(workspace, vault).outside
    except TactError:
        return []  # the check of the vault names what is wrong with it
    if outside:
        say(
            f"{outside} encounters lie outside the days of the programme and are not counted. policy.toml says first = "
            f"{policy.first} and last = {policy.last}: correct them before the first release, or the records."
        )
    return []


_UNAPPROVED = {
    "communities": "The current release has community layers that the Roma partner has not approved. Make one "
    "without them: tact release",
    "dark_figure": "The current release has intervals of the dark figure that governance.toml does not approve. Make "
    "one without them: tact release",
}

_NO_SECOND = (
    "A release needs a second person, one of those who approve in governance.toml. They choose a passphrase: "
    "tact second --name NAME"
)

_RISK_UNAPPROVED = (
    "The risk model was calculated with intervals of the dark figure that governance.toml does not approve. "
    "Calculate it without them: tact risk"
)


def _release_problems(releases: Path) -> list[str]:
    problems = []
    current = current_name(releases)
    if current is not None and current not in names(releases):
        problems.append(f"The current release {current!r} is missing. Put its folder back, or: tact release")
    if unknown := sorted(read_withdrawn(releases).difference(names(releases))):
        problems.append(f"releases/{WITHDRAWN} names {', '.join(unknown)}: no release has that name. Correct it.")
    for name in names(releases):
        for tier in TIERS:
            try:
                problems += Release.open(releases, tier, name).check()
            except TactError as error:
                problems.append(str(error))
    return problems


def _wrap(title: str, columns: list[dict[str, str]]) -> Iterator[str]:
    """Yield lines that describe columns, wrapped at the terminal's width or at 100 characters."""
    yield from (title, "=" * len(title), "")
    wrapper = textwrap.TextWrapper(
        min(console.width, 100),
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for column in columns:
        yield f"{column['column']}  (needed: {column['needed']})"
        yield from wrapper.wrap(column["meaning"])
        yield from wrapper.wrap(f"Allowed: {column['allowed']}")
        yield ""
