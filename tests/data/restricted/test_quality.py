"""What is said of the records of a vault: how many, how complete, perhaps there twice."""

from dataclasses import replace

from data.restricted import quality
from data.restricted.intake import mapping
from data.restricted.intake.mapping import ColumnMapping
from tests.helpers.partner_files import ROW, text_of, write


def take(importer, folder, name, *rows):
    path = write(folder, text_of([ROW | row for row in rows]), name)
    assert replace(importer, answers={"changes": "right"}).import_file(path).accepted == len(rows)


def row(child, number, **more):
    return {"child_id": child, "record_number": number, **more}


def test_records_are_counted_by_month_and_partner(importer, tmp_path):
    days = ("2007-05-31", "2007-06-01", "2007-06-30")
    take(importer, tmp_path, "a.csv", *(row(f"K-{n}", f"R-{n}", date=day) for n, day in enumerate(days)))
    take(importer, tmp_path, "b.csv", row("K-9", "R-9", partner="BKTF", date="2007-06-02"))
    months = quality.count_months(importer.vault, "encounter")
    assert months.to_dict("index") == {"2007-06": {"ARSIS": 2, "BKTF": 1}, "2007-05": {"ARSIS": 1, "BKTF": 0}}
    assert list(months.index) == ["2007-06", "2007-05"]


def test_a_column_that_says_not_known_says_nothing(importer, tmp_path):
    take(importer, tmp_path, "a.csv", row("K-1", "R-1", sex="female"), row("K-2", "R-2", sex="unknown", age_band=""))
    shares = quality.rate_columns(importer.vault, "encounter")
    assert (shares["sex"], shares["age_band"], shares["origin"]) == (0.5, 0.5, 0.0)
    assert not {"child", "programme_child", "date"} & set(shares)


def test_the_same_child_day_and_place_is_a_double_within_an_import_or_over_several(importer, tmp_path):
    same = [row("K-1", "R-1"), row("K-1", "R-2"), row("K-1", "R-3"), row("K-2", "R-4")]
    take(importer, tmp_path, "a.csv", *same)
    assert quality.count_doubles(importer.vault) == {"ARSIS": (2, 0)}
    other = {"date": "2007-05-30"}
    take(importer, tmp_path, "b.csv", row("K-2", "R-5"), row("K-2", "R-6", **other), row("K-1", "R-7", partner="BKTF"))
    assert quality.count_doubles(importer.vault) == {"ARSIS": (2, 1)}
    take(importer, tmp_path, "c.csv", row("K-2", "R-8", municipality="Durrës"))
    assert quality.count_doubles(importer.vault) == {"ARSIS": (2, 1)}


def test_an_empty_vault_has_no_answer(importer):
    assert quality.count_months(importer.vault, "encounter").empty
    assert quality.rate_columns(importer.vault, "encounter") == {}
    assert quality.count_doubles(importer.vault) == {}


def test_answered_places_are_listed_and_other_words_are_not(tmp_path):
    answers = ColumnMapping(value_names={"municipality": {"Elbsan": "10944380"}, "sex": {"M": "male"}})
    mapping.save(mapping.file_for(tmp_path, "Qendra"), "encounter", answers)
    (place,) = quality.list_answered_places(tmp_path, ["BKTF", "Qendra"])
    assert quality.list_answered_places(tmp_path)[0].partner == "qendra"
    assert (place.partner, place.kind, place.word, place.code) == ("Qendra", "encounter", "Elbsan", "10944380")
