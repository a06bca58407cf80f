"""Read releases of TACT Map: layers, tables, and the noise of the counts. See docs/python.md.

    release = tact.open_release("workspace/releases/2009-05-001", tier="public")
    release.layer("encounters", level="region")      # a GeoDataFrame
    release.channel().interval(15, 0.95)             # the true counts behind a published 15

The names in `__all__` are the public interface. They read releases and results, never records: nothing here can reach
the vault. Libraries are imported when a name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.errors import InputError, ReleaseDamaged, ReleaseError, TactError
    from data.tables.states import STATES
    from tact.channel import Channel
    from tact.release import Layer, Release, open_release

__all__ = [
    "STATES",
    "Channel",
    "InputError",
    "Layer",
    "Release",
    "ReleaseDamaged",
    "ReleaseError",
    "TactError",
    "open_release",
]

_PLACES = {
    "STATES": "data.tables.states",
    "Channel": "tact.channel",
    "InputError": "data.errors",
    "Layer": "tact.release",
    "Release": "tact.release",
    "ReleaseDamaged": "data.errors",
    "ReleaseError": "data.errors",
    "TactError": "data.errors",
    "open_release": "tact.release",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (any of the names above)
    """Import and return a name of `__all__` when it is first used. Raises AttributeError for any other name."""
    if name not in _PLACES:
        raise AttributeError(f"module 'tact' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names of this package."""
    return sorted(__all__)
