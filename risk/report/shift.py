"""Whether the share of internal trafficking rose among the children met in the destination cities, Durrës and Tirana.

The first and the last complete year are compared by one model of both cities, docs/risk-model.md eq. (51), (84) to
(86). What is compared is a share, so outreach that finds more children of both kinds does not change it. The model
reads the yearly numbers of the release, whose noise is far smaller than that of a sum of quarters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy.special import expit, gammaln

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel
from data.release import Release
from data.tables.periods import Period
from data.tables.spec import CATEGORIES, table_name
from data.workspace.types import Floats, Ints
from risk.model.breaks import Break
from risk.model.observations import CROSSING
from risk.numbers import stream

ShareVerdict = Literal["rose", "fell", "unclear"]
# Durrës and Tirana, where the programme expects internal trafficking to grow.
WATCHED = ("AL-02", "AL-11")
REFERENCE = 0.2  # the rise for which power is stated. It is fixed: power at the estimated rise only repeats p.
_ALPHA = 0.025  # without a rise, all looks together say "rose" at most this often; without a fall, "fell" likewise
_PARTS = CATEGORIES["pathway"][: len(CROSSING)]  # internal, then what is cross-border
_DRAWS, _DRAWS_OF_A_TRIAL, _TRIALS = 8000, 2000, 200
_ENDS = (0.025, 0.975)

# Grids of log odds, of their change, and of the change that both cities share; priors of eq. (85).
_STEP = 0.1
_LOGITS = np.arange(-50, 51) * _STEP
_CHANGES = np.arange(-100, 101) * _STEP
_COMMON = np.arange(-30, 31) * _STEP
_LEVEL_SD, _COMMON_SD, _SPREAD_SD, _SPREADS = 1.5, 1.5, 1.0, 6


@dataclass(frozen=True)
class AreaShift:
    """The share of internal trafficking in `areas` together, in the last complete year compared with the first.

    before, after : shares in per cent. low, high : 95 % interval of their difference, in percentage points.
    probability : that the share rose, 0 to 1. power : in how many of 100 cases a rise by REFERENCE in every area would
    be detected; None if the share of an area is too large to rise so far, or in results of earlier versions.
    """

    areas: tuple[str, ...]
    before: float
    after: float
    low: float
    high: float
    probability: float
    verdict: ShareVerdict
    power: float | None = None

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> AreaShift:
        """Read a shift from the manifest of a result. Results of earlier versions have no verdict and no power."""
        numbers = {name: float(values[name]) for name in ("before", "after", "low", "high", "probability")}
        areas, verdict = tuple(values["areas"]), values.get("verdict", "unclear")
        return cls(areas, **numbers, verdict=verdict, power=values.get("power"))


@dataclass(frozen=True)
class YearShare:
    """The share of internal trafficking in `areas` together in a complete year, in per cent, with its 95 % interval.

    The shares of the first and the last year are those of `AreaShift`. The share of a year in between comes from the
    comparison of that year with the first year.
    """

    areas: tuple[str, ...]
    year: str
    share: float
    low: float
    high: float

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> YearShare:
        """Read a share from the manifest of a result."""
        numbers = {name: float(values[name]) for name in ("share", "low", "high")}
        return cls(tuple(values["areas"]), str(values["year"]), **numbers)


@dataclass(frozen=True, eq=False)
class SharePosterior:
    """Draws of the shares (0 to 1) in the earlier and the later year, (draws, A + 1) each.

    The columns are A areas, then all areas together.
    """

    before: Floats
    after: Floats

    def probability(self) -> Floats:
        """Return the probability of a rise, (A + 1,); a draw without any change counts half."""
        return np.asarray((np.sign(self.after - self.before).mean(axis=0) + 1.0) / 2.0)

    def judge(self, looks: int) -> list[ShareVerdict]:
        """Return the A + 1 verdicts of look number `looks`, allowing for earlier looks, docs/risk-model.md eq. (86).

        The first look compares the second complete year with the first year, and each further year brings one more.
        """
        alpha = _ALPHA * 2.0**-looks
        rise = self.probability()
        return ["rose" if p > 1.0 - alpha else "fell" if p < alpha else "unclear" for p in rise]


def describe_shifts(release: Release, kappa: float, breaks: Iterable[Break], seed: int) -> dict[str, Any]:
    """Return the shifts (of all watched areas together, then of each), the two years compared, and each year's shares.

    There are no shifts, no years and no shares without two years, or if no watched area has all numbers. Years before a
    break that affects a watched area are left out. kappa : overdispersion of a quarter's count.
    """
    years, areas, published = _read_years(release, tuple(breaks))
    if len(years) < 2 or not areas:
        return {"shifts": []}
    noise = CellKey.from_manifest(release.manifest["tact"])
    channel = noise.channel(int(published.sum(axis=2).max()) + 3 * noise.largest)
    first, last = Period.parse(years[0]), Period.parse(years[-1])
    size = 4.0 / max(kappa, 1e-3) ** 2  # of the sum of four quarters that vary on their own
    looks = [
        sample_shares(published[:, [0, year]], channel, size, _DRAWS, stream(seed, "shift"))
        for year in range(1, len(years))
    ]
    ends = published[:, [0, -1]]
    power = estimate_power(ends, looks[-1], channel, size, len(looks), _TRIALS, seed)
    return {
        "first_year": first.start.isoformat(),
        "last_year_ends": last.end.isoformat(),
        "shifts": [asdict(shift) for shift in list_shifts(areas, looks[-1], len(looks), power)],
        "shares": [asdict(share) for share in _list_shares(areas, years, looks)],
    }


def _read_years(release: Release, breaks: Sequence[Break]) -> tuple[list[str], tuple[str, ...], Ints]:
    """Read the complete years, the usable watched areas, and their published counts, (areas, years, parts).

    An area is usable if it has all numbers, and children in the first and the last year.
    """
    name = table_name("children", "region", "year", "pathway")
    nothing: tuple[list[str], tuple[str, ...], Ints] = ([], (), np.zeros((0, 0, len(_PARTS)), np.int64))
    if name not in release.tables:
        return nothing
    rows = release.table(name)
    rows = rows[rows["area"].isin(WATCHED) & rows["pathway"].isin(_PARTS)]
    number = rows["value"].astype(float).mask(rows["state"] == "almost_none", 0.0)
    cells = number.groupby([rows["area"], rows["period"], rows["pathway"]], observed=True).first()
    starts = [Period.parse(b.period).start for b in breaks if any(b.concerns(area) for area in WATCHED)]
    quarters = [Period.parse(p) for p in release.table(table_name("effort", "region", "quarter"))["period"].unique()]
    covered = Period(min(q.start for q in quarters), max(q.end for q in quarters), "whole")
    years = [y for y in sorted(rows["period"].unique()) if covered.contains(Period.parse(y))]
    years = [str(y) for y in years if all(Period.parse(y).start >= start for start in starts)]
    wide = cells.unstack("pathway").reindex(columns=_PARTS)
    areas = [
        a for a in WATCHED if a in wide.index.get_level_values(0) and wide.loc[a].reindex(years).notna().all().all()
    ]
    if not years or not areas:
        return nothing
    counts = np.stack([wide.loc[area].reindex(years).to_numpy(float) for area in areas])
    usable = counts[:, [0, -1]].sum(axis=2).min(axis=1) > 0
    return years, tuple(np.array(areas)[usable]), counts[usable].astype(np.int64)


def list_shifts(
    areas: Sequence[str], posterior: SharePosterior, looks: int, power: Sequence[float | None]
) -> list[AreaShift]:
    """Return the shifts of all areas together, if there are several, then of each, at look number `looks`."""
    verdicts, chance = posterior.judge(looks), posterior.probability()
    difference = np.quantile(posterior.after - posterior.before, _ENDS, axis=0)
    return [
        AreaShift(
            areas=group,
            before=round(100 * float(posterior.before[:, i].mean()), 1),
            after=round(100 * float(posterior.after[:, i].mean()), 1),
            low=round(100 * float(difference[0, i]), 1),
            high=round(100 * float(difference[1, i]), 1),
            probability=round(float(chance[i]), 4),
            verdict=verdicts[i],
            power=power[i],
        )
        for i, group in _list_groups(areas)
    ]


def _list_groups(areas: Sequence[str]) -> list[tuple[int, tuple[str, ...]]]:
    """List the groups of areas (if there are several, all together first; then each), with their columns of draws."""
    single: list[tuple[int, tuple[str, ...]]] = [(i, (str(area),)) for i, area in enumerate(areas)]
    return [(len(areas), tuple(map(str, areas))), *single] if len(areas) > 1 else single


def _list_shares(areas: Sequence[str], years: Sequence[str], looks: Sequence[SharePosterior]) -> list[YearShare]:
    """Return the share of each year, by group of areas and then by year; `looks` compared each with the first year."""
    draws = [looks[-1].before, *(look.after for look in looks)]
    return [
        YearShare(
            group, year, *(round(100 * float(v), 1) for v in (shares[:, i].mean(), *np.quantile(shares[:, i], _ENDS)))
        )
        for i, group in _list_groups(areas)
        for year, shares in zip(years, draws, strict=True)
    ]


def sample_shares(
    published: Ints, channel: Channel, size: float, draws: int, rng: np.random.Generator
) -> SharePosterior:
    """Draw the shares of two years from published counts, (areas, 2, parts), docs/risk-model.md eq. (51), (84), (85).

    The posterior is computed on grids, so only the draws from it depend on chance. In the share of all areas together,
    the weight of an area is the number of its children of both years. So this share does not change only because more
    children are found in one city. size : of the negative binomial of a year's count. draws : number of draws.
    """
    table = _RisingFactorials.tabulate(int(published.sum(axis=2).max()) + len(_PARTS) * channel.largest, size)
    evidence = [
        [_compute_evidence(published[a, year], channel, table) for year in (0, 1)] for a in range(len(published))
    ]
    later, level_prior = _build_level_prior()
    joint = np.stack([level_prior * before * after[later] for before, after in evidence])  # (areas, changes, logits)
    by_change = joint.sum(axis=2)
    prior, kernel = _build_common_prior()
    weight = prior * np.prod(kernel @ by_change.T, axis=1)
    positions = rng.choice(len(weight), draws, p=weight / weight.sum())
    columns = []
    for area in range(len(published)):
        change = _draw_rows(kernel * by_change[area], positions, rng)
        level = _draw_rows(joint[area], change, rng)
        columns.append(expit(np.stack([_LOGITS[level], _LOGITS[level] + _CHANGES[change]])))
    shares = np.stack(columns, axis=-1)  # (2, draws, areas)
    children = np.maximum(published, 0).sum(axis=(1, 2)) + 1.0
    together = shares @ (children / children.sum())
    return SharePosterior(*np.concatenate([shares, together[..., None]], axis=2))


def _draw_rows(weights: Floats, rows: Ints, rng: np.random.Generator) -> Ints:
    """Draw a column from each row `rows`, (draws,), in proportion to the row's weights, (n, m); return (draws,)."""
    sums = np.cumsum(weights, axis=1)
    return np.asarray((sums[rows] < rng.random((len(rows), 1)) * sums[rows, -1:]).sum(axis=1), np.int64)


