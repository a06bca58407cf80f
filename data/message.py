"""Messages: texts in English that can be said in another language later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class Message(str):
    """English text that remembers its template and values, so that it can be translated later.

    It behaves as an ordinary string; the translation uses `template` as the message identifier.
    """

    __slots__ = ("template", "values")
    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
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


def join_messages(parts: Iterable[str], between: str = " ") -> Message:
    """Join texts to one message; each part that is a message is translated by itself. Empty parts are left out."""
    values: dict[str, object] = {f"part{number}": part for number, part in enumerate(filter(None, parts))}
    return Message(between.join(f"{{{name}}}" for name in values), **values)
