"""Checks of the rows of a table, run once for each distinct value and each distinct combination.

Every fault of a row is listed, even if a row has several. Only rows without a fault are accepted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import FileRefused
from data.message import Message, count_more
from data.reference import area_countries
from data.restricted.intake.headings import Layout
from data.restricted.intake.mapping import SLASHES, ColumnMapping, Slashes
from data.restricted.intake.personal_words import SEEMS_PERSONAL, is_personal_in
from data.restricted.intake.surroundings import Surroundings, find_place, read_surroundings
from data.restricted.intake.table import RawColumn, RawTable
from data.restricted.intake.values import (
    Checked,
    Faulty,
    Value,
    age_band_on,
    check_values,
    is_other_weekday,
    is_unordered_day,
    judge_column,
    slash_order,
)
from data.schema import Match, Resolve
from data.schema.column import Column, RecordKind, Rule
from data.workspace.folding import is_same_partner, normalize_code

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
TOWN = Message("is a town, and a village elsewhere may have the same name")
EXONYM = Message("is a name in another language, and a place in the country of that language may have it too")
APART = Message("the county, region or municipality beside it is another place")
_YEAR, _FAR, _NAMED = 365, 0.1, 6  # days; the share of rows that are far; lines in a note
_UNRESOLVED = 1_000  # Different texts; a column with more is the wrong one, and suggestions for it would be slow.


@dataclass
class Cells:
    """A column under check: one code per row, and the canonical value of each code."""

    codes: Codes
    distinct: list[Value]

    def take(self, rows: npt.NDArray[np.intp] | slice) -> list[Value]:
        """Return the values of the given rows."""
        return [self.distinct[code] for code in self.codes[rows].tolist()]


@dataclass
class Rows:
    """All rows of a file under check, with the faults found so far.

    `named` has, for each column of areas, the areas that the text of each code names; a part of an area has its own
    code there. `respelled` has the text of each code that matches the name of an area only by its sound.
    """

    kind: RecordKind
    lines: npt.NDArray[np.int64]
    cells: dict[str, Cells] = field(default_factory=dict)
    named: dict[str, list[frozenset[str]]] = field(default_factory=dict)
    wrong: dict[str, Mask] = field(default_factory=dict)
    faults: list[tuple[npt.NDArray[np.int64], str, Message, str]] = field(default_factory=list)
    respelled: dict[str, dict[int, str]] = field(default_factory=dict)
    slashes: Slashes = ""  # the order in which days such as 5/6/2007 were read; empty if there are none

    def __len__(self) -> int:
        return len(self.lines)

    def fault(self, mask: Mask, column: str, reason: Message, allowed: str) -> None:
        """Reject the rows of a mask, (n,), for a reason; `allowed` says what the column may have."""
        if mask.any():
            self.faults.append((self.lines[mask], column, reason, allowed))
            self.wrong[column] = self.wrong.get(column, np.zeros(len(self), dtype=bool)) | mask

    def fault_each(self, codes: Codes, column: str, faults: dict[int, tuple[Message, str]]) -> None:
        """Reject the rows whose code has a fault; `faults` maps a code to the reason and what is allowed."""
        if not faults:
            return
        alike: dict[tuple[Message, str], list[int]] = defaultdict(list)
        for code, fault in faults.items():
            alike[fault].append(code)
        numbers = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
        for number, members in enumerate(alike.values(), start=1):
            numbers[members] = number
        of_rows = numbers[codes]
        for number, (reason, allowed) in enumerate(alike, start=1):
            self.fault(of_rows == number, column, reason, allowed)

    def good(self, *columns: str) -> Mask:
        """Return which rows have no fault in these columns, shape (n,); by default in any column."""
        good = np.ones(len(self), dtype=bool)
        for column in columns or self.wrong:
            if column in self.wrong:
                good &= ~self.wrong[column]
        return good


def combinations(*columns: Codes) -> tuple[Codes, Codes]:
    """Return the number of each row's combination of codes, (n,), and the first row of each, (combinations,)."""
    keys = columns[0]
    for codes in columns[1:]:
        keys = pd.factorize(keys)[0] * (int(codes.max(initial=0)) + 1) + codes
    numbers, unique = pd.factorize(keys)
    first = np.zeros(len(unique), dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(keys) - 1, -1, -1)
    return numbers.astype(np.int64), first


