"""How a chart is shown in a page."""

from __future__ import annotations

from typing import Any

import altair as alt
import streamlit as st

_INK, _MUTED, _GRID = "#1D2433", "#5B6575", "#E8EBEE"


def show_chart(chart: alt.Chart | alt.LayerChart | alt.FacetChart, **more: Any) -> Any:  # noqa: ANN401
    """Show a chart. Its words have the colours of the light page, as its marks; theme.css turns both by night."""
    look = (
        chart.configure_axis(labelColor=_MUTED, titleColor=_MUTED, gridColor=_GRID, domainColor=_GRID)
        .configure_header(labelColor=_INK, titleColor=_INK)
        .configure_legend(labelColor=_INK, titleColor=_INK)
    )
    return st.altair_chart(look, **more)
