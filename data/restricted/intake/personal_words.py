"""Words in columns of categories and places that look like a name or number of a person.

Such a word is never shown, is in no question and is stored in no mapping. A name is a common given name, or two
neighbouring words with capital letters, or one and an initial, that are not in the tables of partners' words. For a
place only the given name counts, because names of places look like names of persons. Other names in small letters
cannot be recognised.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from data.message import Message
from data.personal.content import find_personal_number
from data.personal.given_names import is_given_name
from data.reference import area_table, name_table, town_table
from data.schema.column import Column
from data.schema.kinds import KINDS
from data.schema.words import read_words
from data.workspace.folding import make_key

SEEMS_PERSONAL = Message("it seems to hold a name or a number of a person; correct it in the file")
_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-zα-ωçë])(?=[A-ZΑ-ΩÇË])")
_BESIDE = re.compile(r"[ ,'’.-]{1,3}")  # between two words of a name
# Both begin where a word begins: tried at each letter of a word, the time would grow with the square of its length.
_INITIAL = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]\.\s?([^\W\d_]{3,})|([^\W\d_]{3,})\s[^\W\d_]\.(?![^\W\d_]))")
_LEAST = 3  # letters of a name
_LEAST_CAPITAL = 4  # letters of a name in capitals, where fewer are rather a short form
_SAINTS = frozenset(
    map(make_key, ("agia", "aghia", "agios", "agioi", "ag", "αγία", "άγιος", "άγιοι", "αγ", "shën", "sh"))
)


def is_personal(text: str, *, of_place: bool = False) -> bool:
    """Return whether the text of a cell looks like a person's name, or like a number or address of a person.

    `of_place`: the column has places, so a known place is not personal, and only a given name counts as a name.
    """
    if find_personal_number(text):
        return True
    if of_place and is_place(text):
        return False
    spaced = _HUMP.sub(" ", text)
    tokens = [match[0] for match in _WORD.finditer(spaced)]
    ours = [make_key(token) in _list_known() for token in tokens]
    before = ["", *map(make_key, tokens)]
    if any(
        is_given_name(token) and not is_ours and saint not in _SAINTS
        for token, is_ours, saint in zip(tokens, ours, before, strict=False)
    ):
        return True
    return not of_place and (_has_full_name(text) or _has_initial(text))


def is_place(text: str) -> bool:
    """Return whether a text is the name of an area, town or village, or two of them, as in Durrës (Vlorë)."""
    parts = [part for part in re.split(r"[()]", text) if part.strip()]
    return make_key(text) in _list_places() or (bool(parts) and all(make_key(part) in _list_places() for part in parts))


def is_personal_in(column: Column, text: str) -> bool:
    """Return whether the text of a cell in a column of categories or places looks personal."""
    return is_personal(text, of_place=column.type == "area")


def _has_full_name(text: str) -> bool:
    """Return whether two neighbouring words look like names: with capitals, and not in the tables of words."""
    matches = list(_WORD.finditer(text))
    for first, second in pairwise(matches):
        beside = _BESIDE.fullmatch(text[first.end() : second.start()])
        if beside and _is_name_like(first[0]) and _is_name_like(second[0]):
            return True
    return False


def _has_initial(text: str) -> bool:
    return any(_is_name_like(match[1] or match[2]) for match in _INITIAL.finditer(text))


def _is_name_like(word: str) -> bool:
    has_capitals = word.istitle() if not word.isupper() else len(word) >= _LEAST_CAPITAL
    return has_capitals and len(word) >= _LEAST and make_key(word) not in _list_known()


@lru_cache(maxsize=1)
def _list_places() -> frozenset[str]:
    areas = area_table()
    return frozenset(
        map(make_key, (*areas["name_en"], *areas["name_local"], *name_table()["name"], *town_table()["name"]))
    )


@lru_cache(maxsize=1)
def _list_known() -> frozenset[str]:
    """Return the keys of all single words in the tables of partners' words, and in our codes and their labels."""
    texts = [text for words in read_words().values() for text in words]
    for kind in KINDS.values():
        for column in kind.file_columns:
            texts += [column.label, *column.allowed, *column.allowed.values()]
    return frozenset(make_key(word) for text in texts for word in _WORD.findall(_HUMP.sub(" ", text.replace("_", " "))))
