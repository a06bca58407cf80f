"""Words of partners: each means the code and the column that it stands beside, in each language, also in Greeklish."""

import csv
import datetime as dt

import pytest

from data.personal.headings import find_personal_heading
from data.restricted.intake.headings import SURE, match_headings, read_meanings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.values import UNSURE_WORD, check_values
from data.schema import words
from data.schema.kinds import KINDS
from tests.helpers.nonempty import nonempty

NO_COLUMNS = {
    "ditto",
    *("date.day", "date.month", "date.year", "age_band.word", "age_band.number", "child_id.none", "abroad.country"),
    *("days.unit", "heading.group", "heading.count"),
    *("total", "several", "month", "weekday", "row"),
}
COLUMNS = {column.name: column for kind in KINDS.values() for column in kind.columns}
CODES = sorted(
    (name, text, code) for name in COLUMNS for text, code in words.read_words().get(name, {}).items() if code
)
SURE_CODES = [(name, text, code) for name, text, code in CODES if not text.startswith(words.UNSURE)]
UNSURE_CODES = [(name, text.removeprefix(words.UNSURE), code) for name, text, code in CODES if text[0] == words.UNSURE]
HEADINGS = sorted(
    (kind.name, column.name, text)
    for kind in KINDS.values()
    for column in kind.file_columns
    for text, code in words.read_words().get(column.name, {}).items()
    if not code
)
# What forms and files of earlier versions hold.
EARLIER = [
    ("pathway", "none known", "none_known"),
    ("found", "reported to the partner by someone else", "reported"),
    ("form", "crime that the child was made to commit", "crime"),
    ("duty_bearer", "a non-governmental organisation", "ngo"),
    ("measure", "children among them", "children_victims"),
    ("status", "read in the source", "read"),
]


def test_every_word_means_its_code():
    for name, text, code in SURE_CODES:
        assert code in COLUMNS[name].allowed, (name, text)
        assert check_values(COLUMNS[name], [text], today=dt.date(2026, 1, 1)).values == [code], (name, text)


def test_an_unsure_word_means_no_code_and_is_no_sure_word():
    for name, text, code in UNSURE_CODES:
        checked = check_values(COLUMNS[name], [text, text.upper()], today=dt.date(2026, 1, 1))
        assert code in COLUMNS[name].allowed, (name, text)
        assert [reason for reason, _ in checked.faults.values()] == [UNSURE_WORD] * 2, (name, text)


@pytest.mark.parametrize("text", ["ndërkufitar", "Jashtë vendit", "cross-border", "διασυνοριακή", "diasynoriaki"])
def test_a_word_that_says_only_that_a_border_is_crossed_may_also_be_albania_to_greece(text):
    checked = check_values(COLUMNS["pathway"], [text], today=dt.date(2026, 1, 1))
    assert checked.faults[0][0] == UNSURE_WORD


@pytest.mark.parametrize(("name", "text", "code"), EARLIER)
def test_words_of_earlier_versions_keep_their_meaning(name, text, code):
    assert check_values(COLUMNS[name], [text], today=dt.date(2026, 1, 1)).values == [code]


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("encounter", "axis", "Axis of intervention"),
        ("encounter", "found", "How it came about"),
        ("service", "capacity", "Capacity"),
    ],
)
def test_headings_of_earlier_versions_name_the_same_column(kind, name, text):
    assert match_headings(KINDS[kind], [text], ColumnMapping()).columns == {name: 0}


def test_every_heading_names_its_column_and_no_other_surely():
    for kind, name, text in HEADINGS:
        meanings = read_meanings(kind, text.removeprefix(words.UNSURE))
        sure = [column for column, confidence in meanings.items() if confidence >= SURE and column not in NO_COLUMNS]
        assert name in meanings, (kind, name, text)
        assert len(sure) <= 1, (kind, text, meanings)


def test_the_tables_name_columns_that_exist():
    assert set(words.read_words()) <= {*COLUMNS, *NO_COLUMNS}


@pytest.mark.parametrize("language", ["sq", "el"])
def test_every_column_and_code_has_words_in_each_language(language):
    with (words._FOLDER / f"{language}.csv").open(encoding="utf-8") as file:
        rows = {tuple(line.split(",")[:2]) for line in file}
    rows |= {(name, code) for name in ("handed_from", "handed_to") for column, code in rows if column == "duty_bearer"}
    for kind in KINDS.values():
        for column in kind.file_columns:
            assert (column.name, "") in rows, column.name
            assert {(column.name, code) for code in column.allowed if not code[0].isdigit()} <= rows, column.name


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("sex", "koritsi", "female"),
        ("sex", "agori", "male"),
        ("form", "epaiteia", "begging"),
        ("form", "epaitia", "begging"),
        ("form", "seksoualikh ekmetalleysh", "sexual_exploitation"),
        ("axis", "prolhpsh", "prevention"),
        ("axis", "prolipsi", "prevention"),
        ("found", "anafora", "reported"),
        ("stage", "se kindyno", "at_risk"),
    ],
)
def test_greek_in_latin_letters(name, text, code):
    assert words.look_up(words.index_codes(name), text) == code


@pytest.mark.parametrize("text", ["hlikia", "ilikia", "Ηλικία", "ΗΛΙΚΙΑ"])
def test_a_greek_heading_in_either_script(text):
    assert read_meanings("encounter", text) == {"age_band": 0.95}


def test_a_word_of_two_meanings_in_one_column_is_in_no_table():
    for name in COLUMNS:
        meanings = {}
        for text, code in words.read_words().get(name, {}).items():
            if code:
                assert meanings.setdefault(text.casefold(), code) == code, (name, text)


def test_no_heading_of_ours_refuses_a_file_but_for_a_whole_day_of_birth():
    for kind, name, text in HEADINGS:
        sort = find_personal_heading(text.removeprefix(words.UNSURE), KINDS[kind].refuses)
        assert sort is None or (sort, name) == ("dates of birth", "age_band"), (kind, text, sort)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((text, "egyptian") for text in ("Jevg", "jevgj", "Jevgjit", "JEVGJË", "evgjit", "Egjiptian", "Jevgs")),
        *((text, "roma") for text in ("Gabel", "gabelë", "Τσιγγάνος", "Αθίγγανοι", "Rom", "Ρομά")),
        *((text, None) for text in ("magjup", "ashkali", "Γύφτος", "Gypsy", "cigan")),  # asked
    ],
)
def test_names_of_communities_are_read_or_asked_and_each_has_its_source(text, code):
    assert words.look_up(words.index_codes("community"), text) == code
    if code is None:
        assert words.look_up(words.index_unsure("community"), text)


def test_each_name_of_a_community_that_the_table_of_sources_has_is_a_word():
    with (words._FOLDER / "communities.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = {text.removeprefix(words.UNSURE) for text in words.read_words()["community"]}
    for row in nonempty(rows):
        assert row["source"]
        assert set(row["words"].split(" | ")) <= known
