"""What the names of sheets say of their rows, and a place that no column says."""

import datetime as dt

import pytest

from data.errors import FileRefused, InputError
from data.reference import area_table, town_table
from data.restricted.intake import mapping, read_file
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import answer, recognise
from geo.places import Places
from tests.helpers.partner_files import ROW, Hasher, text_of, workbook, write

PLACES = Places(area_table(), town_table())
TODAY = dt.date(2009, 6, 30)
MORE = {"resolve": PLACES.resolve, "partner": "P", "today": TODAY}
PLACELESS = {name: value for name, value in ROW.items() if name not in ("municipality", "partner")}
DAYLESS = {name: value for name, value in ROW.items() if name not in ("date", "partner")}


def read(path, **more):
    return read_file(path, "encounter", hash_identifier=Hasher(), **MORE, **more)


def sheet_of(row, *, above=(), **change):
    rows = [row | change | {"child_id": f"{change.get('child_id', 'K')}-{number}"} for number in range(3)]
    return [*above, list(rows[0]), *(list(each.values()) for each in rows)]


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (["Durrës", "Shijak", "Krujë"], ["Durrës", "Shijak", "Krujë"]),
        (["Bashkia Durrës", "Bashkia Shijak"], ["Durrës", "Shijak"]),
        (["DURRËS", "shijak "], ["Durrës", "Shijak"]),
        (["Patras", "Ioannina"], ["Πάτρα", "Ιωάννινα"]),
        (["Δ. Περιστερίου", "Δήμος Αιγάλεω"], ["Περιστέρι", "Αιγάλεω"]),
        (["Tirana", "Elbasan", "Fier", "Vlorë"], ["Tirana", "Elbasan", "Fier", "Vlorë"]),
    ],
)
def test_sheets_named_after_places_say_the_place_of_their_rows(tmp_path, names, codes):
    path = workbook(tmp_path, *((name, sheet_of(PLACELESS, child_id=f"C{n}")) for n, name in enumerate(names)))
    intake = read(path)
    expected = sorted(PLACES.resolve(name).code for name in codes for _ in range(3))
    assert sorted(intake.accepted.municipality) == expected
    assert any("Their names are read as municipality" in note for note in intake.notes)


def test_a_column_of_the_place_counts_and_not_the_name_of_the_sheet(tmp_path):
    row = PLACELESS | {"municipality": "Vlorë"}
    path = workbook(tmp_path, ("Durrës", sheet_of(row, child_id="A")), ("Shijak", sheet_of(row, child_id="B")))
    intake = read(path)
    assert set(intake.accepted.municipality) == {PLACES.resolve("Vlorë").code}
    assert len(intake.accepted) == 6


@pytest.mark.parametrize("names", [("Ana", "Besa"), ("Sheet1", "Sheet2"), ("A. Hoxha", "B. Leka")])
def test_sheets_with_other_names_are_chosen_by_the_officer(tmp_path, names):
    path = workbook(tmp_path, *((name, sheet_of(PLACELESS, child_id=name[:1])) for name in names))
    with pytest.raises(FileRefused, match="all have the columns") as refusal:
        read(path)
    assert not any(name in str(refusal.value) for name in names)


def test_a_name_of_a_sheet_that_is_no_known_place_is_asked(tmp_path):
    names = ("Durrës", "Shijak", "Zona veri")
    path = workbook(tmp_path, *((name, sheet_of(PLACELESS, child_id=name[:1])) for name in names))
    (question,) = [q for q in recognise(path, **MORE).questions if q.topic == "words"]
    assert list(question.parts) == ["Zona veri"]


@pytest.mark.parametrize(
    ("heading", "months"),
    [
        ("Dita", ("Janar 2008", "Shkurt 2008")),
        ("Day", ("Mars 08", "Prill 08")),
        ("Μέρα", ("Ιανουάριος 2008", "Μάιος 2008")),
    ],
)
def test_a_day_alone_has_month_and_year_of_its_sheet(tmp_path, heading, months):
    row = {heading: "17", **DAYLESS}
    path = workbook(tmp_path, *((name, sheet_of(row, child_id=name[:3])) for name in months))
    expected = {sheet: dt.date(2008, month, 17) for sheet, month in zip(months, _months(months), strict=True)}
    assert sorted(set(read(path).accepted.date)) == sorted(map(str, expected.values()))


