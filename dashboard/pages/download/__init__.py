"""Taking layers away: which ones, in which format, and what goes with them."""

from __future__ import annotations

import streamlit as st

from dashboard.pages.download import files, form
from dashboard.site import site
from dashboard.site.current_release import Held, held
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from geo.layers.output import terms

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    of = held(site())
    if of is None:
        page_frame.empty()
        return
    st.title(_("Download"), anchor=False)
    _page(of)
    st.header(_("What the states mean"), anchor=False)
    st.html(markup.table(files.states(of.release)))


@st.fragment
def _page(of: Held) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        layers = form.choose(of)
    with right, st.container(border=True):
        _terms(of)
    if layers:
        st.header(_("What is in it"), anchor=False)
        st.html(markup.table(files.contents(of.release, layers)))
        shown = st.selectbox(_("First rows of"), layers, format_func=form.title, width=320)
        st.dataframe(files.preview(of.release, shown or layers[0]))


def _terms(of: Held) -> None:
    st.html(markup.paragraphs(files.terms_of_use(of.release)))
    st.caption(_("Cite it as"))
    st.code(terms.citation(of.release), language=None, wrap_lines=True)
