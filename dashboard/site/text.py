"""Texts: every text of the interface passes through this module, so that it can be translated.

The English text of a message is its identifier. Text from data is never a message and never HTML: `html` escapes its
values, and pages build markup only with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from unicodedata import normalize

from markupsafe import Markup, escape

from dashboard.site.cache import cache_once
from dashboard.site.catalogues import load_catalogue
from data.message import Message, mark
from data.tables.periods import Period
from geo.layers.core import words
from geo.layers.core.words import format_quantity as format_quantity

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#$:<>~|!&]")
# The languages, and their own names for themselves.
LANGUAGE_NAMES = {"en": "English", "sq": "Shqip", "el": "Ελληνικά"}
# Between thousands, before decimals, before the sign of per cent (CLDR).
SEPARATORS = {"en": (",", ".", "\u00a0"), "sq": ("\u00a0", ",", ""), "el": (".", ",", "")}
# The language of the local names in each country.
_AT_HOME = {"AL": "sq", "GR": "el"}
_MONTHS = {
    "Jan": mark("Jan"),
    "Feb": mark("Feb"),
    "Mar": mark("Mar"),
    "Apr": mark("Apr"),
    "May": mark("May"),
    "Jun": mark("Jun"),
    "Jul": mark("Jul"),
    "Aug": mark("Aug"),
    "Sep": mark("Sep"),
    "Oct": mark("Oct"),
    "Nov": mark("Nov"),
    "Dec": mark("Dec"),
}
MONTH_NAMES = (
    mark("January"),
    mark("February"),
    mark("March"),
    mark("April"),
    mark("May"),
    mark("June"),
    mark("July"),
    mark("August"),
    mark("September"),
    mark("October"),
    mark("November"),
    mark("December"),
)
_MONTH = "|".join(_MONTHS)
_PERIOD = re.compile(rf"({_MONTH})( \d{{4}})?(?: to ({_MONTH})( \d{{4}}))?")
_NUMBER = re.compile(r"([±≥+−-]?)(\d{1,3}(?:,\d{3})*|\d+)(\.\d+)?( %)?")
_P = ParamSpec("_P")
_R = TypeVar("_R")
_spoken: ContextVar[str] = ContextVar("language", default="")
_finders: list[Callable[[], str]] = []


def find_language() -> str:
    """Return the language of texts: that of the `speak` block, else that of the reader's session, else English."""
    return _spoken.get() or next((find() for find in _finders), "en")


def follow_language(find: Callable[[], str]) -> None:
    """Set the function that returns the language of texts, such as that of the session whose page is drawn."""
    _finders[:] = [find]


@contextmanager
def speak(language: str) -> Iterator[None]:
    """Use a language for all texts inside the block; English if it is not one of `LANGUAGE_NAMES`."""
    token = _spoken.set(language if language in LANGUAGE_NAMES else "en")
    try:
        yield
    finally:
        _spoken.reset(token)


@dataclass(frozen=True)
class cache_by_language:  # noqa: N801 (a decorator)
    """A cache of the results of a function, with separate results for each language."""

    maxsize: int

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Return the function with a cache of at most `maxsize` results."""

        @cache_once(maxsize=self.maxsize)
        def cached(_language: str, *args: Any, **kwargs: Any) -> _R:  # noqa: ANN401
            return function(*args, **kwargs)

        @wraps(function)
        def ask(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            return cast("Callable[..., _R]", cached)(find_language(), *args, **kwargs)

        return ask


def translate_into(language: str, message: str, /, **values: object) -> str:
    """Translate a message into a language and fill in its values; days, periods and areas are translated too."""
    # An empty message is the catalogue's own header.
    text = load_catalogue(language).gettext(message) if message else ""
    values = {name: _write_value(language, value) for name, value in values.items()}
    return text.format(**values) if values else text


def _write_value(language: str, value: object) -> object:
    if isinstance(value, date):
        return write_day(language, value)
    return _name_in(language, value) if isinstance(value, str) and language != "en" else value


def _(message: str, /, **values: object) -> str:
    """Translate a message into the language of the reader and fill in its values."""
    return translate_into(find_language(), message, **values)


def format_plural(singular: str, plural: str, count: int, **values: object) -> str:
    """Translate a message that has {count} in it, in the form for this count, and fill in its values."""
    text = load_catalogue(find_language()).ngettext(singular, plural, count)
    return text.format(count=format_number(count), **values)


def translate(text: str) -> str:
    """Translate the words of a layer: a message, a template with its values, a number, a period or an area."""
    if isinstance(text, Message):
        return _(text.template, **{n: translate(v) if isinstance(v, str) else v for n, v in text.values.items()})
    language = find_language()
    translated = load_catalogue(language).gettext(text) if text else ""
    # Layers write numbers and periods in English.
    return translated if language == "en" or translated != text else _write_in(language, text)


def translate_message(text: str) -> str:
    """Translate a message, and the messages, days and whole numbers among its values; others are not changed."""
    catalogue = load_catalogue(find_language())
    if not isinstance(text, Message):
        return catalogue.gettext(text) if text else ""
    filled = {name: _translate_value(value) for name, value in text.values.items()}
    return catalogue.gettext(text.template).format(**filled) if text.template else ""


def _translate_value(value: object) -> object:
    if isinstance(value, date):
        return format_day(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _Whole(value)
    return translate_message(value) if isinstance(value, Message) else value


class _Whole(int):
    """A whole number that is written in a message as the reader's language writes thousands."""

    def __format__(self, form: str) -> str:
        text = super().__format__(form)
        return _write_in(find_language(), text) if form == "," else text


