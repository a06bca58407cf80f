"""The tree of areas with their shapes: countries, regions, municipalities.

Shapes are stored in EPSG:4326; square kilometres are computed in EPSG:3035 (equal area). The shapes
of one level are a coverage: neighbours share their border exactly, nothing overlaps. Regions and
countries are unions of their municipalities (Mount Athos is a region without one), so levels nest.
"""

import json
import tempfile
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.errors import AreaError
from data.reference import FOLDER, area_table, registry
from data.workspace.files import replacing

BOUNDARIES = "boundaries.parquet"
LEVELS = ("country", "region", "municipality")
_CELLS = "municipalities.geojson"
_STORED, _EQUAL_AREA = "EPSG:4326", "EPSG:3035"
_SHAPE_COLUMNS = ["km2", "approximate", "boundaries", "geometry"]
_FRAME_COLUMNS = [
    "name_en", "name_local", "parent", "country", "km2", "approximate", "geometry",
]  # fmt: skip
_MAP_VERTICES = 10_000  # with names and centres about 60 kB gzipped
_MAP_TOLERANCES = (0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03)  # degrees
_MAP_ISLET = 3e-5  # square degrees, about 0.3 km2
_MAP_DECIMALS = 4  # about 10 metres


class Areas:
    """Every area with its shape, neighbours and size; read-only, safe to share between sessions."""

    def __init__(self, rows: gpd.GeoDataFrame) -> None:
        """Store one row per area, indexed by code: the area table, km2, approximate, boundaries and geometry."""
        self._rows = rows
        self.table: pd.DataFrame = pd.DataFrame(rows.drop(columns=_SHAPE_COLUMNS))
        self._level = {str(code): str(level) for code, level in self.table["level"].items()}
        self._parent = {str(code): str(outer) for code, outer in self.table["parent"].items()}
        self._frames: dict[str, gpd.GeoDataFrame] = {}
        self._neighbours: dict[str, list[tuple[str, str]]] = {}
        self._centres: dict[str, pd.DataFrame] = {}
        self._maps: dict[str, dict[str, Any]] = {}

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of `table` as dictionaries, by area code."""
        return dict(zip(self.table.index.astype(str), self.table.to_dict("records"), strict=True))

    def write(self, path: Path) -> None:
        """Write all levels to one GeoParquet file, completely or not at all; `read_areas` returns the same areas."""
        with replacing(Path(path)) as aside:
            self._rows.reset_index().to_parquet(aside, compression="zstd")

    def frame(self, level: str) -> gpd.GeoDataFrame:
        """Return a level's areas in the table's order, indexed by code, in EPSG:4326.

        Columns: name_en, name_local, parent, country, km2 (EPSG:3035), approximate, geometry; for an area without a
        shape, geometry is None and km2 is missing. The twelve municipalities of 2019 are left out: they are counted in
        their predecessors. Raises AreaError for an unknown level.
        """
        _check_level(level)
        if level not in self._frames:
            wanted = (self._rows["level"] == level) & self._rows["counted"]
            self._frames[level] = self._rows.loc[wanted, _FRAME_COLUMNS]
        return self._frames[level].copy()

    def missing(self, level: str) -> list[str]:
        """Return the codes of a level's areas that have no shape, in the table's order.

        Raises AreaError for an unknown level.
        """
        frame = self.frame(level)
        return [str(code) for code in frame.index[frame.geometry.isna()]]

    def approximate(self, level: str) -> bool:
        """Return whether any shape of a level is approximate; the map must then say so.

        Raises AreaError for an unknown level.
        """
        return bool(self.frame(level)["approximate"].any())

    @cached_property
    def source(self) -> str:
        """The source of the boundaries, with the credit that their licences require."""
        texts = dict.fromkeys(text for text in self._rows["boundaries"] if text)
        return ". ".join(texts)

    def neighbours(self, level: str) -> list[tuple[str, str]]:
        """Return the pairs of a level's areas that share a border line, each pair once, with its codes in order.

        Areas that touch only in a point, or face each other across water, are not neighbours. Raises AreaError for an
        unknown level.
        """
        _check_level(level)
        if level not in self._neighbours:
            self._neighbours[level] = _pairs(self.frame(level))
        return list(self._neighbours[level])

    def parts(self, level: str) -> list[list[str]]:
        """Return the codes of a level's areas in groups that are connected over land, the largest group first.

        An area without a neighbour (an island, or an area without a shape) is a group of its own. Raises AreaError for
        an unknown level.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        codes = [str(code) for code in self.frame(level).index]
        place = {code: number for number, code in enumerate(codes)}
        ends = np.array([(place[a], place[b]) for a, b in self.neighbours(level)]).reshape(-1, 2)
        links = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(codes),) * 2)
        labels = connected_components(links, directed=False)[1]
        groups = [[codes[i] for i in np.flatnonzero(labels == label)] for label in set(labels)]
        return sorted(groups, key=lambda group: (-len(group), place[group[0]]))

    def locate(self, lat: float, lon: float, level: str) -> str | None:
        """Return the code of the area of a level that contains a point (degrees, EPSG:4326).

        Returns None if no area of the level contains the point, or if a coordinate is not finite. A point on a border
        belongs to the area that comes first in the table. The smallest area is found first, and the area of a
        higher level is the one that contains it, so the results for one point always nest. Raises AreaError for an
        unknown level.
        """
        _check_level(level)
        if not (np.isfinite(lat) and np.isfinite(lon)):
            return None
        codes, tree = self.cells
        hits = tree.query(shapely.Point(lon, lat), predicate="intersects")
        return self._above(codes[min(hits)], level) if len(hits) else None

    def centres(self, level: str) -> pd.DataFrame:
        """Return the point of each area for symbols and names: columns lon and lat (degrees), indexed by code.

        This is the centre of the largest circle inside the area's largest part. Areas without a shape are left out.
        Raises AreaError for an unknown level.
        """
        if level not in self._centres:
            shapes = self.frame(level).geometry.dropna()
            parts, owner = shapely.get_parts(shapes.to_numpy(), return_index=True)
            order = np.lexsort((-shapely.area(parts), owner))
            first = np.unique(owner[order], return_index=True)[1]
            largest: np.ndarray = np.asarray(parts)[order][first]
            circles = shapely.maximum_inscribed_circle(largest, tolerance=0.005)
            points = shapely.get_coordinates(shapely.get_point(circles, 0))
            self._centres[level] = pd.DataFrame(points, index=shapes.index, columns=["lon", "lat"]).round(_MAP_DECIMALS)
        return self._centres[level].copy()

    def map_geometry(self, level: str) -> dict[str, Any]:
        """Return a level's simplified shapes for the browser: a GeoJSON FeatureCollection and more.

        Features have the properties code, name, country, region and centre ([lon, lat]). Other members: level, codes
        (of the features, in order), missing, bbox ([west, south, east, north]), approximate, source; rest, the land of
        both countries that no area of the level covers (for municipalities: Mount Athos), or None; and, for level
        "country", borders: a MultiLineString of the outlines. Coordinates are degrees with four decimals. The shapes of
        all levels are unions of the same simplified cells, so their borders match. The result is shared: never
        change it. Raises AreaError for an unknown level.
        """
        _check_level(level)
        if level not in self._maps:
            self._maps[level] = self._map(level)
        return self._maps[level]

    def _map(self, level: str) -> dict[str, Any]:
        shapes = self._simple_shapes[level]
        codes = [code for code in self.frame(level).index if code in shapes]
        centres = self.centres(level)
        alone = [shape for code, shape in self._simple_shapes["cell"].items() if not self._above(code, level)]
        document: dict[str, Any] = {
            "type": "FeatureCollection",
            "level": level,
            "codes": codes,
            "missing": self.missing(level),
            "bbox": [round(float(edge), 2) for edge in shapely.total_bounds(list(shapes.values()))],
            "approximate": self.approximate(level),
            "source": self.source,
            "rest": _geojson(shapely.union_all(alone)) if alone else None,
            "features": [
                {"type": "Feature", "properties": self._named(code, centres), "geometry": _geojson(shapes[code])}
                for code in codes
            ],
        }
        if level == "country":  # every coast and border once
            borders = shapely.union_all(shapely.boundary(list(shapes.values())))
            document["borders"] = _geojson(shapely.multilinestrings(shapely.get_parts(shapely.line_merge(borders))))
        return document

    def _named(self, code: str, centres: pd.DataFrame) -> dict[str, Any]:
        row = self.table.loc[code]
        return {
            "code": code,
            "name": row["name_en"],
            "country": row["country"],
            "region": "" if row["level"] == "country" else self._above(code, "region"),
            "centre": [float(centres["lon"][code]), float(centres["lat"][code])],
        }

    def _above(self, code: str, level: str) -> str | None:
        while code and self._level[code] != level:
            code = self._parent[code]
        return code or None

    @cached_property
    def cells(self) -> tuple[list[str], shapely.STRtree]:
        """The smallest areas with a shape, in the table's order, and a spatial index of their shapes."""
        parents = set(self._rows.loc[self._rows["level"] == "municipality", "parent"])
        smallest = (self._rows["level"] == "municipality") | (
            (self._rows["level"] == "region") & ~self._rows.index.isin(parents)
        )
        cells = self._rows.loc[smallest & self._rows["counted"]].geometry.dropna()
        return [str(code) for code in cells.index], shapely.STRtree(cells.to_numpy())

    @cached_property
    def _simple_shapes(self) -> dict[str, dict[str, BaseGeometry]]:
        """Simplified shapes by level; every level is a union of the same simplified cells."""
        codes, tree = self.cells
        cells = dict(zip(codes, _simplify(tree.geometries), strict=True))
        return {"cell": cells} | {level: self._unions(cells, level) for level in LEVELS}

    def _unions(self, cells: dict[str, BaseGeometry], level: str) -> dict[str, BaseGeometry]:
        groups: dict[str, list[BaseGeometry]] = {}
        for code, shape in cells.items():
            if above := self._above(code, level):
                groups.setdefault(above, []).append(shape)
        return {code: shapely.coverage_union_all(shapes) for code, shapes in groups.items()}


