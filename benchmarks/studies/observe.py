"""Invented worlds of a study, and the observations of them: counted like the model's table, but without a vault."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from benchmarks.worlds import World, WorldParameters
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.tables.spec import CATEGORIES, Level
from data.workspace.types import Floats, Ints
from geo import areas as geography
from risk.laplace.graph import find_edges
from risk.laplace.likelihood import HIDDEN
from risk.model.observations import (
    CROSSING,
    LEAST_EXPECTED,
    PATHWAYS,
    WAYS,
    Observations,
    build_channel,
    merge_crossings,
    noise_variance,
)
from risk.report.steps import merge_noisy

_KEYS = 2**24  # cell keys are below this
_KNOWN = {name: i for i, name in enumerate(CATEGORIES["pathway"][: len(CROSSING)])}
_FOUND = {name: i for i, name in enumerate(CATEGORIES["found"])}
OWN, QUIET = "likelihood", "quiet"  # beside benchmarks.worlds.LAWS: the model's own law; no differences in risk


def set_up_world(seed: int, law: str = OWN, gamma: float = WorldParameters.gamma) -> WorldParameters:
    """Return the parameters of a world that follows a law of benchmarks/worlds/laws.py, OWN or QUIET."""
    if law == QUIET:
        return WorldParameters(seed=seed, gamma=gamma, signal=False, internal_after=0.2)
    return WorldParameters(seed=seed, gamma=gamma, laws=() if law == OWN else (law,))


def observe_release(world: World, level: Level = "region") -> Observations:
    """Return the observations of partners in an invented world, by region or municipality, under the default policy."""
    return observe_world(world, geography.load_areas().neighbours(level), CellKey.from_policy(DEFAULT_POLICY), level)


def observe_world(
    world: World, pairs: Iterable[tuple[str, str]], mechanism: CellKey | None = None, level: Level = "region"
) -> Observations:
    """Return the observations of an invented world by region or municipality: exact, or through a mechanism.

    Each child counts once, where and as it was first met; children who are only at risk are left out. Cell keys
    are drawn from the world's own seed. `pairs` are the codes of areas that touch.
    """
    codes = list(select_modelled_areas(world.truth.areas, level).index)
    return observe_counts(world, count_children(world, codes), pairs, mechanism, level)


def observe_counts(
    world: World,
    exact: Ints,
    pairs: Iterable[tuple[str, str]],
    mechanism: CellKey | None = None,
    level: Level = "region",
) -> Observations:
    """Return the observations of a world from counts of children, (areas, quarters, known pathways, 2)."""
    codes = list(select_modelled_areas(world.truth.areas, level).index)
    rng = np.random.default_rng([world.parameters.seed, 0 if level == "region" else 2])
    keys = tuple(rng.integers(0, _KEYS, shape) for shape in key_shapes(exact))
    days, periods = effort_days(world, codes), world.parameters.periods
    protected = None if mechanism is None else (mechanism, keys)
    places = world.truth.areas[world.truth.areas["level"] == level]
    return publish_counts(places, periods, exact, days, pairs, protected)


def publish_countries(
    world: World, exact: Ints, observations: Observations, mechanism: CellKey
) -> tuple[Floats, Floats] | None:
    """Return published counts of whole countries, and the variance of their noise, as a release shows them.

    exact : counts of the areas of `observations`, (areas, quarters, known pathways, 2). Cell keys are drawn from the
    world's seed.
    """
    if observations.channel is None:
        return None
    codes = list(dict.fromkeys(observations.countries))
    inside = np.array([[country == code for country in observations.countries] for code in codes])
    whole = np.einsum("ca,atpw->ctp", inside, exact)
    keys = np.random.default_rng([world.parameters.seed, 3]).integers(0, _KEYS, whole.shape)
    return merge_noisy(mechanism.publish(whole, keys), observations.channel)


def read_need(world: World, observations: Observations) -> Floats:
    """Return the true number of children newly in need by region, quarter and pathway of `observations`, (A, Q, P).

    NaN for an area of `observations` that is not a region.
    """
    need = world.truth.need.query("level == 'region' and pathway != 'none_known'")
    crossing = np.where(need["pathway"].astype(str) == "internal", *observations.pathways)
    rows = need.assign(crossing=crossing).groupby(["area", "quarter", "crossing"], observed=True)["need"].sum()
    index = pd.MultiIndex.from_product([observations.areas, observations.quarters, observations.pathways])
    shape = (len(observations.areas), len(observations.quarters), len(observations.pathways))
    true: Floats = rows.reindex(index).to_numpy(dtype=float).reshape(shape)
    return true


def publish_counts(
    places: pd.DataFrame,
    quarters: tuple[str, ...],
    exact: Ints,
    days: Floats,
    pairs: Iterable[tuple[str, str]],
    protected: tuple[CellKey, tuple[Ints, ...]] | None = None,
) -> Observations:
    """Return observations from exact counts: unchanged, or with the noise of a mechanism with cell keys.

    places : a table like Truth.areas. exact : counts, (areas, quarters, known pathways, ways). days : days of outreach,
    (areas, quarters). Both are for the areas of `select_modelled_areas`. pairs : codes of areas that touch. protected :
    the mechanism, and cell keys of the shapes that `key_shapes` returns.
    """
    published = merge_crossings(exact)
    if protected is None:
        return join_observations(places, quarters, published, days, pairs)
    mechanism, (keys, keys_of_totals) = protected
    totals = mechanism.publish(exact.sum(axis=(1, 3)), keys_of_totals)
    return join_observations(places, quarters, mechanism.publish(published, keys), days, pairs, mechanism, totals)


def join_observations(
    places: pd.DataFrame,
    quarters: tuple[str, ...],
    published: Ints,
    days: Floats,
    pairs: Iterable[tuple[str, str]],
    mechanism: CellKey | None = None,
    totals: Ints | None = None,
) -> Observations:
    """Return observations from published counts, (areas, quarters, crossings, ways); exact without a mechanism.

    `totals` are published counts of the whole programme, (areas, known pathways), which only a mechanism has. Then
    counts of municipalities below the threshold of the default policy are hidden, and they have no totals.
    """
    level: Level = "municipality" if (places["level"] == "municipality").all() else "region"
    people, k = select_modelled_areas(places, level), DEFAULT_POLICY.threshold("partner", level)
    if mechanism is not None and k > 1:
        published, totals = np.where(published < k, HIDDEN, published), None
    channel = None if mechanism is None else build_channel(mechanism, published, k if k > 1 else None)
    noise = np.zeros(len(PATHWAYS)) if channel is None or totals is None else noise_variance(channel, totals)
    return Observations(
        tuple(people.index),
        tuple(people["country"].astype(str)),
        np.tile(people["children"].to_numpy(dtype=float)[:, None], len(quarters)),
        quarters,
        PATHWAYS,
        WAYS,
        published,
        days,
        find_edges(list(people.index), pairs),
        channel,
        "partner",
        None if totals is None else merge_crossings(totals[:, None, :, None])[:, 0, :, 0],
        noise,
        regions=None if level == "region" else tuple(people["parent"].astype(str)),
    )


def select_modelled_areas(places: pd.DataFrame, level: str = "region") -> pd.DataFrame:
    """Return the areas of a level that the model includes, indexed by code: those with at least one child."""
    areas = places[(places["level"] == level) & (places["children"] >= LEAST_EXPECTED)]
    return areas.set_axis([str(code) for code in areas.index])


def key_shapes(exact: Ints) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shapes of the cell keys of quarters and of totals, for counts as in `publish_counts`."""
    areas, quarters, pathways, ways = exact.shape
    return (areas, quarters, len(PATHWAYS), ways), (areas, pathways)


