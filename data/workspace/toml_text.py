"""Read TOML that people wrote."""

import tomllib
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """Return the content of a TOML text. Raises tomllib.TOMLDecodeError, also if brackets are nested too deeply."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("there are too many brackets inside each other") from None