def load_areas(workspace_areas: Path | None = None) -> Areas:
    """Read the areas with a workspace's imported boundaries or, if there are none, the approximate ones.

    workspace_areas : the folder of areas of the workspace; None for the approximate boundaries. Raises AreaError when
    the imported boundaries cannot be read.
    """
    imported = None if workspace_areas is None else Path(workspace_areas) / BOUNDARIES
    if imported is not None and imported.exists():
        return _build(read_cells(imported))
    return _shipped()


def pack_areas(workspace_areas: Path) -> tuple[bytes, str]:
    """Return a workspace's areas as GeoParquet, as a release holds them, and the source of their boundaries.

    Raises AreaError as `load_areas` does.
    """
    areas = load_areas(workspace_areas)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "areas.parquet"
        areas.write(path)
        return path.read_bytes(), areas.source


def read_areas(path: Path) -> Areas:
    """Read areas that `Areas.write` wrote, for example those in a release.

    Raises AreaError when the file is missing or damaged.
    """
    rows = _read_parquet(Path(path), "Open another release, or make this one again.")
    return Areas(rows)


def read_cells(path: Path | None = None) -> gpd.GeoDataFrame:
    """Read the shapes of municipalities (and Mount Athos), indexed by code, in EPSG:4326.

    Columns: approximate, boundaries (text on their origin), geometry; a file of imported boundaries also has imported,
    the shape as it was imported, or None. Without a path, reads the approximate cells that ship with the product.
    Raises AreaError when the file is missing or damaged.
    """
    if path is not None:
        remedy = "Import the boundaries again (tact areas import FILE), or remove the file."
        return _read_parquet(path, remedy)
    text = (FOLDER / _CELLS).read_text(encoding="utf-8")
    features = json.loads(text)["features"]
    codes = pd.Index([feature["properties"]["code"] for feature in features], name="code")
    shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    credit = next(entry.credit for entry in registry() if entry.file == _CELLS)
    columns = {"approximate": True, "boundaries": credit}
    return gpd.GeoDataFrame(columns, index=codes, geometry=shapes, crs=_STORED)


