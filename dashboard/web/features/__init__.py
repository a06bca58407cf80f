"""OGC API Features over the releases of the site, for QGIS and other programs: /features.

Part 1: Core, OpenAPI 3.0 and GeoJSON, in CRS84. It offers the same as the Download page: numbers and states of
releases of this process's tier, but nothing of the partner tier from real records. Answers are JSON. An answer repeats
a parameter only if it was understood.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.site import FEATURES, Site
from dashboard.site.current_release import CurrentRelease, may_download, open_current_release
from dashboard.site.reader import read_as, read_header
from dashboard.site.zipped import send_zipped, zip_document
from dashboard.web.features.collection import (
    Collection,
    describe_collection,
    describe_collections,
    find_collection,
    list_collections,
    list_of_release,
)
from dashboard.web.features.definition import CONFORMANCE, OPENAPI, describe_api, describe_landing
from dashboard.web.features.items import format_item, list_pages, zip_page
from dashboard.web.features.query import BadRequest, check_names, parse_query
from data.errors import TactError
from geo.export import geojson

# Requests that are answered at the same time: few, because the map needs threads too. Requests that are answered or
# wait: all others get 503.
AT_ONCE, WAITING = 4, 60
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    """A request, the site and its shown release as the reader may see them, and the address of the landing page."""

    request: Request
    site: Site
    current: CurrentRelease | None
    base: str

    def find_collection(self) -> Collection:
        collection = find_collection(self.site, self.current, self.request.path_params["collection"])
        if collection is None:
            raise HTTPException(404, "There is no such collection.")
        return collection

    def list_collections(self) -> list[Collection]:
        return list(list_collections(self.site, self.current))


_Answer = Callable[[_Asked], Response]


def make_routes(site: Site, *, is_encrypted: bool) -> list[BaseRoute]:
    """Return the routes under /features. `is_encrypted`: whether readers come by https, through a proxy."""
    working, waiting = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(WAITING)

    def route(path: str, answer: _Answer, media_type: str, *, has_query: bool = False) -> Route:
        async def endpoint(request: Request) -> Response:
            _check_accepted(request, media_type)
            if waiting.locked():
                raise HTTPException(503, "Others are asking just now. Try again in some seconds.", {"Retry-After": "5"})
            async with waiting, working:
                job = partial(_work, site, request, answer, is_encrypted=is_encrypted, has_query=has_query)
                return await asyncio.to_thread(job)

        return Route(FEATURES + path, endpoint)

    def document(path: str, describe: Callable[[_Asked], object], media_type: str = "application/json") -> Route:
        def answer(asked: _Asked) -> Response:
            return send_zipped(asked.request, zip_document(describe(asked)), "no-store", media_type)

        return route(path, answer, media_type)

    items = "/collections/{collection}/items"
    application = Starlette(
        routes=[
            *(document(path, lambda asked: describe_landing(asked.base)) for path in ("", "/")),
            document("/api", lambda asked: describe_api(asked.list_collections(), asked.base), OPENAPI),
            document("/conformance", lambda _asked: CONFORMANCE),
            document("/collections", lambda asked: describe_collections(asked.list_collections(), asked.base)),
            document(
                "/collections/{collection}", lambda asked: describe_collection(asked.find_collection(), asked.base)
            ),
            route(items, _show_items, geojson.MEDIA_TYPE, has_query=True),
            route(f"{items}/{{feature}}", _show_item, geojson.MEDIA_TYPE),
        ],
        exception_handlers={HTTPException: _refuse},
    )
    application.router.redirect_slashes = False
    # Endpoints of a class get every method, so that this application refuses those that it does not know.
    return [Route(path, application) for path in (FEATURES, f"{FEATURES}/{{rest:path}}")]


def _work(site: Site, request: Request, answer: _Answer, *, is_encrypted: bool, has_query: bool) -> Response:
    reader = read_header(request.headers)
    try:
        with read_as(reader):
            narrowed = site.narrow(reader)
            current = open_current_release(narrowed)
            if current is not None and not may_download(current.release):
                raise HTTPException(403, "Partner files of real records have a named receiver: see the page Download.")
            host = request.headers.get("host", "")
            if not _HOST.fullmatch(host):
                raise BadRequest("The host name of the request has characters that none has.")
            base = f"{'https' if is_encrypted else request.url.scheme}://{host}{FEATURES}"
            asked = _Asked(request, narrowed, current, base)
            if not has_query:
                check_names(request.query_params.multi_items(), ())
            return answer(asked)
    except BadRequest as error:
        raise HTTPException(400, str(error)) from None
    except TactError as error:
        _LOG.error("%s", error)
        raise HTTPException(500, "The release cannot be read.") from None


def _check_accepted(request: Request, media_type: str) -> None:
    """Raise HTTPException 406 if the client names the formats that it accepts, and `media_type` or JSON is not one."""
    asked = [part.strip() for part in ",".join(request.headers.getlist("accept")).lower().split(",") if part.strip()]
    name = media_type.partition(";")[0]
    known = {name, "application/json", "application/*", "*/*"}
    for part in asked:
        kind, *settings = (piece.strip() for piece in part.split(";"))
        if kind in known and not any(re.fullmatch(r"q=0(\.0*)?", setting) for setting in settings):
            return
    if asked:
        raise HTTPException(406, f"This address answers with {media_type} alone.")


def _refuse(_request: Request, error: Exception) -> Response:
    """Return an HTTPException as the answer: its status and headers, with name and reason of the error as JSON."""
    status, headers = HTTPStatus(getattr(error, "status_code", 500)), dict(getattr(error, "headers", None) or {})
    body = {"code": status.phrase.replace(" ", ""), "description": str(getattr(error, "detail", "") or status.phrase)}
    return JSONResponse(body, status, {**headers, "Cache-Control": "no-store"})


def _show_items(asked: _Asked) -> Response:
    collection = asked.find_collection()
    query = parse_query(asked.request.query_params.multi_items(), collection.layer)
    return send_zipped(asked.request, zip_page(collection, query, asked.base), "no-store", geojson.MEDIA_TYPE)


def _show_item(asked: _Asked) -> Response:
    text = format_item(asked.find_collection(), asked.request.path_params["feature"], asked.base)
    if text is None:
        raise HTTPException(404, "There is no such feature.")
    return Response(text, media_type=geojson.MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def write_features(current: CurrentRelease, folder: Path) -> list[Path]:
    """Write all answers on a release into a folder, for the audit, and return the paths of the files.

    The answers are the list of collections and all pages of each collection, without the shapes of areas.
    """
    base, collections = f"http://localhost{FEATURES}", list(list_of_release(current))
    files = [folder / "features-collections.json"]
    files[0].write_text(geojson.format_json(describe_collections(collections, base)), encoding="utf-8")
    for collection in collections:
        for number, page in enumerate(list_pages(collection, base), start=1):
            files.append(folder / f"features-{collection.id}-{number}.geojson")
            files[-1].write_text(page, encoding="utf-8", newline="\n")
    return files
