"""Taking layers away: which ones, in which format, and what goes with them."""

from __future__ import annotations

import streamlit as st

from dashboard.pages.download import files, form
from dashboard.site import site
from dashboard.site.current_release import CurrentRelease, open_current_release
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from geo.layers.output import terms

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    current = open_current_release(site())
    if current is None:
        page_frame.empty()
        return
    st.title(_("Download"), anchor=False)
    _page(current)
    st.header(_("What the states mean"), anchor=False)
    st.html(markup.table(files.states(current.release)))


@st.fragment
def _page(current: CurrentRelease) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        layers = form.choose(current)
    with right, st.container(border=True):
        _terms(current)
    if layers:
        st.header(_("What is in it"), anchor=False)
        st.html(markup.table(files.contents(current.release, layers)))
        shown = st.selectbox(_("First rows of"), layers, format_func=form.title, width=320)
        st.dataframe(files.preview(current.release, shown or layers[0]))


def _terms(current: CurrentRelease) -> None:
    st.html(markup.paragraphs(files.terms_of_use(current.release)))
    st.caption(_("Cite it as"))
    st.code(terms.citation(current.release), language=None, wrap_lines=True)
