"""Series of an area: what was met and how much was looked, changes, breaks, and what comes next."""

from __future__ import annotations

import streamlit as st

from dashboard import frame, picking, predicted, prose, reading, riskpage, series, trendspage
from dashboard.access import site
from dashboard.reading import Held
from dashboard.text import _, said

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    of = reading.held(site())
    if of is None:
        frame.empty()
        return
    st.title(_("Trends"), anchor=False)
    if "encounters" not in reading.levels(of):
        st.html(prose.paragraphs([_("This release holds published figures alone, which make no series.")]))
        return
    st.fragment(_public if of.tier == "public" else _partner)(of)
    _statements(of)


def _public(of: Held) -> None:
    area = picking.menu("area", _("Area"), trendspage.areas(of), trendspage.places(of))
    met = trendspage.met(of, area, "all")
    with st.container(width=_YEARS):
        st.altair_chart(series.met(met, met.head(0), ()), width="stretch")
        st.html(prose.paragraphs(["; ".join(series.signs([met]))]))
        st.html(prose.table(trendspage.yearly(of, area)))
        st.html(prose.paragraphs([_("Outreach stands in classes: whoever looks more finds more.")]))


def _partner(of: Held) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        pathway = picking.segments("of", _("Pathway"), trendspage.pathways(of))
        area = picking.menu("area", _("Area"), trendspage.areas(of), trendspage.places(of))
    met, days = trendspage.met(of, area, pathway), trendspage.effort(of, area)
    ahead, shares = trendspage.expected(of, area, pathway), trendspage.share(of, area)
    breaks = trendspage.breaks(of, area, pathway) if riskpage.manifest(of) else []
    periods = [*met["period"], *ahead["period"]]
    st.altair_chart(series.met(met, ahead, breaks), width="stretch")
    st.altair_chart(series.effort(days, periods, last=shares.empty), width="stretch")
    if len(shares):
        st.altair_chart(series.share(shares, periods), width="stretch")
    st.html(prose.paragraphs(["; ".join([_(_LINES), *series.signs([met, days])]) + "."]))
    if predicted.beaten(predicted.evaluation(of)):
        st.warning(said(predicted.words(predicted.evaluation(of))))
    _section(_("Changes here"))
    st.html(prose.listed([*(one.words for one in breaks), *trendspage.changes(of, area), _(_EFFORT)]))
    with st.expander(_("Table")):
        st.dataframe(trendspage.table(of, area, pathway), hide_index=True)


_YEARS = 640  # pixels: few bars need no more
_LINES = (
    "Thin lines hold the true number of children met, whatever the noise added, and of what is expected 80 % "
    "of what the model thinks possible; the band around the share holds 95 %"
)
_EFFORT = "More outreach finds more children: read every change with the days beneath it."


def _statements(of: Held) -> None:
    sure, others = trendspage.shifts(of)
    if sure or others:
        _section(_("Has trafficking inside the country become a larger share?"))
        st.html(prose.paragraphs([_(_SHIFTS)]))
        st.html(prose.listed(sure))
        with st.expander(_("Areas where it did not clearly change")):
            st.html(prose.listed(others))
    elif of.tier == "partner" and riskpage.manifest(of) is None:
        frame.without_risk()


_SHIFTS = (
    "The last year against the first, from the published counts, allowing for their noise and for looking at "
    "them again each quarter."
)


def _section(title: str) -> None:
    st.header(title, anchor=False)