def check_rows(
    kind: RecordKind,
    table: RawTable,
    layout: Layout,
    mapping: ColumnMapping,
    *,
    resolve: Resolve,
    partner: str | None,
    spell: Callable[[str], str],
    today: dt.date,
) -> tuple[Rows, list[str]]:
    """Check every row; return the rows with their faults, and notes on how the file was read.

    Raises FileRefused if a column of areas has more than 1,000 different texts that are no known area.
    """
    rows = Rows(kind, table.lines)
    notes: list[str] = []
    for column in kind.file_columns:
        _read_column(rows, column, table, layout, mapping, today, notes)
    around = read_surroundings(kind, table, layout, mapping, resolve, today)
    for column in kind.file_columns:
        if column.type == "area":
            notes += _resolve_areas(rows, column, resolve, around)
    if "country" in rows.cells:
        # An empty country is that of the municipality.
        countries, places = rows.cells["country"], rows.cells["municipality"]
        numbers, first = combinations(countries.codes, places.codes)
        pairs = zip(countries.take(first), places.take(first), strict=True)
        filled: list[Value] = [country or area_countries().get(str(place), "") for country, place in pairs]
        rows.cells["country"] = Cells(numbers, filled)
    if kind.name == "effort":
        _settle_weeks(rows)
    if "age_band" in rows.cells:
        _settle_births(rows, notes)
    if "partner" in rows.cells:
        _settle_partner(rows, kind.column("partner"), partner, spell)
    if "child_id" in rows.cells:
        _refuse_phrases(rows)
        _require_identifier(rows)
    for rule in kind.rules:
        _apply(rows, rule)
    return rows, notes


def _read_column(
    rows: Rows,
    column: Column,
    table: RawTable,
    layout: Layout,
    mapping: ColumnMapping,
    today: dt.date,
    notes: list[str],
) -> None:
    position = layout.columns.get(column.name)
    if position is None:
        empty: Value = None if column.numeric else column.default
        rows.cells[column.name] = Cells(np.zeros(len(rows), dtype=np.int64), [empty])
        return
    raw = table.columns[position]
    slashes = ""
    if column.type in ("date", "day_or_week"):
        slashes = slash_order(raw.distinct, mapping.slashes)
        if slashes and any(map(is_unordered_day, raw.distinct)):
            rows.slashes = cast("Slashes", slashes)
            notes += _note_order(column.name, raw.distinct, mapping.slashes)
        if judge_column(column, raw.distinct, slashes, today).is_weak:
            notes.append(
                Message(
                    "In {column}, the days lie in several months, and in fewer if day and month are exchanged. Compare "
                    "them with the partner's paper.",
                    column=column.name,
                )
            )
    names = mapping.value_names.get(column.name)
    # The partner may be named with the import instead, so an empty cell is judged later.
    lenient = replace(column, required=False) if column.name == "partner" else column
    checked = check_values(lenient, raw.distinct, today=today, names=names, slashes=slashes)
    codes = raw.codes.astype(np.int64)
    rows.cells[column.name] = Cells(codes, checked.values)
    rows.fault_each(codes, column.name, checked.faults)
    if column.name == "date":
        notes += _note_far_days(rows)
    notes += _note_weekdays(column, raw, checked)
    if column.name == "household_number":
        pairs = enumerate(zip(raw.distinct, rows.cells[column.name].distinct, strict=True))
        none = [code for code, (text, number) in pairs if text.strip() and not number and code not in checked.faults]
        if count := int(np.isin(codes, none).sum()):
            notes.append(
                Message(
                    "Rows with a sign, a word or a number such as 0 or 999 in place of a {column}: {count:,}. These "
                    "children are in no family.",
                    column=column.name,
                    count=count,
                )
            )
    if checked.several:
        count = int(np.isin(codes, list(checked.several)).sum())
        notes.append(
            Message(
                "{count:,} row has several answers in {column}: the first that says something counts."
                if count == 1
                else "{count:,} rows have several answers in {column}: the first that says something counts.",
                count=count,
                column=column.name,
            )
        )
    if checked.approximate:
        count = int(np.isin(codes, list(checked.approximate)).sum())
        notes.append(
            Message(
                "{count:,} row has an approximate age: it was read because one year more or less is in the same band."
                if count == 1
                else "{count:,} rows have an approximate age: they were read because one year more or less is in the "
                "same band.",
                count=count,
            )
        )


