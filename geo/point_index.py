"""Find the area of each point with a grid. In a cell inside one area, a look-up is enough; other cells need a test.

The areas are a coverage in EPSG:4326. Each point inside belongs to exactly one area. A point on a border or a corner
belongs to the area directly east of it; if the border runs along a parallel, to the area directly north of it. This
is the even-odd rule with half-open edges, as if each point were moved east by an infinitely small step, and north by a
still smaller one. Whether a point lies left of an edge is decided exactly, also within a rounding error of the edge.

The test follows a path from the point to a corner of its cell whose area is known: along the parallel, then along the
meridian. Each edge on this path changes the area. The exclusive or of the numbers of the areas on its two sides,
`left ^ right`, turns one number into the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from data.errors import AreaError
from data.workspace.types import Bools, Floats, Ints, SmallInts
from geo.areas import Areas

REFUSALS = ("outside", "swapped", "not_degrees", "missing")

_CELLS = 2**22  # of the grid
_BLOCK = 1 << 17  # points whose intermediate results stay in a processor's own memory
_MARGIN = 1e-6  # of a cell: far above rounding errors of the place in the grid, far below what slows the look-up
_ROUNDING = 3.3306690738754716e-16  # largest relative rounding error of the determinant: Shewchuk (1997), ccwerrboundA


class _Edges(NamedTuple):
    """Edges that run north, or east along a parallel.

    change : the exclusive or of the numbers of the areas on both sides of each edge.
    """

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    change: SmallInts

    def take(self, which: Ints | Bools) -> _Edges:
        return _Edges(self.ax[which], self.ay[which], self.bx[which], self.by[which], self.change[which])


@dataclass(frozen=True)
class _Grid:
    west: float
    south: float
    scale: float  # cells per degree
    columns: int
    rows: int

    def place(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return coordinates as numbers of cells (with fractions) from the south-west corner of the grid."""
        return (x - self.west) * self.scale, (y - self.south) * self.scale

    def corner(self, column: Ints, row: Ints) -> tuple[Floats, Floats]:
        """Return the south-west corners of cells, in degrees."""
        return self.west + column / self.scale, self.south + row / self.scale


