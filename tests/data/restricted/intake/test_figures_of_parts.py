"""Figures of the parts of an area: counts are added up, and what has no sum is refused with its rows."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.reference import area_table
from geo.places import Places
from tests.helpers.partner_files import read, text_of, write

RESOLVE = Places(area_table()).resolve
CORFU = (("Κεντρικής Κέρκυρας και Διαποντίων Νήσων", 65237), ("Βόρειας Κέρκυρας", 17455), ("9118-3", 14772))


def figure_rows(*pairs, **change):
    row = {"period": "2021", "measure": "population", "number": "", "share": "", "source": "ELSTAT"}
    row |= {"year": "2021", "status": "census", "note": ""} | change
    return [row | {"area": area, "number": str(number)} for area, number in pairs]


def read_figures(tmp_path, rows):
    return read(write(tmp_path, text_of(rows)), "figure", resolve=RESOLVE, today=dt.date(2026, 1, 1))


def test_numbers_of_parts_of_a_municipality_are_added_up(tmp_path):
    intake = read_figures(tmp_path, figure_rows(("AL-04", 1), *CORFU, ("9186", 2)))
    assert intake.rejects.empty
    assert intake.accepted[["area", "number"]].to_numpy().tolist() == [["AL-04", 1], ["9118", 97464], ["9186", 2]]
    assert intake.accepted["note"].tolist() == ["", "sum of the municipalities of 2019", ""]
    assert any("3, 4, 5" in note and "97,464" in note for note in intake.notes)
    assert intake.accepted_rows + intake.rejected_rows == intake.rows == 3


@pytest.mark.parametrize("name", ["9069-1", "Servia", "ΣΕΡΒΙΩΝ"])
def test_a_part_that_has_the_name_of_the_whole_is_a_part_beside_the_others(tmp_path, name):
    intake = read_figures(tmp_path, figure_rows((name, 9486), ("ΒΕΛΒΕΝΤΟΥ", 3060), measure="roma"))
    assert intake.accepted[["area", "number"]].to_numpy().tolist() == [["9069", 12546]]


@pytest.mark.long
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(12)), numbers=st.lists(st.integers(0, 10**6), min_size=12, max_size=12))
def test_the_sum_does_not_depend_on_the_order_of_rows(tmp_path, order, numbers):
    whole = area_table()["succeeded_by"][lambda codes: codes != ""]
    parts = [part for codes in whole for part in codes.split(";")]
    intake = read_figures(tmp_path, figure_rows(*((parts[i], numbers[i]) for i in order)))
    number = dict(zip(parts, numbers, strict=True))
    sums = {code: sum(number[part] for part in codes.split(";")) for code, codes in whole.items()}
    assert dict(zip(intake.accepted["area"], intake.accepted["number"], strict=True)) == sums


@pytest.mark.parametrize(
    ("rows", "column", "reason"),
    [
        (figure_rows(*CORFU[:2]), "area", "a part of Corfu is missing, so that the whole is unknown (lines 2, 3)"),
        (figure_rows(("9118", 5), *CORFU), "area", "Corfu and its parts are both given (lines 2, 3, 4, 5)"),
        (figure_rows(*CORFU, ("Βόρειας Κέρκυρας", 9)), "area", "the same area is given twice (lines 3, 5)"),
        (figure_rows(("AL-04", 4), ("AL-04", 4)), "area", "the same area is given twice (lines 2, 3)"),
        (figure_rows(("Vlorë County", 4), ("AL-12", 5)), "area", "the same area is given twice (lines 2, 3)"),
        (figure_rows(*CORFU, measure="roma", share="0.1"), "share", "shares of the parts of Corfu cannot be added up"),
    ],
)
def test_figures_of_which_no_sum_can_be_made_are_refused(tmp_path, rows, column, reason):
    intake = read_figures(tmp_path, rows)
    refused = intake.rejects[intake.rejects["reason"].str.startswith(reason)]
    assert len(refused) >= 2
    assert set(refused["column"]) == {column}
    assert not set(intake.accepted["area"]) & {"9118"}


def test_another_source_or_year_is_another_figure(tmp_path):
    rows = [*figure_rows(("AL-04", 1)), *figure_rows(("AL-04", 2), source="INSTAT"), *figure_rows(*CORFU)]
    rows += figure_rows(*CORFU, period="2011", year="2011")
    assert read_figures(tmp_path, rows).accepted["number"].tolist() == [1, 2, 97464, 97464]
