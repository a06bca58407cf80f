"""Checks of the distinct values of one column: allowed values become canonical, others are faults.

Days such as 2007-05-31 and 2007/05/31 (a time after it is dropped), 31.05.2007 and 31.5.07 (always day first), days
with the month as a word and the dates and day numbers of a spreadsheet are read. Days such as 31/05/2007 or 31-05-2007
are read day first only if the column proves it (a first number is larger than 12 and no second number is) or if the
mapping states the order. All other such days are rejected. A year of two digits is of this century, and rejected if it
would be in the future. Nothing is guessed.

Ages become bands. A year of birth is marked with a B in front. It becomes a band when the day of the record is known,
and is never stored.

The decimal sign of a number is a point; a comma is a decimal sign only before the last one or two digits (2,5).
Thousands separators are rejected. So is 1.250, unless other numbers of the column prove that its point is a decimal
sign.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial

from data.errors import InputError
from data.message import Message
from data.restricted.intake.likely_days import AS_WRITTEN, DOUBTFUL, EXCHANGED, Doubt, judge_days
from data.restricted.intake.made_ages import MadeAges
from data.restricted.intake.personal_words import SEEMS_PERSONAL, is_personal
from data.schema import words
from data.schema.column import MANY, Column
from data.tables.periods import Period
from data.workspace.folding import fold, make_key

_NO_CATEGORY = Message("not one of the categories")
UNSURE_WORD = Message("may mean more than one category")
_TWO_BANDS = Message("the age may lie in two bands")
_MADE_DATE = Message(
    "a date where an age belongs. Excel makes dates of ages such as 10-12: give the column the format Text, then type "
    "these ages again"
)
TWO_READINGS = Message("may be an age in years or the number of a band")
MISSING_CODE = Message("18 or older, or a code for an age that is not known")
UNKNOWN_WORD = (
    TWO_READINGS,
    MISSING_CODE,
    _NO_CATEGORY,
    UNSURE_WORD,
    SEEMS_PERSONAL,
    _TWO_BANDS,
)  # why a word of a category is rejected whose meaning the data officer may be asked
ERROR_CELL = Message("the row has a cell with an error")
FORMULA_CELL = "#FORMULA!"  # stands for a formula
_FORMULA = Message("the row has a formula")
PASTE_VALUES = "values: copy the cells and paste their values"
STRUCK_CELL = "#STRUCK!"  # stands for a cell that is crossed out, in a row that is not
STRUCK = Message("crossed out in the file")
NOT_STRUCK = "a row that is not crossed out: if it counts, take the line away; if not, delete it"
_ERROR = re.compile(r"#(?:N/A|N/D|NV|Δ/Υ|[^\W\d_]+(?:/0)?[!?])")  # as Excel writes it to a CSV file, in some languages
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d+")  # 412000000077 becomes 4.12E+11, and so do other codes.
_LOST_DIGITS = Message("a spreadsheet program shortened this code, so that its last digits are lost")
# A code such as 12/5, which a spreadsheet program took for the 12th of May. Another 12/5 may have become another day.
_DAY_OF_CODE = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+)?")
_MADE_DAY = Message("a spreadsheet program made a date of this code")
_WHOLE_CODE = "the whole code: give the column the format Text, then write the codes again"
_LIKE_DAY = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}")
_TICKED = frozenset(["1", "1.0", "-1", "true", "yes", "y", "x", "χ", "v", "+", "po", "ναι", "nai", "✓", "✔", "☑", "√"])
_SAYS_NOTHING = "-–—?;.·*/ "  # a cell of such signs alone is as good as empty
_NOTHING = frozenset(["null", "(null)", "<null>", "\\n", "nan", "none", "nil"])
_DIGIT = re.compile(r"\d")
PLAIN_CODE = re.compile(r"[A-Za-z]{0,4}-?[0-9]{1,9}")  # as most codes of children: a file may have a million
_NO_HOUSEHOLD = re.compile(r"(0+|9{2,})([.,]0+)?")  # 0 and 999: as a number, they would make one family of many
Value = str | int | float | None


class Faulty(InputError):
    """The error for one wrong value; `reason` does not repeat the value."""

    def __init__(self, reason: Message, allowed: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


@dataclass
class Checked:
    """Canonical values, one for each distinct value, and the faults by index of the value.

    A value with a fault is empty (None for a number). `faults`: the reason and what is allowed. `several` : the indices
    of values with several answers, of which only one was read. `approximate` : the indices of ages that are not
    exact (rreth 12) but certainly lie in one band.
    """

    values: list[Value]
    faults: dict[int, tuple[Message, str]] = field(default_factory=dict)
    several: set[int] = field(default_factory=set)
    approximate: set[int] = field(default_factory=set)


def check_values(
    column: Column, values: list[str], *, today: dt.date, names: Mapping[str, str] | None = None, slashes: str = ""
) -> Checked:
    """Check each distinct value of a column; return canonical values and faults.

    Areas stay text here, because the country is needed to find them. `names` maps a partner's values to codes;
    `slashes` is the order of days such as 31/05/2007.
    """
    theirs = {fold(text): ours for text, ours in (names or {}).items()}
    # Only in a column of our codes, which at_risk gives away, is "identified" a code, and not a word of the partner's.
    doubt = judge_column(column, values, slashes, today)
    order = theirs.get(fold(doubt.name), "")
    texts = set(map(str.strip, values)) - {""}
    of_codes = texts <= set(column.allowed) or any("_" in text for text in texts & set(column.allowed))
    read = _reader(column, today, slashes, of_codes=of_codes)
    odd = _list_odd(column, values, theirs)
    checked = Checked([])
    may_be_plain = column.type == "identifier" and column.name != "household_number" and not theirs
    for number, raw in enumerate(values):
        if may_be_plain and PLAIN_CODE.fullmatch(raw):
            checked.values.append(raw)
            continue
        text = " ".join(raw.split())
        text = theirs.get(fold(text), text) if theirs else text
        if theirs.get(fold(raw)) in column.allowed:
            checked.values.append(text)
            continue
        if _says_nothing(column, text):
            text = ""
        try:
            text = _settle_doubt(doubt, number, order, text)
            if text in odd:
                error = odd[text]()
                raise error
            checked.values.append(read(text) if text else _empty(column))
            if column.name == "age_band" and _strip_about(text)[1]:
                checked.approximate.add(number)
        except Faulty as fault:
            answers = _split_answers(column, text, read, theirs)
            if answers and column.many:
                checked.values.append(_join_answers(column, answers))
                continue
            if answers:
                checked.values.append(answers[0])
                checked.several |= {number} if answers[1:] else set()
                continue
            checked.faults[number] = (fault.reason, fault.allowed or column.limits)
            checked.values.append(None if column.numeric else "")
    return checked


def _list_odd(column: Column, values: list[str], theirs: Mapping[str, str]) -> dict[str, Callable[[], Faulty]]:
    """Return the values that the other values of their column make doubtful, with a function that makes the error."""
    if column.name not in ("age_band", "record_number") and column.type != "decimal":
        return {}
    texts = {" ".join(text.split()) for text in values} - {""}
    if column.name == "age_band" and _may_number_bands(values, theirs):
        return dict.fromkeys(filter(str.isdecimal, texts), partial(Faulty, TWO_READINGS, _CHILD_AGES))
    if column.type == "decimal" and not _proves_point(values):
        return dict.fromkeys(filter(_LIKE_THOUSANDS.fullmatch, texts), partial(Faulty, _UNSURE_POINT, _ONE_OF_BOTH))
    days = set(filter(_LIKE_DAY.fullmatch, texts)) if column.name == "record_number" else set()
    # Few are slips, perhaps days of birth; where most are days, the partner numbers so.
    return dict.fromkeys(days, partial(Faulty, SEEMS_PERSONAL, column.limits)) if 2 * len(days) < len(texts) else {}


def _settle_doubt(doubt: Doubt, number: int, order: str, text: str) -> str:
    """Return a text, or its day exchanged if the officer said so; raise Faulty for an open doubt and for an error."""
    if _ERROR.fullmatch(text):
        if text == STRUCK_CELL:
            raise Faulty(STRUCK, NOT_STRUCK)
        raise Faulty(_FORMULA if text == FORMULA_CELL else ERROR_CELL, PASTE_VALUES)
    if number not in doubt.days or order == AS_WRITTEN:
        return text
    if order != EXCHANGED:
        raise Faulty(DOUBTFUL, _TELL_ORDER)
    return doubt.exchange(number)


def _says_nothing(column: Column, text: str) -> bool:
    """Return whether a cell is as good as empty: signs alone, or words in place of a code ("no code").

    As a code, they would make all children without one the same child, or children of one family.
    """
    if column.type not in ("category", "area", "identifier") and column.name != "record_number":
        return False
    is_code = column.type == "identifier" and not _ERROR.fullmatch(text)
    is_word = is_code and not _DIGIT.search(text)  # as most codes are not: there may be a million
    no_code = is_word and words.look_up(words.index_codes("child_id.none"), text[:200]) is not None
    no_code |= column.name == "household_number" and _NO_HOUSEHOLD.fullmatch(text) is not None
    return no_code or not text.strip(_SAYS_NOTHING)


def is_blank(text: str) -> bool:
    """Return whether a cell has nothing, the word of a system for nothing (NULL), or signs alone."""
    return text.strip().casefold() in _NOTHING or not text.strip(_SAYS_NOTHING)


def slash_order(values: list[str], given_order: str) -> str:
    """Return the order of days like 31/05/2007: the given one, or "day first" if the column proves it, else "".

    A given order that some days cannot have, and the other order can, is of other files: it does not hold.
    """
    pairs = [(int(m[1]), int(m[2])) for m in map(_SLASHED.fullmatch, map(_strip_day, values)) if m]
    day_first = any(first > 12 for first, _ in pairs)
    month_first = any(second > 12 for _, second in pairs)
    if given_order:
        disproved = {"day first": month_first and not day_first, "month first": day_first and not month_first}
        return "" if disproved[given_order] else given_order
    return "day first" if day_first and not month_first else ""


def judge_column(column: Column, texts: Sequence[str], order: str, today: dt.date) -> Doubt:
    """Return which days of a column of days may have day and month exchanged; `order` is that of `slash_order`."""
    if column.type not in ("date", "day_or_week"):
        return Doubt()

    def read(text: str) -> dt.date | None:
        is_open = not order and is_unordered_day(text)
        with suppress(Faulty):
            return None if is_open else _parse_day(text, order or "day first", today)
        return None

    bare = [_strip_day(text) for text in texts]
    return judge_days(bare, read, None if column.future else today)


def is_unordered_day(text: str) -> bool:
    """Return whether a text is a day such as 5/6/2007, in which either number may be the month."""
    match = _SLASHED.fullmatch(_strip_day(text))
    return match is not None and match[1] != match[2]


def read_day(text: str, today: dt.date) -> dt.date | None:
    """Return the day of a text in any known form, with the day before the month; None if the text is not a day."""
    try:
        return _parse_day(" ".join(text.split()), "day first", today)
    except Faulty:
        return None


def _empty(column: Column) -> Value:
    # An identifier may be replaced by the programme number: the row is judged later.
    if column.required and column.type != "identifier":
        raise Faulty(Message("missing"))
    return None if column.numeric else column.default


def _reader(column: Column, today: dt.date, slashes: str, *, of_codes: bool) -> Callable[[str], Value]:
    if column.name == "age_band":
        return lambda text: _parse_age(text, column, today)
    if column.type == "category":
        return _category(column, of_codes=of_codes)
    if column.type == "date":
        return lambda text: _parse_date(text, column, today, slashes)
    if column.type == "day_or_week":
        return lambda text: _day_or_week(text, column, today, slashes)
    if column.type == "period":
        return lambda text: _parse_period(text, today)
    if column.type == "whole":
        return lambda text: _parse_whole(text, column)
    if column.type == "year":
        return lambda text: _parse_year(text, column, today)
    if column.type == "decimal":
        return lambda text: _parse_decimal(text, column)
    if column.type == "code":
        return lambda text: _check_code(text, column)
    return lambda text: _check_text(text, column)


@lru_cache(maxsize=64)
def list_spellings(name: str, allowed: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the codes of a column by the keys of their spellings: the code, its label, and words of all languages."""
    codes = dict(allowed)
    spellings = {make_key(code): code for code in codes}
    for code, text in allowed:
        spellings.setdefault(make_key(text), code)
    for key, code in words.index_codes(name).items():
        if code in codes:
            spellings.setdefault(key, code)
    return spellings


