"""The live map: layers, time, and one area."""

from __future__ import annotations

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend, marks
from dashboard.map.shapes import describe_shapes
from dashboard.map.view import MapView, list_view_periods
from dashboard.pages.situation import controls, summary
from dashboard.site import site
from dashboard.site.current_release import CurrentRelease, load_areas, open_current_release
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from geo.areas import Areas
from geo.layers import beside

__all__ = ["show"]


def show() -> None:
    """Draw the page; what changes is within one fragment, so that a change sends little."""
    controls.arrive()
    st.fragment(_situation, run_every=controls.playing())()
    controls.projector()
    # Outside the fragment, so that a change does not send it again.
    if site().tier == "partner":
        st.html(markup.to_reallocate())


def _situation() -> None:
    current = open_current_release(site())
    if current is None:
        _nothing_yet()
        return
    areas = load_areas(current.release)
    view = controls.current(current, areas.table)
    view = controls.step(list_view_periods(view, current), view)
    controls.keep(view)
    with st.container(key="stage"):
        _stage(current, areas, view)
    with st.container(key="panel"):
        _panel(current, areas, view)
    with st.container(key="strip"):
        _strip(current, areas, view)


def _nothing_yet() -> None:
    with st.container(key="stage"):
        live_map.show(summary.base_map(), summary.no_values(), on_click=lambda: None)
    with st.container(key="panel"):
        page_frame.empty()


def _stage(current: CurrentRelease, areas: Areas, view: MapView) -> None:
    with st.container(key="controls", horizontal=True):
        controls.layers(current, view)
        controls.levels(current, view)
        controls.options(current, view, view.layer)
        controls.overlays(current, view)
        for name in view.over:
            controls.options(current, view, name)
        controls.missed(view)
        controls.unnumbered(current, view)
    live_map.show(
        describe_shapes(current),
        marks.describe_view(current, areas, view),
        controls.clicked(areas, view.level),
    )
    words = legend.legend(marks.read_marks(current, view), _(beside(view.layers)), projector=view.projector)
    st.html(words)


def _panel(current: CurrentRelease, areas: Areas, view: MapView) -> None:
    st.html(summary.described(current, areas, view))
    if st.button(_("Table"), key="c-table"):
        summary.table(current, view)
    if view.area:
        st.button(_("Both countries"), key="c-clear", on_click=controls.choose, args=("",))


def _strip(current: CurrentRelease, areas: Areas, view: MapView) -> None:
    listed = list_view_periods(view, current)
    totals = summary.time_totals(current, areas, view, listed)
    st.html(summary.time_strip(current, view, totals))
    controls.grain(current, view)
    if len(listed) > 1:
        controls.slider(totals, view)
        controls.play(listed, view)
