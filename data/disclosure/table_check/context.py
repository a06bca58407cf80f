"""What each row and column of a table is about: areas, periods and categories, in headings and cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from data.disclosure.table_check.reading import Numbers, holds_digits, read_numbers
from data.message import mark
from data.personal.content import DAY, find_birth_day, find_personal_content, recognise_degrees
from data.personal.headings import find_personal_heading, is_about_others
from data.schema.words import index_codes, index_headings, look_up
from data.tables.periods import Period
from data.tables.spec import CATEGORIES, LEVELS, TIERS
from data.tables.states import STATES
from data.workspace.folding import make_key
from data.workspace.types import Ints

FindAreas = Callable[[str], Collection[str]]
ALL_AREAS = "*"
_ALL = ("all", "both", "both countries", "together", "te_gjitha", "bashke", "ολα", "μαζι")
_WHOLE = (
    *_ALL,
    "total",
    "gjithsej",
    "συνολο",
    "whole",
    "whole programme",
    "all years",
    "i gjithe programi",
    "ολο το προγραμμα",
)
_ORIGINS = ("origin", "from", "area of origin", "nga", "origjina", "απο", "προελευση")
_TEXTS = frozenset(("source", "note", "unit", "status", "data", "tier", "release", "state", "state_words", "licence"))
_LONGEST = 60  # letters of the name of an area
_LEVEL = re.compile(r"(?<!\d)9[059](?!\d)")  # of an interval
_INTERVAL = re.compile(
    r"low|upp|high|\bci\b|interval|bound|limit|poshtem|siperm|besim|kufi|κατω|ανω|διαστημα|οριο|εμπιστοσυνη"
)
_PER = re.compile(r"(?<!\d)(?:10{0,2}(?:[.,\s]?000)+|100|95\s?%)(?!\d)")  # of a rate, a share or an interval
_BETWEEN_WORDS = re.compile(r"[\s,;:=()]+")
_MOST = 0.6  # of the cells of a column, for it to be one of areas, periods or categories
_PERSONAL = frozenset(("names", "dates of birth", "phone numbers", "coordinates", "addresses", "identity numbers"))
_IN_TEXT = re.compile(r"(?<![\d.,])((?:19|20)\d\d)(?:\s?[-/–]\s?((?:19|20)\d\d|\d\d))?(?![\d.,])")
_WORD = re.compile(r"[^\W\d_]+")
_ENDS = 2  # the first and the last month of a period
_FIGURE = re.compile(r"(?<![\d.,])\d[\d.,]* \([^()]*\)")
_DAYS = mark("days of encounters")


@dataclass(frozen=True)
class Known:
    """The content of the releases that the headings and cells of a table may name.

    parents, levels: the parent and the level of each area. periods, releases: their names. find_areas: a function that
    returns the codes that a name may mean. texts: sources and notes of public figures. figures: public figures with
    their source, as in the notes of maps.
    """

    parents: Mapping[str, str]
    levels: Mapping[str, str]
    periods: tuple[str, ...]
    releases: tuple[str, ...]
    find_areas: FindAreas
    texts: tuple[str, ...] = ()
    figures: frozenset[str] = frozenset()

    @cached_property
    def period_words(self) -> dict[str, str]:
        """The period of each text that names one, by the text's key; 2007 names the year that begins in 2007."""
        words: dict[str, str] = {}
        for name in sorted(self.periods, key=lambda name: Period.parse(name).grain != "year"):
            period = Period.parse(name)
            first, last = period.start.year, period.end.year
            named = [name, period.label, f"{period.start} {period.end}"]
            if period.grain in ("year", "whole"):
                named += [f"{first}-{last}", f"{first}-{last % 100:02}"] if first < last else []
                named += [str(first)] if period.grain == "year" else _WHOLE
            for text in named:
                words.setdefault(make_key(text), name)
        return words

    @cached_property
    def days(self) -> frozenset[str]:
        """The first and last days of periods, in the form of ISO 8601."""
        spans = [Period.parse(name) for name in self.periods]
        return frozenset(day.isoformat() for span in spans for day in (span.start, span.end))

    def holds_number(self, text: str) -> bool:
        """Return whether a text has digits that belong to nothing that a release names.

        Allowed are periods and their first and last days, area codes, names of releases, and public figures with their
        sources and notes.
        """
        if not holds_digits(text) or make_key(text) in self.period_words or _read_day(text) in self.days:
            return False
        text = _FIGURE.sub(lambda m: " " if m[0] in self.figures else m[0], text)
        for name in (*self.releases, *self.texts):
            text = text.replace(name, " ")
        # In 2006/05 the second number is no year.
        rest = _IN_TEXT.sub(
            lambda m: " " if not m[2] or int(m[1]) + 1 == int(m[1][: -len(m[2])] + m[2]) else m[0], text
        )
        words = _BETWEEN_WORDS.split(rest)
        return any(holds_digits(word) for word in words if word.isdigit() or word not in self.levels)

    def name_areas(self, text: str) -> frozenset[str]:
        """Return the codes of the areas that a code or name may mean; empty if there is none."""
        bare = text.lstrip("'")
        if bare in self.levels:
            return frozenset({bare})
        return frozenset(self.levels.keys() & set(self.find_areas(bare))) if len(bare) <= _LONGEST else frozenset()

    def find_period(self, text: str) -> str | None:
        """Return the period that a text names or contains; None if there is none, or if the text names several years.

        "June 2006 to May 2007" is one period, if a release has it.
        """
        if period := self.period_words.get(make_key(text)):
            return period
        inside = list(_IN_TEXT.finditer(text))
        if not inside:
            return None
        months = [month for word in _WORD.findall(text) if (month := look_up(index_codes("month"), word))]
        first, last = inside[0][1], inside[-1][1]
        if len(months) == _ENDS:
            return self.period_spans.get((f"{first}-{int(months[0]):02}", f"{last}-{int(months[1]):02}"))
        return self.period_words.get(make_key(inside[0][0])) if first == last else None

    @cached_property
    def period_spans(self) -> dict[tuple[str, str], str]:
        """The period for each pair of its first and last month, both written as 2006-06."""
        spans = ((Period.parse(name), name) for name in self.periods)
        return {(f"{p.start:%Y-%m}", f"{p.end:%Y-%m}"): name for p, name in spans}

    def drop_periods(self, text: str) -> str:
        """Return a text without years; empty if the whole text names a period."""
        return "" if make_key(text) in self.period_words else _IN_TEXT.sub(" ", text)


