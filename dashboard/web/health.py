"""The health of the process, for a service manager or a proxy: whether it can show its release, and nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from starlette.requests import Request
from starlette.responses import JSONResponse

from dashboard.site import Site
from data.errors import TactError

_SECONDS = 5.0  # for which a result is used again, because anybody may ask
_LOG = logging.getLogger(__name__)


def make_health(site: Site) -> Callable[[Request], JSONResponse]:
    """Return the function that answers /health: 200 if the release of the site can be read completely, else 503.

    A workspace that has no release yet gives 200 too; a publisher's folder without a release gives 503. A result is
    used again for `_SECONDS`. Starlette runs the function in a separate thread.
    """
    lock, last = Lock(), [(-_SECONDS, "")]

    def answer(_: Request) -> JSONResponse:
        with lock:
            asked, problem = last[0]
            if time.monotonic() - asked > _SECONDS:
                newest = find_problem(site)
                if newest and newest != problem:
                    _LOG.error("%s", newest)
                last[0] = (time.monotonic(), problem := newest)
        return JSONResponse({"status": "failing" if problem else "ok"}, 503 if problem else 200)

    return answer


def find_problem(site: Site) -> str:
    """Return the reason why the release of a site cannot be shown; empty if it can."""
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
