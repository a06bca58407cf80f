"""Saved plans: saving, opening and comparing plans, and downloading a plan as a briefing, which saves it too."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from anyascii import anyascii

from dashboard.narrative.moves import word_move
from dashboard.narrative.plan import name_answer, word_certainty
from dashboard.narrative.speech import LANGUAGE_NAMES, Speech
from dashboard.pages.reallocate import forms, planner, session
from dashboard.pages.reallocate.sentence import NEEDS
from dashboard.pages.reallocate.session import Workplace
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.reader import find_reader
from dashboard.site.text import _, capitalise, escape_markdown, translate_message, write_day
from dashboard.widgets import markup, page_frame
from dashboard.widgets.activity import note_plan
from dashboard.widgets.address import tell_apart
from dashboard.widgets.page_frame import offer_file
from data.accounts.rights import Right
from data.errors import TactError
from data.personal.free_text import WRITE_NO_NAME
from data.release import Release
from risk.planning import saved
from risk.planning.explain import Move
from risk.planning.inputs import Setting
from risk.planning.saved import SavedPlan, SavedPlans
from risk.planning.summary import Author, PlanSummary

_TITLE, _NOTE, _ROLE, _REFUSED = "keep-title", "keep-note", "keep-role", "keep-refused"
_OPEN, _BRIEF = "open-plan", "briefing-plan"
_MOST, _SHORT = 4, 40


def word_changes(t: Speech, plans: Sequence[SavedPlan], work: Workplace, setting: Setting, plan: PlanSummary) -> str:
    """Return a text on how the opened plan differs from the same plan computed now.

    Empty if they are equal, if no saved plan is open, or if the reader has changed its setting, decisions or posts.
    """
    opened = next((candidate.summary for candidate in plans if candidate.address == work.follows), None)
    if opened is None or opened.setting != setting or opened.decisions != work.decisions:
        return ""
    before, now = opened.verdict, plan.verdict
    posts = "" if opened.posts_drafted else opened.posts
    if posts != work.posts or (before.gain, before.cost, before.moved) == (now.gain, now.cost, now.moved):
        return ""
    return _(
        "Something that this plan is based on has changed since it was saved, for example travel times or "
        "the model. The saved plan has {moved} moves with a gain of {gain} children per quarter and "
        "{hours} hours of travel; its briefing shows these.",
        moved=t.format_number(before.moved),
        gain=t.format_gain(before.gain),
        hours=t.format_number(before.cost),
    )


def show_saved(current: CurrentRelease, plans: SavedPlans) -> None:
    """Show the folded parts for saved plans."""
    t = planner.speak(current)
    with st.expander(_("Open and compare plans")):
        if not plans.plans:
            page_frame.show_text(
                _("No plan is saved yet. Save this one to compare it with others, open it again, or send its address.")
            )
        else:
            st.html(markup.render_table(tabulate_plans(t, plans.plans)))
            with st.container(horizontal=True, vertical_alignment="bottom", key="opener"):
                plan = _pick_plan(_("Open a saved plan"), plans.plans, _OPEN)
                st.button(_("Open"), on_click=session.open_plan, args=(plan,))
            if len(plans.plans) > 1:
                show_comparison(t, plans.plans)
    if plans.plans:
        with st.expander(_("Briefings of saved plans, in each language, and pictures")):
            show_briefing(current, plans.plans)


def offer_briefing(
    current: CurrentRelease, plans: SavedPlans, work: Workplace, setting: Setting, plan: PlanSummary
) -> None:
    """Offer a briefing on the shown plan in the reader's language, if the reader may download files.

    The download saves the plan, too, if it is not saved yet and plans can be saved here.
    """
    if not current_release.may_download(current.release):
        return
    t = planner.speak(current)
    opened = _find_same(plans.plans, work, setting)
    title = opened.summary.title if opened else _title_plan(t, plan)
    explained, legible, saving = [_("Two pages for a board.")], escape_markdown(title), dict[str, Any]()
    unsaved = current, work, setting, plan.author, title
    if opened is None and read_site().work_folder is not None:
        explained.append(_("This also saves the plan as “{title}”, under Open and compare plans.", title=legible))
        saving = {"on_click": _keep, "args": unsaved}
    pressed = offer_file(
        _("Briefing (PDF)"),
        partial(_make_pdf, opened, current.release, t.language)
        if opened
        else partial(_brief_plan, *unsaved, t.language),
        current,
        f"{_name_file(title, plan.author.date)}-{t.language}.pdf",
        "application/pdf",
        key="briefing-now",
        type="primary" if plan.advised else "secondary",
        help=" ".join(explained),
        **saving,
    )
    if opened is not None:
        st.caption(_("The plan is saved as “{title}”, under Open and compare plans.", title=legible))
    elif refused := st.session_state.pop(_REFUSED, "") if pressed else "":
        st.error(escape_markdown(refused))


def _title_plan(t: Speech, plan: PlanSummary) -> str:
    """Return the title for a plan that has none yet, under which a briefing saves it: the advice and the day."""
    return capitalise(_("{answer}, {day}", answer=name_answer(t, plan), day=t.format_day(plan.author.date)))


def _find_same(plans: Sequence[SavedPlan], work: Workplace, setting: Setting) -> SavedPlan | None:
    """Return the opened plan if setting, decisions, posts and tables are those with which it was saved, else None."""
    opened = next((candidate for candidate in plans if candidate.address == work.follows), None)
    if opened is None:
        return None
    summary = opened.summary
    posts = "" if summary.posts_drafted else summary.posts
    then = (summary.setting, summary.decisions, posts, summary.handover_tables)
    return opened if then == (setting, work.decisions, work.posts, work.handover) else None


def _brief_plan(
    current: CurrentRelease, work: Workplace, setting: Setting, author: Author, title: str, language: str
) -> bytes:
    """Return the briefing of a plan that is not saved as a PDF, as if it was saved now."""
    release, summary = current.release, _compute_to_save(current, work, setting, author, title)
    plan = SavedPlan(Path(), release.name, release.tier, datetime.now(UTC), release.invented, summary)
    return _make_pdf(plan, release, language)


def _compute_to_save(
    current: CurrentRelease, work: Workplace, setting: Setting, author: Author, title: str, note: str = ""
) -> PlanSummary:
    return planner.compute_plan(
        current,
        work.posts,
        setting,
        work.decisions,
        author,
        title=title,
        note=note,
        follows=work.follows,
        handover=work.handover,
        with_frontier=True,
    )


def _store(folder: Path, current: CurrentRelease, summary: PlanSummary) -> SavedPlan:
    """Save a plan after its row was written into the audit log, and return it.

    Raises WorkspaceError, and saves nothing, if the row cannot be written.
    """
    return saved.save_plan(folder, current.release, summary, partial(note_plan, "plan"))


def ask_to_save(current: CurrentRelease, plans: SavedPlans, work: Workplace, setting: Setting) -> None:
    """Ask for a title and save the shown plan with its posts, setting and decisions when the reader presses the button.

    If plans cannot be saved here, a text says why. If the shown plan is saved already, a message names it.
    """
    same = _find_same(plans.plans, work, setting)
    if read_site().work_folder is None:
        can_plan = Right.PLAN in find_reader().rights
        here, role = (
            _("Plans cannot be saved here: start the map with tact serve."),
            _("Your role does not save plans."),
        )
        st.caption(here if can_plan else role)
        return
    with st.form("keep"):
        left, right = st.columns([3, 1])
        with left:
            st.text_input(_("Title"), key=_TITLE, placeholder=_("More outreach in the north"))
            st.text_input(_("Note"), key=_NOTE)
            st.caption(_(WRITE_NO_NAME))
        with right:
            forms.ask_role(_ROLE)
        st.form_submit_button(_("Save this plan"), type="primary", on_click=_save, args=(current, work, setting))
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(escape_markdown(refused))
    elif same is not None:
        title = escape_markdown(same.summary.title)
        st.success(_("The plan is saved as “{title}”. You can open and compare it below.", title=title))


def _save(current: CurrentRelease, work: Workplace, setting: Setting) -> None:
    state = st.session_state
    if _keep(current, work, setting, session.name_author(state[_ROLE]), state[_TITLE], state[_NOTE]):
        state[_TITLE] = state[_NOTE] = ""


def _keep(
    current: CurrentRelease, work: Workplace, setting: Setting, author: Author, title: str, note: str = ""
) -> bool:
    """Save the shown plan, open it, and return True; False if it cannot be saved, of which the page says why."""
    state, folder = st.session_state, read_site().work_folder
    if folder is None:
        return False
    try:
        plan = _store(folder, current, _compute_to_save(current, work, setting, author, title, note))
    except TactError as error:
        state[_REFUSED] = translate_message(error.message)
    except OSError:
        state[_REFUSED] = _(
            "The plan could not be saved: the folder cannot be written. Ask the person who started the map."
        )
    else:
        session.remember_saved(plan)
        state[_OPEN] = state[_BRIEF] = plan.address
        return True
    return False


def tabulate_plans(t: Speech, plans: Sequence[SavedPlan]) -> pd.DataFrame:
    """Return a table of saved plans in words, a row for each."""
    rows = [
        (
            plan.title,
            _("{role}, {date}", role=t.name_role(plan.author.role), date=plan.author.date),
            t.format_number(plan.verdict.moved),
            t.format_gain(plan.verdict.gain),
            name_answer(t, plan),
            plan.note,
        )
        for plan in (candidate.summary for candidate in plans)
    ]
    head = [_("Plan"), _("Saved by"), _("Moves"), _("Gain, children per quarter (95 %)"), _("Advice"), _("Note")]
    return pd.DataFrame(rows, columns=head)


def _label_plans(plans: Sequence[SavedPlan]) -> dict[str, str]:
    """Return title and moment of each plan, by its address; no two are the same."""
    return tell_apart({plan.address: f"{plan.summary.title} ({plan.created:%Y-%m-%d %H:%M})" for plan in plans})


def _pick_plan(label: str, plans: Sequence[SavedPlan], key: str) -> SavedPlan:
    by_name = {plan.address: plan for plan in plans}
    chosen = st.selectbox(label, list(by_name), format_func=_label_plans(plans).__getitem__, key=key)
    return by_name.get(chosen or "", plans[0])


def show_comparison(t: Speech, plans: Sequence[SavedPlan]) -> None:
    """Ask for up to four saved plans, and show them side by side."""
    by_name = {plan.address: plan for plan in plans}
    chosen = st.multiselect(
        _("Compare up to four plans"),
        list(by_name),
        default=list(by_name)[:2],
        max_selections=_MOST,
        format_func=_label_plans(plans).__getitem__,
        key="compare-plans",
    )
    if chosen:
        st.html(markup.render_table(compare_plans(t, [by_name[name].summary for name in chosen])))


def compare_plans(t: Speech, plans: Sequence[PlanSummary]) -> pd.DataFrame:
    """Return a table that compares these plans: a row for each measure, a column for each plan.

    Moves that all plans have are in a row of their own. Raises TypeError if there are no plans.
    """
    ways = [{_way(move) for move in plan.moves} for plan in plans]
    shared = set.intersection(*ways)

    def list_moves(plan: PlanSummary, *, in_all: bool) -> str:
        moves = [move for move in plan.moves if (_way(move) in shared) is in_all]
        return "; ".join(word_move(t, move) for move in moves) or "–"

    measures: dict[str, Callable[[PlanSummary], str]] = {
        _("Pathway"): lambda plan: _(NEEDS[plan.setting.pathway]),
        _("Posts"): lambda plan: _("draft") if plan.posts_drafted else _("table"),
        _("Advice"): lambda plan: name_answer(t, plan),
        _("Units that move"): lambda plan: t.format_number(plan.verdict.moved),
        _("Hours of travel"): lambda plan: t.format_number(plan.verdict.cost),
        _("Gain, children per quarter (95 %)"): lambda plan: t.format_gain(plan.verdict.gain),
        _("How sure"): lambda plan: word_certainty(t, plan.verdict.year) if plan.verdict.year else "–",
        _("Need met in the worst-served areas"): lambda plan: t.format_percent(plan.verdict.planned.least_served),
        _("Need met in the worst cases"): lambda plan: t.format_number(plan.verdict.planned.worst_cases),
        _("Moves in all plans"): lambda plan: list_moves(plan, in_all=True),
        _("Moves in some plans only"): lambda plan: list_moves(plan, in_all=False),
    }
    columns = {
        f"{number}. {plan.title}": [measure(plan) for measure in measures.values()]
        for number, plan in enumerate(plans, 1)
    }
    return pd.DataFrame({_("Measure"): list(measures), **columns})


def _way(move: Move) -> tuple[str, str, str]:
    return move.start, move.end, move.kind


def show_briefing(current: CurrentRelease, plans: Sequence[SavedPlan]) -> None:
    """Ask for a saved plan, and offer its briefing in each language and its pictures for slides.

    If the reader may not download files, show the command with which a data officer writes a briefing instead.
    """
    if not current_release.may_download(current.release):
        st.caption(_("Briefings of real records have a named receiver and are logged; the data officer writes them."))
        st.code('tact plan open NAME --briefing FILE --for "A Partner"', language=None, wrap_lines=True)
        return
    plan = _pick_plan(_("Briefing of"), plans, _BRIEF)
    with st.container(horizontal=True, key="briefings"):
        for language, name in LANGUAGE_NAMES.items():
            offer_file(
                _("PDF in {language}", language=name),
                partial(_make_pdf, plan, current.release, language),
                current,
                f"{_name_file(plan.summary.title, plan.summary.author.date)}-{language}.pdf",
                "application/pdf",
                key=f"briefing-{language}",
            )
        offer_file(
            _("Pictures for slides"),
            partial(_pack_pictures, plan, current.release),
            current,
            f"{_name_file(plan.summary.title, plan.summary.author.date)}.zip",
            "application/zip",
        )


def _name_file(title: str, day: str) -> str:
    """Return a file name from the title of a plan, in plain letters, and the day on which it was made, each once."""
    for language in LANGUAGE_NAMES:
        title = title.replace(write_day(language, date.fromisoformat(day)), "")
    plain = re.sub(r"[^a-z0-9]+", "-", anyascii(title).lower()).strip("-")
    return f"{plain[:_SHORT] or 'plan'}-{day}"


def _make_pdf(plan: SavedPlan, release: Release, language: str) -> bytes:
    from dashboard import briefing  # the typesetter is loaded only when a file is made

    return briefing.make_pdf(plan, release, language)


def _pack_pictures(plan: SavedPlan, release: Release) -> bytes:
    from dashboard import briefing

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for language in LANGUAGE_NAMES:
            for name, picture in briefing.make_pictures(plan, release, language).items():
                archive.writestr(name, picture)
    return packed.getvalue()
