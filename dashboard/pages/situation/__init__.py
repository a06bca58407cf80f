"""The Situation page: the live map, with choices of layers, period and area."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard import map as live_map
from dashboard.map import legend, marks
from dashboard.map.shapes import describe_shapes
from dashboard.map.view import MapView, list_view_periods
from dashboard.pages.situation import controls, summary
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, load_areas, open_current_release
from dashboard.site.text import _, cache_by_language
from dashboard.widgets import markup, page_frame
from geo.areas import Areas
from geo.layers import choose_caution

_TABLE = "open-table"  # in the session: the view whose table is asked for


def show() -> None:
    """Show the page. All content that changes is in a part of its own, so that a change sends little data."""
    controls.note_address()
    st.fragment(_show_situation, run_every=controls.read_step_seconds())()
    # A dialog that the part itself opens would close when the part is drawn again.
    view, current = st.session_state.pop(_TABLE, None), open_current_release(read_site())
    if view is not None and current is not None:
        summary.show_table(current, view)
    # Outside the fragment, so that a change does not send it again.
    if read_site().tier == "partner":
        st.html(markup.link_reallocate())


def _show_situation() -> None:
    current = open_current_release(read_site())
    if current is None:
        _show_nothing_yet()
        return
    areas = load_areas(current.release)
    view = controls.load_view(current, areas.table)
    view = controls.advance_view(list_view_periods(view, current), view)
    controls.write_address(view)
    with st.container(key="stage"):
        _show_stage(current, areas, view)
    with st.container(key="panel"):
        st.html(summary.render_panel(current, view))
        if st.button(_("Table"), key="c-table"):
            st.session_state[_TABLE] = view
            st.rerun()
        if view.area:
            st.button(_("Both countries"), key="c-clear", on_click=controls.choose_area, args=("",))
    with st.container(key="strip"):
        listed = list_view_periods(view, current)
        totals = summary.compute_totals(current, view, listed)
        st.html(summary.render_strip(current, view, totals))
        controls.choose_grain(current, view)
        if len(listed) > 1:
            controls.choose_period(totals, view)
            controls.show_play_button(listed, view)


def _show_nothing_yet() -> None:
    with st.container(key="stage"):
        live_map.show_map(summary.describe_shipped_shapes(), live_map.describe_map([], "region"), on_click=lambda: None)
    with st.container(key="panel"):
        page_frame.show_no_release()


def _show_stage(current: CurrentRelease, areas: Areas, view: MapView) -> None:
    above = st.container(key="controls", horizontal=True)
    # The map goes first: on a slow line the parts of each control take seconds.
    live_map.show_map(
        describe_shapes(current),
        marks.describe_view(current, areas, view),
        controls.make_click_callback(areas, view.level),
    )
    with above:
        controls.choose_layer(current, view)
        controls.choose_level(current, view)
        controls.choose_options(current, view, view.layer)
        controls.choose_overlay(current, view)
        for name in view.over:
            controls.choose_options(current, view, name)
        controls.show_missed(view)
        controls.show_no_numbers(current, view)
    st.html(_render_legend(current, view))


@cache_by_language(maxsize=512)
def _render_legend(current: CurrentRelease, view: MapView) -> Markup:
    shown, caution = marks.read_marks(current, view), _(choose_caution(view.layers))
    return legend.render_legend(shown, caution, projector=view.projector)
