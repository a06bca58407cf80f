"""Boundary files like those that users import, made from the product's own approximate cells.

The cells are moved, bent and simplified, each country by itself, so that borders fit neither the product's
cells nor those of the other file. Areas without a cell get one, cut out of the largest cell of their region.
Columns and spellings are those of published files: Albanian names without accents, Greek
names in the genitive, Mount Athos with neither code nor name.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from anyascii import anyascii

from data.reference import area_table
from geo import areas

METRES = "EPSG:3035"
ATHOS = "GR-69"
SHIFT, BEND, WAVE = (400.0, -250.0), 600.0, 30_000.0
TOLERANCE = {"AL": 120.0, "GR": 250.0}


def write_boundary_files(folder: Path) -> tuple[Path, Path]:
    """Write the boundary files of both countries; return their paths, Albania's first."""
    cells = bent_cells()
    albania, greece = (cells[cells["country"] == country] for country in ("AL", "GR"))
    athos = greece.index == ATHOS
    columns = {
        "albania": {"bashkia": [anyascii(n) for n in albania["name_local"]], "BAS_ID": range(len(albania))},
        "greece": {"code": np.where(athos, "null", greece.index), "name": np.where(athos, None, greece["name_local"])},
    }
    for (name, values), frame in zip(columns.items(), (albania, greece), strict=True):
        layer = gpd.GeoDataFrame(values, geometry=frame.geometry.to_numpy(), crs=cells.crs)
        layer.to_file(folder / f"{name}.geojson")
    return folder / "albania.geojson", folder / "greece.geojson"


def bent_cells() -> gpd.GeoDataFrame:
    """Return a row for each of the 61 + 326 areas: country, name_local and a shape that differs from the product's."""
    table = area_table()
    wanted = table[(table["level"] == "municipality") & table["counted"] | (table.index == ATHOS)]
    known = areas.load_areas()
    shapes = known.frame("municipality").geometry.dropna().to_crs(METRES).to_dict()
    shapes[ATHOS] = known.frame("region").to_crs(METRES).geometry[ATHOS]
    for code in wanted.index.difference(list(shapes)):
        beside = [c for c in shapes if c in wanted.index and wanted.loc[c, "parent"] == wanted.loc[code, "parent"]]
        largest = max(beside, key=lambda c: shapes[c].area)
        piece = shapes[largest].representative_point().buffer(1500, cap_style="square")
        shapes[code] = shapes[largest].intersection(piece)
        shapes[largest] = shapes[largest].difference(piece)
    frame = gpd.GeoDataFrame(
        wanted[["country", "name_local"]], geometry=[shapes[code] for code in wanted.index], crs=METRES
    )
    frame["geometry"] = shapely.transform(frame.geometry.segmentize(1000).to_numpy(), _bend)
    for country, tolerance in TOLERANCE.items():
        inside = frame["country"] == country
        frame.loc[inside, "geometry"] = shapely.coverage_simplify(frame.geometry[inside].to_numpy(), tolerance)
    return frame.to_crs(4326)


def _bend(points: np.ndarray) -> np.ndarray:
    """Return points, (n, 2) in metres, moved by a fixed shift and a smooth wave."""
    x, y = points[:, 0], points[:, 1]
    return np.column_stack([x + SHIFT[0] + BEND * np.sin(y / WAVE), y + SHIFT[1] + BEND * np.sin(x / WAVE)])