def _note_order(column: str, texts: list[str], given_order: str) -> list[Message]:
    """Return a note on the order of days such as 5/6/2007, if only the file says it, or if the file does not."""
    if not given_order:
        return [Message("Days like 31/05/2007 in {column} were read with the day first.", column=column)]
    if not all(slash_order(texts, order) for order in SLASHES):
        return []
    return [
        Message(
            "Days like 5/6/2007 in {column} were read with the day first: the file does not say so, but an earlier "
            "file of the partner or an answer does."
            if given_order == SLASHES[0]
            else "Days like 5/6/2007 in {column} were read with the month first: the file does not say so, but an "
            "earlier file of the partner or an answer does.",
            column=column,
        )
    ]


def _note_weekdays(column: Column, raw: RawColumn, checked: Checked) -> list[Message]:
    """Return a note on the rows in which a weekday stands beside a day that has another one."""
    if column.type not in ("date", "day_or_week"):
        return []
    pairs = zip(raw.distinct, checked.values, strict=True)
    others = [code for code, (text, day) in enumerate(pairs) if is_other_weekday(text, str(day or ""))]
    if not others:
        return []
    return [
        Message(
            "In {column}, {count:,} rows have a weekday that is not that of their day. Compare them with the partner's "
            "paper.",
            column=column.name,
            count=int(np.isin(raw.codes, others).sum()),
        )
    ]


def _note_far_days(rows: Rows) -> list[Message]:
    """Return a note on the rows, at most a tenth or one of three, whose day is over a year away from all others."""
    cells = rows.cells["date"]
    days = np.array([str(day).removeprefix("W") or "NaT" for day in cells.distinct], "datetime64[D]")[cells.codes]
    known = np.sort(days[~np.isnat(days)])
    cuts = np.flatnonzero(np.diff(known) > np.timedelta64(_YEAR, "D")) + 1
    main = max(np.split(known, cuts), key=len)
    if not 0 < len(known) - len(main) <= max(_FAR * len(known), 1) or len(main) < 2:
        return []
    far = ~np.isnat(days) & ((days < main[0]) | (days > main[-1]))
    why = Message(
        "A day more than a year before or after all others: line {lines}. Compare it with the partner's paper.",
        lines=count_more(", ".join(map(str, rows.lines[far][:_NAMED].tolist())), int(far.sum()) - _NAMED),
    )
    return [why]


def _resolve_areas(rows: Rows, column: Column, resolve: Resolve, around: Surroundings) -> list[Message]:
    """Replace the texts of a column by codes of areas; return a note if rows name a country in place of an area."""
    cells = rows.cells[column.name]
    hinted = column.name == "municipality" and "country" in rows.cells
    hints = rows.cells["country"] if hinted else Cells(np.zeros(len(rows), dtype=np.int64), [""])
    numbers, first = combinations(cells.codes, hints.codes, around.numbers)
    texts, countries, beside = cells.take(first), hints.take(first), around.numbers[first].tolist()
    codes: list[Value] = []
    named: list[frozenset[str]] = []
    faults: dict[int, tuple[Message, str]] = {}
    elsewhere: set[int] = set()
    respelled: dict[int, str] = {}
    for number, (text, country, areas) in enumerate(zip(texts, countries, beside, strict=True)):
        match = find_place(resolve, column, str(text), str(country or "") or None) if text else None
        code = around.settle(column, match, areas) if match else None
        codes.append(code or "")
        named.append(match.named if match else frozenset())
        if match and code and match.respelled:
            respelled[number] = str(text)
        if match and code is None:
            if match.code is None and country and resolve(str(text), None, column.level).code:
                elsewhere.add(number)
            else:
                faults[number] = _unplaced(column, match, str(text))
        if len(faults) > _UNRESOLVED:
            raise FileRefused(
                Message(
                    "More than {most:,} different texts in {column} are no known area. Is it the right column? The "
                    "file was not imported.",
                    most=_UNRESOLVED,
                    column=column.name,
                )
            )
    rows.cells[column.name] = Cells(numbers, codes)
    rows.named[column.name] = named
    rows.respelled[column.name] = respelled
    rows.fault_each(numbers, column.name, faults)
    if elsewhere:
        reason = Message("the country does not match the municipality")
        allowed = f"the country of the {column.name}, or an empty cell"
        rows.fault_each(numbers, "country", dict.fromkeys(elsewhere, (reason, allowed)))
    abroad = np.isin(numbers, [number for number, code in enumerate(codes) if len(str(code)) == len("IT")])
    if not column.abroad or not abroad.any():
        return []
    return [
        Message(
            "In {column}, a country stands in place of a municipality (rows: {count:,}): it is kept, and these "
            "children are in no flow.",
            column=column.name,
            count=int(abroad.sum()),
        )
    ]


