"""How a partner names its columns and categories, stored in workspace/mappings/<partner>.toml.

    ignore = ["remarks"]            # known, and not wanted

    [columns]                       # ours = theirs
    date = "Data e takimit"

    [values.stage]                  # theirs = ours
    "në rrezik" = "at_risk"

    [dates]                         # only for files with days such as 31/05/2007
    slashes = "day first"           # or "month first"

Entries at the top are for every record kind; `[effort.columns]`, `[effort.values.kind]` and so on are for
one kind and take precedence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from data.errors import InputError
from data.schema import get_kind
from data.schema.kinds import KINDS

Slashes = Literal["", "day first", "month first"]
SLASHES: tuple[str, ...] = ("day first", "month first")


@dataclass(frozen=True)
class ColumnMapping:
    """A partner's names: columns (ours to theirs), values (by column, theirs to ours), columns to ignore."""

    columns: Table[str, str] = field(default_factory=dict)
    value_names: Table[str, Table[str, str]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    slashes: Slashes = ""


def file_for(folder: Path, partner: str) -> Path:
    """Return the path of a partner's mapping: letters, digits, _ and - of the name."""
    stem = re.sub(r"[^\w-]+", "-", partner.casefold()).strip("-_")
    if not stem:
        raise InputError(f"The partner's name {partner!r} has no letter or digit. Give the partner a name.")
    return folder / f"{stem}.toml"


def read(path: Path, kind: str) -> ColumnMapping:
    """Read the part of a mapping file that is for one kind; a missing file is an empty mapping.

    Raises InputError that names the key, for a column that the kind does not have, a category that the
    column does not allow, or a file that is not TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ColumnMapping()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a valid TOML file: {error}") from None
    _refuse_unknown_keys(content, path.name)
    kind_part = _table(content, kind, path.name)
    columns = {**_columns(content, path.name), **_columns(kind_part, path.name)}
    values = _merged(_values(content, path.name), _values(kind_part, path.name))
    dates = {**_table(content, "dates", path.name), **_table(kind_part, "dates", path.name)}
    mapping = ColumnMapping(
        {
            ours: theirs
            for ours, theirs in columns.items()
            if ours in _column_names(kind) or ours in _named_columns(kind_part)
        },
        {column: names for column, names in values.items() if column in _column_names(kind)},
        (*_texts(content, "ignore", path.name), *_texts(kind_part, "ignore", path.name)),
        cast("Slashes", dates.get("slashes", "")),
    )
    check(mapping, kind, path.name)
    return mapping


def _named_columns(kind_part: Table[str, object]) -> Table[str, object]:
    """Return the columns that the part for one kind names; only there a wrong column is an error."""
    columns = kind_part.get("columns", {})
    return columns if isinstance(columns, dict) else {}


def check(mapping: ColumnMapping, kind: str, name: str = "The mapping") -> None:
    """Raise InputError for a column, category or order of dates that is not allowed."""
    for column in (*mapping.columns, *mapping.value_names):
        if column not in _column_names(kind):
            raise InputError(f"{name}: {kind} has no column {column!r}. It has: {', '.join(_column_names(kind))}.")
    for column, names in mapping.value_names.items():
        allowed = get_kind(kind).column(column).allowed
        wrong = sorted({ours for ours in names.values() if allowed and ours not in allowed})
        if wrong:
            msg = f"{name}: {', '.join(map(repr, wrong))} is not allowed in {column}. "
            msg += f"Allowed: {', '.join(allowed)}."
            raise InputError(msg)
    if mapping.slashes and mapping.slashes not in SLASHES:
        raise InputError(f"{name}: slashes is {mapping.slashes!r}. Allowed: {', '.join(map(repr, SLASHES))}.")


def _column_names(kind: str) -> tuple[str, ...]:
    return tuple(column.name for column in get_kind(kind).given)


def _refuse_unknown_keys(content: Table[str, object], name: str) -> None:
    every = {column.name for kind in KINDS.values() for column in kind.given}
    wrong = set(content) - {"columns", "values", "ignore", "dates", *KINDS}
    wrong |= set(_columns(content, name)) - every
    wrong |= set(_values(content, name)) - every
    if wrong:
        msg = f"{name}: unknown {', '.join(map(repr, sorted(wrong)))}. Allowed at the top: columns, "
        msg += f"values, ignore, dates and the kinds {', '.join(KINDS)}; below them the kinds' columns."
        raise InputError(msg)


def _columns(content: Table[str, object], name: str) -> dict[str, str]:
    columns = _table(content, "columns", name)
    return {ours: _text(theirs, f"columns.{ours}", name) for ours, theirs in columns.items()}


def _values(content: Table[str, object], name: str) -> dict[str, dict[str, str]]:
    values = _table(content, "values", name)
    return {
        column: {theirs: _text(ours, f"values.{column}", name) for theirs, ours in _table(values, column, name).items()}
        for column in values
    }


def _merged(first: dict[str, dict[str, str]], then: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {column: {**first.get(column, {}), **then.get(column, {})} for column in (*first, *then)}


def _table(content: Table[str, object], key: str, name: str) -> dict[str, object]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise InputError(f"{name}: {key!r} must be a table, as [{key}].")
    return table


def _texts(content: Table[str, object], key: str, name: str) -> tuple[str, ...]:
    texts = content.get(key, [])
    if not isinstance(texts, list):
        raise InputError(f'{name}: {key!r} must be a list of column names, as {key} = ["remarks"].')
    return tuple(_text(text, key, name) for text in texts)


def _text(value: object, key: str, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name}: {key!r} must be a text in quotation marks.")
    return value
