"""Forms of the record kinds for KoboToolbox and ODK (XLSForm), with labels in all languages.

Names of questions and codes of answers are our own, so that an export is read without a question to the officer. A form
does not ask for derived columns, nor for the record number, which is the number of the submission.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data.message import Message
from data.reference import area_table
from data.restricted.intake.templates import FormLanguage, write_books
from data.schema import area_word, get_kind
from data.schema.column import Column, RecordKind
from data.schema.kinds import KINDS
from data.schema.words import read_names

if TYPE_CHECKING:
    from openpyxl import Workbook

_NO_NAME = Message("An identifier has a digit and no space. Never write a name.")
_DAY = Message("The day lies before the records begin, or in the future.")
_NUMBER = Message("The number is too small or too large.")
_TYPES = {"date": "date", "day_or_week": "date", "whole": "integer", "year": "integer", "decimal": "decimal"}


def write_kobo_forms(
    folder: Path,
    languages: Sequence[FormLanguage],
    kinds: Iterable[str] = tuple(KINDS),
    public_key: str = "",
    submission_url: str = "",
) -> list[Path]:
    """Write a form for each kind into a folder and return their paths; the first language is the form's default.

    With `public_key`, phones encrypt each submission before they send it to `submission_url` (ODK Central needs none).

    Raises InputError, and writes nothing, if a file with such a name exists or a kind is unknown.
    """
    wanted = [get_kind(name) for name in kinds]
    settings = {"submission_url": submission_url, "public_key": public_key} if public_key else {}
    books = {f"tact-{kind.name}-kobo.xlsx": partial(_build, kind, languages, settings) for kind in wanted}
    return write_books(folder, books)


def list_asked(kind: RecordKind) -> list[Column]:
    """Return the columns of a kind that a form asks for."""
    return [column for column in kind.file_columns if not column.derived and column.name != "record_number"]


def _build(kind: RecordKind, languages: Sequence[FormLanguage], encryption: Mapping[str, str]) -> Workbook:
    from openpyxl import Workbook

    book = Workbook()
    heads = ("label", "hint", "constraint_message")
    labels, hints, reasons = ([f"{what}::{lang.kobo_label}" for lang in languages] for what in heads)
    survey = book.active
    survey.title = "survey"
    survey.append(("type", "name", *labels, *hints, "required", "appearance", "constraint", *reasons))
    for sort in ("start", "end"):
        survey.append((sort, sort))
    for column in list_asked(kind):
        survey.append(_ask(kind, column, languages))
    choices = book.create_sheet("choices")
    choices.append(("list_name", "name", *labels))
    names: set[str] = set()
    for column in list_asked(kind):
        if (name := _name_list(column)) and name not in names:
            names.add(name)
            for code, words in _list_choices(column, languages):
                choices.append((name, code, *words))
    settings = book.create_sheet("settings")
    settings.append(("form_title", "form_id", "default_language", *encryption))
    settings.append((f"TACT: {kind.title}", f"tact_{kind.name}", languages[0].kobo_label, *encryption.values()))
    return book


def _word_hint(column: Column, language: FormLanguage) -> str:
    """Return the hint below a question for a free text, identifier or code: what must never be written.

    Empty for other types, and for a column with a list of allowed values.
    """
    t = language.t
    if column.allowed or column.type not in ("identifier", "text", "code"):
        return ""
    return t("Never write names, dates of birth, phone numbers, addresses or coordinates.")


def _ask(kind: RecordKind, column: Column, languages: Sequence[FormLanguage]) -> tuple[str, ...]:
    """Return the row of a question: type, name, labels, hints, whether it is required, and its appearance."""
    hints = (_word_hint(column, language) for language in languages)
    listed = _name_list(column)
    choice = "select_multiple" if column.many else "select_one"
    sort = f"{choice} {listed}" if listed else _TYPES.get(column.type, "text")
    labels = (column.label if lang.code == "en" else read_names(lang.code)[column.name, ""] for lang in languages)
    needed = "yes" if column.required else ""
    if column.name == "child_id" and any(other.name == "programme_number" for other in kind.file_columns):
        needed = "${programme_number} = ''"
    appearance = "minimal autocomplete" if column.type == "area" else ""
    constraint, reason = _limit(column)
    reasons = (language.t(reason) if reason else "" for language in languages)
    return sort, column.name, *labels, *hints, needed, appearance, constraint, *reasons


def _limit(column: Column) -> tuple[str, str]:
    """Return the condition of an answer in XPath, and what a phone says where it does not hold; empty if there is none.

    An identifier has a digit and no space, so that no name is one.
    """
    if column.allowed or column.type == "area":
        return "", ""
    if column.type == "identifier":
        return r"regex(., '[^\s]*[0-9][^\s]*')", _NO_NAME
    if column.type in ("date", "day_or_week"):
        latest = "" if column.future else " and . <= today()"
        return f". >= date('{column.earliest}'){latest}", _DAY
    limits = {">=": column.minimum, "<=": column.maximum}
    # XPath 1.0 has no number such as 1e+06.
    parts = [f". {sign} {Decimal(str(limit)):f}" for sign, limit in limits.items() if limit is not None]
    constraint = " and ".join(parts)
    return constraint, _NUMBER if constraint else ""


def _name_list(column: Column) -> str:
    """Return the name of a column's list of answers; empty if it has none."""
    if column.type == "area":
        return column.level or "area"
    return column.name if column.allowed else ""


def _list_choices(column: Column, languages: Sequence[FormLanguage]) -> Iterator[tuple[str, list[str]]]:
    """Yield each answer's code, and its words in each language."""
    if column.type == "area":
        yield from _list_places(column.level, languages)
        return
    for code, meaning in column.allowed.items():
        names = ({} if lang.code == "en" else read_names(lang.code) for lang in languages)
        yield code, [words.get((column.name, code), meaning) for words in names]


def _list_places(level: str | None, languages: Sequence[FormLanguage]) -> Iterator[tuple[str, list[str]]]:
    areas = area_table()
    areas = areas[areas["counted"]]
    for code, row in areas[areas["level"] == level].iterrows() if level else areas.iterrows():
        kind = "" if level else f" ({area_word(row['level'], row['country'])})"
        yield str(code), [(row["name_en"] if lang.code == "en" else row["name_local"]) + kind for lang in languages]