def _write_in(language: str, text: str) -> str:
    """Return a number, a period or the name of an area as it is written in a language; other texts unchanged."""
    number = _NUMBER.fullmatch(text)
    if number is None:
        return _name_in(language, text)
    thousands, point, before_sign = SEPARATORS[language]
    sign, whole, decimals, percent = number.groups(default="")
    share = f"{before_sign}%" if percent else ""
    return f"{sign}{whole.replace(',', thousands)}{decimals.replace('.', point)}{share}"


def _name_in(language: str, text: str) -> str:
    """Return a period or the name of an area in a language; other texts unchanged."""
    period, catalogue = _PERIOD.fullmatch(text), load_catalogue(language)
    if period is None:
        return catalogue.pgettext("area", text)
    first, year, last, last_year = period.groups(default="")
    start = catalogue.gettext(_MONTHS[first]) + year
    if not last:
        return start
    return translate_into(language, _RANGE, start=start, end=catalogue.gettext(_MONTHS[last]) + last_year)


_RANGE = mark("{start} to {end}")


def capitalise(text: str) -> str:
    """Return a text with a capital first letter; its other letters stay as they are."""
    return text[:1].upper() + text[1:]


def format_number(value: float | None) -> str:
    """Return a number as it is written in the reader's language; empty for None."""
    text = words.format_number(value)
    return text if find_language() == "en" else _write_in(find_language(), text)


def describe_number_format() -> dict[str, Any]:
    """Return how a chart writes numbers in the reader's language, as a `locale` in the configuration of Vega."""
    thousands, point, before_sign = SEPARATORS[find_language()]
    signs = {"decimal": point, "thousands": thousands, "grouping": [3], "currency": ["", ""]}
    return {"number": {**signs, "percent": f"{before_sign}%"}}


def format_period(identifier: str) -> str:
    """Return the name of a period, such as "Jan to Mar 2009", in the reader's language.

    Raises InputError if `identifier` is not that of a period.
    """
    label = Period.parse(identifier).label
    return label if find_language() == "en" else _name_in(find_language(), label)


def format_month(day: date) -> str:
    """Return the name of the month of a day, such as "Jan 2009", in the reader's language."""
    return format_period(Period.starting(day.replace(day=1), "month").id)


def format_day(day: date) -> str:
    """Return a day as it is written in the reader's language, such as "17 May 2009"."""
    return write_day(find_language(), day)


def write_day(language: str, day: date) -> str:
    """Return a day as it is written in a language, such as "17 May 2009"."""
    return f"{day.day} {load_catalogue(language).gettext(MONTH_NAMES[day.month - 1])} {day.year}"


def name_area(language: str, country: str, level: str, english: str, local: str) -> str:
    """Return the name of an area in a language: its local name in the local language, else translated or English."""
    if _AT_HOME.get(country) == language:
        return local
    return (
        english if level == "municipality" or language == "en" else load_catalogue(language).pgettext("area", english)
    )


def order_name(name: str) -> str:
    """Return a key that puts names into alphabetical order, in which a letter with an accent is where it is without."""
    return normalize("NFD", name).casefold()


class _PageMarkup(Markup):
    """Markup that Streamlit uses as it is. From other texts Streamlit removes common indentation, which takes time."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


def html(template: str, *parts: object, **named: object) -> Markup:
    """Fill a template of the product's own markup with values and return it; a value that is no markup is escaped."""
    return _PageMarkup(template).format(*parts, **named)  # the template is never data


def join_markup(parts: Iterable[object]) -> Markup:
    """Join pieces of markup and return the result; pieces that are not markup are escaped."""
    return _PageMarkup("").join(escape(part) for part in parts)


def escape_markdown(text: str) -> str:
    """Return a text in which the signs of Streamlit's Markdown, with its formulas and icons, are escaped."""
    return _MARKDOWN.sub(r"\\\g<0>", text)
