"""How each number is made, its limits, and how children are protected; with this release's own numbers."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard.narrative import access, model_card
from dashboard.pages.method import attacks, costs, summary
from dashboard.site import current_release, site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from data.release import Release
from data.release.audits import AuditReport
from geo.layers.output import terms


def show() -> None:
    """Draw the page."""
    here = site()
    current = current_release.open_current_release(here)
    if current is None:
        page_frame.empty()
        return
    release = current.release
    st.title(_("Method"), anchor=False)
    st.html(markup.paragraphs([_(terms.TIERS[release.tier])]))
    st.html(markup.definitions(summary.key_facts(release)))
    _section(_("From a record to a number"), markup.steps(summary.steps()))
    _section(_("Noise, and what is hidden"), markup.listed(summary.noise_words(release)))
    _noise(release)
    _cost(current)
    _learnt(current, current_release.read_newest_audit(here, current))
    _risk(current)
    _section(_("What the data are not"), markup.listed(summary.not_meant()))
    _section(_("Protection of children and communities"), markup.listed(summary.data_protection()))
    _section(_("Layers"), markup.table(summary.layers(release)))
    _section(_("Areas and boundaries"), markup.paragraphs(summary.boundaries(release)))
    _section(_("Time"), markup.paragraphs([summary.period_words(release)]))
    _section(_("Sources and licences"), markup.table(summary.sources(release)))
    _section(_("Citation"))
    st.code(terms.citation(release), language=None, wrap_lines=True)


def _section(title: str, content: Markup | None = None) -> None:
    st.header(title, anchor=False)
    if content:
        st.html(content)


def _noise(release: Release) -> None:
    rows = summary.noise(release)
    if len(rows):
        with st.container(horizontal=True):
            for chart in summary.chances(rows):
                st.altair_chart(chart, width="content")
        st.caption(summary.chance_words(release))
    table = summary.hidden(release)
    if len(table):
        with st.expander(_("What share of each table is shown")):
            st.dataframe(table, hide_index=True)


def _cost(current: CurrentRelease) -> None:
    """Tell what protection costs in accuracy; nothing where no children are counted."""
    found = current_release.read_costs(current)
    if len(found):
        _section(_("What protection costs"), markup.paragraphs([costs.headline(found)]))
        st.html(markup.table(costs.table(found)))
        st.html(markup.listed(costs.notes(current.release, found)))


def _risk(current: CurrentRelease) -> None:
    """Tell what the risk model is, what it never reads, and how that is checked; nothing without one."""
    manifest = current_release.read_risk_manifest(current)
    if manifest is None:
        return
    _section(_("The risk model"), markup.definitions(model_card.list_facts(manifest)))
    st.html(markup.listed(model_card.list_limits(manifest.card)))
    if manifest.checks is not None:
        st.html(markup.listed(model_card.list_safeguards(manifest)))
        st.html(markup.narrow(markup.table(model_card.tabulate_checks(current, manifest.checks))))
    sentences = access.describe_access(current)
    if sentences:
        _section(_("Access to services"), markup.listed(sentences))


def _learnt(current: CurrentRelease, report: AuditReport | None) -> None:
    """Tell what an attacker could still learn, and what was tried to find out."""
    said = attacks.one_number(current.release)
    if not said:
        return
    if report is None:
        told, checks = attacks.checked(current.release), attacks.own_checks(current.release)
    else:
        said += attacks.guess(report)
        told, checks = attacks.summary(report), list(report.checks)
    _section(_("What an attacker could still learn"), markup.listed(said))
    st.html(markup.paragraphs(told))
    st.html(markup.narrow(markup.table(attacks.results(checks))))
    if report is None:
        st.html(markup.paragraphs(attacks.more()))