@dataclass(frozen=True, eq=False)
class _RisingFactorials:
    """log(Gamma(x + n) / Gamma(x)) for both beta parameters x and for their sum, each (counts n, log odds)."""

    first: Floats
    second: Floats
    both: Floats

    @classmethod
    @lru_cache(maxsize=8)
    def tabulate(cls, most: int, size: float) -> _RisingFactorials:
        share = expit(_LOGITS)
        first, second = size / (2.0 * (1.0 - share)), size / (2.0 * share)
        counts = np.arange(most + 1)[:, None]
        return cls(*(gammaln(x + counts) - gammaln(x) for x in (first, second, first + second)))


def _compute_evidence(published: Ints, channel: Channel, table: _RisingFactorials) -> Floats:
    """Compute P(published counts of one area and year | log odds), eq. (84), up to a factor, (logits,).

    All total numbers of children are equally likely, so only the share matters. Given the total, the children of one
    kind are beta-binomial. The sum is over all true counts that can be published as these numbers.
    """
    internal, least_internal = _list_true_counts(int(published[0]), channel)
    border, least = np.ones(1), 0
    for value in published[1:]:
        weights, start = _list_true_counts(int(value), channel)
        border, least = np.convolve(border, weights), least + start
    k, j = least_internal + np.arange(len(internal)), least + np.arange(len(border))
    border = border / (j + 1.0) ** (len(published) - 2)  # every split of the sum into its parts is as likely
    ways = gammaln(k[:, None] + j + 1) - gammaln(k + 1)[:, None] - gammaln(j + 1)
    log = ways[..., None] + table.first[k][:, None] + table.second[j] - table.both[k[:, None] + j]
    return np.asarray(np.einsum("k,j,kjg->g", internal, border, np.exp(log)))


