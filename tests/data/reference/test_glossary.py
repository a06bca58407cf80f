"""The glossary: each term occurs once, in all languages, and the product does not use the words that it replaces."""

import ast
import re

import pytest

from data.reference.glossary import glossary
from data.schema.codebook import describe
from data.schema.kinds import KINDS
from tests.helpers.paths import ROOT

TERMS = list(glossary().values())
# Folders whose texts for people are checked for words to avoid.
FOLDERS = (
    "dashboard/commands",
    "data/personal",
    "data/release",
    "data/restricted/backup",
    "data/restricted/governance",
    "data/restricted/intake",
    "data/restricted/vault",
    "data/schema",
    "data/workspace",
)
FILES = sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.py"))
BETTER = {phrase: term.term for term in TERMS for phrase in filter(None, term.avoid.split(";"))}
ANY_PHRASE = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(p) for p in BETTER if not p[0].isupper())})(?!\w)")


def texts_of(path):
    """Yield every text of a module except docstrings; each value in an f-string becomes {}."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    parts |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def avoided(text):
    """Return a phrase to avoid that is in a text; one with a capital counts only if it is the whole text."""
    match = ANY_PHRASE.search(text)
    phrase = text if text[:1].isupper() and text in BETTER else match and match[0]
    return phrase and f"{phrase!r} (better: {BETTER[phrase]!r}) in {text!r}"


def test_every_term_is_unique_and_explained_in_one_sentence():
    assert len({term.term for term in TERMS}) == len(glossary()) == len(TERMS) > 100
    for term in TERMS:
        assert all((term.id, term.term, term.definition, term.sq, term.el)), term.id
        assert term.definition[0].isupper(), term.id
        assert term.definition.endswith("."), term.id


def test_no_text_to_avoid_is_itself_a_term():
    assert not {term.term for term in TERMS} & {word for term in TERMS for word in term.avoid.split(";")}


@pytest.mark.slow
def test_no_text_uses_a_word_to_avoid():
    assert len(FILES) > 100
    assert [(path, fault) for path in FILES for fault in map(avoided, texts_of(path)) if fault] == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_column_uses_a_word_to_avoid(kind):
    entries = describe(kind)
    assert [fault for entry in entries for fault in map(avoided, entry.values()) if fault] == []


def test_the_codebook_explains_terms_as_the_glossary_does():
    entries = {entry["column"]: entry for entry in describe("encounter")}
    assert entries["stage"]["meaning"] == glossary()["stage"].definition
    assert "internal (internal trafficking)" in entries["pathway"]["allowed"]
