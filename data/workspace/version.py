"""The versions of the running product and of the libraries with which it computes."""

from __future__ import annotations

import platform
from importlib import metadata

# Those whose version may change the last digits of a result, or the bytes of its files.
_LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "pyproj", "shapely", "geopandas", "scikit-learn")


def code_version() -> str:
    """Return the version of the product that is running; "unknown" if it is not installed."""
    return _find_version("tact-map")


def _find_version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results are computed with, and the kind of processor."""
    versions = {name: _find_version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}
