"""An invented world: its records."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from risk.worlds.parameters import WorldParameters


@dataclass(frozen=True)
class World:
    """An invented world: its parameters, and the records that partners would have.

    records : one frame for each record kind with the columns that a partner's file has (`child_id` and
        `programme_number` in plain text, which intake replaces by hashes); text columns are categories or
        strings, a missing value is an empty text.
    """

    parameters: WorldParameters
    records: dict[str, pd.DataFrame] = field(repr=False)
    areas: pd.DataFrame = field(repr=False)
