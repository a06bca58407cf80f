"""Reference tables that are part of the product, each with source, licence and checksum.

Nothing here needs geometry: areas are a table of codes, parents and names.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import pandas as pd

__all__ = [
    "FIGURES",
    "FOLDER",
    "Source",
    "area_countries",
    "area_table",
    "crosswalk",
    "figures",
    "list_predecessors",
    "name_table",
    "registry",
]

FOLDER = Path(__file__).parent
FIGURES = "figures.csv"
_NA = {"number": [""], "share": [""]}


@dataclass(frozen=True)
class Source:
    """One data file of the product: its source, its licence, and its checksum.

    source and licence are shown to readers. credit: the line that the licence asks for, if any. retrieved: the ISO day.
    recipe: how the file was built, so that it can be built again.
    """

    name: str
    file: str
    source: str
    licence: str
    credit: str
    retrieved: str
    sha256: str
    rows: int
    note: str = ""
    recipe: str = ""


def registry() -> list[Source]:
    """Read the registry of the product's data files; return its entries in their order."""
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    return [Source(**entry) for entry in tomllib.loads(text)["source"]]


def area_table() -> pd.DataFrame:
    """Return the tree of areas, one row for each code: countries, regions, municipalities.

    Columns: country, level, parent (empty for a country), name_en, name_local, nuts, hasc, hasc_alt, geonames
    (administrative code), valid_from, valid_to (ISO month or empty), succeeded_by (codes joined by ";") and counted,
    which is False for the municipalities created in 2019, whose records count in their predecessor. The caller may
    change the frame.
    """
    return _read_areas().copy()


def list_predecessors(areas: pd.DataFrame) -> dict[str, str]:
    """Return, for each municipality created in 2019, the code of the municipality to which it belonged before."""
    split = areas.loc[areas["succeeded_by"] != "", "succeeded_by"]
    return {new: str(old) for old, codes in split.items() for new in codes.split(";")}


@lru_cache(maxsize=1)
def area_countries() -> Mapping[str, str]:
    """Return the country code of each area code."""
    return MappingProxyType(dict(_read_areas()["country"]))


def name_table() -> pd.DataFrame:
    """Return further names of areas, one row for each name: columns code and name.

    They are irregular nominatives, earlier or later names, and names in the other country's language.
    """
    return pd.read_csv(FOLDER / "names.csv", dtype="str", keep_default_na=False)


def town_table() -> pd.DataFrame:
    """Return names of towns, villages and border crossings, a row for each name: the municipality's code and the name.

    They are not areas. They only help to read what partners write as the municipality, and have no figures.
    """
    tables = [pd.read_csv(FOLDER / file, dtype="str", keep_default_na=False) for file in ("towns.csv", "crossings.csv")]
    return pd.concat([table[["code", "name"]] for table in tables], ignore_index=True)


@lru_cache(maxsize=1)
def settlement_table() -> pd.DataFrame:
    """Return where people live: municipality's code, lon and lat (degrees), population (missing where not known).

    The largest settlement of a municipality comes first. For travel times alone; never change the frame.
    """
    return pd.read_csv(FOLDER / "settlements.csv", dtype={"code": "str"}, keep_default_na=False, na_values=[""])


def figures() -> pd.DataFrame:
    """Return the published figures that come with the program, one in each row.

    Columns: area, period (calendar year as ISO interval), measure, number and share (float, missing if the
    source gives none), source, year, status, note. An area without a row has no figure.
    """
    types = {"number": "float64", "share": "float64", "year": "Int64"}
    texts = dict.fromkeys(("area", "period", "measure", "source", "status", "note"), "str")
    return pd.read_csv(FOLDER / FIGURES, dtype={**texts, **types}, keep_default_na=False, na_values=_NA)


@lru_cache(maxsize=1)
def _read_areas() -> pd.DataFrame:
    table = pd.read_csv(FOLDER / "areas.csv", dtype="str", keep_default_na=False, index_col="code")
    successors = {code for codes in table["succeeded_by"] for code in codes.split(";")}
    table["counted"] = ~table.index.isin(successors)
    return table


def crosswalk() -> pd.DataFrame:
    """Return the table that maps the programme's categories to standards for trafficking data.

    Columns: standard, breakdown and category (of data/tables/spec.py; "" and "all" for a total), field and code of the
    standard (empty without one), outcome, basis (where the code was read) and note, explained in
    geo/export/standards.py.
    """
    return pd.read_csv(FOLDER / "standards.csv", dtype="str", keep_default_na=False)