def _months(names):
    known = {"Janar": 1, "Shkurt": 2, "Mars": 3, "Prill": 4, "Ιανουάριος": 1, "Μάιος": 5}
    return [known[name.split()[0]] for name in names]


def test_the_year_may_stand_above_the_headings_and_no_other_year_beside_it(tmp_path):
    row = {"Dita": "5", **DAYLESS}
    sheets = [
        ("Janar", sheet_of(row, above=[["Viti 2008"]], child_id="A")),
        ("Shkurt", sheet_of(row, above=[["Viti 2008"]], child_id="B")),
    ]
    assert sorted(set(read(workbook(tmp_path, *sheets)).accepted.date)) == ["2008-01-05", "2008-02-05"]
    two = [(name, [["2007 / 2008"], *rows[1:]]) for name, rows in sheets]
    with pytest.raises(FileRefused, match="no column for date"):
        read(workbook(tmp_path, *two, name="two.xlsx"))


def test_a_place_that_no_column_says_is_asked_and_the_answer_is_of_all_rows(tmp_path):
    path = write(tmp_path, text_of([PLACELESS, PLACELESS | {"child_id": "K-2"}]))
    (question,) = recognise(path, **MORE).questions
    assert (question.topic, dict(question.parts)) == ("constants", {"municipality": ()})
    for reply in ("Durrës", "Durrës (municipality 10944388)", PLACES.resolve("Durrës").code):
        answered = answer(question, {"municipality": reply.replace("10944388", PLACES.resolve("Durrës").code)})
        assert set(read(path, mapping=answered).accepted.municipality) == {PLACES.resolve("Durrës").code}


@pytest.mark.parametrize("text", ["AL-02", "GR-I", "Attica", "AL", "Greece"])
@pytest.mark.parametrize("where", ["constants", "words"])
def test_a_region_is_no_answer_for_a_municipality(text, where):
    answers = ColumnMapping(constants={"municipality": text})
    if where == "words":
        answers = ColumnMapping(value_names={"municipality": {"Qendra": text}})
    if PLACES.resolve(text).code:  # a municipality has the same name
        pytest.skip(text)
    with pytest.raises(InputError, match="and municipality is a municipality"):
        mapping.check(answers, "encounter")


@pytest.mark.parametrize(
    "groups", [("At registration", "At this meeting"), ("Regjistrimi", "Takimi"), ("Πρώτη φορά", "Τώρα")]
)
@pytest.mark.parametrize("name", ["date", "municipality", "stage"])
def test_equal_headings_below_different_groups_are_asked(tmp_path, groups, name):
    others = [ours for ours in PLACELESS if ours != name] + ["municipality"] * (name != "municipality")
    above = ["", *["" for _ in others[1:]], *groups]
    cells = [str((ROW | {"child_id": "K-1"})[ours]) for ours in others]
    rows = [
        above,
        [*others, name, name],
        [*cells, ROW[name], ROW[name]],
        [*cells[:-1], cells[-1], ROW[name], ROW[name]],
    ]
    asked = [q for q in recognise(workbook(tmp_path, ("S", rows)), **MORE).questions if q.column == name]
    assert [set(q.parts[name]) - {"no column"} for q in asked] == [{f"{group}/{name}" for group in groups}]


def test_two_tables_side_by_side_are_refused_with_the_way_out(tmp_path):
    names = ["date", "municipality", "child_id", "age_band"]
    rows = [
        ["Djem", *[""] * 4, "Vajza"],
        [*names, "", *names],
        ["2008-03-01", "Durrës", "K-1", "9", "", "2008-03-01", "Durrës", "K-2", "9"],
    ]
    with pytest.raises(FileRefused, match="move the second below the first"):
        read(workbook(tmp_path, ("S", rows)))