def _category(column: Column, *, of_codes: bool) -> Callable[[str], Value]:
    unsure = words.index_unsure(column.name)
    known = list_spellings(column.name, tuple(column.allowed.items()))
    spellings = {key: code for key, code in known.items() if key not in unsure}

    def read(text: str) -> Value:
        code = text if of_codes and text in column.allowed else words.look_up(spellings, text[:200])
        if code is None:
            if words.look_up(unsure, text[:200]):
                raise Faulty(UNSURE_WORD)
            raise Faulty(SEEMS_PERSONAL if is_personal(text) else _NO_CATEGORY)
        return code

    return read


_BETWEEN_ANSWERS = re.compile(r"\s*[;,/|+&]\s*")


def _split_answers(column: Column, text: str, read: Callable[[str], Value], theirs: Mapping[str, str]) -> list[Value]:
    """Return the codes of a text with several answers, "other" and "unknown" last.

    Empty if an answer is not known, if the text has only one answer, or if the column allows only one.
    """
    if not column.several:
        return []
    for parts in (_BETWEEN_ANSWERS.split(text), _and().split(text), text.split()):
        try:
            codes = [read(theirs.get(fold(part), part)) for part in parts if part]
        except Faulty:
            continue
        if len(parts) > 1:
            # The first that says something counts.
            return sorted(dict.fromkeys(codes), key=lambda code: str(code).split("_")[0] in ("other", "unknown"))
    return []


