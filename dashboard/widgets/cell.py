"""The words for a protected number with its margin, or for its state if there is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import format_number, translate
from geo.layers.core.words import describe_state, format_margin


def format_cell(current: CurrentRelease, cell: Mapping[Any, Any]) -> str:
    """Return the number of a cell with its margin as text, or the words for its state if it has no number.

    cell : value, margin, noisy, noisy_margin (see data/tables/shown.py) and state.
    """
    if math.isnan(cell["value"]):
        return format_state(current, str(cell["state"]))
    least = cell["noisy"] - cell["noisy_margin"]
    margin = translate(format_margin(cell["value"], cell["margin"], cell["state"], least))
    return f"{format_number(cell['value'])} {margin}".strip()


def format_state(current: CurrentRelease, state: str) -> str:
    """Return the words for a state, such as "not searched"."""
    return translate(describe_state(state, current.release.k))
