"""Helpers for all packages of `risk`: random number generators, national shares of children, and rounding."""

from __future__ import annotations

import zlib

import numpy as np

from data.workspace.types import Floats, Ints

# Share of people under 18 by country. An error in it changes only the country's intercept.
CHILD_SHARE = {"AL": 0.24, "GR": 0.17}
USUAL_SHARE = 0.2


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random number generator of the component `name`.

    A new component does not change the numbers of the others.
    """
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),))
    return np.random.Generator(np.random.PCG64(key))


def apportion(share: Floats, total: int) -> Ints:
    """Divide `total` units in proportion to `share`, (n,), by largest remainders; docs/planner.md eq. (58).

    Return whole numbers, (n,), that add up to `total`. `share` is not negative, and its sum is above 0.
    """
    exact = share * total / share.sum()
    whole: Ints = np.floor(exact).astype(np.int64)
    rest = np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]
    whole[rest] += 1
    return whole


def round_to_two_digits(values: Floats) -> Floats:
    """Return values rounded to two significant digits and at most six decimals; any shape, each value 0 or more.

    More digits would contradict the intervals.
    """
    size = np.floor(np.log10(np.where(values > 0, values, 1.0)))
    step = 10.0 ** (size - 1.0)
    return np.asarray(np.round(np.round(values / step) * step, 6))
