"""Open encrypted submissions: the ODK specification of encrypted forms, https://getodk.github.io/xforms-spec/encryption.

A submission comes as an envelope (XML that names the form, the submission and its encrypted files) and its files. A
phone draws an AES key for each submission and encrypts it with the form's public key. The signature of an envelope says
that its parts belong together, not who sent it: whoever has the form can make one.
"""

from __future__ import annotations

import csv
import hashlib
import io
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

_OAEP = OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None)
_NOT_ASKED = ("record_number", "start", "end", "instanceID", "instanceName", "deprecatedID", "__version__")


class CannotOpen(Exception):
    """A submission that cannot be opened; `why` is "key" (of another key), "damaged" or "readable" (not encrypted)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Envelope:
    """The readable part of an encrypted submission. `media` are the names of its encrypted files, in their order."""

    form: str
    version: str | None
    submission: str
    key: str
    media: tuple[str, ...]
    file: str
    signature: str


def read_envelope(content: bytes) -> Envelope:
    """Read the envelope of a submission; raise CannotOpen if it is none."""
    root = _parse(content)
    texts: dict[str, list[str]] = {}
    for element in root.iter():
        texts.setdefault(_name(element), []).append((element.text or "").strip())
    if root.get("encrypted") != "yes":
        raise CannotOpen("readable")
    try:
        submission = root.get("instanceID") or texts["instanceID"][0]
        key, file = texts["base64EncryptedKey"][0], texts["encryptedXmlFile"][0]
        signature, media = texts["base64EncryptedElementSignature"][0], tuple(texts.get("file", ()))
    except KeyError:
        raise CannotOpen("damaged") from None
    return Envelope(root.get("id", ""), root.get("version"), submission, key, media, file, signature)


def open_submission(keys: Iterable[RSAPrivateKey], envelope: Envelope, files: Mapping[str, bytes]) -> bytes:
    """Return the XML of a submission, opened by that of the keys which fits, and checked against the signature.

    `files` are the encrypted files by the names in the envelope. Raises CannotOpen.
    """
    private, secret = _open_key(keys, envelope.key)
    names = (*envelope.media, envelope.file)
    opened = [decrypt_file(secret, envelope.submission, n, files[name]) for n, name in enumerate(names, start=1)]
    digests = [
        f"{name.removesuffix('.enc')}::{hashlib.md5(content, usedforsecurity=False).hexdigest()}"
        for name, content in zip((*envelope.media, "submission.xml"), opened, strict=True)
    ]
    version = () if envelope.version is None else (envelope.version,)
    source = "\n".join([envelope.form, *version, envelope.key, envelope.submission, *digests, ""])
    digest = hashlib.md5(source.encode(), usedforsecurity=False).digest()
    try:
        fits = private.decrypt(b64decode(envelope.signature), _OAEP) == digest
    except ValueError:
        fits = False
    if not fits:
        raise CannotOpen("damaged")
    return opened[-1]


def decrypt_key(private: RSAPrivateKey, text: str) -> bytes:
    """Return the AES key of a submission, 32 bytes; raise ValueError if it was encrypted for another key."""
    return private.decrypt(b64decode(text), _OAEP)


def decrypt_file(secret: bytes, submission: str, number: int, content: bytes) -> bytes:
    """Return a file of a submission, decrypted with AES-256-CFB; `number` counts from 1, the submission's XML is last.

    Raises CannotOpen if the key has another length or the padding is wrong.
    """
    unpadder = PKCS7(128).unpadder()
    try:
        cipher = Cipher(AES(secret), CFB(derive_iv(secret, submission, number))).decryptor()
        return unpadder.update(cipher.update(content) + cipher.finalize()) + unpadder.finalize()
    except ValueError:
        raise CannotOpen("damaged") from None


def derive_iv(secret: bytes, submission: str, number: int) -> bytes:
    """Return the initial vector of a file, 16 bytes: MD5 of submission and key, its bytes raised by one in turn."""
    seed = hashlib.md5(submission.encode() + secret, usedforsecurity=False).digest()
    return bytes((byte + (number + 15 - place) // 16) % 256 for place, byte in enumerate(seed))


def read_answers(content: bytes) -> dict[str, str]:
    """Return the answers of a submission's XML by question; empty answers too. Raises CannotOpen if it is no XML."""
    leaves = (element for element in _parse(content).iter() if not len(element))
    return {_name(leaf): (leaf.text or "").strip() for leaf in leaves if _name(leaf) not in _NOT_ASKED}


def write_table(rows: Sequence[tuple[str, Mapping[str, str]]]) -> bytes:
    """Return submissions (number and answers) as CSV in memory; the number is the record number, without "uuid:"."""
    columns = dict.fromkeys(name for _, answers in rows for name in answers)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["record_number", *columns])
    writer.writerows([number_record(number), *(answers.get(name, "") for name in columns)] for number, answers in rows)
    return stream.getvalue().encode()


def number_record(submission: str) -> str:
    """Return the record number of a submission: its number without "uuid:", since a code has no colon."""
    return submission.removeprefix("uuid:")


def _open_key(keys: Iterable[RSAPrivateKey], text: str) -> tuple[RSAPrivateKey, bytes]:
    for private in keys:
        try:
            return private, decrypt_key(private, text)
        except ValueError:
            continue
    raise CannotOpen("key")


def _parse(content: bytes) -> ET.Element:
    try:
        text = content.decode()  # in another encoding a declaration would not be seen
        if "<!" in text:  # no entities but those of XML itself
            raise CannotOpen("damaged")
        return ET.fromstring(text)  # noqa: S314
    except (UnicodeDecodeError, ET.ParseError):
        raise CannotOpen("damaged") from None


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
