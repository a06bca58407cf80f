"""The latent Gaussian model for observations: its core of latent numbers, and which of them each count depends on.

The core holds, in this order: an intercept for each country and pathway, gamma (minus its prior mean), a
reporting gap for each country, covariates, a level for each series break and pathway; then the area field,
pathway by pathway, and a random walk for each country and pathway. A block is an area on one pathway; its local
part is that area's own random walk. This is docs/risk-model.md eq. (4), (12) and (17).

Municipalities are fitted inside their regions, eq. (75): intercepts are those of regions, the time course is that of
the region's own fit, and the area field is that of municipalities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats, Ints
from risk.laplace.fields import Field, Hyper
from risk.laplace.graph import build_chain, build_structure
from risk.laplace.latent import Latent
from risk.laplace.likelihood import Counts
from risk.laplace.response import Totals
from risk.model.observations import ALL, Observations


@dataclass(frozen=True)
class Effects:
    """The effects of the model and their priors; see `risk.model.RiskModel` for the names.

    gamma_sd : 0 where the exponent of effort is fixed at `gamma`. local : None without random walks of areas.
    """

    area: tuple[Hyper, Hyper, Hyper]
    time: Hyper
    local: Hyper | None
    kappa: Hyper
    gamma: float
    gamma_sd: float
    intercept_sd: float
    gap_sd: float
    covariate_sd: float
    scaled: bool


@dataclass(frozen=True, eq=False)
class Layout:
    """A latent model and the positions of its parts in the core. B blocks, T quarters, c covariates, P pathways.

    base : log rate from which intercepts are measured.
    intercept, area : (B,). time : (B, T), or (B, 0) without a walk. covariates : (c,).
    gamma : position, None where it is fixed. gaps : (countries,), empty where
    the ways in which children are found are not distinguished.
    breaks : levels of series breaks, (breaks, P).
    """

    model: Latent
    base: float
    intercept: Ints
    area: Ints
    time: Ints
    covariates: Ints
    gamma: int | None
    gaps: Ints
    breaks: Ints

    def log_rate(self, core: Floats, local: Floats, values: Floats) -> Floats:
        """Return the log rate for each child, eq. (12), from d draws of the latent numbers: (d, B, T).

        Its level is that of today's recording: breaks change the counts before them, eq. (89), not the rate. Without
        any walk the result is (d, B, 1).

        core : (d, n). local : (d, B, T), or (d, B, 0) without walks of areas. values : covariates of each
        block, (B, c).
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
    intercepts: int  # countries or regions
    covariates: int

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """Shape of all counts in the order of blocks: (A, P, T, W)."""
        return self.areas, self.pathways, self.quarters, self.ways

    @classmethod
    def from_observations(cls, observations: Observations) -> _Sizes:
        areas, quarters, pathways, ways = observations.published.shape
        countries, covariates = len(observations.country_names), observations.features.shape[1]
        groups = countries if observations.regions is None else len(set(observations.regions))
        return cls(areas, quarters, pathways, ways, countries, groups, covariates)


def build_layout(observations: Observations, effects: Effects, log_rate: Floats | None = None) -> Layout:
    """Return the latent model for the observations, with the positions of its parts.

    log_rate : known log rate of each area over time, (A, T, P), which replaces random walks; see eq. (75).
    """
    sizes = _Sizes.from_observations(observations)
    base = _compute_base_level(observations) if log_rate is None else 0.0
    offset = _compute_offset(observations, sizes, effects.gamma) + base
    if log_rate is not None:
        course = np.broadcast_to(np.moveaxis(log_rate, 2, 1)[..., None], sizes.cells)
        offset += course.reshape(offset.shape)
    walks = sizes.quarters > 1 and log_rate is None
    precision, fixed = _build_fixed_effects(observations, sizes, effects)
    fields, area_start, walk_start = _build_fields(observations, sizes, effects, len(precision), walks=walks)
    # Blocks are areas by pathways, the pathway running fastest.
    area = np.repeat(np.arange(sizes.areas), sizes.pathways)
    country = np.repeat(observations.country_of, sizes.pathways)
    pathway = np.tile(np.arange(sizes.pathways), sizes.areas)
    group = country if observations.regions is None else observations.region_of[area]
    intercept = group * sizes.pathways + pathway
    walk = walk_start + intercept[:, None] * sizes.quarters + np.arange(sizes.quarters)
    time = walk if walks else walk[:, :0]
    area_position = area_start + pathway * sizes.areas + area
    usable = np.moveaxis(observations.usable, 2, 1).ravel()
    cells = np.flatnonzero(usable)
    published = np.moveaxis(observations.published, 2, 1).ravel()[cells]
    local = None
    if walks and effects.local is not None:
        chain = build_chain(sizes.quarters)
        local = Field(chain, 1, effects.local, Hyper("smooth", fixed=1.0), Hyper("none"))
    model = Latent(
        np.column_stack([intercept, area_position, fixed.columns(country, pathway)]),
        _build_design(observations, sizes, fixed, effects),
        time,
        np.repeat(np.arange(sizes.quarters), sizes.ways),
        offset,
        cells,
        Counts.from_published(published, observations.channel),
        _read_totals(observations),
        precision,
        fields,
        local,
        effects.kappa,
    )
    return Layout(model, base, intercept, area_position, time, fixed.covariates, fixed.gamma, fixed.gaps, fixed.breaks)


def _compute_base_level(observations: Observations) -> float:
    """Return the log of the ratio of children found to children living there, from which intercepts are measured.

    Both are sums over all usable counts, and half a child is added to those found.
    """
    usable = observations.usable
    finds = np.maximum(observations.published, 0)[usable].sum() + 0.5
    living = np.broadcast_to(observations.expected[:, :, None, None], usable.shape)[usable].sum()
    return float(np.log(finds / max(living, 1.0)))


