"""Join shapes into a coverage, where neighbours share their border and nothing overlaps.

All borders are noded together on one grid and cut into faces; each face gets one owner; an area is the union of its
faces. So borders match exactly, even if those of the input shapes do not.
"""

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

NOBODY = -1
Shapes = npt.NDArray[np.object_]
Numbers = npt.NDArray[np.int64]

_GRID = 1e-6  # degrees, about 10 cm
_TO_METRES = Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)


def cut_faces(shapes: Shapes) -> tuple[Shapes, Numbers]:
    """Return the faces that all borders together enclose, and for each the number of the first shape that contains it.

    Shapes are in degrees, in order of precedence. A face inside no shape (a gap, a lake or a strait) belongs to NOBODY.
    """
    lines = shapely.union_all(shapely.boundary(shapes), grid_size=_GRID)
    faces = np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))
    inner = shapely.point_on_surface(faces)
    face, shape = shapely.STRtree(shapes).query(inner, predicate="intersects")
    owners = np.full(len(faces), len(shapes))
    np.minimum.at(owners, face, shape)
    owners[owners == len(shapes)] = NOBODY
    return faces, owners


def fill_gaps(faces: Shapes, owners: Numbers, gaps: npt.NDArray[np.bool_], takers: Numbers) -> None:
    """Assign each gap to the neighbour with the longest common border; changes `owners` in place.

    `gaps` marks the faces to assign; `takers` are the numbers of the shapes that may own them. A gap without such a
    neighbour stays a gap; groups of gaps are filled from the outside inwards.
    """
    borders = shapely.boundary(faces)
    gap, other = shapely.STRtree(borders).query(borders[gaps], predicate="intersects")
    gap = np.flatnonzero(gaps)[gap]
    common = shapely.length(shapely.intersection(borders[gap], borders[other]))
    while _fill_rim(owners, gap, other, common, takers):
        pass


def dissolve_faces(faces: Shapes, owners: Numbers) -> dict[int, BaseGeometry]:
    """Return one shape for each owner, the union of its faces in normal form, by owner; NOBODY is left out."""
    order = np.argsort(owners, kind="stable")
    numbers, starts = np.unique(owners[order], return_index=True)
    groups = np.split(order, starts[1:])
    return {
        int(number): shapely.normalize(shapely.coverage_union_all(faces[group]))
        for number, group in zip(numbers, groups, strict=True)
        if number != NOBODY
    }


def project_to_metres(shapes: Shapes) -> Shapes:
    """Return shapes in degrees as shapes in metres (EPSG:3035)."""
    moved = shapely.transform(shapes, _TO_METRES.transform, interleaved=False)
    return np.asarray(moved)


def measure_width(shapes: Shapes) -> npt.NDArray[np.float64]:
    """Return the diameter in metres of the largest circle inside each shape (degrees), (n,).

    Parts of at most 1 m2 do not count; a shape without larger parts, such as a line, has 0.
    """
    parts, owner = shapely.get_parts(project_to_metres(shapes), return_index=True)
    polygons = shapely.area(parts) > 1.0
    circles = shapely.maximum_inscribed_circle(parts[polygons], tolerance=5.0)
    widest = np.zeros(len(shapes))
    np.maximum.at(widest, owner[polygons], 2 * shapely.length(circles))
    return widest


def _fill_rim(owners: Numbers, gap: Numbers, other: Numbers, common: npt.NDArray[np.float64], takers: Numbers) -> bool:
    rim = (owners[gap] == NOBODY) & np.isin(owners[other], takers) & (common > 0)
    if not rim.any():
        return False
    length: dict[tuple[int, int], float] = {}
    for face, owner, metres in zip(gap[rim], owners[other[rim]], common[rim], strict=True):
        key = (int(face), int(owner))
        length[key] = length.get(key, 0.0) + float(metres)
    for face, owner in sorted(length, key=lambda key: (length[key], -key[1])):
        owners[face] = owner  # the longest comes last and stays
    return True
