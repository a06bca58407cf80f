"""`tact forget` and `withdraw`: a child, or all that a partner brought, leaves the vault at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, hidden
from dashboard.commands.upkeep import open_workspace
from data import intake, keys
from data.errors import InputError
from data.vault import open_vault
from data.workspace import Workspace

__all__ = ["register"]

_NUMBER = "Programme number that partners share"
_STAYS = "Published numbers stay as they are until enough children have changed."


def forget(
    context: typer.Context,
    partner: Annotated[
        str | None, typer.Option(help="The partner whose identifier of the child you will give.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A file to read instead of asking, or - for standard input: with --partner the identifier, "
            "and the programme number on a second line if the child has one; else the programme number.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Forget one child: all its records leave at once, and rows about it are sent back from now on.

    The identifier is asked for and never shown; it is no argument, because other programs and the shell's
    history can read those. A child that has a programme number and an identifier needs both to be kept out.
    """
    workspace = open_workspace(context)
    names = _names(partner, source)
    secrets = keys.load(workspace.id)
    with open_vault(workspace, secrets) as vault:
        gone = vault.forget(keys.IdentifierHasher(secrets.identifier).hash(names))
        partners = vault.partners()
    found = [f"Forgotten: {gone} records left the vault. {_STAYS}"]
    unknown = [
        "No record of this child was here. Should one come, it is sent back. If you mistyped, run it again.",
        *([f"Partners here: {', '.join(partners) or 'none yet'}."] if partner else []),
    ]
    emit(
        {"forgotten": gone, "known": gone > 0}, as_json, *(found if gone else unknown), *_elsewhere(workspace)
    )


def _names(partner: str | None, source: Path | None) -> list[str]:
    """Read the child's identifiers and give what is hashed of them."""
    asked = [f"Identifier of the child at {partner}", f"{_NUMBER}, if it has one"] if partner else [_NUMBER]
    asking = source is None and sys.stdin.isatty()
    given = [hidden(question) for question in asked] if asking else _lines(source, len(asked))
    number = given[-1] if len(given) == len(asked) else ""
    names = intake.child_names(partner or "", given[0] if partner and given else "", number)
    if not names:
        msg = "No identifier was given. Nothing was changed."
        raise InputError(msg)
    return names


def _lines(source: Path | None, most: int) -> list[str]:
    raw = sys.stdin.read() if source in (None, Path("-")) else _text(source)
    lines = raw.rstrip().splitlines()
    if len(lines) > most:
        msg = f"At most {most} line(s) are read, about one child. Nothing was changed."
        raise InputError(msg)
    return lines


def _text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        msg = f"{source} is no text in UTF-8. Nothing was changed."
        raise InputError(msg) from None


def withdraw(
    context: typer.Context,
    partner: Annotated[str, typer.Option(help="The partner that leaves.")],
    as_json: Json = False,
) -> None:
    """Delete all that a partner brought. What it sends later goes in again."""
    workspace = open_workspace(context)
    with open_vault(workspace) as vault:
        gone = vault.withdraw(partner)
    emit(
        {"withdrawn": gone},
        as_json,
        f"{gone} records of {partner} left the vault. {_STAYS}",
        *_elsewhere(workspace),
    )


def _elsewhere(workspace: Workspace) -> list[str]:
    """Say where the records still are."""
    kept = sorted(workspace.vault.parent.glob(f"{workspace.vault.name}.before-*"))
    return [
        "Backups that were made before still hold the records until they are restored. Destroy those that "
        "you no longer need.",
        *(f"{path}, from before a restore, holds them too. Remove it: rm -r '{path}'" for path in kept),
    ]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(forget)
    app.command()(withdraw)
