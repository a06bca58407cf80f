"""Empty XLSX forms made from the schemas: one workbook for each record kind, in one of three languages.

The first sheet is the table to fill in, with drop-down lists for categories and municipalities; "How to fill" explains
each column; "Areas" lists the codes and names that a cell may contain. Headings and words of Albanian and Greek forms
come from data/schema/words, so an import recognises them. A new form contains no record; importing it is like importing
an empty file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from data.message import Message
from data.reference import area_table
from data.restricted.intake.xlsx_rows import GUIDES, LISTS
from data.schema import area_word, get_kind
from data.schema.codebook import ENTRY, describe
from data.schema.column import Column, RecordKind
from data.schema.kinds import KINDS
from data.schema.words import read_names
from data.workspace.files import write_bytes

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_ROWS = 5_000  # with drop-down lists and formats
_HELP, _AREAS = GUIDES
_INK, _PAPER, _ACCENT, _SOFT, _LINE = "1D2433", "FBFAF7", "0F6B66", "E3F1EF", "DFE3E8"
_HEADINGS = ("Column", "Label", "Meaning", "Allowed", "Needed", "Example")
_FORMATS = {"date": "yyyy-mm-dd", "day_or_week": "yyyy-mm-dd", "whole": "0", "year": "0", "decimal": "General"}


Translate = Callable[[str], str]


@dataclass(frozen=True)
class FormLanguage:
    """The language of a form: its code, its own name, and the function that translates a message into it."""

    code: str = "en"
    name: str = "English"
    t: Translate = str

    @property
    def kobo_label(self) -> str:
        """The name of the language in a Kobo form: its own name, and its code in brackets."""
        return f"{self.name} ({self.code})"

    def name_column(self, column: Column) -> str:
        """Return the heading of a column: in English our own name, in another language its translation."""
        return column.name if self.code == "en" else read_names(self.code)[column.name, ""]

    def list_answers(self, column: Column) -> list[str]:
        """Return the entries of a drop-down list: the words of categories (in English our codes), or municipalities.

        It is empty for any other column.
        """
        if column.type == "area":
            return self.municipalities if column.level == "municipality" else []
        names = {} if self.code == "en" else read_names(self.code)
        return [names.get((column.name, code), code) for code in column.allowed]

    @cached_property
    def municipalities(self) -> list[str]:
        """The names of municipalities, first in the country of the language; no name is used for two municipalities."""
        areas = area_table()
        areas = areas[areas["counted"] & (areas["level"] == "municipality")]
        names = areas["name_en" if self.code == "en" else "name_local"]
        often = names.map(Counter(names))
        clear = names.where(often == 1, areas["name_en"])
        first = areas["country"] == ("GR" if self.code == "el" else "AL")
        return [*sorted(clear[first]), *sorted(clear[~first])]


ENGLISH = FormLanguage()


def template_name(kind: str, language: str = "en") -> str:
    """Return the file name of a kind's form."""
    return f"tact-{kind}.xlsx" if language == "en" else f"tact-{kind}-{language}.xlsx"


def write_templates(folder: Path, kinds: Iterable[str] = tuple(KINDS), language: FormLanguage = ENGLISH) -> list[Path]:
    """Write an empty form for each kind into a folder and return their paths.

    Raises InputError, and writes nothing, if a file with such a name exists, because it may be filled in, or if a kind
    is unknown.
    """
    wanted = [get_kind(name) for name in kinds]
    books = {template_name(kind.name, language.code): partial(_workbook, kind, language) for kind in wanted}
    return write_books(folder, books)


