"""Translations: gettext catalogues, read from the text files that translators edit.

A catalogue is `locale/<language>/LC_MESSAGES/tact.po`. It is compiled in memory at first use. So no compiled file can
be out of date, and no tool must be installed. The format is that of GNU gettext (PO and MO files), without fuzzy
entries.
"""

from __future__ import annotations

import ast
import gettext
import io
import struct
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "locale"
_KEYWORDS = ("msgctxt", "msgid_plural", "msgid", "msgstr")
_CONTEXT, _PLURAL = "\x04", "\x00"
_MAGIC, _HEADER_WORDS, _PAIR = 0x950412DE, 7, 8


@lru_cache(maxsize=8)
def load_catalogue(language: str) -> gettext.NullTranslations:
    """Return the translations into a language; none for English, because messages are written in English.

    Raises FileNotFoundError for a language without a catalogue.
    """
    if language == "en":
        return gettext.NullTranslations()
    text = (FOLDER / language / "LC_MESSAGES" / "tact.po").read_text(encoding="utf-8")
    return gettext.GNUTranslations(io.BytesIO(compile_catalogue(parse_entries(text))))


def parse_entries(text: str) -> dict[str, tuple[str, ...]]:
    """Return the entries of the text of a PO file: the translations (one for each plural form) by message.

    The keys are those of MO files, with context and plural.
    """
    translations: dict[str, tuple[str, ...]] = {}
    for block in text.split("\n\n"):
        fields = _fields(block)
        if "msgid" in fields:
            context = fields["msgctxt"] + _CONTEXT if "msgctxt" in fields else ""
            plural = _PLURAL + fields["msgid_plural"] if "msgid_plural" in fields else ""
            texts = tuple(value for name, value in fields.items() if name.startswith("msgstr"))
            translations[context + fields["msgid"] + plural] = texts
    return translations


def _fields(block: str) -> dict[str, str]:
    """Return the texts of one entry by keyword, such as `msgid`; a text on several lines is joined."""
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        text = line
        if line.startswith(_KEYWORDS):
            name, _, text = line.partition(" ")
            fields[name] = ""
        if name and text.startswith('"'):
            # A quoted line of a PO file has the form of a string literal of Python.
            fields[name] += ast.literal_eval(text)
    return fields


def compile_catalogue(translations: dict[str, tuple[str, ...]]) -> bytes:
    """Return entries as the content of an MO file. Entries without a translation are left out."""
    pairs = sorted(
        (key.encode(), _PLURAL.join(value).encode()) for key, value in translations.items() if all(value) and value
    )
    start = _HEADER_WORDS * 4
    place = start + 2 * _PAIR * len(pairs)
    tables, texts = [b"", b""], b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += struct.pack("<II", len(pair[side]), place + len(texts))
            texts += pair[side] + b"\0"
    after = start + _PAIR * len(pairs)
    head = struct.pack("<7I", _MAGIC, 0, len(pairs), start, after, 0, 0)
    return head + tables[0] + tables[1] + texts
