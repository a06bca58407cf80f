"""The spatial and the space-time scan statistic: docs/risk-model.md eq. (52) to (55).

The scan (Kulldorff 1997, 2001) moves circles over the centres of areas, each with at most half of the expected cases,
and cylinders: such circles over intervals of quarters. Its statistic is the log likelihood ratio of more cases inside
than outside. Given the total, cases are multinomial in proportion to the expected cases. The largest statistic of each
of 9,999 such replicates gives the p value of a cluster, which accounts for the search over all windows. If counts vary
more than Poisson counts, there are many more false alarms than such p values indicate. There are two known reasons for
more variation, and the replicates include both if they are given: children are met in groups (the negative binomial
size of a count), and areas find different shares of their children (the spread of detection, the same in all quarters
of an area).

A cluster shows where to ask questions; it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import InputError
from data.workspace.types import Floats, Ints, Progress
from risk.numbers import stream

Counted = NDArray[np.int32]
_CELLS_HELD = 4_000_000  # replicated counts held at once, 4 bytes each
_POISSON = 1e12  # size from which on counts vary as Poisson counts do
_IDLE = 0.5  # p value from which on a further cluster carries no information


@dataclass(frozen=True)
class Cluster:
    """A window with more cases than expected.

    areas : positions, the centre first. first, last : positions of quarters, both included. expected : number of cases
    in the window at the common rate, for the same total. relative_risk : rate inside divided by rate outside, infinite
    without cases outside. statistic : log likelihood ratio.
    """

    areas: tuple[int, ...]
    first: int
    last: int
    cases: int
    expected: float
    relative_risk: float
    statistic: float
    p: float


def scan_space(
    cases: Floats,
    expected: Floats,
    centres: Floats,
    *,
    size: float | Floats = np.inf,
    between_sd: float = 0.0,
    largest: float = 0.5,
    fewest: int = 1,
    replicates: int = 9999,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Cluster, ...]:
    """Find circles of a country's areas with more cases than expected (Kulldorff 1997), docs/risk-model.md eq. (52).

    Returns the clusters by statistic, the most likely first; no two share an area. The first is always included; the
    others only while their p value is at most a half. There are none if no window has more cases than expected.

    cases : counts, (A,), NaN where unknown; an area with an unknown count or no expected case is left out.
    expected : expected cases, up to a factor, (A,).
    centres : coordinates of the areas in metres or kilometres of a projection, (A, 2).
    size : negative binomial size of a count, one for all or one for each, (A,); a smaller size means more variation, an
        infinite size Poisson counts.
    between_sd : standard deviation of log detection between areas; all counts of an area share its deviation.
    largest : largest share of the expected cases in a circle, up to a half.
    fewest : smallest number of areas in a circle.
    replicates, seed : number of worlds without a cluster to compare with, and their seed; the smallest p value is
        1 / (replicates + 1).
    progress : receives the number of replicates done.

    Raises InputError if shapes or values do not fit, or there is no case.
    """
    null = Null(np.reshape(size, (-1, 1)), between_sd, replicates, seed)
    return search_windows(cases[:, None], expected[:, None], centres, [(0, 1)], (fewest, largest), null, progress)


@dataclass(frozen=True)
class Null:
    """Random counts without a cluster, docs/risk-model.md eq. (54): sources of variation, number, and seed."""

    size: Floats
    between_sd: float
    replicates: int
    seed: int

    def draws(self, share: Floats, total: int, block: int) -> Iterator[Ints]:
        """Yield counts with the sum `total`, in proportion to `share`, (A, T), as arrays of (block or fewer, A x T)."""
        rng = stream(self.seed, "scan")
        for start in range(0, self.replicates, block):
            number = min(block, self.replicates - start)
            varied = np.broadcast_to(share, (number, *share.shape))
            if self.between_sd > 0:
                # Detection belongs to an area: its quarters rise and fall together, so that a sum averages nothing out.
                varied = varied * np.exp(self.between_sd * rng.standard_normal((number, len(share), 1)))
            if np.isfinite(self.size).any():
                size = np.broadcast_to(np.minimum(self.size, _POISSON), share.shape)
                varied = varied * rng.gamma(size, 1.0 / size, varied.shape)
            yield rng.multinomial(total, (varied / varied.sum(axis=(1, 2), keepdims=True)).reshape(number, -1))


def search_windows(
    cases: Floats,
    expected: Floats,
    centres: Floats,
    stretches: list[tuple[int, int]],
    limits: tuple[int, float],
    null: Null,
    progress: Progress | None,
) -> tuple[Cluster, ...]:
    """Find clusters; limits : fewest areas in a circle, and the largest share of the expected cases."""
    _check_options(limits[1], null)
    counts, share = _check_input(cases, expected, centres)
    windows = _Windows.build(share, centres, stretches, limits)
    most = _simulate_largest(windows, share, int(counts.sum()), null, progress)
    return tuple(_clusters(windows, counts, share, most))


def _check_options(largest: float, null: Null) -> None:
    """Check the options; raise InputError, which names the value, if one is out of range."""
    if not np.min(null.size) > 0 or null.replicates < 1:
        msg = f"A scan needs sizes above 0 and one replicate or more, not {np.min(null.size)} and {null.replicates}."
        raise InputError(msg)
    if not 0.0 <= null.between_sd < np.inf or not 0.0 < largest <= 0.5:
        msg = (
            f"A scan needs a spread from 0 and a largest window above 0, .5 at most, not {null.between_sd}, {largest}."
        )
        raise InputError(msg)


def _check_input(cases: Floats, expected: Floats, centres: Floats) -> tuple[Ints, Floats]:
    """Check the input; return whole cases and each cell's share of the expected cases, (A, T) each.

    Both are 0 for unknown cells. Raises InputError if shapes or values do not fit, or if there is no case.
    """
    fits = cases.shape == expected.shape and centres.shape == (len(cases), 2)
    if not fits or not np.isfinite(centres).all() or not (expected >= 0).all():
        raise InputError(
            f"A scan needs cases {cases.shape} and expected {expected.shape} of one shape, expected numbers "
            f"from 0, and two known coordinates an area; centres have the shape {centres.shape}."
        )
    known = np.isfinite(cases) & (expected > 0)
    counts: Ints = np.rint(np.where(known, cases, 0.0)).astype(np.int64)
    if counts.min() < 0 or counts.sum() == 0:
        raise InputError("A scan needs counts from 0, and at least one case where cases are expected.")
    share = np.where(known, expected, 0.0)
    return counts, share / share.sum()


@dataclass(frozen=True, eq=False)
class _Windows:
    """Circles around each of A areas, over S intervals of time.

    order : positions of areas by distance from each centre, (A, A). fewest : number of areas in the smallest circle.
    inside : that in the largest circle around each centre, (A,). stretches : first quarter of each interval, and the
    quarter after its last. share : share of the expected cases in each circle and interval, (A, A, S), by centre and
    number of areas in the circle minus 1.
    """

    order: Ints
    fewest: int
    inside: Ints
    stretches: list[tuple[int, int]]
    share: Floats

    @classmethod
    def build(
        cls, share: Floats, centres: Floats, stretches: list[tuple[int, int]], limits: tuple[int, float]
    ) -> _Windows:
        apart = ((centres[:, None] - centres[None]) ** 2).sum(axis=2)
        order = np.argsort(apart, axis=1, kind="stable")
        whole = np.cumsum(share.sum(axis=1)[order], axis=1)
        # A centre that has more than the largest share by itself is no circle at all.
        inside = (whole <= limits[1] + 1e-12).sum(axis=1)
        parts = np.stack([share[:, a:b].sum(axis=1) for a, b in stretches], axis=1)
        return cls(order, limits[0], inside, stretches, np.cumsum(parts[order], axis=1))

    def counted(self, counts: Counted) -> Iterator[tuple[int, int, Counted]]:
        """Yield for each circle its centre, its number of areas minus 1, and its cases in all intervals, (S, R).

        counts : cases by area and quarter in R replicates, (A, T, R). The array of cases is reused for each circle.
        """
        within = [counts[:, first:stop].sum(axis=1, dtype=np.int32) for first, stop in self.stretches]
        parts = np.stack(within, axis=1)
        running = np.empty(parts.shape[1:], np.int32)
        for centre, size in enumerate(self.inside):
            running[:] = 0
            for k, area in enumerate(self.order[centre, :size]):
                running += parts[area]
                if k >= self.fewest - 1:
                    yield centre, k, running

    def statistics(self, counts: Ints) -> Floats:
        """Return the statistic of docs/risk-model.md eq. (52) for each circle and interval, (A, A, S).

        It is 0 for circles that are too large, and where there are no more cases than expected. counts : (A, T).
        """
        within = np.stack([counts[:, first:stop].sum(axis=1) for first, stop in self.stretches], axis=1)
        cases = np.cumsum(within[self.order], axis=1)
        ratio = _Ratio.build(self.share, int(counts.sum()))
        sizes = np.arange(1, len(self.order) + 1)
        allowed = (sizes >= self.fewest) & (sizes <= self.inside[:, None])
        excess = allowed[:, :, None] & (cases > ratio.expected)
        return np.where(excess, ratio.table[cases] - cases * ratio.slope - ratio.offset, 0.0)

    def largest(self, counts: Counted) -> Floats:
        """Return the largest statistic of each replicate, (R,), from counts, (A, T, R).

        Few windows can exceed the smallest of the largest statistics so far; the ratio is computed only for them.
        """
        best = np.zeros(counts.shape[2])
        ratio = _Ratio.build(self.share, int(counts[..., 0].sum()))
        least = np.empty(0, np.int32)
        for centre, k, running in self.counted(counts):
            if k == self.fewest - 1:
                least = ratio.least(float(best.min()), centre)
            some = np.flatnonzero(running > least[k])
            if len(some):
                stretch, replicate = np.divmod(some, len(best))
                n, window = running.ravel()[some], (centre, k, stretch)
                value = ratio.table[n] - n * ratio.slope[window] - ratio.offset[window]
                np.maximum.at(best, replicate, value)
        return best


@dataclass(frozen=True, eq=False)
class _Ratio:
    """The Poisson log likelihood ratio of windows for whole counts of a fixed total N.

    n log(n/e) + (N − n) log((N − n)/(N − e)) = table[n] − n · slope − offset: only n varies over replicates,
    and all logarithms of counts come from one table.
    """

    table: Floats  # n log n + (N − n) log(N − n), (N + 1,)
    share: Floats
    expected: Floats
    slope: Floats
    offset: Floats

    @classmethod
    def build(cls, share: Floats, total: int) -> _Ratio:
        n = np.arange(total + 1, dtype=float)
        entropy = n * np.log(np.maximum(n, 1.0))
        # No window that is tested has all or none of the expected cases, except where nothing is counted.
        inside = np.clip(share, 1e-300, 1.0 - 1e-15)
        offset = total * (np.log(total) + np.log1p(-inside))
        return cls(entropy + entropy[::-1], share, share * total, np.log(inside) - np.log1p(-inside), offset)

    def least(self, value: float, centre: int) -> Counted:
        """Return the counts that circles around `centre` must exceed for a ratio larger than `value`, (A, S, 1).

        By docs/risk-model.md eq. (53) the ratio is at most (n − e)² / (e (1 − share)): the Kullback-Leibler
        divergence of two Bernoulli distributions is at most their chi-squared divergence.
        """
        expected, share = self.expected[centre], self.share[centre]
        bound = expected + np.sqrt(value * expected * np.maximum(1.0 - share, 0.0))
        # Whole numbers of one type are compared many times faster than mixed ones.
        return np.asarray(np.floor(bound - 1e-9), np.int32)[:, :, None]


def _simulate_largest(windows: _Windows, share: Floats, total: int, null: Null, progress: Progress | None) -> Floats:
    """Draw replicates of `total` cases without a cluster, and return the largest statistic of each, (R,)."""
    cells = len(share) * max(share.shape[1], len(windows.stretches))
    best = np.empty(0)
    for replicates in null.draws(share, total, max(min(null.replicates, _CELLS_HELD // cells), 1)):
        counts = np.ascontiguousarray(replicates.astype(np.int32).T).reshape(*share.shape, len(replicates))
        best = np.append(best, windows.largest(counts))
        if progress:
            progress(len(best), null.replicates, "scan")
    return best


def _clusters(windows: _Windows, counts: Ints, share: Floats, most: Floats) -> Iterator[Cluster]:
    """Yield clusters by statistic, without areas of earlier clusters; p and risk by docs/risk-model.md eq. (55).

    most : largest statistic of each replicate, (R,).
    """
    values = windows.statistics(counts)
    in_cluster = np.zeros(len(counts), bool)
    while True:
        centre, k, stretch = np.unravel_index(int(np.argmax(values)), values.shape)
        statistic = float(values[centre, k, stretch])
        if statistic <= 0.0:
            return
        areas = windows.order[centre, : k + 1]
        p = (1.0 + (most >= statistic - 1e-9).sum()) / (len(most) + 1.0)
        if in_cluster.any() and p > _IDLE:
            return
        yield _cluster(areas, windows.stretches[stretch], counts, share, statistic, float(p))
        in_cluster[areas] = True
        values[np.logical_or.accumulate(in_cluster[windows.order], axis=1)] = 0.0


def _cluster(areas: Ints, stretch: tuple[int, int], counts: Ints, share: Floats, statistic: float, p: float) -> Cluster:
    first, stop = stretch
    total = int(counts.sum())
    cases = int(counts[areas, first:stop].sum())
    expected = float(share[areas, first:stop].sum() * total)
    outside = (total - cases) / (total - expected)
    risk = cases / expected / outside if outside > 0 else float("inf")
    places = tuple(int(area) for area in areas)
    return Cluster(places, first, stop - 1, cases, expected, risk, statistic, p)
