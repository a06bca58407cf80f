"""Lists of the files of releases and results, signed by the person who publishes them to a server.

`tact publish` writes a folder for a server: `releases` and `derived` as in a workspace, and `lists`, to which each call
adds a signed list. A server that has the public key accepts only files that a list names with their SHA-256. It shows
the release of the newest list whose files are all there, in whatever way they were transferred.

A list is a file: one line with the signature, 128 hexadecimal digits (Ed25519, RFC 8032), then JSON. The signature
covers the tier too, so that a list of the partner tier is not valid for the public tier.

One attack is not noticed: a person who can write on the server may remove the newest list. Then the server shows the
earlier release.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError, ReleaseDamaged
from data.release.whole_file import is_whole
from data.tables.spec import Tier

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LISTS = "lists"
# Measures that are shown only while governance approves them.
NEED_APPROVAL = ("communities", "dark_figure")
# Decisions of people, in the folder of results: accepted breaks of the series, answers on gaps, policies and advocacy.
BREAKS, GAPS, ADVOCACY = "breaks.csv", "gaps.csv", "advocacy.csv"
DECISIONS = (BREAKS, GAPS, ADVOCACY)
ENDING = ".list"
_DOMAIN = b"tact-map list of files v1\0"
_KEY = re.compile("[0-9a-f]{64}")
_REMEDY = "Publish again: tact publish"


@dataclass(frozen=True)
class SignedList:
    """What was published at one time.

    number: from 1; a later list has a larger number. created: its time (ISO, UTC). current: the name of the release to
    show. blocked: the measures that governance does not approve. files: the SHA-256 of each file, by its path in the
    folder, with `/`.
    """

    number: int
    created: str
    tier: Tier
    current: str
    blocked: frozenset[str]
    files: Mapping[str, str]

    @cached_property
    def needed(self) -> tuple[tuple[str, str], ...]:
        """The files without which a server does not show the release, each with its SHA-256.

        Tables of decisions are left out: only they change under their names, and a new table that arrives before its
        list must not hide the release.
        """
        changing = {f"derived/{name}" for name in DECISIONS}
        return tuple((name, digest) for name, digest in self.files.items() if name not in changing)

    @property
    def file_name(self) -> str:
        """The file name of the list. The names sort in the order of the lists."""
        return f"{self.number:08d}{ENDING}"

    def format(self, key: Ed25519PrivateKey) -> bytes:
        """Return the bytes of the list's file, signed with the publisher's private key."""
        content = {
            "number": self.number,
            "created": self.created,
            "tier": self.tier,
            "current": self.current,
            "blocked": sorted(self.blocked),
            "files": dict(sorted(self.files.items())),
        }
        text = json.dumps(content, ensure_ascii=False, indent=1).encode()
        return key.sign(_DOMAIN + text).hex().encode() + b"\n" + text + b"\n"


@dataclass(frozen=True)
class Publisher:
    """The publisher whose files a server accepts: the folder of the files, the public key, and the tier."""

    folder: Path
    key: str
    tier: Tier

    def __post_init__(self) -> None:
        """Raise InputError for a text that is not a public key."""
        if not _KEY.fullmatch(self.key):
            raise InputError("A public key has 64 hexadecimal digits. `tact publish` prints the one of its workspace.")

    def has_signed(self, text: bytes, signature: str) -> bool:
        """Return whether the signature of a text, 128 hexadecimal digits, was made with the publisher's key."""
        # Imported late: commands that verify nothing start without it.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key)).verify(bytes.fromhex(signature), _DOMAIN + text)
        except (InvalidSignature, ValueError):
            return False
        return True

    def read_lists(self) -> list[SignedList]:
        """Read the lists of the tier that this publisher signed, newest first. Other lists are ignored."""
        lists = []
        for path in sorted(self.folder.glob(f"{LISTS}/*{ENDING}"), reverse=True):
            try:
                status = path.stat()
                read = _read_list(path, status.st_mtime_ns, status.st_size, self)
            except OSError:
                continue
            if read is not None:
                lists.append(read)
        return sorted(lists, key=lambda signed_list: signed_list.number, reverse=True)

    def find_whole(self) -> SignedList | None:
        """Return the newest list whose files are all there and unchanged; None if there is none."""
        return next((signed_list for signed_list in self.read_lists() if self._is_whole(signed_list)), None)

    def read_blocked(self) -> frozenset[str]:
        """Return the measures that governance has not approved, as the newest list names them.

        The newest list counts even if its files are not there yet. Without a list, all that needs approval is blocked.
        """
        return next((signed_list.blocked for signed_list in self.read_lists()), frozenset(NEED_APPROVAL))

    def is_listed(self, path: Path, checksum: str) -> bool:
        """Return whether any list names the file at this path with this SHA-256.

        Every list counts, not only the newest, because files arrive one by one.
        """
        name = path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else ""
        return any(signed_list.files.get(name) == checksum for signed_list in self.read_lists())

    def _is_whole(self, signed_list: SignedList) -> bool:
        return all(is_whole(f"{self.folder}/{name}", digest) for name, digest in signed_list.needed)


@lru_cache(maxsize=64)
def _read_list(path: Path, _changed: int, _size: int, publisher: Publisher) -> SignedList | None:
    """Read a list; None if it is not signed by the publisher, or of another tier.

    Raises OSError if the file cannot be read.
    """
    signature, _, text = path.read_bytes().partition(b"\n")
    text = text.removesuffix(b"\n")
    if not publisher.has_signed(text, signature.decode("ascii", "replace")):
        return None
    content = json.loads(text)
    if content["tier"] != publisher.tier:
        return None
    return SignedList(**{**content, "blocked": frozenset(content["blocked"])})


# The publisher whose files this process accepts, and folders of its own. Without a publisher it accepts all files.
_publisher: list[Publisher] = []
_own_folders: list[Path] = []


def believe(publisher: Publisher, own_folders: Iterable[Path] = ()) -> None:
    """Let this process accept from now on only files that a list of the publisher names, or that are in `own_folders`.

    own_folders : folders that this process writes itself, such as that of the plans of people who sign in to a server.
    """
    _publisher[:], _own_folders[:] = [publisher], own_folders


def check_listed(path: Path, checksum: str) -> None:
    """Raise ReleaseDamaged if this process has a publisher, and none of their lists names the file and SHA-256.

    Files in folders of the process itself are accepted.
    """
    is_own = any(path.is_relative_to(folder) for folder in _own_folders)
    if any(not is_own and not publisher.is_listed(path, checksum) for publisher in _publisher):
        raise ReleaseDamaged.of_file(path, _REMEDY)
