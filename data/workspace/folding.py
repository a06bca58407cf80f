"""Texts made comparable: headings, categories, identifiers that differ in case, blanks or accents only."""

from __future__ import annotations

import re
import unicodedata


def fold(text: str) -> str:
    """Make texts equal that differ in case, blanks or composition only."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def key_of(text: str) -> str:
    """Reduce a heading or a category to letters and digits joined by _."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return "_".join(re.findall(r"[^\W_]+", bare))


def normal_identifier(text: str) -> str:
    """Normalise an identifier before it is hashed: NFKC, no blanks around, no case."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())
