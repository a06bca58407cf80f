"""The live map: layers, time, and one area."""

from __future__ import annotations

import streamlit as st

from dashboard import map as live_map
from dashboard.map import legend
from dashboard.map.shapes import describe_shapes
from dashboard.pages.situation import controls, summary
from dashboard.pages.situation.view import Situation, periods
from dashboard.site import site
from dashboard.site.current_release import Held, held, load_areas
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
    of = held(site())
    if of is None:
        _nothing_yet()
        return
    areas = load_areas(of.release)
    view = controls.current(of, areas.table)
    view = controls.step(periods(view, of), view)
    controls.keep(view)
    with st.container(key="stage"):
        _stage(of, areas, view)
    with st.container(key="panel"):
        _panel(of, areas, view)
    with st.container(key="strip"):
        _strip(of, areas, view)


def _nothing_yet() -> None:
    with st.container(key="stage"):
        live_map.show(summary.base_map(), summary.no_values(), on_click=lambda: None)
    with st.container(key="panel"):
        page_frame.empty()


def _stage(of: Held, areas: Areas, view: Situation) -> None:
    marks = summary.marks(of, view)
    with st.container(key="controls", horizontal=True):
        controls.layers(of, view)
        controls.levels(of, view)
        controls.options(of, view, view.layer)
        controls.overlays(of, view)
        for name in view.over:
            controls.options(of, view, name)
        controls.missed(view)
        controls.unnumbered(of, view)
    live_map.show(describe_shapes(of), summary.values(of, areas, view), controls.clicked(areas, view.level))
    words = legend.legend([mark for _name, mark in marks], _(beside(view.layers)), projector=view.projector)
    st.html(words)


def _panel(of: Held, areas: Areas, view: Situation) -> None:
    st.html(summary.described(of, areas, view))
    if st.button(_("Table"), key="c-table"):
        summary.table(of, view)
    if view.area:
        st.button(_("Both countries"), key="c-clear", on_click=controls.choose, args=("",))


def _strip(of: Held, areas: Areas, view: Situation) -> None:
    listed = periods(view, of)
    totals = summary.time_totals(of, areas, view, listed)
    st.html(summary.time_strip(of, view, totals))
    controls.grain(of, view)
    if len(listed) > 1:
        controls.slider(totals, view)
        controls.play(listed, view)
