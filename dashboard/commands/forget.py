"""`tact forget` and `tact withdraw`: delete all records of a child, or of a partner, from the vault."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.asking import ask, ask_hidden, can_ask, require_person, require_yes
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.restricted import forgetting, intake, keys
from data.restricted.vault import Vault, load_keys, open_vault
from data.workspace import Workspace, partner_names
from data.workspace.folding import is_same_partner

_NUMBER = "Programme number that partners share"
_FINAL = (
    "This cannot be undone: records of this child are rejected from now on. Only an older backup, restored "
    "to another folder, is without this entry."
)
_UNKNOWN_CHILD = (
    "No record has this identifier. Check it for typing errors, or give the programme number as well. "
    "Nothing was changed yet."
)
_UNKNOWN_NUMBER = "No record has this programme number. Check it for typing errors. Nothing was changed yet."
_LISTS = "Lists of rejected rows were removed too. To make one again, import its file again."
_PUBLISHED = "Published numbers of final years stay as they are. Provisional ones stay until their year is final."


def forget(
    context: typer.Context,
    partner: Annotated[str | None, typer.Option(help="The partner whose child identifier you will type.")] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A file to read instead of asking, or - for standard input: with --partner the identifier, "
            "and the programme number on a second line if the child has one; else the programme number.",
        ),
    ] = None,
    even_if_unknown: Annotated[
        bool, typer.Option("--even-if-unknown", help="Do not ask, even if no record has this identifier.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete all records of one child now, and reject later rows about this child.

    You are asked for the identifier; it is never shown, and it is no option, because other programs can read
    options. If a child has an identifier and a programme number, give both. If no record has what you typed,
    you are asked whether it is right.
    """
    workspace = open_workspace(context)
    names = _read_names(partner, source)
    secrets = load_keys(workspace)
    with open_vault(workspace, secrets) as vault:
        children = forgetting.hash_child(secrets, names, vault)
        doubts = [] if even_if_unknown else _find_doubts(vault, secrets, names, children, partner)
        if doubts:
            _require_yes(doubts, partner)
        deleted, had_lists = forgetting.forget_child(workspace, vault, secrets, children)
    emit(
        {"forgotten": deleted, "known": deleted > 0},
        as_json,
        f"Records of this child that were deleted: {deleted}. {_PUBLISHED}"
        if deleted
        else "There was no record of this child. Later records will be rejected.",
        *([_LISTS] if had_lists else []),
        *_list_copies(workspace),
    )


def _find_doubts(
    vault: Vault, secrets: keys.Keys, names: Sequence[str], children: Sequence[str], partner: str | None
) -> list[str]:
    """Return sentences on identifiers that no record has; empty if all are known."""
    unknown = forgetting.find_unknown(vault, secrets, names, children)
    if unknown == "child":
        known, main = vault.partners(), vault.partners("encounter")
        return [_UNKNOWN_CHILD, *([partner_names.list_similar(partner, known, main)] if partner else [])]
    return [_UNKNOWN_NUMBER] if unknown else []


def _require_yes(doubts: list[str], partner: str | None) -> None:
    """Ask for a yes; raise InputError if nobody can answer, or for another answer."""
    if not can_ask():
        option = f"--partner {shlex.quote(partner)} " if partner else ""
        raise InputError("\n".join([*doubts, f"{_FINAL} If it is right: tact forget {option}--even-if-unknown"]))
    for line in (*doubts, _FINAL):
        say(line)
    require_yes("Type yes to continue")


def _read_names(partner: str | None, source: Path | None) -> list[str]:
    """Read the child's identifiers from a terminal or a file, and return the texts that are hashed.

    Raises InputError if there are none, if there are too many lines, or if the file is not a UTF-8 text.
    """
    questions = [f"Identifier of the child at {partner}", f"{_NUMBER}, if it has one"] if partner else [_NUMBER]
    if source is None and sys.stdin.isatty():
        answers = [ask_hidden(question) for question in questions]
    else:
        most = len(questions)
        text = sys.stdin.read() if source in (None, Path("-")) else _read_text(source)
        answers = text.rstrip().splitlines()
        if len(answers) > most:
            raise InputError(f"Give at most {most} line(s), about one child. Nothing was changed.")
    number = answers[-1] if len(answers) == len(questions) else ""
    names = intake.child_names(partner or "", answers[0] if partner and answers else "", number)
    if not names:
        raise InputError("No identifier was given. Nothing was changed.")
    return names


def _read_text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{source} is not a UTF-8 text. Nothing was changed.") from None


def withdraw(
    context: typer.Context,
    partner: Annotated[str, typer.Option(help="The partner whose records are deleted.")],
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking, for scripts.")] = False,
    as_json: Json = False,
) -> None:
    """Delete all records that a partner sent. Later files of this partner are accepted again.

    You see how many records will be deleted and type the partner's name again.
    """
    workspace = open_workspace(context)
    with open_vault(workspace) as vault, vault.writing():
        name = forgetting.find_partner(vault, partner)
        if not yes:
            warning = f"{vault.count_brought(name)} records of {name} would be deleted for good."
            require_person(warning, "To delete without asking", as_json=as_json)
            say(warning)
            if not is_same_partner(ask("Type the partner's name again to delete them"), name):
                raise InputError(f"That is not {name}. Nothing was deleted.")
        deleted, had_lists = forgetting.withdraw_partner(workspace, vault, name)
    emit(
        {"withdrawn": deleted},
        as_json,
        f"{deleted} records of {name} were deleted. {_PUBLISHED}",
        *([_LISTS] if had_lists else []),
        *_list_copies(workspace),
    )


def _list_copies(workspace: Workspace) -> list[str]:
    """Return sentences on where copies of the deleted records still are."""
    replaced = forgetting.list_replaced_vaults(workspace)
    return [
        "Older backups still contain these records. Destroy the backups that you no longer need.",
        *(f"{path}, kept from before a restore, still contains them. Remove it: rm -r '{path}'" for path in replaced),
    ]
