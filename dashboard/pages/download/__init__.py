"""The Download page: layers in a format, the map in one file, tables for a standard, and what the files contain."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.pages.download import files, form, live
from dashboard.pages.download.atlas import show_atlas
from dashboard.pages.download.check import show_check
from dashboard.pages.download.report import show_report
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from geo.layers.output import terms


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    st.title(_("Download"), anchor=False)
    page_frame.show_part(_show_page, current)
    with st.expander(_("Terms and citation")):
        st.html(markup.render_paragraphs(files.list_terms(current.release)))
        st.caption(_("Cite it as"))
        st.code(terms.format_citation(current.release), language=None, wrap_lines=True)
        if current_release.may_download(current.release):
            page_frame.offer_file(
                _("Download the citation for reference lists and catalogues"),
                partial(files.pack_records, current.release),
                current,
                f"{terms.name_files(current.release, invented=current.release.invented)}-records.zip",
                "application/zip",
                help=_("CITATION.cff, BibTeX, DCAT-AP and ISO 19115 in a ZIP file."),
            )
    with st.expander(_("What the states mean")):
        st.html(markup.render_table(files.tabulate_states(current.release)))


def _show_page(current: CurrentRelease) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        layers = form.choose_layers(current)
        live.show_address(current)
    with right:
        with st.container(border=True, key="atlas"):
            show_atlas(current)
            st.html(markup.render_paragraphs(files.list_terms(current.release)[:2]))
        show_report(current)
    if layers:
        with st.expander(_("What is in it")):
            st.html(markup.render_table(files.tabulate_contents(current.release, layers)))
            shown = st.selectbox(_("First rows of"), layers, format_func=form.name_layer, width=320)
            st.dataframe(files.preview_layer(current.release, shown or layers[0]))
    show_check(current)
