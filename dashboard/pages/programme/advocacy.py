"""The register of policies and advocacy on the Programme page: what, where, its status, since when, and the source."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.narrative.speech import make_legible
from dashboard.pages.programme.summary import name_bearers
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, load_areas, may_download, read_area_names
from dashboard.site.text import _, format_day
from dashboard.widgets import markup, page_frame
from data.personal.free_text import LONGEST
from geo.export import encode_csv
from geo.layers.output import terms
from risk.handover.advocacy import STATUSES, AdvocacyEntry, read_policies


def show_advocacy(current: CurrentRelease, country: str) -> None:
    """Show the entries of a country, and offer them as a file; without entries, say how to add some."""
    st.header(_("Policies and advocacy"), anchor=False)
    rows = load_areas(current.release).rows
    entries = [
        entry
        for entry in read_policies(read_site().derived)
        if entry.area in rows and (rows[entry.area]["country"] or entry.area) == country
    ]
    if not entries:
        page_frame.show_text(_("The register has no entry of this country. A data officer adds them:"))
        st.code("tact advocacy template --to FILE.csv\ntact advocacy import FILE.csv", language=None)
        return
    table = tabulate_advocacy(current, entries)
    st.html(markup.render_table(table))
    if may_download(current.release):
        name = f"{terms.name_files(current.release, invented=current.release.invented)}-advocacy-{country}.csv"
        label = _("Download the register (CSV)")
        content = encode_csv(table)
        page_frame.offer_file(label, partial(bytes, content), current, name, "text/csv", key="download-advocacy")


def tabulate_advocacy(current: CurrentRelease, entries: list[AdvocacyEntry]) -> pd.DataFrame:
    """Return the entries in words, one in each row, in their order."""
    names, bearers = read_area_names(current), name_bearers()
    listed = [
        (
            make_legible(entry.what, LONGEST),
            names[entry.area],
            _(STATUSES[entry.status]),
            format_day(dt.date.fromisoformat(entry.date)),
            bearers.get(entry.duty_bearer, ""),
            make_legible(entry.source, LONGEST),
        )
        for entry in entries
    ]
    columns = [_("What"), _("Where"), _("Status"), _("Since"), _("Duty bearer"), _("Source")]
    return pd.DataFrame(listed, columns=columns)
