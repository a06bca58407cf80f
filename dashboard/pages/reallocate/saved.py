"""Plans that were kept: keeping one, opening it again, comparing some, and taking one away as a briefing."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pandas as pd
import streamlit as st
from anyascii import anyascii

from dashboard.pages.reallocate import forms, session
from dashboard.pages.reallocate import made as planned
from dashboard.pages.reallocate.forms import NEEDS
from dashboard.pages.reallocate.session import Desk
from dashboard.pages.reallocate.summary import children, gained, move_name, percent, sure
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, escape_markdown, number
from dashboard.widgets import markup
from data.errors import TactError
from data.personal.free_text import LONGEST
from data.release import Release
from data.release.result import Result
from risk.planning import saved
from risk.planning.inputs import Setting

Told = Mapping[str, Any]

_TITLE, _NOTE, _ROLE, _REFUSED, _KEPT = "keep-title", "keep-note", "keep-role", "keep-refused", "keep-kept"
_OPEN, _BRIEF = "open-plan", "briefing-plan"
_MOST, _SHORT = 4, 40
_BRIEFING = "dashboard.briefing"
_LANGUAGES = {"en": "English", "sq": "Shqip", "el": "Ελληνικά"}


def kept(current: CurrentRelease) -> list[Result]:
    """List the plans that were kept of the release, newest first; none where no folder was given."""
    folder = read_site().derived
    return [] if folder is None else saved.kept(folder, current.release)


def drifted(found: Sequence[Result], desk: Desk, setting: Setting, told: Told) -> str:
    """Say where a kept plan that was opened comes out otherwise now; empty where it does not."""
    one = next((one.manifest for one in found if session.name_of(one) == desk.follows), None)
    if one is None or saved.setting_of(one) != setting or saved.decided_of(one) != desk.decided:
        return ""
    posts = "" if one["posts_drafted"] else one["posts"]
    names = ("gain", "cost", "moved")
    if posts != desk.posts or all(one["plan"][name] == told["plan"][name] for name in names):
        return ""
    return _(
        "What this plan stands on has changed since it was kept, as travel times or the model do. Kept were "
        "{moved} moves with {gain} children more a quarter and {hours} hours of travel: its briefing holds "
        "those.",
        moved=number(one["plan"]["moved"]),
        gain=_gain(one["plan"]),
        hours=number(round(one["plan"]["cost"])),
    )


def keep(current: CurrentRelease, desk: Desk, setting: Setting) -> None:
    """Ask for a title and keep the plan that is shown, with posts, choices and decisions."""
    if read_site().derived is None:
        st.caption(_("Plans cannot be kept here: start the map with tact serve."))
        return
    with st.form("keep"):
        left, right = st.columns([3, 1])
        with left:
            st.text_input(
                _("Title"), max_chars=LONGEST, key=_TITLE, placeholder=_("More outreach in the north")
            )
            st.text_input(_("Note"), max_chars=LONGEST, key=_NOTE)
        with right:
            forms.role(_ROLE)
        st.form_submit_button(
            _("Keep this plan"), type="primary", on_click=_keep, args=(current, desk, setting)
        )
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(escape_markdown(refused))
    if st.session_state.pop(_KEPT, False):
        st.success(_("The plan is kept. It can be opened again, compared, and taken away below."))


def _keep(current: CurrentRelease, desk: Desk, setting: Setting) -> None:
    state, folder = st.session_state, read_site().derived
    if folder is None:
        return
    try:
        told = planned.told(
            current,
            desk.posts,
            setting,
            desk.decided,
            session.author(state[_ROLE]),
            title=state[_TITLE],
            note=state[_NOTE],
            follows=desk.follows,
            handover=desk.handover,
            weighed=True,
        )
        result = saved.keep(folder, current.release, told)
    except TactError as error:
        state[_REFUSED] = str(error)
    except OSError:
        state[_REFUSED] = _("The folder of plans cannot be written. Ask whoever starts the map to look.")
    else:
        session.remember_kept(result)
        state[_KEPT], state[_OPEN], state[_BRIEF] = True, *[session.name_of(result)] * 2
        state[_TITLE] = state[_NOTE] = ""


def shelf(found: Sequence[Result]) -> pd.DataFrame:
    """List kept plans, one row each."""
    rows = [
        (
            one.manifest["title"],
            _("{role}, {date}", role=_(one.manifest["author"]["role"]), date=one.manifest["author"]["date"]),
            number(one.manifest["plan"]["moved"]),
            _gain(one.manifest["plan"]),
            _("advised") if one.manifest["plan"]["recommended"] else _("change nothing"),
            one.manifest["note"],
        )
        for one in found
    ]
    head = [_("Plan"), _("Kept by"), _("Moves"), _("Children more a quarter (95 %)"), _("Advice"), _("Note")]
    return pd.DataFrame(rows, columns=head)


def _gain(plan: Told) -> str:
    ends = {end: children(plan["gain"][end]) for end in ("low", "high")}
    return _("{gain} ({low} to {high})", gain=gained(plan["gain"]["mean"]), **ends)


def _label(one: Result) -> str:
    return f"{one.manifest['title']} ({str(one.manifest['created'])[:16].replace('T', ' ')})"


def _picked(label: str, found: Sequence[Result], key: str) -> Result:
    by_name = {session.name_of(one): one for one in found}
    chosen = st.selectbox(label, list(by_name), format_func=lambda name: _label(by_name[name]), key=key)
    return by_name.get(chosen or "", found[0])


def opener(found: Sequence[Result]) -> None:
    """Offer to open a kept plan again."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="opener"):
        one = _picked(_("Open a plan again"), found, _OPEN)
        st.button(_("Open"), on_click=session.open_plan, args=(one,))


