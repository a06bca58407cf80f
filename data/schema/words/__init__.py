"""Headings and words that partners use for our columns and codes: one table for each language beside this module.

A row of a table has a column, one of its codes, and the words that mean the code; without a code, the words are
headings of the column. Words are separated by |. A question mark before a heading or word means that it may stand for
something else, so that the data officer is asked. `communities.csv` says where names of communities come from; they are
read for access and equity alone, never for risk. `en.csv` also has the words of earlier versions of our forms, and
`systems.csv` those of Kobo, Primero (CPIMS+), ActivityInfo and HTCDS. Greek words are also read in Latin letters.

Names with a point, and `total`, `several`, `month`, `weekday` and `row`, are no columns. They have the headings of the
parts of a day in separate columns (`date.day`), the words next to an age (`age_band.word`), the words for its number
(`age_band.number`), the units in headings of days and hours (`days.unit`), the words in place of a code that is not
there (`child_id.none`), countries other than Albania and Greece (`abroad.country`), words in the group of a heading
(`heading.group`) and in headings that count children (`heading.count`), the words that begin a row of totals, the signs
between two values in a cell, the months, the weekdays, and the words that mark a row as cancelled, deny it, or say that
it is a test.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from data.workspace.folding import make_key

_T = TypeVar("_T")
_FOLDER = Path(__file__).parent
LANGUAGES = ("en", "sq", "el", "systems")
UNSURE = "?"
_SAME_CODES = {"handed_from": "duty_bearer", "handed_to": "duty_bearer"}

# Greek in Latin letters is written by sound or by the look of letters (hlikia, ilikia). Both become one sound.
_OF_LETTER = str.maketrans(dict(zip("αβγδεζηθικλμνξοπρστυφχω", "avgdezi8iklmnxoprstifxo", strict=True)) | {"ψ": "ps"})
_GREEK_PAIRS = {"ου": "q", "αυ": "a0", "ευ": "e0", "ει": "i", "οι": "i", "αι": "e"}
_LATIN_PAIRS = (
    *(("ou", "q"), ("oy", "q"), ("th", "8"), ("ch", "x"), ("kh", "x"), ("ks", "x"), ("ph", "f")),
    *(("ei", "i"), ("oi", "i"), ("ai", "e")),
    *(("h", "i"), ("y", "i"), ("u", "i"), ("w", "o"), ("3", "x"), ("b", "v")),
)
_OPEN = re.compile(r"([ae])[uy](?=[aeiouqwy])")  # ευ and αυ before a vowel are ev and av: zhtianeye, ζητιάνευε
_OPEN_GREEK = re.compile(r"([αε])υ(?=[αεηιουω])")
_CLOSED = re.compile(r"([ae])[vfuy](?=[^aeiouqwy]|$)")
_SOUND = "~"  # before a sound, which is no key
_LEAST_LETTERS = 4  # A shorter text is a different word in each alphabet.


@lru_cache(maxsize=1)
def read_words() -> Mapping[str, Mapping[str, str]]:
    """Return, for each column, the words of all languages, each with the code that it means; "" marks a heading."""
    words: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        with (_FOLDER / f"{language}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                of_column = words.setdefault(row["column"], {})
                for text in row["words"].split("|"):
                    of_column.setdefault(text.strip(), row["code"])
    for column, other in _SAME_CODES.items():
        words[column] |= {text: code for text, code in words[other].items() if code}
    return MappingProxyType({column: MappingProxyType(of_column) for column, of_column in words.items()})


@lru_cache(maxsize=4)
def read_names(language: str) -> Mapping[tuple[str, str], str]:
    """Return the first sure word of a language for each (column, code); with an empty code, for the column itself."""
    names: dict[tuple[str, str], str] = {}
    with (_FOLDER / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sure = [text.strip() for text in row["words"].split("|") if not text.strip().startswith(UNSURE)]
            names.update({(row["column"], row["code"]): sure[0]} if sure else {})
    for column, other in _SAME_CODES.items():
        names |= {(column, code): text for (name, code), text in names.items() if name == other and code}
    return MappingProxyType(names)


@lru_cache(maxsize=128)
def index_codes(column: str) -> Mapping[str, str]:
    """Return an index for `look_up`: the code of each word of a column, by all keys of the word."""
    sure = ((text, code) for text, code in _list_words(column) if code and not text.startswith(UNSURE))
    return MappingProxyType({key: code for text, code in sure for key in _list_keys(text)})


@lru_cache(maxsize=128)
def index_unsure(column: str) -> Mapping[str, str]:
    """Return an index for `look_up`: a code that each unsure word of a column may mean, by all keys of the word."""
    unsure = ((text, code) for text, code in _list_words(column) if code and text.startswith(UNSURE))
    return MappingProxyType({key: code for text, code in unsure for key in _list_keys(text)})


@lru_cache(maxsize=128)
def index_headings(column: str) -> Mapping[str, bool]:
    """Return an index for `look_up`: whether a heading surely means the column, by all keys of the heading."""
    index: dict[str, bool] = {}
    for text, code in _list_words(column):
        if not code:
            for key in _list_keys(text.removeprefix(UNSURE)):
                index.setdefault(key, not text.startswith(UNSURE))
    return MappingProxyType(index)


def look_up(index: Mapping[str, _T], text: str) -> _T | None:
    """Return the entry of an index for a word; None if it is not there.

    Case and accents make no difference, and Greek words are also found in Latin letters.
    """
    return look_up_readings(index, list_readings(text))


def look_up_readings(index: Mapping[str, _T], readings: Iterable[str]) -> _T | None:
    """Return the entry for the first key in `readings` that the index has; None if it has none of them.

    readings: keys from `list_readings`.
    """
    return next((index[key] for key in readings if key in index), None)


def says_hours(heading: str) -> bool:
    """Return whether a heading says hours and not days, such as "Orë në terren"."""
    index = index_codes("days.unit")
    units = {look_up(index, word) for word in re.findall(r"[^\W\d_]+", heading)}
    return "hours" in units and "days" not in units


def says_count(heading: str) -> bool:
    """Return whether a heading says how many children a row is about, such as "Nr. i fëmijëve"; not "in the family"."""
    index = index_codes("heading.count")
    senses = {look_up(index, word) for word in re.findall(r"[^\W\d_]+", heading.replace("#", " no "))}
    return {"children"} <= senses <= {"number", "children", "joining"}


def list_readings(text: str) -> tuple[str, ...]:
    """Return the keys under which an index may have a word: as it is written, then, in Latin letters, by its sound."""
    key = make_key(text)
    heard = key.isascii() and len(key) >= _LEAST_LETTERS
    return (key, _SOUND + _sound_of_latin(key)) if heard else (key,)


def _list_keys(text: str) -> set[str]:
    key = make_key(text)
    if key.isascii() or len(key) < _LEAST_LETTERS:
        return {key} - {""}
    # The letter h is χ or the vowel η, so that "th" is θ or τη.
    readings = {key, key.replace("χ", "η"), key.replace("τη", "θ").replace("κη", "χ")}
    return {key, *(_SOUND + _sound_of_greek(reading) for reading in readings)}


def _sound_of_greek(key: str) -> str:
    key = _OPEN_GREEK.sub(r"\1β", key)
    for pair, sound in _GREEK_PAIRS.items():
        key = key.replace(pair, sound)
    return key.translate(_OF_LETTER)


def _sound_of_latin(key: str) -> str:
    key = _CLOSED.sub(r"\g<1>0", _OPEN.sub(r"\1v", key))
    for letters, sound in _LATIN_PAIRS:
        key = key.replace(letters, sound)
    return key


def _list_words(column: str) -> Iterator[tuple[str, str]]:
    yield from read_words().get(column, {}).items()
