"""Messages: texts in English that can be translated later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self


class Message(str):
    """English text that remembers its template and values, so that it can be translated later.

    It behaves as an ordinary string; the translation uses `template` as the message identifier.
    """

    __slots__ = ("template", "values")
    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Build the message: the English template, filled with the values."""
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


def join_messages(parts: Iterable[str], between: str = " ") -> Message:
    """Join texts into one message; each part that is a message is translated separately. Empty parts are left out."""
    values: dict[str, object] = {f"part{number}": part for number, part in enumerate(filter(None, parts))}
    return Message(between.join(f"{{{name}}}" for name in values), **values)


def list_messages(parts: Iterable[str]) -> str:
    """Return texts joined as in a sentence: "a, b and c". There must be at least one text."""
    *first, last = parts
    return Message("{first} and {last}", first=join_messages(first, ", "), last=last) if first else last


def shorten(parts: Sequence[str], most: int, between: str = ", ") -> str:
    """Return the first `most` texts as one; if there are more, with the number of the others."""
    return count_more(join_messages(parts[:most], between), len(parts) - most)


def count_more(names: str, more: int) -> str:
    """Return the names and, if there are more, the number of the others."""
    return Message("{names} and {count:,} more", names=names, count=more) if more > 0 else names
