"""How sure the risk model is: a text, and folded, its predictions, registered forecasts, and what it uses."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard.narrative import model_card, track_record
from dashboard.narrative.detection import INTERVALS, describe_intervals, describe_share_found
from dashboard.narrative.evaluation import format_verdict
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.risk import evaluation
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, cache_by_language, escape_markdown
from dashboard.widgets import markup, page_frame
from dashboard.widgets.chart import describe_chart, show_chart
from risk.report.manifest import EvaluationSummary, RiskManifest


def show_model(current: CurrentRelease, manifest: RiskManifest) -> None:
    """Show a text on how sure the model is, and the details folded."""
    page_frame.show_text(
        format_verdict(manifest.evaluation) or _("How well the model predicts has not been tested on this release.")
    )
    with st.expander(_("How sure is the model?")):
        st.header(_("How well it has predicted"), anchor=False)
        _show_prediction(manifest.evaluation)
        st.header(_("Forecasts that were registered"), anchor=False)
        _show_record(current, manifest)
        st.header(_("The model and its safeguards"), anchor=False)
        names = current_release.read_country_names(current)
        intervals = describe_intervals(current_release.read_table(current, INTERVALS), names)
        share = describe_share_found(manifest.card, names, current.release)
        st.html(markup.render_list([*intervals, *share]))
        st.header(_("What the model uses, what it never uses, and how it is checked"), anchor=False)
        st.html(markup.render_definitions(model_card.list_facts(manifest)))
        t = speak_to_reader(current)
        st.html(markup.render_list(model_card.list_limits(t, manifest.card)))
        st.html(markup.render_list(model_card.list_safeguards(t, manifest)))
        st.html(markup.render_narrow(markup.render_table(model_card.tabulate_checks(current, manifest.checks or ()))))


def _show_prediction(measured: EvaluationSummary | None) -> None:
    if measured is None:
        page_frame.show_text(_("It has not been tested yet. A data officer can do that:"))
        st.code("tact risk --evaluate", language=None)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show_chart(describe_chart(evaluation.draw_calibration(measured)), width="stretch")
    left.caption(_("Bars: share of counts inside the interval. Dark marks: the share that should be inside."))
    left.html(markup.render_table(evaluation.tabulate_calibration(measured)))
    with right:
        show_chart(describe_chart(evaluation.draw_hits(measured)), width="stretch")
    right.caption(_("For the next quarter, a fifth of the areas of each country. Lines: 95 % interval."))
    right.html(markup.render_table(evaluation.tabulate_hits(measured)))
    st.caption(_("Average error of each forecast, in children (smaller is better)"))
    st.html(markup.render_table(evaluation.tabulate_scores(measured)))


def _show_record(current: CurrentRelease, manifest: RiskManifest) -> None:
    if manifest.ledger_problem:
        st.warning(escape_markdown(manifest.ledger_problem))
        return
    record = manifest.track_record
    st.html(markup.render_list(track_record.list_sentences(record)))
    if record is None:
        return
    whole, areas, transform = _render_record(current)
    st.html(whole)
    st.caption(
        _(
            "Before the stroke the risk model, behind it “{best}”. Mean place: where numbers lay in their forecast, "
            "from 0 to 1; .5 on average if it is right. An area has few numbers: do not rank areas by them.",
            best=record.verdict.baseline,
        )
    )
    st.html(areas)
    st.html(transform)
    st.caption(
        _(
            "Log score: larger is better. Interval score, CRPS and top five: smaller is better. Top five is the mean "
            "squared error of the chance that an area is among the five of its country with most children in a year. "
            "Forecasts are of published numbers, with their noise, and are compared with published numbers, never with "
            "the children themselves."
        )
    )


@cache_by_language(maxsize=16)
def _render_record(current: CurrentRelease) -> tuple[Markup, ...]:
    """Return the three tables of registered forecasts (all, areas, tenths of forecasts); empty if none has scores."""
    manifest = current_release.read_risk_manifest(current)
    record = manifest.track_record if manifest else None
    if record is None:
        return ()
    return (
        markup.render_table(track_record.tabulate_record(record)),
        markup.render_table(track_record.tabulate_areas(record, current_release.read_area_names(current))),
        markup.render_narrow(markup.render_table(track_record.tabulate_transform(record))),
    )
