"""The noise of published counts: the probability of a published number, and the true counts that it can stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from data.disclosure import channel as small_counts
from data.disclosure.cell_key import CellKey
from data.errors import InputError

_LEAST_LEVEL = 0.5
_MANY = 2.0**53  # up to which a float holds each whole number


@dataclass(frozen=True, eq=False)
class Channel:
    """P(published number | true count) of a measure of a release, docs/disclosure.md eq. (6).

    largest : the largest distance between a published number and the true count. k : the threshold below which numbers
    are hidden: on the public tier (state `few`), and for municipalities on the partner tier (`almost_none` or
    `not_searched`). None for other levels of the partner tier, where these states are a published zero. table :
    P(noise | true count), shape (rows, 2 * largest + 1). Row n is for the true count n, and the last row also for all
    larger counts. Column d + largest is for the noise d.

    Published numbers are the column `noisy` of layers and `value` of tables. Neither the adjusted numbers, which add
    up, nor sums of published numbers have this noise.
    """

    largest: int
    k: int | None
    table: npt.NDArray[np.float64] = field(repr=False)

    @classmethod
    def _read(cls, about: dict[str, Any], measure: str, threshold: int) -> Channel:
        """Read the channel of a measure from the part "tact" of a manifest.

        Raises InputError for a measure without noise, and for a release that was protected in another way.
        """
        knowledge = about.get("knowledge") or {}
        if measure not in knowledge:
            raise InputError(f"No noise on {measure!r}. There is noise on: {', '.join(knowledge) or 'nothing'}.")
        noise, scale = CellKey.from_manifest(about), int(knowledge[measure]["step"])
        return cls(noise.largest * scale, threshold if threshold > 1 else None, noise.table(scale))

    def likelihood(self, published: npt.ArrayLike | None, true: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return P(published | true).

        published : published numbers, whole and from 0; 0 for a published zero; None for a number that is hidden
        because it is below k. true : true counts, whole and from 0. Both are numbers or arrays, and are broadcast
        together; the result has their common shape. Raises InputError for other numbers.
        """
        small, counts = self._small, _read_counts(true, "A true count")
        rows = np.minimum(counts, small.n_max)
        if published is None:
            return small.hidden()[rows]
        numbers, counts, rows = np.broadcast_arrays(_read_counts(published, "A published number"), counts, rows)
        columns = numbers - (counts - rows)
        inside = (columns >= (self.k or 0)) & (columns < small.matrix.shape[1])
        return np.asarray(np.where(inside, small.matrix[rows, np.where(inside, columns, 0)], 0.0))

    def interval(self, published: int | None, level: float = 0.95) -> tuple[int, int]:
        """Return the smallest and the largest true count that fit a published number.

        It is a confidence interval (Clopper and Pearson 1934): whatever the true count is, the interval contains it
        with at least the probability `level`. Level 1 gives every count that is possible at all. published : as for
        `likelihood`. Raises InputError for a level below 0.5 or above 1, and for a number that is not whole or is never
        published.
        """
        if not _LEAST_LEVEL <= level <= 1.0:
            raise InputError(f"{level!r} is no level. Give one from {_LEAST_LEVEL} to 1, such as 0.95.")
        number = (self.k or 0) - 1 if published is None else int(_read_counts(published, "A published number"))
        if number < 0 or (published is not None and number < (self.k or 0)):
            hint = "Numbers below k are hidden: give None." if self.k else "Nothing is hidden at this level: give 0."
            raise InputError(f"{published!r} is never published. {hint}")
        return self._small.confidence_interval(None if published is None else number, level)

    @cached_property
    def _small(self) -> small_counts.Channel:
        return small_counts.make_short_channel(self.table, self.k)


def _read_counts(values: npt.ArrayLike, what: str) -> npt.NDArray[np.int64]:
    """Return values as whole numbers from 0.

    Raises InputError for a text that is no number, and for a negative, fractional, missing or infinite number, or one
    from 2^53 on.
    """
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if not ((numbers >= 0) & (numbers < _MANY) & (numbers == np.floor(numbers))).all():
        raise InputError(f"{what} is a whole number from 0. A cell without a number is hidden (None) or is left out.")
    return numbers.astype(np.int64)
