"""The table of a layer on a page: the useful columns, in reading order."""

from __future__ import annotations

import pandas as pd

from dashboard.site.text import order_name
from data.release import Release
from geo.layers.core import Layer, LayerData, View
from geo.layers.output.table import COLUMNS, NOISY, build_table

_CODE, _AREA, _LOCAL, _COUNTRY, _VALUE, _MARGIN, _STATE, _SOURCE, _NOTE = COLUMNS
# The value comes right after its area, where a small screen shows it.
IN_ORDER = (_AREA, _VALUE, _MARGIN, NOISY, _STATE, _NOTE, _SOURCE, _LOCAL, _COUNTRY, _CODE)


def tabulate_layer(release: Release, layer: Layer, view: View, data: LayerData | None = None) -> pd.DataFrame:
    """Return the table of a layer with its useful columns; pass `data` if the layer was already read.

    The areas are in alphabetical order, one country after the other.
    """
    rows = build_table(release, layer, view, data).reset_index()
    rows = rows.sort_values([_COUNTRY, _AREA], key=lambda column: column.map(order_name), kind="stable")
    return drop_silent_columns(rows)


def drop_silent_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without columns that say nothing: empty ones, and a source common to all rows.

    A local name that equals the name is emptied first. The code, the area and the value always stay.
    """
    local = rows[_LOCAL].mask(rows[_LOCAL] == rows[_AREA], "")
    rows = rows.assign(**{_LOCAL: local})
    empty = [column for column in rows if not rows[column].astype(bool).any()]
    same = [_SOURCE] if len(set(rows[_SOURCE])) == 1 else []
    return rows.drop(columns=[*{*empty, *same} - {_CODE, _AREA, _VALUE}])


def measure_column(rows: pd.DataFrame, column: str) -> int:
    """Return the width in pixels that the longest text of a column needs."""
    longest = max(map(len, [column, *rows[column].astype(str)]))
    return round(6.5 * longest) + 22
