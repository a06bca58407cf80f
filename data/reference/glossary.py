"""The terms of the product, all defined in one place: name, definition, Albanian and Greek, and words to avoid."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from data.reference import FOLDER

FILE = "glossary.csv"


@dataclass(frozen=True)
class Term:
    """A term. `sq`, `el`: the term in Albanian and in Greek. `avoid`: the words that it replaces, joined by ";"."""

    id: str
    term: str
    definition: str
    sq: str
    el: str
    avoid: str


@lru_cache(maxsize=1)
def glossary() -> Mapping[str, Term]:
    """Return all terms by id, in the order of the file."""
    with (FOLDER / FILE).open(encoding="utf-8", newline="") as file:
        return {row["id"]: Term(**row) for row in csv.DictReader(file)}


def term(term_id: str) -> str:
    """Return a term as it is written within a sentence; raise KeyError for an unknown id."""
    return glossary()[term_id].term


def definition(term_id: str) -> str:
    """Return the sentence that explains a term; raise KeyError for an unknown id."""
    return glossary()[term_id].definition
