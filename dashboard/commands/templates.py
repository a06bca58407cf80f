"""`tact templates`: empty Excel forms for partners, and forms for Kobo and ODK that encrypt what is sent."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.asking import ask_hidden
from dashboard.commands.languages import check_language, make_language_option
from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import open_workspace
from dashboard.site.text import LANGUAGE_NAMES, translate_into
from data.restricted.forms.key import ESCROW, format_public, read_or_create_key, seal_escrow
from data.restricted.governance import second_person
from data.restricted.intake.kobo_form import write_kobo_forms
from data.restricted.intake.templates import FormLanguage, write_templates
from data.restricted.vault import open_vault
from data.workspace import Workspace
from data.workspace.files import write_bytes

_READABLE = (
    "These forms do not encrypt: whoever can read the server can read each child's answers. Do not use them for real "
    "records."
)
_KEY = "What phones send is encrypted. Only this workspace opens it: tact pull. The key is in the vault and its backups"
_ALONE = f"{_KEY}, and nowhere else: tact backup FILE. Without both there is no way to the submissions."


def templates(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="Folder for the forms.")],
    language: Annotated[str, make_language_option("the forms", " A Kobo form has all of them.")] = "en",
    kobo: Annotated[
        bool, typer.Option("--kobo", help="Write forms for KoboToolbox and ODK (XLSForm), no Excel forms.")
    ] = False,
    encrypt: Annotated[
        bool,
        typer.Option(
            help="Kobo and ODK forms encrypt on the phone for this workspace; else the server reads everything."
        ),
    ] = True,
    submission_url: Annotated[
        str, typer.Option(help="Where phones send to. KoboToolbox needs it with encryption; ODK Central does not.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Write an empty Excel form for each kind of record, or a form for Kobo and ODK."""
    check_language(language, "forms")
    codes = sorted(LANGUAGE_NAMES, key=lambda code: code != language)
    languages = [FormLanguage(code, LANGUAGE_NAMES[code], partial(translate_into, code)) for code in codes]
    notes = []
    if not kobo:
        paths = write_templates(to, language=languages[0])
    elif encrypt:
        public, escrow, note = _prepare_key(open_workspace(context), to)
        paths = write_kobo_forms(to, languages, public_key=public, submission_url=submission_url)
        if escrow:
            write_bytes(to / ESCROW, escrow, mode=0o600)
            paths.append(to / ESCROW)
        notes = [note]
    else:
        paths, notes = write_kobo_forms(to, languages), [_READABLE]
    written = [str(path) for path in paths]
    emit({"files": written, "encrypted": kobo and encrypt}, as_json, *written, *notes)


def _prepare_key(workspace: Workspace, folder: Path) -> tuple[str, bytes, str]:
    """Return the public key of the forms, its escrow (empty without a second person), and where the private key is.

    The second person types their passphrase. Raises InputError if it is wrong.
    """
    with open_vault(workspace) as vault:
        person = second_person.read(vault)
        if person is None:
            return format_public(read_or_create_key(vault)), b"", _ALONE
        passphrase = ask_hidden(f"{person.name} puts the key of the forms under their passphrase")
        second_person.check_passphrase_of(person, passphrase)
        key = read_or_create_key(vault)
    where = f"{_KEY}, and in {folder / ESCROW}, which opens with the passphrase of {person.name}: tact restore FILE."
    return format_public(key), seal_escrow(key, passphrase), where
