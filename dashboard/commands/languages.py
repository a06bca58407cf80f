"""The option --language of the commands that write words: its help and its check name the languages of the product."""

from __future__ import annotations

from typing import Any

import typer

from dashboard.site.text import LANGUAGE_NAMES
from data.errors import InputError


def make_language_option(what: str, more: str = "") -> Any:  # noqa: ANN401 (what typer calls an option)
    """Return the option --language, whose help says what is written in the language, and which languages there are."""
    *others, last = LANGUAGE_NAMES
    return typer.Option(help=f"Language of {what}: {', '.join(others)} or {last}.{more}")


def check_language(language: str, what: str) -> None:
    """Raise InputError if the product does not have this language; `what` would be written in it."""
    if language not in LANGUAGE_NAMES:
        raise InputError(f"No {what} in {language!r}. There are: {', '.join(LANGUAGE_NAMES)}.")
