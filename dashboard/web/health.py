"""Whether the process can show what it is there for, for a service manager or a proxy. It tells nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from starlette.requests import Request
from starlette.responses import JSONResponse

from dashboard.site import Site
from data.errors import TactError

_SECONDS = 5.0  # for which an answer holds, because anybody may ask
_LOG = logging.getLogger(__name__)


def make_health(site: Site) -> Callable[[Request], JSONResponse]:
    """Return the answer to /health: 200 if the release of the site can be read whole, else 503.

    A workspace without a release yet is well too; a folder from a publisher is not. The answer is asked for in a thread
    of its own.
    """
    lock, last = Lock(), [(-_SECONDS, "")]

    def answer(_: Request) -> JSONResponse:
        with lock:
            asked, problem = last[0]
            if time.monotonic() - asked > _SECONDS:
                found = find_problem(site)
                if found and found != problem:
                    _LOG.error("%s", found)
                last[0] = (time.monotonic(), problem := found)
        return JSONResponse({"status": "failing" if problem else "ok"}, 503 if problem else 200)

    return answer


def find_problem(site: Site) -> str:
    """Return what keeps the release of a site from being shown; empty if nothing does."""
    if not site.releases.is_dir():
        return f"{site.releases} is gone."
    try:
        release = site.release()
        if release is None and site.publisher is not None:
            return (
                f"{site.publisher.folder} has no release whose files are all there and signed by the publisher's key."
            )
        return next(iter(release.check()), "") if release is not None else ""
    except TactError as error:
        return str(error)