def _unplaced(column: Column, match: Match, text: str) -> tuple[Message, str]:
    """Return why a text matches no area and what to write instead; unlike `match.reason`, never the text itself."""
    level, candidates = column.level, "; ".join(match.candidates)
    if match.finding == "town":
        return TOWN, f"the code of its municipality, perhaps {candidates}; or its county or country in a column"
    if match.finding in ("exonym", "apart"):
        return EXONYM if match.finding == "exonym" else APART, f"the code of the right one: perhaps {candidates}"
    if match.finding == "several":
        several = Message("may mean more than one municipality" if level else "may mean more than one area")
        return several, f"the code of the right one: {candidates}"
    if match.finding == "elsewhere":
        return Message("is not a municipality: it is {candidates}", candidates=candidates), column.limits
    if is_personal_in(column, text):
        return SEEMS_PERSONAL, column.limits
    perhaps = f"; perhaps {candidates}" if candidates else ""
    unknown = Message("is not a known municipality" if level else "is not a known area")
    return unknown, f"{column.limits}{perhaps}"


def _settle_weeks(rows: Rows) -> None:
    """Replace each week by its Monday, and fill in whether a row is a day or a week.

    A day becomes the Monday before it if its row is a week. A week is a fault if its row is a day.
    """
    days, spans = rows.cells["date"], rows.cells["span"]
    numbers, first = combinations(days.codes, spans.codes)
    pairs = [_settle(str(day), str(span)) for day, span in zip(days.take(first), spans.take(first), strict=True)]
    rows.cells["date"] = Cells(numbers, [day for day, _ in pairs])
    rows.cells["span"] = Cells(numbers, [span for _, span in pairs])
    faulty = {number: _WEEK_AS_DAY for number, (_, span) in enumerate(pairs) if span == "?"}
    rows.fault_each(numbers, "span", faulty)


_WEEK_AS_DAY = (Message("the date is a week, but span says day"), "week, or an empty cell")


def _settle(day: str, span: str) -> tuple[str, str]:
    if day.startswith("W"):
        return day[1:], "?" if span == "day" else "week"
    if span == "week" and day:
        date = dt.date.fromisoformat(day)
        return (date - dt.timedelta(days=date.weekday())).isoformat(), "week"
    return day, span or "day"


def _settle_births(rows: Rows, notes: list[str]) -> None:
    """Replace each year of birth by the band of ages on the day of the row; the year itself is not stored.

    The band is empty if the row has no day. A year of birth that is not that of a child is a fault.
    """
    ages, days = rows.cells["age_band"], rows.cells["date"]
    if not any(str(age).startswith("B") for age in ages.distinct):
        return
    numbers, first = combinations(ages.codes, days.codes)
    bands: list[Value] = []
    faults: dict[int, tuple[Message, str]] = {}
    for number, (age, day) in enumerate(zip(ages.take(first), days.take(first), strict=True)):
        try:
            born, _, band = str(age).removeprefix("B").partition(" ")
            bands.append(age if born == age else age_band_on(int(born), str(day), band) if day else "")
        except Faulty as fault:
            bands.append("")
            faults[number] = (fault.reason, fault.allowed)
    rows.cells["age_band"] = Cells(numbers, bands)
    rows.fault_each(numbers, "age_band", faults)
    notes.append(Message("Bands of ages were computed from years of birth, which are not stored."))