@lru_cache(maxsize=1)
def _shipped() -> Areas:
    return _build(read_cells())


def _build(cells: gpd.GeoDataFrame) -> Areas:
    table = area_table()
    cells = cells.loc[cells.index.intersection(table.index)]
    levels = [cells]
    region = table["parent"].where(table["level"] == "municipality", table.index)
    levels.append(_united(cells, region))
    levels.append(_united(cells, table["country"]))
    shapes = pd.concat([part[~part.index.isin(cells.index) | (part is cells)] for part in levels])
    rows = gpd.GeoDataFrame(table.join(shapes), geometry="geometry", crs=_STORED)
    rows["approximate"] = rows["approximate"].eq(True)
    rows["boundaries"] = rows["boundaries"].fillna("")
    rows["km2"] = rows.geometry.to_crs(_EQUAL_AREA).area / 1e6
    return Areas(rows[[*table.columns, *_SHAPE_COLUMNS]])


def _united(cells: gpd.GeoDataFrame, outer: pd.Series) -> gpd.GeoDataFrame:
    groups = cells.groupby(outer.loc[cells.index].rename("code"))
    united = groups.agg(
        {
            "approximate": "any",
            "boundaries": lambda texts: ". ".join(dict.fromkeys(texts)),
            "geometry": lambda shapes: shapely.coverage_union_all(shapes.to_numpy()),
        }
    )
    return gpd.GeoDataFrame(united, geometry="geometry", crs=_STORED)


