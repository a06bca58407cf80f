"""Read an Excel workbook row by row, so that no workbook can fill the memory of a server."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.parsers import expat

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # of a sheet, in Excel


@dataclass(eq=False)
class SheetRows:
    """The rows of a sheet that have a value.

    rows: for each row, its number in the file (from 1) and its cells from column A to the last filled one; None for an
    empty cell. formulas: whether any cell has a formula, and so may show another value than the stored one.
    """

    name: str
    rows: list[tuple[int, list[object]]] = field(default_factory=list)
    formulas: bool = False


class TooLarge(ValueError):
    """A sheet has more filled rows or columns than its reader accepts."""

    def __init__(self, sheet: str) -> None:
        super().__init__(sheet)
        self.sheet = sheet


def read_sheets(
    book: zipfile.ZipFile, most_rows: int = MOST_ROWS, most_columns: int = MOST_COLUMNS
) -> Iterator[SheetRows]:
    """Yield all sheets of a workbook, hidden ones and hidden cells too.

    Raises TooLarge for a sheet with more filled rows or columns than allowed, and ValueError for cells out of their
    order or outside a sheet: programs read them differently. A damaged workbook raises one of `readers.UNREADABLE`.
    """
    names = book.namelist()
    shared = _read_strings(book) if "xl/sharedStrings.xml" in names else []
    titles = _read_titles(book)
    for name in names:
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            sheet = SheetRows(titles.get(name, Path(name).stem))
            yield _SheetReader(sheet, shared, most_rows, most_columns).read(book.read(name))


def _read_titles(book: zipfile.ZipFile) -> dict[str, str]:
    """Return the visible name of each part that is a sheet. Parts without a name, or with a shared one, are omitted."""
    try:
        parts = [ET.fromstring(book.read(f"xl/{name}")) for name in ("_rels/workbook.xml.rels", "workbook.xml")]  # noqa: S314
    except KeyError:
        return {}
    places = {link.get("Id"): link.get("Target", "").removeprefix("/xl/") for link in parts[0]}
    sheets = (item for item in parts[1].iter() if _local(item.tag) == "sheet")
    titles = {f"xl/{places.get(_find_link(sheet))}": sheet.get("name", "") for sheet in sheets}
    return {part: title for part, title in titles.items() if title and list(titles.values()).count(title) == 1}


def _find_link(sheet: ET.Element) -> str | None:
    return next((value for key, value in sheet.attrib.items() if _local(key) == "id"), None)


def _read_strings(book: zipfile.ZipFile) -> list[str]:
    """Read the texts that cells share, without building a tree of all of them."""
    strings: list[str] = []
    with book.open("xl/sharedStrings.xml") as file:
        events = ET.iterparse(file, events=("start", "end"))  # noqa: S314 (expat refuses entities that grow)
        root = next(events)[1]
        for event, item in events:
            if event == "end" and _local(item.tag) == "si":
                strings.append("".join(t.text or "" for t in item.iter() if _local(t.tag) == "t"))
                root.clear()
    return strings


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


@dataclass(eq=False)
class _SheetReader:
    """Reads the rows of a sheet one by one, because a tree of the sheet could have millions of elements."""

    sheet: SheetRows
    shared: list[str]
    most_rows: int
    most_columns: int
    _row: int = 0
    _column: int = 0
    _cells: list[object] = field(default_factory=list)
    _kind: str = "n"
    _text: str = ""
    _reads: bool = False

    def read(self, data: bytes) -> SheetRows:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._add
        parser.Parse(data, True)
        return self.sheet

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._reads = local in {"v", "t"}
        if local == "row":
            self._row = _step(self._row, attributes.get("r", ""), MOST_ROWS)
            self._column, self._cells = 0, []
        elif local == "c":
            letters, digits = _split(attributes.get("r", ""))
            self._column = _step(self._column, letters, MOST_COLUMNS)
            if digits and int(digits) != self._row:
                raise ValueError(digits)
            self._kind, self._text = attributes.get("t", "n"), ""
        elif local == "f":
            self.sheet.formulas = True

    def _add(self, text: str) -> None:
        if self._reads:
            self._text += text

    def _end(self, name: str) -> None:
        self._reads = False
        local = name.rpartition(":")[2]
        if local == "c" and (value := _read_cell(self._kind, self._text, self.shared)) is not None:
            if self._column > self.most_columns:
                raise TooLarge(self.sheet.name)
            self._cells += [None] * (self._column - 1 - len(self._cells)) + [value]
        elif local == "row" and self._cells:
            if len(self.sheet.rows) == self.most_rows:
                raise TooLarge(self.sheet.name)
            self.sheet.rows.append((self._row, self._cells))


def _split(reference: str) -> tuple[str, str]:
    """Return column and row of a reference such as B7, as the texts "2" and "7"; each is empty if it is missing."""
    letters = reference.rstrip("0123456789")
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter.upper()) - 64
    return str(number) if letters else "", reference[len(letters) :]


def _step(before: int, place: str, most: int) -> int:
    """Return the number of the next row or column: the one that is written (`place`), else the one after `before`.

    Raises ValueError if it is not after `before`, or above `most`.
    """
    after = int(place[:9]) if place else before + 1
    if not before < after <= most:
        raise ValueError(place[:9])
    return after


def _read_cell(kind: str, text: str, shared: list[str]) -> object:
    if not text:
        return None
    if kind == "s":
        return shared[int(text)]
    return float(text) if kind == "n" else text
