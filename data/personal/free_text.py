"""Checks of free texts such as titles and reasons: not too long, and nothing about a person.

Unlike records they are stored as plain text and read by many.
"""

from __future__ import annotations

from collections.abc import Iterable

from data.errors import InputError
from data.personal.content import find_personal_content

LONGEST = 300


def check_free_text(texts: Iterable[str], what: str) -> None:
    """Raise InputError if a text is too long or looks like personal data; the message never repeats it.

    `what` names the texts in the message, for example "A title or note".
    """
    written = [text for text in texts if text]
    if any(len(text) > LONGEST for text in written):
        raise InputError(f"{what} is longer than {LONGEST} characters. Shorten it.")
    if sort := find_personal_content(written, "text", of_children=False):
        raise InputError(f"{what} seems to contain {sort}. Do not write anything about a person there.")
