"""Words and tables about a file in hand: how it is read, its first rows, and what an import would do."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from dashboard.desk import words
from dashboard.desk.hand import FileInHand
from dashboard.site.text import _, find_language, format_number, format_plural, html, translate_message
from data.message import mark
from data.reference import area_table
from data.restricted.imports import Imported
from data.restricted.intake.headings import OWN
from data.restricted.intake.personal_words import SEEMS_PERSONAL
from data.restricted.intake.recognition import MASK, Recognition
from data.restricted.vault.earlier import FileCounts
from data.schema import get_kind
from data.workspace.folding import strip_accents

STATES = {
    "imported": mark("imported"),
    "undone": mark("taken back"),
    "refused": mark("cannot be imported"),
    "asked": mark("needs an answer"),
    "none": mark("no row goes in"),
    "some": mark("some rows do not go in"),
    "ready": mark("ready"),
}
_NOT_READ = "?"


def name_areas() -> dict[str, str]:
    """Return the local names of all areas by code; Greek areas have their English name unless the page is in Greek."""
    table = area_table()
    local = (table["country"] == "AL") | (find_language() == "el")
    names = table["name_local"].where(local, table["name_en"])
    return {str(code): str(name) for code, name in names.items()}


def name_choices() -> dict[str, str]:
    """Return the names of all areas by code, for a list in which an officer types to find one.

    Another usual name, and the name without accents, are added in brackets: Tiranë (Tirana, Tirane), Durrës (Durres).
    """
    table, choices = area_table(), name_areas()
    for code, *names in zip(table.index, table["name_local"], table["name_en"], strict=True):
        name = choices[str(code)]
        plain = strip_accents(unicodedata.normalize("NFKD", name))
        others = dict.fromkeys(other for other in (*names, plain) if other != name)
        choices[str(code)] = f"{name} ({', '.join(others)})" if others else name
    return choices


def word_recognition(recognition: Recognition) -> str:
    """Return in words the kind of a file, where its headings are, and the number of rows below them."""
    kind = _(words.KINDS[recognition.kind])
    rows = format_plural("{count} row below", "{count} rows below", recognition.rows)
    if recognition.sheet:
        place = _("headings in row {line} of sheet {sheet}", line=recognition.line, sheet=recognition.sheet)
    else:
        place = _("headings in line {line}", line=recognition.line)
    return f"{kind} · {place} · {rows}"


def word_reasoning(recognition: Recognition) -> str:
    """Return a sentence with the columns by which the kind of a file was recognised."""
    named = [
        words.name_column(recognition.kind, reading.column) for reading in recognition.readings if reading.headings
    ]
    return _("Recognised by its columns: {columns}.", columns=", ".join(named))


def tabulate_readings(recognition: Recognition) -> pd.DataFrame:
    """Return a table of our columns, each with its heading in the file and how sure it is that the heading means it."""
    rows = [
        (
            words.name_column(recognition.kind, reading.column),
            ", ".join(map(translate_message, reading.headings)) or _("the same for all rows"),
            words.word_confidence(
                reading.confidence, answered=_is_answered(recognition, reading.column, reading.headings)
            ),
        )
        for reading in recognition.readings
    ]
    return pd.DataFrame(rows, columns=[_("Column"), _("Heading in the file"), _("How we know")])


def _is_answered(recognition: Recognition, column: str, headings: tuple[str, ...]) -> bool:
    """Return whether an officer's answer, now or earlier, gave a column its headings.

    It did if the confidence is the highest although no heading is the name or the label of the column.
    """
    definition = get_kind(recognition.kind).column(column)
    names = {column.casefold(), definition.label.casefold()}
    sure = next(reading.confidence for reading in recognition.readings if reading.column == column)
    return sure == OWN and not any(heading.casefold() in names for heading in headings)


def tabulate_sample(recognition: Recognition) -> pd.DataFrame:
    """Return a table of the first rows as an import would read them; values that identify a child are masked.

    A cell that cannot be read is `_NOT_READ`.
    """
    areas = name_areas()
    table: dict[str, list[object]] = {_("Line"): [str(line) for line in recognition.sample.lines]}
    for name, cells in recognition.sample.cells.items():
        column = get_kind(recognition.kind).column(name)
        shown: list[object] = []
        for cell in cells:
            if cell is None:
                shown.append(_NOT_READ)
            elif column.type == "area":
                shown.append(areas.get(cell, cell))
            else:
                shown.append(words.word_value(recognition.kind, name, cell))
        table[words.name_column(recognition.kind, name)] = shown
    return pd.DataFrame(table)


def word_counts(imported: Imported) -> str:
    """Return the numbers of an import, or of its trial, in one line."""
    parts = [
        format_plural("{count} row is new", "{count} rows are new", imported.accepted),
        format_plural("{count} corrects an earlier one", "{count} correct earlier ones", imported.changed),
        format_plural("{count} is known already", "{count} are known already", imported.already_known),
        format_plural("{count} is rejected", "{count} are rejected", imported.rejected),
    ]
    counts = (1, imported.changed, imported.already_known, imported.rejected)
    return " · ".join(part for part, count in zip(parts, counts, strict=True) if count)


def tabulate_reasons(imported: Imported) -> pd.DataFrame:
    """Return a table of the reasons for rejected rows, with the rows of each column and word, most rows first."""
    rows = [
        (
            words.name_column(imported.kind, reason["column"]) or _("The whole row"),
            _word_value(reason),
            words.word_reason(reason["reason"]),
            format_number(reason["rows"]),
            ", ".join(map(str, reason["lines"])) + ("…" if reason["rows"] > len(reason["lines"]) else ""),
        )
        for reason in imported.reasons
    ]
    head = [_("Column"), _("Word"), _("Why"), _("Rows"), _("Lines")]
    return pd.DataFrame(rows, columns=head)


def _word_value(reason: Mapping[str, Any]) -> str:
    """Return the word for which rows are rejected; a mask if the word is not shown.

    Empty if a cell is missing, or if the reason is about the whole row.
    """
    if reason["reason"] == SEEMS_PERSONAL:
        return MASK
    return str(reason["value"]) or (MASK if reason["column"] and reason["reason"] != "missing" else "")


def tabulate_file(kind: str, counts: FileCounts, before: FileCounts) -> pd.DataFrame:
    """Return a table of what a file has beside what the partner's file before had: true counts (`Vault.count_file`)."""
    what = _("Children") if kind == "encounter" else _("Rows")
    rows = []
    for name, now in counts.items():
        title = words.name_column(kind, name) or what
        was = before.get(name, {})
        for value in sorted({*now, *was}) if name in ("date", "valid_from") else {**now, **was}:
            shown = name_areas().get(value) or _word_counted(kind, name, value)
            numbers = [format_number(of_file.get(value, 0)) if of_file else "" for of_file in (now, was)]
            rows.append((title, shown, *numbers))
    heads = [_("Column"), _("Value"), _("This file"), _("The file before")]
    return pd.DataFrame(rows, columns=heads)


