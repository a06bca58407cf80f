"""Words: every text of the interface passes through here, so that it can be translated.

Messages are their own identifiers, in English. Text from data is never a message and never HTML: `html`
escapes its values, and pages build markup in no other way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from markupsafe import Markup, escape

from dashboard.site.catalogues import load_catalogue
from geo.layers.core.words import format_number as format_number
from geo.layers.core.words import format_quantity as format_quantity

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#$:<>~|!&]")
# The languages, and their own names for themselves.
LANGUAGE_NAMES = {"en": "English", "sq": "Shqip", "el": "Ελληνικά"}
_spoken: ContextVar[str] = ContextVar("language", default="")
_finders: list[Callable[[], str]] = []


def find_language() -> str:
    """Return the language of texts: the one that is spoken here, else that of the reader's session, else English."""
    return _spoken.get() or next((find() for find in _finders), "en")


def follow_language(find: Callable[[], str]) -> None:
    """Let texts be in the language that a function finds, such as that of the session whose page is drawn."""
    _finders[:] = [find]


@contextmanager
def speak(language: str) -> Iterator[None]:
    """Let all texts inside be in a language."""
    token = _spoken.set(language if language in LANGUAGE_NAMES else "en")
    try:
        yield
    finally:
        _spoken.reset(token)


def _(message: str, **values: object) -> str:
    """Translate a message and fill in its values."""
    # An empty message is the catalogue's own header.
    text = load_catalogue(find_language()).gettext(message) if message else ""
    return text.format(**values) if values else text


def translate(text: str) -> str:
    """Translate the words of a layer: a message, or a template with its values."""
    template = getattr(text, "template", None)
    if template is None:
        return _(text) if text else ""
    values: dict[str, Any] = getattr(text, "values", {})
    filled = {name: translate(v) if isinstance(v, str) else v for name, v in values.items()}
    return _(template, **filled)


def html(template: str, *parts: object, **named: object) -> Markup:
    """Fill a template of the product's own markup with values. Each value is escaped unless it is markup."""
    return Markup(template).format(*parts, **named)  # noqa: S704 (the template is never data)


def join_markup(parts: Iterable[object]) -> Markup:
    """Join pieces of markup. Pieces that are not markup are escaped."""
    return Markup("").join(escape(part) for part in parts)


def escape_markdown(text: str) -> str:
    """Escape a text for Streamlit's Markdown, which also knows formulas and icons."""
    return _MARKDOWN.sub(r"\\\g<0>", text)