def find_unknown_part(column: Column, text: str, names: Mapping[str, str] | None = None) -> str:
    """Return the first answer that is not known, of a cell with several answers of which one is; else the whole text.

    Between blanks, as form servers write several answers, the known one must be a code of ours or of the mapping.
    """
    read = _category(column, of_codes=False)
    theirs = {fold(word): code for word, code in (names or {}).items()}

    def is_known(part: str) -> bool:
        with suppress(Faulty):
            return read(theirs.get(fold(part), part)) is not None
        return False

    for parts in (_BETWEEN_ANSWERS.split(text.strip()), _and().split(text.strip()), text.split()):
        known = {part: is_known(part) for part in parts if part}
        is_told = any(known.values())
        if parts == text.split():
            is_told = any(part in column.allowed or fold(part) in theirs for part in parts)
        if len(known) > 1 and is_told and not all(known.values()):
            return next(part for part in known if not known[part])
    return text


def _join_answers(column: Column, answers: Iterable[Value]) -> str:
    """Return the codes of a cell with many values as they are stored; one that says nothing counts only alone."""
    codes = {str(code) for code in answers}
    return MANY.join(code for code in column.allowed if code in codes - {column.default}) or column.default


@lru_cache(maxsize=1)
def _and() -> re.Pattern[str]:
    joining = "|".join(re.escape(text) for text in words.read_words()["several"])
    return re.compile(rf"\s*[;,]\s*|\s+(?:{joining})\s+", re.IGNORECASE)


