"""The Download page: the choice of layers and format, and what the files contain."""

from __future__ import annotations

import streamlit as st

from dashboard.pages.download import files, form
from dashboard.pages.download.atlas import show_atlas
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, open_current_release
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from geo.layers.output import terms


def show() -> None:
    """Show the page."""
    current = open_current_release(read_site())
    if current is None:
        page_frame.show_no_release()
        return
    st.title(_("Download"), anchor=False)
    _show_page(current)
    show_atlas(current)
    st.header(_("What the states mean"), anchor=False)
    st.html(markup.render_table(files.tabulate_states(current.release)))


@st.fragment
def _show_page(current: CurrentRelease) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        layers = form.choose_layers(current)
    with right, st.container(border=True):
        _show_terms(current)
    if layers:
        st.header(_("What is in it"), anchor=False)
        st.html(markup.render_table(files.tabulate_contents(current.release, layers)))
        shown = st.selectbox(_("First rows of"), layers, format_func=form.name_layer, width=320)
        st.dataframe(files.preview_layer(current.release, shown or layers[0]))


def _show_terms(current: CurrentRelease) -> None:
    st.html(markup.render_paragraphs(files.list_terms(current.release)))
    st.caption(_("Cite it as"))
    st.code(terms.format_citation(current.release), language=None, wrap_lines=True)
