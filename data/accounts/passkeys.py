"""Passkeys: a key pair of a phone, a computer or a security key, in place of the code of an app (Web Authentication).

A passkey signs for the origin that the browser shows, so a page that imitates this map gets no usable signature. The
passkey signs a challenge of this map for one browser and one purpose, which can be used once within half an hour. The
library is loaded only when a passkey is used.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from data.accounts.attempts import take_once
from data.accounts.database import Accounts
from data.accounts.proof import hash_secret

SIGN_IN = "sign in"  # a purpose of a challenge; the others: name_invitation and name_addition
SECONDS = 1800.0  # for which a challenge is valid; attempts.py notes used ones for longer
MOST = 10  # of a person
_NAME = "TACT Map"


@dataclass(frozen=True)
class Challenge:
    """The challenge that a passkey signs.

    origin : that of the map. value : the bytes to sign. moment : when it was made, in seconds since 1970, which the
    form sends back.
    """

    origin: str
    value: bytes
    moment: str

    @property
    def host(self) -> str:
        """The host name to which passkeys belong."""
        return urlsplit(self.origin).hostname or ""

    @property
    def key(self) -> str:
        """The key under which the use of the challenge is noted."""
        return f"challenge {self.value.hex()}"

    def write_options(self, person: tuple[str, str] | None = None) -> str:
        """Return the options that dashboard/static/passkey.js passes to the browser, as JSON; bytes are in base 64.

        person : handle and name of the person who makes a passkey, see `Passkeys.make_handle`; None to sign in.
        """
        options: dict[str, Any] = {
            "challenge": _encode(self.value),
            "timeout": SECONDS * 1000,
            "userVerification": "preferred",
        }
        if person is None:
            return json.dumps({**options, "rpId": self.host})
        handle, name = person
        return json.dumps(
            {
                **options,
                "rp": {"id": self.host, "name": _NAME},
                "user": {"id": handle, "name": name, "displayName": name},
                "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in (-7, -257, -8)],
                # The passkey itself says whose it is: the page to sign in tells nobody who has one.
                "authenticatorSelection": {
                    "residentKey": "required",
                    "requireResidentKey": True,
                    "userVerification": "preferred",
                },
                "attestation": "none",
            }
        )


@dataclass(frozen=True)
class Passkey:
    """A stored passkey: its id, its public key, and its counter of uses; 0 if the passkey does not count."""

    id: str
    key: bytes
    counter: int


# Checked in place of a missing passkey. Its private key was thrown away, and its signature would open nothing.
_OF_NOBODY = Passkey(
    "",
    base64.b64decode(
        "pQECAyYgASFYIKKGmUjjvDID7Dof96/8HDFTU7LUDa+VOuRWYbSJ2hdhIlggz8bwwvATTY0fNHbii8L94Ann/yyUn015baSkJ2+iN9o="
    ),
    0,
)


@dataclass(frozen=True)
class Use:
    """A challenge that a passkey has signed: the passkey as it is stored (or new), and the counter that it sent."""

    challenge: Challenge
    passkey: Passkey
    counter: int


class Passkeys:
    """The passkeys of a map with an origin, such as `https://map.example.org`."""

    def __init__(self, accounts: Accounts, origin: str) -> None:
        self._accounts, self._origin = accounts, origin
        self._secret = b""

    def ask(self, browser: str, purpose: str) -> Challenge:
        """Return a new challenge for a purpose, such as SIGN_IN. browser : the secret that identifies the browser."""
        return self._make(browser, purpose, f"{self._accounts.clock():.3f}")

    def find(self, browser: str, purpose: str, moment: str) -> Challenge | None:
        """Return the challenge that `ask` made for a browser and a purpose at the moment in the form.

        Returns None if the moment is no number, lies in the future, or is half an hour ago or more.
        """
        try:
            age = self._accounts.clock() - float(moment)
        except ValueError:
            return None
        return self._make(browser, purpose, moment) if 0 <= age < SECONDS else None

    def make_handle(self, person: int) -> str:
        """Return the user handle of the person with this id, which a passkey stores, in base 64.

        It reveals nothing about the person.
        """
        return _encode(self._sign("person", str(person)))

    def _make(self, browser: str, purpose: str, moment: str) -> Challenge:
        return Challenge(self._origin, self._sign("challenge", browser, purpose, moment), moment)

    def _sign(self, *words: str) -> bytes:
        self._secret = self._secret or _read_secret(self._accounts)
        return hmac.digest(self._secret, json.dumps(words).encode(), sha256)


def read_new(challenge: Challenge, text: str) -> Use | None:
    """Check the browser's answer (JSON) that adds a new passkey; return its first use, or None if it is not valid."""
    from webauthn import verify_registration_response

    try:
        registration = verify_registration_response(credential=text, **_expect(challenge))
    except Exception:  # noqa: BLE001 (a browser may send anything, and the library raises many kinds of errors)
        return None
    passkey = Passkey(_encode(registration.credential_id), registration.credential_public_key, registration.sign_count)
    return Use(challenge, passkey, passkey.counter)


