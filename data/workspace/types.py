"""Types that the whole product shares: arrays by their content, and functions that report progress."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Words = NDArray[np.uint64]

# Called with the steps done, all steps (None where unknown) and, in Progress, what is being done.
Progress = Callable[[int, int | None, str], None]
ProgressCount = Callable[[int, int | None], None]
