"""Tables of the whole programme that say nothing new, because they are the sums of the published years.

Whoever has the years can compute them. An attack reads all other tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.tables.spec import TableSpec
from data.tables.states import ZEROS
from data.workspace.types import Floats


def leave_out_sums(tables: Mapping[TableSpec, pa.Table]) -> dict[TableSpec, pa.Table]:
    """Return the tables without those of the whole programme that are the sums of the years among them."""
    return {spec: table for spec, table in tables.items() if not _is_sum(spec, table, tables)}


def _is_sum(spec: TableSpec, table: pa.Table, tables: Mapping[TableSpec, pa.Table]) -> bool:
    """Return whether each number of a table is the sum of its years, and is withheld where one of them is not shown."""
    years = tables.get(replace(spec, grain="year"))
    if spec.grain != "whole" or years is None or not len(table):
        return False
    cells = _name_cells(years, spec).dictionary_encode()
    sums = np.bincount(cells.indices.to_numpy(), _read_numbers(years), len(cells.dictionary))
    place = pc.fill_null(pc.index_in(_name_cells(table, spec), cells.dictionary), len(sums)).to_numpy()
    total = np.append(sums, np.nan)[place]
    withheld = pc.equal(table["state"], "withheld").to_numpy()
    return bool(((_read_numbers(table) == total) | (np.isnan(total) & withheld)).all())


def _name_cells(table: pa.Table, spec: TableSpec) -> pa.Array:
    """Return for each row the area and the categories of its cell as one text."""
    columns = (table[name].cast(pa.string()) for name in ("area", *spec.breakdown))
    return pc.binary_join_element_wise(*columns, "|").combine_chunks()


def _read_numbers(table: pa.Table) -> Floats:
    """Return the number of each row: 0 for a published zero, NaN where none is shown."""
    zero = pc.is_in(table["state"].cast(pa.string()), pa.array(ZEROS)).to_numpy()
    return np.where(zero, 0.0, table["value"].to_numpy().astype(np.float64))
