"""The pictures that a reader can download from a page, as PNG, SVG or PDF. Each is made from the page's address.

The rule for files of the Download page holds for pictures too: where the web process may not hand out a release, it
may not hand out its pictures.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dashboard.briefing.sheet import FORMATS, Sheet, name_file, render_sheet
from dashboard.briefing.view_sheet import make_view_sheet
from dashboard.narrative.judgement import read_usual_plan
from dashboard.narrative.risk import name_pathways
from dashboard.pages.coverage import sheet as coverage
from dashboard.pages.coverage import summary as coverage_summary
from dashboard.pages.download.files import MAKING
from dashboard.pages.flows import sheet as flows
from dashboard.pages.overview import sheet as overview
from dashboard.pages.reallocate import sheet as reallocate
from dashboard.pages.reallocate.map import VIEWS
from dashboard.pages.risk import sheet as risk
from dashboard.pages.trends import sheet as trends
from dashboard.pages.trends import summary as trends_summary
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, list_levels, may_download, name_periods, open_current_release
from dashboard.site.file_places import NoPlaceError, take_place
from dashboard.site.reader import read_as, read_header
from dashboard.site.text import speak
from dashboard.widgets import address
from data.errors import TactError
from data.tables.spec import Tier

# By the folder of the page, see PAGES in page_list.py.
MAKERS: Mapping[str, Callable[[Site, CurrentRelease], Sheet | None]] = {
    "overview": overview.make_sheet,
    "situation": lambda _site, current: make_view_sheet(current, address.read_parameters()),
    "risk": risk.make_sheet,
    "flows": flows.make_sheet,
    "coverage": coverage.make_sheet,
    "trends": trends.make_sheet,
    "reallocate": reallocate.make_sheet,
}
_OF_PARTNERS = {"flows", "reallocate"}
_NAMES = {"situation": "map"}
_LOG = logging.getLogger(__name__)


def has_picture(page: str, tier: Tier) -> bool:
    """Return whether a page has a picture on a tier."""
    return page in MAKERS and (tier == "partner" or page not in _OF_PARTNERS)


def make_routes(site: Site) -> list[BaseRoute]:
    """Return the route by which readers get the pictures of pages."""

    def picture(request: Request) -> Response:
        reader, asked = read_header(request.headers), request.path_params
        try:
            with take_place(), read_as(reader):
                visible = replace(site.narrow(reader), asked=request.query_params.get("release", ""))
                return answer_picture(visible, asked["page"], asked["kind"], request.query_params)
        except NoPlaceError as error:
            return refuse(str(error), 503)

    return [Route("/picture/{page}.{kind}", picture)]


def answer_picture(site: Site, page: str, kind: str, parameters: Mapping[str, str]) -> Response:
    """Return the picture of a page as a file; else a refusal that says why there is none (status 403, 404 or 500).

    kind : one of `FORMATS`. parameters : those of the page's address.
    """
    if not has_picture(page, site.tier) or not site.covers(page) or kind not in FORMATS:
        return refuse("No such picture.", 404)
    try:
        current = open_current_release(site)
        if current is None:
            return refuse("There is no release.", 404)
        if not may_download(current.release):
            return refuse("Partner files of real records have a named receiver: see the page Download.", 403)
        with MAKING, speak(parameters.get("lang", "")):
            sheet = make_sheet(site, current, page, parameters)
            content = b"" if sheet is None else render_sheet(sheet, current.release, kind)
    except TactError as error:
        _LOG.error("%s", error)
        return refuse("The release cannot be read.", 500)
    if sheet is None:
        return refuse("There is nothing to draw.", 404)
    name = name_file(sheet, current.release, _NAMES.get(page, page), kind)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=FORMATS[kind], headers=headers)


def refuse(sentence: str, status: int) -> Response:
    """Return an answer with a status and a sentence that says why there is no file."""
    return Response(f"{sentence}\n", status_code=status, media_type="text/plain")


def make_sheet(site: Site, current: CurrentRelease, page: str, parameters: Mapping[str, str]) -> Sheet | None:
    """Return the sheet of a page for these parameters of its address; None if there is nothing to draw."""
    with address.follow(parameters):
        return MAKERS[page](site, current)


def write_pictures(site: Site, current: CurrentRelease, folder: Path) -> list[Path]:
    """Write the pictures of all pages as SVG for the search for leaks, and return the files.

    The picture of Reallocate shows the usual plan.
    """
    views = _list_views(current)
    sheets = [("-".join([page, *view.values()]), make_sheet(site, current, page, view)) for page, view in views]
    if plan := read_usual_plan(current):
        sheets.append(("reallocate", reallocate.draw_plan(current, plan, next(iter(VIEWS)))))
    files = []
    for name, sheet in sheets:
        if sheet is not None:
            files.append(folder / name_file(sheet, current.release, name.replace("/", "-"), "svg"))
            files[-1].write_bytes(render_sheet(sheet, current.release, "svg"))
    return files


def _list_views(current: CurrentRelease) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield views whose pictures together show each layer, area, period of flows and kind of services."""
    yield "overview", {}
    for layer, levels in list_levels(current).items():
        yield from (("situation", {"layer": layer, "level": level}) for level in levels)
    yield from (("risk", {"pathway": pathway}) for pathway in name_pathways())
    yield from (("flows", {"time": period}) for period in name_periods(current, "flows", "region", "origin"))
    for kind in coverage_summary.name_services(current):
        yield from (("coverage", {"services": kind, "show": shown}) for shown in coverage_summary.name_measures())
    yield from (("trends", {"pathway": pathway}) for pathway in trends_summary.name_pathways(current))
    yield from (("trends", {"trend": shown}) for shown in trends_summary.name_measures(current))
