"""Every error of the product, in one tree.

    TactError                  what a person can read and act on; the command line prints it, exit code 1
    ├── InputError             a file or value that someone gave us is wrong             (exit code 2)
    │   ├── FileRefused        a whole file is refused (personal columns, unreadable)
    │   └── AreaError          boundaries that cannot be used, an unknown area
    ├── WorkspaceError         the workspace is missing, of the wrong kind, or incomplete (exit code 3)
    ├── VaultError             the vault cannot be opened or written                      (exit code 4)
    │   ├── WrongKey           the key does not belong to this vault
    │   ├── MissingKey         no key was found
    │   ├── CorruptVault       the file is damaged; the remedy is a restore
    │   ├── VaultBusy          someone else is writing
    │   └── DiskFull           no room left; nothing was changed
    ├── ReleaseError           a release cannot be read or written                        (exit code 5)
    │   └── ReleaseRefused     an attack succeeded; the cells are named, the counts never
    └── ReleaseDamaged         a file of a release, or of a result from it, was changed    (exit code 5)

A message names the bad value, what is allowed and the next step. It never holds a record, a child's
identifier or a small count.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from data.message import Message, join_messages


class TactError(Exception):
    """An error that a person can act on: its message says what is wrong, what is allowed and what to do."""

    exit_code = 1

    @property
    def message(self) -> str:
        """The text, which is a `Message` if it can be translated; empty if there is none."""
        text: str = self.args[0] if self.args else ""
        return text


class InputError(TactError):
    """A file or a value from a user is wrong."""

    exit_code = 2


class FileRefused(InputError):
    """A file is refused; no row of it was imported.

    `personal`: the personal data that it seems to contain, each with its kind, the heading, and the line (0: none).
    """

    def __init__(self, message: str, personal: Iterable[tuple[str, str, int]] = ()) -> None:
        super().__init__(message)
        self.personal = tuple(personal)


class AreaError(InputError):
    """The boundaries cannot be used, or an area is not known."""


class WorkspaceError(TactError):
    """The workspace is missing, of the wrong kind, or incomplete."""

    exit_code = 3


class VaultError(TactError):
    """The vault cannot be opened or written."""

    exit_code = 4


class WrongKey(VaultError):
    """The key does not belong to this vault."""


class MissingKey(VaultError):
    """No key was found in any of its places."""


class CorruptVault(VaultError):
    """The vault's file is damaged."""


class VaultBusy(VaultError):
    """Another process is writing to the vault."""


class DiskFull(VaultError):
    """There is no room left; nothing was changed."""


class ReleaseError(TactError):
    """A release cannot be read or written."""

    exit_code = 5


class ReleaseRefused(ReleaseError):
    """An attack on the release succeeded, so it is not published."""


class ReleaseDamaged(TactError):
    """A file of a release, or of what was made from it, is missing, damaged or was changed.

    It is not a ReleaseError, so that code which can continue without a release or a table does not hide this error.
    """

    exit_code = 5

    @classmethod
    def of_file(cls, path: Path, remedy: str) -> ReleaseDamaged:
        """Return the error for a file that is missing or was changed; `remedy` says what to do."""
        there = path.is_file()
        fault = Message("{path} is damaged or was changed." if there else "{path} is missing.", path=path)
        return cls(join_messages([fault, remedy]))


def other_format(what: Message, stored_format: object, readable: int) -> Message:
    """Return the message for content stored by another version of the product in another format."""
    return Message(
        "The vault keeps {what} in format {found}, and this version reads {readable}. Nothing was changed. "
        "Use the version of TACT Map that made the last release, or a newer one; to stay with this version, "
        "bring back a backup that it made (tact restore).",
        what=what,
        found=stored_format,
        readable=readable,
    )