@dataclass(frozen=True, eq=False)
class Column:
    """A column of numbers, its position in the sheet (from 0), and the period and categories that its heading names."""

    heading: str
    position: int
    numbers: Numbers
    period: str | None = None
    codes: frozenset[str] = frozenset()


@dataclass(eq=False)
class Context:
    """The rows of a sheet: area and period ("" if unknown) and categories of each row; and the columns of numbers.

    size: the number of rows. has_areas: whether rows name areas. personal: headings of columns with personal data, each
    with its kind. texts: headings of columns of words that are none of these. headings: those that contain a number.
    rows: the position of each row in the sheet. wide: the column from which each row was taken, if columns of the sheet
    were turned into rows (wide.py).
    """

    known: Known
    size: int
    has_areas: bool = False
    areas: list[str] = field(default_factory=list)
    periods: list[str] = field(default_factory=list)
    codes: list[frozenset[str]] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    personal: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    rows: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    wide: list[Column] = field(default_factory=list)

    def take(self, rows: Ints) -> Context:
        """Return the context of the given rows, without columns."""
        areas, periods = ([values[row] for row in rows] for values in (self.areas, self.periods))
        return Context(self.known, len(rows), self.has_areas, areas, periods, [self.codes[row] for row in rows])


def read_context(cells: pd.DataFrame, known: Known) -> Context:
    """Find the area, period and categories of each row of a sheet, and its columns of numbers."""
    context = Context(known, len(cells), codes=[frozenset()] * len(cells), rows=np.arange(len(cells)))
    areas: list[tuple[str, list[frozenset[str]]]] = []
    for position, heading in enumerate(map(str, cells.columns)):
        texts = [str(text) for text in cells[heading]]
        words: Sequence[object] = ()  # what each cell means, where the column is no column of numbers
        if cell_areas := _read_areas(texts, known):
            areas.append((heading, cell_areas))
            words = cell_areas
        elif periods := _read_column(texts, known.find_period if _may_be_period(texts) else known.period_words.get):
            context.periods = context.periods or periods
            words = [known.period_words.get(make_key(text)) for text in texts]
        elif releases := _read_column(texts, lambda text: text if text in known.releases else None):
            words = releases  # each number is looked up in all of them
        elif make_key(heading) not in _TEXTS and (categories := _read_column(texts, find_category)):
            context.codes = [a | b for a, b in zip(context.codes, map(_code, categories), strict=True)]
            words = categories
        elif kind := _find_personal(heading, texts, known):
            context.personal.append((heading, kind))
            continue
        column = _describe(heading, position, texts, known, words)
        if column.numbers.present.any() or column.numbers.unread.any():
            context.columns.append(column)
        elif not words and not known.days.union(("",), STATES, LEVELS, TIERS).issuperset(texts):
            context.texts.append(heading)
        if _names_number(heading, known):
            context.headings.append(heading)
    _choose_areas(context, areas)
    context.periods = context.periods or [""] * context.size
    return context


