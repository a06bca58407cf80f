"""Text from data, made fit to print: characters that the fonts have, and no more than there is room for.

What stands in titles, reasons and names is data. It reaches the page as a string of JSON and never as
markup; here it only loses what cannot be printed, because PDF/UA allows no letter without a shape.
"""

from __future__ import annotations

import re
import unicodedata

# The letters of European languages and the signs of plain text.
_LATIN = "\u0020-\u007e\u00a1-\u00ac\u00ae-\u017f\u0218-\u021b"
_GREEK, _CYRILLIC = "\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce", "\u0400-\u045f"
_SIGNS = (
    "\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2032\u2033\u2039\u203a"
    "\u20ac\u2122\u2190-\u2193\u2212\u2264\u2265"
)
UNPRINTABLE = re.compile(f"[^{_LATIN}{_GREEK}{_CYRILLIC}{_SIGNS}]")
_SPACE = re.compile(r"\s+")
_INSTEAD = "?"
# A word that is longer than any of a language may be broken anywhere.
_LONG_WORD, _PIECE, _BREAK = re.compile(r"\S{25,}"), re.compile(r".{1,8}"), "\u200b"


def legible(text: object, longest: int = 60) -> str:
    """Give a text on one line, with a question mark for what cannot be printed, cut where it is too long."""
    plain = unicodedata.normalize("NFC", "" if text is None else str(text)[: 20 * longest])
    plain = _SPACE.sub(" ", plain)
    kept = "".join(c for c in plain if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Mn"))
    printed = UNPRINTABLE.sub(_INSTEAD, kept.strip())
    cut = printed if len(printed) <= longest else printed[: longest - 1].rstrip() + "…"
    return _LONG_WORD.sub(lambda word: _BREAK.join(_PIECE.findall(word[0])), cut)
