"""Texts that people write freely, as titles and reasons: of a bearable length, and nothing about a person.

They are kept as plain text and read by many, unlike records.
"""

from __future__ import annotations

from collections.abc import Iterable

from data.errors import InputError
from data.personal.content import content_shows

LONGEST = 300


def check(texts: Iterable[str], what: str) -> None:
    """Raise InputError where a text is too long or looks like personal data; the message never repeats it.

    `what` names the texts, as "A title or note".
    """
    written = [text for text in texts if text]
    if any(len(text) > LONGEST for text in written):
        msg = f"{what} is longer than {LONGEST} characters. Shorten it."
        raise InputError(msg)
    if found := content_shows(written, "text", of_children=False):
        msg = f"{what} seems to contain {found}. Do not write anything about a person there."
        raise InputError(msg)
