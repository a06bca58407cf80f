"""Points to areas: each point once by the stated rule, proved beside borders; what is in no area is refused."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import AreaError
from geo import point_index as module
from geo.areas import load_areas
from geo.point_index import PointIndex

AREAS = load_areas()
CODES, TREE = AREAS.cells
SHAPES = np.asarray(TREE.geometries)
INDEX = PointIndex.of_areas(AREAS)
OFFSETS = (0.0, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9)


def rings_of(shape):
    """Return the starts and ends of all edges of a shape, (n, 2) each."""
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(shape))]
    return np.vstack([ring[:-1] for ring in rings]), np.vstack([ring[1:] for ring in rings])


def contains(edges, x, y):
    """Return whether a point is in a shape: the even-odd rule with half-open edges, in exact numbers."""
    a, b = edges
    inside = False
    for k in np.flatnonzero((a[:, 1] <= y) != (b[:, 1] <= y)):
        ax, ay, bx, by, px, py = (Fraction(float(value)) for value in (*a[k], *b[k], x, y))
        inside ^= px < ax + (py - ay) * (bx - ax) / (by - ay)
    return inside


def step(value, ulps):
    for _ in range(abs(ulps)):
        value = np.nextafter(value, np.inf if ulps > 0 else -np.inf)
    return value


def check_points(x, y, shapes, index):
    """Check each point against the rule: in exactly one area if it is in their union, in none otherwise."""
    edges, union = [rings_of(shape) for shape in shapes], rings_of(shapely.coverage_union_all(shapes))
    tree = shapely.STRtree(shapely.buffer(shapely.box(*shapely.bounds(shapes).T), 1e-6))
    numbers = index.find(np.array(x), np.array(y))
    for px, py, number in zip(x, y, numbers, strict=True):
        inside = [k for k in sorted(tree.query(shapely.Point(px, py))) if contains(edges[k], px, py)]
        assert len(inside) == contains(union, px, py)
        assert inside == ([number] if number < len(shapes) else [])


def test_points_away_from_borders_have_the_answer_of_shapely():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(19.0, 28.5, 30_000), rng.uniform(34.5, 43.0, 30_000)
    points = shapely.points(x, y)
    point, area = TREE.query(points, predicate="intersects")
    expected = np.full(len(x), len(CODES))  # the first reason: outside
    expected[point] = area
    assert (expected < len(CODES)).mean() > 0.2
    assert np.array_equal(INDEX.find(x, y), expected)


@pytest.mark.slow
def test_points_beside_vertices_and_edges_of_the_shipped_areas_are_counted_once():
    rng = np.random.default_rng(1)
    a, b = (np.vstack(ends) for ends in zip(*map(rings_of, SHAPES), strict=True))
    k = rng.integers(0, len(a), 1_500)
    share = rng.choice([0.0, 0.0, 0.5, 1 / 3, 0.9], len(k))[:, None]
    x, y = (a[k] + share * (b[k] - a[k])).T
    x, y = (v + rng.choice(OFFSETS, len(k)) * rng.choice([-1, 1], len(k)) for v in (x, y))
    ulps = rng.integers(-1, 2, (2, len(k)))
    x, y = ([step(v, n) for v, n in zip(*pair, strict=True)] for pair in ((x, ulps[0]), (y, ulps[1])))
    check_points(x, y, SHAPES, INDEX)


@pytest.mark.long
def test_a_vertex_of_three_areas_belongs_to_one():
    points, area = shapely.get_coordinates(SHAPES, return_index=True)
    pairs = np.unique(np.column_stack([points, area]), axis=0)
    corners, areas = np.unique(pairs[:, :2], axis=0, return_counts=True)
    shared = corners[areas >= 3]
    assert len(shared) > 100
    check_points(*shared.T, SHAPES, INDEX)


# Triangles between whole numbers: many points lie exactly on corners, edges and their common lines.
SPOT = st.tuples(st.integers(0, 6), st.integers(0, 6))


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.sets(SPOT, min_size=4, max_size=12), st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([1, 9, 400]))
def test_points_on_the_edges_of_any_triangles_are_counted_once(spots, east, north, cells):
    shapes = np.asarray(shapely.get_parts(shapely.delaunay_triangles(shapely.MultiPoint(sorted(spots)))))
    if not len(shapes) or not shapely.coverage_is_valid(shapes):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CELLS", cells)
        index = PointIndex([str(k) for k in range(len(shapes))], shapes)
    x, y = (v.ravel() / 2 for v in np.meshgrid(np.arange(-2, 15), np.arange(-2, 15)))
    check_points([step(v, east) for v in x], [step(v, north) for v in y], shapes, index)


def test_a_border_belongs_to_the_area_east_of_it_or_north():
    south_west, south_east = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    north = shapely.Polygon([(0, 1), (1, 1), (2, 1), (2, 2), (0, 2)])
    index = PointIndex(["south-west", "south-east", "north"], np.array([south_west, south_east, north]))
    points = {
        (0.5, 0.5): "south-west", (1, 0.5): "south-east", (0.5, 1): "north", (1, 1): "north", (0, 0): "south-west",
        (2, 0.5): "outside", (0.5, 2): "outside", (0, 1): "north", (np.nextafter(1, 0), 0.5): "south-west",
    }  # fmt: skip
    numbers = index.find(*np.array(list(points), dtype=float).T)
    assert [index.places[number] for number in numbers] == list(points.values())


def test_a_hole_is_outside():
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    index = PointIndex(["ring"], np.array([ring]))
    numbers = index.find(np.array([0.5, 1.5, 1.0, 2.0]), np.array([1.5, 1.5, 1.5, 1.5]))
    assert [index.places[number] for number in numbers] == ["ring", "outside", "outside", "ring"]


def test_points_in_no_area_are_refused_with_the_reason():
    longitude = [19.82, 41.33, np.nan, 19.82, np.inf, 5_430_000.0, 0.0, 19.82, 179.0]
    latitude = [41.33, 19.82, 41.33, np.nan, 41.33, 2_060_000.0, 0.0, 91.0, 41.33]
    numbers = INDEX.find(np.array(longitude), np.array(latitude))
    assert AREAS.locate(41.33, 19.82, "municipality") == INDEX.places[numbers[0]]
    assert [INDEX.places[number] for number in numbers[1:]] == [
        "swapped", "missing", "missing", "missing", "not_degrees", "outside", "not_degrees", "outside",
    ]  # fmt: skip


def test_an_index_travels_to_another_process():
    x, y = np.array([19.82, 23.73, 25.0]), np.array([41.33, 37.98, 36.0])
    assert np.array_equal(pickle.loads(pickle.dumps(INDEX)).find(x, y), INDEX.find(x, y))


def test_areas_that_overlap_are_refused():
    with pytest.raises(AreaError, match="overlap"):
        PointIndex(["a", "b"], np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)]))
