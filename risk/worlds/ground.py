"""Areas of an invented world, their people, and smooth random surfaces over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import InputError
from data.workspace.types import Floats, Ints
from risk.laplace.graph import build_structure, find_edges
from risk.numbers import stream


@dataclass(frozen=True)
class Ground:
    """The areas of a world: R regions and M municipalities as arrays, with positions instead of codes.

    regions, municipalities : codes, (R,) and (M,). region_of : region of each municipality, (M,). country_of : country
    of each region, (R,). region_people, people : people of each region and municipality. region_edges, edges : pairs of
    regions and of municipalities that touch, (n, 2).
    """

    regions: NDArray[np.object_]
    municipalities: NDArray[np.object_]
    region_of: Ints
    country_of: Ints
    countries: tuple[str, ...]
    region_people: Floats
    people: Floats
    region_edges: Ints
    edges: Ints

    @property
    def country_of_municipality(self) -> Ints:
        """Position of the country of each municipality, shape (M,)."""
        return self.country_of[self.region_of]

    def sum_by_region(self, values: Floats) -> Floats:
        """Return the sum over the municipalities of each region, (M, ...) to (R, ...)."""
        inner = values.shape[1:]
        width = int(np.prod(inner, dtype=np.int64))
        cell = self.region_of[:, None] * width + np.arange(width)
        summed = np.bincount(cell.ravel(), values.ravel(), len(self.regions) * width).astype(float)
        out: Floats = summed.reshape(len(self.regions), *inner)
        return out

    def where(self, code: str) -> int:
        """Return the position of the region with this code, or -1 if the world does not have it."""
        positions = np.flatnonzero(self.regions == code)
        return int(positions[0]) if len(positions) else -1


def build_ground(areas: pd.DataFrame, neighbours: list[tuple[str, str]], population: pd.Series, seed: int) -> Ground:
    """Build the arrays from an area table, pairs of neighbours of both levels, and people by code.

    Only areas of the counting classification are used. A region without a known population (Mount Athos) has nobody in
    it. If no pair of regions is given, regions touch where municipalities do. Raises InputError if the table has no
    regions, no municipalities, or a municipality without its region.
    """
    counted = areas[areas["counted"].astype(bool)] if "counted" in areas else areas
    regions = counted[counted["level"] == "region"].sort_index()
    towns = counted[counted["level"] == "municipality"].sort_index()
    if regions.empty or towns.empty:
        raise InputError("The area table needs areas of the levels 'region' and 'municipality'.")
    region_at = pd.Series(np.arange(len(regions)), index=regions.index)
    orphans = sorted(set(towns["parent"]) - set(regions.index))
    if orphans:
        raise InputError(f"Municipalities name regions that are not in the area table: {orphans!r}.")
    region_of = region_at.loc[towns["parent"]].to_numpy(dtype=np.int64)
    countries = tuple(sorted(regions["country"].unique()))
    region_people = population.reindex(regions.index).fillna(0.0).to_numpy(dtype=float)
    codes = towns.index.to_numpy(dtype=object)
    edges = find_edges(list(towns.index), neighbours)
    region_edges = find_edges(list(regions.index), neighbours)
    # An unknown population is an invented share of the rest of its region.
    published: Floats = population.reindex(codes).to_numpy(dtype=float)
    draw = stream(seed, "people").lognormal(0.0, 0.7, len(codes)) * np.isnan(published)
    rest = np.maximum(region_people - np.bincount(region_of, np.nan_to_num(published), len(region_people)), 0.0)
    draw_by_region = np.bincount(region_of, draw, len(region_people))
    share: Floats = draw * np.divide(rest, draw_by_region, where=draw_by_region > 0, out=np.zeros_like(rest))[region_of]
    people: Floats = np.round(np.where(np.isnan(published), share, published)).astype(float)
    return Ground(
        regions=regions.index.to_numpy(dtype=object),
        municipalities=codes,
        region_of=region_of,
        country_of=np.array([countries.index(c) for c in regions["country"]], dtype=np.int64),
        countries=countries,
        region_people=region_people,
        people=people,
        region_edges=region_edges if len(region_edges) else _lift(edges, region_of),
        edges=edges,
    )


def _lift(edges: Ints, region_of: Ints) -> Ints:
    """Return the pairs of regions whose municipalities touch, (n, 2)."""
    pairs = np.sort(region_of[edges], axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def draw_bym2(rng: np.random.Generator, size: int, edges: Ints, structured: float, draws: int) -> Floats:
    """Draw BYM2 effects of unit variance, shape (size, draws) (Riebler et al. 2016, equation 7).

    edges : pairs of positions of neighbours, (n, 2). structured : share of the variance (0 to 1) that is smooth over
    neighbours. The smooth part is scaled in each connected part of the map, see risk/laplace/graph.py.
    """
    normal, plain = rng.standard_normal((2, size, draws))
    smooth = build_structure(size, edges).root() @ normal
    # Rounded, so that the last bit of a linear algebra library never changes a world.
    mixed: Floats = np.sqrt(structured) * smooth + np.sqrt(1.0 - structured) * plain
    return np.round(mixed, 9)


def choose(uniform: Floats, table: Floats, row: Ints | None = None) -> Ints:
    """Return a category for each uniform number (0 to 1), (n,), by the weights in a row of `table`, (rows, categories).

    `row` is the position of the row for each number; by default all use the first row.
    """
    table = np.atleast_2d(table)
    cumulative = np.cumsum(table, axis=1)
    cumulative /= cumulative[:, -1:]
    cumulative[:, -1] = 1.0
    row_index = np.zeros(len(uniform), dtype=np.int64) if row is None else row
    flat = (cumulative + np.arange(len(table))[:, None]).ravel()
    # side="right" steps over categories of weight zero.
    position = np.searchsorted(flat, uniform + row_index, side="right") - row_index * table.shape[1]
    picked: Ints = np.minimum(position, table.shape[1] - 1)
    return picked