def count_children(world: World, codes: list[str]) -> Ints:
    """Return the number of children, (areas, quarters, known pathways, 2); the last axis is reported, discovered.

    Children are distinguished by the world's truth, and count with the attributes of their first encounter.
    """
    frame = world.records["encounter"].assign(child=world.truth.child)
    frame = frame.assign(date=frame["date"].astype(str)).sort_values("date", kind="stable")
    first = frame[~frame["child"].duplicated()]
    first = first[first["stage"].astype(str) != "at_risk"]
    shape = (len(codes), world.parameters.quarters, len(CROSSING), len(_FOUND))
    columns: list[Ints] = [
        _locate(world, first["municipality"], codes),
        _quarter(world, first["date"]),
        _position(first["pathway"], _KNOWN),
        _position(first["found"], _FOUND),
    ]
    return _tally(columns, shape).astype(np.int64)


def effort_days(world: World, codes: list[str]) -> Floats:
    """Return the days of outreach by area and quarter, (areas, quarters)."""
    frame = world.records["effort"]
    columns = [_locate(world, frame["municipality"], codes), _quarter(world, frame["date"].astype(str))]
    return _tally(columns, (len(codes), world.parameters.quarters), frame["days"].to_numpy(dtype=float))


def _position(values: pd.Series, positions: dict[str, int]) -> Ints:
    """Return the position of each value, -1 for an unknown one."""
    return np.array([positions.get(str(value), -1) for value in values], np.int64)


def _locate(world: World, municipality: pd.Series, codes: list[str]) -> Ints:
    """Return the position of each municipality, or else of its region, among the codes; -1 if neither is there."""
    positions = pd.Series(np.arange(len(codes)), index=codes)
    names = municipality.astype(str)
    return (
        names.map(positions).fillna(names.map(world.areas["parent"]).map(positions)).fillna(-1).to_numpy(dtype=np.int64)
    )


def _quarter(world: World, days: pd.Series) -> Ints:
    starts = np.array([f"{day:%Y-%m-%d}" for day in world.parameters.quarter_starts])
    return np.asarray(np.searchsorted(starts, days.to_numpy(dtype=str), side="right") - 1, np.int64)


def _tally(columns: list[Ints], shape: tuple[int, ...], weights: Floats | None = None) -> Floats:
    """Return the number of rows in each cell, or the sum of their weights; rows with a position of -1 are left out."""
    inside = np.all([column >= 0 for column in columns], axis=0)
    cell = np.ravel_multi_index(tuple(column[inside] for column in columns), shape)
    inside_weights = None if weights is None else weights[inside]
    return np.bincount(cell, inside_weights, int(np.prod(shape))).reshape(shape).astype(float)
