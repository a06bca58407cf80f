"""The keys of a workspace, stored outside it, and what is derived from them.

The vault key opens the encrypted records. The identifier key turns a child's identifier into a hash, and a
hash into the record key of the cell key method. Without the identifier key nobody can test whether a
certain child is in a vault. Without the vault key the records are lost; without the identifier key every
known child would count as a new one. A backup has both keys.

A third key signs the files for a server (data/release/signed_list.py). It opens nothing. It is made when it is first
needed and is in no backup. If it is lost, a new key is made, and the server must get the new public key.

A workspace's keys are found by `Workspace.key_id`: its identity, after "practice/" if its records are invented. They
are searched in this order: environment (TACT_VAULT_KEY, TACT_IDENTIFIER_KEY), key file, system keyring. A key file may
be a link to a file on another disk, so that nobody finds both keys in one place.

While the vault gets a new key (data/restricted/vault/rotation.py), the new key is stored beside the old one: in
TACT_NEW_VAULT_KEY, in a file beside the old key file (or beside the target of its link), or in the keyring.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal, NoReturn

import numpy as np
import numpy.typing as npt
import platformdirs

from data.errors import MissingKey, VaultError
from data.message import Message, join_messages
from data.workspace import PRACTICE, files

KEY_BYTES = 32
Place = Literal["file", "keyring"]
_NAMES = ("vault", "identifier")
_TITLES = {
    "vault": Message("The vault key"),
    "identifier": Message("The identifier key"),
    "signing": Message("The signing key"),
}
_SIGNING = "signing"
_NEXT = "vault-next"
NEW_VAULT_KEY = "TACT_NEW_VAULT_KEY"
ENVIRONMENT = {
    "vault": "TACT_VAULT_KEY",
    "identifier": "TACT_IDENTIFIER_KEY",
    _SIGNING: "TACT_SIGNING_KEY",
    _NEXT: NEW_VAULT_KEY,
}

_INVENTED = b"tact-map invented world v1 "


class Secret:
    """A key of 32 bytes that no repr, format, error message or pickle shows."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        if len(value) != KEY_BYTES:
            raise VaultError(
                Message("A key has {count} bytes ({digits} hexadecimal digits).", count=KEY_BYTES, digits=2 * KEY_BYTES)
            )
        self._value = bytes(value)

    @classmethod
    def random(cls) -> "Secret":
        """Draw a new key from the operating system."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def reveal(self) -> bytes:
        """Return the bytes, for the one call that needs them."""
        return self._value

    def mac(self, domain: bytes, message: bytes = b"") -> bytes:
        """Compute HMAC-SHA256 of a message within a domain, 32 bytes (RFC 2104)."""
        return hmac.digest(self._value, domain + b"\0" + message, "sha256")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return id(type(self))

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key is never written by pickle or copied to another process.")


@dataclass(frozen=True)
class Keys:
    """The vault key and the identifier key of one workspace."""

    vault: Secret
    identifier: Secret

    @classmethod
    def random(cls) -> "Keys":
        """Draw two new keys."""
        return cls(Secret.random(), Secret.random())


class IdentifierHasher:
    """The conversion of child identifiers to hashes, and of hashes to record keys."""

    __slots__ = ("_child", "_record")

    def __init__(self, key: Secret | bytes) -> None:
        secret = key if isinstance(key, Secret) else Secret(key)
        # One key for each purpose, so that a record key reveals nothing about a hash made with the same secret.
        self._child = secret.mac(b"tact-map child identifier v1")
        self._record = secret.mac(b"tact-map record key v1")

    def __repr__(self) -> str:
        return "IdentifierHasher(<secret>)"

    def hash(self, identifiers: Iterable[str]) -> list[str]:
        """Compute HMAC-SHA256 of each identifier as 64 hexadecimal digits; "" for an empty identifier.

        An identifier includes its partner if it is unique only within the partner (data/restricted/intake/identity.py).
        Spaces around it and the composition of its accents make no difference.
        """
        hashes: dict[str, str] = {}
        return [hashes.get(i) or hashes.setdefault(i, self._hash(i)) for i in identifiers]

    def _hash(self, identifier: str) -> str:
        text = unicodedata.normalize("NFC", identifier.strip())
        return hmac.digest(self._child, b"\0" + text.encode(), "sha256").hex() if text else ""

    def record_keys(self, child_hashes: Sequence[str]) -> npt.NDArray[np.uint64]:
        """Derive a secret, stable number for each hash, uniform over 0 to 2**64 - 1; shape (n,).

        This is the record key of the cell key method (Fraser and Wooton 2005): the same child has the same
        key in each release, and nobody without the identifier key can compute it. It is keyed BLAKE2b (RFC
        7693) with a key that HMAC derives from the identifier key, which takes a third of the time of HMAC.
        """
        blake, key = hashlib.blake2b, self._record
        keys = b"".join([blake(h.encode(), digest_size=8, key=key).digest() for h in child_hashes])
        return np.frombuffer(keys, dtype="<u8").astype(np.uint64)


def key_folder(key_id: str) -> Path:
    """Return the folder of a workspace's key files, in the user's settings folder.

    Keys of practice lie apart. Earlier versions stored them beside the real ones. What lies in the folder of the other
    kind is moved: also back, if somebody changed the kind in workspace.toml for a while.
    """
    base = platformdirs.user_config_path("tact-map", appauthor=False)
    folders = [base / kind / Path(key_id).name for kind in ("keys", "practice-keys")]
    other, folder = folders if key_id.startswith(PRACTICE) else folders[::-1]
    if other.exists() and not folder.exists():
        with contextlib.suppress(OSError):  # another process has moved them
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            other.rename(folder)
    return folder


def create(key_id: str, place: Place = "file") -> Keys:
    """Draw two new keys, store them and return them; raise VaultError as `store` does."""
    keys = Keys.random()
    store(key_id, keys, place)
    return keys


def create_from_seed(seed: int) -> Keys:
    """Return keys for an invented world: a random vault key, and an identifier key made from the seed.

    The same seed gives the same noise and the same published numbers. Never use it for real records, because anybody
    can compute this identifier key.
    """
    return Keys(Secret.random(), Secret(hashlib.sha256(_INVENTED + str(seed).encode()).digest()))


def store(key_id: str, keys: Keys, place: Place = "file") -> None:
    """Store both keys in files of mode 600 or in the system keyring.

    Raises VaultError when a key exists already, because without its key a vault is lost, or when the keys cannot be
    written.
    """
    places = [where for where in find_locations(key_id).values() if where]
    if places:
        raise VaultError(
            Message(
                "This workspace already has a key ({place}). A key is never replaced, because the records "
                "cannot be read without it.",
                place=places[0],
            )
        )
    if place == "keyring":
        for name in _NAMES:
            _to_keyring(key_id, name, getattr(keys, name))
    else:
        _to_files(key_folder(key_id), {name: getattr(keys, name) for name in _NAMES})


def complete(key_id: str, keys: Keys) -> Keys:
    """Return the keys of a workspace of which one is lost, with that key from a copy; nothing is stored.

    Raises VaultError as `load` does for the other key.
    """
    here = {name: _find(key_id, name) for name, place in find_locations(key_id).items() if place}
    return Keys(**{name: getattr(keys, name) for name in _NAMES} | here)


def store_missing(key_id: str, keys: Keys, place: Place = "file") -> bool:
    """Store those of the keys that are not stored; return whether there was one. Raises VaultError as `store` does."""
    missing = {name: getattr(keys, name) for name, where in find_locations(key_id).items() if not where}
    if place == "keyring":
        for name, secret in missing.items():
            _to_keyring(key_id, name, secret)
    elif missing:
        _to_files(key_folder(key_id), missing)
    return bool(missing)


def load(key_id: str) -> Keys:
    """Read both keys of a workspace.

    Raises MissingKey if a key is not found or its file cannot be read, VaultError for a text that is not a key or a
    file that others can read.
    """
    return Keys(_find(key_id, "vault"), _find(key_id, "identifier"))


def load_signing(key_id: str) -> Secret:
    """Read the key that signs the files for a server. The first time, draw it and store it where the vault key is.

    Raises VaultError for a text that is not a key, a file that other users can read, or a place that cannot be written,
    and MissingKey for a file that cannot be read.
    """
    try:
        return _find(key_id, _SIGNING)
    except MissingKey:
        if _location(key_id, _SIGNING):
            raise
    secret = Secret.random()
    if _location(key_id, "vault").startswith("system keyring"):
        _to_keyring(key_id, _SIGNING, secret)
    else:
        _to_files(key_folder(key_id), {_SIGNING: secret})
    return secret


def is_from_environment(name: str) -> bool:
    """Return whether a key ("vault", "identifier") comes from the environment."""
    return bool(os.environ.get(ENVIRONMENT[name]))


def load_next(key_id: str) -> Secret | None:
    """Read the next vault key, from the place of the vault key; None if there is none.

    Raises VaultError as `load` does.
    """
    if is_from_environment("vault"):
        text = os.environ.get(NEW_VAULT_KEY)
        return _parse(text, Message("The environment variable {variable}", variable=NEW_VAULT_KEY)) if text else None
    if file := _find_vault_file(key_id):
        return _from_file(_next_to(file)) if _next_to(file).exists() else None
    text = _from_keyring(key_id, _NEXT)
    where = Message("The keyring's entry {service}, {name},", service=_service(key_id), name=_NEXT)
    return _parse(text, where) if text else None


def find_next(key_id: str) -> str:
    """Return where the next vault key is stored; "" if there is none. Raises VaultError as `load` does."""
    if load_next(key_id) is None:
        return ""
    if is_from_environment("vault"):
        return Message("environment variable {variable}", variable=NEW_VAULT_KEY)
    if file := _find_vault_file(key_id):
        return Message("file {path}", path=_next_to(file))
    # The same service has the keys that are in use: whoever removes all of it loses the records.
    return Message("system keyring, service {service}, entry {name}", service=_service(key_id), name=_NEXT)


def store_next(key_id: str, secret: Secret) -> None:
    """Store the next vault key beside the present one, in the folder of its file or in the keyring.

    Raises VaultError if it cannot be written.
    """
    if file := _find_vault_file(key_id):
        _to_files(file.parent, {_next_to(file).stem: secret})
    else:
        _to_keyring(key_id, _NEXT, secret)


def adopt_next(key_id: str) -> None:
    """Replace the vault key by the next vault key, in one step; a key in the environment stays there.

    Raises VaultError if it cannot be written.
    """
    if is_from_environment("vault"):
        return
    if file := _find_vault_file(key_id):
        try:
            _next_to(file).replace(file)
            files.fsync_folder(file.parent)
        except OSError as error:
            raise _not_written(file.parent, error) from error
    elif (secret := load_next(key_id)) is not None:
        _to_keyring(key_id, "vault", secret)
        discard_next(key_id)


def discard_next(key_id: str) -> None:
    """Remove the next vault key, when no vault needs it; a key in the environment stays there."""
    if is_from_environment("vault"):
        return
    if file := _find_vault_file(key_id):
        _next_to(file).unlink(missing_ok=True)
    else:
        keyring = _keyring()
        with contextlib.suppress(keyring.errors.KeyringError):
            keyring.delete_password(_service(key_id), _NEXT)


def _find_vault_file(key_id: str) -> Path | None:
    """Return the file with the vault key (for a link, its target); None if there is none."""
    path = key_folder(key_id) / "vault.key"
    return path.resolve() if os.path.lexists(path) else None


def _next_to(file: Path) -> Path:
    return file.with_name(f"{file.stem}-next.key")


def parse(vault: str, identifier: str) -> Keys:
    """Return the keys from two texts of hexadecimal digits; raise VaultError, without the text, if one is not a key."""
    return Keys(_parse(vault, _TITLES["vault"]), _parse(identifier, _TITLES["identifier"]))


def format_keys(keys: Keys) -> dict[str, str]:
    """Return the keys as texts that `parse` can read, for a pipe to a process that needs them."""
    return {name: getattr(keys, name).reveal().hex() for name in _NAMES}


def has_keys(key_id: str) -> bool:
    """Return whether at least one of the two keys is stored; it need not be valid."""
    return any(find_locations(key_id).values())


def find_locations(key_id: str) -> dict[str, str]:
    """Return where each key ("vault", "identifier") is stored; "" if it is not stored."""
    return {name: _location(key_id, name) for name in _NAMES}


def check(key_id: str) -> list[str]:
    """List what is wrong with the keys, each with its remedy; empty when all is well."""
    problems = []
    for name in _NAMES:
        try:
            _find(key_id, name)
        except VaultError as error:
            problems.append(error.message)
    return problems


def _location(key_id: str, name: str) -> str:
    path = key_folder(key_id) / f"{name}.key"
    if os.environ.get(ENVIRONMENT[name]):
        return Message("environment variable {variable}", variable=ENVIRONMENT[name])
    if os.path.lexists(path):
        return Message("file {path}", path=path)
    if _from_keyring(key_id, name) is not None:
        return Message("system keyring, service {service}", service=_service(key_id))
    return ""


def _find(key_id: str, name: str) -> Secret:
    variable = ENVIRONMENT[name]
    if text := os.environ.get(variable):
        return _parse(text, Message("The environment variable {variable}", variable=variable))
    path = key_folder(key_id) / f"{name}.key"
    if os.path.lexists(path):
        return _from_file(path)
    if text := _from_keyring(key_id, name):
        return _parse(text, Message("The keyring's entry {service}, {name},", service=_service(key_id), name=name))
    raise MissingKey(
        Message(
            "{name} was not found: {variable} is not set, the file {path} does not exist, and the system keyring "
            "has no {service}. It comes back from a backup (tact restore FILE), and all records stay as they are, "
            "or from the variable. Without a backup or another copy of the key there is no way to it.",
            name=_TITLES[name],
            variable=variable,
            path=path,
            service=_service(key_id),
        )
    )


def _parse(text: str, where: Message) -> Secret:
    text = text.strip()
    if len(text) != 2 * KEY_BYTES or not set(text) <= set(string.hexdigits):
        # Says the length and never the text: most of a mistyped key is the key.
        raise VaultError(
            Message(
                "{where} has no valid key: {digits} hexadecimal digits are expected, {count} characters were found.",
                where=where,
                digits=2 * KEY_BYTES,
                count=len(text),
            )
        )
    return Secret(bytes.fromhex(text))


def _to_files(folder: Path, keys: Mapping[str, Secret]) -> None:
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.exists():
            _write_files(folder, keys)
            return
        # Written to a temporary folder and renamed, so that a crash leaves both keys or none.
        aside = files.aside(folder)
        aside.mkdir(mode=0o700)
        _write_files(aside, keys)
        files.publish_folder(aside, folder)
    except OSError as error:
        raise _not_written(folder, error) from error


def _not_written(folder: Path, error: OSError) -> VaultError:
    return VaultError(
        Message(
            "The keys could not be written to {folder}: {reason}. Is that folder yours?",
            folder=folder,
            reason=error.strerror,
        )
    )


def _write_files(folder: Path, keys: Mapping[str, Secret]) -> None:
    for name, secret in keys.items():
        files.write_bytes(folder / f"{name}.key", secret.reveal().hex().encode() + b"\n", mode=0o600)


def _from_file(path: Path) -> Secret:
    try:
        if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise VaultError(
                Message(
                    "Others on this machine can read the key file {path}. Close it, and think about who may "
                    "have read it: chmod 600 '{path}'",
                    path=path,
                )
            )
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        parts = [Message("The key file {path} cannot be read: {reason}.", path=path, reason=error.strerror)]
        if path.is_symlink():
            parts.append(Message("It leads to {file}: is that disk there?", file=path.readlink()))
        raise MissingKey(join_messages(parts)) from error
    return _parse(text, Message("The key file {path}", path=path))


def _service(key_id: str) -> str:
    return f"tact-map/{key_id}"


def _keyring() -> ModuleType:
    # Imported late: the keyring looks for the desktop's services, which takes a while.
    import keyring

    return keyring


def _from_keyring(key_id: str, name: str) -> str | None:
    keyring = _keyring()
    other = key_id.removeprefix(PRACTICE) if key_id.startswith(PRACTICE) else PRACTICE + key_id
    text: str | None = None
    with contextlib.suppress(keyring.errors.KeyringError):
        text = keyring.get_password(_service(key_id), name)
        if text is None and (text := keyring.get_password(_service(other), name)):  # moved, as files are
            keyring.set_password(_service(key_id), name, text)
            keyring.delete_password(_service(other), name)
    return text


def _to_keyring(key_id: str, name: str, secret: Secret) -> None:
    keyring = _keyring()
    try:
        keyring.set_password(_service(key_id), name, secret.reveal().hex())
    except keyring.errors.KeyringError as error:
        raise VaultError(
            Message(
                "The system keyring did not accept the {name} key ({why}). Store it in a file: "
                "`tact init` without --keyring.",
                name=name,
                why=type(error).__name__,
            )
        ) from None