def _word_counted(kind: str, name: str, value: str) -> object:
    if not value:
        return _("not known") if name else _("All")
    return words.word_month(value) if name == "date" else words.word_value(kind, name, value)


def render_next() -> Markup:
    """Return the next step after an import: a link to the page Release."""
    return html('<p class="next"><a href="release" target="_self">{}</a></p>', _("Next: try a release"))


def word_respelled(imported: Imported) -> list[str]:
    """Return sentences on words that were read as a place of similar sound, the most frequent first."""
    areas = name_areas()
    return [
        format_plural(
            "{count} row, {column}: “{word}” read as {place}",
            "{count} rows, {column}: “{word}” read as {place}",
            spelling.rows,
            column=words.name_column(imported.kind, spelling.column),
            word=spelling.word or MASK,
            place=areas[spelling.code],
        )
        for spelling in imported.respelled
    ]


def find_state(entry: FileInHand, *, taken_back: bool = False) -> str:
    """Return the state of a file in hand, one of the keys of STATES."""
    if entry.result is not None:
        return "undone" if taken_back else "imported"
    if entry.refusal:
        return "refused"
    trial = entry.trial
    if entry.recognition is None or entry.needs_partner or entry.recognition.questions or entry.doubts or not trial:
        return "asked"
    if not trial.rejected:
        return "ready"
    return "some" if entry.goes_in else "none"