def find_category(text: str) -> str | None:
    """Return the code of a category, "all" for a total; None if the text is neither."""
    if _is_total(text):
        return "all"
    breakdown, _, code = text.partition("-")
    text = code if code in CATEGORIES.get(breakdown, ()) else text
    if any(text in codes for codes in CATEGORIES.values()):
        return text
    words = ((look_up(index_codes(breakdown), text), codes) for breakdown, codes in CATEGORIES.items())
    return next((word for word, codes in words if word in codes), None)


def _is_total(text: str) -> bool:
    return make_key(text) in _ALL or look_up(index_headings("total"), text) is not None


def _code(category: str) -> frozenset[str]:
    return frozenset() if category in ("all", "") else frozenset({category})


def _read_column(texts: Sequence[str], read: Callable[[str], str | None]) -> list[str]:
    """Return what `read` finds in each cell, "" for nothing; an empty list if it finds nothing in too many cells."""
    meaning = {text: read(text) or "" for text in set(texts) if text}
    there = [text for text in texts if text]
    named = [text for text in there if meaning[text]]
    enough = there and len(named) >= _MOST * len(there)
    return [meaning.get(text, "") for text in texts] if enough else []


def _may_be_period(texts: list[str]) -> bool:
    return all(len(text) <= 40 for text in texts) and not find_birth_day(texts)


def _read_day(text: str) -> str | None:
    """Return the day in the form of ISO 8601 if the whole text is a day, else None."""
    day = DAY.fullmatch(text)
    return f"{day[1] or day[6]}-{int(day[2] or day[5]):02}-{int(day[3] or day[4]):02}" if day else None


def _read_areas(texts: Sequence[str], known: Known) -> list[frozenset[str]]:
    """Return the areas that each cell may mean; empty if this is not a column of areas."""
    meaning = {text: known.name_areas(text) for text in set(texts) if text}
    there = [text for text in texts if text]
    # Plain numbers are codes of municipalities only if nearly all of them are.
    most = 0.95 if all(text.isdigit() for text in there) else _MOST
    named = sum(bool(meaning[text]) for text in there)
    rest = sum(map(_is_total, there))
    if not there or not named or named + rest < most * len(there):
        return []
    return [frozenset({ALL_AREAS}) if _is_total(text) else meaning.get(text, frozenset()) for text in texts]


