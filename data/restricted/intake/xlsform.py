"""The form behind a Kobo or ODK export (an XLSForm): what its questions and the codes of its answers mean.

An export has names and codes, such as q7 and 2; the form has their labels. Labels are matched with the words of all
languages. If a label is not known, the data officer is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from data.errors import FileRefused
from data.message import Message
from data.restricted.intake.headings import SURE, read_meanings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.values import list_spellings
from data.restricted.intake.xlsx_rows import read_sheets
from data.schema import words
from data.schema.column import RecordKind

_Row = Mapping[str, str]


def read_form(path: InputFile, kind: RecordKind) -> ColumnMapping:
    """Return what a form says about the columns and codes of a kind.

    Raises FileRefused if the file cannot be read or is not an XLSForm.
    """
    sheets = read_sheets(path, ("survey", "choices"))
    survey, choices = (list(_list_rows(sheets.get(name, []))) for name in ("survey", "choices"))
    if not any(row.get("type") and row.get("name") for row in survey):
        raise FileRefused(
            Message(
                "{file} is no form of Kobo or ODK: it has no sheet survey with the columns type and name.",
                file=path.name,
            )
        )
    columns: dict[str, str | tuple[str, ...]] = {}
    names: dict[str, dict[str, str]] = {}
    for question in survey:
        name, sort = question.get("name", ""), question.get("type", "").split()
        by_name, by_label = _read_column(kind, [name]), _read_column(kind, _labels(question))
        ours = by_name or by_label
        if not name or not ours:
            continue
        if not by_name:
            columns.setdefault(ours, name)
        if sort[:1] in (["select_one"], ["select_multiple"]) and len(sort) > 1:
            codes = _read_codes(kind, ours, [row for row in choices if row.get("list_name") == sort[1]])
            names.setdefault(ours, {}).update(codes)
    return ColumnMapping(columns=columns, value_names={ours: codes for ours, codes in names.items() if codes})


def _list_rows(sheet: Sequence[Sequence[str]]) -> Iterator[_Row]:
    """Yield the rows of a sheet of the form by heading; headings are in small letters with _ for a blank."""
    headings = [cell.strip().casefold().replace(" ", "_") for cell in sheet[0]] if sheet else []
    for row in sheet[1:]:
        yield {heading: cell.strip() for heading, cell in zip(headings, row, strict=False) if heading}


def _labels(row: _Row) -> list[str]:
    """Return the labels of a row in all languages of the form (label, label::Shqip (sq), ...)."""
    return [text for heading, text in row.items() if heading.split("::")[0] == "label" and text]


def _read_column(kind: RecordKind, texts: Sequence[str]) -> str | None:
    """Return the column that the texts surely mean; None if there is not exactly one."""
    meanings = {c for text in texts for c, sure in read_meanings(kind.name, text).items() if sure >= SURE}
    columns = meanings & {column.name for column in kind.file_columns}
    return columns.pop() if len(columns) == 1 else None


def _read_codes(kind: RecordKind, ours: str, answers: Sequence[_Row]) -> Iterator[tuple[str, str]]:
    """Yield the codes of a form that only their labels explain, each with our code."""
    spellings = list_spellings(ours, tuple(kind.column(ours).allowed.items()))
    for answer in answers:
        code = answer.get("name", "")
        meanings = {meaning for label in _labels(answer) if (meaning := words.look_up(spellings, label))}
        if code and len(meanings) == 1 and words.look_up(spellings, code) is None:
            yield code, meanings.pop()
