"""The codebook of records: what each column means, for `tact doctor --schema` and the empty forms.

Columns of released tables are described in geo/layers/output/columns.py.
"""

from __future__ import annotations

from data.schema import get_kind
from data.schema.column import Column

ENTRY = ("column", "label", "meaning", "allowed", "needed", "example")


def describe(kind: str) -> list[dict[str, str]]:
    """Return a description of each column of a partner's file, in their order, with the keys of ENTRY.

    Raises InputError for an unknown kind.
    """
    return [_entry(column) for column in get_kind(kind).file_columns]


def _entry(column: Column) -> dict[str, str]:
    return {
        "column": column.name,
        "label": column.label,
        "meaning": column.meaning,
        "allowed": _allowed(column),
        "needed": _needed(column),
        "example": column.example,
    }


def _allowed(column: Column) -> str:
    if not column.allowed:
        return column.limits
    return "; ".join(code if words == code else f"{code} ({words})" for code, words in column.allowed.items())


def _needed(column: Column) -> str:
    if column.name == "child_id":
        return "yes, or a programme number"
    if column.name == "partner" and column.required:
        return "yes, in the file or with --partner"
    if column.required:
        return "yes"
    if column.derived:
        return "no; filled in if empty"
    return f"no; empty means {column.default}" if column.default else "no"