class PointIndex:
    """An index that finds the area of each point.

    It is read-only, and safe to share between threads and to send to other processes.
    """

    def __init__(self, codes: Sequence[str], shapes: NDArray[np.object_]) -> None:
        """Index shapes in EPSG:4326 that are a valid coverage: neighbours share their border, nothing overlaps.

        codes : the code of each shape. Raises AreaError if there is no shape, or the shapes are not a valid coverage.
        """
        if not len(shapes) or not shapely.coverage_is_valid(shapes):
            raise AreaError("The areas overlap or do not share their borders. Import the boundaries again.")
        self.codes = tuple(codes)
        edges = _list_edges(shapes)
        # About _CELLS cells around all edges; no edge reaches the outermost cells.
        west, east = edges.ax.min(), edges.ax.max()
        west, east = min(west, edges.bx.min()), max(east, edges.bx.max())
        south, north = edges.ay.min(), edges.by.max()
        scale = float(np.sqrt(_CELLS / ((east - west) * (north - south))))
        columns, rows = (int(np.ceil(length * scale)) + 3 for length in (east - west, north - south))
        self._grid = _Grid(float(west - 1.5 / scale), float(south - 1.5 / scale), scale, columns, rows)
        self._cells, border = self._number_corners(edges), _cross_cells(edges, self._grid)
        cell, first, counts = np.unique(border[0], return_index=True, return_counts=True)
        self._first, self._counts, self._cell = first, counts, cell
        self._known = self._cells.ravel()[cell]
        self._cells -= 1
        edges = edges.take(border[1])
        row, column = np.divmod(border[0], self._grid.columns)
        corner = self._grid.corner(column, row)
        straddles = (edges.ax <= corner[0]) != (edges.bx <= corner[0])
        # Only an edge that crosses the cell's western side can lie between the point's parallel and the corner.
        self._west, self._straddles, self._left = corner[0], straddles, _is_left(*corner, edges)
        # The ends are side by side in memory: taking an edge from four arrays takes seven times as long.
        self._ends, self._change = np.array(edges[:4]).T.copy(), edges.change
        # From here on a cell holds the number of its area (from 0), -1 outside, and less where a border crosses it.
        self._cells.ravel()[cell] = -2 - np.arange(len(cell), dtype=np.int32)

    @classmethod
    def of_areas(cls, areas: Areas) -> PointIndex:
        """Index the municipalities, and regions without one (Mount Athos)."""
        codes, tree = areas.cells
        return cls(codes, np.asarray(tree.geometries))

    @property
    def places(self) -> tuple[str, ...]:
        """What the numbers of `find` mean, in order: the codes of areas, then the reasons for a refusal (REFUSALS)."""
        return (*self.codes, *REFUSALS)

    def find(self, longitude: Floats, latitude: Floats) -> SmallInts:
        """Return for each point (degrees, EPSG:4326; NaN where missing) its position in `places`, (n,).

        A point is refused, never guessed: `missing` (a coordinate is not finite), `not_degrees` (a longitude beyond 180
        or a latitude beyond 90), `swapped` (in no area, but in one if the two are exchanged), `outside`.
        """
        positions, refused = self._look_up(longitude, latitude)
        if len(refused):
            positions[refused] = len(self.codes) + self._find_reasons(longitude[refused], latitude[refused])
        return positions

    def _find_reasons(self, x: Floats, y: Floats) -> Ints:
        reasons = np.full(len(x), REFUSALS.index("swapped"))
        reasons[self._look_up(y, x)[1]] = REFUSALS.index("outside")
        reasons[(np.abs(x) > 180.0) | (np.abs(y) > 90.0)] = REFUSALS.index("not_degrees")
        reasons[~(np.isfinite(x) & np.isfinite(y))] = REFUSALS.index("missing")
        return reasons

    def _look_up(self, x: Floats, y: Floats) -> tuple[SmallInts, Ints]:
        """Return the number of the area of each point (-1: in no area), and the positions of the points in no area."""
        numbers, cells = np.empty(len(x), np.int32), self._cells.ravel()
        for start in range(0, len(numbers), _BLOCK):
            block = slice(start, start + _BLOCK)
            # No edge reaches the outermost cells: points beyond the grid, and points that are NaN, may be put there.
            column, row = self._grid.place(x[block], y[block])
            for number, most in ((column, self._grid.columns - 1), (row, self._grid.rows - 1)):
                if not (number.min(initial=0.0) >= 0.0 and number.max(initial=0.0) <= most):  # NaN is neither
                    np.fmin(np.fmax(number, 0.0, out=number), most, out=number)
            np.floor(row, out=row)
            row *= self._grid.columns
            row += column
            numbers[block] = cells.take(row.astype(np.int64))
        rest = np.flatnonzero(numbers < 0)
        border = rest[numbers[rest] < -1]
        if len(border):
            numbers[border] = self._test(x[border], y[border], -2 - numbers[border]) - 1
        return numbers, rest[numbers[rest] < 0]

    def _test(self, x: Floats, y: Floats, border: SmallInts) -> SmallInts:
        """Return the numbers of the areas (from 1; 0: no area) of points in cells with a border, by testing the edges.

        border : the number of each point's cell among the cells with a border.
        """
        counts = self._counts[border]
        starts = np.cumsum(counts) - counts
        pair = np.repeat(self._first[border] - starts, counts) + np.arange(counts.sum())
        ends, west = self._ends.take(pair, axis=0).T, self._west[pair]
        edges = _Edges(ends[0], ends[1], ends[2], ends[3], self._change[pair])
        x, y = np.repeat(x, counts), np.repeat(y, counts)
        beside = _is_left(west, y, edges)
        along_parallel = (edges.ay <= y) & (y < edges.by) & (_is_left(x, y, edges) != beside)
        crossed = along_parallel ^ (self._straddles[pair] & (beside != self._left[pair]))
        change = np.where(crossed, edges.change, np.int32(0))
        numbers: SmallInts = self._known[border] ^ np.bitwise_xor.reduceat(change, starts)
        return numbers

    def _number_corners(self, edges: _Edges) -> SmallInts:
        """Return the number of the area at the south-west corner of each cell, (rows, columns)."""
        grid, numbers = self._grid, np.zeros((self._grid.rows, self._grid.columns), np.int32)
        # The lines between rows that each edge crosses.
        first, last = (np.ceil(grid.place(edges.ax, y)[1] - _MARGIN).astype(np.int64) for y in (edges.ay, edges.by))
        edge, row = _spread(first, last)
        crossing, line = edges.take(edge), grid.corner(np.zeros_like(row), row)[1]
        share = np.clip(
            (line - crossing.ay) / np.where(crossing.by > crossing.ay, crossing.by - crossing.ay, 1.0), 0, 1
        )
        east = grid.place(crossing.ax + share * (crossing.bx - crossing.ax), line)[0]
        column = np.rint(east).astype(np.int64)  # the nearest corner, on whichever side of the edge
        column += _is_left(*grid.corner(column, row), crossing)
        real = (crossing.ay <= line) & (line < crossing.by)
        np.bitwise_xor.at(numbers, (row[real], column[real]), crossing.change[real])
        return np.asarray(np.bitwise_xor.accumulate(numbers, axis=1))


