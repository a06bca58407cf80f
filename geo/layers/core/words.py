"""Words of layers: numbers and states as people read them."""

from __future__ import annotations

import math

from data.message import Message, mark
from data.tables.states import WORDS

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
    """Return a number as text, with separated thousands and at most three decimals; empty for None and NaN.

    From 10 on it has at most two decimals, from 100 on at most one.
    """
    if value is None or math.isnan(value):
        return ""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.{max(1, _DIGITS - len(str(int(abs(value)))))}f}".rstrip("0").rstrip(".")


def format_margin(value: float, margin: float, state: str, least: float) -> str:
    """Return the margin of a number as text, if needed with the smallest possible true number; empty without a margin.

    least : the published number less its own margin. A true zero is never published as a number, so the true number is
    1 or more. The text names the smallest possible number if the margin alone would suggest a smaller one.
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


def describe_state(state: str, k: int, least: int = 1) -> str:
    """Return a state in words; `k` is the release's threshold. Raises KeyError for an unknown state.

    least : the smallest number that the level shows (`Release.find_threshold`): of municipalities, partners do not see
    which numbers below it are zero.
    """
    words: dict[str, str] = dict(WORDS.items())
    template, k = (words["few"], least) if state == "almost_none" and least > 1 else (words[state], k)
    return Message(template, k=k) if "{k}" in template else template
