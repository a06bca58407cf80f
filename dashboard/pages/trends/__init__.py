"""Series of an area: what was met and how much was looked, changes, breaks, and what comes next."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative.evaluation import format_verdict, is_beaten
from dashboard.pages.trends import charts, summary
from dashboard.site import current_release, site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, said
from dashboard.widgets import address, markup, page_frame


def show() -> None:
    """Draw the page."""
    current = current_release.open_current_release(site())
    if current is None:
        page_frame.empty()
        return
    st.title(_("Trends"), anchor=False)
    if "encounters" not in current_release.list_levels(current):
        st.html(markup.paragraphs([_("This release holds published figures alone, which make no series.")]))
        return
    st.fragment(_public if current.tier == "public" else _partner)(current)
    _statements(current)


def _public(current: CurrentRelease) -> None:
    area = address.menu("area", _("Area"), summary.areas(current), summary.places(current))
    met = summary.met(current, area, "all")
    with st.container(width=_YEARS):
        st.altair_chart(charts.met(met, met.head(0), {}), width="stretch")
        st.html(markup.paragraphs(["; ".join(charts.signs([met]))]))
        st.html(markup.table(summary.yearly(current, area)))
        st.html(markup.paragraphs([_("Outreach stands in classes: whoever looks more finds more.")]))


def _partner(current: CurrentRelease) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        pathway = address.segments("of", _("Pathway"), summary.pathways(current))
        area = address.menu("area", _("Area"), summary.areas(current), summary.places(current))
    met, days = summary.met(current, area, pathway), summary.effort(current, area)
    ahead, shares = summary.expected(current, area, pathway), summary.share(current, area)
    manifest = current_release.read_risk_manifest(current)
    breaks = summary.breaks(current, area, pathway) if manifest else {}
    periods = [*met["period"], *ahead["period"]]
    st.altair_chart(charts.met(met, ahead, breaks), width="stretch")
    st.altair_chart(charts.effort(days, periods, last=shares.empty), width="stretch")
    if len(shares):
        st.altair_chart(charts.share(shares, periods), width="stretch")
    st.html(markup.paragraphs(["; ".join([_(_LINES), *charts.signs([met, days])]) + "."]))
    if manifest and is_beaten(manifest.evaluation):
        st.warning(said(format_verdict(manifest.evaluation)))
    _section(_("Changes here"))
    st.html(markup.listed([*breaks.values(), *summary.changes(current, area), _(_EFFORT)]))
    with st.expander(_("Table")):
        st.dataframe(summary.table(current, area, pathway), hide_index=True)


_YEARS = 640  # pixels: few bars need no more
_LINES = (
    "Thin lines hold the true number of children met, whatever the noise added, and of what is expected 80 % "
    "of what the model thinks possible; the band around the share holds 95 %"
)
_EFFORT = "More outreach finds more children: read every change with the days beneath it."


def _statements(current: CurrentRelease) -> None:
    sure, others = summary.shifts(current)
    if sure or others:
        _section(_("Has trafficking inside the country become a larger share?"))
        st.html(markup.paragraphs([_(_SHIFTS)]))
        st.html(markup.listed(sure))
        with st.expander(_("Areas where it did not clearly change")):
            st.html(markup.listed(others))
    elif current.tier == "partner" and current_release.read_risk_manifest(current) is None:
        page_frame.without_risk()


_SHIFTS = (
    "The last year against the first, from the published counts, allowing for their noise and for looking at "
    "them again each quarter."
)


def _section(title: str) -> None:
    st.header(title, anchor=False)
