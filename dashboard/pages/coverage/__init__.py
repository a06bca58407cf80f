"""The Coverage page: which services can be reached, how far the nearest is, gaps, and duty bearers."""

from __future__ import annotations

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend, marks
from dashboard.map.shapes import describe_shapes
from dashboard.map.view import MapView
from dashboard.narrative import access
from dashboard.pages.coverage import summary
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, translate
from dashboard.widgets import address, markup, page_frame
from dashboard.widgets.layer_table import drop_silent_columns
from geo.layers import find_layer
from geo.layers.access import NOTE
from geo.layers.output.table import build_table as layer_table

__all__ = ["show"]


def show() -> None:
    """Show the page."""
    current = current_release.open_current_release(read_site())
    if current is None:
        page_frame.show_no_release()
        return
    st.title(_("Coverage"), anchor=False)
    if "services" not in current_release.list_levels(current):
        st.html(markup.render_paragraphs([_("This release holds published figures alone, and no services.")]))
        return
    if access.has_access(current):
        st.html(markup.render_paragraphs([_(_QUESTION), _(_GAP)]))
        with st.container(border=True, key="gaps"):
            st.html(markup.render_list(summary.list_headlines(current)))
        st.fragment(_reached)(current)
    elif current.tier == "public":
        st.html(markup.render_paragraphs([_(_PUBLIC)]))
        st.fragment(_services)(current)
    else:
        page_frame.show_no_access()
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
        shown = address.pick_segment("show", _("Show"), summary.name_measures())
        kind = address.pick_from_menu("services", _("Services"), summary.name_services(current), "all")
    if summary.all_withheld(current, kind):
        st.html(markup.render_paragraphs([_("Of these services none is shown, to protect people.")]))
    _map(current, summary.make_view(current, shown, kind))
    st.dataframe(summary.tabulate_access(current, kind), hide_index=True)
    st.caption(translate(NOTE))
    with st.expander(_("How this is worked out")):
        st.html(markup.render_list(access.describe_access(current)))


def _services(current: CurrentRelease) -> None:
    kind = address.pick_from_menu("services", _("Services"), summary.name_services(current), "all")
    view = summary.make_view(current, "", kind)
    _map(current, view)
    rows = layer_table(current.release, find_layer("services"), view.view()).reset_index()
    st.dataframe(drop_silent_columns(rows), hide_index=True)


def _map(current: CurrentRelease, view: MapView) -> None:
    with st.container(key="mapbox"):
        values = marks.describe_view(current, load_areas(current.release), view)
        live_map.show_map(describe_shapes(current, in_page=True), values, on_click=lambda: None)
        st.html(legend.render_legend(marks.read_marks(current, view)))


def _carried(current: CurrentRelease) -> None:
    st.header(_("Who carries the services"), anchor=False)
    st.html(markup.render_narrow(markup.render_table(summary.tabulate_carriers(current))))
    st.html(markup.render_paragraphs(summary.suggest_handover(current)))
