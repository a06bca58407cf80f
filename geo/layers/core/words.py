"""Words of layers: messages that can be translated, numbers and states as people read them."""

from __future__ import annotations

import math
from typing import Self

from data.tables.states import WORDS


class Message(str):
    """English text that remembers its template and values, so that it can be translated later.

    It behaves as an ordinary string; the translation uses `template` as the message identifier.
    """

    __slots__ = ("template", "values")
    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Build the message from a template, filled in English."""
        self = super().__new__(cls, template.format(**values))
        self.template = template
        self.values = values
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.template, self.values)


def _rebuild(template: str, values: dict[str, object]) -> Message:
    return Message(template, **values)


def mark(text: str) -> str:
    """Return a text unchanged; the call marks it as a message identifier."""
    return text


LEVELS: dict[str, str] = {
    "country": mark("Country"),
    "region": mark("County or region"),
    "municipality": mark("Municipality"),
}
KINDS_OF_AREA: dict[tuple[str, str], str] = {("AL", "region"): mark("County"), ("GR", "region"): mark("Region")}
COMMUNITIES_NOTE = mark(
    "It shows where people live, to plan access to services; it says nothing about risk or about anybody's conduct."
)
_DIGITS = 4


def format_number(value: float | None) -> str:
    """Return a number as text: thousands separated, up to four significant digits after the point."""
    if value is None or math.isnan(value):
        return ""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.{max(1, _DIGITS - len(str(int(abs(value)))))}f}".rstrip("0").rstrip(".")


def format_margin(value: float, margin: float, state: str, least: float) -> str:
    """Return the margin of a number as text, with the least possible true number where it must be said; else empty.

    A true zero is never published as a number, so the least is 1 or more. It is said if the margin would hide this.
    """
    if math.isnan(margin):
        return ""
    text = f"±{format_number(margin)}"
    hidden = state == "number" and (value - margin < 1 or value < least)
    return Message("{margin}, at least {least}", margin=text, least=format_number(max(1.0, least))) if hidden else text


def format_quantity(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a number, or the class shown instead of it, as text; empty when there is neither."""
    if value is not None and not math.isnan(value):
        return format_number(value)
    if low is None or math.isnan(low):
        return ""
    if high is None or math.isnan(high):
        return Message("at least {low}", low=format_number(low))
    if low == high:
        return format_number(low)
    if low == 0:
        return Message("fewer than {above}, possibly none", above=format_number(high + 1))
    return Message("{low} to {high}", low=format_number(low), high=format_number(high))


def describe_state(state: str, k: int) -> str:
    """Return a state in words, with the release's threshold."""
    words: dict[str, str] = dict(WORDS.items())
    template = words[state]
    return Message(template, k=k) if "{k}" in template else template
