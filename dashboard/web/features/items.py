"""The features of a collection: every cell of a layer at a level, with the columns of the exported tables.

A page is made once for a release, its results and a request, and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import shapely

from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.zipped import zip_text
from dashboard.web.features.collection import Collection, make_link
from dashboard.web.features.query import MOST, Query
from data.workspace.types import Ints
from geo.export import geojson
from geo.layers import find_layer
from geo.layers.core import Layer
from geo.layers.output import wide


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a layer at a level, in the order of the exported tables. Never change them.

    frame : the columns of the exported tables. shapes : the shapes of the areas as they are sent, by code.
    """

    frame: pd.DataFrame
    layer: Layer
    shapes: pd.Series

    @cached_property
    def ids(self) -> list[str]:
        """The identifiers of the cells: area, period and choices, without characters that an address must escape."""
        columns = [self.frame["code"], self.frame["period"].str.replace("/", "_")]
        columns += [self.frame[option.id] for option in self.layer.options]
        return [".".join(parts) for parts in zip(*columns, strict=True)]

    @cached_property
    def places(self) -> dict[str, int]:
        """The position of each cell in the frame, by its identifier."""
        return {name: place for place, name in enumerate(self.ids)}

    @cached_property
    def written_shapes(self) -> dict[str, str]:
        """The shape of each area as GeoJSON text, by its code."""
        return {str(code): geojson.format_shape(shape) for code, shape in self.shapes.items()}

    def select(self, query: Query) -> Ints:
        """Return the positions in the frame of the cells that a request asks for, on all of its pages.

        The array has one axis, in the order of the frame. Cells without a period match any days, and areas without a
        shape any box.
        """
        frame, chosen = self.frame, np.ones(len(self.frame), bool)
        for name, value in query.equal:
            chosen &= (frame[name] == value).to_numpy(bool)
        timeless = (frame["first_day"] == "").to_numpy(bool)
        if query.last:
            chosen &= timeless | (frame["first_day"] <= query.last).to_numpy(bool)
        if query.first:
            chosen &= timeless | (frame["last_day"] >= query.first).to_numpy(bool)
        if query.boxes:
            chosen &= frame["code"].isin(self._find_areas(query)).to_numpy(bool)
        return np.flatnonzero(chosen)

    def _find_areas(self, query: Query) -> list[str]:
        """Return the areas that intersect one of the boxes, and the areas without a shape."""
        shapes = self.shapes.to_numpy()
        meets = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        for box in query.boxes:
            meets |= shapely.intersects(shapes, shapely.box(*box))
        return [str(code) for code in self.shapes.index[meets]]

    def list_features(self, places: Ints, *, with_shapes: bool = True) -> Iterator[str]:
        """Yield the cells at the positions `places` as GeoJSON features, one text each.

        Without `with_shapes`, the shape of each feature is null, for callers that need only the numbers.
        """
        rows = self.frame.iloc[places]
        columns = {str(name): _list_values(rows[name]) for name in rows.columns}
        for place, values in zip(places, zip(*columns.values(), strict=True), strict=True):
            row = dict(zip(columns, values, strict=True))
            shape = self.written_shapes.get(row["code"], "null") if with_shapes else "null"
            yield geojson.format_feature(self.ids[place], shape, row)


def _list_values(column: pd.Series) -> list[Any]:
    """Return a column as values for JSON; missing ones are None.

    Its numbers have one type, because programs guess the type from the first page.
    """
    kind = int if pd.api.types.is_integer_dtype(column) else float if pd.api.types.is_numeric_dtype(column) else str
    values, missing = column.tolist(), column.isna().tolist()
    return [None if absent else kind(value) for value, absent in zip(values, missing, strict=True)]


def read_cells(collection: Collection) -> Cells:
    """Return the cells of a collection; they are read once for a release and its results. Raises ReleaseDamaged."""
    return _read_cells(collection.current, collection.layer.id, collection.level)


@lru_cache(maxsize=24)
def _read_cells(current: CurrentRelease, name: str, level: str) -> Cells:
    layer = find_layer(name)
    table = wide.build_long_table(current.release, layer)
    shapes = load_areas(current.release).frame(level).geometry
    rounded = pd.Series(geojson.round_shapes(shapes.to_numpy()), index=shapes.index, dtype=object)
    return Cells(table[table["level"] == level].reset_index(drop=True), layer, rounded)


@lru_cache(maxsize=128)
def _select(cells: Cells, query: Query) -> Ints:
    return cells.select(query)


@lru_cache(maxsize=64)
def zip_page(collection: Collection, query: Query, base: str) -> bytes:
    """Return a page of features as `format_page` does, compressed. Raises ReleaseDamaged."""
    return zip_text(format_page(collection, query, base))


def format_page(collection: Collection, query: Query, base: str, *, with_shapes: bool = True) -> str:
    """Return a page of features as GeoJSON, with one line for each feature. Raises ReleaseDamaged.

    base : the address of the landing page. with_shapes : whether features have their shapes, else null.
    """
    cells = read_cells(collection)
    places = _select(cells, Query(boxes=query.boxes, first=query.first, last=query.last, equal=query.equal))
    page = places[query.offset : query.offset + query.limit]
    here = f"{base}/collections/{collection.id}"

    def lead(offset: int) -> str:
        pairs = [*query.filters, ("limit", query.limit), ("offset", offset)]
        return f"{here}/items?{urlencode(pairs)}"

    links = [make_link("self", lead(query.offset), geojson.MEDIA_TYPE), make_link("collection", here)]
    if len(page) and query.offset + query.limit < len(places):
        links.append(make_link("next", lead(query.offset + query.limit), geojson.MEDIA_TYPE))
    head = {"numberMatched": len(places), "numberReturned": len(page), "links": links}
    features = ",\n".join(cells.list_features(page, with_shapes=with_shapes))
    return f'{{"type":"FeatureCollection",{geojson.format_json(head)[1:-1]},"features":[{features}]}}\n'


def format_item(collection: Collection, name: str, base: str) -> str | None:
    """Return one feature by its identifier `name` as GeoJSON; None if there is none. Raises ReleaseDamaged."""
    cells = read_cells(collection)
    if name not in cells.places:
        return None
    here = f"{base}/collections/{collection.id}"
    links = [make_link("self", f"{here}/items/{name}", geojson.MEDIA_TYPE), make_link("collection", here)]
    (feature,) = cells.list_features(np.array([cells.places[name]]))
    return f'{feature[:-1]},"links":{geojson.format_json(links)}}}\n'


def list_pages(collection: Collection, base: str) -> Iterator[str]:
    """Yield all pages of a collection without their shapes, for the search for leaks."""
    matched = len(read_cells(collection).frame)
    for offset in range(0, max(matched, 1), MOST):
        yield format_page(collection, Query(limit=MOST, offset=offset), base, with_shapes=False)
