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


def strip_footnotes(text: str) -> str:
    """Return a text without the footnote marks at its end, such as 11* or Mosha²; a text of marks alone stays."""
    return _FOOTNOTES.sub("", text) if text[-1:] in _LAST_OF_FOOTNOTE else text


_LAST_OF_FOOTNOTE = frozenset("*†‡¹²³⁴⁵⁶⁷⁸⁹⁰⁾")
_FOOTNOTES = re.compile(r"(?<=[^\W_]|[.)\]])\s*[*†‡¹²³⁴⁵⁶⁷⁸⁹⁰⁽⁾]+$")


def make_sort_key(text: str) -> list[str | int]:
    """Return a key by which names are sorted as people do: in any case, and Operator 2 before Operator 10."""
    # Texts and numbers alternate, so that the parts of two keys can always be compared.
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"(\d+)", fold(text)))]


def strip_accents(text: str) -> str:
    """Return a text without its accents; the text must be in a decomposed Unicode form, such as NFKD."""
    return text if text.isascii() else "".join(c for c in text if not unicodedata.combining(c))


def is_same_partner(name: str, other: str) -> bool:
    """Return whether two spellings name the same partner."""
    return normalize_partner(name) == normalize_partner(other)


def make_speller(known: Collection[str]) -> Callable[[str], str]:
    """Return a function that returns a partner's name as it is known, or else as it was in the first call with it."""
    spellings = {normalize_partner(name): name for name in sorted(known)}

    def spell(name: str) -> str:
        return name if name in known else spellings.setdefault(normalize_partner(name), name)

    return spell


_NO_QUOTES = dict.fromkeys(map(ord, "“”„«»\"'’"))


def normalize_partner(text: str) -> str:
    """Return the form by which partners are compared: no quotation marks, and Latin for Greek letters that look so."""
    return " ".join(_split_code(text.translate(_NO_QUOTES)))


def normalize_code(text: str) -> str:
    """Return the form of a child's code that is hashed: K12, K 12, K–12 and Κ-12 (a Greek letter) are k-12.

    A dash stands between a letter and a digit, and where the code has dashes or blanks: 1-23 is not 12-3.
    """
    if _NORMAL_CODE.fullmatch(plain := text.lower()):
        return plain  # as most codes of a large file are
    return "-".join(part for piece in _split_code(text) for part in _LETTER_OR_DIGIT.split(piece))


def spell_code(code: str) -> list[str]:
    """Return other spellings of a normalised code, which earlier versions hashed unchanged."""
    alphabets = [code, code.translate(_GREEK)] if set(filter(str.isalpha, code)) <= set(map(chr, _GREEK)) else [code]
    joined = [_PLAIN_DASH.sub("", letters) for letters in alphabets]  # K12, but never 123 for 12-3
    return [*joined, *(letters.replace("-", sign) for sign in ("-", *_SIGNS) for letters in alphabets)]


def spell_zeros(code: str) -> list[str]:
    """Return a normalised code with other zeros in front of one of its numbers: k-7 and k-007 for k-07."""
    runs = [(m.start(), m.end(), m[0].lstrip("0") or "0") for m in re.finditer(r"\d+", code)]
    return [
        code[:start] + number.zfill(width) + code[end:]
        for start, end, number in runs
        for width in range(len(number), _MOST_DIGITS + 1)
        if width != end - start
    ]


def strip_zeros(code: str) -> str:
    """Return a normalised code without the zeros in front of its numbers."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", code)


def read_digits(code: str) -> str:
    """Return a normalised code with the letters o, i and l beside a digit as the digits that they look like."""
    return normalize_code(_DIGIT_LIKE.sub(lambda match: (match[1] or match[2]).translate(_LIKE_DIGITS), code))


_MOST_DIGITS = 6  # of a number with zeros in front
_DIGIT_LIKE = re.compile(r"(?<=\d)-([oil]+)(?:-(?=\d)|(?![^\W\d_]))|([oil]+)-(?=\d)")
_LIKE_DIGITS = str.maketrans("oil", "011")
_NORMAL_CODE = re.compile(r"(?:[a-z]+|[0-9]+)(?:-(?:[a-z]+|[0-9]+))*")
_LETTER_OR_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_PLAIN_DASH = re.compile(r"(?<=[^\W\d_])-(?=\d)|(?<=\d)-(?=[^\W\d_])")
_SIGNS = (" ", "\u2013", "\u2014", "\u2212", " - ")
_DASHES = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
# In small letters; their capitals look alike.
_LATIN = str.maketrans("αβεζηικμνορτυχ", "abezhikmnoptyx")
_GREEK = {ord(latin): chr(greek) for greek, latin in ((g, chr(c)) for g, c in _LATIN.items())}


def _split_code(text: str) -> list[str]:
    """Return the pieces of a code or name between dashes and blanks, with look-alike letters in Latin."""
    plain = normalize_identifier(text)
    return list(filter(None, _DASHES.split(plain if plain.isascii() else plain.translate(_LATIN))))


def normalize_identifier(text: str) -> str:
    """Return a text as NFKC, in lower case and without extra blanks."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())
