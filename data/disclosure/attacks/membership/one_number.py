"""The membership attack on one number, in closed form (docs/disclosure.md, "Membership").

The advantage is the total variation distance between what is published with and without the child. The
other children of the cell are assumed to be Poisson distributed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.disclosure.cell_key import CellKey
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats

TAIL = 1e-9  # probability of the Poisson tail that is cut off
MOST_OTHERS = 1600.0  # expected others beyond which the advantage is no longer computed


@on_one_thread
def compute_advantage(
    rates: npt.ArrayLike, mechanism: CellKey, k: int | None, known: float = 0.0, siblings: int = 1
) -> Floats:
    """Return the advantage from one published number, for each expected number of other children.

    `rates` may have any shape; the result has the same shape, (1,) for a single number. The advantage (0 to 1)
    decreases as the rate grows: above MOST_OTHERS the value at MOST_OTHERS is returned, which is an upper bound.
    known: the share (0 to 1) of the other children whom the attacker knows. siblings: children who come together.
    """
    from scipy.stats import poisson

    capped = np.minimum(np.atleast_1d(np.asarray(rates, np.float64)), MOST_OTHERS)
    most = int(poisson.isf(TAIL, max(float(capped.max(initial=0.0)), 1.0))) + 2
    outcomes = mechanism.channel(most - 1 + siblings, 1, k).outcomes()
    change = outcomes[siblings:] - outcomes[:-siblings]  # of the distribution of what is published
    unknown = np.arange(most) - np.rint(known * capped.ravel()[:, None])
    others = poisson.pmf(unknown, (1 - known) * capped.ravel()[:, None])
    return np.asarray(np.abs(others @ change).sum(axis=1) / 2).reshape(capped.shape)


def find_largest_advantage(mechanism: CellKey, k: int | None, most: float = 60.0) -> float:
    """Return the largest advantage from one number over expected numbers of others from 0 to `most`, 0.1 apart."""
    return float(compute_advantage(np.arange(0.0, most, 0.1), mechanism, k).max())


@lru_cache(maxsize=16)
def tabulate_advantage(mechanism: CellKey, k: int | None) -> tuple[Floats, Floats]:
    """Return the square roots of a grid of rates, and the advantage from one number at each rate; both (400,)."""
    roots = np.linspace(0.0, 40.0, 400)
    return roots, compute_advantage(roots**2, mechanism, k)


@lru_cache(maxsize=64)
def tabulate_channel(mechanism: CellKey, most: int) -> Floats:
    """Return P(noisy number | count) for counts up to `most`, shape (most + 1, numbers)."""
    return mechanism.channel(most).matrix
