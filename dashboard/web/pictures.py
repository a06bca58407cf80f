"""What a reader sees, to take away: the map of a page as PNG, SVG or PDF, made from the address of the page.

Pictures are files like those of the Download page: where a release may not be handed out by the web process, neither
may they.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dashboard.briefing.sheet import FORMATS, Sheet, name_file, render_sheet
from dashboard.briefing.view_sheet import make_view_sheet
from dashboard.pages.download.files import MAKING
from dashboard.pages.overview.sheet import make_sheet as make_overview_sheet
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, may_download, open_current_release
from dashboard.site.text import speak
from data.errors import TactError

# By the folder of the page, see PAGES in navigation.py.
MAKERS: Mapping[str, Callable[[CurrentRelease, Mapping[str, str]], Sheet | None]] = {
    "overview": lambda current, _address: make_overview_sheet(current),
    "situation": make_view_sheet,
}
# Those who wait for a picture hold threads that the map needs, so the others are asked to come again.
PLACES = BoundedSemaphore(4)
_LOG = logging.getLogger(__name__)


def make_routes(site: Site) -> list[BaseRoute]:
    """Return the route of pictures."""

    def picture(request: Request) -> Response:
        if not PLACES.acquire(blocking=False):
            return _refuse("Others are taking pictures just now. Try again in some seconds.", 503)
        try:
            return answer_picture(site, request.path_params["page"], request.path_params["kind"], request.query_params)
        finally:
            PLACES.release()

    return [Route("/picture/{page}.{kind}", picture)]


def answer_picture(site: Site, page: str, kind: str, address: Mapping[str, str]) -> Response:
    """Return the picture of a page at an address as a file, or say why there is none."""
    if page not in MAKERS or kind not in FORMATS:
        return _refuse("No such picture.", 404)
    try:
        current = open_current_release(site)
        if current is None:
            return _refuse("There is no release.", 404)
        if not may_download(current.release):
            return _refuse("Partner files of real records have a named receiver: see the page Download.", 403)
        with MAKING, speak(address.get("lang", "")):
            sheet = MAKERS[page](current, address)
            content = b"" if sheet is None else render_sheet(sheet, current.release, kind)
    except TactError as error:
        _LOG.error("%s", error)
        return _refuse("The release cannot be read.", 500)
    if sheet is None:
        return _refuse("There is nothing to draw.", 404)
    name = name_file(current.release, "map" if page == "situation" else page, kind)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=FORMATS[kind], headers=headers)


def _refuse(sentence: str, status: int) -> Response:
    return Response(f"{sentence}\n", status_code=status, media_type="text/plain")