def _list_true_counts(value: int, channel: Channel) -> tuple[Floats, int]:
    """Return P(value | true count) for all true counts that can be published as `value`, and the smallest of them."""
    first, last = max(value - channel.largest, 0), min(value + channel.largest, channel.n_max)
    return channel.matrix[first : last + 1, value], first


@lru_cache(maxsize=1)
def _build_level_prior() -> tuple[Ints, Floats]:
    """Return the position of the later log odds, and the prior of the mean of both, (changes, logits), eq. (85)."""
    from scipy.stats import norm

    later = np.arange(len(_LOGITS)) + np.arange(len(_CHANGES))[:, None] - len(_CHANGES) // 2
    inside = (later >= 0) & (later < len(_LOGITS))
    level = norm.pdf(_LOGITS + _CHANGES[:, None] / 2.0, scale=_LEVEL_SD)
    return np.clip(later, 0, len(_LOGITS) - 1), inside * level


@lru_cache(maxsize=1)
def _build_common_prior() -> tuple[Floats, Floats]:
    """Return weights and conditional probabilities of the common prior, docs/risk-model.md eq. (85).

    The weights, (n,), belong to pairs (common change, spread) and do not sum to 1. The probabilities, (n, changes), are
    P(change of an area | pair).
    """
    from scipy.stats import halfnorm, norm

    spreads = halfnorm.ppf((np.arange(_SPREADS) + 0.5) / _SPREADS, scale=_SPREAD_SD)
    common, spread = (values.ravel() for values in np.meshgrid(_COMMON, spreads, indexing="ij"))
    kernel = norm.pdf(_CHANGES, common[:, None], spread[:, None])
    return norm.pdf(common, scale=_COMMON_SD), kernel / kernel.sum(axis=1, keepdims=True)


