"""The Risk page: where rates are high, why, how certain that is, and how well the model has predicted."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative import model_card, track_record
from dashboard.narrative import risk as narrative
from dashboard.narrative.detection import INTERVALS, describe_intervals, describe_share_found
from dashboard.narrative.evaluation import format_verdict, is_beaten
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.risk import chart, evaluation, summary
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import address, markup, page_frame
from risk.report.manifest import EvaluationSummary, RiskManifest


def show() -> None:
    """Show the page."""
    current = current_release.open_current_release(read_site())
    if current is None:
        page_frame.show_no_release()
        return
    st.title(_("Risk"), anchor=False)
    manifest = current_release.read_risk_manifest(current)
    if manifest is None:
        page_frame.show_no_risk()
        return
    st.html(markup.render_paragraphs([_(_QUESTION), _(_NEVER)]))
    if current.tier == "public":
        _show_public(current, manifest)
    else:
        _show_partner(current, manifest)


_QUESTION = "Where are more children identified or met than population and outreach explain, and is this changing?"
_NEVER = "It describes areas and periods, never a person, a settlement or a community."


def _show_public(current: CurrentRelease, manifest: RiskManifest) -> None:
    st.html(markup.render_paragraphs([_(_CLASSES), _(_PUBLIC)]))
    st.html(markup.render_table(summary.tabulate_years(current)))
    _show_section(_("What the model uses, and what it never uses"))
    st.html(markup.render_list(model_card.list_limits(speak_to_reader(current), manifest.card)))


_CLASSES = (
    "Low: less than two thirds of the national average. Average: up to one and a half times. High: "
    "more than that. Very high: more than two and a quarter times."
)
_PUBLIC = (
    "These classes are calculated from public numbers only, so most of them are “cannot tell”. It "
    "does not mean low risk."
)


def _show_partner(current: CurrentRelease, manifest: RiskManifest) -> None:
    if is_beaten(manifest.evaluation):
        st.warning(escape_markdown(format_verdict(manifest.evaluation)))
        st.caption(_("Children per quarter by the historical average, with its 80 % interval in brackets."))
        st.dataframe(evaluation.tabulate_forecast(current), hide_index=True)
    with st.container(border=True, key="headlines"):
        st.html(markup.render_list(summary.list_headlines(current)))
        st.html(markup.link_reallocate())
    st.fragment(_show_rates)(current)
    _show_section(_("How well it has predicted"))
    _show_prediction(manifest.evaluation)
    _show_section(_("Forecasts that were registered"))
    _show_record(current, manifest)
    _show_section(_("The model and its safeguards"))
    names = current_release.read_country_names(current)
    intervals = describe_intervals(current_release.read_table(current, INTERVALS), names)
    share = describe_share_found(manifest.card, names, current.release)
    st.html(markup.render_list([*intervals, *share]))
    with st.expander(_("What the model uses, what it never uses, and how it is checked")):
        _show_card(current, manifest)


def _show_rates(current: CurrentRelease) -> None:
    _show_section(_("Rates of areas, within each country"))
    pathway = address.read_pathway(list(narrative.name_pathways()))
    area = address.find_area(current, summary.name_areas(current), summary.find_highest_area(current, pathway))
    rated = narrative.read_area_rates(current, pathway)
    st.html(chart.render_key())
    columns = st.columns(2, gap="medium")
    for column, (code, name) in zip(columns, current_release.read_country_names(current).items(), strict=True):
        with column:
            st.altair_chart(chart.draw_rates(rated[rated["country"] == code], name, area), width="stretch")
    st.html(markup.render_paragraphs([summary.name_unjudged(current)]))
    with st.expander(_("Table")):
        st.dataframe(summary.tabulate_rates(current, pathway), hide_index=True)
    with st.container(border=True, key="why"):
        st.html(markup.render_paragraphs(summary.explain_statement(current, pathway, area)))
        st.html(markup.render_definitions(summary.list_reasons(current, pathway, area)))
    municipalities = summary.tabulate_municipalities(current, pathway, area)
    if len(municipalities):
        with st.expander(_("Municipalities of {area}", area=summary.name_areas(current)[area])):
            st.html(markup.render_paragraphs([_(_INSIDE)]))
            st.dataframe(municipalities, hide_index=True)
    _show_section(_("Clusters"))
    st.html(markup.render_paragraphs([_(_CLUSTERS)]))
    clusters = summary.tabulate_clusters(current, pathway)
    if clusters is None:
        st.html(markup.render_paragraphs([_(_OLD_CLUSTERS)]))
    elif clusters.empty:
        st.html(markup.render_paragraphs([_(_NO_CLUSTER)]))
    else:
        st.html(markup.render_table(clusters))


_INSIDE = (
    "The municipalities share the number of children in need, the trend and the change over a year of their county or "
    "region. Where few were found or searched for, nothing more is known of a municipality than its average."
)
_CLUSTERS = (
    "A cluster is a group of neighbouring areas where, together, more children were identified or met than "
    "population and outreach explain. It says something of the group: a single area in it may have no more than "
    "expected. It is a reason to ask questions, not a proof."
)
_NO_CLUSTER = (
    "For this pathway there is no cluster beyond what chance explains, and that some areas find a larger share of "
    "the children who are there than others."
)
_OLD_CLUSTERS = (
    "These results come from an earlier version, whose search found too many clusters. A data officer can run the "
    "model again:  tact risk"
)


def _show_prediction(measured: EvaluationSummary | None) -> None:
    if measured is None:
        st.html(markup.render_paragraphs([_("It has not been tested yet. A data officer can do that:")]))
        st.code("tact risk --evaluate", language=None)
        return
    st.html(markup.render_paragraphs([format_verdict(measured)]))
    left, right = st.columns(2, gap="medium")
    left.altair_chart(evaluation.draw_calibration(measured), width="stretch")
    left.caption(_("Bars: share of counts inside the interval. Dark marks: the share that should be inside."))
    right.altair_chart(evaluation.draw_hits(measured), width="stretch")
    right.caption(_("For the next quarter, a fifth of the areas of each country. Lines: 95 % interval."))
    with st.expander(_("Average error of each forecast, in children (smaller is better)")):
        st.html(markup.render_table(evaluation.tabulate_scores(measured)))


def _show_record(current: CurrentRelease, manifest: RiskManifest) -> None:
    if manifest.ledger_problem:
        st.warning(escape_markdown(manifest.ledger_problem))
        return
    record = manifest.track_record
    st.html(markup.render_list(track_record.list_sentences(record)))
    if record is None:
        return
    st.html(markup.render_table(track_record.tabulate_record(record)))
    with st.expander(_("Areas, and where numbers lay in their forecast")):
        st.caption(_(_STROKE, best=record.verdict.baseline))
        st.html(markup.render_table(track_record.tabulate_areas(record, current_release.read_area_names(current))))
        st.html(markup.render_narrow(markup.render_table(track_record.tabulate_transform(record))))
    st.caption(_(_PUBLISHED))


_STROKE = (
    "Before the stroke the risk model, behind it “{best}”. Mean place: where numbers lay in their forecast, from 0 to "
    "1; .5 on average if it is right. An area has few numbers: do not rank areas by them."
)
_PUBLISHED = (
    "Log score: larger is better. Interval score, CRPS and top five: smaller is better. Top five is the mean squared "
    "error of the chance that an area is among the five of its country with most children in a year. Forecasts are of "
    "published numbers, with their noise, and are compared with published numbers, never with the children themselves."
)


def _show_card(current: CurrentRelease, manifest: RiskManifest) -> None:
    st.html(markup.render_definitions(model_card.list_facts(manifest)))
    st.html(markup.render_list(model_card.list_limits(speak_to_reader(current), manifest.card)))
    st.html(markup.render_list(model_card.list_safeguards(manifest)))
    st.html(markup.render_narrow(markup.render_table(model_card.tabulate_checks(current, manifest.checks or ()))))


def _show_section(title: str) -> None:
    st.header(title, anchor=False)
