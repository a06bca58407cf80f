"""Numbers that the whole of risk shares: array types, streams of random numbers, national shares of
children."""

from __future__ import annotations

import zlib

import numpy as np

# Of people under 18. Another country's cancels like these, in its intercept.
CHILD_SHARE = {"AL": 0.24, "GR": 0.17}
USUAL_SHARE = 0.2


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers of one component: adding a component moves no other."""
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),))
    return np.random.Generator(np.random.PCG64(key))