_BAND = re.compile(
    r"(\d{1,2}) ?(?:-|–|—|to|or|deri(?: n[eë])?|n[eë]|ose|apo|έως|εως|ως|με|μέχρι|ή|η) ?(\d{1,2})", re.IGNORECASE
)
_AGE = re.compile(r"(\d{1,2})(?:[.,](?:0{1,2}|5))?")
_BIRTH = re.compile(r"(?:19|20)\d\d")
BOTH = " | "  # between ages and years of birth of one row
_DIFFERENT = Message("the ages, or the age and the year of birth, do not agree")
_GROWN = Message("18 or older on that day")
_CHILD_AGES = "an age from 0 to 17, a band (0-5, 6-9, 10-13, 14-17), a year of birth, or an empty cell"
_MARKS_OF_DOUBT = "~≈±?"
_WORD_AND_NUMBER = re.compile(r"[^\W\d_]+ \d{1,2}")  # nën 12 is "under 12", no day of November
_BOUND = re.compile(r"([^\W\d_][^\d]*?|[<>]) ?(\d{1,2})(?: [^\W\d_]+)?|(\d{1,2}) ?(\+)")  # mbi 14, >14 vjeç, 14+
_HALF = re.compile(r"(\d{1,2}) ?([^\W\d_]+\.?)? ?(?:½|1/2|([^\W\d_]{1,3}(?: a)? [^\W\d_]+))(?: ?([^\W\d_]+\.?))?")
_NOT_KNOWN = re.compile(
    r"(?:-\d{1,3}|88|9[789]|888|9[789]{2})(?:[.,]0+)?"
)  # of statistical programs, for an age that is not known
_YEARS_AND_MONTHS = re.compile(r"(\d{1,2}) ?([^\W\d_]+\.?),?(?: ?(?:[^\W\d_]{1,3}|&))? (\d{1,2}) ?([^\W\d_]+\.?)")
_OLDEST_CHILD, _MONTHS = 17, 12
_DOUBT = 1  # years by which an approximate age may be wrong


