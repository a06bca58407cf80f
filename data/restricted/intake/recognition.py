"""What a partner's file is, how its columns and words are read, and what the data officer must be asked.

Nothing here reads a file differently from an import: it opens the table in the same way, and asks about what an import
would refuse or reject. An answer is an entry of the partner's mapping, so that the same question does not come again.
There is one question for each column, for all of its rows, and one question for all that is missing.

A question repeats words of the file only in columns of categories and places, and only words that cannot be a child's
name (data/restricted/intake/rejects.py) or that are in the rows of several children. A word that looks like a name or a
number of a person (personal_words.py) is in no question, even if many rows have it: a note counts its cells.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, cast

import numpy as np

from data.errors import FileRefused, InputError
from data.message import Message
from data.personal.headings import plain_heading
from data.reference import area_table
from data.restricted.intake import guess_kind, open_table
from data.restricted.intake.headings import OWN, SURE, TELLING, UNSURE, WORD, Layout, read_meanings, suggest_headings
from data.restricted.intake.likely_columns import find_code_columns, find_day_columns, find_worded_columns
from data.restricted.intake.likely_days import AS_WRITTEN, EXCHANGED, Doubt
from data.restricted.intake.made_ages import MadeAges
from data.restricted.intake.mapping import SLASHES, ColumnMapping, Slashes, explain_hours, find_hours
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.missing_columns import NO_CODE, list_missing
from data.restricted.intake.personal_words import SEEMS_PERSONAL, is_personal_in, is_place
from data.restricted.intake.rejects import LONGEST, Repeater, is_private
from data.restricted.intake.shape import match_table
from data.restricted.intake.start import ROWS
from data.restricted.intake.surroundings import Surroundings, find_place, list_area_columns, read_surroundings
from data.restricted.intake.table import RawColumn, RawTable
from data.restricted.intake.values import (
    UNKNOWN_WORD,
    UNSURE_WORD,
    Faulty,
    check_values,
    find_band,
    find_unknown_part,
    is_band_of,
    is_unordered_day,
    judge_column,
    slash_order,
)
from data.schema import Match, Resolve, get_kind
from data.schema.column import Column, RecordKind
from data.workspace.folding import fold
from data.workspace.partner_names import find_similar
from data.workspace.types import Ints

Topic = Literal["column", "constants", "words", "days"]
CHILDREN = 3  # A word of so many may be shown: a name is that of one child, or of a family.
_CODE = 2  # digits
_SAMPLE = 10  # rows
MASK = "•••"
_BIRTH_YEAR = "B"  # before a year of birth, see values.py
NO_COLUMN = "no column"  # the answer that a column which the file may lack is none of the headings
_MOST_WORDED = 0.5  # of the filled cells
_MOST_WORDS = 40  # of one question; a column with more is rather the wrong one


@dataclass(frozen=True)
class Question:
    """One question to the data officer: its parts, the allowed answers to each part, and a proposal if there is one.

    `parts` maps the subject of each part to its allowed answers. Topic "column": one of our columns, to headings.
    "constants": missing columns, to codes for all rows. "words": words of the file, to codes (none listed for places:
    any place is allowed). "days": a column, to the orders of day and month. `rows` counts the rows of each part.
    `proposal` has the likely answers, `confidence` how likely they are, from 0 to 1; `near` lists the places that a
    word may mean. NO_COLUMN is an answer about a column that the file may lack. `without` says what to do if no column
    of the file is the answer; empty if that is no answer.
    """

    topic: Topic
    column: str
    text: str
    parts: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, int] = field(default_factory=dict)
    proposal: Mapping[str, str] = field(default_factory=dict)
    confidence: float = 0.0
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: str = ""


@dataclass(frozen=True)
class Reading:
    """The headings from which one of our columns is read (none for a constant), and the confidence, from 0 to 1."""

    column: str
    headings: tuple[str, ...]
    confidence: float


@dataclass(frozen=True)
class Sample:
    """The first rows as an import would read them: their lines, and the cells by our columns.

    A cell is the value that is stored, MASK for a value that nobody needs to see (identifiers, numbers, codes and texts
    of the row, years of birth), or None for a value that cannot be read. Other columns are left out.
    """

    lines: tuple[int, ...]
    cells: Mapping[str, tuple[str | None, ...]]


@dataclass(frozen=True)
class Recognition:
    """What was recognised in a file.

    `line` is the line of the headings, `sheet` the number of the sheet (0 for a text file), `rows` the number of rows
    below, `sample` the first of them. `worded` are those of the `unknown` headings whose cells may be categories,
    `placing` those that are read to find the place of a row, and not stored. The file can be imported when `blocks` is
    false. Rows with other open questions are rejected. `unanswered`: so are rows with words that no question may show.
    """

    kind: str
    sheet: int
    line: int
    rows: int
    readings: tuple[Reading, ...]
    questions: tuple[Question, ...]
    unknown: tuple[str, ...]
    worded: tuple[str, ...]
    placing: tuple[str, ...]
    notes: tuple[str, ...]
    sample: Sample
    unanswered: bool = False

    @property
    def blocks(self) -> bool:
        """Whether a question about a column, or about a value for all rows, is open: an import may refuse the file."""
        return any(question.topic in ("column", "constants") for question in self.questions)

    @property
    def unread(self) -> list[str]:
        """The unknown headings of columns that are not read at all."""
        return [heading for heading in self.unknown if heading not in self.placing]

    @property
    def lacking(self) -> str:
        """What to do if the file needs a column that none of its own can be; empty if it lacks none."""
        lacking = (question.without for question in self.questions if not any(question.parts.values()))
        return next(lacking, "")


def recognise(
    path: InputFile,
    *,
    resolve: Resolve,
    mappings: Mapping[str, ColumnMapping] | None = None,
    kind: str | None = None,
    partner: str | None = None,
    today: dt.date | None = None,
) -> Recognition:
    """Recognise a file and return the open questions; `mappings` are the mappings of the partner, by kind.

    Raises FileRefused for a file that cannot be read, that has personal data, that fits no kind, or that has too few
    known headings.
    """
    today = today or dt.date.today()  # noqa: DTZ011 - a day in the officer's own calendar
    name = kind or guess_kind(path, mappings)
    if name is None:
        raise FileRefused(
            Message("The columns of {file} fit no kind of record, or fit several: name the kind.", file=path.name)
        )
    record_kind = get_kind(name)
    mapping = (mappings or {}).get(name, ColumnMapping())
    table, shaped = open_table(path, record_kind, mapping, resolve, partner, today=today, lenient=True)
    headings = table.begin.headings
    layout = match_table(record_kind, table, mapping)
    if len(layout.list_found()) < TELLING and not mapping.heading_row:
        # Too few columns to take the row for headings: it may be a record, and nothing of it may be shown.
        raise FileRefused(
            Message(
                "{file}: in none of the first {rows} rows are {count} columns of kind {kind} known. Say in which row "
                "the headings are (--heading-row N; at the desk: Something is read wrongly), or write a mapping.",
                file=path.name,
                rows=ROWS,
                count=TELLING,
                kind=name,
            )
        )
    file = _File(record_kind, mapping, table, shaped, resolve, today, partner or "")
    questions = [
        *_ask_columns(record_kind, table, layout, mapping, partner, today),
        *file.ask_days(),
        *file.ask_words(),
        *file.ask_partners(),
    ]
    hidden = list(file.note_hidden({(q.column, part) for q in questions for part in q.parts}))
    return Recognition(
        kind=name,
        sheet=table.begin.sheet,
        line=table.begin.line,
        rows=len(table.lines) + len(table.faults),
        readings=tuple(_list_readings(record_kind, headings, layout, mapping)),
        questions=tuple(questions),
        unknown=tuple(plain_heading(headings[p], p) for p in layout.unknown),
        worded=tuple(plain_heading(headings[p], p) for p in find_worded_columns(table, layout.unknown)),
        placing=tuple(plain_heading(headings[p], p) for p in list_area_columns(record_kind, table, shaped)),
        notes=(*table.notes, *file.note_personal(), *hidden),
        unanswered=bool(hidden),
        sample=file.read_sample(),
    )


def answer(question: Question, replies: Mapping[str, str]) -> ColumnMapping:
    """Return the entries of a mapping that answer a question; parts without a reply stay open.

    Raises InputError for a reply that is not allowed, and for a column of hours in place of days.
    """
    answers = {part: reply for part, reply in replies.items() if reply}
    for part, reply in answers.items():
        allowed = question.parts.get(part)
        of_place = allowed == () and question.topic in ("words", "constants")
        if allowed is None or (reply not in allowed and not of_place):
            raise InputError(
                Message(
                    "{reply!r} is no answer for {part!r}. Allowed: {allowed}.",
                    reply=reply,
                    part=part,
                    allowed=", ".join(allowed or question.parts),
                )
            )
    if question.topic == "column":
        # Not the column is unwanted, but these headings: in the next file it may have another one.
        no_columns = (
            heading for part, reply in answers.items() if reply == NO_COLUMN for heading in question.parts[part]
        )
        answers = {part: reply for part, reply in answers.items() if reply != NO_COLUMN}
        ignored = tuple(heading for heading in no_columns if heading not in (NO_COLUMN, *answers.values()))
        columns = ColumnMapping(columns=answers, ignore=ignored)
        if heading := find_hours(columns):
            raise InputError(explain_hours(heading))
        return columns
    if question.topic == "constants":
        return ColumnMapping(constants={name: read_place_label(reply) for name, reply in answers.items()})
    if question.topic == "days":
        return ColumnMapping(slashes=cast("Slashes", answers.get(question.column, "")))
    return ColumnMapping(
        value_names={question.column: {word: read_place_label(reply) for word, reply in answers.items()}}
    )


def read_place_label(reply: str) -> str:
    """Return the code at the end of a proposed place, such as "Elbasan (municipality 10944380)"; else `reply`."""
    label = re.search(r"\((?:\w+ )?([\w.-]+)\)$", reply)
    return label[1] if label and label[1] in area_table().index else reply


def _list_readings(kind: RecordKind, headings: list[str], layout: Layout, mapping: ColumnMapping) -> Iterator[Reading]:
    for column in kind.file_columns:
        positions = layout.positions_of(column.name)
        if column.name in mapping.constants and not positions:
            yield Reading(column.name, (), OWN)
        elif positions:
            sure = [read_meanings(kind.name, headings[p]).get(column.name, WORD) for p in positions]
            confidence = OWN if column.name in layout.mapped else min(sure)
            yield Reading(column.name, tuple(plain_heading(headings[p], p) for p in positions), confidence)


def _ask_columns(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, partner: str | None, today: dt.date
) -> Iterator[Question]:
    """Yield questions about required or doubtful columns: their heading, or their value if all rows have the same."""
    headings = table.begin.headings
    missing = list_missing(kind, [*layout.list_found(), *mapping.constants], partner)
    worded = _find_worded(kind, table, layout, mapping, today)
    nowhere, unsure = [], {}
    for name in dict.fromkeys([*missing, *(n for n in layout.doubts if n not in mapping.constants), *worded]):
        near = suggest_headings(kind, headings, layout, name)
        if name == "child_id" and name in missing:
            beside = [layout.columns[ours] for ours in ("date", "municipality") if ours in layout.columns]
            codes = find_code_columns(table, layout.unknown, near, beside)
            yield replace(_ask_heading(kind, headings, name, {p: near.get(p, 0.0) for p in codes}), without=NO_CODE)
            continue
        # A column that may stay empty is asked about only if somebody wrote nearly its name.
        near = near if name in missing or max(near.values(), default=0.0) > SURE - 0.2 else {}
        near |= {p: UNSURE for p in worded.get(name, ()) if p not in near}
        if near and (name not in missing or kind.column(name).allowed):
            unsure[name] = near
        elif near:
            days = find_day_columns(table, layout.unknown, today) if name == "date" else []
            yield _ask_heading(kind, headings, name, {**near, **{p: 0.0 for p in days if p not in near}})
        elif name in missing:
            nowhere.append(name)
    if unsure:
        yield _ask_unsure([_ask_heading(kind, headings, name, near) for name, near in unsure.items()])
    yield from _ask_nowhere(kind, headings, layout, nowhere)


def _ask_nowhere(kind: RecordKind, headings: list[str], layout: Layout, missing: list[str]) -> Iterator[Question]:
    """Yield questions about required columns that no heading may mean."""
    same = [name for name in missing if kind.column(name).allowed]
    if same:
        text = f"No column says {', '.join(same)}. What holds for all rows of this file?"
        yield Question("constants", "", text, {name: tuple(kind.column(name).allowed) for name in same})
    readable = dict.fromkeys(layout.unknown, 0.0)
    for name in missing:
        if kind.column(name).type == "area" and not readable:
            text = f"No column says {name}. In which place were all rows of this file?"
            yield Question("constants", name, text, {name: ()})
        elif name not in (*same, "partner") and readable:
            yield _ask_heading(kind, headings, name, readable)


def _ask_unsure(questions: list[Question]) -> Question:
    """Return one question in place of several about columns that the file may lack."""
    first = questions[0]
    parts = {part: (*options, NO_COLUMN) for q in questions for part, options in q.parts.items()}
    likely = {part: heading for q in questions for part, heading in q.proposal.items()}
    text = first.text if len(parts) == 1 else f"Which columns are these: {', '.join(parts)}?"
    return replace(first, text=text, parts=parts, proposal=likely, confidence=min(q.confidence for q in questions))


def _find_worded(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, today: dt.date
) -> dict[str, list[int]]:
    """Return unknown headings whose cells are mostly words of a column that the file lacks, by column: positions."""
    lacking = [
        column
        for column in kind.file_columns
        if column.type == "category" and not (column.derived or column.later or column.name == "age_band")
        if column.name not in (*layout.list_found(), *mapping.constants, *mapping.ignore)
    ]
    worded: dict[str, list[int]] = {}
    for position in layout.unknown:
        raw = table.columns[position]
        filled = np.array([bool(text.strip()) for text in raw.distinct], dtype=bool)[raw.codes].sum()
        shares = {column.name: _count_words(column, raw, today) / max(filled, 1) for column in lacking}
        best = max(shares, key=shares.__getitem__, default="")
        if best and shares[best] >= _MOST_WORDED:
            worded.setdefault(best, []).append(position)
    return worded


def _count_words(column: Column, raw: RawColumn, today: dt.date) -> int:
    """Return how many cells are words of a column that say something, or may be."""
    checked = check_values(column, raw.distinct, today=today)
    silent = ("", None, column.default, "unknown", "none_known")
    words = [n for n, value in enumerate(checked.values) if value not in silent and not str(value).startswith("other")]
    unsure = [number for number, (reason, _) in checked.faults.items() if reason == UNSURE_WORD]
    return int(np.isin(raw.codes, [*words, *unsure]).sum())


def _ask_heading(kind: RecordKind, headings: list[str], name: str, near: Mapping[int, float]) -> Question:
    options = tuple(headings[p] for p in near if plain_heading(headings[p], p) == headings[p])
    best, confidence = next(iter(near.items()), (0, 0.0))
    text = f"Which column is {name} ({kind.column(name).label.lower()})? {kind.column(name).meaning}"
    # Where another heading may mean it as well, or another column of days stands beside, nothing is proposed.
    as_likely = list(near.values()).count(confidence) > 1 or (name == "date" and 0.0 in near.values())
    proposed = confidence and headings[best] in options and not as_likely
    likely = {name: headings[best]} if proposed else {}
    return Question("column", name, text, {name: options}, proposal=likely, confidence=confidence)


@dataclass(frozen=True)
class _File:
    """A table that is being recognised."""

    kind: RecordKind
    mapping: ColumnMapping
    table: RawTable
    layout: Layout
    resolve: Resolve
    today: dt.date
    partner: str = ""

    def ask_days(self) -> Iterator[Question]:
        """Yield the open questions about day and month: their order, once for all columns, and unlikely days."""
        for column in self.kind.file_columns:
            raw = self._raw(column.name)
            if raw is None or column.type not in ("date", "day_or_week"):
                continue
            unordered = [is_unordered_day(text) for text in raw.distinct]
            if any(unordered) and not slash_order(raw.distinct, self.mapping.slashes):
                count = int(np.array(unordered)[raw.codes].sum())
                text = f"In {column.name}, days such as 4/3/2008 may be read in two ways. Which number comes first?"
                rows = {column.name: count}
                yield Question("days", column.name, text, {column.name: SLASHES}, rows)
                return
        for column in self.kind.file_columns:
            raw = self._raw(column.name)
            order = slash_order(raw.distinct, self.mapping.slashes) if raw else ""
            doubt = judge_column(column, raw.distinct, order, self.today) if raw else Doubt()
            if raw and doubt.name and fold(doubt.name) not in map(fold, self.mapping.value_names.get(column.name, ())):
                rows = {doubt.name: int(np.isin(raw.codes, list(doubt.days)).sum())}
                text = (
                    f"In {column.name}, day and month may be exchanged in these months: no or few days are after the "
                    "12th, or they spread over many months or into the future. Look at the partner's paper. Are they "
                    "right as written?"
                )
                yield Question("words", column.name, text, {doubt.name: (AS_WRITTEN, EXCHANGED)}, rows)

    def ask_words(self) -> Iterator[Question]:
        """Yield a question for each column of categories or places, about the meaning of its unknown words."""
        for column, raw in self._list_worded():
            unknown = self._find_unknown(column, raw)
            asked_words = {code: near for code, near in unknown.items() if self._may_show(column, raw, code)}
            # Towns are not counted, because they are known.
            strange = [code for code in asked_words if not self._is_town(column, raw.distinct[code])]
            if asked_words and len(strange) <= _MOST_WORDS:
                yield self._ask(column, raw, asked_words)

    def note_personal(self) -> Iterator[str]:
        """Yield a note for each column of categories or places on how many unknown cells seem to be about a person."""
        for column, raw in self._list_worded():
            codes = [code for code in self._find_unknown(column, raw) if is_personal_in(column, raw.distinct[code])]
            count = int(np.isin(raw.codes, codes).sum())
            if count:
                yield Message(
                    "In {column}, 1 cell is not read and not shown ({mask}): {why}."
                    if count == 1
                    else "In {column}, {count:,} cells are not read and not shown ({mask}): {why}.",
                    column=column.name,
                    count=count,
                    mask=MASK,
                    why=SEEMS_PERSONAL,
                )

    def note_hidden(self, asked: set[tuple[str, str]]) -> Iterator[Message]:
        """Yield a note for each column on how many cells have unknown words that no question shows."""
        for column, raw in self._list_worded():
            unknown = [*self._find_unknown(column, raw)]
            if column.type == "area":
                matches = {
                    code: find_place(self.resolve, column, text) for code, text in enumerate(raw.distinct) if text
                }
                unknown += [code for code, match in matches.items() if match.finding in ("none", "elsewhere")]
            names = {fold(word) for word in self.mapping.value_names.get(column.name, ())}
            words = {code: raw.distinct[code].strip() for code in unknown}
            hidden = [c for c, word in words.items() if (column.name, word) not in asked and fold(word) not in names]
            if hidden:
                yield Message(
                    "In {column}, words that are not known are not shown, because they may be names ({count:,} cells): "
                    "an import rejects their rows. Correct the cells, or say what a word means: --set "
                    "{column}.WORD=CODE (at the desk: Something is read wrongly).",
                    column=column.name,
                    count=int(np.isin(raw.codes, hidden).sum()),
                )

    def read_sample(self) -> Sample:
        """Return the first rows as they would be read, without anything that could identify a child."""
        cells = {}
        for column in self.kind.file_columns:
            raw = self._raw(column.name)
            if raw is not None:
                cells[column.name] = tuple(self._read_cells(column, raw, raw.codes[:_SAMPLE].tolist()))
        return Sample(tuple(self.table.lines[:_SAMPLE].tolist()), cells)

    def _read_cells(self, column: Column, raw: RawColumn, codes: list[int]) -> Iterator[str | None]:
        if is_private(column):
            yield from (MASK if raw.distinct[code].strip() else "" for code in codes)
            return
        slashes = slash_order(raw.distinct, self.mapping.slashes)
        names = self.mapping.value_names.get(column.name)
        checked = check_values(column, raw.distinct, today=self.today, names=names, slashes=slashes)
        for number, code in enumerate(codes):
            text = "" if checked.values[code] is None else str(checked.values[code])
            if code in checked.faults:
                yield None
            elif column.type == "area" and text:
                match = find_place(self.resolve, column, text)
                yield self._surroundings.settle(column, match, int(self._surroundings.numbers[number]))
            else:
                yield MASK if column.name == "age_band" and text.startswith(_BIRTH_YEAR) else text

    def ask_partners(self) -> Iterator[Question]:
        """Yield a question about names in the rows that are nearly that of the partner, or of one in more rows."""
        raw = self._raw("partner")
        if raw is None:
            return
        counts = np.bincount(raw.codes, minlength=len(raw.distinct))
        known = {fold(word) for word in self.mapping.value_names.get("partner", ())}
        names: list[str] = [self.partner] if self.partner else []
        parts, rows = {}, {}
        for code in np.argsort(-counts, kind="stable").tolist():
            text = " ".join(raw.distinct[code].split())
            if not text or fold(text) in known:
                continue
            if similar := find_similar(text, names):
                parts[text], rows[text] = (similar,) if self.partner else (similar, text), int(counts[code])
            elif not self.partner:
                names.append(text)
        if parts:
            ask = "In partner, these names are nearly those of other partners. Which partner is each?"
            yield Question("words", "partner", ask, parts, rows)

    def _raw(self, name: str) -> RawColumn | None:
        position = self.layout.columns.get(name)
        return None if position is None else self.table.columns[position]

    def _list_worded(self) -> Iterator[tuple[Column, RawColumn]]:
        """Yield the columns of categories and places that the file has."""
        for column in self.kind.file_columns:
            raw = self._raw(column.name)
            if raw is not None and (column.allowed or column.type == "area"):
                yield column, self._name_parts(column, raw) if column.several else raw

    def _name_parts(self, column: Column, raw: RawColumn) -> RawColumn:
        """Return a column in which a cell with several answers has only the first of them that is not known."""
        names = self.mapping.value_names.get(column.name)
        checked = check_values(column, raw.distinct, today=self.today, names=names)
        texts = list(raw.distinct)
        for code in checked.faults:
            texts[code] = find_unknown_part(column, texts[code], names)
        index = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        numbers = np.array([index[text] for text in texts], dtype=np.int32)
        return replace(raw, codes=numbers[raw.codes] if texts else raw.codes, distinct=list(index))

    def _find_unknown(self, column: Column, raw: RawColumn) -> dict[int, tuple[str, ...]]:
        """Return the codes of the words that an import would reject and that are asked about, with likely answers."""
        names = self.mapping.value_names.get(column.name)
        checked = check_values(column, raw.distinct, today=self.today, names=names)
        if column.allowed:
            bands = _find_bands(raw, checked.faults) if column.name == "age_band" else {}
            wrong = {n for n, (reason, _) in checked.faults.items() if reason in UNKNOWN_WORD or n in bands}
            return {n: bands.get(n, ()) for n in sorted(wrong)}
        unplaced: dict[int, tuple[str, ...]] = {}
        for number, text in enumerate(checked.values):
            match = find_place(self.resolve, column, str(text)) if text else None
            if match and self._is_asked(column, raw, number, match):
                unplaced[number] = match.candidates
        return unplaced

    def _is_asked(self, column: Column, raw: RawColumn, code: int, match: Match) -> bool:
        """Return whether the officer is asked which place a text means."""
        if match.finding in ("town", "exonym", "several"):
            # Open, if in at least one row the other columns do not decide which place is meant.
            beside = np.unique(self._surroundings.numbers[raw.codes == code]).tolist()
            return any(self._surroundings.settle(column, match, number) is None for number in beside)
        if match.finding not in ("none", "apart"):
            return False
        # A word near no known place is rejected where it stands for few children: it is rather a slip.
        worth = is_personal_in(column, raw.distinct[code]) or self._count_children(raw, code) >= CHILDREN
        return bool(match.candidates) or worth

    def _is_town(self, column: Column, text: str) -> bool:
        return column.type == "area" and find_place(self.resolve, column, text).finding == "town"

    @cached_property
    def _surroundings(self) -> Surroundings:
        return read_surroundings(self.kind, self.table, self.layout, self.mapping, self.resolve, self.today)

    def _may_show(self, column: Column, raw: RawColumn, code: int) -> bool:
        text = raw.distinct[code].strip()
        if not text or (len(text) > LONGEST and not is_place(text)) or is_personal_in(column, text):
            return False
        # A code of one or two digits is nobody's name, nor are two ages.
        if (text.isdigit() and len(text) <= _CODE and column.allowed) or MadeAges.read(text):
            return True
        if self._count_children(raw, code) >= CHILDREN:
            return True
        # The rule of the list of rejects: if more is wrong in a row, its columns may be shifted.
        alone = bool((self._fault_counts[raw.codes == code] <= 1).any())
        return self._repeater.repeat(column.name, text, alone=alone) != ""

    @cached_property
    def _fault_counts(self) -> Ints:
        """The number of columns in each row whose value an import would reject, shape (n,).

        Columns of identifiers, codes and texts are not counted.
        """
        counts = np.zeros(len(self.table.lines), np.int64)
        for column in self.kind.file_columns:
            raw = self._raw(column.name)
            if raw is None or column.type in ("identifier", "hash", "text", "code"):
                continue
            names = self.mapping.value_names.get(column.name)
            checked = check_values(column, raw.distinct, today=self.today, names=names)
            wrong = set(checked.faults)
            if column.type == "area":
                places = (find_place(self.resolve, column, str(text)) if text else None for text in checked.values)
                wrong |= {number for number, place in enumerate(places) if place and place.code is None}
            counts += np.isin(raw.codes, list(wrong))
        return counts

    @cached_property
    def _repeater(self) -> Repeater:
        return Repeater.from_table(self.kind, self.table, self.layout)

    def _count_children(self, raw: RawColumn, code: int) -> int:
        """Return how many children have a word; 1 if the children in the rows cannot be distinguished.

        If rows are not about children, each row counts.
        """
        children = self._raw("child_id") or self._raw("programme_number")
        rows = raw.codes == code
        if children is None:
            return 1 if self.kind.of_children else int(rows.sum())
        return len(np.unique(children.codes[rows]))

    def _ask(self, column: Column, raw: RawColumn, unknown: Mapping[int, tuple[str, ...]]) -> Question:
        counts = np.bincount(raw.codes, minlength=len(raw.distinct))
        words = {raw.distinct[code].strip(): code for code in sorted(unknown, key=lambda code: -counts[code])}
        text = f"In {column.name}, these words are not known, or may mean several things. What do they mean?"
        if column.type == "area":
            text = (
                f"In {column.name}, these places are not known, or a village elsewhere may have the same name. "
                "Which place is it?"
            )
        if column.name == "age_band" and any(map(str.isdigit, words)):
            text += " A number may be an age in years (2 is 0-5), or number the bands (2 is the second one)."
        # Of two places that disagree neither is likely.
        likely = {
            word: unknown[code][0] for word, code in words.items() if len(unknown[code]) == 1 and not word.endswith(")")
        }
        of_age = column.name == "age_band"
        return Question(
            "words",
            column.name,
            text,
            {word: tuple(code for code in column.allowed if not of_age or is_band_of(code, word)) for word in words},
            {word: int(counts[code]) for word, code in words.items()},
            likely,
            0.5 if likely else 0.0,
            {word: unknown[code] for word, code in words.items() if unknown[code]},
        )


def _find_bands(raw: RawColumn, codes: Iterable[int]) -> dict[int, tuple[str]]:
    """Return the band of each text with two ages of one band, by the code of the text; only for these codes."""
    bands: dict[int, tuple[str]] = {}
    for code in codes:
        ages = MadeAges.read(raw.distinct[code])
        if ages:
            with suppress(Faulty):
                bands[code] = (find_band(ages.young, ages.old),)
    return bands
