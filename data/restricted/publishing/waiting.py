"""Late records: encounters of a final year that were imported or changed after its numbers were drawn.

They stay in the vault and are not counted in the final numbers. The vault remembers for each final year the last import
before its numbers were drawn.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np

from data.restricted.publishing.records import Records
from data.restricted.vault.blocks import Block
from data.restricted.vault.published import name_year
from data.tables.grid import Grid
from data.tables.periods import Period

_LAST_IMPORT = "last_import"


def mark_final_years(records: Records, published: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a block for each year that is final for the first time, by name; it has the number of the last import."""
    last = int(records.encounters["batch"].max(initial=0))
    block = Block({_LAST_IMPORT: [last]}).encode()
    return {name_year(year): block for year in list_new_years(records.grid, published)}


def list_new_years(grid: Grid, published: Container[str]) -> tuple[Period, ...]:
    """List the years that are final for the first time; `published` has the names of the blocks published so far."""
    return tuple(year for year in grid.periods("year") if name_year(year) not in published)


def count_waiting(records: Records, published: Mapping[str, bytes]) -> int:
    """Count the encounters of final years that were imported or changed after the year's numbers were drawn."""
    batch = records.encounters["batch"].astype(np.int64)
    year_of = records.grid.period_of(records.encounters["day"].astype("datetime64[D]"), "year")
    waiting = 0
    for number, year in enumerate(records.grid.periods("year")):
        if (blob := published.get(name_year(year))) is not None:
            last = Block.decode(blob).values[_LAST_IMPORT][0]
            waiting += int(np.count_nonzero((year_of == number) & (batch > last)))
    return waiting