def _parse_age(text: str, column: Column, today: dt.date) -> str:
    """Return the band of an age or of a narrower band; for a year of birth, the year with a B in front.

    Raises Faulty for another text and for an adult, and if an approximate age or a range lies in two bands: a person
    must decide which one counts.
    """
    if BOTH in text:
        return _join_bands([_parse_age(part, column, today) for part in text.split(BOTH)])
    spellings = list_spellings(column.name, tuple(column.allowed.items()))
    if code := words.look_up(spellings, text[:200]):
        return code
    if _NOT_KNOWN.fullmatch(text):
        raise Faulty(MISSING_CODE, _CHILD_AGES)
    if ages := _read_ages(text):
        return find_band(*ages)
    exact, about = _strip_about(text)
    number, word = _strip_age_word(exact)
    if not word and not about and _BIRTH.fullmatch(number) and int(number) <= today.year:
        return f"B{number}"
    if any(map(str.isdigit, exact)):
        # Also a day without a year (10-Dec), or one that a spreadsheet made of two ages.
        words_of = re.findall(r"[^\W\d_]{3,12}", text) if not _WORD_AND_NUMBER.fullmatch(exact) else []
        if read_day(text, today) is not None or MadeAges.read(text) is not None or any(map(find_month, words_of)):
            raise Faulty(_MADE_DATE, _CHILD_AGES)
        if re.fullmatch(r"[^\W\d_]+ (1[89]|[2-9]\d)", exact):  # mbi 18
            raise Faulty(_GROWN, _CHILD_AGES)
        raise Faulty(Message("not an age or a band of ages"), _CHILD_AGES)
    raise Faulty(SEEMS_PERSONAL if is_personal(text) else _NO_CATEGORY, _CHILD_AGES)


def _may_number_bands(values: list[str], theirs: Mapping[str, str]) -> bool:
    """Return whether numbers of a column of ages may number bands: all are small, but for codes of "unknown"."""
    numbers = {text.strip() for text in values if text.strip() and fold(text) not in theirs}
    return bool(numbers & set("12345")) and numbers <= {*"0123459", "88", "98", "99"}


def _join_bands(ages: list[str]) -> str:
    """Return the one band or year of birth (B1998) of a row, or both (B1998 6-9); raise Faulty if there are two."""
    births, bands = ({age for age in ages if age.startswith("B") == born} for born in (True, False))
    if len(births) > 1 or len(bands) > 1:
        raise Faulty(_DIFFERENT, _CHILD_AGES)
    return " ".join((*births, *bands))


def is_ticked(text: str) -> bool:
    """Return whether a cell is ticked, or says yes."""
    return fold(text) in _TICKED


def is_age(text: str) -> bool:
    """Return whether a text is an age, two ages of a band, or a year of birth."""
    return _BIRTH.fullmatch(text) is not None or _read_ages(text) is not None


