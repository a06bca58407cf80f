"""The live map: layers, time, and one area."""

from __future__ import annotations

import streamlit as st

from dashboard import controls, frame, legend, mapview, panel, situation, strip
from dashboard.access import site
from dashboard.geometry import areas_of
from dashboard.reading import Held, held
from dashboard.state import Situation, periods
from dashboard.text import _, html
from geo.areas import Areas

__all__ = ["show"]


def show() -> None:
    """Draw the page; what changes is within one fragment, so that a change sends little."""
    _situation()


@st.fragment
def _situation() -> None:
    of = held(site())
    with st.container(key="situation"):
        if of is None:
            _nothing_yet()
            return
        areas = areas_of(of.release)
        view = controls.current(of, areas.table)
        controls.keep(view)
        if view.projector:
            st.container(key="projecting")
        with st.container(key="stage"):
            _stage(of, areas, view)
        with st.container(key="panel"):
            _panel(of, areas, view)
        with st.container(key="strip"):
            _strip(of, view)


def _nothing_yet() -> None:
    with st.container(key="stage"):
        mapview.show(situation.base_map(), situation.no_values(), on_click=lambda: None)
    with st.container(key="panel"):
        frame.empty()


def _stage(of: Held, areas: Areas, view: Situation) -> None:
    marks = situation.marks(of, view)
    with st.container(key="controls"):
        with st.container(key="controls-what", horizontal=True):
            controls.layers(of, view)
        with st.container(key="controls-how", horizontal=True):
            controls.levels(of, view)
            controls.options(of, view)
            controls.overlays(of, view)
    mapview.show(situation.fixed(of, areas), situation.values(areas, view, marks), controls.clicked(areas))
    with st.container(key="legend"):
        st.html(legend.legend([mark for _name, mark in marks], 1.5 if view.projector else 1.0))


def _panel(of: Held, areas: Areas, view: Situation) -> None:
    st.html(situation.described(of, areas, view))
    with st.container(key="panel-actions", horizontal=True):
        if st.button(_("Table"), key="c-table"):
            situation.table(of, view)
        if view.area:
            st.button(_("Both countries"), key="c-clear", on_click=controls.choose, args=("",))


def _strip(of: Held, view: Situation) -> None:
    listed = periods(view, of.release)
    with st.container(key="strip-now"):
        st.html(html('<p class="now">{}</p>', situation.period_words(view, listed)))
        controls.grain(of, view)
    with st.container(key="strip-bars"):
        if len(listed) > 1:
            st.html(f"<style>.st-key-strip{{--periods:{len(listed)}}}</style>")
            st.html(situation.time_bars(of, view, listed))
            with st.container(key="strip-slider"):
                controls.slider(listed, view)
            st.html(strip.years(listed))
    with st.container(key="strip-mode"):
        controls.projector(view)
