"""The Risk page: a map and a list of rates with their certainty, a card on the chosen area, and, folded, the model."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard.narrative import model_card, sensitivity
from dashboard.narrative.evaluation import warn_of_model
from dashboard.narrative.risk import name_pathways, read_public_classes
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.risk import evaluation, model, rates, summary
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, cache_by_language, escape_markdown, html
from dashboard.widgets import address, markup, page_frame
from dashboard.widgets.picture import render_key, render_map, show_choices
from risk.report.manifest import RiskManifest


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    with st.container(key="risk"):
        st.title(_("Risk"), anchor=False)
    manifest = current_release.read_risk_manifest(current)
    if manifest is None:
        page_frame.show_no_risk()
    elif current.tier == "public":
        _show_public(current, manifest)
    else:
        _show_partner(current, manifest)


_NEVER = "It describes areas and periods, never a person, a settlement or a community."


def _show_public(current: CurrentRelease, manifest: RiskManifest) -> None:
    _period, classes = read_public_classes(current)
    with st.container(key="risk-rates"):
        if classes:
            with st.container(key="risk-map"):
                st.html(_render_public_map(current))
                show_choices(classes, address.read_area())
        page_frame.show_text(*rates.explain_classes(), _(_NEVER))
    with st.expander(_("Table")):
        st.html(_render_years(current))
    with st.expander(_("What the model uses, and what it never uses")):
        st.html(markup.render_list(model_card.list_limits(speak_to_reader(current), manifest.card)))


@cache_by_language(maxsize=16)
def _render_public_map(current: CurrentRelease) -> Markup:
    period, classes = read_public_classes(current)
    marks, legend = rates.make_public_marks(speak_to_reader(current), classes), rates.make_public_key(period, classes)
    return render_map(load_areas(current.release), marks, (), render_key(legend))


@cache_by_language(maxsize=16)
def _render_years(current: CurrentRelease) -> Markup:
    return markup.render_table(summary.tabulate_years(current))


def _show_partner(current: CurrentRelease, manifest: RiskManifest) -> None:
    if warning := warn_of_model(manifest.evaluation):
        st.warning(escape_markdown(warning))
        st.caption(_("Children per quarter by the historical average, with its 80 % interval in brackets."))
        st.dataframe(evaluation.tabulate_forecast(current), hide_index=True)
    page_frame.show_part(_show_rates, current)
    with st.expander(_("All findings, on both countries and pathways")):
        st.html(_render_headlines(current))
        page_frame.show_text(
            _("Where are more children identified or met than population and outreach explain, and is this changing?"),
            _(_NEVER),
        )
    model.show_model(current, manifest)


@cache_by_language(maxsize=16)
def _render_headlines(current: CurrentRelease) -> Markup:
    return markup.render_list(summary.list_headlines(current))


def _show_rates(current: CurrentRelease) -> None:
    pathway = address.read_pathway(list(name_pathways()))
    area = summary.find_area(current, pathway)
    st.html(markup.render_lead(summary.word_answer(current, pathway)))
    with st.container(key="risk-rates"):
        with st.container(key="risk-map"):
            with st.container(key="sure"):
                least = address.pick_step("sure", _("Hide what is less sure than"), rates.name_steps())
            st.html(_render_map(current, pathway, least, area))
        with st.container(key="risk-list"):
            st.html(rates.render_rates(current, pathway, least, area))
    if words := summary.explain_choice(current, pathway):
        st.caption(escape_markdown(words))
    st.html(_render_card(current, pathway, area))
    show_choices(rates.make_marks(current, pathway, least, area), area)
    _show_folds(current, pathway, area)


@cache_by_language(maxsize=64)
def _render_map(current: CurrentRelease, pathway: str, least: str, area: str) -> Markup:
    marks = rates.make_marks(current, pathway, least, area)
    notes = rates.word_hidden(current, pathway, least), rates.word_white(current)
    legend = rates.render_legend(name_pathways()[pathway], *notes)
    return render_map(load_areas(current.release), marks, (), legend)


@cache_by_language(maxsize=512)
def _render_card(current: CurrentRelease, pathway: str, area: str) -> Markup:
    steps = rates.render_steps(summary.list_steps(current, pathway, area), speak_to_reader(current))
    verdict, turning = (word(current, pathway, area) for word in (summary.word_verdict, summary.word_turning_point))
    return rates.render_card(verdict, summary.list_facts(current, pathway, area), steps, turning)


@cache_by_language(maxsize=512)
def _render_scenarios(current: CurrentRelease, pathway: str, area: str) -> tuple[str, Markup]:
    """Return which statements on an area stand whatever is assumed: a heading and a table; empty without results."""
    t, rows = speak_to_reader(current), sensitivity.read_sensitivity(current, pathway, area)
    if rows.empty:
        return "", Markup("")
    table = markup.render_table(sensitivity.tabulate_sensitivity(t, rows))
    note = markup.render_note(sensitivity.explain_scenarios(t))
    return sensitivity.word_sensitivity(t, rows), html('<div class="stands">{}{}</div>', table, note)


@cache_by_language(maxsize=512)
def _render_statement(current: CurrentRelease, pathway: str, area: str) -> tuple[Markup, Markup]:
    statement = markup.render_paragraphs(summary.explain_statement(current, pathway, area))
    return statement, markup.render_definitions(summary.list_reasons(current, pathway, area))


def _show_folds(current: CurrentRelease, pathway: str, area: str) -> None:
    heading, scenarios = _render_scenarios(current, pathway, area)
    if heading:
        with st.expander(escape_markdown(heading)):
            st.html(scenarios)
    with st.expander(_("All that is said of {area}", area=summary.name_areas(current)[area])):
        for part in _render_statement(current, pathway, area):
            st.html(part)
    with st.expander(_("Table")):
        st.dataframe(summary.tabulate_rates(current, pathway), hide_index=True)
        page_frame.show_text(summary.word_basis(current, area), summary.name_unjudged(current))
    municipalities = summary.tabulate_municipalities(current, pathway, area)
    if len(municipalities):
        with st.expander(_("Municipalities of {area}", area=summary.name_areas(current)[area])):
            page_frame.show_text(
                _(
                    "The municipalities share the number of children in need, the trend and the change over a year of "
                    "their county or region. Where few were found or searched for, nothing more is known of a "
                    "municipality than its average."
                ),
                summary.word_basis(current, area),
            )
            st.dataframe(municipalities, hide_index=True)
    with st.expander(_("Clusters")):
        page_frame.show_text(
            _(
                "A cluster is a group of neighbouring areas where, together, more children were identified or met than "
                "population and outreach explain. It says something of the group: a single area in it may have no more "
                "than expected. It is a reason to ask questions, not a proof. Where teams differ much in how well they "
                "find (a spread of .5), this does not hold: 7 of 20 invented worlds without any difference in risk "
                "showed a cluster."
            )
        )
        st.html(_render_clusters(current, pathway))


@cache_by_language(maxsize=32)
def _render_clusters(current: CurrentRelease, pathway: str) -> Markup:
    clusters = summary.tabulate_clusters(current, pathway)
    if clusters is None:  # the line above the page says that the results are of an earlier version
        return Markup()
    if not clusters.empty:
        return markup.render_table(clusters)
    sentence = _(
        "For this pathway there is no cluster beyond what chance explains, and that some areas find a larger share of "
        "the children who are there than others."
    )
    return markup.render_paragraphs([sentence])
