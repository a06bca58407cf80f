"""The Method page: how numbers are made, their limits, and how children are protected, as questions with answers.

Below a short answer, a longer text with the numbers of this release is folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.narrative import access, attacks, model_card
from dashboard.narrative.completeness import read_gaps, tabulate_findings
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.method import answers, costs, summary
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, cache_by_language
from dashboard.widgets import markup, page_frame
from dashboard.widgets.chart import describe_chart, show_chart
from data.release.completeness import read_questions
from geo.layers.output import terms

Fold = tuple[str, Callable[[], object]]  # the label, and the function that shows the folded content


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    release = current.release
    st.title(_("Method"), anchor=False)
    st.html(markup.render_definitions(summary.list_key_facts(release)))
    cost = current_release.read_costs(current)
    with st.container(key="questions"):
        protections = _("Protection of children and communities")
        folds: list[Fold] = [(protections, lambda: st.html(markup.render_list(summary.list_protections())))]
        if attacks.describe_one_number(current.release):
            folds.insert(0, (_("What an attacker could still learn"), lambda: _show_attacks(current)))
        _show_question(_("Can a child be recognised?"), answers.answer_recognised(current), folds)
        _show_question(
            _("Why is this number not exact?"),
            answers.answer_noise(release),
            [(_("Noise, and what is withheld"), lambda: _show_noise(current))],
        )
        if len(sent := tabulate_findings(speak_to_reader(current), read_questions(release))):
            _show_question(
                _("What did each partner send?"),
                " ".join(read_gaps(current)),
                [(_("Who began, stopped or sent no outreach days"), lambda: st.html(markup.render_table(sent)))],
            )
        if len(cost):
            _show_question(
                _("What does protection cost?"),
                costs.format_headline(cost),
                [(_("What protection costs"), lambda: _show_cost(current))],
            )
        if current_release.read_risk_manifest(current):
            _show_question(
                _("Why is the answer “cannot tell”?"),
                _("Too few children were met, or the margin is too wide, to call anything likely."),
                [(_("The words for certainty"), lambda: st.html(markup.render_list(answers.explain_certainty())))],
            )
            _show_question(
                _("What does the risk model read?"),
                _(
                    "Published counts, outreach, population and borders. Never single children, ethnicity or "
                    "communities."
                ),
                _fold_model(current),
            )
        _show_question(
            _("How does a record become a number?"),
            _("A child is counted once, where and when first met. Records stay encrypted."),
            [(_("From a record to a number"), lambda: st.html(markup.render_steps(summary.list_steps())))],
        )
        _show_question(
            _("What must I not read into it?"),
            _(
                "Not the number of trafficked children, no exact ranking of areas (read the interval of a rank), "
                "nothing about a person or a community."
            ),
            [(_("What the data are not"), lambda: st.html(markup.render_list(summary.list_limits())))],
        )
        _show_question(_("Where and when is that?"), answers.answer_where(release), _fold_where(current))
        sources = _("Each has its source and year. Licence: {licence}.", licence=_(terms.find_licence(release)))
        _show_question(_("Where do figures come from?"), sources, _fold_sources(current))


def _show_question(question: str, answer: str, folds: Iterable[Fold]) -> None:
    with st.container():
        st.html(markup.render_question(question, answer))
        for label, show_content in folds:
            with st.expander(label):
                show_content()


def _fold_model(current: CurrentRelease) -> list[Fold]:
    sentences = access.describe_access(current)
    folds: list[Fold] = [(_("The risk model"), lambda: _show_risk(current))]
    if sentences:
        folds.append((_("Access to services"), lambda: st.html(markup.render_list(sentences))))
    return folds


def _fold_where(current: CurrentRelease) -> list[Fold]:
    release = current.release
    places = [*summary.describe_boundaries(release), summary.describe_periods(release)]
    return [
        (_("Areas, boundaries and time"), lambda: page_frame.show_text(*places)),
        (_("Layers"), lambda: st.html(markup.render_table(_tabulate_layers(current)))),
    ]


def _fold_sources(current: CurrentRelease) -> list[Fold]:
    return [
        (_("Sources and licences"), lambda: st.html(markup.render_table(summary.tabulate_sources(current.release)))),
        (_("Citation"), lambda: st.code(terms.format_citation(current.release), language=None, wrap_lines=True)),
    ]


@cache_by_language(maxsize=16)
def _tabulate_layers(current: CurrentRelease) -> pd.DataFrame:
    return summary.tabulate_layers(current.release)


@cache_by_language(maxsize=16)
def _describe_chances(current: CurrentRelease) -> list[dict[str, Any]]:
    return [describe_chart(chart) for chart in summary.draw_chances(summary.read_noise(current.release))]


def _show_noise(current: CurrentRelease) -> None:
    release = current.release
    st.html(markup.render_list(summary.describe_noise(release)))
    rows = summary.read_noise(release)
    if len(rows):
        with st.container(horizontal=True):
            for chart in _describe_chances(current):
                show_chart(chart, width="content")
        sentence = _("How often each number is published if the true number is 1, 4 or 12.")
        if release.tier == "public":
            sentence += " " + _("Numbers below {k} are then not shown.", k=release.k)
        st.caption(sentence)
    table = summary.tabulate_hidden(release)
    if len(table):
        st.caption(_("How much of each table is shown"))
        st.dataframe(table, hide_index=True)


def _show_cost(current: CurrentRelease) -> None:
    """Show what protection costs in accuracy."""
    cost = current_release.read_costs(current)
    st.html(markup.render_table(costs.tabulate_costs(cost)))
    st.html(markup.render_list(costs.list_notes(current.release, cost)))


def _show_risk(current: CurrentRelease) -> None:
    """Show the facts and limits of the risk model and the results of its checks; nothing if it was not fitted."""
    manifest = current_release.read_risk_manifest(current)
    if manifest is None:
        return
    st.html(markup.render_definitions(model_card.list_facts(manifest)))
    st.html(markup.render_list(model_card.list_limits(speak_to_reader(current), manifest.card)))
    if manifest.checks is not None:
        st.html(markup.render_list(model_card.list_safeguards(speak_to_reader(current), manifest)))
        st.html(markup.render_narrow(markup.render_table(model_card.tabulate_checks(current, manifest.checks))))


def _show_attacks(current: CurrentRelease) -> None:
    """Show what an attacker could still learn, and which attacks were tried."""
    report = current_release.read_newest_audit(read_site(), current)
    sentences = attacks.describe_one_number(current.release)
    if report is None:
        results, checks = attacks.describe_check(current.release), attacks.read_own_checks(current.release)
    else:
        sentences += attacks.describe_guess(report)
        results, checks = attacks.describe_audit(report), list(report.checks)
    st.html(markup.render_list(sentences))
    page_frame.show_text(*results)
    st.html(markup.render_narrow(markup.render_table(attacks.tabulate_results(checks))))
    if report is None:
        page_frame.show_text(
            _(
                "The data officer can attack it more thoroughly, with every file that leaves: tact audit. That "
                "takes a few minutes; what comes out then stands here."
            )
        )
