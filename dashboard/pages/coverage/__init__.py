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


def show() -> None:
    """Show the page."""
    current = current_release.open_current_release(read_site())
    if current is None:
        page_frame.show_no_release()
        return
    st.title(_("Coverage"), anchor=False)
    if "services" not in current_release.list_levels(current):
        st.html(markup.render_paragraphs([_("This release has only published figures, no services.")]))
        return
    if access.has_access(current):
        st.html(markup.render_paragraphs([_(_QUESTION), _(_GAP)]))
        with st.container(border=True, key="gaps"):
            st.html(markup.render_list(summary.list_headlines(current)))
        st.fragment(_show_reached)(current)
    elif current.tier == "public":
        st.html(markup.render_paragraphs([_(_PUBLIC)]))
        st.fragment(_show_services)(current)
    else:
        page_frame.show_no_access()
    _show_carriers(current)


_QUESTION = "Which services can children in need reach, how far is the nearest one, and where are gaps?"
_GAP = (
    "A gap is named where it is likely that a child in need can reach less than half as many service "
    "places as the national average, and where no service within reach is withheld."
)
_PUBLIC = (
    "The public tier shows services for counties and regions only. Access and gaps are calculated "
    "from numbers that are not public."
)


def _show_reached(current: CurrentRelease) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        shown = address.pick_segment("show", _("Show"), summary.name_measures())
        kind = address.pick_from_menu("services", _("Services"), summary.name_services(current), "all")
    if summary.all_withheld(current, kind):
        st.html(markup.render_paragraphs([_("These services are withheld to protect people.")]))
    _show_map(current, summary.make_view(current, shown, kind))
    st.dataframe(summary.tabulate_access(current, kind), hide_index=True)
    st.caption(translate(NOTE))
    with st.expander(_("How this is calculated")):
        st.html(markup.render_list(access.describe_access(current)))


def _show_services(current: CurrentRelease) -> None:
    kind = address.pick_from_menu("services", _("Services"), summary.name_services(current), "all")
    view = summary.make_view(current, "", kind)
    _show_map(current, view)
    rows = layer_table(current.release, find_layer("services"), view.view()).reset_index()
    st.dataframe(drop_silent_columns(rows), hide_index=True)


def _show_map(current: CurrentRelease, view: MapView) -> None:
    with st.container(key="mapbox"):
        values = marks.describe_view(current, load_areas(current.release), view)
        live_map.show_map(describe_shapes(current, in_page=True), values, on_click=lambda: None)
        st.html(legend.render_legend(marks.read_marks(current, view)))


def _show_carriers(current: CurrentRelease) -> None:
    st.header(_("Who runs the services of prevention and coordination"), anchor=False)
    st.html(markup.render_narrow(markup.render_table(summary.tabulate_carriers(current))))
    st.html(markup.render_paragraphs(summary.suggest_handover(current)))
