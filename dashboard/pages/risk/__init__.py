"""The Risk page: where rates are high, why, how sure that is, and how well the model has predicted."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative import model_card
from dashboard.narrative import risk as narrative
from dashboard.narrative.evaluation import format_verdict, is_beaten
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
        _public(current, manifest)
    else:
        _partner(current, manifest)


_QUESTION = "Where are more children met than people and outreach explain, and is that changing?"
_NEVER = "It scores areas and periods, never a person, a settlement or a community."


def _public(current: CurrentRelease, manifest: RiskManifest) -> None:
    st.html(markup.render_paragraphs([_(_CLASSES), _(_PUBLIC)]))
    st.html(markup.render_table(summary.tabulate_years(current)))
    _section(_("What it reads, and what it never reads"))
    st.html(markup.render_list(model_card.list_limits(manifest.card)))


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
        st.warning(escape_markdown(format_verdict(manifest.evaluation)))
        st.caption(
            _("Children each quarter by the historical mean; in brackets, 80 % of what it holds possible.")
        )
        st.dataframe(evaluation.tabulate_forecast(current), hide_index=True)
    with st.container(border=True, key="headlines"):
        st.html(markup.render_list(summary.list_headlines(current)))
        st.html(markup.link_reallocate())
    st.fragment(_rates)(current)
    _section(_("How well it has predicted"))
    _prediction(manifest.evaluation)
    _section(_("The model and its safeguards"))
    with st.expander(_("What it reads, what it never reads, and how it is checked")):
        _card(current, manifest)


def _rates(current: CurrentRelease) -> None:
    _section(_("Rates of areas, within each country"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        pathway = address.pick_segment("pathway", _("Pathway"), narrative.name_pathways())
        area = address.pick_from_menu(
            "area", _("Area"), summary.name_areas(current), summary.find_highest_area(current, pathway)
        )
    rated = narrative.read_area_rates(current, pathway)
    st.html(chart.render_key())
    columns = st.columns(2, gap="medium")
    for column, (code, name) in zip(
        columns, current_release.read_country_names(current).items(), strict=True
    ):
        with column:
            st.altair_chart(chart.draw_rates(rated[rated["country"] == code], name, area), width="stretch")
    with st.expander(_("Table")):
        st.dataframe(summary.tabulate_rates(current, pathway), hide_index=True)
    with st.container(border=True, key="why"):
        st.html(markup.render_paragraphs(summary.explain_class(current, pathway, area)))
        st.html(markup.render_definitions(summary.list_reasons(current, pathway, area)))
    _section(_("Clusters"))
    clusters = summary.tabulate_clusters(current, pathway)
    if clusters.empty:
        st.html(markup.render_paragraphs([_("On this pathway no areas stand out together.")]))
        return
    st.html(markup.render_paragraphs([_(_CLUSTERS)]))
    st.html(markup.render_table(clusters))


_CLUSTERS = (
    "Areas side by side where more children were met than people and outreach explain. A cluster is a place "
    "to ask about, not a finding: p says how often chance alone would bring one as strong."
)


def _prediction(measured: EvaluationSummary | None) -> None:
    if measured is None:
        st.html(markup.render_paragraphs([_("It has not been measured yet. A data officer runs:")]))
        st.code("tact risk --evaluate", language=None)
        return
    st.html(markup.render_paragraphs([format_verdict(measured)]))
    left, right = st.columns(2, gap="medium")
    left.altair_chart(evaluation.draw_calibration(measured), width="stretch")
    left.caption(_("Bars: how many counts lay within the interval. Dark marks: how many should."))
    right.altair_chart(evaluation.draw_hits(measured), width="stretch")
    right.caption(_("One quarter ahead, a fifth of the areas of each country; lines hold 95 %."))
    with st.expander(_("Mean error of each forecast (CRPS, in children; smaller is better)")):
        st.html(markup.render_table(evaluation.tabulate_scores(measured)))


def _card(current: CurrentRelease, manifest: RiskManifest) -> None:
    st.html(markup.render_definitions(model_card.list_facts(manifest)))
    st.html(markup.render_list(model_card.list_limits(manifest.card)))
    st.html(markup.render_list(model_card.list_safeguards(manifest)))
    st.html(
        markup.render_narrow(markup.render_table(model_card.tabulate_checks(current, manifest.checks or ())))
    )


def _section(title: str) -> None:
    st.header(title, anchor=False)
