"""An invented world: its records and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from risk.worlds.parameters import WorldParameters
from risk.worlds.truth import Truth


@dataclass(frozen=True)
class World:
    """An invented world: its parameters, its truth, and the records that partners would have.

    records : one frame for each record kind with the columns that a partner's file has (`child_id` and
        `programme_number` in plain text, which intake replaces by hashes); text columns are categories or
        strings, a missing value is an empty text.
    """

    parameters: WorldParameters
    truth: Truth
    records: dict[str, pd.DataFrame] = field(repr=False)
    areas: pd.DataFrame = field(repr=False)
