"""In a file of three rows nothing goes in wrong without a question, a note or a rejected row either."""

import datetime as dt
import random
from dataclasses import replace

import pytest

from data.restricted.doubts import DoubtfulFile
from tests.data.restricted.test_doubts import month
from tests.helpers.partner_files import text_of, write
from tests.helpers.repetitions import vary


def bring(importer, folder, rows, **answers):
    """Return the result of an import and the facts of what is asked."""
    path = write(folder, text_of(rows))
    try:
        return replace(importer, answers=answers).import_file(path, kind="encounter"), ()
    except DoubtfulFile as doubtful:
        return None, [str(fact) for doubt in doubtful.doubts for fact in (doubt.text, *doubt.facts)]


@vary("seed", range(40), 0, 7, 14, 21, 28, 35)
def test_days_that_a_spreadsheet_turned_around_never_go_in_in_silence(importer, tmp_path, seed):
    draw = random.Random(seed)
    number = draw.randint(1, 12)
    days = [dt.date(2008, number, day) for day in draw.sample(range(1, 29), 3)]
    cells = [f"{day.replace(month=day.day, day=day.month)}" if day.day <= 12 else f"{day:%d/%m/%Y}" for day in days]
    rows = [row | {"date": cell} for row, cell in zip(month(1, 3), cells, strict=True)]
    taken, _ = bring(importer, tmp_path, rows)
    right = {str(day) for day in days}
    stored = {day for part in importer.vault.read("encounter", ["date"]) for day in part["date"].to_pylist()}
    assert stored <= right or any("fewer if day and month are exchanged" in note for note in taken.notes)


@pytest.mark.parametrize("rows", [2, 3])
@pytest.mark.parametrize("code", ["K-1", "7", "F/3", "ABC", "2008-4"])
def test_the_code_of_a_family_is_asked(importer, tmp_path, rows, code):
    """Two brothers of one day and place have one code: they would count as one child."""
    listed = month(1, rows)
    for row in listed[:2]:
        row |= {"child_id": code, "date": "2008-01-07", "municipality": "Fier"}
    _, facts = bring(importer, tmp_path, listed)
    assert any(f"1 of {rows} rows have the child_id of another row of the same day and place" in fact for fact in facts)
    assert bring(importer, tmp_path, listed, changes="right")[0].accepted == rows


def test_children_who_are_met_again_are_not_asked(importer, tmp_path):
    listed = [row | {"child_id": "K-1"} for row in month(1, 3)]
    assert bring(importer, tmp_path, listed)[0].accepted == 3


EMPTIED = ["sex", "age_band", "community", "record_number", "origin"]


@pytest.mark.parametrize("name", EMPTIED)
@pytest.mark.parametrize("rows", [3, 4])
def test_a_column_that_is_empty_at_once_is_asked(importer, tmp_path, name, rows):
    full = {"community": "roma", "origin": "Kukës"}
    first, then = (
        [row | (full if name in full else {}) for row in month(n, rows, f"{n}-{{}}", f"{n}-{{}}")] for n in (1, 2)
    )
    assert bring(importer, tmp_path, first)[0].accepted == rows
    then = [row | {name: ""} for row in then]
    _, facts = bring(importer, tmp_path, then)
    assert any(f"{name} is filled in 0 of {rows} rows; in the last file in {rows} of {rows}" in fact for fact in facts)
    assert bring(importer, tmp_path, then, changes="right")[0].accepted == rows


@pytest.mark.parametrize("rows", [3, 4, 5, 6])
@pytest.mark.parametrize("start", [1, 2, 10])
def test_codes_that_number_the_rows_are_noted(importer, tmp_path, rows, start):
    listed = [row | {"child_id": str(n + start)} for n, row in enumerate(month(1, rows))]
    taken, _ = bring(importer, tmp_path, listed)
    assert any("1, 2, 3 and so on" in note for note in taken.notes) == (start == 1)


@pytest.mark.parametrize("wrong", [0, 1, 2])
@pytest.mark.parametrize("day", ["2006-01-05", "2005-03-01", "2002-11-30", "2006-07-31"])
def test_a_day_of_another_year_is_noted(importer, tmp_path, wrong, day):
    rows = month(2, 3)
    assert not [note for note in bring(importer, tmp_path, rows)[0].notes if "A day more than a year" in note]
    importer.vault.undo(1)
    rows[wrong] |= {"date": day}
    notes = bring(importer, tmp_path, rows)[0].notes
    assert [note for note in notes if f"A day more than a year before or after all others: line {wrong + 2}" in note]
