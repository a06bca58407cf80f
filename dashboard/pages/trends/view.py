"""The choices of the Trends page in the address: an area, a pathway, a measure, and a second area."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard.pages.trends import summary
from dashboard.site.current_release import CurrentRelease, name_regions
from dashboard.site.text import _
from dashboard.widgets import address


@dataclass(frozen=True)
class TrendView:
    """The choices of the page, as ids. beside : the second area. See the functions name_... in summary.py."""

    area: str
    pathway: str = summary.EVERY
    measure: str = summary.CHILDREN
    beside: str = summary.NOBODY

    @property
    def areas(self) -> list[str]:
        """The codes of the areas that have a large chart, the chosen one first."""
        return [self.area] if self.beside in (summary.NOBODY, self.area) else [self.area, self.beside]

    @property
    def choices(self) -> dict[str, str]:
        """The parameters that stay in the address when another area is chosen."""
        return {"trend": self.measure, "beside": self.beside}


def ask_view(current: CurrentRelease) -> TrendView:
    """Ask for the measure and a second area, write them into the address, and return all choices of the page."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        address.pick_segment("trend", _("Show"), summary.name_measures(current))
        address.pick_from_menu("beside", _("Compare with"), summary.name_others(current), summary.NOBODY)
    return read_view(current)


def read_view(current: CurrentRelease) -> TrendView:
    """Return the choices in the address; on the public tier only the area, with defaults for the others."""
    area = address.find_area(current, name_regions(current), summary.find_first_area(current))
    if current.tier == "public":
        return TrendView(area)
    return TrendView(
        area,
        address.read_pathway(list(summary.name_pathways(current))),
        address.read_choice("trend", list(summary.name_measures(current))),
        address.read_choice("beside", list(summary.name_others(current))),
    )
