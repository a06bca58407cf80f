"""The key pair of a workspace's forms: phones encrypt with the public part, and only the private part opens.

The private part is a note of the vault: encrypted with the vault key, in each backup, and unchanged when the vault key
changes. As escrow it is also written to a small file that opens with the second person's passphrase. A workspace may
have several keys, because a new one may be in use when an old one comes back: all open submissions, the last is that of
new forms.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import unicodedata
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from data.errors import InputError
from data.message import Message
from data.restricted.vault import Vault

ESCROW = "form-key.escrow"
_NOTE = "form keys"
_BITS = 2048  # the ODK specification of encrypted forms asks for it
_COST = 2**15  # of scrypt: 32 MiB and a tenth of a second
_KIND = b"tact-map form key v1"


def read_keys(vault: Vault) -> list[RSAPrivateKey]:
    """Return the private keys of the forms, the one of new forms last; empty if there is none."""
    return [_load(b64decode(text)) for text in json.loads(vault.read_note(_NOTE) or "[]")]


def read_or_create_key(vault: Vault) -> RSAPrivateKey:
    """Return the private key of new forms. The first time, draw it and store it."""
    with vault.writing():
        if stored := read_keys(vault):
            return stored[-1]
        key = generate_private_key(public_exponent=65537, key_size=_BITS)
        _write(vault, [key])
    return key


def format_public(key: RSAPrivateKey) -> str:
    """Return the public part as an XLSForm's `public_key`: base64 of its DER form, without line ends."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def seal_escrow(key: RSAPrivateKey, passphrase: str) -> bytes:
    """Return the private key encrypted with a passphrase (scrypt, AES-256-GCM), as `restore_escrow` reads it."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = AESGCM(_derive(passphrase, salt)).encrypt(nonce, _dump(key), _KIND)
    parts = {"salt": salt, "nonce": nonce, "key": sealed}
    return json.dumps(
        {"kind": _KIND.decode(), **{name: b64encode(part).decode() for name, part in parts.items()}}
    ).encode()


def is_escrow(file: Path) -> bool:
    """Return whether a file is the escrow of a form key."""
    with file.open("rb") as stream:
        return _KIND in stream.read(100)


def restore_escrow(vault: Vault, content: bytes, passphrase: str) -> bool:
    """Store the key of an escrow file beside those that are there; return False if the vault had it already.

    Raises InputError for a wrong passphrase and for a damaged file.
    """
    try:
        parts = {name: b64decode(text) for name, text in json.loads(content).items() if name != "kind"}
        key = AESGCM(_derive(passphrase, parts["salt"])).decrypt(parts["nonce"], parts["key"], _KIND)
    except InvalidTag:
        raise InputError(Message("That is not the passphrase of this key. Nothing was changed.")) from None
    except (ValueError, KeyError, AttributeError):
        raise InputError(Message("The file of the form key is damaged. Nothing was changed.")) from None
    with vault.writing():
        stored = read_keys(vault)
        if any(_dump(other) == key for other in stored):
            return False
        _write(vault, [_load(key), *stored])
    return True


def _write(vault: Vault, keys: list[RSAPrivateKey]) -> None:
    vault.write_note(_NOTE, json.dumps([b64encode(_dump(key)).decode() for key in keys]))


def _dump(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _load(content: bytes) -> RSAPrivateKey:
    key = load_der_private_key(content, None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("A form key is an RSA key.")
    return key


def _derive(passphrase: str, salt: bytes) -> bytes:
    text = unicodedata.normalize("NFC", passphrase).encode()
    return hashlib.scrypt(text, salt=salt, n=_COST, r=8, p=1, maxmem=2**26, dklen=32)
