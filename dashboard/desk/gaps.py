"""Gaps at the desk: what partners did not send, and the officer's answers on it."""

from __future__ import annotations

import streamlit as st

from dashboard.desk.frame import show_note
from dashboard.desk.state import Desk
from dashboard.narrative.completeness import ANSWERS, tabulate_findings, word_finding
from dashboard.narrative.speech import Speech
from dashboard.site.current_release import load_areas
from dashboard.site.text import _, find_language, html
from dashboard.widgets.markup import render_table
from data.release import Release, shown_name
from data.release.completeness import Finding, sort_gaps
from risk.model.gaps import answer_gap, read_answers

_WIDTH = 520


def show(desk: Desk) -> None:
    """Show what partners did not send to the shown release, and ask why; nothing without a release or a finding."""
    if shown_name(desk.workspace.releases) is None:
        return
    release = Release.open(desk.workspace.releases, "partner")
    questions = sort_gaps(release, read_answers(desk.workspace.derived))
    t = Speech(find_language(), load_areas(release))
    table = tabulate_findings(t, questions)
    if not len(table):
        return
    st.html(html("<h2>{}</h2>", _("What each partner sent")))
    st.html(render_table(table))
    for gap in questions.open:
        _ask(desk, t, gap)
    if questions.open:
        show_note(_("Until you have said why, maps and plans that depend on it say so, and no moves are advised."))


def _ask(desk: Desk, t: Speech, gap: Finding) -> None:
    with st.form(f"gap-{gap.country}-{gap.partner}-{gap.first}", border=False, width=_WIDTH):
        why = st.radio(f"{word_finding(t, gap)}. {_('Why?')}", list(ANSWERS), format_func=lambda code: _(ANSWERS[code]))
        note = st.text_input(_("Reason; nothing about a person"), max_chars=200)
        if st.form_submit_button(_("Answer")):
            answer_gap(desk.workspace.derived, gap, str(why), note)
            st.rerun()
