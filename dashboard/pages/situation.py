"""The live map: layers, time, and one area."""

from __future__ import annotations

import streamlit as st

from dashboard import controls, frame, legend, mapview, prose, situation
from dashboard.access import site
from dashboard.geometry import areas_of
from dashboard.reading import Held, held
from dashboard.state import Situation, periods
from dashboard.text import _
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
        st.html(prose.to_reallocate())


def _situation() -> None:
    of = held(site())
    if of is None:
        _nothing_yet()
        return
    areas = areas_of(of.release)
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
        mapview.show(situation.base_map(), situation.no_values(), on_click=lambda: None)
    with st.container(key="panel"):
        frame.empty()


def _stage(of: Held, areas: Areas, view: Situation) -> None:
    marks = situation.marks(of, view)
    with st.container(key="controls", horizontal=True):
        controls.layers(of, view)
        controls.levels(of, view)
        controls.options(of, view, view.layer)
        controls.overlays(of, view)
        for name in view.over:
            controls.options(of, view, name)
        controls.missed(view)
        controls.unnumbered(of, view)
    mapview.show(situation.fixed(of), situation.values(of, areas, view), controls.clicked(areas, view.level))
    words = legend.legend([mark for _name, mark in marks], _(beside(view.layers)), projector=view.projector)
    st.html(words)


def _panel(of: Held, areas: Areas, view: Situation) -> None:
    st.html(situation.described(of, areas, view))
    if st.button(_("Table"), key="c-table"):
        situation.table(of, view)
    if view.area:
        st.button(_("Both countries"), key="c-clear", on_click=controls.choose, args=("",))


def _strip(of: Held, areas: Areas, view: Situation) -> None:
    listed = periods(view, of)
    totals = situation.time_totals(of, areas, view, listed)
    st.html(situation.time_strip(of, view, totals))
    controls.grain(of, view)
    if len(listed) > 1:
        controls.slider(totals, view)
        controls.play(listed, view)
