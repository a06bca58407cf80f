"""Several sheets of a workbook that are one table: a sheet for each month or place, and the repeats of a form.

Lists of partners have a sheet for each month or municipality, named after it, with the same headings. They are read one
after the other; a row's line is then PER_SHEET times the number of its sheet and its row. Where the rows do not say the
place, or the day has no month beside it, the name of the sheet says it. A Kobo or ODK form with a repeat (several
children of one meeting) is exported with a sheet for its submissions and one for its repeats. Each row of the repeats
is read with the cells of its submission. Its record number consists of the submission's number and the row's position
in it, so that an edited submission is a correction.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from data.errors import FileRefused
from data.message import Message, join_messages
from data.restricted.intake.headings import SURE, is_record_id, rate_headings, read_meanings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.personal_words import is_place
from data.restricted.intake.start import Grid, Start, clean_row, list_starts
from data.restricted.intake.table import Fault
from data.restricted.intake.values import find_month
from data.schema.column import RecordKind
from data.workspace.folding import fold, make_key

PER_SHEET = 1_000_000  # lines
Rows = Iterator[tuple[int, list[str] | Fault]]
ReadSheet = Callable[[Start], Rows]
Area = tuple[tuple[int, int], tuple[int, int]]  # first and last row and column of merged cells, from 1
# The heading of a repeat that names the submission, and that of the submission: in Kobo, in ODK, and in part of a Kobo.
_LINKS = (("_parent_index", "_index"), ("parent_key", "key"), ("_submission__id", "_id"))
_PARENT_SHEET = "_parent_table_name"
_LONGEST_SHEET = 31  # letters of a sheet's name in Excel
_YEAR, _FULL_YEAR = re.compile(r"(?:20)?\d\d"), re.compile(r"\b20\d\d\b")


def read_month(name: str) -> tuple[int, int] | None:
    """Return year and month of a sheet's name such as "Mars 2008" or "03 Mars"; the year is 0 if it has none.

    Returns None for a name that is not that of one month.
    """
    parts = re.findall(r"[^\W\d_]+|\d+", name)
    months = [find_month(part) for part in parts if not part.isdigit()]
    numbers = [part for part in parts if part.isdigit()]
    if len(months) != 1 or not months[0]:
        return None
    others = [number for number in numbers if int(number) != months[0]]
    if len(others) > 1 or len(numbers) - len(others) > 1 or not all(map(_YEAR.fullmatch, others)):
        return None
    return (int(others[0]) % 100 + 2000 if others else 0), months[0]


def list_tables(kinds: Iterable[RecordKind], mapping: ColumnMapping, grids: Sequence[Grid]) -> list[Start]:
    """Return where a table of one of the kinds may begin: on each sheet, and on repeats joined with their submissions.

    Raises FileRefused when a sheet or row that the mapping names is not there, or the row reads as a record.
    """
    kinds = tuple(kinds)
    starts = list_starts(kinds, mapping, grids)
    joined = (table for start in starts for table in [_join_parents(start, kinds, grids)] if table)
    scores = ((table, max(rate_headings(kind, table.headings, mapping) for kind in kinds)) for table in joined)
    return [*starts, *(replace(table, score=score) for table, score in scores)]


def find_start(kinds: Iterable[RecordKind], mapping: ColumnMapping, grids: Sequence[Grid]) -> Start:
    """Return where the table of one of the kinds begins.

    Raises FileRefused if several sheets have equally many columns and are not months, if there is no table, and as
    `list_tables` does.
    """
    kinds = tuple(kinds)
    tables = list_tables(kinds, mapping, grids)
    if not tables:
        raise FileRefused(Message("The file is empty: the row with the column names is missing."))
    best = max(table.score for table in tables)
    alike = [table for table in tables if table.score == best]
    alike = [table for table in alike if not table.repeat] or alike
    if best and all(grids[table.grid].number for table in alike):
        # An empty form has the columns too.
        alike = [table for table in alike if any(line > table.line for line, _ in grids[table.grid].rows)] or alike
        single = [table for table in tables if not table.repeat]
        joined = _join_sheets(alike, single, grids)
        if joined:
            return joined
        if len(alike) > 1:
            numbers = ", ".join(str(table.sheet) for table in alike)
            raise FileRefused(
                Message(
                    "The sheets {numbers} all have the columns of kind {kinds}. Import one at a time, by name or "
                    "number: --sheet {sheet}",
                    numbers=numbers,
                    kinds="/".join(kind.name for kind in kinds),
                    sheet=alike[0].sheet,
                )
            )
    # Of several delimiters, the one that gives the most headings.
    return max(alike, key=lambda table: 0 if grids[table.grid].number else len(table.headings))


def _join_sheets(alike: Sequence[Start], starts: Iterable[Start], grids: Sequence[Grid]) -> Start | None:
    """Return the table of all sheets that are named after months, or after places; None if a best sheet is not.

    Its columns are those of the first best sheet, then additional columns of other sheets. If only one sheet has such a
    name, or two the same, there is no table.
    """
    large = [start for start in starts if start.score >= alike[0].score / 2]
    listed = _list_months(large, grids) or _list_places(large, grids)
    if len(listed) < 2 or not all(start.grid in {other.grid for other in listed} for start in alike):
        return None
    headings = list(alike[0].headings)
    keys = set(_key_headings(headings))
    for start in listed:
        for key, heading in zip(_key_headings(start.headings), start.headings, strict=True):
            if key not in keys:
                keys.add(key)
                headings.append(heading)
    headings += dict.fromkeys(heading for start in listed for heading, _ in start.added)
    return replace(listed[0], headings=headings, score=alike[0].score, months=tuple(listed), added=())


def _list_months(starts: Iterable[Start], grids: Sequence[Grid]) -> list[Start]:
    """Return the starts on sheets named after months, none twice, each with the month and year that its days lack."""
    named = [(start, month) for start in starts if (month := read_month(grids[start.grid].name))]
    # Without a year, a sheet may be of the month of any year.
    pairs = combinations([month for _, month in named], 2)
    if any(a[1] == b[1] and (a[0] == b[0] or not (a[0] and b[0])) for a, b in pairs):
        return []
    return [_add_month(start, *month, grids[start.grid]) for start, month in named]


def _add_month(start: Start, year: int, month: int, grid: Grid) -> Start:
    """Add month and year to a start whose headings have a day alone; the year may stand above the headings."""
    meanings = _list_meanings(start.headings)
    above = {text for line, row in grid.rows if line < start.line for cell in row for text in _FULL_YEAR.findall(cell)}
    year = year or (int(above.pop()) if len(above) == 1 else 0)
    if not year or "date.day" not in meanings or meanings & {"date", "date.month", "date.year"}:
        return start
    return replace(start, added=(("Month", str(month)), ("Year", str(year))))


def _list_places(starts: Sequence[Start], grids: Sequence[Grid]) -> list[Start]:
    """Return all starts if most are on sheets named after places, none twice, each with the place that its rows lack.

    A name that is not known as a place becomes a cell too, so that it is asked about.
    """
    names = [grids[start.grid].name.strip() for start in starts]
    if 2 * sum(map(_says_place, names)) <= len(names) or len(set(map(make_key, names))) < len(names):
        return []
    lack = not any("municipality" in _list_meanings(start.headings) for start in starts)
    pairs = zip(starts, names, strict=True)
    return [replace(start, added=(("municipality", name),)) if lack else start for start, name in pairs]


def _says_place(name: str) -> bool:
    """Return whether the name of a sheet is a place, alone or behind a word such as Bashkia, or its first letters."""
    first, _, rest = name.partition(" ")
    return is_place(name) or (is_place(rest) and (first.endswith(".") or "municipality" in _list_meanings([first])))


def _list_meanings(headings: Iterable[str]) -> set[str]:
    """Return the columns of encounters that some headings surely mean."""
    pairs = (pair for heading in headings for pair in read_meanings("encounter", heading).items())
    return {name for name, sure in pairs if sure >= SURE}


def _join_parents(start: Start, kinds: Sequence[RecordKind], grids: Sequence[Grid]) -> Start | None:
    """Return the table of a sheet of repeats with the cells of its submissions; None if the sheet has no repeats.

    `score` is not set, because it depends on the meaning of the headings.
    """
    parent = _find_parent(start, grids)
    if parent is None:
        return None
    parent = _join_parents(parent, kinds, grids) or parent
    repeats = replace(start, headings=list(start.headings))
    have = {fold(heading) for heading in start.headings}
    headings = [*start.headings, *(heading for heading in parent.headings if fold(heading) not in have)]
    numbered = tuple(h for h in parent.headings if any(is_record_id(kind.name, h) for kind in kinds))
    return replace(start, headings=headings, repeat=(repeats, parent), numbered=numbered)


def read_rows(begin: Start, read_sheet: ReadSheet, notes: list[str]) -> Rows:
    """Yield the rows of a table from all its sheets. `read_sheet` yields the rows of one sheet, below its headings.

    A note says how many submissions have no row. Raises FileRefused for a month with a million rows or more.
    """
    if begin.repeat:
        yield from _read_repeats(begin, read_sheet, notes)
    elif begin.months:
        keys = _key_headings(begin.headings)
        for start in begin.months:
            yield from _read_month(start, keys, read_sheet)
    else:
        yield from read_sheet(begin)


def fill_merged(rows: Rows, merged: Iterable[Area], notes: list[str]) -> Rows:
    """Yield the rows of a sheet with the cells below the first of merged cells filled; add a note on how many.

    Cells that are merged with a cell above the rows, such as headings, stay empty, and so do rows without content.
    """
    begin: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _) in merged:
        if bottom > top:
            begin.setdefault(top, []).append((left - 1, bottom))
    current: list[tuple[int, int, str]] = []
    count = 0
    for number, row in rows:
        current = [part for part in current if part[1] >= number]
        if not isinstance(row, Fault):
            for place, _, text in current:
                if place < len(row) and text and not row[place]:
                    row[place] = text
                    count += 1
            current += [(place, last, row[place]) for place, last in begin.get(number, ()) if place < len(row)]
        yield number, row
    if count:
        notes.append(Message("Merged cells hold for each of their rows: {count:,} cells were filled.", count=count))


def describe_sheets(grids: Sequence[Grid], begin: Start) -> list[str]:
    """Return notes on which sheets were read and which were not; none if only one sheet has content."""
    if len(grids) < 2:
        return []
    if begin.months:
        names = ", ".join(grids[start.grid].name for start in begin.months)
        notes = [Message("The sheets {names} were read as one table.", names=names)]
        first = begin.months[0]
        lines = Message(
            "Lines are counted by sheet: {line} is row {row} of sheet {sheet}.",
            line=first.sheet * PER_SHEET + first.line + 1,
            row=first.line + 1,
            sheet=first.sheet,
        )
        added = ", ".join(dict.fromkeys(heading for start in begin.months for heading, _ in start.added))
        notes += [Message("Their names are read as {columns} of their rows.", columns=added)] if added else []
        return [join_messages([*notes, *_name_others(grids, {s.grid for s in begin.months})]), lines]
    if begin.repeat:
        chain = [begin]
        while chain[-1].repeat:
            chain.append(chain[-1].repeat[1])
        above: object = chain[-1].sheet
        for start in reversed(chain[1:-1]):
            above = Message("{sheet}, of sheet {above}", sheet=start.sheet, above=above)
        notes = [
            Message(
                "Each row of sheet {sheet} was read with its submission of sheet {above}.",
                sheet=begin.sheet,
                above=above,
            )
        ]
        return [join_messages([*notes, *_name_others(grids, {start.grid for start in chain})])]
    return [
        Message(
            "Only sheet {sheet} was read, of {count} sheets with content. To read another one, name it with --sheet "
            "NAME, and where they are not found, its kind with --kind and the row of its headings with --heading-row "
            "(at the desk: Something is read wrongly).",
            sheet=begin.sheet,
            count=len(grids),
        )
    ]


def note_hidden(hidden: int) -> list[Message]:
    """Return a note on the number of hidden sheets, which are not read; none if there are none."""
    if not hidden:
        return []
    return [
        Message(
            "{count} sheet of the file is hidden and was not read. If it has records, show it in the spreadsheet "
            "program and import the file again."
            if hidden == 1
            else "{count} sheets of the file are hidden and were not read. If they have records, show them in the "
            "spreadsheet program and import the file again.",
            count=hidden,
        )
    ]


def _name_others(grids: Sequence[Grid], read: set[int]) -> list[Message]:
    """Return notes on the sheets that were not read, by number, because a sheet's name may be a child's name."""
    others = [str(grid.number) for n, grid in enumerate(grids) if n not in read]
    return [Message("Not read: sheet {sheets}.", sheets=", ".join(others))] if others else []


def _key_headings(headings: Iterable[str]) -> list[tuple[str, int]]:
    """Return each heading with the number of equal headings before it, so that each pair is unique."""
    counts: Counter[str] = Counter()
    keys = []
    for heading in map(fold, headings):
        keys.append((heading, counts[heading]))
        counts[heading] += 1
    return keys


def _read_month(start: Start, keys: list[tuple[str, int]], read_sheet: ReadSheet) -> Rows:
    places = {key: n for n, key in enumerate(_key_headings(start.headings))}
    order = [places.get(key) for key in keys]
    added = {fold(heading): cell for heading, cell in start.added}
    for number, row in read_sheet(start):
        if number >= PER_SHEET:
            raise FileRefused(
                Message(
                    "Sheet {sheet} has more than {most:,} rows. Save it as CSV and import that.",
                    sheet=start.sheet,
                    most=PER_SHEET,
                )
            )
        line = start.sheet * PER_SHEET + number
        if isinstance(row, Fault):
            yield line, replace(row, line=line)
        else:
            cells = (added.get(key, "") if n is None else row[n] for n, (key, _) in zip(order, keys, strict=True))
            yield line, [*cells, *row[len(start.headings) :]]


def _find_parent(start: Start, grids: Sequence[Grid]) -> Start | None:
    """Return where the submissions of a sheet of repeats begin; None if no sheet, or more than one, may have them."""
    places = {heading.casefold(): n for n, heading in enumerate(start.headings)}
    below = [row for line, row in grids[start.grid].rows if line > start.line]

    def read_first(heading: str) -> str:
        return next((row[places[heading]].strip() for row in below if len(row) > places[heading]), "")

    for link, index in [names for names in _LINKS if names[0] in places and grids[start.grid].number]:
        others = ((n, _find_index(n, grid, index)) for n, grid in enumerate(grids) if n != start.grid)
        indexes = {n: other for n, other in others if other}
        if link == "parent_key":  # as the key of a form, or of a repeat in a repeat
            key = read_first(link)
            named = [n for n, other in indexes.items() if key and key in _list_cells(grids[n], other, index)]
        else:
            title = read_first(_PARENT_SHEET)[:_LONGEST_SHEET].casefold() if _PARENT_SHEET in places else ""
            named = [n for n in indexes if grids[n].name.strip().casefold() == title]
        alone = [n for n, parent in indexes.items() if link not in map(str.casefold, parent.headings)]
        if named or len(alone) == 1:
            return indexes[(named or alone)[0]]
    return None


def _list_cells(grid: Grid, start: Start, heading: str) -> list[str]:
    """Return the cells of a column in the first rows of a sheet."""
    place = [text.casefold() for text in start.headings].index(heading)
    return [row[place].strip() for _, row in grid.rows if len(row) > place]


def _find_index(number: int, grid: Grid, index: str) -> Start | None:
    for line, row in grid.rows:
        headings = clean_row(row)
        if index in map(str.casefold, headings):
            return Start(number, line, headings, sheet=grid.number)
    return None


def _read_repeats(begin: Start, read_sheet: ReadSheet, notes: list[str]) -> Rows:
    start, parent = begin.repeat
    submissions: dict[str, list[str]] = {}
    below, above_it = ([heading.casefold() for heading in part.headings] for part in (start, parent))
    link, key = next(names for names in _LINKS if names[0] in below and names[1] in above_it)
    index, place = above_it.index(key), below.index(link)
    for _, row in read_rows(parent, read_sheet, notes):
        if not isinstance(row, Fault):
            submissions[row[index].strip()] = row
    have = {fold(heading) for heading in start.headings}
    positions = [n for n, heading in enumerate(parent.headings) if fold(heading) not in have]
    numbered = [n for n in positions if parent.headings[n] in begin.numbered]
    width, counted = len(start.headings), Counter[str]()
    for line, row in read_sheet(start):
        if isinstance(row, Fault) or any(row[width:]):
            yield line, row
            continue
        named = row[place].strip()
        counted[named] += 1
        above = submissions.get(named)
        if above is None:
            yield (
                line,
                Fault(
                    line,
                    "",
                    Message("the submission of the row is missing"),
                    f"a row whose {start.headings[place]} is the {parent.headings[index]} of a submission",
                ),
            )
            continue
        above = [f"{cell}-{counted[named]}" if cell and n in numbered else cell for n, cell in enumerate(above)]
        yield line, [*row[:width], *(above[n] for n in positions)]
    without = len(submissions.keys() - counted.keys())
    if without:
        notes.append(
            Message(
                "Submissions of sheet {parent} without a row in sheet {sheet}, which are no records: {count}.",
                parent=parent.sheet,
                sheet=start.sheet,
                count=without,
            )
        )
