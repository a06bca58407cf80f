"""Charts in a page: their description for the browser and how they are shown."""

from __future__ import annotations

from typing import Any

import altair as alt
import streamlit as st
from streamlit.dataframe_util import convert_anything_to_arrow_bytes

from dashboard.site.text import describe_number_format

_INK, _MUTED, _GRID = "#1D2433", "#5B6575", "#E8EBEE"
# Texts have the colours of the light page, as marks have; dashboard/static/theme.css inverts both on the dark page.
_LOOK = {
    "axis": {"labelColor": _MUTED, "titleColor": _MUTED, "gridColor": _GRID, "domainColor": _GRID},
    "header": {"labelColor": _INK, "titleColor": _INK},
    "legend": {"labelColor": _INK, "titleColor": _INK},
    "title": {"anchor": "start", "fontSize": 14},
    "view": {"stroke": None},
}


def describe_chart(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> dict[str, Any]:
    """Return a chart in the form that is sent to the browser, with numbers in the reader's language.

    This takes some hundredths of a second: cache it by language.
    """
    described: dict[str, Any] = chart.to_dict(validate=False)
    described["config"] = {**_LOOK, **described.get("config", {}), "locale": describe_number_format()}
    rows = described.get("datasets", {})
    described["datasets"] = {name: convert_anything_to_arrow_bytes(table) for name, table in rows.items()}
    return described


def show_chart(described: dict[str, Any], **more: Any) -> Any:  # noqa: ANN401
    """Show a chart from the result of `describe_chart`, which is not changed.

    `more` and the result are those of `st.vega_lite_chart`.
    """
    return st.vega_lite_chart(described, **more)