def _read_parquet(path: Path, remedy: str) -> gpd.GeoDataFrame:
    """Return the shapes in a file, indexed by code. Raises AreaError with the remedy for a file without them."""
    try:
        return gpd.read_parquet(path).set_index("code")
    except (OSError, ValueError, KeyError) as error:
        raise AreaError(f"The boundaries in {path} cannot be read. {remedy}") from error


def _pairs(frame: gpd.GeoDataFrame) -> list[tuple[str, str]]:
    shapes = frame.geometry.dropna()
    borders = shapely.boundary(shapes.to_numpy())
    left, right = shapely.STRtree(borders).query(borders, predicate="intersects")
    first_time = left < right
    left, right = left[first_time], right[first_time]
    shared = shapely.length(shapely.intersection(borders[left], borders[right])) > 0
    names = shapes.index.astype(str)
    pairs = zip(names[left[shared]], names[right[shared]], strict=True)
    return sorted((min(pair), max(pair)) for pair in pairs)


def _simplify(shapes: np.ndarray) -> np.ndarray:
    """Return a coverage simplified until it has at most _MAP_VERTICES vertices, or as far as _MAP_TOLERANCES allow."""
    # Without parts too small to see; the largest part of each area always stays.
    parts, owner = shapely.get_parts(shapes, return_index=True)
    size = shapely.area(parts)
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, owner, size)
    keep = (size >= _MAP_ISLET) | (size == largest[owner])
    shapes = np.asarray(shapely.multipolygons(parts[keep], indices=owner[keep]))
    for tolerance in _MAP_TOLERANCES:
        simple = np.asarray(shapely.coverage_simplify(shapes, tolerance))
        if shapely.get_num_coordinates(simple).sum() <= _MAP_VERTICES:
            break
    rounded = np.asarray(shapely.transform(simple, lambda xy: xy.round(_MAP_DECIMALS)))
    fits = shapely.coverage_is_valid(rounded) and shapely.is_valid(rounded).all()
    return rounded if fits else simple


def _geojson(shape: BaseGeometry) -> dict[str, Any]:
    rounded = shapely.transform(shape, lambda xy: xy.round(_MAP_DECIMALS))
    geometry: dict[str, Any] = json.loads(shapely.to_geojson(rounded))
    return geometry


def _check_level(level: str) -> None:
    if level not in LEVELS:
        raise AreaError(f"{level!r} is not an area level. Area levels: {', '.join(LEVELS)}.")
