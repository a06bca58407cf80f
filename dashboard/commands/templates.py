"""`tact templates`: empty Excel forms for partners, and forms for Kobo and ODK."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.languages import check_language, make_language_option
from dashboard.commands.output import Json, emit
from dashboard.site.text import LANGUAGE_NAMES, translate_into
from data.restricted.intake.kobo_form import write_kobo_forms
from data.restricted.intake.templates import FormLanguage, write_templates


def templates(
    to: Annotated[Path, typer.Option("--to", help="Folder for the forms.")],
    language: Annotated[str, make_language_option("the forms", " A Kobo form has all of them.")] = "en",
    kobo: Annotated[
        bool, typer.Option("--kobo", help="Write forms for KoboToolbox and ODK (XLSForm), no Excel forms.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write an empty Excel form for each kind of record, or a form for Kobo and ODK."""
    check_language(language, "forms")
    codes = sorted(LANGUAGE_NAMES, key=lambda code: code != language)
    languages = [FormLanguage(code, LANGUAGE_NAMES[code], partial(translate_into, code)) for code in codes]
    paths = write_kobo_forms(to, languages) if kobo else write_templates(to, language=languages[0])
    written = [str(path) for path in paths]
    emit({"files": written}, as_json, *written)
