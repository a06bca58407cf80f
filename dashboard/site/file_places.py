"""A limit on the readers who wait for a file, for example a picture.

Files are made one at a time, and each reader who waits for a file holds a thread that the map needs. So at most four
readers have a place; a fifth is asked to try again later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from data.errors import TactError

PLACES = BoundedSemaphore(4)


class NoPlaceError(TactError):
    """Raised if all places for readers who wait for a file are taken."""


@contextmanager
def take_place() -> Iterator[None]:
    """Take one of the places for the time of the block. Raises NoPlaceError at once if all places are taken."""
    if not PLACES.acquire(blocking=False):
        raise NoPlaceError("Others are taking files just now. Try again in some seconds.")
    try:
        yield
    finally:
        PLACES.release()