def _settle_partner(rows: Rows, column: Column, partner: str | None, spell: Callable[[str], str]) -> None:
    """Fill in the partner of the import if a row has no partner; `spell` gives each partner one spelling.

    A partner other than that of the import is a fault, and so is a missing partner if one is required.
    """
    cells = rows.cells["partner"]
    import_partner = partner or ""
    absent = np.array([not value and not import_partner for value in cells.distinct], dtype=bool)[cells.codes]
    others = {
        code: _OTHER_PARTNER
        for code, value in enumerate(cells.distinct)
        if value and import_partner and not is_same_partner(str(value), import_partner)
    }
    rows.cells["partner"] = Cells(cells.codes, [import_partner or spell(str(value)) for value in cells.distinct])
    if column.required:
        rows.fault(absent & rows.good("partner"), "partner", Message("missing"), column.limits)
    rows.fault_each(cells.codes, "partner", others)


_OTHER_PARTNER = (Message("another partner than the one named with the import"), "that partner, or an empty cell")


def _refuse_phrases(rows: Rows) -> None:
    """Reject phrases in place of a child's code: three words, or a word and a code that another row has.

    Where more than half of the codes are like that, they are codes.
    """
    for name in _IDENTIFIERS:
        cells = rows.cells[name]
        texts = [str(value) for value in cells.distinct]
        spaced = {code: text for code, text in enumerate(texts) if " " in text}
        if not spaced:
            continue
        others = {normalize_code(text) for text in texts if re.search(r"\d", text) and re.search(r"[^\W\d_]", text)}
        shapes = Counter(re.sub(r"\d+", "0", text) for text in spaced.values())
        most = len(set(texts) - {""}) / 2
        rare = {code: text for code, text in spaced.items() if shapes[re.sub(r"\d+", "0", text)] <= most}
        phrases = [code for code, text in rare.items() if _is_phrase(text, others)]
        if len(phrases) <= most:
            rows.fault_each(cells.codes, name, dict.fromkeys(phrases, _PHRASE))


def _is_phrase(text: str, codes: Collection[str]) -> bool:
    """Return whether a text has words around one of the codes, or three words of which two have letters alone."""
    parts = _PART.findall(text)
    if not any(part.isalpha() and len(part) >= _WORD_LETTERS for part in parts):
        return False
    spans = ((a, b) for a in range(len(parts)) for b in range(a + 1, min(a + 3, len(parts)) + 1) if b - a < len(parts))
    return (len(parts) > 2 and sum(map(str.isalpha, parts)) > 1) or any(
        normalize_code(" ".join(parts[a:b])) in codes for a, b in spans
    )


_PART = re.compile(r"[^\s()\[\],;:]+")
_WORD_LETTERS = 3
_PHRASE = (Message("is a phrase and no code of a child"), "the code of this child alone, the same at each encounter")


def _require_identifier(rows: Rows) -> None:
    empty = [np.array([v == "" for v in rows.cells[name].distinct], dtype=bool) for name in _IDENTIFIERS]
    missing = empty[0][rows.cells["child_id"].codes] & empty[1][rows.cells["programme_number"].codes]
    missing &= rows.good(*_IDENTIFIERS)
    rows.fault(missing, "child_id", Message("missing"), "the partner's identifier of the child, or a programme number")


_IDENTIFIERS = ("child_id", "programme_number")


def _apply(rows: Rows, rule: Rule) -> None:
    cells = [rows.cells[name] for name in rule.reads]
    numbers, first = combinations(*(c.codes for c in cells))
    frame = pd.DataFrame(
        {
            name: pd.Series(c.take(first), dtype=rows.kind.column(name).dtype)
            for name, c in zip(rule.reads, cells, strict=True)
        }
    )
    broken = rule.broken(frame).to_numpy(dtype=bool)
    rows.fault(broken[numbers] & rows.good(*rule.reads), rule.column, rule.reason, rule.allowed)