def write_books(folder: Path, books: Mapping[str, Callable[[], Workbook]]) -> list[Path]:
    """Write workbooks into a folder; return their paths. Raises InputError, and writes nothing, if a file exists."""
    folder = Path(folder)
    there = [name for name in books if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        raise InputError(
            Message(
                "{folder} already contains {files}, which may be filled in. Nothing was written. Choose another "
                "folder, or move or remove these files.",
                folder=folder,
                files=", ".join(there),
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, build in books.items():
        content = BytesIO()
        build().save(content)
        write_bytes(folder / name, content.getvalue())
        paths.append(folder / name)
    return paths


def _workbook(kind: RecordKind, language: FormLanguage) -> Workbook:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.title = f"TACT: {kind.title}"
    book.properties.creator = "TACT Map"
    sheet = book.active
    sheet.title = kind.title
    lists = book.create_sheet(LISTS)
    for number, column in enumerate(kind.file_columns, start=1):
        for row, answer in enumerate(language.list_answers(column), start=1):
            lists.cell(row, number, answer).number_format = "@"
    lists.sheet_state = "hidden"
    _fill_table(sheet, kind, language)
    _add_help(book, kind, language)
    if any(column.type == "area" for column in kind.file_columns):
        _add_areas(book)
    book.move_sheet(LISTS, offset=len(book.sheetnames))
    return book


def _fill_table(sheet: Worksheet, kind: RecordKind, language: FormLanguage) -> None:
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(kind.file_columns, start=1):
        letter = get_column_letter(number)
        name = language.name_column(column)
        sheet.cell(1, number, name)
        sheet.column_dimensions[letter].width = max(14, len(name) + 4)
        cells = f"{letter}2:{letter}{_ROWS + 1}"
        sheet.add_data_validation(_validation(column, cells, letter, language))
        # Without it, 10-13 becomes a day of October, and a code loses its zeros.
        form = _FORMATS.get(column.type, "@")
        for row in range(2, 202):
            sheet.cell(row, number).number_format = form
        sheet.column_dimensions[letter].number_format = form
    _style_header(sheet, {n for n, column in enumerate(kind.file_columns, start=1) if column.required})
    sheet.freeze_panes = "A2"


def _validation(column: Column, cells: str, letter: str, language: FormLanguage) -> object:
    from openpyxl.worksheet.datavalidation import DataValidation

    answers, t = language.list_answers(column), language.t
    if answers:
        reference = f"'{LISTS}'!${letter}$1:${letter}${len(answers)}"
        rule = DataValidation(type="list", formula1=reference, allow_blank=True)
        rule.error, rule.errorTitle = t("Choose one of the list."), t("Not in the list")
    else:
        # No condition: only the note beside the cell.
        rule = DataValidation(allow_blank=True)
    if language.code == "en":
        rule.promptTitle, rule.prompt = column.label[:32], _short(f"{column.meaning} Allowed: {column.limits}.")
    else:
        rule.promptTitle = language.name_column(column)[:32]
        rule.prompt = t("Needed.") if column.required else t("May stay empty.")
    # A place may be written by its code too, or in other letters, and a cell with many values is in no list.
    rule.showInputMessage, rule.showErrorMessage = True, bool(column.allowed) and not column.many
    rule.add(cells)
    return rule


def _short(text: str) -> str:
    return text if len(text) <= 255 else f"{text[:252]}..."  # Excel's limit.


def _add_help(book: Workbook, kind: RecordKind, language: FormLanguage) -> None:
    sheet, t = book.create_sheet(_HELP), language.t
    notes = [
        *([f"{kind.title}. {kind.meaning}"] if language.code == "en" else []),
        t(
            "Fill in the first sheet from row 2, one row for each record. Keep the first row and do not merge cells. "
            "Import the file with: tact import FILE"
        ),
        t(
            "Never write names, dates of birth, phone numbers, addresses or coordinates. A file that contains them is "
            "refused. A program cannot recognise every name, so check the file before you send it."
        ),
        t(
            "Write days like 2007-05-31 or 31.05.2007. Days like 31/05/2007 are accepted only if the column shows "
            "which part is the day."
        ),
    ]
    for note in notes:
        sheet.append((note,))
    sheet.append(())
    if language.code == "en":
        sheet.append(_HEADINGS)
        for entry in describe(kind.name):
            sheet.append([entry[key] for key in ENTRY])
    else:
        sheet.append((t("Column"), t("Allowed"), t("Needed"), t("Example")))
        for column in kind.file_columns:
            answers = "; ".join(language.list_answers(column)) if column.allowed else ""
            needed = t("Needed.") if column.required else t("May stay empty.")
            sheet.append((language.name_column(column), answers, needed, "" if column.allowed else column.example))
    _style_help(sheet, len(notes) + 2)


def _add_areas(book: Workbook) -> None:
    areas = area_table()
    areas = areas[areas["counted"]]
    sheet = book.create_sheet(_AREAS)
    sheet.append(("Code", "Name", "Local name", "Kind of area", "Country", "Part of"))
    names = areas["name_en"].to_dict()
    for code, row in areas.iterrows():
        parent = names.get(row["parent"], "")
        word = area_word(row["level"], row["country"])
        sheet.append((code, row["name_en"], row["name_local"], word, row["country"], parent))
    _style_header(sheet, set())
    _set_widths(sheet, (14, 32, 32, 14, 10, 32))
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _style_header(sheet: Worksheet, needed: set[int], row: int = 1) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    for cell in sheet[row]:
        strong = cell.column in needed
        cell.font = Font(bold=True, color="FFFFFF" if strong else _INK)
        cell.fill = PatternFill("solid", start_color=_ACCENT if strong else _SOFT)
        cell.border = Border(bottom=Side("thin", color=_LINE))
        cell.alignment = Alignment(vertical="center", wrap_text=True)
    sheet.row_dimensions[row].height = 22


def _style_help(sheet: Worksheet, first: int) -> None:
    from openpyxl.styles import Alignment, Font

    sheet["A1"].font = Font(bold=True, size=13, color=_INK)
    _style_header(sheet, set(), row=first)
    for row in sheet.iter_rows(min_row=first + 1):
        for cell in row:
            cell.alignment = Alignment(vertical="top", wrap_text=True)
        row[0].font = Font(bold=True, color=_ACCENT)
    _set_widths(sheet, (20, 24, 60, 60, 22, 24))
    sheet.freeze_panes = sheet.cell(first + 1, 1)
    sheet.sheet_view.showGridLines = False


def _set_widths(sheet: Worksheet, widths: Sequence[int]) -> None:
    from openpyxl.utils import get_column_letter

    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
