"""What the risk model says: where, why, how sure, and how well it has predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import caterpillar, frame, picking, predicted, prose, reading, riskcard, riskpage
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
    st.title(_("Risk"), anchor=False)
    told = riskpage.manifest(of)
    if told is None:
        frame.without_risk()
        return
    st.html(prose.paragraphs([_(_QUESTION), _(_NEVER)]))
    if of.tier == "public":
        _public(of, told)
    else:
        _partner(of, told)


_QUESTION = "Where are more children met than people and outreach explain, and is that changing?"
_NEVER = "It scores areas and periods, never a person, a settlement or a community."


def _public(of: Held, told: Mapping[str, Any]) -> None:
    st.html(prose.paragraphs([_(_CLASSES), _(_PUBLIC)]))
    st.html(prose.table(riskpage.by_year(of)))
    _section(_("What it reads, and what it never reads"))
    st.html(prose.listed(riskcard.limits(told)))


_CLASSES = (
    "Low: less than two thirds of the country's rate. Average: up to one and a half times. High: more than "
    "that. Very high: more than two and a quarter times. A class is named where it is at least 80 % sure."
)
_PUBLIC = (
    "These classes are worked out from the public numbers alone, which is why they are few: most say that it "
    "cannot tell. That is no low risk."
)


def _partner(of: Held, told: Mapping[str, Any]) -> None:
    found = predicted.evaluation(of)
    if predicted.beaten(found):
        st.warning(said(predicted.words(found)))
        st.caption(
            _("Children each quarter by the historical mean; in brackets, 80 % of what it holds possible.")
        )
        st.dataframe(predicted.instead(of), hide_index=True)
    with st.container(border=True, key="headlines"):
        st.html(prose.listed(riskpage.headlines(of)))
        st.html(prose.to_reallocate())
    st.fragment(_rates)(of)
    _section(_("How well it has predicted"))
    _prediction(found)
    _section(_("The model and its safeguards"))
    with st.expander(_("What it reads, what it never reads, and how it is checked")):
        _card(of, told)


def _rates(of: Held) -> None:
    _section(_("Rates of areas, within each country"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        pathway = picking.segments("pathway", _("Pathway"), riskpage.pathways())
        area = picking.menu("area", _("Area"), riskpage.areas(of), riskpage.most(of, pathway))
    rated = riskpage.rated(of, pathway)
    st.html(caterpillar.key())
    columns = st.columns(2, gap="medium")
    for column, (code, name) in zip(columns, riskpage.countries(of).items(), strict=True):
        with column:
            st.altair_chart(caterpillar.drawn(rated[rated["country"] == code], name, area), width="stretch")
    with st.expander(_("Table")):
        st.dataframe(riskpage.table(of, pathway), hide_index=True)
    with st.container(border=True, key="why"):
        st.html(prose.paragraphs(riskpage.why(of, pathway, area)))
        st.html(prose.definitions(riskpage.reasons(of, pathway, area)))
    _section(_("Clusters"))
    clusters = riskpage.clusters(of, pathway)
    if clusters.empty:
        st.html(prose.paragraphs([_("On this pathway no areas stand out together.")]))
        return
    st.html(prose.paragraphs([_(_CLUSTERS)]))
    st.html(prose.table(clusters))


_CLUSTERS = (
    "Areas side by side where more children were met than people and outreach explain. A cluster is a place "
    "to ask about, not a finding: p says how often chance alone would bring one as strong."
)


def _prediction(found: Mapping[str, Any]) -> None:
    if not found:
        st.html(prose.paragraphs([_("It has not been measured yet. A data officer runs:")]))
        st.code("tact risk --evaluate", language=None)
        return
    st.html(prose.paragraphs([predicted.words(found)]))
    left, right = st.columns(2, gap="medium")
    left.altair_chart(predicted.calibration(found), width="stretch")
    left.caption(_("Bars: how many counts lay within the interval. Dark marks: how many should."))
    right.altair_chart(predicted.hits(found), width="stretch")
    right.caption(_("One quarter ahead, a fifth of the areas of each country; lines hold 95 %."))
    with st.expander(_("Mean error of each forecast (CRPS, in children; smaller is better)")):
        st.html(prose.table(predicted.scores(found)))


def _card(of: Held, told: Mapping[str, Any]) -> None:
    st.html(prose.definitions(riskcard.facts(told)))
    st.html(prose.listed(riskcard.limits(told)))
    st.html(prose.listed([riskcard.proxy_words(told), *riskcard.feedback(told)]))
    st.html(prose.narrow(prose.table(riskcard.proxy(of, told))))


def _section(title: str) -> None:
    st.header(title, anchor=False)
