"""Places for readers whose file is being made, a picture among them.

Files are made one at a time, and who waits for one holds a thread that the map needs: a fifth reader is asked to come
again instead.
"""

from __future__ import annotations

from threading import BoundedSemaphore

PLACES = BoundedSemaphore(4)
ALL_TAKEN = "Others are taking files just now. Try again in some seconds."