def compare(current: CurrentRelease, found: Sequence[Result]) -> None:
    """Lay some kept plans side by side."""
    by_name = {session.name_of(one): one for one in found}
    chosen = st.multiselect(
        _("Compare up to four plans"),
        list(by_name),
        default=list(by_name)[:2],
        max_selections=_MOST,
        format_func=lambda name: _label(by_name[name]),
        key="compare-plans",
    )
    if chosen:
        st.html(markup.render_table(compared(current, [by_name[name].manifest for name in chosen])))


def compared(current: CurrentRelease, plans: Sequence[Told]) -> pd.DataFrame:
    """Give one column a plan; what all of them would do stands in a row of its own."""
    moves = [{_way(move): move for move in told["moves"]} for told in plans]
    shared = set.intersection(*(set(one) for one in moves))
    rows: dict[str, list[str]] = {
        _("Whose need counts"): [_(NEEDS[told["parameters"]["pathway"]]) for told in plans],
        _("Posts"): [_("draft") if told["posts_drafted"] else _("table") for told in plans],
        _("Advice"): [
            _("make the moves") if p["plan"]["recommended"] else _("change nothing") for p in plans
        ],
        _("Units that move"): [number(p["plan"]["moved"]) for p in plans],
        _("Hours of travel"): [number(round(p["plan"]["cost"])) for p in plans],
        _("Children more a quarter (95 %)"): [_gain(p["plan"]) for p in plans],
        _("Sure to gain more than 3 %"): [sure(p["plan"]["probability"]) for p in plans],
        _("Need met where least is"): [percent(p["plan"]["planned"]["least_served"]) for p in plans],
        _("Need met in bad cases"): [children(p["plan"]["planned"]["worst_cases"]) for p in plans],
        _("Moves in all of them"): [
            _listed(current, [m for way, m in one.items() if way in shared]) for one in moves
        ],
        _("Moves not in all"): [
            _listed(current, [m for w, m in one.items() if w not in shared]) for one in moves
        ],
    }
    frame = pd.DataFrame({_("Measure"): list(rows)})
    for at, told in enumerate(plans):
        frame.insert(at + 1, f"{at + 1}. {told['title']}", [values[at] for values in rows.values()])
    return frame


def _way(move: Told) -> tuple[str, str, str]:
    return move["start"], move["end"], move["kind"]


def _listed(current: CurrentRelease, moves: Sequence[Told]) -> str:
    return "; ".join(move_name(current, move) for move in moves) or "–"


def briefing(current: CurrentRelease, found: Sequence[Result]) -> None:
    """Offer a kept plan as a briefing: two pages in each language, and pictures for slides."""
    if not current_release.may_download(current.release):
        st.caption(_("Briefings of real records are named and noted: the data officer writes them."))
        st.code('tact plan --briefing FILE --for "A Partner"', language=None, wrap_lines=True)
        return
    if find_spec(_BRIEFING) is None:
        st.code("tact plan --briefing FILE", language=None)
        return
    one = _picked(_("Briefing of"), found, _BRIEF)
    with st.container(horizontal=True, key="briefings"):
        for language, name in _LANGUAGES.items():
            st.download_button(
                _("PDF in {language}", language=name),
                partial(_pdf, one.manifest, current.release, language),
                f"{_file_name(one)}-{language}.pdf",
                "application/pdf",
                on_click="ignore",
                key=f"briefing-{language}",
            )
        st.download_button(
            _("Pictures for slides"),
            partial(_pictures, one.manifest, current.release),
            f"{_file_name(one)}.zip",
            "application/zip",
            on_click="ignore",
        )


def _file_name(one: Result) -> str:
    """Make a file's name of the title, in plain letters, and the day."""
    plain = re.sub(r"[^a-z0-9]+", "-", anyascii(one.manifest["title"]).lower()).strip("-")
    return f"{plain[:_SHORT] or 'plan'}-{one.manifest['author']['date']}"


def _pdf(told: Told, release: Release, language: str) -> bytes:
    made: bytes = import_module(_BRIEFING).make(told, release, language)
    return made


def _pictures(told: Told, release: Release) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for language in _LANGUAGES:
            for name, picture in import_module(_BRIEFING).pictures(told, release, language).items():
                archive.writestr(name, picture)
    return packed.getvalue()