def read_use(accounts: Accounts, person: int | None, challenge: Challenge, text: str) -> Use | None:
    """Check the browser's answer (JSON) to a challenge for a person; return the use, or None if it is not valid.

    It is valid if it is signed with a passkey of the person, and if the counter has increased or the passkey does not
    count: a counter that has not increased shows a copy. person : their id; None for an unknown person. The signature
    is checked in any case, so that the time of the answer does not reveal who has a passkey.
    """
    from webauthn import verify_authentication_response

    match = _find_passkey(accounts, person, text)
    passkey = match or _OF_NOBODY
    try:
        used = verify_authentication_response(
            credential=text,
            **_expect(challenge),
            credential_public_key=passkey.key,
            credential_current_sign_count=passkey.counter,
        )
    except Exception:  # noqa: BLE001 (as above)
        return None
    return Use(challenge, match, used.new_sign_count) if match else None


def add_passkey(connection: sqlite3.Connection, person: int, use: Use, now: float) -> bool:
    """Store a new passkey of a person; return whether it was stored.

    It is stored if its challenge was not used before, if nobody has this passkey yet, and if the person has fewer than
    MOST passkeys. In any case the challenge is used afterwards.
    """
    if not take_once(connection, use.challenge.key, now):
        return False
    cursor = connection.execute(
        "INSERT INTO passkeys SELECT ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM passkeys WHERE person = ?) < ? "
        "ON CONFLICT (id) DO NOTHING",
        (use.passkey.id, person, use.passkey.key, use.counter, now, person, MOST),
    )
    return cursor.rowcount == 1


def take_use(connection: sqlite3.Connection, person: int, use: Use, now: float) -> bool:
    """Store the new counter of a passkey, so that a use counts once; return whether it was stored.

    It is not if the challenge was used before, or if the passkey was removed or its counter changed since the use was
    read. In any case the challenge is used afterwards.
    """
    if not take_once(connection, use.challenge.key, now):
        return False
    cursor = connection.execute(
        "UPDATE passkeys SET counter = ? WHERE (id, person, counter) = (?, ?, ?)",
        (use.counter, use.passkey.id, person, use.passkey.counter),
    )
    return cursor.rowcount == 1


def remove_passkeys(connection: sqlite3.Connection, name_key: str) -> None:
    """Remove the passkeys of the person whose name has this key (`people.make_key`)."""
    connection.execute("DELETE FROM passkeys WHERE person IN (SELECT id FROM people WHERE key = ?)", (name_key,))


def name_invitation(secret: str) -> str:
    """Return the purpose of a challenge for a person who is invited. secret : that of the link."""
    return f"invitation {hash_secret(secret)}"


def name_addition(person: int) -> str:
    """Return the purpose of a challenge that adds a passkey of a person, who is given by their id."""
    return f"addition {person}"


def _expect(challenge: Challenge) -> Mapping[str, Any]:
    return {
        "expected_challenge": challenge.value,
        "expected_rp_id": challenge.host,
        "expected_origin": challenge.origin,
    }


def _find_passkey(accounts: Accounts, person: int | None, text: str) -> Passkey | None:
    try:
        name = str(json.loads(text)["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    with accounts.read() as connection:
        row = connection.execute("SELECT * FROM passkeys WHERE (id, person) = (?, ?)", (name, person)).fetchone()
    return None if row is None else Passkey(row["id"], row["key"], row["counter"])


def _read_secret(accounts: Accounts) -> bytes:
    """Return the secret with which all processes that use the file make the same challenges; make it if needed."""
    query = "SELECT value FROM challenge_secret"
    with accounts.read() as connection:
        row = connection.execute(query).fetchone()
    if row is not None:
        return bytes(row[0])
    with accounts.write() as connection:
        connection.execute("INSERT OR IGNORE INTO challenge_secret VALUES (1, ?)", (os.urandom(32),))
        return bytes(connection.execute(query).fetchone()[0])


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
