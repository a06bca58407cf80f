"""The parameters of a request for features: the allowed values, for the API definition and for requests."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from data.tables.states import STATES
from geo.layers.core import Layer

MOST, USUAL = 1000, 400  # features of a page; the usual page holds each municipality once
_MOST_SKIPPED = 999_999_999
_LONGEST = 60
_FAR = 1000.0  # degrees to which a larger value of bbox is reduced
_WHOLE = re.compile(r"[0-9]{1,18}")
_DEGREES = re.compile(r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")
_PARTS = "(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})W)?(?:([0-9]{1,4})D)?"
_CLOCK = r"(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})S)?)?"
_DURATION = re.compile(f"P(?=[0-9T]){_PARTS}{_CLOCK}")
_UNITS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")

# Columns by which every collection can be filtered.
_OF_ALL: Mapping[str, Mapping[str, Any]] = {
    "code": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,20}$"},
    "country": {"type": "string", "enum": ["AL", "GR"]},
    "parent": {"type": "string", "pattern": "^[A-Za-z0-9-]{0,20}$"},
    "period": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9A-Z-]{2,12}$"},
    "state": {"type": "string", "enum": list(STATES)},
}
_MEANINGS = {
    "code": "The code of an area.",
    "country": "The country of the areas.",
    "parent": "The code of the larger area that the areas are part of.",
    "period": "A period as it stands in the column period, such as 2006-06-01/P3M.",
    "state": "The state of the number.",
    "bbox": "West, south, east, north in degrees (CRS84), or with heights between; features without a shape stay.",
    "limit": "The largest number of features of a page.",
    "offset": "How many features are passed over.",
    "datetime": "A day or time (RFC 3339), or an interval a/b in which .. leaves an end open.",
}
_OF_PAGES: Mapping[str, Mapping[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    "offset": {"type": "integer", "minimum": 0, "maximum": _MOST_SKIPPED, "default": 0},
    "bbox": {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 6,
        "oneOf": [{"minItems": count, "maxItems": count} for count in (4, 6)],
    },
    "datetime": {"type": "string", "pattern": "^[0-9A-Z:.+/-]{1,100}$"},
}


class BadRequest(Exception):
    """A request that cannot be understood. The text says why, and repeats nothing of the request."""


@dataclass(frozen=True)
class Query:
    """A request for features that was understood.

    limit, offset : the largest number of features of the page, and how many come before it. boxes : each (west, south,
    east, north) in degrees; empty for everywhere. first, last : ISO days; empty for an open end. equal : columns and
    the values that they must have. filters : all parameters except limit and offset, for links.
    """

    limit: int = USUAL
    offset: int = 0
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    first: str = ""
    last: str = ""
    equal: tuple[tuple[str, str], ...] = ()
    filters: tuple[tuple[str, str], ...] = ()


def list_filters(layer: Layer) -> dict[str, Mapping[str, Any]]:
    """Return the columns by which a layer can be filtered, each with the schema of its values (OpenAPI 3.0)."""
    choices = {option.id: {"type": "string", "enum": [c.id for c in option.choices]} for option in layer.options}
    return {**_OF_ALL, **choices}


def describe_parameters() -> dict[str, dict[str, Any]]:
    """Return the parameters that all collections share, by name, as the API definition describes them."""
    return {
        name: describe_parameter(name, schema, _MEANINGS[name]) for name, schema in {**_OF_PAGES, **_OF_ALL}.items()
    }


def describe_parameter(name: str, schema: Mapping[str, Any], meaning: str) -> dict[str, Any]:
    """Return a parameter as the API definition describes it. The style is written out, because QGIS assumes none."""
    return {
        "name": name,
        "in": "query",
        "description": meaning,
        "required": False,
        "style": "form",
        "explode": False,
        "schema": schema,
    }


def parse_query(pairs: Iterable[tuple[str, str]], layer: Layer) -> Query:
    """Return the parameters of a request for features of a layer as a Query. A larger limit counts as `MOST`.

    Raises BadRequest for an unknown or repeated parameter, and for a value that is not allowed.
    """
    parameters = list(pairs)
    asked = dict(parameters)
    filters = list_filters(layer)
    check_names(parameters, [*_OF_PAGES, *filters])
    for name, value in asked.items():
        if len(value) > 20 * _LONGEST or (name in filters and not _fits(value, filters[name])):
            raise BadRequest(f"The value of {name} is not one of those that the API definition allows.")
    first, last = _parse_times(asked["datetime"]) if "datetime" in asked else ("", "")
    return Query(
        limit=min(_parse_whole("limit", asked.get("limit", str(USUAL)), 1), MOST),
        offset=_parse_whole("offset", asked.get("offset", "0"), 0),
        boxes=_parse_box(asked["bbox"]) if "bbox" in asked else (),
        first=first,
        last=last,
        equal=tuple((name, value) for name, value in asked.items() if name in filters),
        filters=tuple((name, value) for name, value in asked.items() if name not in ("limit", "offset")),
    )


def check_names(parameters: Iterable[tuple[str, str]], allowed: Iterable[str]) -> None:
    """Raise BadRequest for a parameter that is not allowed here, or that occurs twice."""
    names, known = [name for name, _ in parameters], list(allowed)
    if not set(names) <= set(known):
        raise BadRequest(f"A parameter is unknown here. There are: {', '.join(known) or 'none'}.")
    if len(set(names)) < len(names):
        raise BadRequest("A parameter is there twice.")


def _fits(value: str, schema: Mapping[str, Any]) -> bool:
    return value in schema["enum"] if "enum" in schema else bool(re.fullmatch(schema["pattern"], value))


def _parse_whole(name: str, text: str, least: int) -> int:
    if not _WHOLE.fullmatch(text) or int(text) < least or (name == "offset" and int(text) > _MOST_SKIPPED):
        raise BadRequest(f"{name} must be a whole number of at least {least}.")
    return int(text)


def _parse_box(text: str) -> tuple[tuple[float, float, float, float], ...]:
    parts = text.split(",")
    if len(parts) not in (4, 6) or not all(map(_DEGREES.fullmatch, parts)):
        raise BadRequest("bbox must be four numbers, or six with heights, parted by commas.")
    numbers = list(map(float, parts))
    corners = numbers if len(numbers) == 4 else [*numbers[:2], *numbers[3:5]]
    west, south, east, north = (max(-_FAR, min(degrees, _FAR)) for degrees in corners)
    if south > north or not all(map(math.isfinite, numbers)):
        raise BadRequest("The south of bbox must not lie north of its north.")
    if west <= east:
        return ((west, south, east, north),)
    return ((west, south, max(west, 180.0), north), (min(east, -180.0), south, east, north))


def _parse_times(text: str) -> tuple[str, str]:
    """Return the first and the last day (ISO, UTC) of a time or interval; an open end is empty. Raises BadRequest."""
    start, slash, end = text.partition("/")
    try:
        if not slash:
            day = _parse_time(start).date().isoformat()
            return day, day
        if "P" in start:
            last = _parse_time(end)
            first = last - _parse_duration(start)
            return _order(first.date(), last.date())
        if "P" in end:
            begin = _parse_time(start)
            return _order(begin.date(), (begin + _parse_duration(end)).date())
        bounds = [None if part in ("", "..") else _parse_time(part).date() for part in (start, end)]
        return _order(*bounds)
    except (ValueError, OverflowError):
        raise BadRequest("datetime must be a time of RFC 3339, or an interval of two of them.") from None


def _order(first: date | None, last: date | None) -> tuple[str, str]:
    if first is not None and last is not None and first > last:
        raise ValueError
    return (first.isoformat() if first else "", last.isoformat() if last else "")


def _parse_time(text: str) -> datetime:
    """Return a day or time in UTC. Raises ValueError if it is neither, OverflowError if UTC has no such year."""
    if _DAY.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    if not _TIME.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text).astimezone(UTC)


def _parse_duration(text: str) -> pd.DateOffset:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError
    parts: dict[str, Any] = {name: int(n) for name, n in zip(_UNITS, match.groups(), strict=True) if n}
    return pd.DateOffset(**parts)
