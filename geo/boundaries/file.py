"""Read a file of boundaries: GeoPackage, GeoJSON or Shapefile, in any known CRS.

The format is recognised by the file's content and not by its name, so that only GDAL's reader of this format opens a
file that someone uploads.
"""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj.exceptions import ProjError

from data.errors import AreaError

_STORED = "EPSG:4326"
_AROUND = shapely.box(18.0, 33.5, 31.0, 44.0)
_ALLOWED = "Give a GeoPackage (.gpkg), a GeoJSON (.geojson) or a Shapefile (.shp or .zip)."
_POLYGONS = frozenset({"Polygon", "MultiPolygon"})


def read_boundaries(path: Path) -> gpd.GeoDataFrame:
    """Read the rows of the file's one layer of areas, numbered from 1, in EPSG:4326.

    Shapes are two-dimensional and valid; a row without an area stays in the frame with shape None.
    Raises AreaError, with the remedy, for a file that cannot be used.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="tact-") as folder:
            source = _source(Path(path), Path(folder))
            frame = pyogrio.read_dataframe(source, layer=_layer(source))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise _unreadable(Path(path)) from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
        raise AreaError(f"{Path(path).name} has no areas. Export the layer of municipalities again.")
    frame = _in_degrees(frame.reset_index(drop=True), Path(path).name)
    frame.index += 1
    # Valid polygons without heights; None for rows that have no area.
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    is_area = frame.geometry.geom_type.isin(_POLYGONS).to_numpy()
    polygons = np.full(len(frame), None, dtype=object)
    polygons[is_area] = shapely.make_valid(shapes[is_area], method="structure", keep_collapsed=False)
    polygons[shapely.area(polygons) == 0] = None
    return frame.set_geometry(polygons)


def _source(path: Path, folder: Path) -> str:
    """Copy the file into a folder and return the path for GDAL; the original path may contain "!" or ";"."""
    if not path.is_file():
        raise AreaError(f"There is no file {path}. {_ALLOWED}")
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise AreaError(f"{path.name} is empty. Export it again. {_ALLOWED}")
    if head.startswith(b"PK\x03\x04"):
        inner = _inside_zip(path)
        return f"/vsizip/{{{shutil.copyfile(path, folder / 'areas.zip')}}}/{inner}"
    if head.startswith(b"SQLite format 3\x00"):
        return str(shutil.copyfile(path, folder / "areas.gpkg"))
    if head.startswith(b"\x00\x00\x27\x0a"):
        return _shapefile(path, folder)
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _unreadable(path) from error
    kind = document.get("type") if isinstance(document, dict) else None
    if kind not in {"FeatureCollection", "Feature"}:
        raise AreaError(f"{path.name} is not a GeoJSON file with areas (its type is {kind!r}). {_ALLOWED}")
    return f"GeoJSON:{shutil.copyfile(path, folder / 'areas.geojson')}"


def _shapefile(path: Path, folder: Path) -> str:
    parts = {p.suffix.lower(): p for p in path.parent.iterdir() if p.stem == path.stem and p.is_file()}
    lacking = sorted({".shx", ".dbf"} - set(parts))
    if lacking:
        raise AreaError(
            f"{path.name} is one part of a Shapefile; {' and '.join(lacking)} of the same name"
            " must lie beside it. Copy all parts, or give them as one .zip."
        )
    for suffix, part in parts.items():
        shutil.copyfile(part, folder / f"areas{suffix}")
    return str(folder / "areas.shp")


def _inside_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".shp")]
            heads = [archive.open(name).read(4) for name in names]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise AreaError(f"{path.name} is not a complete .zip file. Pack or copy it again.") from error
    if len(names) != 1 or heads != [b"\x00\x00\x27\x0a"]:
        raise AreaError(f"{path.name} must contain exactly one Shapefile; it contains {len(names)}. {_ALLOWED}")
    return names[0]


def _layer(source: str) -> str | None:
    layers = pyogrio.list_layers(source)
    polygons = [name for name, kind in layers if kind and "Polygon" in kind]
    if len(polygons) > 1:
        raise AreaError(f"The file has several layers of areas: {', '.join(polygons)}. Save one alone.")
    return polygons[0] if polygons else None


def _in_degrees(frame: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    if frame.crs is None:
        raise AreaError(
            f"{name} does not say in which coordinate reference system it is. For a Shapefile, put"
            " its .prj beside it (or into the .zip); otherwise set the CRS in QGIS and save again."
        )
    try:
        moved = frame.to_crs(_STORED)
    except ProjError as error:
        raise AreaError(f"The coordinate reference system of {name} is not on the earth. Save as EPSG:4326.") from error
    bounds = moved.total_bounds
    if not np.isfinite(bounds).all() or not shapely.box(*bounds).intersects(_AROUND):
        raise AreaError(
            f"The areas of {name} lie outside Albania and Greece ({_text(bounds)}). If they should"
            f" not, the file's CRS ({frame.crs.name}) is wrong: set the right one and save again."
        )
    return moved


def _text(bounds: np.ndarray) -> str:
    west, south, east, north = bounds
    return f"longitude {west:.1f} to {east:.1f}, latitude {south:.1f} to {north:.1f}"


def _unreadable(path: Path) -> AreaError:
    return AreaError(
        f"{path.name} cannot be read: it is damaged, incomplete, or not a file of boundaries."
        f" Export or copy it again. {_ALLOWED}"
    )
