"""Possible breaks: quarters from which counts of a country or an area have a level that outreach does not explain.

A series is compared with what the model expects of it at one constant rate: reports at a constant level, discoveries in
proportion to the outreach days to the power of gamma. Overdispersion, the noise of disclosure control and the doubt
about outreach are those of the model, since a dozen quarters cannot show them: docs/risk-model.md eq. (150) to (152).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import betainc, xlogy

from data.disclosure.channel import Channel
from data.release import Release
from data.tables.spec import CATEGORIES, table_name
from data.workspace.types import Floats, Ints
from risk.evaluation.panel import Panel
from risk.laplace.likelihood import MISSING
from risk.model.breaks import Break
from risk.model.observations import CROSSING, Observations, merge_crossings, noise_variance

ALL = "all"  # both pathways together
_STEP_LEVEL = 0.1  # at most this share of releases without a step shows a possible break
_STEP_RATIO = 1.5  # a smaller step is read as a rise
_SIDE = 2  # quarters that a level lasts at least, on both sides
_TINY = 1e-9


@dataclass(frozen=True)
class Jump:
    """A possible break: the quarter from which the counts of a country or an area have a higher level.

    before, after : mean count of a quarter on both sides, summed over the areas. areas : number of areas of the series.
    rose : number of those whose mean is higher after the break. partner : whether a partner with a good share of the
    records began or stopped within half a year of it.
    """

    period: str
    place: str
    before: float
    after: float
    areas: int = 1
    rose: int = 1
    partner: bool = False

    def concerns(self, area: str) -> bool:
        """Return whether the possible break affects the counts of this area."""
        return Break(self.period, self.place).concerns(area)


@dataclass(frozen=True, eq=False)
class Series:
    """Counts by quarter, and what is known of them if the rate does not change.

    counts : (T,). expected : draws of the expected counts with the recorded outreach, up to a factor, (D, T). They
    differ by what the model does not know about finds. varied, noise : variance of the counts beyond chance, by
    overdispersion and by the noise of disclosure control, (T,).
    """

    counts: Floats
    expected: Floats
    varied: Floats
    noise: Floats

    @classmethod
    def build(cls, counts: Floats, reach: Floats, noise: Floats, kappa: float) -> Series:
        """Return the series of an area at its mean rate; arguments as in `find_jumps`, of one area."""
        expected = reach * (counts.sum() / max(reach.mean(axis=0).sum(), _TINY))
        return cls(counts, expected, (kappa * expected.mean(axis=0)) ** 2, noise)

    @classmethod
    def add_up(cls, areas: Sequence[Series], whole: tuple[Floats, Floats] | None) -> Series:
        """Return the series of a country, whose areas have rates of their own.

        whole : the published counts of the country and the variance of their noise, (T,) each; without it those of the
        areas are added up, which carry many times as much noise.
        """
        counts, expected, varied, noise = (
            np.sum([getattr(area, field.name) for area in areas], axis=0) for field in fields(cls)
        )
        return cls(whole[0], expected, varied, whole[1]) if whole else cls(counts, expected, varied, noise)

    def leave_out(self, area: Series) -> Series:
        """Return the series without one of its areas; the noise of both numbers stays."""
        counts = np.maximum(self.counts - area.counts, 0.0)
        return Series(counts, self.expected - area.expected, self.varied - area.varied, self.noise + area.noise)

    def find_step(self, level: float) -> int | None:
        """Return the position from which the rate is higher, or None if chance explains that, eq. (150), (151).

        level : p value up to which chance does not explain a step, over all positions. The rate after the step is at
        least 1.5 times the rate before it, and steady growth fits the series less well. A series of fewer than four
        quarters, or of zeros alone, has no step.
        """
        last, usual = len(self.counts), np.maximum(self.expected.mean(axis=0), _TINY)
        starts = np.arange(_SIDE, last - _SIDE + 1)
        if not len(starts) or not self.counts.any():
            return None
        (before, after), extra = _split(self.counts, starts), _split(self.varied + self.noise, starts)
        rates = np.stack([before, after]) / _split(usual, starts)
        ends = np.log(np.maximum(_split(self.expected, starts), _TINY))
        total, share = before + after, _split(usual, starts)[1] / usual.sum()
        alone = total * share * (1.0 - share)
        more = share**2 * extra[0] + (1.0 - share) ** 2 * extra[1] + alone**2 * np.var(ends[1] - ends[0], axis=0)
        spread = 1.0 + more / alone
        chances = _compute_chance(before, after, spread, share)
        best = int(chances.argmin())
        rate_before, rate_after = rates[:, best]
        levels = usual * np.where(np.arange(last) < starts[best], rate_before, rate_after)
        squares = np.divide((self.counts - levels) ** 2, levels, out=np.zeros(last), where=levels > 0)
        wide = max(float(spread[best]), float(squares.sum()) / (last - 2))  # one outlier is no level
        chance = float(_compute_chance(before[best], after[best], wide, share[best]))
        if chance * len(starts) > level or rate_after < _STEP_RATIO * rate_before:
            return None
        # The position of a step is one parameter more than growth has; Akaike's criterion adds 2 for each parameter.
        gain = _compute_deviance(self.counts, self._fit_growth(usual)) - _compute_deviance(self.counts, levels)
        return int(starts[best]) if gain > 2.0 * wide else None

    def _fit_growth(self, usual: Floats) -> Floats:
        """Return the mean counts, (T,), if the rate grows by the same factor each quarter."""
        from sklearn.linear_model import PoissonRegressor

        time = np.linspace(-1.0, 1.0, len(usual))[:, None]
        model = PoissonRegressor(alpha=0.0, max_iter=1000).fit(time, self.counts / usual, sample_weight=usual)
        return np.asarray(usual * model.predict(time))


def _compute_chance(before: Floats, after: Floats, spread: Floats | float, share: Floats) -> Floats:
    """Return P(at least `after` of all children are met after the step) if its share is `share`, eq. (151)."""
    return np.asarray(betainc(np.maximum(after / spread, _TINY), before / spread + 1.0, share))


def _split(values: Floats, starts: Ints) -> Floats:
    """Return the sums of values, (..., T), before each start and from it on, (2, ..., starts)."""
    sums = np.cumsum(values, axis=-1)
    return np.stack([sums[..., starts - 1], sums[..., -1:] - sums[..., starts - 1]])


def find_jumps(
    panel: Panel,
    *,
    reach: Floats | None = None,
    noise: Floats | None = None,
    kappa: float = 0.0,
    countries: tuple[Floats, Floats] | None = None,
) -> tuple[tuple[str, Jump], ...]:
    """Find where counts of a country or an area step to a level that outreach does not explain, by pathway or ALL.

    Half of the level is for tests of countries, half for those of areas, docs/risk-model.md eq. (152). A country has a
    step only if it has one as well where the area that rose most is left out. An area is left out if one of its counts
    is unknown, if its step is within one quarter of its country's step, or if its country has no other area.

    reach : draws of the children found at one rate with the recorded outreach, (D, A, T); without it all quarters are
    alike. noise : variance of the noise of each count, (A, T, P). kappa : overdispersion of a count. countries :
    published counts of countries and the variance of their noise, (C, T, P) each, in the order of `panel.countries`.
    """
    reach = np.ones((1, *panel.effort.shape)) if reach is None else reach
    noise = np.zeros(panel.counts.shape) if noise is None else noise
    parts = {name: [i] for i, name in enumerate(panel.pathways)} | {ALL: list(range(len(panel.pathways)))}
    codes = dict.fromkeys(panel.countries)
    jumps: list[tuple[str, Jump]] = []
    for (name, part), (country, code) in product(parts.items(), enumerate(codes)):
        counts, noises = (values[:, :, part].sum(axis=2) for values in (panel.counts, noise))
        inside = [a for a, c in enumerate(panel.countries) if c == code and np.isfinite(counts[a]).all()]
        series = {a: Series.build(counts[a], reach[:, a], noises[a], kappa) for a in inside}
        whole = None if countries is None else tuple(values[country][:, part].sum(axis=1) for values in countries)
        step = _find_common_step([*series.values()], whole, _STEP_LEVEL / 2 / len(codes) / len(parts))
        if step is not None:
            jumps.append((name, _describe_step(panel.quarters[step], code, [*series.values()], step)))
        for area in inside if len(inside) > 1 else []:
            alone = series[area].find_step(_STEP_LEVEL / 2 / len(panel.areas) / len(parts))
            if alone is not None and (step is None or abs(alone - step) > 1):
                jumps.append((name, _describe_step(panel.quarters[alone], panel.areas[area], [series[area]], alone)))
    return tuple(jumps)


def _find_common_step(areas: Sequence[Series], whole: tuple[Floats, Floats] | None, level: float) -> int | None:
    """Return the position of a step of a country, and None if it is that of a single area; `whole` as in `add_up`."""
    if not areas or (whole and not np.isfinite(whole[0]).all()):
        return None
    country = Series.add_up(areas, whole)
    step = country.find_step(level)
    if step is None or len(areas) == 1:
        return step
    leader = max(areas, key=lambda area: float((area.counts - area.expected.mean(axis=0))[step:].sum()))
    return step if country.leave_out(leader).find_step(_STEP_LEVEL) is not None else None


def _describe_step(period: str, place: str, areas: Sequence[Series], step: int) -> Jump:
    sides = slice(step), slice(step, None)
    before, after = (sum(float(area.counts[side].mean()) for area in areas) for side in sides)
    rose = sum(bool(area.counts[step:].sum() > area.expected.mean(axis=0)[step:].sum()) for area in areas)
    return Jump(period, place, before, after, len(areas), rose)


def read_country_counts(release: Release, observations: Observations) -> tuple[Floats, Floats] | None:
    """Return published counts of countries by quarter and crossing, NaN where unknown, and the variance of their noise.

    Both have shape (C, T, P). Returns None if the release has no such table. One published number has one draw of
    noise, the sum over a country's areas and ways of finding has dozens.
    """
    name = table_name("children", "country", "quarter", "pathway")
    if name not in release.tables or observations.channel is None:
        return None
    rows, codes = release.table(name), list(dict.fromkeys(observations.countries))
    number = rows["value"].astype(float).where(rows["state"] == "number").mask(rows["state"] == "almost_none", 0.0)
    cells = number.groupby([rows[c].astype(str) for c in ("area", "period", "pathway")]).first()
    index = pd.MultiIndex.from_product([codes, observations.quarters, CATEGORIES["pathway"][: len(CROSSING)]])
    counts: Ints = cells.reindex(index).fillna(MISSING).to_numpy().astype(np.int64)
    return merge_noisy(counts.reshape(len(codes), len(observations.quarters), -1), observations.channel)


def merge_noisy(counts: Ints, channel: Channel) -> tuple[Floats, Floats]:
    """Add up published counts of countries by crossing, (C, T, known pathways); return sums and noise variances."""
    sums = merge_crossings(counts[..., None])[..., 0]
    noise = noise_variance(channel, counts.reshape(-1, counts.shape[-1])).reshape(sums.shape)
    return np.where(sums < 0, np.nan, sums), noise


def _compute_deviance(counts: Floats, mean: Floats) -> Floats:
    """Return the Poisson deviance of a series, (T,), from means, (..., T), in the shape (...)."""
    ratio = np.divide(counts, mean, out=np.ones(np.broadcast(counts, mean).shape), where=(mean > 0) & (counts > 0))
    return np.asarray(2.0 * (xlogy(counts, ratio) - counts + mean).sum(axis=-1))
