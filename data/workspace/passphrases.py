"""The rule for new passphrases: long enough, and not among the first ten thousand million that somebody would try.

The number of guesses is estimated by zxcvbn (Wheeler, USENIX Security 2016), which knows common passwords, names,
words, dates and rows of keys. It knows English; common words of the programme and its other languages are given to it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from data.errors import InputError
from data.message import Message
from data.workspace.folding import strip_accents

CHARACTERS = 12
_GUESSES = 1e10  # the fewest, as for the highest of zxcvbn's five scores
_LONGEST = 72  # characters that are looked at
_WORDS = """
passphrase tact tactmap map trafficking children child vault release backup restore terre des hommes arsis bktf
amaro drom tirana tirane tiranes durres durresi albania shqiperi shqiperia athens athina thessaloniki greece ellada
fjalekalim fjalekalimi sekret mirembrema miremengjesi pershendetje femijet femije
kodikos synthimatiko mystiko kalimera paidia
κωδικος συνθηματικο μυστικο καλημερα ελλαδα αθηνα θεσσαλονικη αλβανια παιδια
"""


def check_passphrase(text: str, characters: int = CHARACTERS, known: Collection[str] = ()) -> None:
    """Raise InputError for a new passphrase that is too short or common; the message never repeats it.

    characters : how many a passphrase needs at least. known : texts that others know of the person, such as the name.
    """
    from zxcvbn import zxcvbn

    if len(unicodedata.normalize("NFC", text)) < characters or "\0" in text:  # no keyboard types this character
        raise InputError(
            Message(
                "The passphrase needs at least {characters} characters, for example four random words. "
                "Write it down and store it in another place than what it protects.",
                characters=characters,
            )
        )
    plain = _simplify(text)
    words = [*_WORDS.split(), *(word for name in known for word in (_simplify(name), *_simplify(name).split()))]
    for reading in {plain, "".join(filter(str.isalnum, plain))}:
        if len(reading) < 2 or zxcvbn(reading[:_LONGEST], user_inputs=words)["guesses"] < _GUESSES:
            raise InputError(
                Message(
                    "The passphrase is one of those that everybody tries first: common words, names, rows of "
                    "characters, repeats and years count little. Take four random words."
                )
            )


def _simplify(text: str) -> str:
    return strip_accents(unicodedata.normalize("NFKD", text)).casefold()
