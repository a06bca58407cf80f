"""How each number is made, its limits, and how children are protected; with this release's own numbers."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard import frame, howmade, prose
from dashboard.access import site
from dashboard.reading import held
from dashboard.text import _
from data.release import Release
from geo.layers import terms

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    of = held(site())
    if of is None:
        frame.empty()
        return
    release = of.release
    st.title(_("Method"), anchor=False)
    st.html(prose.paragraphs([_(terms.TIERS[release.tier])]))
    st.html(prose.definitions(howmade.key_facts(release)))
    _section(_("From a record to a number"), prose.steps(howmade.steps()))
    _section(_("Noise, and what is hidden"), prose.listed(howmade.noise_words(release)))
    _noise(release)
    _section(_("What the data are not"), prose.listed(howmade.not_meant()))
    _section(_("Protection of children and communities"), prose.listed(howmade.data_protection()))
    _section(_("Layers"), prose.table(howmade.layers(release)))
    _section(_("Areas and boundaries"), prose.paragraphs(howmade.boundaries(release)))
    _section(_("Time"), prose.paragraphs([howmade.period_words(release)]))
    _section(_("Sources and licences"), prose.table(howmade.sources(release)))
    _section(_("Citation"))
    st.code(terms.citation(release), language=None, wrap_lines=True)


def _section(title: str, content: Markup | None = None) -> None:
    st.header(title, anchor=False)
    if content:
        st.html(content)


def _noise(release: Release) -> None:
    rows = howmade.noise(release)
    if len(rows):
        with st.container(horizontal=True):
            for chart in howmade.chances(rows):
                st.altair_chart(chart, width="content")
        st.caption(howmade.chance_words(release))
    table = howmade.hidden(release)
    if len(table):
        with st.expander(_("What share of each table is shown")):
            st.dataframe(table, hide_index=True)
