"""The lock that lets one process at a time write to a vault, and a note of who holds it."""

import contextlib
import datetime as dt
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import filelock

from data.errors import VaultBusy, VaultError
from data.message import Message
from data.workspace.user import find_user


class WriterLock:
    """The lock beside a vault. The operating system releases it when the holder's process ends.

    It is beside the vault's folder and not inside it, so that a restore can hold it while it replaces the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder.with_name(f"{folder.name}.writer")
        self._lock = filelock.FileLock(folder.with_name(f"{folder.name}.lock"), timeout=0, mode=0o600)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the lock in the block; may be nested.

        Raises VaultBusy at once when another process holds it, VaultError when its file cannot be written.
        """
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise self._busy() from None
        except OSError as error:
            msg = Message(
                "The lock {lock_file} cannot be taken: {reason}. Is the folder yours?",
                lock_file=self._lock.lock_file,
                reason=error.strerror,
            )
            raise VaultError(msg) from error
        try:
            if self._lock.lock_counter == 1:
                since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
                user = find_user() or "an unknown user"
                note = {"user": user, "host": platform.node(), "process": os.getpid(), "since": since}
                # Only for the message that a second writer sees: a full disk must not stop the first one.
                with contextlib.suppress(OSError):
                    self._note.write_text(json.dumps(note), encoding="utf-8")
            yield
        finally:
            if self._lock.lock_counter == 1:
                self._note.unlink(missing_ok=True)
            self._lock.release()

    def _busy(self) -> VaultBusy:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            who = Message(
                "{user} on {host}, process {process}, since {since} (UTC)",
                **{name: note[name] for name in ("user", "host", "process", "since")},
            )
        except (OSError, ValueError, KeyError, TypeError):
            who = Message("another process")
        return VaultBusy(
            Message(
                "The vault {folder} is being written by {who}. Nothing was changed. Wait until it has "
                "finished and run the same command again.",
                folder=self._folder,
                who=who,
            )
        )
