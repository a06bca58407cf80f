"""The state of the desk's process: the workspace and, while it is unlocked, the keys and the files in hand.

The desk locks after LOCKS_AFTER seconds without use. Then the keys and the files are forgotten. The vault is open only
while a page works with it. A process has one desk for one officer, and all pages share it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock, Thread, local
from typing import Any, TypeVar

from data.errors import VaultError, WrongKey
from data.restricted import keys
from data.restricted.intake.headings import forget_headings
from data.restricted.vault import Vault, open_vault
from data.workspace import Workspace

LOCKS_AFTER = 15 * 60
_EVERY = 5.0  # seconds between two checks of the clock
_desks: list[Desk] = []
T = TypeVar("T")


class Locked(VaultError):
    """The desk is locked, so a request cannot be done."""


def _read_clocks() -> tuple[float, float]:
    """Return the seconds of two clocks: the first stops while the machine sleeps, the second can be set by hand."""
    return time.monotonic(), time.time()


class Desk:
    """A workspace, its keys while the desk is unlocked, and `in_hand`: what the pages keep until it locks, by name."""

    def __init__(self, workspace: Workspace, clocks: Callable[[], tuple[float, float]] = _read_clocks) -> None:
        self.workspace = workspace
        self.in_hand: dict[str, Any] = {}
        self._clocks, self._lock, self._busy = clocks, RLock(), 0
        self._keys: keys.Keys | None = None
        self._used = clocks()
        self._thread = local()

    @property
    def is_locked(self) -> bool:
        """Whether the keys must be given again.

        Reading this locks the desk if it was not used for LOCKS_AFTER seconds and no page works with the keys.
        """
        with self._lock:
            idle = max(now - then for now, then in zip(self._clocks(), self._used, strict=True))
            if self._keys is not None and not self._busy and idle >= LOCKS_AFTER:
                self.lock()
            return self._keys is None

    def lock(self) -> None:
        """Forget the keys, everything in hand, and the headings of files, which may be names of people."""
        with self._lock:
            self._keys = None
            self.in_hand.clear()
            forget_headings()

    def unlock(self, secrets: keys.Keys) -> None:
        """Store the keys if they open the vault.

        Raises VaultError if they do not, WorkspaceError if the vault is of another kind than the workspace.
        """
        open_vault(self.workspace, secrets).close()
        with self._lock:
            self._keys = secrets
            self._used = self._clocks()

    def touch(self) -> None:
        """Note that the officer uses the desk now, unless it is locked."""
        with self._lock:
            if not self.is_locked:
                self._used = self._clocks()

    @contextmanager
    def borrow_keys(self) -> Iterator[keys.Keys]:
        """Yield the keys; the desk does not lock meanwhile. Raises Locked if it is locked."""
        with self._lock:
            if self.is_locked or self._keys is None:
                raise Locked("The desk is locked.")
            secrets = self._keys
            self._busy += 1
        try:
            yield secrets
        finally:
            with self._lock:
                self._busy -= 1
                self._used = self._clocks()

    @contextmanager
    def open_vault(self) -> Iterator[tuple[Vault, keys.Keys]]:
        """Yield the open vault and the keys; the desk does not lock meanwhile.

        Inside such a block, the same thread gets the same vault again. Raises Locked if the desk is locked, or if its
        key no longer opens the vault; also raises the other errors of `data.restricted.vault.open_vault`.
        """
        with self.borrow_keys() as secrets:
            vault = getattr(self._thread, "vault", None)
            if vault is not None:
                yield vault, secrets
                return
            with self._open_vault(secrets) as vault:
                self._thread.vault = vault
                try:
                    yield vault, secrets
                finally:
                    self._thread.vault = None

    def _open_vault(self, secrets: keys.Keys) -> Vault:
        try:
            return open_vault(self.workspace, secrets)
        except WrongKey:
            # The vault key was changed meanwhile (tact keys rotate): Enter in the terminal brings the new one.
            self.lock()
            raise Locked("The desk is locked.") from None

    def recall(self, name: str, basis: object, read: Callable[[], T]) -> T:
        """Return the result of `read`, which is called again only when `basis` has changed.

        The result is kept in `in_hand` under `name`, so it is forgotten when the desk locks.
        """
        remembered = self.in_hand.get(name)
        if remembered is None or remembered[0] != basis:
            remembered = self.in_hand[name] = (basis, read())
        value: T = remembered[1]
        return value


def announce_desk(desk: Desk) -> None:
    """Make this desk the desk of the process, and start a thread that locks it also while no page is open."""
    _desks[:] = [desk]
    Thread(target=_watch, args=(desk,), daemon=True).start()


def read_desk() -> Desk:
    """Return the desk of this process."""
    return _desks[0]


def _watch(desk: Desk) -> None:
    while desk in _desks:
        time.sleep(_EVERY)
        _ = desk.is_locked
