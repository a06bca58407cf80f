"""How each number is made, its limits, and how children are protected; with this release's own numbers."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard import attempts, costs, coveragepage, frame, howmade, prose, reading, riskcard, riskpage
from dashboard.access import site
from dashboard.reading import Held
from dashboard.text import _
from data.audits import AuditReport
from data.release import Release
from geo.layers import terms

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    here = site()
    of = reading.held(here)
    if of is None:
        frame.empty()
        return
    release = of.release
    st.title(_("Method"), anchor=False)
    st.html(prose.paragraphs([_(terms.TIERS[release.tier])]))
    st.html(prose.definitions(howmade.key_facts(release)))
    _section(_("From a record to a number"), prose.steps(howmade.steps()))
    _section(_("Noise, and what is hidden"), prose.listed(howmade.noise_words(release)))
    _noise(release)
    _cost(of)
    _learnt(of, reading.audited(here, of))
    _risk(of)
    _section(_("What the data are not"), prose.listed(howmade.not_meant()))
    _section(_("Protection of children and communities"), prose.listed(howmade.data_protection()))
    _section(_("Layers"), prose.table(howmade.layers(release)))
    _section(_("Areas and boundaries"), prose.paragraphs(howmade.boundaries(release)))
    _section(_("Time"), prose.paragraphs([howmade.period_words(release)]))
    _section(_("Sources and licences"), prose.table(howmade.sources(release)))
    _section(_("Citation"))
    st.code(terms.citation(release), language=None, wrap_lines=True)


def _section(title: str, content: Markup | None = None) -> None:
    st.header(title, anchor=False)
    if content:
        st.html(content)


def _noise(release: Release) -> None:
    rows = howmade.noise(release)
    if len(rows):
        with st.container(horizontal=True):
            for chart in howmade.chances(rows):
                st.altair_chart(chart, width="content")
        st.caption(howmade.chance_words(release))
    table = howmade.hidden(release)
    if len(table):
        with st.expander(_("What share of each table is shown")):
            st.dataframe(table, hide_index=True)


def _cost(of: Held) -> None:
    """Tell what protection costs in accuracy; nothing where no children are counted."""
    found = reading.costs(of)
    if len(found):
        _section(_("What protection costs"), prose.paragraphs([costs.headline(found)]))
        st.html(prose.table(costs.table(found)))
        st.html(prose.listed(costs.notes(of.release, found)))


def _risk(of: Held) -> None:
    """Tell what the risk model is, what it never reads, and how that is checked; nothing without one."""
    told = riskpage.manifest(of)
    if told is None:
        return
    _section(_("The risk model"), prose.definitions(riskcard.facts(told)))
    st.html(prose.listed(riskcard.limits(told)))
    if riskcard.audited(told):
        st.html(prose.listed([riskcard.proxy_words(told), *riskcard.feedback(told)]))
        st.html(prose.narrow(prose.table(riskcard.proxy(of, told))))
    access = coveragepage.reckoned(of)
    if access:
        _section(_("Access to services"), prose.listed(access))


def _learnt(of: Held, report: AuditReport | None) -> None:
    """Tell what an attacker could still learn, and what was tried to find out."""
    said = attempts.one_number(of.release)
    if not said:
        return
    if report is None:
        told, checks = attempts.checked(of.release), attempts.own_checks(of.release)
    else:
        said += attempts.guess(report)
        told, checks = attempts.summary(report), list(report.checks)
    _section(_("What an attacker could still learn"), prose.listed(said))
    st.html(prose.paragraphs(told))
    st.html(prose.narrow(prose.table(attempts.results(checks))))
    if report is None:
        st.html(prose.paragraphs(attempts.more()))
