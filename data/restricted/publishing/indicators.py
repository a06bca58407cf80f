"""Indicators of the programme as a table of the partner tier. Behind the wall.

The unit of an indicator shows what it counts (docs/disclosure.md, Indicators): people are protected like counts of
children, services of restricted axes are always withheld, and other things are shown unchanged. The code of an
indicator begins with its axis and ends with its duty bearer, for example prevention_services_school.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import UNKNOWN
from data.restricted.counting.encounters import RecordKeys
from data.restricted.publishing.book import Book
from data.restricted.vault import Vault
from data.schema import vocabulary
from data.tables.grid import Grid
from data.tables.periods import GRAINS, Period
from data.tables.spec import CATEGORIES, OPEN_AXES

NAME = "indicators"
PEOPLE, SERVICES, OTHER = "people", "services", "things"
_KEY = ("area", "period", "indicator", "partner")
_READ = (*_KEY, "value", "target", "unit", "source", "batch")
_COLUMNS = (
    "area", "period", "indicator", "axis", "duty_bearer", "unit", "counts", "value", "state", "margin", "target",
    "source", "partner",
)  # fmt: skip


def find_axis(code: str) -> str:
    """Return the axis with which the code of an indicator begins; empty if it names none."""
    named = {**{axis: axis for axis in CATEGORIES["axis"]}, "return": "assisted_voluntary_return"}
    return next((axis for start, axis in named.items() if f"{code}_".startswith(f"{start}_")), "")


def find_bearer(code: str) -> str:
    """Return the duty bearer with which the code of an indicator ends; empty if it names none."""
    return next((bearer for bearer in CATEGORIES["duty_bearer"] if code.endswith(f"_{bearer}")), "")


def classify_unit(unit: str) -> str:
    """Return what a unit counts: people, services, or other things. A unit without a known word counts as people."""
    words = _read_words(unit)
    if any(f" {stem}" in words for stem in vocabulary.PEOPLE):
        return PEOPLE
    if names_shelter(unit) or _begins_with(words, vocabulary.SERVICES):
        return SERVICES
    return OTHER if _begins_with(words, vocabulary.THINGS) else PEOPLE


def names_shelter(unit: str) -> bool:
    """Return whether a unit names shelters or other protected places, whatever else it names."""
    words = _read_words(unit)
    return any(f" {stem}" in words for stem in vocabulary.SHELTERS)


def names_share(unit: str) -> bool:
    """Return whether a unit names a share, which is never drawn as if it were a number of people."""
    words = _read_words(unit)
    has_sign = any(sign in unit for sign in vocabulary.SHARE_SIGNS)
    return has_sign or any(f" {stem}" in words for stem in vocabulary.SHARES)


def _read_words(unit: str) -> str:
    """Return the words of a unit in small letters and without accents, with a space before and after each."""
    letters = unicodedata.normalize("NFD", unit.casefold())
    words = re.findall(r"\w+", "".join(letter for letter in letters if not unicodedata.combining(letter)))
    return f" {' '.join(words)} "


def _begins_with(words: str, starts: tuple[str, ...]) -> bool:
    return any(words.startswith(f" {start} ") for start in starts)


def tabulate_indicators(vault: Vault, grid: Grid, mechanism: CellKey, record_keys: RecordKeys, book: Book) -> pa.Table:
    """Return the protected indicators of the vault; numbers of the book are repeated, and it gets the new ones.

    Counties and regions have only indicators of prevention and coordination, municipalities have none. A number of
    people is drawn once, when its period is final, and repeated for ever. Only periods of the release have numbers of
    people, because the difference of two overlapping periods would be the number of a few weeks.
    """
    rows = _read_rows(vault, grid)
    rows["value"], rows["target"] = rows["value"].astype(float), rows["target"].astype(float)
    people = rows["counts"] == PEOPLE
    periods = {period.id for grain in GRAINS for period in grid.periods(grain)}
    noisy = _draw_people(rows[people & rows["period"].isin(periods)], mechanism, record_keys, book)
    rows["value"] = rows["value"].mask(people, noisy)
    hidden = (rows["counts"] == SERVICES) & ~rows["open"]
    rows["target"] = rows["target"].mask(hidden)
    zero = people & (rows["value"] == 0)
    rows["state"] = np.select([hidden | rows["value"].isna(), zero], ["withheld", "almost_none"], "number")
    rows["value"] = rows["value"].where(rows["state"] == "number")
    rows["margin"] = pd.Series(float(mechanism.largest), rows.index).where(people & rows["value"].notna())
    numbers = dict.fromkeys(("value", "margin", "target"), "float64")
    table = rows[list(_COLUMNS)].astype({**dict.fromkeys(_COLUMNS, "str"), **numbers})
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)


def _read_rows(vault: Vault, grid: Grid) -> pd.DataFrame:
    """Read the indicators that may be in a release: of ended periods, and of large enough areas.

    open: whether the axis is open and the unit names no shelter. Of rows with the same key only the newest is kept.
    """
    read = [batch.to_pandas() for batch in vault.read("indicator", _READ)]
    rows = pd.concat(read, ignore_index=True) if read else pd.DataFrame(columns=list(_READ))
    rows = rows.astype(dict.fromkeys((*_KEY, "unit", "source"), "str"))
    rows = rows.sort_values([*_KEY, "batch", "unit", "source", "value", "target"], kind="stable")
    rows = rows.drop_duplicates(list(_KEY), keep="last", ignore_index=True)
    ends = pd.Series([Period.parse(period).end for period in rows["period"]], rows.index, dtype=object)
    rows["axis"], rows["duty_bearer"] = rows["indicator"].map(find_axis), rows["indicator"].map(find_bearer)
    rows["counts"] = rows["unit"].map(classify_unit)
    rows["open"] = rows["axis"].isin(OPEN_AXES) & ~rows["unit"].map(names_shelter).astype(bool)
    level = rows["area"].map(grid.areas["level"])
    placed = (level == "country") | ((level == "region") & rows["open"])
    final = grid.final or grid.last
    ready = np.where(rows["counts"] == PEOPLE, [end <= final for end in ends], [end <= grid.last for end in ends])
    return rows[placed & ready.astype(bool)].reset_index(drop=True)


def _draw_people(rows: pd.DataFrame, mechanism: CellKey, record_keys: RecordKeys, book: Book) -> pd.Series:
    """Return a noisy number of people for each row.

    It is NaN if no number was published, and the true number is missing, negative, not whole, a share, or larger than
    any count.

    The cell key is derived from the name of the number and the number itself. So nobody without the identifier key can
    compute it, two partners who report the same number get the same noise, and a partner who knows its own number
    learns nothing about the noise of another number. Blocks name no partner.
    """
    numbers = []
    for _, row in rows.iterrows():
        name = f"{NAME}|{row['area']}|{row['period']}"
        entry, drawn = _hash_name(f"{name}|{row['indicator']}|{row['partner']}"), [0]
        if float(row["value"]).is_integer() and 0 <= row["value"] < UNKNOWN and not names_share(row["unit"]):
            number = int(row["value"])
            keys = record_keys([_hash_name(f"{name}|{row['indicator']}|{number}")])
            key = keys.astype(np.int64) & (mechanism.key_range - 1)
            drawn = mechanism.publish(np.array([number], np.int64), key).tolist()
        elif not book.has(name, entry):
            numbers.append(np.nan)
            continue
        numbers.append(book.repeat(name, entry, drawn)[0])
    return pd.Series(numbers, rows.index, dtype=float)


def _hash_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
