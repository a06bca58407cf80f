"""How each number is made, its limits, and how children are protected, with this release's own numbers."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard.narrative import access, attacks, model_card
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.method import costs, summary
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from data.release import Release
from data.release.audits import AuditReport
from geo.layers.output import terms


def show() -> None:
    """Show the page."""
    here = read_site()
    current = current_release.open_current_release(here)
    if current is None:
        page_frame.show_no_release()
        return
    release = current.release
    st.title(_("Method"), anchor=False)
    st.html(markup.render_paragraphs([_(terms.TIERS[release.tier])]))
    st.html(markup.render_definitions(summary.list_key_facts(release)))
    _show_section(_("From a record to a number"), markup.render_steps(summary.list_steps()))
    _show_section(_("Noise, and what is withheld"), markup.render_list(summary.describe_noise(release)))
    _show_noise(release)
    _show_cost(current)
    _show_attacks(current, current_release.read_newest_audit(here, current))
    _show_risk(current)
    _show_section(_("What the data are not"), markup.render_list(summary.list_limits()))
    _show_section(_("Protection of children and communities"), markup.render_list(summary.list_protections()))
    _show_section(_("Layers"), markup.render_table(summary.tabulate_layers(release)))
    _show_section(_("Areas and boundaries"), markup.render_paragraphs(summary.describe_boundaries(release)))
    _show_section(_("Time"), markup.render_paragraphs([summary.describe_periods(release)]))
    _show_section(_("Sources and licences"), markup.render_table(summary.tabulate_sources(release)))
    _show_section(_("Citation"))
    st.code(terms.format_citation(release), language=None, wrap_lines=True)


def _show_section(title: str, content: Markup | None = None) -> None:
    st.header(title, anchor=False)
    if content:
        st.html(content)


def _show_noise(release: Release) -> None:
    rows = summary.read_noise(release)
    if len(rows):
        with st.container(horizontal=True):
            for chart in summary.draw_chances(rows):
                st.altair_chart(chart, width="content")
        st.caption(summary.describe_chances(release))
    table = summary.tabulate_hidden(release)
    if len(table):
        with st.expander(_("How much of each table is shown")):
            st.dataframe(table, hide_index=True)


def _show_cost(current: CurrentRelease) -> None:
    """Show what protection costs in accuracy. Nothing is shown if no children are counted."""
    cost = current_release.read_costs(current)
    if len(cost):
        _show_section(_("What protection costs"), markup.render_paragraphs([costs.format_headline(cost)]))
        st.html(markup.render_table(costs.tabulate_costs(cost)))
        st.html(markup.render_list(costs.list_notes(current.release, cost)))


def _show_risk(current: CurrentRelease) -> None:
    """Show the risk model, the data it never reads, and how that is checked. Nothing is shown without a model."""
    manifest = current_release.read_risk_manifest(current)
    if manifest is None:
        return
    _show_section(_("The risk model"), markup.render_definitions(model_card.list_facts(manifest)))
    st.html(markup.render_list(model_card.list_limits(speak_to_reader(current), manifest.card)))
    if manifest.checks is not None:
        st.html(markup.render_list(model_card.list_safeguards(manifest)))
        st.html(markup.render_narrow(markup.render_table(model_card.tabulate_checks(current, manifest.checks))))
    sentences = access.describe_access(current)
    if sentences:
        _show_section(_("Access to services"), markup.render_list(sentences))


def _show_attacks(current: CurrentRelease, report: AuditReport | None) -> None:
    """Show what an attacker could still learn, and which attacks were tried."""
    sentences = attacks.describe_one_number(current.release)
    if not sentences:
        return
    if report is None:
        results, checks = attacks.describe_check(current.release), attacks.read_own_checks(current.release)
    else:
        sentences += attacks.describe_guess(report)
        results, checks = attacks.describe_audit(report), list(report.checks)
    _show_section(_("What an attacker could still learn"), markup.render_list(sentences))
    st.html(markup.render_paragraphs(results))
    st.html(markup.render_narrow(markup.render_table(attacks.tabulate_results(checks))))
    if report is None:
        st.html(markup.render_paragraphs(attacks.suggest_audit()))