def estimate_power(
    published: Ints, posterior: SharePosterior, channel: Channel, size: float, looks: int, trials: int, seed: int
) -> list[float | None]:
    """Estimate in how many of 100 cases a rise by REFERENCE in every area would be detected, (areas + 1,).

    In each trial, as many children as published are drawn again: with the estimated shares of the first year, and with
    REFERENCE more in the last. They are published through the channel and judged in the same way. All values are None
    if the share of an area cannot rise so far, or if `trials` is 0.
    """
    before = posterior.before.mean(axis=0)
    areas = len(published)
    possible = before + REFERENCE < 1.0
    if not trials or not possible[:areas].all():
        return [None] * (areas + 1)
    rng = stream(seed, "power")
    shares = np.stack([before[:areas], before[:areas] + REFERENCE], axis=1)
    rose = np.zeros(areas + 1)
    for _ in range(trials):
        counts = draw_published(published, shares, channel, size, rng)
        verdicts = sample_shares(counts, channel, size, _DRAWS_OF_A_TRIAL, rng).judge(looks)
        rose += [verdict == "rose" for verdict in verdicts]
    return [float(n) for n in np.round(100.0 * rose / trials)]


def draw_published(published: Ints, shares: Floats, channel: Channel, size: float, rng: np.random.Generator) -> Ints:
    """Draw published counts with the totals of `published`, (areas, 2, parts), and internal `shares`, (areas, 2)."""
    totals = np.maximum(published.sum(axis=2), 1)
    internal = rng.binomial(totals, rng.beta(size / (2.0 * (1.0 - shares)), size / (2.0 * shares)))
    mix = published[..., 1:] + 0.5
    border = rng.multinomial(totals - internal, mix / mix.sum(axis=2, keepdims=True))
    exact = np.minimum(np.concatenate([internal[..., None], border], axis=2), channel.n_max)
    cumulative = np.cumsum(channel.matrix, axis=1)[exact]
    counts = (cumulative < rng.random((*exact.shape, 1))).sum(axis=-1)
    return np.asarray(np.minimum(counts, channel.n_max), np.int64)
