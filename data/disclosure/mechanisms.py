"""The protection mechanisms by name: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Mechanism
from data.disclosure.dp import Dp
from data.disclosure.threshold import Threshold
from data.errors import InputError

__all__ = ["DEFAULT", "NAMES", "PARAMETERS", "make"]

_KINDS = {"cell_key": CellKey, "threshold": Threshold, "dp": Dp}
NAMES: tuple[str, ...] = tuple(_KINDS)
DEFAULT = NAMES[0]
# What belongs to one mechanism or another, and says nothing of the rest.
PARAMETERS: frozenset[str] = frozenset(f.name for kind in _KINDS.values() for f in fields(kind)) - {"k"}


def make(name: str = DEFAULT, parameters: Mapping[str, Any] | None = None) -> Mechanism:
    """Make a mechanism from its name and those of the parameters that are its own.

    `parameters` are a policy's or a manifest's; what is missing has its default. Raises InputError for a
    name that is not known or a value that cannot be used.
    """
    if name not in _KINDS:
        msg = f"There is no mechanism {name!r}. There are: {', '.join(NAMES)}."
        raise InputError(msg)
    kind, given = _KINDS[name], parameters or {}
    own = {field.name: given[field.name] for field in fields(kind) if field.name in given}
    made: Mechanism = kind(**own)
    return made
