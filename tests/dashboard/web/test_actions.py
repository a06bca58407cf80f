"""Each action of a page names the rights that it needs, and each role is offered what its rights allow, nothing else.

An action is a button or a file to give or to take. The desk has none of them: it is a process of its own, for one
officer. Links are addresses, which test_admission.py lists.
"""

import ast
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache
from inspect import currentframe
from pathlib import Path
from traceback import walk_stack
from types import SimpleNamespace
from typing import NamedTuple

import pytest

import dashboard
from dashboard.pages import reallocate
from dashboard.pages.programme import advocacy, targets
from dashboard.pages.reallocate import forms, handover, planner, saved
from dashboard.pages.reallocate.session import Workplace
from dashboard.pages.trends import breaks
from dashboard.site import Site, reader
from dashboard.site.reader import Reader, read_as
from dashboard.web import agenda
from dashboard.web.agenda import decisions, state
from dashboard.widgets import page_frame
from dashboard.widgets.address import follow
from data.accounts.meetings import Decision, Item, add_decision, create_meeting, list_meetings
from data.accounts.rights import ROLES, Right, Role
from risk.handover.advocacy import AdvocacyEntry
from risk.planning.inputs import Setting
from tests.helpers.accounts import make_accounts

FOLDER = Path(dashboard.__file__).parent
BUTTONS = ("button", "form_submit_button", "download_button", "file_uploader")  # of Streamlit
OTHERS = ("ask_files", "offer_file", "camera_input", "audio_input", "chat_input", "data_editor")
HANDLERS = ("on_click", "on_change", "on_select", "on_submit")

SHOW = ()  # changes only what its reader sees
PLAN = (Right.PLAN,)
SEE = (Right.SEE_PARTNER,)
GIVE = (Right.SEE_PARTNER, Right.UPLOAD)
TAKE = (Right.SEE_PARTNER, Right.EXPORT)
EXPORT = (Right.EXPORT,)  # the whole page needs it
# By file, function that offers it, and its words; where these are no literal, by what is called, or how they are made.
ACTIONS = {
    "map/__init__.py show_map: on_click": SHOW,
    "pages/coverage/__init__.py _show_map: choose_area": SHOW,
    "pages/download/__init__.py show: Download the citation for reference lists and catalogues": EXPORT,
    "pages/download/atlas.py show_atlas: Download the atlas of communities": EXPORT,
    "pages/download/check.py show_check: Your table (CSV or XLSX)": (*EXPORT, *GIVE),
    "pages/download/__init__.py _choose_layers: Download {format}": SHOW,  # cannot be pressed
    "pages/download/__init__.py _choose_layers: label.format(format=forms[kind].name)": EXPORT,
    "pages/download/live.py _offer_files: label": EXPORT,
    "pages/programme/advocacy.py show_advocacy: label": EXPORT,
    "pages/programme/targets.py show_targets: label": EXPORT,
    "pages/download/report.py _show_choice: Download the tables in a ZIP file": EXPORT,
    "pages/download/tokens.py show_tokens: End {name}": EXPORT,
    "pages/download/tokens.py show_tokens: Hide the token": SHOW,
    "pages/download/tokens.py show_tokens: Make a token": EXPORT,
    # Decisions on moves, posts and tasks are the session's, until a plan is saved with them.
    "pages/reallocate/cards.py _ask_reason: _take": SHOW,
    "pages/reallocate/cards.py _show_cards: _take if code == 'accept' else _open": SHOW,
    "pages/reallocate/forms.py _ask_preset: Which plan": SHOW,
    "pages/reallocate/forms.py ask_posts: Download the table of posts": TAKE,
    "pages/reallocate/forms.py ask_posts: Upload the corrected table": GIVE,
    "pages/reallocate/forms.py ask_posts: Use the estimated posts again": SHOW,
    "pages/reallocate/handover.py ask_tables: Calculate the hand-over": SHOW,
    "pages/reallocate/handover.py ask_tables: Empty table of spare capacity": SEE,
    "pages/reallocate/handover.py ask_tables: Empty table of tasks": SEE,
    "pages/reallocate/handover.py ask_tables: Remove the hand-over": SHOW,
    "pages/reallocate/handover.py ask_tables: Table of spare capacity, if you have one": GIVE,
    "pages/reallocate/handover.py ask_tables: Table of tasks": GIVE,
    "pages/reallocate/saved.py show_saved: Open": SHOW,
    "pages/reallocate/saved.py ask_to_save: Save this plan": PLAN,
    "pages/reallocate/saved.py offer_briefing: Briefing (PDF)": TAKE,
    "pages/reallocate/saved.py show_briefing: PDF in {language}": TAKE,
    "pages/reallocate/saved.py show_briefing: Pictures for slides": TAKE,
    "pages/reallocate/sentence.py _ask_rule: Add": SHOW,
    "pages/reallocate/sentence.py _menu: take": SHOW,
    "pages/reallocate/sentence.py _offer_removal:  ×": SHOW,
    "pages/reallocate/sentence.py ask_sentence: Teams that stay": SHOW,
    "pages/situation/__init__.py _show_nothing_yet: lambda: None": SHOW,
    "pages/situation/__init__.py _show_situation: Both countries": SHOW,
    "pages/situation/__init__.py _show_situation: Table": SHOW,
    "pages/situation/controls.py _show_menu: _make_callback(key, value, change)": SHOW,
    "pages/situation/controls.py _show_segments: _make_callback(key, value, change)": SHOW,
    "pages/situation/controls.py choose_period: Period": SHOW,
    "pages/situation/controls.py show_no_numbers: Show {period}": SHOW,
    "pages/situation/controls.py show_play_button: Stop": SHOW,
    "pages/trends/breaks.py ask_about_breaks: _accept": PLAN,
    "pages/trends/breaks.py ask_about_breaks: _remove": PLAN,
    "web/agenda/__init__.py _offer_order: Remove": PLAN,
    "web/agenda/__init__.py _offer_order: change": PLAN,
    "web/agenda/__init__.py _offer_papers: Minutes (PDF, {language})": SEE,
    "web/agenda/__init__.py _offer_to_add: Add to the agenda": PLAN,
    "web/agenda/__init__.py _offer_to_remove: change": PLAN,
    "web/agenda/decisions.py _ask_for_decision: Minute this decision": PLAN,
    "web/agenda/decisions.py _offer_to_remove: Remove: {decision}": PLAN,
}
DOWNLOAD = "pages/download/"


