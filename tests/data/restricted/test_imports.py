"""An import: its list of rejected rows, and what it notes of records that the vault has."""

import datetime as dt
from dataclasses import replace

import pytest

from data.errors import DiskFull
from data.restricted import imports
from data.restricted.imports import Importer
from data.restricted.vault.published import name_year
from data.tables.periods import Period
from data.workspace.folding import make_speller
from tests.helpers.nonempty import nonempty
from tests.helpers.partner_files import ROW, text_of, workbook, write


def take(importer, folder, name):
    """Import a file with a right row and a wrong one."""
    rows = [ROW, ROW | {"record_number": "R-2", "date": "never"}]
    return importer.import_file(write(folder, text_of(rows), name))


def test_a_name_that_is_long_in_bytes_has_its_own_list(importer, tmp_path):
    first, second = (take(importer, tmp_path, f"{'παιδιά ' * 18}{end}.csv") for end in ("α", "β"))
    assert first.rejects.exists()
    assert second.rejects.exists()
    assert first.rejects != second.rejects
    assert take(importer, tmp_path, "short.csv").rejects.name == "short.csv.rejected.csv"


def test_each_sheet_of_a_file_has_its_own_list_which_goes_when_the_sheet_is_corrected(importer, tmp_path):
    effort = {"date": "2008-03-04", "municipality": "Tiranë", "days": "2", "kind": "other", "partner": "ARSIS"}

    def write_sheets(*, days: str):
        children, outreach = ROW | {"stage": "wrong"}, effort | {"days": days}
        sheets = [(name, [list(row), list(row.values())]) for name, row in (("a", children), ("b", outreach))]
        return workbook(tmp_path, *sheets)

    path = write_sheets(days="wrong")
    first, second = (importer.import_file(path, kind=kind).rejects for kind in ("encounter", "effort"))
    assert (first.name, second.name) == ("file.xlsx.rejected.csv", "file.xlsx.sheet-2.rejected.csv")
    assert ("stage" in first.read_text(), "days" in second.read_text()) == (True, True)
    assert importer.import_file(write_sheets(days="2"), kind="effort").rejects is None
    assert (first.exists(), second.exists()) == (True, False)


def test_the_list_of_imports_says_how_many_rows_were_rejected_until_it_is_undone(importer, tmp_path):
    vault = importer.vault
    take(importer, tmp_path, "a.csv")
    importer.import_file(write(tmp_path, text_of([ROW | {"record_number": "R-3"}]), "b.csv"))
    assert [entry["rejected"] for entry in vault.list_imports()] == [1, 0]
    notes = [vault.read_note(f"rejected {number}") for number in (1, 2)]
    vault.undo(1)
    assert [entry["rejected"] for entry in vault.list_imports()] == [0]
    assert (notes, vault.read_note("rejected 1")) == (["1", "0"], None)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), DiskFull("The disk is full.")])
def test_a_list_that_cannot_be_written_is_a_note_of_an_import_that_is_stored(importer, tmp_path, monkeypatch, error):
    def fail(*_values):
        raise error

    monkeypatch.setattr(imports.intake, "write_rejects", fail)
    imported = take(importer, tmp_path, "a.csv")
    assert (imported.accepted, imported.rejected, imported.rejects) == (1, 1, None)
    assert imported.list_failed
    assert imports.NO_LIST in imported.notes
    assert [entry["number"] for entry in importer.vault.list_imports()] == [imported.number]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), DiskFull("The disk is full.")])
def test_what_cannot_be_kept_for_the_partner_is_a_note_of_an_import_that_is_stored(
    importer, tmp_path, monkeypatch, error
):
    def fail(*_values):
        raise error

    monkeypatch.setattr(imports.mapping, "keep", fail)
    way = replace(importer, answers={"numbers": "new"})
    imported = way.import_file(write(tmp_path, text_of([ROW])), partner="ARSIS")
    assert imports.NOT_KEPT in imported.notes
    assert importer.vault.count("encounter") == 1


def note_of(importer, folder, name, *changes):
    """Import rows that differ from ROW, and return the notes on children of two sexes."""
    rows = [ROW | {"record_number": f"{name}-{number}"} | change for number, change in enumerate(changes)]
    imported = importer.import_file(write(folder, text_of(rows), f"{name}.csv"))
    return [note for note in imported.notes if "female in one record" in note]


