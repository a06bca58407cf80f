"""Build data/reference/land.geojson: the land around both countries, for the base map.

Run by hand, never by `make run` or CI, after build_areas:

    python -m scripts.build_land                  installs the npm package into a temporary folder
    python -m scripts.build_land NODE_MODULES     uses a folder that has it

Neighbouring countries come from Natural Earth 1:10m (npm world-atlas, public domain), each with its
name in three languages and a position for its label. A feature without a name is land of Albania or
Greece that is in no municipality's cell: Mount Athos and islands. Neighbours slightly overlap the
product's own areas, so that no gap shows along the land border.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from data.reference import FOLDER
from geo.areas import read_cells
from scripts._packages import packages
from scripts._registry import record

OUTPUT = "land.geojson"
FRAME = shapely.box(6.0, 30.0, 42.0, 48.5)  # wide enough for a wide screen that shows both countries
FIRST_VIEW = shapely.box(15.0, 34.0, 30.0, 43.6)  # where a label is seen without moving the map
TOLERANCE = 0.02  # degrees
UNDER = 0.05  # degrees that a neighbour reaches under the product's areas
SMALLEST = 5e-4  # square degrees, about 5 km2: smaller islands of neighbours are left out
NAMES = {
    "Austria": ("Austria", "Austri", "Αυστρία"),
    "Bosnia and Herz.": ("Bosnia and Herzegovina", "Bosnjë dhe Hercegovinë", "Βοσνία-Ερζεγοβίνη"),
    "Bulgaria": ("Bulgaria", "Bullgari", "Βουλγαρία"),
    "Croatia": ("Croatia", "Kroaci", "Κροατία"),
    "Cyprus": ("Cyprus", "Qipro", "Κύπρος"),
    "Egypt": ("Egypt", "Egjipt", "Αίγυπτος"),
    "Hungary": ("Hungary", "Hungari", "Ουγγαρία"),
    "Italy": ("Italy", "Itali", "Ιταλία"),
    "Kosovo": ("Kosovo", "Kosovë", "Κόσοβο"),
    "Libya": ("Libya", "Libi", "Λιβύη"),
    "Macedonia": ("North Macedonia", "Maqedonia e Veriut", "Βόρεια Μακεδονία"),
    "Montenegro": ("Montenegro", "Mali i Zi", "Μαυροβούνιο"),
    "Romania": ("Romania", "Rumani", "Ρουμανία"),
    "Serbia": ("Serbia", "Serbi", "Σερβία"),
    "Slovenia": ("Slovenia", "Slloveni", "Σλοβενία"),
    "Tunisia": ("Tunisia", "Tunizi", "Τυνησία"),
    "Turkey": ("Türkiye", "Turqi", "Τουρκία"),
}
OWN = {"Albania", "Greece"}


def main(node_modules: Path | None) -> None:
    """Clip, simplify and write the land."""
    with packages(node_modules, "world-atlas") as folder:
        text = (folder / "world-atlas" / "countries-10m.json").read_text(encoding="utf-8")
    countries = _decode(json.loads(text), "countries")
    cells = read_cells()
    land = shapely.union_all(cells.geometry.to_numpy())
    neighbours = {name: area for name, area in countries.items() if name not in OWN}
    clipped = _clip(neighbours)
    features = [_neighbour(name, area, land) for name, area in sorted(clipped.items())]
    alone = shapely.get_parts(shapely.union_all([countries[name] for name in sorted(OWN)]))
    islands = alone[~shapely.intersects(alone, land)]
    features += [_feature({}, shapely.union_all([cells.geometry["GR-69"], *islands]))]
    head = '{"type":"FeatureCollection","features":[\n'
    lines = [json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features]
    (FOLDER / OUTPUT).write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    record(OUTPUT, len(features))
    print(f"{len(features)} features, {(FOLDER / OUTPUT).stat().st_size} bytes")


def _clip(countries: dict[str, BaseGeometry]) -> dict[str, BaseGeometry]:
    inside = {n: a for n, a in countries.items() if a.intersects(FRAME)}
    simple = shapely.coverage_simplify(list(inside.values()), TOLERANCE).tolist()
    clipped = shapely.intersection(_valid(simple), FRAME)
    parts = {name: shapely.get_parts(area) for name, area in zip(inside, clipped, strict=True)}
    large = {name: part[shapely.area(part) >= SMALLEST] for name, part in parts.items()}
    return {name: shapely.union_all(part) for name, part in large.items() if len(part)}


def _neighbour(name: str, area: BaseGeometry, land: BaseGeometry) -> dict[str, Any]:
    names = NAMES.get(name)
    under = shapely.intersection(shapely.buffer(area, UNDER), land)
    outline = shapely.union_all([area, under]) if not under.is_empty else area
    if names is None:
        return _feature({}, outline)
    visible = area.intersection(FIRST_VIEW)
    home = visible if visible.area > 0.15 else area
    largest = max(shapely.get_parts(home), key=shapely.area)
    point = shapely.get_coordinates(shapely.maximum_inscribed_circle(largest, 0.01))[0]
    label = [round(float(value), 2) for value in point]
    keys = ("name", "name_sq", "name_el")
    return _feature({**dict(zip(keys, names, strict=True)), "label": label}, outline)


def _feature(properties: dict[str, Any], area: BaseGeometry) -> dict[str, Any]:
    rounded = shapely.normalize(shapely.set_precision(area, 0.001))
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": json.loads(shapely.to_geojson(_only_polygons(rounded))),
    }


def _only_polygons(area: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(area)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])


def _decode(topology: dict[str, Any], layer: str) -> dict[str, BaseGeometry]:
    """Return the shapes of a TopoJSON layer by name.

    Its arcs, which neighbours share, are stored as differences of quantised coordinates.
    """
    scale, origin = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(arc, axis=0) * scale + origin for arc in topology["arcs"]]
    shapes = {
        item["properties"]["name"]: shape(_geometry(item, arcs))
        for item in topology["objects"][layer]["geometries"]
        if item["type"] in {"Polygon", "MultiPolygon"}
    }
    return dict(zip(sorted(shapes), _valid([shapes[name] for name in sorted(shapes)]), strict=True))


def _valid(areas: list[BaseGeometry]) -> list[BaseGeometry]:
    return list(shapely.make_valid(areas, method="structure", keep_collapsed=False))


def _geometry(item: dict[str, Any], arcs: list[np.ndarray]) -> dict[str, Any]:
    polygons = item["arcs"] if item["type"] == "MultiPolygon" else [item["arcs"]]
    rings = [[_ring(ring, arcs) for ring in polygon] for polygon in polygons]
    # Quantising collapses the smallest islands to less than a ring.
    shapes = [[ring for ring in polygon if len(ring) > 3] for polygon in rings]
    return {"type": "MultiPolygon", "coordinates": [polygon for polygon in shapes if polygon]}


def _ring(numbers: list[int], arcs: list[np.ndarray]) -> list[list[float]]:
    # A negative number means the arc read backwards; each arc starts where the one before ends.
    pieces = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    joined = np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])
    coordinates: list[list[float]] = joined.tolist()
    return coordinates


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
