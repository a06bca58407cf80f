"""Files and forms of an earlier version can still be imported: their headings and words keep their meaning."""

import datetime as dt

import pytest

from data.restricted.intake.headings import match_headings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.values import check_values
from data.schema.earlier_words import read_earlier_words
from data.schema.kinds import KINDS

CASES = [
    (kind, column, words, code)
    for kind in KINDS.values()
    for column in kind.columns
    for words, code in read_earlier_words().get(column.name, {}).items()
]


@pytest.mark.parametrize(("kind", "column", "words", "code"), [case for case in CASES if case[3] in case[1].allowed])
def test_an_earlier_category_word_means_the_same_code(kind, column, words, code):
    assert check_values(column, [words], today=dt.date(2026, 1, 1)).values == [code]


@pytest.mark.parametrize(("kind", "column", "words"), [c[:3] for c in CASES if not c[3] and c[1] in c[0].given])
def test_an_earlier_heading_names_the_same_column(kind, column, words):
    assert match_headings(kind, [words], ColumnMapping()).columns == {column.name: 0}


def test_the_file_names_columns_and_codes_that_exist():
    columns = {column.name: column for kind in KINDS.values() for column in kind.columns}
    assert set(read_earlier_words()) <= set(columns)
