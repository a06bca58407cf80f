"""Series of an area: what was met and how much was looked, changes, breaks, and what comes next."""

from __future__ import annotations

import streamlit as st

from dashboard.pages.risk import evaluation
from dashboard.pages.trends import charts, summary
from dashboard.site import current_release, site
from dashboard.site.current_release import Held
from dashboard.site.text import _, said
from dashboard.widgets import address, markup, page_frame

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    of = current_release.held(site())
    if of is None:
        page_frame.empty()
        return
    st.title(_("Trends"), anchor=False)
    if "encounters" not in current_release.levels(of):
        st.html(markup.paragraphs([_("This release holds published figures alone, which make no series.")]))
        return
    st.fragment(_public if of.tier == "public" else _partner)(of)
    _statements(of)


def _public(of: Held) -> None:
    area = address.menu("area", _("Area"), summary.areas(of), summary.places(of))
    met = summary.met(of, area, "all")
    with st.container(width=_YEARS):
        st.altair_chart(charts.met(met, met.head(0), ()), width="stretch")
        st.html(markup.paragraphs(["; ".join(charts.signs([met]))]))
        st.html(markup.table(summary.yearly(of, area)))
        st.html(markup.paragraphs([_("Outreach stands in classes: whoever looks more finds more.")]))


def _partner(of: Held) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        pathway = address.segments("of", _("Pathway"), summary.pathways(of))
        area = address.menu("area", _("Area"), summary.areas(of), summary.places(of))
    met, days = summary.met(of, area, pathway), summary.effort(of, area)
    ahead, shares = summary.expected(of, area, pathway), summary.share(of, area)
    breaks = summary.breaks(of, area, pathway) if current_release.read_risk_manifest(of) else []
    periods = [*met["period"], *ahead["period"]]
    st.altair_chart(charts.met(met, ahead, breaks), width="stretch")
    st.altair_chart(charts.effort(days, periods, last=shares.empty), width="stretch")
    if len(shares):
        st.altair_chart(charts.share(shares, periods), width="stretch")
    st.html(markup.paragraphs(["; ".join([_(_LINES), *charts.signs([met, days])]) + "."]))
    if evaluation.beaten(evaluation.evaluation(of)):
        st.warning(said(evaluation.words(evaluation.evaluation(of))))
    _section(_("Changes here"))
    st.html(markup.listed([*(one.words for one in breaks), *summary.changes(of, area), _(_EFFORT)]))
    with st.expander(_("Table")):
        st.dataframe(summary.table(of, area, pathway), hide_index=True)


_YEARS = 640  # pixels: few bars need no more
_LINES = (
    "Thin lines hold the true number of children met, whatever the noise added, and of what is expected 80 % "
    "of what the model thinks possible; the band around the share holds 95 %"
)
_EFFORT = "More outreach finds more children: read every change with the days beneath it."


def _statements(of: Held) -> None:
    sure, others = summary.shifts(of)
    if sure or others:
        _section(_("Has trafficking inside the country become a larger share?"))
        st.html(markup.paragraphs([_(_SHIFTS)]))
        st.html(markup.listed(sure))
        with st.expander(_("Areas where it did not clearly change")):
            st.html(markup.listed(others))
    elif of.tier == "partner" and current_release.read_risk_manifest(of) is None:
        page_frame.without_risk()


_SHIFTS = (
    "The last year against the first, from the published counts, allowing for their noise and for looking at "
    "them again each quarter."
)


def _section(title: str) -> None:
    st.header(title, anchor=False)
