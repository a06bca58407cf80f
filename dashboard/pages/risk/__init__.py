"""What the risk model says: where, why, how sure, and how well it has predicted."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative import model_card
from dashboard.narrative import risk as narrative
from dashboard.narrative.evaluation import format_verdict, is_beaten
from dashboard.pages.risk import chart, evaluation, summary
from dashboard.site import current_release, site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, said
from dashboard.widgets import address, markup, page_frame
from risk.report.manifest import EvaluationSummary, RiskManifest


def show() -> None:
    """Draw the page."""
    current = current_release.open_current_release(site())
    if current is None:
        page_frame.empty()
        return
    st.title(_("Risk"), anchor=False)
    manifest = current_release.read_risk_manifest(current)
    if manifest is None:
        page_frame.without_risk()
        return
    st.html(markup.paragraphs([_(_QUESTION), _(_NEVER)]))
    if current.tier == "public":
        _public(current, manifest)
    else:
        _partner(current, manifest)


_QUESTION = "Where are more children met than people and outreach explain, and is that changing?"
_NEVER = "It scores areas and periods, never a person, a settlement or a community."


def _public(current: CurrentRelease, manifest: RiskManifest) -> None:
    st.html(markup.paragraphs([_(_CLASSES), _(_PUBLIC)]))
    st.html(markup.table(summary.by_year(current)))
    _section(_("What it reads, and what it never reads"))
    st.html(markup.listed(model_card.list_limits(manifest.card)))


_CLASSES = (
    "Low: less than two thirds of the country's rate. Average: up to one and a half times. High: more than "
    "that. Very high: more than two and a quarter times. A class is named where it is at least 80 % sure."
)
_PUBLIC = (
    "These classes are worked out from the public numbers alone, which is why they are few: most say that it "
    "cannot tell. That is no low risk."
)


def _partner(current: CurrentRelease, manifest: RiskManifest) -> None:
    if is_beaten(manifest.evaluation):
        st.warning(said(format_verdict(manifest.evaluation)))
        st.caption(
            _("Children each quarter by the historical mean; in brackets, 80 % of what it holds possible.")
        )
        st.dataframe(evaluation.tabulate_forecast(current), hide_index=True)
    with st.container(border=True, key="headlines"):
        st.html(markup.listed(summary.headlines(current)))
        st.html(markup.to_reallocate())
    st.fragment(_rates)(current)
    _section(_("How well it has predicted"))
    _prediction(manifest.evaluation)
    _section(_("The model and its safeguards"))
    with st.expander(_("What it reads, what it never reads, and how it is checked")):
        _card(current, manifest)


def _rates(current: CurrentRelease) -> None:
    _section(_("Rates of areas, within each country"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        pathway = address.segments("pathway", _("Pathway"), narrative.name_pathways())
        area = address.menu("area", _("Area"), summary.areas(current), summary.most(current, pathway))
    rated = narrative.read_area_rates(current, pathway)
    st.html(chart.key())
    columns = st.columns(2, gap="medium")
    for column, (code, name) in zip(
        columns, current_release.read_country_names(current).items(), strict=True
    ):
        with column:
            st.altair_chart(chart.drawn(rated[rated["country"] == code], name, area), width="stretch")
    with st.expander(_("Table")):
        st.dataframe(summary.table(current, pathway), hide_index=True)
    with st.container(border=True, key="why"):
        st.html(markup.paragraphs(summary.why(current, pathway, area)))
        st.html(markup.definitions(summary.reasons(current, pathway, area)))
    _section(_("Clusters"))
    clusters = summary.clusters(current, pathway)
    if clusters.empty:
        st.html(markup.paragraphs([_("On this pathway no areas stand out together.")]))
        return
    st.html(markup.paragraphs([_(_CLUSTERS)]))
    st.html(markup.table(clusters))


_CLUSTERS = (
    "Areas side by side where more children were met than people and outreach explain. A cluster is a place "
    "to ask about, not a finding: p says how often chance alone would bring one as strong."
)


def _prediction(measured: EvaluationSummary | None) -> None:
    if measured is None:
        st.html(markup.paragraphs([_("It has not been measured yet. A data officer runs:")]))
        st.code("tact risk --evaluate", language=None)
        return
    st.html(markup.paragraphs([format_verdict(measured)]))
    left, right = st.columns(2, gap="medium")
    left.altair_chart(evaluation.draw_calibration(measured), width="stretch")
    left.caption(_("Bars: how many counts lay within the interval. Dark marks: how many should."))
    right.altair_chart(evaluation.draw_hits(measured), width="stretch")
    right.caption(_("One quarter ahead, a fifth of the areas of each country; lines hold 95 %."))
    with st.expander(_("Mean error of each forecast (CRPS, in children; smaller is better)")):
        st.html(markup.table(evaluation.tabulate_scores(measured)))


def _card(current: CurrentRelease, manifest: RiskManifest) -> None:
    st.html(markup.definitions(model_card.list_facts(manifest)))
    st.html(markup.listed(model_card.list_limits(manifest.card)))
    st.html(markup.listed(model_card.list_safeguards(manifest)))
    st.html(markup.narrow(markup.table(model_card.tabulate_checks(current, manifest.checks or ()))))


def _section(title: str) -> None:
    st.header(title, anchor=False)
