"""From observations to a latent Gaussian model: which number of the core each count depends on.

The core: an intercept for each country and pathway, gamma (less its prior mean), a reporting gap for each
country, covariates; then the area field, pathway by pathway, and a random walk for each country and pathway.
A block is an area on one pathway; its local part is that area's own course in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats, Ints
from risk.laplace.fields import Field, Hyper
from risk.laplace.graph import Structure, chain, structure, unconnected
from risk.laplace.latent import Latent
from risk.laplace.likelihood import MISSING, Counts
from risk.laplace.response import Totals
from risk.model.observations import ALL, Observations


@dataclass(frozen=True)
class Effects:
    """What the model holds, with its priors; see `risk.model.RiskModel` for the words.

    gamma_sd is 0 where the exponent of effort is fixed at `gamma`. scaled: whether the area field is.
    """

    area: tuple[Hyper, Hyper, Hyper]
    time: Hyper
    local: Hyper | None
    walks: bool
    kappa: Hyper
    gamma: float
    gamma_sd: float
    intercept_sd: float
    gap_sd: float
    covariate_sd: float
    scaled: bool


@dataclass(frozen=True, eq=False)
class Layout:
    """A latent model and where its parts stand.

    A quarter's rate for a child is exp(base + what `rate` sums up). Positions in the core: intercept (B,),
    area (B,), time (B, T) or (B, 0), covariates (c,); gamma None where fixed; gaps (countries,) or none.
    """

    model: Latent
    base: float
    effort_unit: float
    intercept: Ints
    area: Ints
    time: Ints
    covariates: Ints
    gamma: int | None
    gaps: Ints

    def rate(self, core: Floats, local: Floats, values: Floats) -> Floats:
        """Give the log rate of a child from draws (d, n) and (d, B, T): shape (d, B, quarters).

        `values` are the covariates of each block, (B, c).
        """
        level = core[:, self.intercept] + core[:, self.area] + core[:, self.covariates] @ values.T
        total: Floats = self.base + level[:, :, None]
        if self.time.shape[1]:
            total = total + core[:, self.time]
        return total + local if local.shape[2] else total


@dataclass(frozen=True)
class _Sizes:
    areas: int
    quarters: int
    pathways: int
    ways: int
    countries: int
    covariates: int

    @classmethod
    def of(cls, seen: Observations) -> _Sizes:
        areas, quarters, pathways, ways = seen.published.shape
        return cls(areas, quarters, pathways, ways, len(seen.country_names), seen.features.shape[1])


def lay_out(seen: Observations, effects: Effects) -> Layout:
    """Build the latent model of some observations."""
    sizes = _Sizes.of(seen)
    unit = seen.usual_effort
    usable = np.moveaxis(seen.usable, 2, 1).reshape(sizes.areas * sizes.pathways, -1)
    base = _base(seen)
    offset = _offset(seen, sizes, unit, effects.gamma) + base
    fixed, places = _fixed(seen, sizes, effects)
    fields, starts = _fields(seen, sizes, effects, len(fixed))
    area, country = (np.repeat(at, sizes.pathways) for at in (np.arange(sizes.areas), seen.country_of))
    pathway = np.tile(np.arange(sizes.pathways), sizes.areas)
    group = country * sizes.pathways + pathway
    walk = starts[1] + group[:, None] * sizes.quarters + np.arange(sizes.quarters)
    time = walk if sizes.quarters > 1 else walk[:, :0]
    gaps = np.zeros((len(group), 0), np.int64) if places.gaps is None else places.gaps[country][:, None]
    gamma = np.full((len(group), int(places.gamma is not None)), places.gamma or 0)
    covariates = np.tile(places.covariates, (len(group), 1))
    area_at = starts[0] + pathway * sizes.areas + area
    index = np.column_stack([group, area_at, gamma, gaps, covariates])
    chosen = np.flatnonzero(usable.ravel())
    published = np.moveaxis(seen.published, 2, 1).ravel()[chosen]
    local = None if sizes.quarters == 1 or effects.local is None else _local(effects, sizes.quarters)
    model = Latent(
        index,
        _rows(seen, sizes, unit, gamma.shape[1], gaps.shape[1]),
        time,
        np.repeat(np.arange(sizes.quarters), sizes.ways),
        offset,
        chosen,
        Counts.of(published, seen.channel),
        _totals(seen),
        fixed,
        fields,
        local,
        effects.kappa,
    )
    none = np.zeros(0, np.int64)
    return Layout(
        model,
        base,
        unit,
        group,
        area_at,
        time,
        places.covariates,
        places.gamma,
        none if places.gaps is None else places.gaps,
    )


def _base(seen: Observations) -> float:
    """Give the log of all that was found over all children: the level that intercepts are measured from."""
    usable = seen.usable
    found = np.maximum(seen.published, 0)[usable].sum() + 0.5
    living = np.broadcast_to(seen.expected[:, None, None, None], usable.shape)[usable].sum()
    return float(np.log(found / max(living, 1.0)))


def _offset(seen: Observations, sizes: _Sizes, unit: float, gamma: float) -> Floats:
    """Give log E, and the prior mean of gamma times the log of effort where finds are by outreach; (B, m)."""
    reach = gamma * _log_effort(seen, unit)[:, None, :, None] * _by_outreach(seen)
    shape = (sizes.areas, sizes.pathways, sizes.quarters, sizes.ways)
    offset = np.broadcast_to(np.log(seen.expected)[:, None, None, None] + reach, shape)
    return offset.reshape(sizes.areas * sizes.pathways, -1).copy()


def _log_effort(seen: Observations, unit: float) -> Floats:
    return np.log(np.where(seen.effort > 0, seen.effort, unit) / unit)


def _by_outreach(seen: Observations) -> Floats:
    """Say for each way whether effort finds by it; where ways are not told apart, it does in part."""
    return np.array([float(way in ("discovered", *ALL)) for way in seen.ways])


def _totals(seen: Observations) -> Totals | None:
    """Give the published totals of areas on pathways, where no part of theirs is missing."""
    if seen.whole is None:
        return None
    complete = (seen.published != MISSING).all(axis=(1, 3))
    value = np.where(complete & (seen.whole >= 0), seen.whole, np.nan)
    return Totals(value.ravel(), np.broadcast_to(seen.whole_noise, value.shape).ravel())


@dataclass(frozen=True, eq=False)
class _FixedPlaces:
    gamma: int | None
    gaps: Ints | None
    covariates: Ints


def _fixed(seen: Observations, sizes: _Sizes, effects: Effects) -> tuple[Floats, _FixedPlaces]:
    """Give the prior precision of the fixed effects, and where they stand."""
    sds = [effects.intercept_sd] * (sizes.countries * sizes.pathways)
    gamma: int | None = None
    if effects.gamma_sd > 0 and (_by_outreach(seen) > 0).any() and seen.searched.any():
        gamma = len(sds)
        sds.append(effects.gamma_sd)
    gaps: Ints | None = None
    if len(seen.ways) > 1:
        gaps = len(sds) + np.arange(sizes.countries)
        sds += [effects.gap_sd] * sizes.countries
    covariates = len(sds) + np.arange(sizes.covariates)
    sds += [effects.covariate_sd] * sizes.covariates
    return np.array(sds) ** -2.0, _FixedPlaces(gamma, gaps, covariates)


def _fields(
    seen: Observations, sizes: _Sizes, effects: Effects, start: int
) -> tuple[tuple[Field, ...], tuple[int, int]]:
    """Give the area field and the random walks, and where they start in the core."""
    sd, structured, common = effects.area
    if sizes.pathways == 1:
        common = Hyper(common.name)
    graph: Structure = structure(sizes.areas, seen.edges, scaled=effects.scaled)
    area = Field(graph, sizes.pathways, sd, structured, common)
    if sizes.quarters == 1:
        return (area,), (start, start + area.size)
    copies = sizes.countries * sizes.pathways
    time = Field(chain(sizes.quarters), copies, effects.time, Hyper("smooth", fixed=1.0), Hyper("none"))
    return (area, time), (start, start + area.size)


def _local(effects: Effects, quarters: int) -> Field:
    """Give the field of each area's own course in time."""
    course = chain(quarters) if effects.walks else unconnected(quarters)
    assert effects.local is not None
    return Field(course, 1, effects.local, Hyper("smooth", fixed=float(effects.walks)), Hyper("none"))


def _rows(seen: Observations, sizes: _Sizes, unit: float, gamma: int, gaps: int) -> Floats:
    """Give the design, (B, m, c): intercept, area, gamma, gap, covariates."""
    shape = (sizes.areas, sizes.pathways, sizes.quarters, sizes.ways)
    parts = [np.ones((*shape, 2))]
    if gamma:
        effort = _log_effort(seen, unit)[:, None, :, None] * _by_outreach(seen)
        parts.append(np.broadcast_to(effort, shape)[..., None])
    if gaps:
        reported = np.array([float(way == "reported") for way in seen.ways])
        parts.append(np.broadcast_to(reported, shape)[..., None])
    values = seen.features[:, None, None, None, :]
    if sizes.covariates:
        parts.append(np.broadcast_to(values, (*shape, sizes.covariates)))
    rows: Floats = np.concatenate(parts, axis=-1)
    return rows.reshape(sizes.areas * sizes.pathways, sizes.quarters * sizes.ways, -1)
