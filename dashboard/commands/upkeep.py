"""`tact init`, `templates`, `doctor`, `backup`, `restore`: the workspace, its forms, keys and health."""

from __future__ import annotations

import datetime as dt
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.asking import can_ask, choose, hidden
from dashboard.commands.output import Json, console, emit, say
from data.disclosure import policy_file
from data.errors import InputError, TactError, VaultError
from data.release import Release, current_name, names
from data.restricted import backup as backups
from data.restricted import governance, keys, publishing
from data.restricted.intake import templates
from data.restricted.vault import Vault, examine, open_vault
from data.schema import KINDS
from data.tables.spec import TIERS
from data.workspace import Workspace, default_path, demo_path

__all__ = ["delete_overdue", "open_workspace", "overdue", "register", "tell_overdue"]

_UNHEALTHY = 7
_PASSPHRASE = "TACT_BACKUP_PASSPHRASE"  # noqa: S105


def open_workspace(context: typer.Context, *, or_demo: bool = False) -> Workspace:
    """Open the workspace that was asked for, by default the user's own.

    With `or_demo`, for commands that only read: the demo world where there is no own workspace yet.
    """
    if or_demo and context.obj is None and not default_path().exists() and demo_path().exists():
        say("You have no workspace of your own yet, so this is the invented demo world.")
        return Workspace.open(demo_path())
    return Workspace.open(context.obj or default_path())


def delete_overdue(workspace: Workspace, vault: Vault) -> None:
    """Delete the records that have been kept as long as the governance file says, and tell how many."""
    since = _kept_since(workspace)
    gone = vault.expire(since) if since else 0
    if gone:
        say(f"{gone} records of children last met before {since} were deleted, as governance.toml says.")


def overdue(workspace: Workspace, vault: Vault) -> tuple[int, dt.date | None]:
    """Count the records that the next import or release deletes, and give the day they were not met since."""
    since = _kept_since(workspace)
    return (vault.overdue(since) if since else 0), since


def tell_overdue(workspace: Workspace, vault: Vault) -> None:
    """Say how many records are about to be deleted, while that can still be stopped."""
    count, since = overdue(workspace, vault)
    if count:
        say(
            f"{count} records of children last met before {since} are deleted first, as governance.toml "
            "says. If that is wrong, stop here and raise months in it."
        )


def _kept_since(workspace: Workspace) -> dt.date | None:
    return governance.read(workspace).kept_since(dt.datetime.now(dt.UTC).date())


def init(
    context: typer.Context,
    practice: Annotated[
        bool, typer.Option("--practice", help="A workspace for invented records, to learn with.")
    ] = False,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Keep the keys in the system keyring, not in files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a workspace, an empty vault and its two keys; the governance file to fill in and a breach page."""
    workspace = Workspace.create(context.obj or default_path(), "invented" if practice else "real")
    governance.ensure(workspace)
    found = keys.load(workspace.id) if keys.exist(workspace.id) else None
    secrets = found or keys.create(workspace.id, "keyring" if keyring else "file")
    Vault.create(workspace.vault, secrets).close()
    where = keys.locations(workspace.id)
    emit(
        {"workspace": str(workspace.path), "kind": workspace.kind, "keys": where},
        as_json,
        f"Made the workspace {workspace.path} for {workspace.kind} records.",
        f"Vault key: {where['vault']}",
        f"Identifier key: {where['identifier']}",
        "Without the keys nobody can read the records, you included. Make a backup: tact backup FILE",
        f"What to do when records get into wrong hands: {workspace.path / governance.BREACH_FILE}. Print it.",
        *([] if practice else [f"A release needs {workspace.path / governance.FILE}, filled in."]),
        "Next: tact templates --to FOLDER, fill a form, tact import FILE",
    )


def write_templates(
    to: Annotated[Path, typer.Option("--to", help="Folder for the forms.")], as_json: Json = False
) -> None:
    """Write an empty Excel form for each kind of record."""
    written = [str(path) for path in templates.write_templates(to)]
    emit({"files": written}, as_json, *written)


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
    from data.schema.codebook import describe

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


def _passphrase(*, new: bool) -> str:
    """Take the passphrase of a backup from the environment, else ask for it; twice for a new backup."""
    given = os.environ.get(_PASSPHRASE)
    if given:
        return given
    if not can_ask():
        msg = (
            "There is no terminal to ask for the passphrase of the backup. Nothing was changed. Run it on a "
            f"terminal, or put the passphrase into the environment as {_PASSPHRASE}."
        )
        raise InputError(msg)
    question = "Passphrase of the backup"
    return choose(question, backups.check_passphrase) if new else hidden(question)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    as_json: Json = False,
) -> None:
    """Write records and both keys into one file, sealed with a passphrase."""
    workspace = open_workspace(context)
    secrets = keys.load(workspace.id)
    backups.backup(workspace, secrets, backups.refuse_target(file), _passphrase(new=True))
    emit(
        {"file": str(file)},
        as_json,
        f"Wrote {file}. Keep the passphrase elsewhere: without it the file is worthless.",
    )


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `tact backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Even where the workspace has records; they are kept aside.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a workspace back from a backup; checks all of it before anything is replaced."""
    path = context.obj or default_path()
    done = backups.restore(backups.find(file), path, _passphrase(new=False), replace=replace)
    held = names(done.workspace.releases)
    emit(
        {
            "workspace": str(done.workspace.path),
            "records": done.has_records,
            "releases": list(done.releases),
            "plans": done.plans,
            "replaced": str(done.kept) if done.kept else None,
        },
        as_json,
        f"Restored {done.workspace.path}. {_releases_held(len(held), len(done.releases))}",
        *([f"Plans that came from the backup: {done.plans}."] if done.plans else []),
        *(["What the risk model says is worked out again with: tact risk"] if done.releases else []),
        *([f"What was there before is kept in {done.kept}."] if done.kept else []),
    )


def _releases_held(held: int, brought: int) -> str:
    """Say how many releases stand there, and which of them the backup brought."""
    if not held:
        return "It has no release."
    stood = f", {held - brought} stood there and are left as they were" if held > brought else ""
    return f"Releases in it: {held}; {brought} came from the backup{stood}."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command("templates")(write_templates)
    app.command()(doctor)
    app.command()(backup)
    app.command()(restore)
