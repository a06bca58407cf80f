"""`tact doctor`: what is wrong with workspace, keys, vault and releases; and what each column means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, console, emit, say
from dashboard.commands.workspace import overdue
from data.disclosure import policy_file
from data.errors import TactError, VaultError
from data.release import Release, current_name, names
from data.restricted import governance, keys, publishing
from data.restricted.vault import examine, open_vault
from data.schema import KINDS
from data.schema.codebook import describe
from data.tables.spec import TIERS
from data.workspace import Workspace, default_path

_UNHEALTHY = 7


def doctor(
    context: typer.Context,
    schema: Annotated[bool, typer.Option("--schema", help="Print what each column means, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Check workspace, keys, vault and releases; name each problem with its remedy.

    A release that was interrupted is settled first, as the next one would do it.
    """
    if schema:
        _print_schema(as_json)
        return
    problems = _problems(context.obj or default_path())
    emit(
        {"healthy": not problems, "problems": problems},
        as_json,
        *(problems or ["All is well: workspace, keys, vault and releases."]),
    )
    if problems:
        raise SystemExit(_UNHEALTHY)


def _problems(path: Path) -> list[str]:
    try:
        workspace = Workspace.open(path)
    except TactError as error:
        return [str(error)]
    _settle(workspace)
    for path in governance.ensure(workspace):
        say(f"{path.name} was missing; {path} is there now.")
    return [
        *workspace.check(),
        *keys.check(workspace.id),
        *_vault_problems(workspace),
        *_release_problems(workspace.releases),
        *_governance_problems(workspace),
        *_policy_problems(workspace),
    ]


def _settle(workspace: Workspace) -> None:
    """Finish or take back a release that was interrupted; leave it while somebody is at work."""
    try:
        if not workspace.vault.exists():
            publishing.recover(None, workspace.releases)
            return
        with open_vault(workspace) as vault, vault.writing():
            staged = vault.staged_publication()
            publishing.recover(vault, workspace.releases)
    except (TactError, OSError):
        return  # what is wrong is told by the checks that follow
    if staged is not None:
        done = "finished" if staged in names(workspace.releases) else "taken back"
        say(f"Release {staged} was interrupted; it is {done} now.")


def _vault_problems(workspace: Workspace) -> list[str]:
    try:
        return examine(workspace.vault, keys.load(workspace.id))
    except VaultError:
        return []  # what is wrong with the keys is told by the check of the keys


def _governance_problems(workspace: Workspace) -> list[str]:
    """Say what the governance file lacks, and where the records do not follow it."""
    governed = governance.read(workspace)
    problems = [] if workspace.invented else list(governed.missing)
    if _holds_communities(workspace.releases) and not governed.communities:
        problems.append(
            "The current release holds layers of communities, which the Roma partner does not approve. Make "
            "one without them: tact release"
        )
    try:
        with open_vault(workspace) as vault:
            late, since = overdue(workspace, vault)
    except TactError:
        return problems  # what is wrong with the vault is told by its own check
    if late:
        problems.append(
            f"{late} records of children last met before {since} are kept too long. The next "
            "`tact import` or `tact release` deletes them."
        )
    return problems


def _policy_problems(workspace: Workspace) -> list[str]:
    try:
        policy_file.read(workspace.path)
    except TactError as error:
        return [str(error)]
    return []


def _holds_communities(releases: Path) -> bool:
    name = current_name(releases)
    if name not in names(releases):
        return False
    held = [table for tier in TIERS for table in Release.open(releases, tier, name).tables]
    return any(table.startswith("communities_") for table in held)


def _release_problems(releases: Path) -> list[str]:
    problems = []
    current = current_name(releases)
    if current is not None and current not in names(releases):
        problems.append(
            f"The current release {current!r} is not there. Put its folder back, or: tact release"
        )
    for name in names(releases):
        for tier in TIERS:
            try:
                problems += Release.open(releases, tier, name).check()
            except TactError as error:
                problems.append(str(error))
    return problems


def _print_schema(as_json: bool) -> None:
    answer = {name: describe(name) for name in KINDS}
    lines = [line for name, columns in answer.items() for line in _described(KINDS[name].title, columns)]
    emit(answer, as_json, *lines)


def _described(title: str, columns: list[dict[str, str]]) -> Iterator[str]:
    """Write what the columns mean, as wide as the terminal, no word ever cut."""
    yield from (title, "=" * len(title), "")
    for column in columns:
        yield f"{column['column']}  (needed: {column['needed']})"
        for text in (column["meaning"], f"Allowed: {column['allowed']}"):
            yield from textwrap.wrap(
                text,
                min(console.width, 100),
                initial_indent="    ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        yield ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
