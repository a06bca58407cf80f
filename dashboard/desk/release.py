"""Release: what a release depends on, what it would publish and withhold, its publication, and its audit."""

from __future__ import annotations

import shlex

import streamlit as st

from dashboard.desk import care, gaps, releasing
from dashboard.desk.consent import ask_consent
from dashboard.desk.frame import show_note, show_title, tell_errors
from dashboard.desk.progress import show_progress, was_stopped
from dashboard.desk.state import Desk
from dashboard.narrative.coverage import describe_coverage, describe_waiting, list_years
from dashboard.site.text import _, escape_markdown, format_number, html, translate_message
from dashboard.widgets.markup import render_definitions, render_list, render_table
from data.disclosure import policy_file
from data.disclosure.attacks.audit import Audit
from data.errors import InputError, ReleaseRefused
from data.release import shown_name
from data.restricted.publishing import NewRelease
from data.tables.spec import TIERS

_TRIAL, _DONE, _AUDIT = "trial", "published", "audit"
_SCORED = "scored"


def show(desk: Desk) -> None:
    """Show the rules, the trial, the publication and the audit of a release; below them, the care of the records."""
    show_title(
        desk,
        _("Release"),
        _("Records become protected numbers. Try first: all is made and attacked, and nothing is published."),
    )
    # In a container of its own, so that texts typed further down stay while work here shows its progress and ends.
    with st.container(), tell_errors():
        _show_release(desk)
    care.show(desk)


def _show_release(desk: Desk) -> None:
    standing = releasing.read_standing(desk)
    scored = True
    with tell_errors():
        scored = not releasing.needs_score(desk)
    with st.container():  # also when it is empty, so that the parts after it keep their position
        if was_stopped():
            st.info(_("It was stopped. Nothing was published."))
    with tell_errors(), st.expander(_("The rules of this release"), expanded=bool(standing.missing)):
        st.html(render_definitions(releasing.list_rules(desk)))
    if standing.coverage.outside:
        sentence = _(
            "{count} encounters lie outside the days of the programme and are not counted. Correct first and last in "
            "policy.toml before the first release, or the records.",
            count=format_number(standing.coverage.outside),
        )
        st.warning(sentence)
    if standing.missing:
        st.warning(_("A release of real records needs a complete governance.toml:"))
        st.html(render_list(map(translate_message, standing.missing)))
    else:
        with tell_errors():
            _show_trial(desk, standing, scored=scored)
    with tell_errors():
        gaps.show(desk)
    with tell_errors():
        _show_next(desk, scored=scored)
    with tell_errors():
        _show_audit(desk, standing)


def _show_trial(desk: Desk, standing: releasing.Standing, *, scored: bool) -> None:
    done = desk.in_hand.pop(_DONE, None)
    with st.container():
        if isinstance(done, NewRelease):
            st.success(_("Release {name} is published. The map shows it from now on.", name=escape_markdown(done.name)))
    trial = desk.in_hand.get(_TRIAL)
    if isinstance(trial, releasing.Trial) and trial.basis != standing.basis:
        del desk.in_hand[_TRIAL]
        st.warning(releasing.word_changed())
    agreed = ask_consent(standing.overdue, "release")
    through = _TRIAL in desk.in_hand or isinstance(done, NewRelease) or not scored
    pressed = st.button(_("Try a release"), key="try", type="secondary" if through else "primary", disabled=not agreed)
    place = st.container()
    if standing.needs_second:
        # Before the trial begins: a form that was not drawn before the page is drawn again loses its content.
        with tell_errors():
            _ask_second(desk, standing)
    with place:
        if pressed:
            _run_trial(desk, standing)
        trial = desk.in_hand.get(_TRIAL)
        if isinstance(trial, releasing.Trial):
            _describe_trial(desk, trial)
            if not standing.needs_second:
                _show_publication(desk, standing, trial)


def _run_trial(desk: Desk, standing: releasing.Standing) -> None:
    desk.in_hand.pop(_TRIAL, None)
    try:
        with show_progress(_("Trying a release"), releasing.word_step) as tick:
            desk.in_hand[_TRIAL] = releasing.try_release(desk, standing.overdue.to_confirm, tick)
    except ReleaseRefused as refusal:
        st.error(_("This release would be refused: what is hidden in these cells could be calculated."))
        st.html(render_list(releasing.list_refused(refusal)))
    else:
        st.rerun()


