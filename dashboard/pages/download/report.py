"""The tables for standards on the Download page, in a ZIP file that is made when the reader asks for it."""

from __future__ import annotations

import tempfile
from functools import lru_cache, partial
from pathlib import Path

import streamlit as st

from dashboard.pages.download import files
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, find_language, speak, translate
from dashboard.widgets import markup
from dashboard.widgets.page_frame import offer_file
from geo import export
from geo.export.report import write_report
from geo.export.standards import STANDARDS, offers_tables
from geo.layers.output import terms


def show_report(current: CurrentRelease) -> None:
    """Offer the tables of a standard, if the release has numbers for them."""
    if offers_tables(current.release):
        with st.container(border=True, key="report"):
            _show_choice(current)


def _show_choice(current: CurrentRelease) -> None:
    """Ask for a standard and offer its tables.

    If the reader may not download files, show the command with which a data officer writes partner files instead.
    """
    sentence = _(
        "For national rapporteurs and donors: children of each country and year, with margins and a crosswalk."
    )
    st.html(markup.render_question(_("Tables for a standard"), sentence))
    names = {name: standard.name for name, standard in STANDARDS.items()}
    chosen = st.selectbox(_("Standard"), list(names), format_func=names.__getitem__, key="report-standard")
    st.caption(_(STANDARDS[chosen].about))
    if not current_release.may_download(current.release):
        st.caption(files.explain_command())
        st.code(files.format_command("report", f" --standard {chosen}"), language=None, wrap_lines=True)
        return
    stem = terms.name_files(current.release, invented=current.release.invented)
    make = partial(make_report, current, chosen, find_language())
    name = f"{stem}-{chosen}.zip"
    offer_file(_("Download the tables in a ZIP file"), make, current, name, "application/zip", key="download-report")


@lru_cache(maxsize=4)
def make_report(current: CurrentRelease, standard: str, language: str) -> bytes:
    """Return the ZIP file of a standard's tables, with explanations in a language."""
    with files.MAKING, speak(language), tempfile.TemporaryDirectory(prefix="tact-report-") as folder:
        return export.pack_files(write_report(current.release, Path(folder), STANDARDS[standard], translate))
