"""Which release is the newest, for pages that are open: they ask now and then, and get its name alone.

To ask is no use of a session: a page that nobody touches does not keep its reader signed in (see door.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from dashboard.site import NEWEST, Site

_SECONDS = 5.0  # for which an answer holds, because every open page asks


def make_routes(site: Site, clock: Callable[[], float] = time.monotonic) -> list[BaseRoute]:
    """Return the route of the name of the newest release; empty without one."""
    lock, last = Lock(), [(-_SECONDS, "")]

    def answer(_: Request) -> JSONResponse:
        with lock:
            if clock() - last[0][0] >= _SECONDS:
                last[0] = clock(), site.find_newest() or ""
            return JSONResponse({"release": last[0][1]}, headers={"Cache-Control": "no-store"})

    return [Route(NEWEST, answer)]
