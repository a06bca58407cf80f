"""How a person proves who they are: a passphrase (Argon2id) and a code that changes with the time (TOTP, RFC 6238)."""

from __future__ import annotations

import base64
import os
import secrets
import unicodedata
from functools import cache
from hashlib import sha256
from urllib.parse import quote

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor.totp import TOTP

CHARACTERS = 14  # of a passphrase, at least
_ISSUER = "TACT Map"
_SALT, _HASH, _FACTOR = 16, 32, 20  # bytes; those of the factor are RFC 4226's
# The second choice of RFC 9106, section 4, for machines without 2 GiB to spare: 3 passes, 4 lanes, 64 MiB.
_PASSES, _LANES, _KIBIBYTES = 3, 4, 64 * 1024
_DIGITS, _STEP = 6, 30  # seconds that a code holds
_DRIFT = 1  # steps by which a phone's clock may differ


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a text, in 64 hexadecimal digits.

    It is stored in place of the secret of a link, a session or a token, which has 256 random bits.
    """
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def make_secret() -> str:
    """Return a new secret for a link, a session or a token: 43 letters and digits, also _ and -."""
    return secrets.token_urlsafe(32)


def hash_passphrase(text: str) -> str:
    """Return the hash that is stored for a passphrase, as a text that also has its salt and its parameters."""
    kdf = Argon2id(salt=os.urandom(_SALT), length=_HASH, iterations=_PASSES, lanes=_LANES, memory_cost=_KIBIBYTES)
    return kdf.derive_phc_encoded(_encode(text))


def is_passphrase(text: str, stored: str | None) -> bool:
    """Return whether a passphrase has the stored hash. If `stored` is None, False is returned after the same work."""
    try:
        Argon2id.verify_phc_encoded(_encode(text), stored or _hash_nothing())
    except InvalidKey:
        return False
    return stored is not None


def make_factor() -> bytes:
    """Return a new second factor, 20 random bytes, which an authenticator app keeps."""
    return os.urandom(_FACTOR)


def write_factor(factor: bytes) -> str:
    """Return a second factor in base 32, as a person types it into an authenticator app."""
    return base64.b32encode(factor).decode()


def write_factor_link(factor: bytes, name: str) -> str:
    """Return the link that an authenticator app opens, also from a QR code."""
    return f"otpauth://totp/{quote(f'{_ISSUER}:{name}')}?secret={write_factor(factor)}&issuer={quote(_ISSUER)}"


def make_code(factor: bytes, moment: float) -> str:
    """Return the code of six digits for a time (seconds since 1970)."""
    return TOTP(factor, _DIGITS, SHA1(), _STEP).generate(int(moment)).decode()  # noqa: S303 (as all apps do)


def find_step(factor: bytes | None, code: str, moment: float) -> int | None:
    """Return the time step of a code; None if the code is wrong or there is no factor.

    Steps of 30 seconds are counted since 1970. A code may be one step early or late. moment : the time now, in seconds
    since 1970.
    """
    now, plain = int(moment) // _STEP, "".join(code.split())
    true = factor if factor is not None else bytes(_FACTOR)
    matches = [
        step
        for step in range(now - _DRIFT, now + _DRIFT + 1)
        if secrets.compare_digest(make_code(true, step * _STEP).encode(), plain.encode("utf-8", "replace"))
    ]
    return matches[-1] if matches and factor is not None else None


def _encode(text: str) -> bytes:
    """Return the bytes of a passphrase in one Unicode form (NFKC), because keyboards encode letters differently."""
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace")


@cache
def _hash_nothing() -> str:
    return hash_passphrase(make_secret())
