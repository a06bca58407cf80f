"""Release: what a release depends on, what it would publish and withhold, its publication, and its audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.desk import care, releasing
from dashboard.desk.consent import ask_consent
from dashboard.desk.frame import show_title
from dashboard.desk.state import Desk
from dashboard.site.text import _, escape_markdown, format_number, html
from dashboard.widgets.markup import render_definitions, render_list, render_note, render_table
from data.disclosure import policy_file
from data.disclosure.attacks.audit import Audit
from data.errors import ReleaseRefused
from data.restricted.publishing import NewRelease
from data.tables.spec import TIERS
from data.workspace.types import Progress

_TRIAL, _DONE, _AUDIT = "trial", "published", "audit"


def show(desk: Desk) -> None:
    """Show the state, the trial, the publication and the audit; below, care of the records."""
    show_title(
        desk,
        _("Release"),
        _("Records become protected numbers. Try first: all is made and attacked, and nothing is published."),
    )
    standing = releasing.read_standing(desk)
    st.html(render_definitions(releasing.list_rules(desk)))
    if standing.missing:
        st.warning(_("A release of real records needs a complete governance.toml:"))
        st.html(render_list(standing.missing))
    else:
        _show_trial(desk, standing)
    _show_audit(desk, standing)
    care.show(desk)


def _show_trial(desk: Desk, standing: releasing.Standing) -> None:
    done = desk.in_hand.pop(_DONE, None)
    if isinstance(done, NewRelease):
        st.success(_("Release {name} is published. The map shows it from now on.", name=escape_markdown(done.name)))
    if st.button(_("Try a release"), key="try", type="secondary" if _TRIAL in desk.in_hand else "primary"):
        desk.in_hand.pop(_TRIAL, None)
        try:
            with _progress(_("Trying a release")) as tick:
                desk.in_hand[_TRIAL] = releasing.try_release(desk, tick)
        except ReleaseRefused as refusal:
            st.error(_("This release would be refused: what is hidden in these cells could be calculated."))
            st.html(render_list(releasing.list_refused(refusal)))
        else:
            st.rerun()
    trial = desk.in_hand.get(_TRIAL)
    if isinstance(trial, NewRelease):
        _describe_trial(desk, trial)
        _show_publication(desk, standing)


def _describe_trial(desk: Desk, trial: NewRelease) -> None:
    st.html(html("<h2>{}</h2>", _("What release {name} would hold", name=trial.name)))
    before, k = releasing.count_current(desk), policy_file.read(desk.workspace.path).policy.k
    for tier, column in zip(TIERS, st.columns(2, gap="large"), strict=True):
        with column:
            st.html(html("<h3>{}</h3>", _(releasing.TIER_NAMES[tier])))
            st.html(render_table(releasing.tabulate_contents(trial.contents[tier], before[tier], k)))
            withheld = format_number(trial.withheld[tier])
            st.html(render_note(_("{count} cells are withheld to protect others.", count=withheld)))
    if trial.waiting:
        sentence = _(
            "{count} encounters of final years came later. They wait and are not counted.",
            count=format_number(trial.waiting),
        )
        st.html(render_note(sentence))


def _show_publication(desk: Desk, standing: releasing.Standing) -> None:
    agreed = ask_consent(standing.overdue, "release")
    with st.form("publish", clear_on_submit=True, width=520):
        passphrase = ""
        if standing.second is not None:
            passphrase = st.text_input(
                _("{name} confirms with their passphrase", name=standing.second.name),
                type="password",
                autocomplete="off",
            )
        pressed = st.form_submit_button(_("Publish it"), type="primary", disabled=not agreed)
    if pressed:
        confirmed = standing.overdue.count if standing.overdue.count and standing.overdue.doubts else None
        with _progress(_("Publishing")) as tick:
            new = releasing.publish(desk, passphrase, confirmed, tick)
        desk.in_hand.pop(_TRIAL, None)
        desk.in_hand.pop(_AUDIT, None)
        desk.in_hand[_DONE] = new
        st.rerun()


def _show_audit(desk: Desk, standing: releasing.Standing) -> None:
    if standing.last is None:
        return
    st.html(html("<h2>{}</h2>", _("Audit of release {name}", name=standing.last)))
    if st.button(_("Attack it and all files that readers can get"), key="audit"):
        with _progress(_("Attacking")) as tick:
            desk.in_hand[_AUDIT] = releasing.audit(desk, tick)
    result = desk.in_hand.get(_AUDIT)
    if not isinstance(result, Audit):
        return
    if result.passed:
        st.success(_("No attack succeeded."))
    else:
        st.error(_("An attack succeeded. Do not give this release or its files to anybody."))
        st.html(render_list(sorted(set(result.findings))))
    st.html(render_table(releasing.tabulate_audit(result)))


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    """Show a bar, and yield the function that moves it."""
    bar = st.progress(0.0, text=what)

    def tick(done: int, total: int | None, _step: str) -> None:
        bar.progress(min(done / total, 1.0) if total else 0.0, text=what)

    try:
        yield tick
    finally:
        bar.empty()
