"""The cell key method: noise depends on the children in a cell, so that the same cell always shows the same number.

Each child has a secret record key, uniform on 0 .. key_range - 1. The sum of the keys of a cell's children modulo
key_range is the cell key, which is uniform too. A table (`compute_perturbation_table`) gives the perturbation for a
count and a cell key. The equations are docs/disclosure.md eq. (1) to (6). The method is by Fraser and Wooton (2005).
The table has maximum entropy, as in Giessing (2016), "Computational issues in the design of transition probabilities
and disclosure risk estimation for additive noise".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from data.disclosure.channel import Channel, Counts, Keys, Knowledge, make_channel
from data.disclosure.policy import LOWEST_K, Policy
from data.errors import InputError, ReleaseError
from data.message import Message
from data.tables.spec import FAMILIES, TableSpec
from data.workspace.types import Floats

NAME = "cell_key"
# Rounded so that the last digits of an optimiser or of a platform's exp never reach a published number.
_DECIMALS = 9
_TOLERANCE = 1e-7
# Counts whose noise may be wider: 7 to 15, so that k can be raised to 15 without drawing numbers anew.
_NEAR, _WIDE = LOWEST_K, 4


@lru_cache(maxsize=32)
def compute_perturbation_table(variance: float, largest: int, scale: int = 1, variance_near_k: float = 0.0) -> Floats:
    """Compute P(perturbation | count), docs/disclosure.md eq. (4); shape (rows, 2 * largest * scale + 1).

    Row n is for count n, the last row for all larger counts; column d + largest * scale is perturbation d. Each row
    sums to 1 and has the largest entropy of all distributions with mean zero and the given variance, with no
    perturbation beyond the largest and no result below zero. Row 0 has no noise: a true zero stays zero. Raises
    ReleaseError if no such distribution exists.

    Counts near the threshold may have a larger variance, docs/disclosure.md eq. (5). This softens the step from hidden
    to shown, which reveals more about one child than any other step. Large numbers keep their accuracy. Tables in
    which one child can add more than one have no threshold, and so no larger variance.

    If one child can add up to `scale`, perturbations reach largest * scale with variance * scale ** 2. A cell with a
    count up to `scale` may contain only one child: its variance is chosen so that the child is hidden as often as in
    a table of children. (Noise in multiples of `scale` would show a count's remainder.)
    """
    reach = largest * scale
    wider = scale == 1 and variance_near_k > variance
    near = variance_near_k if wider else variance
    rows = max(reach, _NEAR + _WIDE + math.ceil(near - variance)) if wider else reach
    table = np.zeros((rows + 1, 2 * reach + 1))
    table[0, reach] = 1.0
    for count in range(1, rows + 1):
        below = min(count, reach)
        values = np.arange(-below, reach + 1)
        # Eq. (5) of docs/disclosure.md: `near` for counts of 7 to 15, 1 less for each step away, at least `variance`.
        spread = max(variance, near - max(0, abs(count - _NEAR) - _WIDE)) * scale**2
        if count <= scale > 1:
            spread = _find_hiding_variance(values, compute_perturbation_table(variance, largest)[1, largest - 1])
        table[count, reach - below :] = _maximum_entropy(values, spread)
    table = np.round(table, _DECIMALS)
    table[np.arange(rows + 1), reach] += 1.0 - table.sum(axis=1)
    table = np.round(table, _DECIMALS)  # the digits that a manifest holds: a table that was read equals a computed one
    table.setflags(write=False)
    return table


def _maximum_entropy(values: npt.NDArray[np.int64], variance: float) -> Floats:
    """Compute the distribution on `values` with mean 0, a given variance and the largest entropy; shape (values,).

    It has the form exp(a v + b v^2), up to a factor; a and b minimise the convex dual, the logarithm of the
    sum of exp(a v + b v^2) minus b * variance. Raises ReleaseError if there is no such distribution.
    """
    from scipy.optimize import minimize

    reach = float(values.max())
    moments = np.stack([values / reach, (values / reach) ** 2])
    target = np.array([0.0, variance / reach**2])

    def solve(weights: Floats) -> tuple[float, Floats, Floats]:
        exponent = weights @ moments
        top = exponent.max()
        likely = np.exp(exponent - top)
        total = likely.sum()
        likely /= total
        mean = moments @ likely
        curvature = (moments * likely) @ moments.T - np.outer(mean, mean)
        return float(top + np.log(total) - weights @ target), mean - target, curvature

    # Newton from scipy, then a few steps of our own: the last digits lie below what a line search can see.
    weights = minimize(
        lambda w: solve(w)[0], np.zeros(2), jac=lambda w: solve(w)[1], hess=lambda w: solve(w)[2], method="trust-exact"
    ).x
    for _ in range(20):
        _, gradient, curvature = solve(weights)
        weights = weights - np.linalg.solve(curvature, gradient)
    exponent = weights @ moments
    chance = np.exp(exponent - exponent.max())
    chance /= chance.sum()
    if abs(chance @ values) > _TOLERANCE or abs(chance @ values**2 - variance) > _TOLERANCE * variance:
        msg = Message(
            "No perturbation of variance {variance} on {first} to {last}. Choose a smaller one.",
            variance=variance,
            first=values[0],
            last=values[-1],
        )
        raise ReleaseError(msg)
    return np.asarray(chance)


def _find_hiding_variance(values: npt.NDArray[np.int64], chance: float) -> float:
    """Find the smallest variance at which the lowest of `values` has at least the probability `chance`."""
    low, high = 0.05, 0.97  # of the largest variance that a mean of zero allows
    most = -float(values[0]) * float(values[-1])
    for _ in range(40):
        middle = (low + high) / 2
        if _maximum_entropy(values, middle * most)[0] < chance:
            low = middle
        else:
            high = middle
    return high * most


def salt_of(spec: TableSpec) -> str:
    """Return the salt of a table: tables with the same salt give the same children the same noise.

    Detailed tables of children share one salt, and those of encounters another one; otherwise one could average the
    noise of the same children over tables. Families, and children with a household, have salts of their own. The
    public tier has breakdowns of countries, and of regions over the whole programme. Such tables have a separate salt
    for each breakdown, for countries and regions, and for the whole programme and shorter periods: otherwise a total
    equal to one of its parts would reveal that all other parts are empty.
    """
    unit = spec.measure if spec.measure in ("encounters", *FAMILIES) else "children"
    separate = spec.level == "country" or (spec.level == "region" and spec.grain == "whole")
    return (
        "|".join((unit, *spec.breakdown, *(n for n in ("country", "whole") if n in (spec.level, spec.grain))))
        if separate
        else unit
    )


def compute_cell_keys(cells: npt.NDArray[np.integer], record_keys: Keys, size: int, key_range: int) -> Keys:
    """Sum the record keys of each cell's members modulo key_range, docs/disclosure.md eq. (2); shape (size,).

    `cells` and `record_keys` have one entry per member: the index of its cell, and its key. `size` is the number of
    cells.
    """
    # Sums of doubles are exact below 2**53: members in one cell times the key range must stay under it.
    if len(cells) * key_range < 2**53:
        sums = np.bincount(cells, weights=record_keys, minlength=size).astype(np.int64)
    else:
        sums = np.zeros(size, np.int64)
        np.add.at(sums, cells, record_keys)
    return sums % key_range


@dataclass(frozen=True)
class CellKey:
    """The noise of a release, for counts of children.

    variance: that of the noise. largest: the largest noise, in children. key_range: keys are 0 to key_range - 1.
    variance_near_k: the variance for counts of 7 to 15; it has an effect only if it is larger than variance.
    """

    variance: float = 2.0
    largest: int = 5
    key_range: int = 2**24
    variance_near_k: float = 0.0

    @classmethod
    def from_policy(cls, policy: Policy) -> CellKey:
        """Return the noise that a policy requires."""
        return cls(**{parameter.name: getattr(policy, parameter.name) for parameter in fields(cls)})

    @classmethod
    def from_manifest(cls, about: Mapping[str, Any]) -> CellKey:
        """Return the noise of a release; `about` is the part "tact" of its manifest.

        Raises InputError for a release of an earlier version that was protected in another way.
        """
        name, values = about.get("mechanism") or NAME, about.get("parameters") or {}
        if name != NAME:
            msg = Message(
                "Release {release} was protected by {name!r}, which this version no longer has: it knows "
                "{known!r} alone. Make a new release of the records in a new workspace.",
                release=about.get("release", ""),
                name=name,
                known=NAME,
            )
            raise InputError(msg)
        chosen = {parameter.name: values[parameter.name] for parameter in fields(cls) if parameter.name in values}
        return _PublishedNoise(**chosen, tables=values.get("tables") or {})

    def table(self, scale: int = 1) -> Floats:
        """Return P(perturbation | count), see `compute_perturbation_table`; one child adds up to `scale` to a cell."""
        return compute_perturbation_table(self.variance, self.largest, scale, self.variance_near_k)

    def thresholds(self, scale: int = 1) -> Keys:
        """Return, for each row of `table`, the cell keys where the next perturbation begins; (rows, columns - 1)."""
        edges = np.cumsum(self.table(scale), axis=1)[:, :-1]
        return np.rint(edges * self.key_range).astype(np.int64)

    def publish(self, counts: Counts, keys: Keys, scale: int = 1) -> Counts:
        """Return counts plus the perturbations of their cell keys, docs/disclosure.md eq. (3).

        `counts`, `keys` and the result have the same shape.
        """
        edges, last, width = _join_thresholds(self, scale)
        rows = np.minimum(counts, last)
        moves = np.searchsorted(edges, keys + rows * (self.key_range + 1), side="right") - rows * width
        return np.asarray(counts + moves - self.largest * scale)

    def channel(self, n_max: int, scale: int = 1, k: int | None = None) -> Channel:
        """Return P(published | true), docs/disclosure.md eq. (6), for counts up to n_max.

        Values below k are hidden; if k is None, none is.
        """
        return make_channel(self.table(scale), n_max, k)

    def knowledge(self, scale: int = 1, k: int | None = None, years: int = 1, below: int = 0) -> Knowledge:
        """Return an attacker's knowledge of a cell that is a sum of draws, one for each of `years`.

        The truth of a hidden one is at most k - 1 + largest * scale * years. If the sum has only the draws that are
        shown, `below` is the largest number that a hidden draw may have: then each may be as far away as a hidden one.
        """
        reach, least = self.largest * scale, k or 1
        margin = (reach + below) * years
        return Knowledge(margin, 0, max(least - 1 + reach * years, margin), 0, least - 1, reach + 1, scale)

    def parameters(self, scales: Sequence[int] = (1,)) -> dict[str, Any]:
        """Return the parameters of the noise for a manifest, with the table of scale 1 and of each of `scales`.

        Record keys are not among them.
        """
        wanted = sorted({1, *scales})
        tables = {s: [[round(float(p), _DECIMALS) for p in row] for row in self.table(s)] for s in wanted}
        return {
            "mechanism": NAME,
            "variance": self.variance,
            "variance_near_k": self.variance_near_k,
            "largest": self.largest,
            "key_range": self.key_range,
            "true_zero_stays_zero": True,
            "adds_up": False,
            "perturbations": list(range(-self.largest, self.largest + 1)),
            "table": tables[1],
            "tables": {str(scale): table for scale, table in tables.items()},
        }


@dataclass(frozen=True, eq=False)
class _PublishedNoise(CellKey):
    """The noise of a release, with the tables that its manifest has by scale.

    It equals no other noise, so that no cache mixes a table that was read with a computed one: records get noise only
    from computed ones.
    """

    tables: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict, repr=False)

    def table(self, scale: int = 1) -> Floats:
        """Return the table of the manifest, or compute it for a release of a version that had no tables in it."""
        return np.array(self.tables[str(scale)]) if str(scale) in self.tables else super().table(scale)


@lru_cache(maxsize=32)
def _join_thresholds(mechanism: CellKey, scale: int) -> tuple[Keys, int, int]:
    """Return the thresholds of all rows as one sorted array, (rows * width,), the last row, and the width.

    Each row is shifted by key_range + 1 from the row before. The width is the number of thresholds of a row.
    """
    thresholds = mechanism.thresholds(scale)
    last, width = len(thresholds) - 1, thresholds.shape[1]
    return (thresholds + np.arange(last + 1)[:, None] * (mechanism.key_range + 1)).ravel(), last, width