def _read_ages(text: str) -> tuple[int, int] | None:
    """Return the youngest and the oldest age in years that a text may mean (9 and 11 for rreth 10); None for no age."""
    if match := _BOUND.fullmatch(text):
        bound, word = int(match[2] or match[3]), match[1] or match[4]
        sense = {">": "over", "+": "over", "<": "under"}.get(word) or word_of_age(word)
        if sense == "over" and bound < _OLDEST_CHILD:
            return bound, _OLDEST_CHILD
        if sense == "under":
            return 0, bound
    match = _HALF.fullmatch(text)  # 8 vjeç e gjysmë
    if match and {word_of_age(word) for word in match.group(2, 3, 4) if word} <= {"years", "half"}:
        return int(match[1]), int(match[1])
    match = _YEARS_AND_MONTHS.fullmatch(text)
    units = (word_of_age(match[2]), word_of_age(match[4])) if match and int(match[3]) < _MONTHS else ()
    if match and units == ("years", "months"):
        return int(match[1]), int(match[1])
    exact, about = _strip_about(text)
    number, word = _strip_age_word(exact)
    if match := _BAND.fullmatch(number):
        youngest, oldest = int(match[1]), int(match[2])
    elif match := _AGE.fullmatch(number):
        doubt = _DOUBT if about else 0
        youngest, oldest = max(int(match[1]) - doubt, 0), int(match[1]) + doubt
    else:
        return None
    return (youngest // 12, oldest // 12) if word == "months" else (youngest, oldest)


def is_band_of(band: str, text: str) -> bool:
    """Return whether a band contains one of the ages that a text may mean, such as 9 to 11 for rreth 10.

    True for a text that is not about several ages, because a number may be a code of the partner's, and for a code
    that is no band, such as unknown.
    """
    dated = MadeAges.read(text)
    ages = (dated.young, dated.old) if dated else _read_ages(text)
    if ages is None or ages[0] == ages[1] or band not in _OLDEST:
        return True
    return int(band.partition("-")[0]) <= max(ages) and min(ages) <= _OLDEST[band]


def find_band(youngest: int, oldest: int) -> str:
    """Return the band in which two ages in years lie; raise Faulty if they lie in two bands, and for adults."""
    first = age_band(youngest)
    if youngest > oldest or oldest > _OLDEST[first]:
        raise Faulty(_TWO_BANDS, _CHILD_AGES)
    return first


def _strip_about(text: str) -> tuple[str, bool]:
    """Return an age without words and signs for "approximate" (rreth, περίπου, ~), and whether it had any."""
    # Numbers in digits: "8 vjeç" for "tetë vjeç".
    numbers = words.index_codes("age_band.number")
    text = " ".join(words.look_up(numbers, part) or part for part in text.split())
    bare = text.strip(f"{_MARKS_OF_DOUBT}() ")
    about = any(mark in text for mark in _MARKS_OF_DOUBT)
    match = re.fullmatch(r"(\D*)(\d|\d.*\d)(\D*)", bare)
    if not match:
        return text, False
    before, after = match[1], match[3].split()
    sense = word_of_age(before) if before else ""
    if before and sense not in ("about", "age", "years"):
        return text, False
    beside = [word for word in after if word_of_age(word) != "about"]
    return " ".join([match[2], *beside]), about or sense == "about" or len(beside) < len(after)


def _strip_age_word(text: str) -> tuple[str, str]:
    """Return an age without its unit, and the unit: "years", "months" or ""."""
    match = re.fullmatch(r"(.*\d)\s*([^\W\d_].*)", text)
    kind = word_of_age(match[2]) if match else ""
    return (match[1].strip(), kind) if match and kind in ("years", "months") else (text, "")


def word_of_age(text: str) -> str:
    """Return what a word next to an age means: years, months, half, about, birth, age, over or under; "" for others."""
    return words.look_up(words.index_codes("age_band.word"), text) or ""


_OLDEST = {"0-5": 5, "6-9": 9, "10-13": 13, "14-17": 17}  # by band, in years


def age_band(age: int) -> str:
    """Return the band of an age in years; raise Faulty for an adult."""
    for band, last in _OLDEST.items():
        if age <= last:
            return band
    raise Faulty(_GROWN, _CHILD_AGES)


def age_band_on(birth_year: int, day: str, band: str = "") -> str:
    """Return the band of a child on a day, from the year of birth and, if it is known, `band`; the day is in ISO form.

    Raises Faulty for an adult, for a year of birth after the day, and if the child cannot be in `band` on the day.
    Without a band the birthday is assumed to be the first of July, so that the age is wrong for as few children as
    possible. A child who may be 17 counts as 17.
    """
    years = int(day[:4]) - birth_year
    if years < 0:
        raise Faulty(Message("the year of birth is after the day of the encounter"), _CHILD_AGES)
    age = years if day[5:7] >= "07" else max(years - 1, 0)
    likely = age_band(17 if years == 18 else age)
    if band not in _OLDEST:
        return likely
    if band not in {age_band(min(max(possible, 0), 17)) for possible in (years - 1, years)}:
        raise Faulty(_DIFFERENT, _CHILD_AGES)
    return band


_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}.*)?")
_TWO_DAYS = re.compile(r"\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d")  # of a time in UTC (local_days.py)
_TIME = re.compile(
    r",? \d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:[ap]\.?m\.?|[πμ]\.? ?μ\.?|[pm]\.?d\.?))?$", re.IGNORECASE
)
_EIGHT_DIGITS = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
_DOTTED = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d{2})\.?")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})")
_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ ./-]*([^\W\d_]{1,12})\.?[ ,./-]*['’‘]?(\d{4}|\d{2})", re.IGNORECASE)
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,12})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", re.IGNORECASE)
_MONTH_ALONE = re.compile(r"([^\W\d_]{3,12})\.?[ ,./-]*['’‘]?(\d{4}|\d{2})")
_DAY_NUMBER = re.compile(r"(\d{5})(?:[.,]\d+)?")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})")
_FIRST_DAY_NUMBER = dt.date(1899, 12, 30)  # as Excel counts; 36526 is the first of January 2000
_LEAST_DAY_NUMBER = 18_264  # 1950: what is below it is rather another number


