"""Checks of free texts such as titles and reasons: one line, not too long, and nothing about a person.

Unlike records, they are stored as plain text, and many people read them. Names of persons are not recognised: they look
like names of places and organisations, which such texts are about.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from data.errors import InputError
from data.message import Message
from data.personal.content import Holds, find_personal_content

LONGEST = 300
WRITE_NO_NAME = Message("Write no name of a person: the program does not recognise names.")


def _is_hidden(letter: str) -> bool:
    """Return whether a character is a control or format character, or ends a line or paragraph."""
    kind = unicodedata.category(letter)
    return kind[0] == "C" or kind in ("Zl", "Zp")


def check_free_text(texts: Iterable[str], what: Message) -> None:
    """Raise InputError if a text is not one line, has over LONGEST characters, or looks like personal data.

    The message never repeats the text. `what` names the texts in the message, for example "A title or note".
    """
    nonempty = [text for text in texts if text]
    if any(len(text) > LONGEST for text in nonempty):
        raise InputError(Message("{what} is longer than {most} characters. Shorten it.", what=what, most=LONGEST))
    if any(_is_hidden(letter) for text in nonempty for letter in text):
        raise InputError(Message("{what} has line breaks or invisible characters. Write it in one line.", what=what))
    # Read as a code too: there, a number of a person beside a word is found.
    readings: tuple[Holds, ...] = ("text", "number")
    sorts = (find_personal_content([text], holds, of_children=False) for text in nonempty for holds in readings)
    if sort := next(filter(None, sorts), None):
        raise InputError(
            Message(
                "{what} seems to contain {sort}. Do not write anything about a person there.",
                what=what,
                sort=Message(sort),
            )
        )