class Action(NamedTuple):
    """An action in the source: its name in the table, its file and its lines."""

    name: str
    file: Path
    lines: range


@cache
def list_actions():
    files = [file for file in sorted(FOLDER.rglob("*.py")) if not file.is_relative_to(FOLDER / "desk")]
    return [action for file in files for action in read_actions(file, FOLDER)]


def read_actions(file, folder):
    for part in ast.parse(file.read_text(encoding="utf-8")).body:
        function = getattr(part, "name", "")
        for call in ast.walk(part):
            # What hands an action on for others is listed where it is called.
            if isinstance(call, ast.Call) and function not in OTHERS and (words := name_call(call)):
                name = f"{file.relative_to(folder).as_posix()} {function}: {words}"
                yield Action(name, file, range(call.lineno, call.end_lineno + 1))


def name_call(call):
    """Return the words of an action; empty for a call that is none."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    handlers = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg in HANDLERS]
    if called not in (*BUTTONS, *OTHERS) and not handlers:
        return ""
    first = (call.args or [keyword.value for keyword in call.keywords])[0]
    texts = [part.value for part in ast.walk(first) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    words = [*texts, *handlers, ast.unparse(first)]
    return words[0]


def test_each_action_names_its_rights():
    assert sorted(action.name for action in list_actions()) == sorted(ACTIONS)


def test_a_new_action_is_found(tmp_path):
    (tmp_path / "new.py").write_text(
        "def show(left):\n    st.button(words, on_click=send)\n    left.download_button(_('Take'), b'')\n"
        "    st.selectbox(_('Choose'), [], on_change=lambda: send(1))\n    st.selectbox(_('Look'), [])\n",
        encoding="utf-8",
    )
    names = [action.name for action in read_actions(tmp_path / "new.py", tmp_path)]
    assert names == ["new.py show: send", "new.py show: Take", "new.py show: Choose"]


def test_what_the_page_of_files_offers_needs_the_right_of_the_page():
    """Which roles get that page is tried in test_signed_in.py, its form for a table in test_download.py."""
    rights = [rights for name, rights in ACTIONS.items() if name.startswith(DOWNLOAD) and rights != SHOW]
    assert len(rights) > 5
    assert all(Right.EXPORT in each for each in rights)


@pytest.fixture
def release(demo_world, tmp_path, monkeypatch):
    """Let people sign in to the demo's releases; return the name of the newest."""
    (tmp_path / "derived").mkdir()
    monkeypatch.setenv("TACT_RELEASES", str(demo_world / "releases"))
    monkeypatch.setenv("TACT_TIER", "partner")
    monkeypatch.setenv("TACT_DERIVED", str(tmp_path / "derived"))
    monkeypatch.setenv("TACT_PUBLISHER", "")
    monkeypatch.setenv(reader.PEOPLE, str(make_accounts(tmp_path, [1_700_000_000.0]).path))
    return Site(demo_world / "releases", "partner").find_newest()