def test_a_child_who_comes_back_with_another_sex_is_counted_in_a_note(importer, tmp_path):
    girl, boy, other = {"sex": "female"}, {"sex": "male"}, {"child_id": "K-0413"}
    assert note_of(importer, tmp_path, "A", girl, girl | other) == []
    assert note_of(importer, tmp_path, "B", {"sex": ""}, boy | {"partner": "BKTF"}, boy | {"child_id": "K-9"}) == []
    rehearsal = replace(importer, rehearse=True)
    for way in (rehearsal, importer):
        (note,) = note_of(way, tmp_path, "C", boy, girl | other)
        assert note.startswith("1 child of this file is female in one record of the partner and male in another.")
        assert "K-04" not in note
    (note,) = note_of(importer, tmp_path, "D", boy, boy | other, girl | {"child_id": "K-5"}, boy | {"child_id": "K-5"})
    assert note.startswith("3 children of this file are female in one record of the partner and male in another.")
    assert note_of(importer, tmp_path, "E", girl | {"child_id": "K-7"}) == []


def test_the_sex_that_a_child_has_in_records_of_another_partner_is_in_no_note(importer, tmp_path):
    known = {"programme_number": "P-118"}
    assert note_of(importer, tmp_path, "A", known | {"sex": "female"}) == []
    assert note_of(importer, tmp_path, "B", known | {"sex": "male", "partner": "BKTF"}) == []


def note_of_partner(importer, folder, partner, rows):
    """Import rows that differ from ROW, each with a number, and return the notes on another partner."""
    cells = [ROW | {"partner": partner, "record_number": f"R-{n}", "child_id": f"K-{n}"} | row for n, row in rows]
    imported = importer.import_file(write(folder, text_of(cells), "a.csv"))
    return [note for note in imported.notes if note.startswith("Is this the right partner?")]


def test_records_without_a_number_are_not_counted_more_often_than_they_are_in_the_file(importer, tmp_path):
    alike = [(n, {"record_number": ""}) for n in range(3)]
    assert note_of_partner(importer, tmp_path, "ARSIS", alike) == []
    more = [(n + 3, row) for n, row in alike]
    assert note_of_partner(importer, tmp_path, "ARSIS", more) == [], "they are its own"
    (text,) = note_of_partner(importer, tmp_path, "BKTF", [*alike[:2], (9, {"stage": "recruited"})])
    assert "right partner? 2 of 3 new records" in text


def test_most_records_of_another_partner_are_noted(importer, tmp_path):
    def note(way, partner, rows):
        return note_of_partner(way, tmp_path, partner, rows)

    same = [(n, {}) for n in range(4)]
    assert note(importer, "ARSIS", same) == []
    assert note(importer, "ARSIS", same) == []
    for way in (replace(importer, rehearse=True), importer):
        (text,) = note(way, "BKTF", [*same, (9, {"stage": "recruited"})])
        assert "4 of 5 new records that were compared are the same as records of 'ARSIS'" in text
    sure = replace(importer, answers={"period": "adds", "numbers": "correct"})
    assert note(sure, "BKTF", same) == []
    assert note(sure, "Tjetër", [(0, {})]) == []
    assert note(sure, "Tjetër", [*same[1:3], *((n, {"stage": "recruited"}) for n in range(20, 23))]) == []
    moved = [(n, {"date": "2007-06-01"}) for n in range(5)]
    assert note(sure, "Tjetër", moved) == []
    assert note(sure, "Tjetër", [(n, {"sex": "male"}) for n in range(5)]) == []
    assert note(importer, "Pranvera", [*same[:2], *((n, {"stage": "recruited"}) for n in range(4, 7))]) == []


@pytest.mark.parametrize("files", [[("ARSIS", "BKTF")], [("ARSIS",), ("ARSIS",)]])
def test_records_of_the_same_file_or_partner_are_not_those_of_another(importer, tmp_path, files):
    for number, partners in nonempty(enumerate(files)):
        rows = [ROW | {"partner": partner, "child_id": f"{number}-{n}"} for partner in partners for n in range(4)]
        imported = importer.import_file(write(tmp_path, text_of(rows), "a.csv"))
        assert imported.accepted == len(rows)
        assert not [note for note in imported.notes if note.startswith("Is this the right partner?")]