def _ask_second(desk: Desk, standing: releasing.Standing) -> None:
    """Show that a second person must confirm a release, with the form in which that person chooses a passphrase.

    If the former second person is no longer an approver, the command for a new one is shown in place of the form.
    Raises InputError if no name was chosen, or the passphrase cannot be taken.
    """
    st.html(html("<h2>{}</h2>", _("The second person")))
    if standing.former:
        st.warning(
            _(
                "{name} confirmed releases and does not approve any more, says governance.toml. You can try a release; "
                "to publish one, somebody else must confirm it. That person types in the window of a terminal:",
                name=escape_markdown(standing.former),
            )
        )
        st.code("tact second --name NAME", language=None)
        return
    st.warning(
        _(
            "Two people publish real records: you, and one of those who approve in governance.toml. You can try a "
            "release already. To publish it, let the other person choose a passphrase here that nobody else knows."
        )
    )
    with st.form("second", width=520):
        name = st.selectbox(_("Who confirms"), standing.approvers, index=None, placeholder=_("Choose"))
        first = st.text_input(_("A passphrase that only this person knows"), type="password", autocomplete="off")
        again = st.text_input(_("The same again"), type="password", autocomplete="off", key="second-again")
        show_note(_("At least 12 characters, such as four random words. It is asked for at each release."))
        pressed = st.form_submit_button(_("This person confirms releases"), type="primary")
    if pressed:
        if not name or first != again:
            raise InputError(_("Choose a name, and type the same passphrase twice. Nothing was changed."))
        releasing.appoint_second(desk, name, first)
        st.rerun()


def _show_next(desk: Desk, *, scored: bool) -> None:
    """Offer to calculate the risk model if the release has none, and show how the map is opened.

    Without a release nothing is shown.
    """
    if shown_name(desk.workspace.releases) is None:
        return
    st.html(html("<h2>{}</h2>", _("Next: the map")))
    with st.container():
        if st.session_state.pop(_SCORED, None):
            st.success(_("The risk model is calculated. The map shows it from now on."))
    if not scored:
        show_note(
            _(
                "The risk model of this release is not calculated yet, or not with your answers. Until then maps of "
                "risk are empty or old. To calculate it takes about a minute."
            )
        )
        with st.container():
            if st.button(_("Calculate the risk model"), key="score", type="primary"):
                with show_progress(_("Calculating the risk model"), releasing.word_step) as tick:
                    releasing.score(desk, tick)
                st.session_state[_SCORED] = True
                st.rerun()
    show_note(_("Open the map with this line, in a terminal of this machine:"))
    st.code(shlex.join(["tact", "--workspace", str(desk.workspace.path), "serve"]), language=None)


def _describe_trial(desk: Desk, trial: releasing.Trial) -> None:
    new, k = trial.release, policy_file.read(desk.workspace.path).policy.k
    st.success(_("No attack succeeded. Nothing is published yet: look at it, then publish it below."))
    st.html(html("<h2>{}</h2>", _("What release {name} would hold", name=new.name)))
    for tier, column in zip(TIERS, st.columns(2, gap="large"), strict=True):
        with column:
            st.html(html("<h3>{}</h3>", _(releasing.TIER_NAMES[tier])))
            st.html(render_table(releasing.tabulate_contents(new.contents[tier], trial.before[tier], k)))
            withheld = format_number(new.withheld[tier])
            sentence = _("{count} of the withheld cells are numbers of children.", count=withheld)
            show_note(sentence)
    if new.waiting:
        show_note(describe_waiting(new.waiting))


def _show_publication(desk: Desk, standing: releasing.Standing, trial: releasing.Trial) -> None:
    covered = standing.coverage
    st.html(html("<h2>{}</h2>", _("What becomes final")))
    st.html(render_list(describe_coverage(covered.span, covered.years, covered.later)))
    agreed = True
    if covered.years:
        st.warning(_("Are the files of all partners for these years imported? Nobody can add to them afterwards."))
        question = _("Yes, all files of all partners are in: {years}", years=list_years(covered.years))
        agreed = st.checkbox(question, key="all-in")
    with st.form("publish", clear_on_submit=True, width=520, border=standing.second is not None):
        passphrase = ""
        if standing.second is not None:
            passphrase = st.text_input(
                _("{name} confirms with their passphrase", name=standing.second.name),
                type="password",
                autocomplete="off",
            )
        pressed = st.form_submit_button(_("Publish it"), type="primary", disabled=not agreed)
    if pressed:
        # Nothing is drawn until publishing ends: while a page draws, a pressed button or a reload would stop it.
        with st.spinner(_("Publishing"), show_time=True):
            desk.in_hand[_DONE] = releasing.publish(desk, passphrase, trial.basis)
            desk.in_hand.pop(_TRIAL, None)
        st.rerun()


def _show_audit(desk: Desk, standing: releasing.Standing) -> None:
    if standing.shown is None:
        return
    st.html(html("<h2>{}</h2>", _("Audit of release {name}", name=standing.shown)))
    with st.container():
        if st.button(_("Attack it and all files that readers can get"), key="audit"):
            with show_progress(_("Attacking"), releasing.word_step) as tick:
                desk.in_hand[_AUDIT] = releasing.audit(desk, tick)
    result = desk.in_hand.get(_AUDIT)
    if not isinstance(result, Audit) or result.release != standing.shown:
        return
    if result.passed:
        st.success(_("No attack succeeded."))
    else:
        st.error(_("An attack succeeded. Do not give this release or its files to anybody."))
        st.html(render_list(sorted(map(translate_message, set(result.messages)))))
    st.html(render_table(releasing.tabulate_audit(result)))
