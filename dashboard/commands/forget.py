"""`tact forget` and `withdraw`: a child, or all that a partner brought, leaves the vault at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.asking import can_ask, hidden, typed
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.restricted import intake, keys
from data.restricted.vault import Vault, open_vault, partners
from data.workspace import Workspace

_NUMBER = "Programme number that partners share"
_FOR_GOOD = (
    "What is noted keeps a child out for good: no command takes it back, and only a backup from before it, "
    "restored into a folder of its own, is without it."
)
_NOBODY = (
    "No record here has what you gave, so it may be mistyped; or the child is known by its programme number: "
    "give that as well. Nothing was noted so far."
)
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
    even_if_unknown: Annotated[
        bool,
        typer.Option("--even-if-unknown", help="Note it without a question although no record has it."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Forget one child: all its records leave at once, and rows about it are rejected from now on.

    The identifier is asked for and never shown; it is no argument, because other programs and the shell's
    history can read those. A child that has a programme number and an identifier needs both to be kept out.
    What no record has may be mistyped and would keep another child out for good, so it is asked about first.
    """
    workspace = open_workspace(context)
    names = _names(partner, source)
    secrets = keys.load(workspace.id)
    with open_vault(workspace, secrets) as vault:
        children = keys.IdentifierHasher(secrets.identifier).hash(names)
        doubt = [] if even_if_unknown else _doubt(vault, children, partner, numbered=_numbered(names))
        if doubt:
            _require_yes(doubt)
        gone = vault.forget(children)
    emit(
        {"forgotten": gone, "known": gone > 0},
        as_json,
        f"Forgotten: {gone} records left the vault. {_STAYS}"
        if gone
        else "No record of this child was here. Should one come, it is rejected.",
        *_elsewhere(workspace),
    )


def _numbered(names: Sequence[str]) -> bool:
    return names[-1].startswith(intake.BY_NUMBER)


def _doubt(vault: Vault, children: Sequence[str], partner: str | None, *, numbered: bool) -> list[str]:
    """Say what no record has of what was given: the child, or its programme number; nothing of it twice."""
    unknown = vault.find_unknown(children)
    if len(unknown) == len(children):
        words = [_NOBODY]
        known, main = vault.partners(), vault.partners("encounter")
        return words + ([partners.list_similar(partner, known, main)] if partner else [])
    if numbered and children[-1] in unknown:
        return ["No record here has that programme number, so it may be mistyped. Nothing was changed yet."]
    return []


def _require_yes(doubt: list[str]) -> None:
    """Have somebody type yes; raise InputError where nobody can, or does not."""
    if not can_ask():
        told = [*doubt, f"{_FOR_GOOD} If it is right: tact forget --even-if-unknown"]
        raise InputError("\n".join(told))
    for line in (*doubt, _FOR_GOOD):
        say(line)
    if typed("Type yes to note it all the same").strip().casefold() != "yes":
        msg = "Nothing was noted and nothing deleted."
        raise InputError(msg)


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
    yes: Annotated[bool, typer.Option("--yes", help="Delete without a question, for scripts.")] = False,
    as_json: Json = False,
) -> None:
    """Delete all that a partner brought. What it sends later goes in again.

    It says how many records would go and asks for the partner's name again.
    """
    workspace = open_workspace(context)
    with open_vault(workspace) as vault, vault.writing():
        name = vault.find_partner(partner)
        if not yes:
            _require_name(name, vault.count_brought(name), as_json=as_json)
        gone = vault.withdraw(name)
    emit(
        {"withdrawn": gone},
        as_json,
        f"{gone} records of {name} left the vault. {_STAYS}",
        *_elsewhere(workspace),
    )


def _require_name(name: str, count: int, *, as_json: bool) -> None:
    """Have the partner's name typed again; raise InputError where nobody can, or does not."""
    told = f"{count} records of {name} would be deleted for good."
    if as_json or not can_ask():
        why = "With --json nothing is asked" if as_json else "There is no terminal to ask on"
        msg = f"{told} {why}, so nothing was deleted. To delete them without a question: --yes"
        raise InputError(msg)
    say(told)
    if not partners.is_same(typed("Type the partner's name again to delete them"), name):
        msg = f"That is not {name}. Nothing was deleted."
        raise InputError(msg)


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
