"""Names and numbers of persons in columns of categories and places: no question and no mapping holds them."""

import datetime as dt

import pytest

from data.errors import InputError
from data.reference import area_table, name_table
from data.restricted.intake import mapping
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.personal_words import SEEMS_PERSONAL, is_personal
from data.restricted.intake.recognition import MASK, recognise
from data.restricted.intake.rejects import group_rejects
from data.schema.kinds import KINDS
from data.schema.words import read_words
from geo.places import Places
from tests.helpers.partner_files import ROW, read, text_of, write

PERSONAL = [
    "rasti i Arben Hoxhës",
    "Besa Kola",
    "BESA KOLA",
    "besa kola",
    "Xhemile Hysko",
    "A. Hysko",
    "Μαρία Παπαδοπούλου",
    "tel 0692345678",
    "069 234 5678",
    "2103456789",
    "zamira@example.org",
    "A20512123B",
    "41.3275, 19.8187",
    "lindur 03.05.1998",
]
NORMAL = ["punë me orë", "Shitje Xhamash", "PossibleVictimOfTrafficking", "12", "07010101", "2-3 vjeç", "q7"]
PLACES = Places(area_table())


@pytest.mark.parametrize("text", PERSONAL)
def test_what_looks_like_a_person_is_found(text):
    assert is_personal(text)


@pytest.mark.parametrize("text", NORMAL)
def test_a_word_of_the_field_is_no_person(text):
    assert not is_personal(text)


def test_no_word_of_our_tables_is_taken_for_a_person():
    texts = {text for words in read_words().values() for text in words}
    texts |= {text for kind in KINDS.values() for column in kind.file_columns for text in column.allowed.values()}
    assert len(texts) > 1000
    assert not [form for text in texts for form in (text, text.title(), text.upper()) if is_personal(form)]


def test_no_name_or_code_of_a_place_is_taken_for_a_person():
    areas = area_table()
    names = [*areas.index, *areas["name_en"], *areas["name_local"], *name_table()["name"], "Elbsan", "Duress"]
    assert not [name for name in names if is_personal(name, of_place=True)]


@pytest.fixture
def path(tmp_path):
    texts = ["rasti i Arben Hoxhës", "Besa Kola", "tel 0692345678", "punë me orë"]
    rows = [ROW | {"child_id": f"K-{n}", "record_number": str(n), "form": texts[n // 3]} for n in range(12)]
    return write(tmp_path, text_of(rows))


def test_names_and_numbers_are_counted_and_shown_nowhere(path):
    recognition = recognise(path, resolve=PLACES.resolve, partner="P", today=dt.date(2009, 6, 30))
    assert [dict(question.rows) for question in recognition.questions] == [{"punë me orë": 3}]
    assert f"In form, 9 cells are not read and not shown ({MASK}): {SEEMS_PERSONAL}." in recognition.notes
    assert not [part for part in ("Arben", "Besa", "0692345678") if part in str(recognition)]


def test_their_rows_come_back_in_one_group(path):
    intake = read(path)
    reasons = group_rejects(intake.rejects, "encounter", intake.reasons)
    assert [(reason["value"], reason["reason"], reason["rows"]) for reason in reasons] == [
        ("", SEEMS_PERSONAL, 9),
        ("", "not one of the categories", 3),
    ]


def test_a_name_in_place_of_a_place_is_not_shown(tmp_path):
    rows = [ROW | {"child_id": f"K-{n}", "record_number": str(n), "municipality": "Besa Kola"} for n in range(3)]
    file = write(tmp_path, text_of(rows))
    recognition = recognise(file, resolve=PLACES.resolve, partner="P", today=dt.date(2009, 6, 30))
    assert recognition.questions == ()
    assert any("In municipality, 3 cells" in note for note in recognition.notes)
    assert set(read(file).rejects["reason"]) == {SEEMS_PERSONAL}


def test_a_word_of_rows_that_may_all_be_of_one_child_is_not_shown(tmp_path):
    rows = [ROW | {"child_id": f"K-{n}", "record_number": str(n), "municipality": "Zvorbaq"} for n in range(3)]
    for heading, is_shown in (("child_id", True), ("q7q", False)):
        file = write(tmp_path, text_of(rows).replace("child_id", heading).replace("programme_number", "q8q"))
        recognition = recognise(file, resolve=PLACES.resolve, partner="P", today=dt.date(2009, 6, 30))
        assert ("Zvorbaq" in str(recognition)) == is_shown, heading


@pytest.mark.parametrize("text", PERSONAL)
def test_no_mapping_keeps_a_person(tmp_path, text):
    path = tmp_path / "p.toml"
    with pytest.raises(InputError, match="a name or a number of a person") as refusal:
        mapping.save(path, "encounter", ColumnMapping(value_names={"form": {text: "begging"}}))
    assert text not in str(refusal.value)
    assert not path.exists()


@pytest.mark.parametrize("sheet", ["Besa Kola", "Arben", "tel 0692345678"])
def test_no_mapping_keeps_the_name_of_a_sheet_that_is_a_person(tmp_path, sheet):
    path = tmp_path / "p.toml"
    with pytest.raises(InputError, match="give the number of the sheet") as refusal:
        mapping.save(path, "encounter", ColumnMapping(sheet=sheet))
    assert sheet not in str(refusal.value)
    assert not path.exists()
    for plain in ("3", "Shkurt", "Sheet1", "Rastet 2008"):
        mapping.save(path, "encounter", ColumnMapping(sheet=plain))
        assert mapping.read(path, "encounter").sheet == plain


def test_a_mapping_of_an_earlier_version_with_a_person_is_refused_and_not_repeated(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text('[encounter.values.form]\n"Besa Kola" = "begging"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"p\.toml: a word for form") as refusal:
        mapping.read(path, "encounter")
    assert "Besa" not in str(refusal.value)