def _list_edges(shapes: NDArray[np.object_]) -> _Edges:
    """Return each edge of the coverage once, with the exclusive or of the numbers (from 1) of the areas beside it."""
    parts, area = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    starts = np.flatnonzero(ring[:-1] == ring[1:])
    a, b = points[starts], points[starts + 1]
    down = (a[:, 1] > b[:, 1]) | ((a[:, 1] == b[:, 1]) & (a[:, 0] > b[:, 0]))
    a, b = np.where(down[:, None], b, a), np.where(down[:, None], a, b)
    ends, which = np.unique(np.hstack([a, b]) + 0.0, axis=0, return_inverse=True)
    change = np.zeros(len(ends), np.int32)
    np.bitwise_xor.at(change, which, area[part[ring[starts]]].astype(np.int32) + 1)
    ax, ay, bx, by = ends.T.copy()
    return _Edges(ax, ay, bx, by, change).take(change != 0)


def _cross_cells(edges: _Edges, grid: _Grid) -> tuple[Ints, Ints]:
    """Return pairs of a cell and an edge that crosses it or comes within _MARGIN of it, sorted by cell."""
    (ax, ay), (bx, by) = grid.place(edges.ax, edges.ay), grid.place(edges.bx, edges.by)
    edge, row = _spread(np.floor(ay - _MARGIN).astype(np.int64), np.floor(by + _MARGIN).astype(np.int64) + 1)
    rise = np.where(by > ay, by - ay, 1.0)[edge]
    shares = [np.clip((row + end - ay[edge]) / rise, 0.0, 1.0) for end in (-_MARGIN, 1.0 + _MARGIN)]
    shares = [np.where((by > ay)[edge], share, flat) for share, flat in zip(shares, (0.0, 1.0), strict=True)]
    x = np.array([ax[edge] + share * (bx - ax)[edge] for share in shares])
    west, east = (np.floor(side).astype(np.int64) for side in (x.min(axis=0) - _MARGIN, x.max(axis=0) + _MARGIN))
    pair, column = _spread(west, east + 1)
    cell, crossing = row[pair] * grid.columns + column, edge[pair]
    order = np.argsort(cell, kind="stable")
    return cell[order], crossing[order]


def _spread(first: Ints, end: Ints) -> tuple[Ints, Ints]:
    """List all whole numbers from each `first` to before its `end`; return each number's range, and the numbers."""
    lengths = end - first
    which = np.repeat(np.arange(len(first)), lengths)
    return which, np.arange(len(which)) + np.repeat(first - (np.cumsum(lengths) - lengths), lengths)


def _is_left(x: Floats, y: Floats, edges: _Edges) -> Bools:
    """Return whether points lie left of their edges: west of those that run north, north of those that run east.

    By the rule of this module, a point on the line of an edge counts as lying east of the edge or, if the edge runs
    east, north of it.
    """
    along, across = (edges.bx - edges.ax) * (y - edges.ay), (edges.by - edges.ay) * (x - edges.ax)
    determinant = along - across
    left: Bools = determinant > 0
    unsure = np.flatnonzero(np.abs(determinant) <= _ROUNDING * (np.abs(along) + np.abs(across)))
    for i in unsure:
        left[i] = _is_left_exactly(*(Fraction(float(c[i])) for c in (x, y, edges.ax, edges.ay, edges.bx, edges.by)))
    return left


def _is_left_exactly(x: Fraction, y: Fraction, ax: Fraction, ay: Fraction, bx: Fraction, by: Fraction) -> bool:
    determinant = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    return determinant > 0 or (determinant == 0 and ay == by)
