"""Files that are made to exhaust the machine, or to read something else of it, are refused or rejected at once."""

import zipfile

import pytest

from data.errors import FileRefused
from data.restricted.intake import guess_kind, is_invented
from tests.data.restricted.intake.test_partner_files import read
from tests.helpers.partner_files import ROW, text_of, workbook, write

# Ten entities, each ten times the one before: ten thousand million letters in a few hundred bytes.
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE x [<!ENTITY l0 "{"ha" * 5}">{LAUGHS}]>'
FILE_OF_THE_MACHINE = '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>'
PARTS = ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml")


def plant(path, part, declared):
    """Declare entities in a part of a workbook, and use one in it as a text and as an attribute's value."""
    with zipfile.ZipFile(path) as old:
        content = {item.filename: old.read(item) for item in old.infolist()}
    text = content[part].decode("utf-8")
    start = text.index("?>") + 2 if text.startswith("<?xml") else 0
    body = text[start:].replace("<v>", "<v>&l9;", 1).replace('="', '="&l9;', 1)
    content[part] = (text[:start] + declared + body).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, raw in content.items():
            new.writestr(name, raw)
    return path


@pytest.mark.parametrize("declared", [BOMB, FILE_OF_THE_MACHINE], ids=["laughs", "file"])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.timeout(30)
def test_entities_in_a_part_of_a_workbook_are_not_unfolded(tmp_path, part, declared):
    path = plant(workbook(tmp_path, ("Data", [list(ROW), list(ROW.values())])), part, declared)
    for reading in (read, guess_kind, is_invented):
        with pytest.raises(FileRefused, match="damaged or incomplete"):
            reading(path)


@pytest.mark.parametrize("part", PARTS)
def test_an_entity_of_nothing_does_no_harm(tmp_path, part):
    """So that what is refused above is refused for what the entities unfold to."""
    path = plant(workbook(tmp_path, ("Data", [list(ROW), list(ROW.values())])), part, '<!DOCTYPE x [<!ENTITY l9 "">]>')
    assert read(path).accepted_rows == 1


@pytest.mark.long
@pytest.mark.timeout(30)
def test_a_file_with_a_cell_of_sixty_megabytes_is_read_without_that_row(tmp_path):
    path = write(tmp_path, text_of([ROW, ROW | {"child_id": "x" * 60_000_000}, ROW | {"child_id": "K-3"}]), "large.csv")
    intake = read(path)
    assert intake.accepted_rows == 2
    assert intake.rejects["reason"].tolist() == ["the row cannot be read"]


@pytest.mark.parametrize("name", ["list.xls", "list.xlsx", "list.csv"])
@pytest.mark.parametrize(
    "text", ["<html><table><tr><td>date</td></tr></table></html>", "\ufeff<?xml version='1.0'?><x/>"]
)
def test_a_web_page_is_named_whatever_its_ending(tmp_path, name, text):
    with pytest.raises(FileRefused, match="is a web page or XML"):
        read(write(tmp_path, text, name))


def test_a_formula_that_starts_a_program_rejects_its_row_and_is_shown_nowhere(tmp_path):
    evil = '=cmd|"/c calc"!A1'
    rows = [list(ROW), list((ROW | {"municipality": evil}).values()), list(ROW.values())]
    intake = read(workbook(tmp_path, ("Data", rows)))
    assert intake.accepted_rows == 1
    assert intake.rejects["reason"].tolist() == ["the row has a formula"]
    assert "calc" not in intake.rejects.to_csv() + " ".join(intake.notes)