def _compute_offset(observations: Observations, sizes: _Sizes, gamma: float) -> Floats:
    """Return log E plus, for ways by outreach, log outreach at `gamma`, the prior mean, eq. (4): (B, T * W)."""
    outreach = observations.log_outreach(np.array([gamma]))[0, :, None, :, None] * _is_by_outreach(observations)
    offset = np.broadcast_to(np.log(observations.expected)[:, None, :, None] + outreach, sizes.cells)
    return offset.reshape(sizes.areas * sizes.pathways, -1).copy()


def _is_by_outreach(observations: Observations) -> Floats:
    """Return 1 for each way of finding in which more effort finds more children, also for all ways together; else 0.

    The shape is (W,).
    """
    return np.array([float(way in ("discovered", *ALL)) for way in observations.ways])


def _read_totals(observations: Observations) -> Totals | None:
    """Return the published totals of the blocks, (B,), with their noise variance; None without totals.

    A total is NaN where it is not published, or counts children of cells that are not used: eq. (10).
    """
    if observations.totals is None:
        return None
    complete = observations.has_all_children & (observations.totals >= 0)
    value = np.where(complete, observations.totals, np.nan)
    return Totals(value.ravel(), np.broadcast_to(observations.total_noise, value.shape).ravel())


@dataclass(frozen=True, eq=False)
class _FixedEffects:
    """Positions of the fixed effects in the core, after the intercepts."""

    gamma: int | None
    gaps: Ints
    covariates: Ints
    breaks: Ints

    def columns(self, country: Ints, pathway: Ints) -> Ints:
        """Return the positions of the effects of each block, (B, effects): gamma, gap, covariates, breaks."""
        parts = [] if self.gamma is None else [np.full(len(country), self.gamma)]
        parts += [self.gaps[country]] if len(self.gaps) else []
        return np.column_stack([*parts, np.tile(self.covariates, (len(country), 1)), self.breaks[:, pathway].T])


def _build_fixed_effects(observations: Observations, sizes: _Sizes, effects: Effects) -> tuple[Floats, _FixedEffects]:
    """Return the prior precisions of the fixed effects, (n,), intercepts first, and the positions of the others."""
    sds = [effects.intercept_sd] * (sizes.intercepts * sizes.pathways)
    gamma: int | None = None
    by_outreach = (_is_by_outreach(observations) > 0).any() and observations.has_outreach.any()
    if effects.gamma_sd > 0 and by_outreach:
        gamma = len(sds)
        sds.append(effects.gamma_sd)
    gaps = np.zeros(0, np.int64)
    if len(observations.ways) > 1:
        gaps = len(sds) + np.arange(sizes.countries)
        sds += [effects.gap_sd] * sizes.countries
    covariates = len(sds) + np.arange(sizes.covariates)
    sds += [effects.covariate_sd] * sizes.covariates
    breaks = len(sds) + np.arange(len(observations.before_breaks) * sizes.pathways).reshape(-1, sizes.pathways)
    sds += [effects.intercept_sd] * breaks.size  # a break is a new intercept
    return np.array(sds) ** -2.0, _FixedEffects(gamma, gaps, covariates, breaks)


def _build_fields(
    observations: Observations, sizes: _Sizes, effects: Effects, start: int, *, walks: bool
) -> tuple[tuple[Field, ...], int, int]:
    """Return the fields (the area field and, if any, countries' walks) and the first position of each in the core."""
    sd, structured, common = effects.area
    if sizes.pathways == 1:
        common = Hyper(common.name)
    graph = build_structure(sizes.areas, observations.edges, scaled=effects.scaled)
    area = Field(graph, sizes.pathways, sd, structured, common)
    walk_start = start + area.size
    if not walks:
        return (area,), start, walk_start
    copies = sizes.countries * sizes.pathways
    time = Field(build_chain(sizes.quarters), copies, effects.time, Hyper("smooth", fixed=1.0), Hyper("none"))
    return (area, time), start, walk_start


def _build_design(observations: Observations, sizes: _Sizes, fixed: _FixedEffects, effects: Effects) -> Floats:
    """Return the design, (B, T * W, effects): intercept, area, gamma, gap, covariates, breaks."""
    parts = [np.ones((*sizes.cells, 2))]
    if fixed.gamma is not None:
        # Slope of log outreach in gamma, from one prior standard deviation below its mean to one above, (A, T). For
        # regions it is log effort; for municipalities eq. (74) is not quite linear in gamma.
        middle, reach = effects.gamma, effects.gamma_sd
        low, high = observations.log_outreach(np.array([middle - reach, middle + reach]))
        effort = np.asarray((high - low) / (2.0 * reach))[:, None, :, None] * _is_by_outreach(observations)
        parts.append(np.broadcast_to(effort, sizes.cells)[..., None])
    if len(fixed.gaps):
        reported = np.array([float(way == "reported") for way in observations.ways])
        parts.append(np.broadcast_to(reported, sizes.cells)[..., None])
    if sizes.covariates:
        values = observations.features[:, None, None, None, :]
        parts.append(np.broadcast_to(values, (*sizes.cells, sizes.covariates)))
    before = np.moveaxis(observations.before_breaks, 0, -1)[:, None, :, None]
    parts.append(np.broadcast_to(before, (*sizes.cells, before.shape[-1])).astype(np.float64))
    rows: Floats = np.concatenate(parts, axis=-1)
    return rows.reshape(sizes.areas * sizes.pathways, sizes.quarters * sizes.ways, -1)
