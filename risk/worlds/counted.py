"""Counting an invented world as the model table counts records, without a vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.tables.spec import CATEGORIES
from data.workspace.types import Floats, Ints

if TYPE_CHECKING:
    from risk.worlds import World

__all__ = ["CROSSING", "counted", "effort_days", "merged"]


# Which crossing each known pathway is; "none_known", the last, is neither.
CROSSING = (0, 1, 1)
_KNOWN = {name: i for i, name in enumerate(CATEGORIES["pathway"][: len(CROSSING)])}
_FOUND = {name: i for i, name in enumerate(CATEGORIES["found"])}


def counted(world: World, codes: list[str]) -> Ints:
    """Count children by region, quarter, known pathway and (reported, discovered).

    Each is told apart by the world's truth, and counts with the attributes of its first encounter.
    """
    frame = world.records["encounter"].assign(child=world.truth.child)
    frame = frame.assign(date=frame["date"].astype(str)).sort_values("date", kind="stable")
    first = frame[~frame["child"].duplicated()]
    first = first[first["stage"].astype(str) != "at_risk"]
    shape = (len(codes), world.parameters.quarters, len(CROSSING), len(_FOUND))
    columns: list[Ints] = [
        _region(world, first["municipality"], codes),
        _quarter(world, first["date"]),
        _position(first["pathway"], _KNOWN),
        _position(first["found"], _FOUND),
    ]
    return _tally(columns, shape).astype(np.int64)


def merged(counts: Ints) -> Ints:
    """Add the pathways across a border up, (areas, periods, pathways, ways); negative where a part is."""
    parts = [counts[:, :, [i for i, c in enumerate(CROSSING) if c == crossing]] for crossing in (0, 1)]
    totals = [np.where((p < 0).any(axis=2), p.min(axis=2), p.sum(axis=2)) for p in parts]
    return np.stack(totals, axis=2)


def effort_days(world: World, codes: list[str]) -> Floats:
    """Sum days of outreach by region and quarter."""
    frame = world.records["effort"]
    columns = [_region(world, frame["municipality"], codes), _quarter(world, frame["date"].astype(str))]
    return _tally(columns, (len(codes), world.parameters.quarters), frame["days"].to_numpy(dtype=float))


def _position(values: pd.Series, positions: dict[str, int]) -> Ints:
    """Give the position of each value, -1 for another."""
    return np.array([positions.get(str(value), -1) for value in values], np.int64)


def _region(world: World, municipality: pd.Series, codes: list[str]) -> Ints:
    at = pd.Series(np.arange(len(codes)), index=codes)
    return municipality.astype(str).map(world.areas["parent"]).map(at).fillna(-1).to_numpy(dtype=np.int64)


def _quarter(world: World, days: pd.Series) -> Ints:
    starts = np.array([f"{day:%Y-%m-%d}" for day in world.parameters.quarter_starts])
    return np.asarray(np.searchsorted(starts, days.to_numpy(dtype=str), side="right") - 1, np.int64)


def _tally(columns: list[Ints], shape: tuple[int, ...], weights: Floats | None = None) -> Floats:
    """Add up rows by cell; those outside of it all are left out."""
    inside = np.all([column >= 0 for column in columns], axis=0)
    cell = np.ravel_multi_index(tuple(column[inside] for column in columns), shape)
    kept = None if weights is None else weights[inside]
    return np.bincount(cell, kept, int(np.prod(shape))).reshape(shape).astype(float)
