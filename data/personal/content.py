"""Find personal data of children in the values of a column.

The product recognises phone numbers, coordinates, e-mail addresses, dates of birth (in a column or within a text), the
identity numbers of both countries, and full names: in place of codes, also with digits beside them, or in a column that
the product does not know. It does **not recognise** a first name among codes, a name within a sentence, or a name in a
column for organisations, because such names look like other words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

# What a column contains: categories, days and numbers; a child's identifier, hashed and never stored; the
# number of a record; names of organisations and notes; or something unknown.
Holds = Literal["coded", "identifier", "number", "text", "unknown"]

_EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[A-Za-z]{2,}")
# Each pattern begins with a literal where it can: a million record numbers are searched in a moment.
_DECIMALS = re.compile(r"\.\d\d\d")
_DEGREES = (
    re.compile(r"(?<![\d.])(?:3[3-9]|4[0-4])\.\d{3,}[\s,;]+(?:1[89]|2\d|3[01])\.\d{3,}"),
    re.compile(r"(?<![\d.])(?:1[89]|2\d|3[01])\.\d{3,}[\s,;]+(?:3[3-9]|4[0-4])\.\d{3,}"),
)
_OTHER_PLACES = (
    re.compile(r"°\s?\d{1,2}\s?['’′]"),
    re.compile(r"POINT\s?Z?\s?\("),
    re.compile(r"google\.[a-z.]{2,6}/maps|goo\.gl/maps|maps\.app\.goo\.gl|openstreetmap\.org/"),
    re.compile(r"8[GF][23456789CFGHJMPQRVWX]{6}\+[23456789CFGHJMPQRVWX]{2,3}(?!\w)"),
)
_WRITTEN_PHONES = (
    re.compile(r"\+(?<![\w.]\+)\d{1,3}(?:[ ./()-]{0,2}\d){7,12}(?!\w)"),
    re.compile(r"00(?<![\w.]00)(?:355|30|383|389|382|39|381)(?=\d*[ ./()-])(?:[ ./()-]{0,2}\d){7,11}(?!\w)"),
    re.compile(r"06(?<![\w.+-]06)[6-9]\d?(?:\) ?|[ ./-])\d{2,3}[ ./-]?\d{2,4}(?:[ ./-]?\d{2,3})?(?![\w-])"),
    re.compile(r"69(?<![\w.+-]69)\d{1,2}[ ./]\d{3,6}(?:[ ./]\d{3,4})?(?!\w)"),
)
_BARE_PHONE = re.compile(r"(?:(?:00|\+)?(?:355|30))?(?:0?6[6-9]\d{7}|69\d{8})")
_LANDLINE = re.compile(r"(?:(?:00|\+)?30)?2[1-8]\d{8}|(?:(?:00|\+)?355|0)[2-8]\d{7}")
_AMKA = re.compile(r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{7}")
_NID = re.compile(r"[A-Z]\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[A-Z]")
# Year, month and day, or day, month and year.
DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?|(\d{1,2})[./](\d{1,2})[./](\d{4})")
_EIGHT_DIGITS = re.compile(r"^((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$")
_ANY_DAY = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{2,4}(?:[T ].*)?|\d{1,2}[ .-]+[^\W\d_]{3,12}[ .,-]+\d{2,4}")
_LATITUDE = re.compile(r"(?:3[3-9]|4[0-3])[.,]\d{4,}")
_LONGITUDE = re.compile(r"(?:1[89]|2\d)[.,]\d{4,}")
# The number of a submission; one in 40,000 has digits like those of a phone number (-0030-4946-8293-).
_UUID = re.compile(r"(?:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_YEAR_ALONE = re.compile(r"((?:19|20)\d\d)")
_MONTH = r"(?:[-/. ]{1,2}(?:0?[1-9]|1[0-2])[-/. ]{1,2}|(?:st|nd|rd|th)?[ .-]{1,2}[^\W\d_]{3,12}[ .,-]{1,2})"
_WRITTEN_DAY = re.compile(
    r"(?<![\w./-])(?:((?:19|20)\d\d)[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    rf"|(?:0?[1-9]|[12]\d|3[01]){_MONTH}((?:19|20)\d\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])[./](?:0?[1-9]|1[0-2])[./](\d\d))(?![\w/-])"
)
# A million remarks are searched for these in a moment, for the patterns below in seconds.
_BORN_STEMS = ("born", "birth", "dob", "d.o.b", "lind", "γενν", "γέννη", "γενέθ", "naissance", "né ", "née ")
_BORN = (
    r"(?:\bborn\b|\bd\.?o\.?b\b|birth(?:day|date)|date of birth|dat[eë] ?lindj|dit[eë] ?lindj"
    r"|\blind(?:ur|i)\b|dat[aeë] e lindj|γεννήθ|γεννηθ|ημ\S* γ[εέ]νν|γενέθλ"
    r"|date de naissance|\bnée? (?:le|en)\b)"
    r"[^\n\d]{0,20}"
)
_BORN_ON = re.compile(_BORN + r"(?:\d{1,2}[./-]\d|\d{4}[./-]\d|\d{1,2} [^\W\d_]{3,12} \d{4})", re.IGNORECASE)
_BORN_IN = re.compile(_BORN + r"(?:19|20)\d\d", re.IGNORECASE)
_OLDEST = 25  # Years: somewhat above the age of a child who is met for the last time.
_DIGITS_IN_TEXT = re.compile(r"(?<![^\W_])(?:[A-Z]\d{8}[A-Z]|\+?\d(?:[ ./()-]{0,2}\d){6,13})(?![^\W_])")
_SEPARATORS = re.compile(r"[ ./()-]")
# Word processors and web pages put other blanks and dashes between the digits of a number.
_PLAIN_SIGNS = str.maketrans("\u00a0\u2007\u2009\u202f\u2010\u2011\u2012\u2013\u2014\u2212", "    ------")
_SAMPLE = 5_000
_MAJORITY = 0.5


def find_personal_content(
    values: list[str], holds: Holds = "unknown", *, of_children: bool = True, year: float | None = None
) -> str | None:
    """Return the kind of personal data that the distinct values of a column look like, or None.

    One value is enough if it cannot be anything else (an e-mail address, a phone number with its usual signs or
    prefix, a pair of coordinates, a text with a date of birth, a full name instead of a code). Plain digits count only
    if at least half of the values look like such a number.

    `holds`: what the column should contain. `of_children`: each row is about one child, so that a date many years
    before the record is a date of birth, and names are looked for.
    `year`: the median year of the records; without it only a word such as "born" makes a date a date of birth.
    """
    values = [value for value in values if not _UUID.fullmatch(value)]
    text = "\n".join(values)
    if not text.isascii():
        values = [value.translate(_PLAIN_SIGNS) for value in values]
        text = "\n".join(values)
    if "@" in text and _EMAIL.search(text):
        return "addresses"
    if _any(text, _OTHER_PLACES) or (_DECIMALS.search(text) and _any(text, _DEGREES)):
        return "coordinates"
    if _any(text, _WRITTEN_PHONES):
        return "phone numbers"
    if holds == "coded":
        return None
    sample, free = _sample(values), holds in ("text", "unknown")
    digits = [_SEPARATORS.sub("", value) for value in sample] if free else sample
    if sort := _numbers(text, values, digits, holds):
        return sort
    if _birth_dates(sample, year, alone=False) or (free and _birth_within(text, of_children, year)):
        return "dates of birth"
    if of_children and holds == "unknown" and _birth_dates(sample, year, alone=True):
        return "dates of birth"
    return "names" if of_children and _names(text, sample, holds) else None


def find_personal_number(text: str) -> bool:
    """Return whether one cell has a phone or identity number, an e-mail address, coordinates or a day.

    Use it for a cell that should have a category or the name of a place: there, each of these can only be about a
    person.
    """
    text = text.translate(_PLAIN_SIGNS)
    if find_personal_content([text], "text", of_children=False) or _WRITTEN_DAY.search(text):
        return True
    runs = (_SEPARATORS.sub("", match[0]) for match in _DIGITS_IN_TEXT.finditer(text.upper()))
    return any(pattern.fullmatch(run) for run in runs for pattern in (_BARE_PHONE, _LANDLINE, _AMKA, _NID))


def recognise_degrees(values: list[str]) -> str | None:
    """Return "latitude" or "longitude" if at least half of the values look like degrees in the two countries.

    Such values have at least four decimals. Returns None for other values.
    """
    sample = _sample(values)
    if _most(sample, _LATITUDE):
        return "latitude"
    return "longitude" if _most(sample, _LONGITUDE) else None


def find_birth_day(values: list[str]) -> bool:
    """Return whether any value is a whole day, such as a date of birth in a column of ages."""
    return any(_ANY_DAY.fullmatch(value.strip()) for value in values)


def _sample(values: list[str]) -> list[str]:
    return [v.strip() for v in values[:: max(1, len(values) // _SAMPLE)] if v.strip()]


def _most(sample: list[str], pattern: re.Pattern[str]) -> bool:
    hits = sum(pattern.fullmatch(value) is not None for value in sample)
    return hits > 0 and hits >= _MAJORITY * len(sample)


def _any(text: str, patterns: Iterable[re.Pattern[str]]) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _identity_numbers(sample: list[str]) -> bool:
    # The check digit distinguishes an AMKA from a record number that happens to begin with a day.
    failing = [value for value in sample if _AMKA.fullmatch(value) and not _luhn(value)]
    return _most([value.upper() for value in sample], _NID) or (
        _most(sample, _AMKA) and len(failing) < _MAJORITY * len(sample)
    )


def _numbers(text: str, values: list[str], digits: list[str], holds: Holds) -> str | None:
    """Return the kind of the phone or identity numbers of a column, or None."""
    free = holds in ("text", "unknown")
    if _most(digits, _BARE_PHONE) or (free and _most(digits, _LANDLINE)):
        return "phone numbers"
    if holds != "identifier" and _identity_numbers(digits):
        return "identity numbers"
    return None if free else _number_beside_word(text, values)


def _number_beside_word(text: str, values: list[str]) -> str | None:
    """Return the kind of the phone or identity numbers that stand beside a word in one cell, or None."""
    if not _LONG_WORD.search(text) or not _LONG_NUMBER.search(text):
        return None
    cells = (value for value in values if _LONG_NUMBER.search(value) and _LONG_WORD.search(value))
    parts = [part for cell in cells for part in _BETWEEN_PARTS.split(cell.upper()) if _LONG_NUMBER.search(part)]
    if any(map(_BARE_PHONE.fullmatch, parts)):
        return "phone numbers"
    dated = [part for part in parts if _AMKA.fullmatch(part)]
    return "identity numbers" if any(map(_NID.fullmatch, parts)) or (dated and all(map(_luhn, dated))) else None


_LONG_NUMBER = re.compile(r"\d{8}")
_LONG_WORD = re.compile(r"[^\W\d_]{4}|[^\W\d_]{2}[^\W\d_A-ZΑ-ΩÇË]")  # TIR is rather a short form
_BETWEEN_PARTS = re.compile(r"[\W_]+")


def _luhn(digits: str) -> bool:
    """Return whether the check digit of a Greek AMKA is right."""
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(digits), start=1)]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _birth_dates(sample: list[str], year: float | None, *, alone: bool) -> bool:
    """Return whether a column contains dates of birth, or, if `alone`, years of birth; False if `year` is None."""
    days = (_EIGHT_DIGITS.sub(r"\1-\2-\3", value) for value in sample)
    matches = [match for match in map((_YEAR_ALONE if alone else DAY).fullmatch, days) if match]
    if year is None or not matches or len(matches) < _MAJORITY * len(sample):
        return False
    years = sorted(int(match[1] or match[match.re.groups]) for match in matches)
    return (_YOUNGEST if alone else 2) <= year - years[len(years) // 2] <= _OLDEST


def _birth_within(text: str, of_children: bool, year: float | None) -> bool:
    """Return whether a text contains a date of birth.

    This is a date after a word such as "born", or, if rows are about children, a day 4 to 25 years before `year`.
    """
    folded = text.casefold()
    has_word = any(stem in folded for stem in _BORN_STEMS)
    if has_word and (_BORN_ON.search(text) or (of_children and _BORN_IN.search(text))):
        return True
    before = [(year or 0) - _year_of(match) for match in _WRITTEN_DAY.finditer(text)]
    return of_children and any(_YOUNGEST <= years <= _OLDEST for years in before)


def _year_of(day: re.Match[str]) -> int:
    if not day[3]:
        return int(day[1] or day[2])
    return int(day[3]) + (1900 if int(day[3]) > _LAST else 2000)


_LAST = 40  # 97 is 1997 and 05 is 2005.
_YOUNGEST = 4  # Years: a day that is only a few years earlier may be that of an earlier encounter.


def _names(text: str, sample: list[str], holds: Holds) -> bool:
    """Return whether a column has names: one full name among codes, or names in at least half of the values."""
    if holds == "unknown":
        titled = sum(_full_name(value, titled=True) for value in sample)
        return titled > 0 and titled >= _MAJORITY * len(sample)
    if holds not in ("identifier", "number"):
        return False
    if any(_full_name(part) for part in _NO_DIGIT.findall(text)):
        return True
    # Beside digits, only blanks make a name: "2007-Tirana-Durres-4" is a code. Words that stand beside many numbers are
    # the beginning of codes ("Tdh Tirana 14"): no child has a dozen numbers, nor a tenth of all.
    counts = Counter(_BESIDE_DIGITS.findall(text))
    series = max(_SERIES, _SHARE * (text.count("\n") + 1))
    beside = {part.strip(_AROUND_NAMES) for part, count in counts.items() if count < series}
    rests = (" ".join(w for w in part.split() if w.casefold() not in _CODE_WORDS) for part in beside)
    if any(_SPACED.fullmatch(rest) and _full_name(rest) for rest in rests):
        return True
    first = sum(_FIRST_NAME.fullmatch(value) is not None and value.istitle() for value in sample)
    return first > 0 and first >= _MAJORITY * len(sample)


_SERIES, _SHARE = 12, 0.1  # distinct values, and of all values
_NO_DIGIT = re.compile(r"^[^\d\n]{5,60}$", re.MULTILINE)
_BESIDE_DIGITS = re.compile(r"(?<![^\d\n])[^\d\n]{5,60}(?![^\d\n])")
_AROUND_NAMES = " ,;:.()[]/+-_\t"
_FIRST_NAME = re.compile(r"[^\W\d_]{3,20}")
_HUMP = re.compile(r"(?<=[^\W\d_])(?=[A-ZΑ-ΩÇË])(?<![A-ZΑ-ΩÇË])")
_WORD = re.compile(r"[^\W\d_]+")
# Words beside a code, or in place of one; they are no names.
_SAID_INSTEAD = (
    "unknown not known none without missing child case number code file test "
    "nuk panjohur pa femija femije fëmija fëmijë rasti numri kodi "
    "άγνωστο άγνωστος δεν χωρίς παιδί αριθμός inconnu sans enfant"
)
_NO_NAMES = frozenset(_SAID_INSTEAD.casefold().split())
# Words beside the digits of a code: what remains without them may be a name.
_WORDS_OF_CODES = (
    "record client file group centre center home house office shelter "
    "dosja dosje kartela numer numër klienti grupi qendra shtepia shtëpia zyra "
    "φάκελος φακέλου υπόθεση περίπτωση κωδικός ομάδα κέντρο γραφείο σπίτι"
)
_CODE_WORDS = frozenset(_WORDS_OF_CODES.casefold().split())


def _full_name(text: str, *, titled: bool = False) -> bool:
    """Return whether a text without digits looks like a first and a family name.

    Either each word begins with a capital and continues in lower case, or (unless `titled`) longer words are separated
    by blanks. "TIR-KOR" and "n/a" are codes.
    """
    words = _WORD.findall(_HUMP.sub(" ", text.replace("'", "").replace("’", "")))
    if not 2 <= len(words) <= 4 or not _NO_NAMES.isdisjoint(map(str.casefold, words)):
        return False
    long = [word for word in words if len(word) > 2]
    capitals = all(word[0].isupper() and not word.isupper() for word in long)
    if len(long) == 1:
        return capitals and _INITIAL.search(text) is not None
    letters = sum(map(len, long))
    spaced = _SPACED.fullmatch(text.strip()) is not None
    if capitals:
        return letters >= (6 if spaced else 8)
    return spaced and not titled and letters >= 8


_INITIAL = re.compile(r"(?<![^\W\d_])[^\W\d_]\.")
_SPACED = re.compile(r"[^\W\d_]+(?:[, ]+[^\W\d_]+)+")
