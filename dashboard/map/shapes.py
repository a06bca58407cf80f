"""Shapes for the map. They are sent to a browser once, and their address contains their checksum.

Boundaries differ between workspaces, so they are read from the release. The base map is part of the product.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.site import Site
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease, load_areas_file
from dashboard.site.reader import read_header
from dashboard.site.text import LANGUAGE_NAMES, _, cache_by_language, find_language, name_area, speak
from dashboard.site.zipped import send_zipped, zip_document
from data import reference
from data.errors import TactError
from data.message import mark
from data.reference import list_predecessors
from data.release import MANIFEST, Release, read_withdrawn
from geo.areas import LEVELS, Areas, load_areas
from geo.places import Places

_LOG = logging.getLogger(__name__)
_UNREADABLE = (TactError, OSError)  # OSError: the file `current` is damaged, such as a folder or too long a name
LAND = reference.FOLDER / "land.geojson"
# The address of the areas that ship with the product, for a map without a release.
SHIPPED = "shipped"
# An address that redirects to the shapes of the current release.
_CURRENT = "current"
# Length of a shortened checksum. It is long enough to identify the shapes, and is sent at every change.
_SHORTENED = 16
# The places in the menu "Go to" of the map: label, area level, and the areas that are then in view.
_PLACES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (mark("Both"), "country", ("AL", "GR")),
    (mark("Albania"), "country", ("AL",)),
    (mark("Greece"), "country", ("GR",)),
    (mark("Tirana and Durrës"), "region", ("AL-11", "AL-02")),
)
# The countries around Albania and Greece whose names are written on the map.
_LANDS = (
    mark("Austria"),
    mark("Bosnia and Herzegovina"),
    mark("Bulgaria"),
    mark("Croatia"),
    mark("Cyprus"),
    mark("Egypt"),
    mark("Hungary"),
    mark("Italy"),
    mark("Kosovo"),
    mark("Libya"),
    mark("Montenegro"),
    mark("North Macedonia"),
    mark("Romania"),
    mark("Serbia"),
    mark("Slovenia"),
    mark("Tunisia"),
    mark("Türkiye"),
)
_LONGEST, _MOST = 80, 6
_A_DAY = "public, max-age=86400"
_FOR_EVER = "public, max-age=31536000, immutable"


def describe_shapes(current: CurrentRelease, *, in_page: bool = False) -> dict[str, Any]:
    """Return the settings of the map that change only with the boundaries and the language.

    in_page : whether the map is inside a page, where the mouse wheel scrolls the page.
    """
    language = find_language()
    return {
        "shapes": current.release.areas_checksum[:_SHORTENED],
        **({"within": True} if in_page else {}),
        **({"language": language} if language != "en" else {}),
    }


def describe_level(areas: Areas, level: str) -> dict[str, Any]:
    """Return the simplified shapes of a level (see `Areas.map_geometry`) with names, for the map's script.

    `names`, `local` and `above` are in the order of `codes`: each area's name in the reader's language, its local name,
    and the name of the area that contains it (empty for a country). `source` is in the reader's language if it has a
    translation.
    """
    document = areas.map_geometry(level)
    table = areas.table
    parents = [table["parent"][code] for code in document["codes"]]
    return {
        **document,
        "names": [_name_row(table, code) for code in document["codes"]],
        "local": [str(table["name_local"][code]) for code in document["codes"]],
        "above": [_name_row(table, parent) if parent else "" for parent in parents],
        "source": _(document["source"]),
    }


def _name_row(table: pd.DataFrame, code: str) -> str:
    columns = ("country", "level", "name_en", "name_local")
    return name_area(find_language(), *(str(table[column][code]) for column in columns))


def describe_words() -> dict[str, Any]:
    """Return the words of the map's controls and the places in its menu "Go to", in the reader's language."""
    return {
        "map": _(
            "Map of Albania and Greece. Arrow keys move the map, plus and minus change the zoom. The "
            "table shows the same numbers."
        ),
        "find": _("Find an area"),
        "nowhere": _("No area has this name."),
        "inside": _("{area} is in {around}."),
        "several": _("Several areas have that name: {areas}."),
        "larger": _("{area} is larger than the areas on this map."),
        "views": _("Go to"),
        "failed": _("The shapes of the areas could not be loaded. Reload the page."),
        "lands": {name: _(name) for name in _LANDS} if find_language() != "en" else {},
        "places": [{"label": _(label), "level": level, "codes": list(codes)} for label, level, codes in _PLACES],
    }


@lru_cache(maxsize=1)
def _load_places() -> tuple[pd.DataFrame, Places, dict[str, str]]:
    areas = reference.area_table()
    return areas, Places(areas), list_predecessors(areas)


def find_chains(name: str) -> list[list[dict[str, str]]]:
    """Find areas by any name that an import accepts; return for each a list of the area and those that contain it.

    The area itself comes first, its country last; each has a code and a name. If areas of several levels have the name,
    only those of the highest level are returned, at most six. Empty if no area has the name.
    """
    areas, places, older = _load_places()
    codes = sorted({older.get(code, code) for code in places.find(name, level=None)})
    depth = {code: LEVELS.index(areas["level"][code]) for code in codes}
    return [_list_chain(areas, code) for code in codes if depth[code] == min(depth.values())][:_MOST]


def _list_chain(areas: pd.DataFrame, code: str) -> list[dict[str, str]]:
    listed = []
    while code:
        listed.append({"code": code, "name": _name_row(areas, code)})
        code = str(areas["parent"][code] or "")
    return listed


@cache_by_language(maxsize=24)
def _zip_level(file: Path, checksum: str, level: str) -> bytes:
    return zip_document(describe_level(load_areas_file(file, checksum), level))


@cache_by_language(maxsize=12)
def _zip_shipped(level: str) -> bytes:
    return zip_document(describe_level(load_areas(), level))


@lru_cache(maxsize=1)
def _zip_land() -> bytes:
    return gzip.compress(LAND.read_bytes(), mtime=0)


def _find_release(site: Site, checksum: str) -> Release | None:
    """Find the newest release of the site's tier whose areas have this checksum or one that begins like it.

    None if there is none, or if `checksum` has fewer than 16 characters.
    """
    alone = replace(site, derived=None)  # shapes need no results
    newest = alone.find_newest() if len(checksum) >= _SHORTENED else None
    if newest is None:
        return None
    state = (newest, read_withdrawn(site.releases), *_read_states(alone))
    match = next((name for name, known in _list_checksums(alone, state) if known.startswith(checksum)), None)
    return None if match is None else alone.open_release(match)


def _read_states(site: Site) -> Iterator[tuple[str, int, int]]:
    """Yield for each manifest of the releases its path, the time of its last change (ns), and its size (bytes)."""
    for tier in dict.fromkeys(("public", site.tier)):  # the public manifest has the age of a release
        for path in sorted(site.releases.glob(f"*/{tier}/{MANIFEST}")):
            status = path.stat()
            yield str(path), status.st_mtime_ns, status.st_size


@cache_once(maxsize=16)
def _list_checksums(site: Site, _state: object) -> tuple[tuple[str, str], ...]:
    """Return pairs (name, checksum of the areas) of the releases that can be read, newest first.

    The pairs are made once for each state of the folder, because anybody may ask for any checksum.
    """
    listed = []
    for name in site.list_releases():
        try:
            listed.append((name, site.open_release(name).areas_checksum))
        except TactError:
            continue
    return tuple(listed)


def _name_current(site: Site) -> str:
    try:
        release = site.release()
    except _UNREADABLE:
        release = None
    return release.areas_checksum[:_SHORTENED] if release else SHIPPED


def list_first_shapes(language: str) -> tuple[str, ...]:
    """Return the addresses of the shapes and words that the map reads when it opens, the same for all releases."""
    spoken = "" if language == "en" else f"?lang={language}"
    levels = (f"./geometry/{_CURRENT}/{level}.json{spoken}" for level in ("country", "region"))
    return ("./geometry/land.json", f"./geometry/words/{language}.json", *levels)


def make_routes(whole: Site) -> list[BaseRoute]:
    """Return the routes of shapes, of the words of the map's controls, and of the search for areas."""

    def level(request: Request) -> Response:
        asked, reader = request.path_params["level"], read_header(request.headers)
        site = whole.narrow(reader)
        if asked in LEVELS and request.path_params["checksum"] == _CURRENT:
            there = f"../{_name_current(site)}/{asked}.json"
            return RedirectResponse(f"{there}?{request.url.query}" if request.url.query else there, 307)
        if asked in LEVELS and request.path_params["checksum"] == SHIPPED and not reader.countries:
            with speak(request.query_params.get("lang", "")):
                return send_zipped(request, _zip_shipped(asked), _A_DAY)
        try:
            release = _find_release(site, request.path_params["checksum"]) if asked in LEVELS else None
            if release is None:
                return Response("No such areas.\n", status_code=404, media_type="text/plain")
            with speak(request.query_params.get("lang", "")):
                # The address has only the checksum of the shapes, so translated names in it may change later.
                lifetime = _FOR_EVER if find_language() == "en" else _A_DAY
                return send_zipped(request, _zip_level(release.areas_file, release.areas_checksum, asked), lifetime)
        except _UNREADABLE as error:
            _LOG.error("%s", error)
            return Response("The release cannot be read.\n", status_code=500, media_type="text/plain")

    def land(request: Request) -> Response:
        return send_zipped(request, _zip_land(), _A_DAY)

    def find(request: Request) -> Response:
        countries = read_header(request.headers).countries
        with speak(request.query_params.get("lang", "")):
            chains = find_chains(request.query_params.get("name", "")[:_LONGEST])
        visible = [chain for chain in chains if not countries or chain[-1]["code"] in countries]
        return JSONResponse({"chains": visible})

    def words(request: Request) -> Response:
        language = request.path_params["language"]
        if language not in LANGUAGE_NAMES:
            return Response(status_code=404)
        with speak(language):
            return send_zipped(request, zip_document(describe_words()), _A_DAY)

    return [
        Route("/geometry/land.json", land),
        Route("/geometry/words/{language}.json", words),
        Route("/geometry/find.json", find),
        Route("/geometry/{checksum}/{level}.json", level),
    ]
