"""Tables of the whole programme that say nothing new, because they are the sums of the published years.

Whoever has the years can compute them. An attack reads all other tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from data.tables.spec import TableSpec
from data.tables.states import ZEROS


def leave_out_sums(tables: Mapping[TableSpec, pa.Table]) -> dict[TableSpec, pa.Table]:
    """Return the tables without those of the whole programme that are the sums of the years among them."""
    return {spec: table for spec, table in tables.items() if not _is_sum(spec, table, tables)}


def _is_sum(spec: TableSpec, table: pa.Table, tables: Mapping[TableSpec, pa.Table]) -> bool:
    """Return whether each number of a table is the sum of its years, and is withheld where one of them is not shown."""
    years = tables.get(replace(spec, grain="year"))
    if spec.grain != "whole" or years is None or not len(table):
        return False
    keys = ["area", *spec.breakdown]
    whole = _read_numbers(table, keys)
    number = _read_numbers(years, keys).groupby(keys)["number"].agg(lambda values: values.sum(skipna=False))
    both = whole.set_index(keys).join(number.rename("sum"))
    unknown = both["sum"].isna()
    return bool(((both["number"] == both["sum"]) | (unknown & (both["state"] == "withheld"))).all())


def _read_numbers(table: pa.Table, keys: list[str]) -> pd.DataFrame:
    """Return the keys and states of the rows, with their numbers: 0 for a published zero, NaN where none is shown."""
    frame = pd.DataFrame(table.select([*keys, "value", "state"]).to_pandas())
    zero = frame["state"].isin([*ZEROS, "structural_zero"])
    return frame.assign(number=np.where(zero, 0.0, frame["value"].astype("float64")))
