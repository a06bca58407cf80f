"""Read files whose SHA-256 is known, and check each of them once in a process.

A file is checked again as soon as it has another size, time of change, or number on the disk.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

_RECENT = 10**9  # nanoseconds: a second change within so short a time may leave size and times as they are
_State = tuple[int, int, int, int]
_whole: dict[str, tuple[str, _State]] = {}  # by path: a SHA-256, and the state in which the file had it


def read_whole(path: str | Path, checksum: str) -> bytes | None:
    """Read a file; None if it is missing or does not have this SHA-256 (with or without the prefix "sha256:").

    The hash is computed once for each state of a file: its size, its times of change and its number on the disk.
    Among them is the time that nobody can set, so an old time of writing does not hide a change.
    """
    digest = checksum.removeprefix("sha256:")
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            raw = file.read()
            state = _read_state(file.fileno())  # afterwards: a change while the file is read gives a new state
    except OSError:
        return None
    if _whole.get(os.fspath(path)) == (digest, state):
        return raw
    if hashlib.sha256(raw).hexdigest() != digest:
        return None
    if time.time_ns() - max(state[1:3]) > _RECENT:
        _whole[os.fspath(path)] = digest, state
    return raw


def is_whole(path: str | Path, checksum: str) -> bool:
    """Return whether a file is there and has this SHA-256; one that was checked is not read again."""
    try:
        known = _whole.get(os.fspath(path)) == (checksum.removeprefix("sha256:"), _read_state(path))
    except OSError:
        return False
    return known or read_whole(path, checksum) is not None


def _read_state(file: int | str | Path) -> _State:
    status = os.stat(file)  # noqa: PTH116 (for each file at each view of a page; a Path takes five times as long)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
