"""What only the format of a cell says: crossed-out cells and rows, and zeros in front of a number."""

import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Font

from tests.helpers.old_excel import write_old_workbook
from tests.helpers.partner_files import ROW, read, reasons, workbook

HEADINGS = [name for name in ROW if ROW[name]]
CELLS = [ROW[name] for name in HEADINGS]
READ = st.sampled_from(range(len(HEADINGS)))


def write_struck(folder, rows, struck, headings=HEADINGS):
    """Write a workbook in which cells are crossed out, by row and position from 0 below the headings."""
    path = workbook(folder, ("Rastet", [headings, *rows]))
    book = openpyxl.load_workbook(path)
    for row, place in struck:
        book.active.cell(row + 2, place + 1).font = Font(strike=True)
    book.save(path)
    return path


def write_struck_old(folder, rows, struck, headings=HEADINGS):
    return write_old_workbook(folder / "file.xls", [headings, *rows], struck=[(row + 1, n) for row, n in struck])


def some_rows(count):
    return [[f"K-{number}" if h == "child_id" else ROW[h] for h in HEADINGS] for number in range(count)]


@pytest.mark.parametrize("write", [write_struck, write_struck_old])
@given(struck=st.sets(st.sampled_from(range(6)), min_size=1), spared=st.sets(READ, max_size=3))
@settings(max_examples=12, deadline=None)
def test_a_crossed_out_row_is_not_stored(tmp_path_factory, write, struck, spared):
    cells = [(row, n) for row in struck for n in range(len(HEADINGS)) if n not in spared]
    intake = read(write(tmp_path_factory.mktemp("a"), some_rows(6), cells))
    assert (intake.accepted_rows, intake.rejected_rows) == (6 - len(struck), len(struck))
    assert set(intake.rejects.reason) == {"crossed out in the file"}
    assert sorted(intake.rejects.line) == [row + 2 for row in sorted(struck)]


@pytest.mark.parametrize("write", [write_struck, write_struck_old])
@given(place=READ)
@settings(max_examples=10, deadline=None)
def test_a_crossed_out_cell_of_a_column_that_is_read_rejects_its_row(tmp_path_factory, write, place):
    intake = read(write(tmp_path_factory.mktemp("a"), some_rows(2), [(1, place)]))
    assert intake.accepted_rows == 1
    assert reasons(intake, 3) == {HEADINGS[place]: "crossed out in the file"}


@pytest.mark.parametrize("write", [write_struck, write_struck_old])
def test_a_crossed_out_cell_that_nobody_reads_rejects_nothing(tmp_path, write):
    path = write(tmp_path, [[*CELLS, "gabim"]], [(0, len(CELLS))], [*HEADINGS, "Koha"])
    assert read(path).accepted_rows == 1


def test_a_font_that_no_cell_has_costs_no_row(tmp_path):
    path = write_struck(tmp_path, some_rows(3), [])
    book = openpyxl.load_workbook(path)
    book.active.cell(40, 2).font = Font(strike=True)
    book.save(path)
    assert read(path).accepted_rows == 3


def write_zeros(folder, column, texts, numbers, shown="0000"):
    rows = [dict(zip(HEADINGS, CELLS, strict=True)) | {column: code} for code in [*texts, *numbers]]
    headings = list(rows[0])
    path = workbook(folder, ("Rastet", [headings, *(list(row.values()) for row in rows)]))
    book = openpyxl.load_workbook(path)
    for row in range(2, len(rows) + 2):
        book.active.cell(row, headings.index(column) + 1).number_format = shown
    book.save(path)
    return path


@given(
    column=st.sampled_from(["child_id", "programme_number", "household_number", "record_number"]),
    numbers=st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True),
)
@settings(max_examples=12, deadline=None)
def test_a_code_is_read_by_value_and_zeros_of_its_format_are_said(tmp_path_factory, column, numbers):
    """A child that was stored as 14 stays 14; it is not known whether the text 0014 is the same."""
    folder = tmp_path_factory.mktemp("a")
    intake = read(write_zeros(folder, column, ["0300"], numbers))
    notes = [note for note in intake.notes if "zeros in front by their number format alone" in note]
    assert [f": {len(numbers)} in {column}" in note for note in notes] == [True]
    by_value = read(write_zeros(folder, column, ["0300"], numbers, shown="General"))
    assert intake.accepted.equals(by_value.accepted)
    assert not any("zeros in front" in note for note in by_value.notes)


def test_zeros_of_a_format_are_not_said_where_no_text_has_zeros(tmp_path):
    intake = read(write_zeros(tmp_path, "child_id", ["300"], [14, 15]))
    assert not any("zeros in front" in note for note in intake.notes)


@given(
    commented=st.sets(st.tuples(st.integers(2, 6), st.integers(1, len(HEADINGS))), max_size=6), elsewhere=st.booleans()
)
@settings(max_examples=15, deadline=None)
def test_comments_on_cells_are_counted_and_never_repeated(tmp_path_factory, commented, elsewhere):
    path = workbook(tmp_path_factory.mktemp("a"), ("Rastet", [HEADINGS, *some_rows(5)]), ("Tjetër", [["shënim"]]))
    book = openpyxl.load_workbook(path)
    for row, column in commented:
        book.worksheets[0].cell(row, column).comment = Comment("mosha është 14, Arta Hoxha", "Besa")
    if elsewhere:
        book.worksheets[1]["A1"].comment = Comment("13", "Besa")
    book.save(path)
    notes = [str(note) for note in read(path).notes if "Comments on cells" in str(note)]
    sheets = ["1"] * bool(commented) + ["2"] * elsewhere
    expected = f"Comments on cells are not read: {len(commented) + elsewhere}, on sheet {', '.join(sheets)}."
    assert [expected in note for note in notes] == [True] * bool(sheets)
    assert not any("14" in note or "Arta" in note or "Besa" in note for note in notes)


def test_a_thread_of_comments_is_one_cell(tmp_path):
    path = workbook(tmp_path, ("Rastet", [HEADINGS, *some_rows(2)]))
    thread = '<threadedComment ref="B2" id="1"><text>14</text></threadedComment>'
    target = "../threadedComments/threadedComment1.xml"
    link = f'<Relationships><Relationship Id="r1" Type="t" Target="{target}"/></Relationships>'
    with zipfile.ZipFile(path, "a") as parts:
        parts.writestr(
            "xl/threadedComments/threadedComment1.xml", f"<ThreadedComments>{thread}{thread}</ThreadedComments>"
        )
        parts.writestr("xl/worksheets/_rels/sheet1.xml.rels", link)
    assert [note for note in read(path).notes if "Comments on cells are not read: 1, on sheet 1" in note]