def test_a_corrected_sex_contradicts_nothing(importer, tmp_path):
    assert note_of(importer, tmp_path, "A", {"sex": "female"}) == []
    assert note_of(importer, tmp_path, "A", {"sex": "male"}) == []


def test_each_spelling_that_an_older_vault_has_of_a_partner_is_kept():
    spell = make_speller(["Arsis", "ARSIS"])
    assert [spell(name) for name in ("ARSIS", "Arsis")] == ["ARSIS", "Arsis"], "or its records would be stored again"
    assert spell("arsis") in ("ARSIS", "Arsis")


@pytest.mark.parametrize("column", ["ARSIS", ""])
def test_a_partner_in_another_spelling_doubles_no_record(importer, tmp_path, column):
    def take_as(partner, name):
        rows = [ROW | {"child_id": f"K-{n}", "partner": name} for n in range(2)]
        imported = importer.import_file(write(tmp_path, text_of(rows), "a.csv"), partner=partner)
        return imported.accepted, imported.already_known, importer.vault.partners("encounter")

    assert take_as(None, "Arsis") == (2, 0, ["Arsis"])
    assert take_as(None if column else " ARSIS", column) == (0, 2, ["Arsis"])
    assert take_as("arsis", column) == (0, 2, ["Arsis"])


def test_records_keep_the_spelling_that_they_had_in_an_earlier_version(importer, tmp_path, monkeypatch):
    def take_as(partner, number):
        rows = [ROW | {"partner": "", "record_number": f"R-{number}", "child_id": f"K-{number}"}]
        imported = importer.import_file(write(tmp_path, text_of(rows), "a.csv"), partner=partner)
        return imported.accepted, imported.already_known

    with monkeypatch.context() as earlier:
        earlier.setattr(Importer, "_list_partners", lambda *_: [])
        assert [take_as("Arsis", 1), take_as("ARSIS", 2)] == [(1, 0), (1, 0)]
    assert [take_as("Arsis", 1), take_as("ARSIS", 2)] == [(0, 1), (0, 1)]


@pytest.mark.parametrize("rehearse", [False, True])
def test_encounters_of_a_year_that_is_final_are_noted_as_not_counted(importer, tmp_path, rehearse):
    taken = replace(importer, rehearse=rehearse)

    def note_late(*days):
        rows = [
            ROW | {"date": day, "record_number": f"R-{day}", "age_band": ("10-13", "", "14-17")[len(days) - 1]}
            for day in days
        ]
        notes = taken.import_file(write(tmp_path, text_of(rows))).notes
        return [note for note in notes if "final" in note]

    assert note_late("2007-06-01") == []
    year = name_year(Period.starting(dt.date(2006, 6, 1), "year"))
    importer.vault.stage_publication("2008-01-001", {year: b"", "another": b""})
    importer.vault.confirm_publication("2008-01-001")
    assert note_late("2007-06-01") == []
    (single,) = note_late("2007-05-31")
    assert single.startswith("1 new or corrected encounter is of a year whose numbers are final and never change.")
    (several,) = note_late("2007-05-31", "2006-06-01", "2006-05-31")
    assert several.startswith("2 new or corrected encounters are of years whose numbers are final")


@pytest.mark.parametrize("day", ["2000-01-01", "2003-06-30", "2005-05-31", "2006-05-31", "2009-06-01", "2010-01-01"])
@pytest.mark.parametrize("count", [1, 2])
def test_days_outside_the_programme_are_noted(importer, tmp_path, day, count):
    rows = [ROW, *(ROW | {"record_number": f"R-{n}", "child_id": f"K-{n}", "date": day} for n in range(count))]
    imported = importer.import_file(write(tmp_path, text_of(rows)))
    (note,) = [note for note in imported.notes if "the programme (" in note]
    assert imported.accepted == count + 1
    assert note.startswith(f"{count} row")
    assert "in no number of a release" in note
