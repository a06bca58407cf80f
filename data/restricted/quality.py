"""The quality of the records in a vault: their number, completeness, and possible doubles. No result names a child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.restricted.intake import mapping
from data.restricted.vault import Vault
from data.schema import get_kind
from data.workspace.folding import make_sort_key

# The column with the time of a record, by kind. A time longer than a month (a year, a period) counts where it begins.
_WHEN = {
    "encounter": "date",
    "effort": "date",
    "service": "valid_from",
    "community": "year",
    "indicator": "period",
    "figure": "period",
}
_MONTH = 7  # letters of an ISO day
_PLACE = ("child", "date", "municipality")


@dataclass(frozen=True)
class AnsweredPlace:
    """A word that an officer matched with a place: the partner, the kind and column, and the code of the place."""

    partner: str
    kind: str
    column: str
    word: str
    code: str


def count_months(vault: Vault, kind: str) -> pd.DataFrame:
    """Return the number of records by month (rows, ISO, latest first) and partner (columns, by name).

    A kind without partners has one column, "". The frame is empty if there are no records.
    """
    when = _WHEN[kind]
    names = [when, *(["partner"] if any(column.name == "partner" for column in get_kind(kind).stored) else [])]
    frame = _read(vault, kind, names)
    partners = frame["partner"].astype(str) if "partner" in frame else pd.Series("", frame.index)
    months = frame[when].astype(str).str[:_MONTH]
    counted: pd.DataFrame = pd.crosstab(months, partners)
    order = sorted(map(str, counted.columns), key=make_sort_key)
    return counted.sort_index(ascending=False)[order]


def rate_columns(vault: Vault, kind: str) -> dict[str, float]:
    """Return the share of records, from 0 to 1, in which each optional column is filled; empty without records.

    A cell that is empty, or has the meaning of an empty cell ("not known"), is not filled. Hashes are left out.
    """
    columns = [column for column in get_kind(kind).stored if not column.required and column.type != "hash"]
    frame = _read(vault, kind, [column.name for column in columns])
    if frame.empty:
        return {}
    shares = {}
    for column in columns:
        cells = frame[column.name]
        filled = cells.notna() if column.numeric else ~cells.astype(str).isin(["", column.default])
        shares[column.name] = float(filled.mean())
    return shares


def count_doubles(vault: Vault) -> dict[str, tuple[int, int]]:
    """Count, by partner, the encounters that repeat an earlier one: same child, same day and same place.

    The first number counts repeats of an encounter of the same import, the second those of an earlier import: perhaps a
    form that was edited and has no permanent number. Partners without repeats are left out.
    """
    frame = _read(vault, "encounter", [*_PLACE, "partner", "batch"])
    if frame.empty:
        return {}
    keys = ["partner", *_PLACE]
    frame = frame[frame.duplicated(keys, keep=False)].sort_values("batch", kind="stable")
    again = frame[frame.duplicated(keys)]
    same = frame.duplicated([*keys, "batch"])[again.index]
    counts = {}
    for partner, doubles in same.groupby(again["partner"].astype(str), observed=True):
        counts[str(partner)] = (int(doubles.sum()), int((~doubles).sum()))
    return counts


def list_answered_places(folder: Path, partners: Sequence[str] = ()) -> list[AnsweredPlace]:
    """Return the words that are stored as names of places in the partners' mappings in a folder.

    A word from a file of none of `partners` has the name of the file as its partner. Raises InputError for a mapping
    that is not valid.
    """
    names = {mapping.file_for(folder, partner).stem: partner for partner in partners}
    return [
        AnsweredPlace(names.get(file.stem, file.stem), kind, column.name, word, code)
        for file in sorted(folder.glob("*.toml"))
        for kind, read in mapping.read_all(file).items()
        for column in get_kind(kind).file_columns
        if column.type == "area"
        for word, code in read.value_names.get(column.name, {}).items()
    ]


def _read(vault: Vault, kind: str, names: Sequence[str]) -> pd.DataFrame:
    parts = [batch.to_pandas() for batch in vault.read(kind, names)]
    if not parts:
        return pd.DataFrame(columns=list(names))
    # Each batch has its own dictionary of the same words.
    plain = [part.astype({n: str for n in part if part[n].dtype == "category"}) for part in parts]
    frame: pd.DataFrame = pd.concat(plain, ignore_index=True)
    return frame