def _parse_date(text: str, column: Column, today: dt.date, slashes: str) -> str:
    day = _parse_day(text, slashes, today)
    return _within(day, column, today).isoformat()


def _within(day: dt.date, column: Column, today: dt.date) -> dt.date:
    if day.isoformat() < column.earliest:
        raise Faulty(Message("before {day}", day=dt.date.fromisoformat(column.earliest)))
    if day > today and not column.future:
        raise Faulty(Message("in the future"))
    return day


def _parse_day(text: str, slashes: str, today: dt.date) -> dt.date:
    text = _strip_day(text)
    if iso := _ISO.fullmatch(text):
        return _date(*map(int, iso[1].split("-")))
    if _TWO_DAYS.fullmatch(text):
        raise Faulty(Message("a time in UTC around midnight: the local day is one of two"), "the local day alone")
    if year_first := _YEAR_FIRST.fullmatch(text) or _EIGHT_DIGITS.fullmatch(text):
        return _date(*map(int, year_first.groups()))
    if dotted := _DOTTED.fullmatch(text):
        return _date(_full_year(dotted[3], today), int(dotted[2]), int(dotted[1]))
    if slashed := _SLASHED.fullmatch(text):
        first, second, year = int(slashed[1]), int(slashed[2]), _full_year(slashed[3], today)
        if not slashes and first != second:
            raise Faulty(Message("it is not clear which part is the day and which is the month"), _TELL)
        return _date(year, first, second) if slashes == "month first" else _date(year, second, first)
    if number := _DAY_NUMBER.fullmatch(text):
        return _from_day_number(int(number[1]), today)
    return _parse_named_day(text, today)


def _strip_day(text: str) -> str:
    """Return a day without its time and its weekday, such as "e hënë" or "Mon,"; another text only without blanks."""
    text = _TIME.sub("", " ".join(text.split()))
    if text[:1].isdigit() and text[-1:].isdigit():
        return text
    parts = text.split()
    for count in (2, 1):
        before, after = " ".join(parts[:count]), " ".join(parts[-count:])
        if len(parts) > count and _find_weekday(before):
            return " ".join(parts[count:])
        if len(parts) > count and _find_weekday(after):
            return " ".join(parts[:-count]).rstrip(",")
    return text


@lru_cache(maxsize=4_096)
def _find_weekday(text: str) -> int:
    """Return the number of a weekday, from 1 for Monday; 0 for another text."""
    return int(words.look_up(words.index_codes("weekday"), text) or 0)


def is_other_weekday(text: str, day: str) -> bool:
    """Return whether a text has another weekday beside its day than that day, in ISO form, has."""
    parts = text.split()
    beside = [" ".join(part) for part in (parts[:1], parts[:2], parts[-1:], parts[-2:])]
    weekday = max(map(_find_weekday, beside), default=0) if _ISO.fullmatch(day) else 0
    return weekday not in (0, dt.date.fromisoformat(day[:10]).isoweekday() if weekday else 0)


def _parse_named_day(text: str, today: dt.date) -> dt.date:
    """Return a day whose month is a word of one of the languages."""
    if named := _NAMED.fullmatch(text):
        day, name, year = named.groups()
    elif named := _NAMED_FIRST.fullmatch(text):
        name, day, year = named.groups()
    else:
        alone = _MONTH_ALONE.fullmatch(text)
        raise Faulty(Message("the day is missing") if alone and find_month(alone[1]) else Message("not a date"))
    month = find_month(name)
    if not month:
        raise Faulty(Message("not a date"))
    return _date(_full_year(year, today), month, int(day))


