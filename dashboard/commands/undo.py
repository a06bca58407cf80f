"""`tact undo`: take back one import."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dashboard.commands.asking import require_person, require_yes
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from data.message import list_messages
from data.restricted.imports import undo_import
from data.restricted.vault import Undone, open_vault

_PUBLISHED = "Published numbers of final years stay as they are. Provisional ones stay until their year is final."


def undo(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The number of the import: tact imports")],
    yes: Annotated[bool, typer.Option("--yes", help="Undo without asking, for scripts.")] = False,
    as_json: Json = False,
) -> None:
    """Take back one import. What was published stays.

    Its new records go away, and what it corrected is as before. Records that were corrected or sent again since stay.
    The lists of rejected rows of that partner go too.
    """
    workspace = open_workspace(context)
    with open_vault(workspace) as vault, vault.writing():
        target = next((entry for entry in vault.list_imports() if entry["number"] == number), None)
        if target is not None and not yes:
            _require_yes(target, vault.undo(number, rehearse=True), as_json=as_json)
        undone = undo_import(workspace, vault, number)
    emit(
        {"undone": number, "removed": undone.removed, "restored": undone.restored, "kept": undone.remaining},
        as_json,
        f"Import {number} was undone. That {_word_effect(undone, 'removed', 'left', 'kept')}. {_PUBLISHED}",
    )


def _word_effect(effect: Undone, removes: str, leaves: str, keeps: str) -> str:
    """Return in words what an undo does to records, with the verbs `removes`, `leaves` and `keeps`.

    A verb that is about no record is left out, except if all three are.
    """
    parts = [
        f"{removes} {_count_records(effect.removed)}" if effect.removed else "",
        f"{leaves} {_count_records(effect.restored)} as other imports say" if effect.restored else "",
        f"{keeps} {_count_records(effect.remaining)} corrected or sent again since" if effect.remaining else "",
    ]
    return list_messages(filter(None, parts)) if any(parts) else f"{removes} no records"


def _count_records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _require_yes(entry: dict[str, Any], effect: Undone, *, as_json: bool) -> None:
    """Print what an undo takes away and ask for a yes; raise InputError if nobody can answer, or for another answer."""
    partner = f", {entry['partner']}" if entry["partner"] else ""
    what = f"Import {entry['number']} of {entry['at'][:19]} (UTC), {entry['kind']}{partner}: "
    what += f"{entry['accepted']:,} new, {entry['changed']:,} corrected. "
    what += f"Undoing it {_word_effect(effect, 'removes', 'leaves', 'keeps')}. {_PUBLISHED}"
    require_person(what, "To undo it without asking", as_json=as_json)
    say(what)
    require_yes("Type yes to undo it")
