"""What a reader sees, to take away: the map of a page as PNG, SVG or PDF, made from the address of the page.

Pictures are files like those of the Download page: where a release may not be handed out by the web process, neither
may they.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dashboard.briefing.sheet import FORMATS, Sheet, name_file, render_sheet
from dashboard.briefing.view_sheet import make_view_sheet
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
_MAKING = Lock()  # pictures are made one at a time, to save memory


def make_routes(site: Site) -> list[BaseRoute]:
    """Return the route of pictures."""

    def picture(request: Request) -> Response:
        return answer_picture(site, request.path_params["page"], request.path_params["kind"], request.query_params)

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
        with _MAKING, speak(address.get("lang", "")):
            sheet = MAKERS[page](current, address)
            content = b"" if sheet is None else render_sheet(sheet, current.release, kind)
    except TactError:
        return _refuse("The release cannot be read.", 500)
    if sheet is None:
        return _refuse("There is nothing to draw.", 404)
    name = name_file(current.release, "map" if page == "situation" else page, kind)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=FORMATS[kind], headers=headers)


def _refuse(sentence: str, status: int) -> Response:
    return Response(f"{sentence}\n", status_code=status, media_type="text/plain")
