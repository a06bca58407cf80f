"""Spellings of a place name: one key for Latin, Albanian and Greek spelling, and the cases of Greek and Albanian.

A key is only for comparison and is never shown. Two spellings of one name have the same key if they differ only in
accents, case, punctuation, romanisation (ELOT 743, ISO 843, BGN, everyday English) or the way a sound is written.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable

from data.workspace.folding import strip_accents

# fmt: off
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i",
    "θ": "th", "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x",
    "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y",
    "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
}
# fmt: on
_OTHER_LETTERS = {"ß": "ss", "ı": "i", "ø": "o", "ł": "l", "đ": "d", "µ": "m"}
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")
_NOT_WORD = re.compile(r"[^\w]+|_+")
_LINKING_WORDS = frozenset({"kai", "ke", "and", "dhe"})

# Order matters: digraphs come before the single letters in them.
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ph", "f"),
        (r"(?<=[ae])[uf](?=[kptsxfc])", "v"),
        (r"(?<=[ae])u", "v"),
        (r"o[uy]", "u"),
        (r"a[ie]", "e"),
        (r"[eou]i|y|j", "i"),
        (r"[kc]h", "h"),
        (r"x", "ks"),
        (r"th", "t"),
        (r"dh", "d"),
        (r"m[pb]|b", "v"),
        (r"n[td]", "d"),
        (r"gh|gk|ng|gg", "g"),
        (r"g(?=[ie])", "i"),
        (r"[tcd]z", "ts"),
        (r"[cq]", "k"),
        (r"w", "o"),
        (r"(.)\1+", r"\1"),
    )
)
_SAINTS = frozenset({"ag", "ai", "aia", "aias", "aio", "aion", "aios", "aiu", "agion", "st"})

_GREEK_ENDINGS = (
    # Learned genitives beside the everyday ones: Πετρουπόλεως, Στυλίδος, Σαλαμίνος.
    ("πολης", ("πολη", "πολεως")),
    ("ιδας", ("ιδα", "ιδος")),
    ("νας", ("να", "νος")),
    ("εως", ("η",)),
    ("ιου", ("ιος", "ιο", "ι")),
    ("ου", ("ος", "ο", "ης", "ας")),
    ("αιων", ("α", "αι", "αιοι")),
    ("εων", ("α", "ας", "εα", "ο")),
    ("ιων", ("ια", "ιοι", "ος", "α")),
    ("ων", ("α", "ες", "οι", "ο")),
    ("ως", ("ω", "ας")),
    ("ης", ("η",)),
    ("ας", ("α",)),
    ("ος", ("α", "ας", "")),
    ("ους", ("ος",)),
    ("α", ("ας",)),
    ("η", ("ης",)),
    ("ω", ("ως",)),
)
_MOST_FORMS = 600


def split_words(text: str) -> list[str]:
    """Return the lower-case words of a text without accents or punctuation, in the same script."""
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).casefold())
    bare = strip_accents(decomposed).replace("ς", "σ")
    return _NOT_WORD.sub(" ", bare.replace("&", " and ")).split()


def plain_key(text: str) -> str:
    """Return the text in lower case without accents, punctuation and doubled spaces."""
    return " ".join(split_words(text))


def sound_word(word: str) -> str:
    """Return a text for the sound of one lower-case word without accents."""
    latin = "".join(_GREEK.get(c, _OTHER_LETTERS.get(c, c)) for c in word)
    if latin in _LINKING_WORDS:
        return latin
    for pattern, sound in _SOUNDS:
        latin = pattern.sub(sound, latin)
    return "ag" if latin in _SAINTS else latin


def sound_key(text: str, sound: Callable[[str], str] = sound_word) -> str:
    """Return a text for the sound of a name: the same for Greek letters and for any common romanisation.

    Words for “and” are left out. `sound` may be a cached version of `sound_word`.
    """
    sounds = map(sound, split_words(text))
    return "".join(part for part in sounds if part not in _LINKING_WORDS)


def list_inflections(name: str, country: str) -> list[str]:
    """Return a name and its other grammatical cases, at most 600 forms, in lower case without accents.

    Greek names are in the genitive and get their possible nominatives; Albanian names are in the indefinite nominative
    and get the definite forms and the genitive. Some forms do not exist in the language: they are only for searching,
    never for display.
    """
    parts = split_words(name)
    options = [_greek(word) if country == "GR" else [word] for word in parts]
    if country == "AL" and parts:
        options[-1] = _albanian(parts[-1])
    forms = itertools.islice(itertools.product(*options), _MOST_FORMS)
    return [" ".join(form) for form in forms]


def _greek(word: str) -> list[str]:
    # `split_words` writes a final sigma like any other, so endings are compared the same way.
    for ending, nominatives in _GREEK_ENDINGS:
        bare = ending.replace("ς", "σ")
        if word.endswith(bare) and len(word) > len(bare):
            stem = word[: -len(bare)]
            return [word, *(stem + other.replace("ς", "σ") for other in nominatives)]
    return [word]


def _albanian(word: str) -> list[str]:
    if word.endswith("e"):
        stem = word[:-1]
        return [word, stem + "a", stem + "es", stem + "en"]
    forms = [word, word + "i", word + "it", word + "u", word + "ut"]
    if re.search(r"e[rzsl]$", word):
        # The unstressed vowel falls out: Shkodër, Shkodra, Shkodrës.
        stem = word[:-2] + word[-1]
        forms += [stem + "a", stem + "es", stem + "en"]
    return forms