def _choose_areas(context: Context, columns: list[tuple[str, list[frozenset[str]]]]) -> None:
    """Set the area of each row from the column that distinguishes most areas, and add origins to the categories.

    columns: the heading of each column of areas, and the areas that each of its cells may mean.
    """
    context.areas = [""] * context.size
    context.has_areas = bool(columns)
    if not columns:
        return
    origins = [cell_areas for heading, cell_areas in columns if make_key(heading).replace("_", " ") in _ORIGINS]
    others = [cell_areas for _, cell_areas in columns if not any(cell_areas is origin for origin in origins)] or origins
    best = max(others, key=lambda cell_areas: (len(set(cell_areas)), -sum(map(len, cell_areas))))
    context.areas = choose_areas(best, context.known)
    for origin in origins if others is not origins else []:
        context.codes = [
            a | (frozenset({min(b)}) if b else frozenset()) for a, b in zip(context.codes, origin, strict=True)
        ]


def choose_areas(meanings: Sequence[frozenset[str]], known: Known) -> list[str]:
    """Return, for each name, one of the areas that it may mean (`meanings`); "" if it means none.

    Preferred is the level that most of the names with only one meaning have; at this level, the first code.
    """
    levels = known.levels
    votes = Counter(levels[next(iter(codes))] for codes in meanings if len(codes) == 1 and not codes & {ALL_AREAS})
    ranked = sorted(("region", "municipality", "country"), key=lambda level: -votes[level])
    return [
        min(codes, key=lambda code: (ranked.index(levels[code]) if code in levels else 0, code)) if codes else ""
        for codes in meanings
    ]


def _find_personal(heading: str, texts: Sequence[str], known: Known) -> str | None:
    """Return the kind of personal data in a column, or None. Days of records are personal, days of periods are not."""
    distinct = sorted({text for text in texts if text}.difference(known.texts))
    if kind := find_personal_heading(heading, _PERSONAL):
        return kind
    days = [day for text in distinct if (day := _read_day(text))]
    if days and len(days) >= _MOST * len(distinct):
        return None if known.days.issuperset(days) else _DAYS
    if find_birth_day(distinct):
        return _DAYS
    plain = make_key(heading) in _TEXTS or is_about_others(heading)
    kind = find_personal_content(distinct, "text" if plain else "unknown")
    return kind or ("coordinates" if recognise_degrees(distinct) else None)


def _names_number(heading: str, known: Known) -> bool:
    """Return whether a heading has a number that may come from a record.

    Allowed are periods, categories, words that begin with a letter (x1), bases of rates, and levels of intervals.
    """
    plain = _LEVEL.sub(" ", heading) if _INTERVAL.search(make_key(heading)) else heading
    words = _BETWEEN_WORDS.split(_PER.sub(" ", plain))
    return any(known.holds_number(w) for w in words if w and not w[0].isalpha() and not find_category(w))


def _describe(heading: str, position: int, texts: Sequence[str], known: Known, words: Sequence[object]) -> Column:
    """Return a column of numbers, with the period and category that its heading names.

    words: the meaning of each cell of a column of words, empty for a column of numbers. Cells of words have no number;
    those without a meaning are unread if they hold digits.
    """
    numbers = read_numbers([""] * len(texts) if words else texts)
    clear = words or numbers.present
    unread = [not known_word and known.holds_number(text) for known_word, text in zip(clear, texts, strict=True)]
    numbers = replace(numbers, unread=np.array(unread))
    rest = heading
    for name in known.releases:
        rest = rest.replace(name, " ")
    period = known.find_period(rest)
    parts = re.split(r"[^\w-]+|_", _IN_TEXT.sub(" ", rest))
    named = [find_category(text) for text in (_IN_TEXT.sub(" ", rest).strip(" _-,()"), *parts) if text]
    codes = next((_code(code) for code in named if code), frozenset())
    return Column(heading, position, numbers, period, codes)
