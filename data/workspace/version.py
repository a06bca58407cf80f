"""The version of the product that is running."""

from __future__ import annotations

from importlib import metadata


def code_version() -> str:
    """Return the version of the product that is running."""
    try:
        return metadata.version("tact-map")
    except metadata.PackageNotFoundError:
        return "unknown"
