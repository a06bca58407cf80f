"""Who can reach which services, how far the nearest is, where the gaps are, and who carries the services."""

from __future__ import annotations

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend, marks
from dashboard.map.shapes import describe_shapes
from dashboard.map.view import MapView
from dashboard.narrative import access
from dashboard.pages.coverage import summary
from dashboard.site import current_release, site
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, translated
from dashboard.widgets import address, markup, page_frame
from dashboard.widgets.layer_table import drop_silent_columns
from geo.layers import layer
from geo.layers.access import NOTE
from geo.layers.output.table import table as layer_table

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    current = current_release.open_current_release(site())
    if current is None:
        page_frame.empty()
        return
    st.title(_("Coverage"), anchor=False)
    if "services" not in current_release.list_levels(current):
        st.html(markup.paragraphs([_("This release holds published figures alone, and no services.")]))
        return
    if access.has_access(current):
        st.html(markup.paragraphs([_(_QUESTION), _(_GAP)]))
        with st.container(border=True, key="gaps"):
            st.html(markup.listed(summary.headlines(current)))
        st.fragment(_reached)(current)
    elif current.tier == "public":
        st.html(markup.paragraphs([_(_PUBLIC)]))
        st.fragment(_services)(current)
    else:
        page_frame.without_access()
    _carried(current)


_QUESTION = "Which services can children in need reach, how far is the nearest, and where is there a gap?"
_GAP = (
    "A gap is named where children in need can reach less than half as many places as their country has for "
    "each of them, where that is at least 80 % sure, and where all services in reach are shown."
)
_PUBLIC = (
    "The public tier shows services by county and region alone. How many of them children in need can reach, "
    "and where there are gaps, is worked out from numbers that are not public."
)


def _reached(current: CurrentRelease) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        shown = address.segments("show", _("Show"), summary.shown())
        kind = address.menu("services", _("Services"), summary.kinds(current), "all")
    if summary.none_shown(current, kind):
        st.html(markup.paragraphs([_("Of these services none is shown, to protect people.")]))
    _map(current, summary.view(current, shown, kind))
    st.dataframe(summary.table(current, kind), hide_index=True)
    st.caption(translated(NOTE))
    with st.expander(_("How this is worked out")):
        st.html(markup.listed(access.describe_access(current)))


def _services(current: CurrentRelease) -> None:
    kind = address.menu("services", _("Services"), summary.kinds(current), "all")
    seen = summary.view(current, "", kind)
    _map(current, seen)
    rows = layer_table(current.release, layer("services"), seen.view()).reset_index()
    st.dataframe(drop_silent_columns(rows), hide_index=True)


def _map(current: CurrentRelease, seen: MapView) -> None:
    with st.container(key="mapbox"):
        values = marks.describe_view(current, load_areas(current.release), seen)
        live_map.show(describe_shapes(current, in_page=True), values, on_click=lambda: None)
        st.html(legend.legend(marks.read_marks(current, seen)))


def _carried(current: CurrentRelease) -> None:
    st.header(_("Who carries the services"), anchor=False)
    st.html(markup.narrow(markup.table(summary.carriers(current))))
    st.html(markup.paragraphs(summary.hint(current)))
