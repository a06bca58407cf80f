"""The collections of the service: one for each layer at each level, of the shown release or of a release by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, follow_release, list_levels, load_areas, may_download
from data.errors import ReleaseDamaged, ReleaseError
from geo.export import geojson
from geo.layers import find_layer
from geo.layers.core import Layer
from geo.layers.core.words import LEVELS
from geo.layers.output import terms

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


@dataclass(frozen=True)
class Collection:
    """A layer at a level of a release. `id` has only letters, digits, `_`, `-` and `.`."""

    id: str
    current: CurrentRelease
    layer: Layer
    level: str
    is_named: bool  # of a release by its name, whichever is shown


def find_collection(site: Site, current: CurrentRelease | None, name: str) -> Collection | None:
    """Return a collection by its identifier; None if there is none, or without a release.

    name : the identifier. Of the releases, only one that the identifier may name is opened. current : the shown
    release, which is open already.
    """
    return next((c for c in list_collections(site, current, name) if c.id == name), None)


def list_collections(site: Site, current: CurrentRelease | None, asked: str = "") -> Iterator[Collection]:
    """Yield the collections of the shown release, then those of each release by name, newest first.

    Releases that cannot be read or downloaded are left out, and all of them if `current` is None. If a name is asked
    for, only releases to which it can belong are opened.
    """
    if current is None:
        return
    yield from list_of_release(current)
    for name in site.list_releases():
        if not asked or asked.endswith(f"_{name}"):
            try:
                is_shown = name == current.release.name
                release = current if is_shown else follow_release(site.open_release(name))
            except (ReleaseError, ReleaseDamaged):
                continue
            if may_download(release.release):
                yield from list_of_release(release, f"_{name}")


def list_of_release(current: CurrentRelease, ending: str = "") -> Iterator[Collection]:
    """Yield the collections of a release; `ending` follows their identifiers if the release is asked for by name."""
    for name, levels in list_levels(current).items():
        for level in levels:
            yield Collection(f"{name}_{level}{ending}", current, find_layer(name), level, bool(ending))


def describe_collections(collections: Iterable[Collection], base: str) -> dict[str, Any]:
    """Return the answer to /collections, as values for JSON."""
    described = [describe_collection(collection, base) for collection in collections]
    return {"links": [make_link("self", f"{base}/collections")], "collections": described}


def describe_collection(collection: Collection, base: str) -> dict[str, Any]:
    """Return the description of a collection, as values for JSON. `base` is the address of the landing page."""
    here = f"{base}/collections/{collection.id}"
    links = [
        make_link("self", here),
        make_link("items", f"{here}/items", geojson.MEDIA_TYPE),
        make_link("collection", f"{base}/collections"),
    ]
    return {
        "id": collection.id,
        **_describe(collection.current, collection.layer.id, collection.level, is_named=collection.is_named),
        "itemType": "feature",
        "crs": [CRS84],
        "links": links,
    }


@lru_cache(maxsize=512)
def _describe(current: CurrentRelease, name: str, level: str, *, is_named: bool) -> Mapping[str, Any]:
    release, layer = current.release, find_layer(name)
    title = f"{layer.title}: {LEVELS[level]}"
    parts = (
        *terms.list_cautions(release),
        layer.question,
        terms.TIERS[release.tier],
        f"Licence: {terms.find_licence(release)}.",
        f"Cite it as: {terms.format_citation(release)}",
    )
    shapes = load_areas(release).frame(level).geometry.dropna()
    extent: dict[str, Any] = {}
    if len(shapes):
        extent["spatial"] = {"bbox": [[round(float(n), 6) for n in shapes.total_bounds]], "crs": CRS84}
    about = release.manifest["tact"]
    if not layer.of_figures and about.get("first") and about.get("last"):
        days = [f"{about['first']}T00:00:00Z", f"{about['last']}T23:59:59Z"]
        extent["temporal"] = {"interval": [days], "trs": _GREGORIAN}
    return {
        "title": f"{title} (release {release.name})" if is_named else title,
        "description": " ".join(filter(None, parts)),
        "extent": extent,
    }


def make_link(relation: str, address: str, media_type: str = "application/json") -> dict[str, str]:
    """Return a link of an answer as values for JSON: its relation (`rel`), address (`href`) and media type (`type`)."""
    return {"rel": relation, "href": address, "type": media_type}
