"""Normal forms of headings, categories and identifiers that differ only in case, blanks or accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection


def fold(text: str) -> str:
    """Return a text in which case, blanks and Unicode composition are normalised."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def make_key(text: str) -> str:
    """Return the words of a heading or category, letters and digits in lower case without accents, joined by _."""
    return "_".join(re.findall(r"[^\W_]+", strip_accents(unicodedata.normalize("NFKD", text).casefold())))


def make_sort_key(text: str) -> list[str | int]:
    """Return a key by which names are sorted as people do: in any case, and Operator 2 before Operator 10."""
    # Texts and numbers alternate, so that the parts of two keys can always be compared.
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"(\d+)", fold(text)))]


def strip_accents(text: str) -> str:
    """Return a text without its accents; the text must be in a decomposed Unicode form, such as NFKD."""
    return text if text.isascii() else "".join(c for c in text if not unicodedata.combining(c))


def is_same_partner(name: str, other: str) -> bool:
    """Return whether two spellings name the same partner."""
    return normalize_identifier(name) == normalize_identifier(other)


def make_speller(known: Collection[str]) -> Callable[[str], str]:
    """Return a function that returns a partner's name as it is known, or else as it was in the first call with it."""
    spellings = {normalize_identifier(name): name for name in sorted(known)}

    def spell(name: str) -> str:
        return name if name in known else spellings.setdefault(normalize_identifier(name), name)

    return spell


def normalize_identifier(text: str) -> str:
    """Return the form of an identifier that is hashed: NFKC, lower case, without extra blanks."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())
