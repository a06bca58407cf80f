"""Numbers that the whole of risk shares: streams of random numbers and national shares of children."""

from __future__ import annotations

import zlib

import numpy as np

# Share of people under 18 by country. An error in it changes only the country's intercept.
CHILD_SHARE = {"AL": 0.24, "GR": 0.17}
USUAL_SHARE = 0.2


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers of one component; a new component does not change those of the others."""
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),))
    return np.random.Generator(np.random.PCG64(key))