def find_month(name: str) -> int:
    """Return the number of a month by its name or short name in one of the languages; 0 for another word."""
    return int(words.look_up(words.index_codes("month"), name) or 0)


def _from_day_number(number: int, today: dt.date) -> dt.date:
    day = _FIRST_DAY_NUMBER + dt.timedelta(days=number)
    if number < _LEAST_DAY_NUMBER or day.year > today.year + 10:
        raise Faulty(Message("not a date"))
    return day


def _full_year(year: str, today: dt.date) -> int:
    if len(year) == 4:
        return int(year)
    if 2000 + int(year) > today.year:
        raise Faulty(Message("a year with only two digits"))
    return 2000 + int(year)


_TELL_ORDER = f"the same days as texts (31.05.2007), or the answer to a question: {AS_WRITTEN!r} or {EXCHANGED!r}"
_TELL = "2007-05-31, or the order of day and month in the partner's mapping"


def _date(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise Faulty(Message("a day that does not exist")) from None


def _day_or_week(text: str, column: Column, today: dt.date, slashes: str) -> str:
    """Return an ISO day; for a week, its Monday with a W in front."""
    week = _WEEK.fullmatch(text.upper())
    if not week:
        return _parse_date(text, column, today, slashes)
    try:
        monday = dt.date.fromisocalendar(int(week[1]), int(week[2]), 1)
    except ValueError:
        raise Faulty(Message("a week that does not exist")) from None
    return f"W{_within(monday, column, today).isoformat()}"


def _parse_period(text: str, today: dt.date) -> str:
    interval = f"{text}-01-01/P1Y" if re.fullmatch(r"\d{4}", text) else text.upper()
    try:
        period = Period.parse(interval)
    except (InputError, ValueError, OverflowError):
        raise Faulty(Message("not a period")) from None
    aligned = period.grain == "whole" or period.start.day == 1
    if period.end < period.start or not aligned:
        raise Faulty(Message("not a period"))
    if period.start > today:
        raise Faulty(Message("in the future"))
    return period.id


_WHOLE = re.compile(r"[+-]?\d{1,15}(?:\.0{1,2})?")
_DECIMAL = re.compile(r"[+-]?\d{1,15}(?:\.\d+|,\d{1,2})?(?:[eE][+-]?\d{1,2})?")
_LIKE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_UNSURE_POINT = Message("it is not clear whether the point separates thousands or decimals")
_ONE_OF_BOTH = "1250, or 1.25"


def _parse_whole(text: str, column: Column) -> int:
    if not _WHOLE.fullmatch(text):
        raise Faulty(Message("not a whole number"))
    return int(_check_range(int(text.partition(".")[0]), column))


def _parse_year(text: str, column: Column, today: dt.date) -> int:
    year = _parse_whole(text, column)
    if year > today.year:
        raise Faulty(Message("in the future"))
    return year


def _parse_decimal(text: str, column: Column) -> float:
    if not _DECIMAL.fullmatch(text):
        raise Faulty(Message("not a number"))
    return _check_range(float(text.replace(",", ".")), column)


def _proves_point(values: list[str]) -> bool:
    """Return whether a number of a column has a decimal point for certain, and none has a decimal comma."""
    numbers = [text for text in map(str.strip, values) if _DECIMAL.fullmatch(text)]
    return not any("," in text for text in numbers) and any(
        "." in text and not _LIKE_THOUSANDS.fullmatch(text) for text in numbers
    )


def _check_range(number: float, column: Column) -> float:
    if column.minimum is not None and number < column.minimum:
        raise Faulty(Message("negative" if number < 0 else "too small"))
    if column.maximum is not None and number > column.maximum:
        raise Faulty(Message("too large"))
    return number


def _check_code(text: str, column: Column) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", text) or len(text) > column.longest:
        raise Faulty(Message("not a code"))
    return text


def _check_text(text: str, column: Column) -> str:
    if column.type == "identifier" or column.name == "record_number":
        if _SHORTENED.fullmatch(text):
            raise Faulty(_LOST_DIGITS, _WHOLE_CODE)
        if _DAY_OF_CODE.fullmatch(text):
            raise Faulty(_MADE_DAY, _WHOLE_CODE)
    if len(text) > column.longest:
        raise Faulty(Message("longer than {count} characters", count=column.longest))
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    if not text.isprintable():
        raise Faulty(Message("contains an invisible character"))
    return text
