"""The rule for new passphrases: long enough, and not made of words that everybody tries first.

Common words (in the languages of the programme), rows of digits, letters or keys, repeats and years count as one
character each. That is not a measure of strength; it stops the passphrases that are guessed within minutes.
"""

import re
import unicodedata

from data.errors import InputError
from data.message import Message

CHARACTERS = 12
_MIN_REST = 8  # characters that remain when a common part counts as one
_MIN_DIFFERENT = 6
_WORDS = """
password passphrase passwort passwd parole secret welcome letmein iloveyou monkey dragon football sunshine princess
master admin administrator user login default changeme backup restore test demo tact map tactmap trafficking children
child vault release summer winter spring autumn monday tirana durres albania athens greece thessaloniki
fjalekalimi fjalekalim sekret mirembrema miremengjesi pershendetje shqiperia shqiperi tiranes durresi athina femijet
kodikos synthimatiko kalimera ellada paidia κωδικος συνθηματικο μυστικο καλημερα ελλαδα αθηνα αλβανια παιδια
"""
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm")
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_COMMON = re.compile("|".join(sorted(_WORDS.casefold().split(), key=len, reverse=True)))
_REPEAT = re.compile(r"(.{1,4}?)\1{2,}")
_YEAR = re.compile(r"(?:19|20)\d\d")


def check_passphrase(text: str, characters: int = CHARACTERS) -> None:
    """Raise InputError for a new passphrase that is too short or common; the message never repeats it.

    characters : how many a passphrase needs at least.
    """
    if len(unicodedata.normalize("NFC", text)) < characters or "\0" in text:  # no keyboard types this character
        raise InputError(
            Message(
                "The passphrase needs at least {characters} characters, for example four random words. "
                "Write it down and store it in another place than what it protects.",
                characters=characters,
            )
        )
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in folded if c.isalnum() or c in "@$!")
    readings = (plain, plain.translate(_LOOKALIKES))
    if any(len(set(reading)) < _MIN_DIFFERENT or _count_rest(reading) < _MIN_REST for reading in readings):
        raise InputError(
            Message(
                "The passphrase is one of those that everybody tries first: common words, rows of "
                "characters, repeats and years count little. Take four random words."
            )
        )


def _count_rest(text: str) -> int:
    """Return the number of characters of a text in which each common part counts as one."""
    for pattern in (_COMMON, _YEAR, _REPEAT):
        text = pattern.sub("\0", text)
    # Three or more neighbours in a row of digits, letters or keys, in either direction, count as one.
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    rest, start = [], 0
    while start < len(text):
        end = start + 3
        while end <= len(text) and any(text[start:end] in row for row in rows):
            end += 1
        rest.append(text[start])
        start = end - 1 if end > start + 3 else start + 1
    return len("".join(rest))
