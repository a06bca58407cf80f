"""Count an invented world in memory, as a release counts records.

Nothing is stored and no vault is opened: identifiers are hashed with the world's key as at intake, so that a world
gives the same numbers here as when it is imported and released.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from data.disclosure.policy import Policy
from data.restricted.counting import encounters as counting
from data.restricted.intake.identity import child_names
from data.restricted.keys import IdentifierHasher
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import OF_COUNTRIES, Plan


def count_world(
    encounters: pd.DataFrame,
    hasher: IdentifierHasher,
    areas: pd.DataFrame,
    plan: Plan,
    policy: Policy,
    first_month: int = 6,
) -> counting.CountedTables:
    """Count every table of children and encounters of a plan.

    `encounters` has a partner file's columns with unhashed identifiers (risk.worlds.World.records),
    `areas` comes from data.reference.area_table. `first_month`, from 1 to 12, begins the programme's years. Only cap,
    key range and days of the policy are used.
    """
    calendar = Calendar(first_month)
    grid = Grid(areas, calendar, policy.first, policy.last)
    records = counting.load_encounters([hash_encounters(encounters, hasher)], grid.names)
    return counting.count_tables(counting.read_encounters(records, grid, hasher.record_keys), plan, policy)


def hash_encounters(encounters: pd.DataFrame, hasher: IdentifierHasher) -> pa.RecordBatch:
    """Return the columns that are counted, with identifiers replaced by hashes.

    A column that a world does not invent, such as the means of control, has the value "not known".
    """
    text = {str(name): column.astype("str").to_numpy() for name, column in encounters.items()}
    parts = zip(text["partner"], text["child_id"], text["programme_number"], strict=True)
    child = np.array(hasher.hash(child_names(*names)[-1] for names in parts), dtype=object)
    text["child"] = child
    text["programme_child"] = np.where(text["programme_number"] != "", child, "")
    numbers = zip(text["partner"], text["household_number"], strict=True)
    codes = [f"household:{partner}/{number}" if number else "" for partner, number in numbers]
    text["household"] = np.array(hasher.hash(codes), dtype=object)
    unknown = np.full(len(child), "unknown", dtype=object)
    columns = {
        **{name: text[name] for name in (*counting.COLUMNS, "household")},
        **{name: text.get(name, unknown) for name in OF_COUNTRIES},
    }
    return pa.RecordBatch.from_pydict({name: pa.array(cells.tolist(), pa.string()) for name, cells in columns.items()})
