"""The name of the newest release. Open pages ask for it at intervals, and get nothing else.

This request does not count as use of the session: a page that nobody uses does not keep its reader signed in (see
door.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from dashboard.site import NEWEST, Site

_SECONDS = 5.0  # for which an answer is used again, because every open page asks


def make_routes(site: Site, clock: Callable[[], float] = time.monotonic) -> list[BaseRoute]:
    """Return the route of the name of the newest release; the name is empty if there is none."""
    lock, last = Lock(), [(-_SECONDS, "")]

    def answer(_: Request) -> JSONResponse:
        with lock:
            if clock() - last[0][0] >= _SECONDS:
                last[0] = clock(), site.find_newest() or ""
            return JSONResponse({"release": last[0][1]}, headers={"Cache-Control": "no-store"})

    return [Route(NEWEST, answer)]
