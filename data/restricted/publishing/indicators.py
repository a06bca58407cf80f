"""Indicators of the programme as a table of the partner tier. Behind the wall.

What an indicator counts follows from its unit (docs/disclosure.md, Indicators): people are protected as counts of
children are, services of restricted axes are withheld where the tables of services withhold theirs, other things are
shown as they are.
The code of an indicator says which axis and which duty bearer it belongs to: it begins with the axis and ends with the
duty bearer, as prevention_services_school.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.restricted.counting.encounters import RecordKeys
from data.restricted.counting.other_records import Services
from data.restricted.publishing.records import Vault
from data.restricted.vault.blocks import Block
from data.schema.vocabulary import SERVICE_UNITS, THINGS
from data.tables.grid import Grid
from data.tables.periods import Period
from data.tables.spec import CATEGORIES, RESTRICTED_AXES

NAME = "indicators"
PEOPLE, SERVICES, OTHER = "people", "services", "things"
_READ = ("area", "period", "indicator", "value", "target", "unit", "source", "partner")
_COLUMNS = (
    "area", "period", "indicator", "axis", "duty_bearer", "unit", "counts", "value", "state", "margin", "target",
    "source", "partner",
)  # fmt: skip
_RETURN = "assisted_voluntary_return"


@dataclass(frozen=True, eq=False)
class Indicators:
    """The table of indicators, and the blocks of the vault that keep the numbers of people that were drawn now."""

    table: pa.Table
    blocks: Mapping[str, bytes]


def find_axis(code: str) -> str:
    """Return the axis that the code of an indicator begins with; empty if it names none."""
    named = {**{axis: axis for axis in CATEGORIES["axis"]}, "return": _RETURN}
    return next((axis for start, axis in named.items() if f"{code}_".startswith(f"{start}_")), "")


def find_bearer(code: str) -> str:
    """Return the duty bearer that the code of an indicator ends with; empty if it names none."""
    return next((bearer for bearer in CATEGORIES["duty_bearer"] if code.endswith(f"_{bearer}")), "")


def find_counted(unit: str) -> str:
    """Return what a unit counts: people, unless it begins with a word for services or for other things."""
    words = f"{unit.strip().casefold()} "
    for counted, starts in ((SERVICES, SERVICE_UNITS), (OTHER, THINGS)):
        if any(words.startswith(f"{start} ") for start in starts):
            return counted
    return PEOPLE


def tabulate_indicators(
    vault: Vault,
    grid: Grid,
    services: Services,
    policy: Policy,
    mechanism: CellKey,
    record_keys: RecordKeys,
    published: Mapping[str, bytes],
) -> Indicators:
    """Read the indicators of the vault and protect them; `published`: the blocks of the vault, by name.

    Counties and regions have those of prevention and coordination alone, municipalities none. A number of people is
    drawn once, when its period is final, and repeated for ever.
    """
    rows = _read_rows(vault, grid)
    rows["value"], rows["target"] = rows["value"].astype(float), rows["target"].astype(float)
    people = rows["counts"] == PEOPLE
    noisy, blocks = _draw_people(rows[people], mechanism, record_keys, published)
    rows["value"] = rows["value"].mask(people, noisy)
    hidden = pd.Series([_is_withheld(row, services, policy.operators) for row in rows.to_dict("records")], dtype=bool)
    zero = people & (rows["value"] == 0)
    rows["state"] = np.select([hidden | rows["value"].isna(), zero], ["withheld", "almost_none"], "number")
    rows["value"] = rows["value"].where(rows["state"] == "number")
    rows["margin"] = pd.Series(float(mechanism.largest), rows.index).where(people & rows["value"].notna())
    numbers = dict.fromkeys(("value", "margin", "target"), "float64")
    table = rows[list(_COLUMNS)].astype({**dict.fromkeys(_COLUMNS, "str"), **numbers})
    return Indicators(pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None), blocks)


def _is_withheld(row: Mapping[Hashable, Any], services: Services, operators: int) -> bool:
    """Return whether a number of services of a country is withheld, because few operators may stand behind it."""
    if row["counts"] != SERVICES or row["axis"] in _list_open():
        return False
    if not row["axis"] or row["value"] < operators:
        return True
    end = np.datetime64(Period.parse(row["period"]).end)
    axes, cells = services.mark_withheld(end, operators)
    place = services.grid.codes["country"].index(row["area"]), CATEGORIES["axis"].index(row["axis"])
    if not row["duty_bearer"]:
        return bool(axes[place])
    return bool(cells[(*place, CATEGORIES["duty_bearer"].index(row["duty_bearer"]))])


def _list_open() -> list[str]:
    return [axis for axis in CATEGORIES["axis"] if axis not in RESTRICTED_AXES]


def _read_rows(vault: Vault, grid: Grid) -> pd.DataFrame:
    """Read the indicators that may be in a release: of ended periods, and of large enough areas."""
    read = [batch.to_pandas() for batch in vault.read("indicator", _READ)]
    rows = pd.concat(read, ignore_index=True) if read else pd.DataFrame(columns=list(_READ))
    texts = [name for name in _READ if name not in ("value", "target")]
    rows = rows.astype(dict.fromkeys(texts, "str"))
    ends = pd.Series([Period.parse(period).end for period in rows["period"]], rows.index, dtype=object)
    rows["axis"], rows["duty_bearer"] = rows["indicator"].map(find_axis), rows["indicator"].map(find_bearer)
    rows["counts"] = rows["unit"].map(find_counted)
    level = rows["area"].map(grid.areas["level"])
    placed = (level == "country") | ((level == "region") & rows["axis"].isin(_list_open()))
    final = grid.final or grid.last
    ready = np.where(rows["counts"] == PEOPLE, [end <= final for end in ends], [end <= grid.last for end in ends])
    chosen = rows[placed & ready.astype(bool)]
    chosen = chosen.sort_values([*texts, "value", "target"], kind="stable")
    return chosen.drop_duplicates(["area", "period", "indicator", "partner"], keep="last", ignore_index=True)


def _draw_people(
    rows: pd.DataFrame, mechanism: CellKey, record_keys: RecordKeys, published: Mapping[str, bytes]
) -> tuple[pd.Series, dict[str, bytes]]:
    """Return numbers of people with noise, NaN for what is no whole number, and the blocks of those drawn now.

    The cell key is made of the name of the number and of the number, so that nobody without the identifier key can
    compute it, two partners who report the same number give one draw of it, and a partner who knows its own number
    learns nothing of the noise on another. Blocks name no partner.
    """
    numbers: dict[Hashable, float] = {}
    blocks: dict[str, Block] = {}
    for place, row in rows.iterrows():
        name = f"{NAME}|{row['area']}|{row['period']}"
        if name not in blocks:
            blocks[name] = Block.decode(published[name]) if name in published else Block({})
        entry = _hash_name(f"{name}|{row['indicator']}|{row['partner']}")
        drawn = dict(blocks[name].values)
        if entry not in drawn and float(row["value"]).is_integer() and row["value"] >= 0:
            number = int(row["value"])
            keys = record_keys([_hash_name(f"{name}|{row['indicator']}|{number}")])
            key = keys.astype(np.int64) & (mechanism.key_range - 1)
            drawn[entry] = mechanism.publish(np.array([number], np.int64), key).tolist()
            blocks[name] = replace(blocks[name], values=drawn)
        numbers[place] = drawn.get(entry, [np.nan])[0]
    encoded = {name: block.encode() for name, block in blocks.items()}
    shown = pd.Series(list(numbers.values()), list(numbers), dtype=float)
    return shown, {name: blob for name, blob in encoded.items() if published.get(name) != blob}


def _hash_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