@pytest.fixture
def offers(monkeypatch):
    """Return a set that gets the name of each action that a page offers, outside of a session."""
    actions, names = list_actions(), set()

    def note(*_arguments, **_more):
        names.add(
            next(
                action.name
                for frame, line in walk_stack(currentframe())
                for action in actions
                if line in action.lines and frame.f_code.co_filename == str(action.file)
            )
        )

    for name in BUTTONS:
        monkeypatch.setattr(f"streamlit.{name}", note)
    # Outside of a session a form stays open for what comes after it.
    monkeypatch.setattr("streamlit.form", lambda *_arguments, **_more: nullcontext())
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr("streamlit.query_params", {})
    for module in (page_frame, decisions):
        monkeypatch.setattr(module, "show_part", lambda show, *values, **_more: show(*values))
    return names


def show_meeting(monkeypatch, release):
    """Show an agenda to which a view may be added, and a decision beside its view."""
    accounts = reader.find_accounts()
    first = Item("map?layer=encounters&level=region", release, "Look here")
    key = create_meeting(accounts, "Coordination", "2026-11-27", "Elira", first)
    monkeypatch.setattr(agenda, "pick_from_menu", lambda *_: key)
    with follow({"add": "map"}):
        agenda.show()
    (meeting,) = list_meetings(accounts)
    add_decision(accounts, key, meeting.items[0].id, Decision("Two more days", "municipality", "2026-12-24", "AL-11"))
    with follow({"agenda": key, "item": "1"}):
        if (played := state.find_played()) is not None:
            decisions.show_decisions(played, page_frame.open_shown_release())


def show_breaks(monkeypatch):
    """Show a possible break of a series and one that is accepted."""
    jump = SimpleNamespace(period="2008-03-01/P3M", place="AL")
    for name in ("list_possible", "list_accepted"):
        monkeypatch.setattr(breaks.summary, name, lambda *_: [jump])
    breaks.ask_about_breaks(page_frame.open_shown_release(), (), "AL-11", "internal")


def show_programme(monkeypatch):
    """Show the target group, and a register of advocacy with an entry."""
    entry = AdvocacyEntry("An action plan", "AL", "proposed", "2009-01-15", "Invented")
    monkeypatch.setattr(advocacy, "read_policies", lambda *_: [entry])
    current = page_frame.open_shown_release()
    targets.show_targets(current)
    advocacy.show_advocacy(current, "AL")


def show_plan(monkeypatch):
    """Show the parts of the page of plans that offer something, for a plan that was not computed."""
    plan = SimpleNamespace(author=SimpleNamespace(date="2026-11-25"), title="A plan", advised=True)
    monkeypatch.setattr(saved, "name_answer", lambda *_: "do")
    monkeypatch.setattr(planner, "write_posts_file", lambda *_: b"")

    def show_parts(current):
        saved.offer_briefing(current, SimpleNamespace(plans=()), Workplace(), Setting(), plan)
        saved.ask_to_save(current, SimpleNamespace(plans=()), Workplace(), Setting())
        saved.show_briefing(current, [SimpleNamespace(address="a", summary=plan, created=datetime.now(UTC))])
        forms.ask_posts(current, Workplace(), "region")
        handover.ask_tables(current, Workplace())

    monkeypatch.setattr(reallocate, "_show_page", show_parts)
    reallocate.show()


@pytest.mark.parametrize("role", ["", *Role])
def test_each_role_is_offered_what_its_rights_allow_and_nothing_else(release, offers, monkeypatch, role):
    rights = ROLES[Role(role)] if role else frozenset()  # without a role: signed out
    with read_as(Reader("Somebody", rights)):
        show_meeting(monkeypatch, release)
        show_breaks(monkeypatch)
        show_programme(monkeypatch)
        show_plan(monkeypatch)
    table = {name: needed for name, needed in ACTIONS.items() if needed and not name.startswith(DOWNLOAD)}
    assert offers & table.keys() == {name for name, needed in table.items() if rights.issuperset(needed)}
