"""Saved plans on the Reallocate page: they open as they were, and each has its briefing."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.narrative import plan as narrative
from dashboard.pages.reallocate import planner
from dashboard.pages.reallocate import saved as saved_plans
from dashboard.pages.reallocate.session import Workplace
from dashboard.site import place_plans, read_site, reader
from dashboard.site.reader import HEADER, PEOPLE, Reader, read_as, write_header
from dashboard.site.text import speak
from dashboard.widgets import activity
from data.accounts.database import Accounts
from data.accounts.log import read_log
from data.accounts.rights import ROLES, Right, Role
from data.errors import InputError, WorkspaceError
from data.message import Message
from data.personal.free_text import WRITE_NO_NAME
from data.release import Release, signed_list
from data.release.signed_list import Publisher
from data.restricted.keys import Secret
from data.restricted.server_copy import publish_copy
from data.workspace import Workspace
from risk.handover import Tables
from risk.planning import saved
from risk.planning.inputs import Setting
from tests.helpers.accounts import make_accounts
from tests.helpers.reallocate_page import MANAGER, NO_SHARE, decide, list_saved, page, plan_of, read_words, way, widget


@pytest.mark.slow
def test_a_plan_that_is_kept_opens_again_as_it_was(run, current, derived):
    test = run(moves="5", floor="40", unsearched="0")
    decide(test, "decline", "Too far.")
    plan = plan_of(current, Setting(moves=5, floor=0.4, exploration=0.0), test.session_state["plan-decided"])
    test.text_input(key="keep-title").set_value("Fewer moves")
    widget(test.button, "Save this plan").click().run()
    assert "saved as “Fewer moves”" in test.success[0].value
    (saved_plan,) = list_saved(derived, current)
    assert saved_plan.summary.title == "Fewer moves"
    assert saved_plan.summary.frontier
    assert test.query_params["plan"] == saved_plan.address
    address = {"plan": saved_plan.address}
    again = run(**address)
    assert again.query_params["moves"] == "5"
    assert again.query_params["floor"] == "40"
    assert again.query_params["unsearched"] == "0"
    assert again.session_state["plan-decided"] == test.session_state["plan-decided"]
    assert narrative.word_verdict(planner.speak(current), plan).text in read_words(again)
    assert "Too far." in read_words(again)
    other = run()
    widget(other.button, "Open").click().run()
    assert other.query_params["moves"] == "5"
    assert other.session_state["plan-decided"] == test.session_state["plan-decided"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_frontier")
def test_a_briefing_is_one_click_that_saves_its_plan_once_and_the_page_says_so(run, current, derived, monkeypatch):
    names, files = [], []

    def press(label, make, current, name, kind, *, on_click="ignore", args=(), **more):
        names.append(name)
        options = (
            {"on_click": lambda: files.append(make())} if on_click == "ignore" else {"on_click": on_click, "args": args}
        )
        return st.button(label, **options, **more)

    monkeypatch.setattr(saved_plans, "offer_file", press)
    test = run()
    button = test.button(key="briefing-now")
    # The file is named as the plan will be, which the page says before it is saved, and names the day once.
    title, day = re.search("“(.+)”", button.help)[1], datetime.now(UTC).strftime("%Y-%m-%d")
    assert names[0] == f"{re.sub('[^a-z0-9]+', '-', title.lower().split(',')[0])}-{day}-en.pdf"
    assert "No plan is saved yet" in read_words(test)
    sentence = f"The plan is saved as “{title}”, under Open and compare plans."
    assert sentence not in [caption.value for caption in test.caption]
    button.click().run()
    assert sentence in [caption.value for caption in test.caption]
    assert "No plan is saved yet" not in read_words(test)
    (saved_plan,) = list_saved(derived, current)
    assert (saved_plan.summary.title, saved_plan.address) == (title, test.query_params["plan"])
    assert names[0] in names[1:]
    test.button(key="briefing-now").click().run()
    assert files[0].startswith(b"%PDF")
    assert list_saved(derived, current) == (saved_plan,)


@pytest.mark.slow
def test_a_briefing_whose_plan_cannot_be_saved_says_why(run, current, derived, monkeypatch):
    def refuse(*_arguments):
        raise OSError

    monkeypatch.setattr(saved_plans, "_store", refuse)
    monkeypatch.setattr(
        saved_plans,
        "offer_file",
        lambda label, *_, on_click, args, **more: st.button(label, None, None, on_click, args),
    )
    test = run()
    widget(test.button, "Briefing (PDF)").click().run()
    assert [error.value.startswith("The plan could not be saved") for error in test.error] == [True]
    assert list_saved(derived, current) == ()


@pytest.mark.slow
def test_the_briefing_of_a_plan_that_is_not_saved_is_that_of_the_plan(current, monkeypatch):
    files = []
    monkeypatch.setattr(saved_plans, "_make_pdf", lambda plan, *_: files.append(plan.summary.title) or b"%PDF")
    assert saved_plans._brief_plan(current, Workplace(), Setting(), MANAGER, "Change nothing", "en") == b"%PDF"
    assert files == ["Change nothing"]


@pytest.mark.slow
def test_the_briefing_is_that_of_the_opened_plan_only_while_nothing_differs_from_it(current, derived):
    saved.save_plan(derived, current.release, plan_of(current))
    (plan,) = list_saved(derived, current)
    opened = Workplace(follows=plan.address)
    assert saved_plans._find_same([plan], opened, Setting()) == plan
    others = [
        Workplace(),
        replace(opened, posts="other posts"),
        replace(opened, handover=Tables(tasks="tasks", free_share=0.5)),
    ]
    assert [saved_plans._find_same([plan], other, Setting()) for other in others] == [None] * 3
    assert saved_plans._find_same([plan], opened, Setting(moves=1)) is None


@pytest.mark.slow
@pytest.mark.usefixtures("no_frontier")
def test_on_a_server_a_manager_saves_a_plan_that_partners_open(demo_world, monkeypatch, tmp_path):
    server = tmp_path / "sent"
    copy = publish_copy(Workspace.open(demo_world), "partner", server, Secret(bytes(range(32))))
    accounts = make_accounts(tmp_path, [1_700_000_000.0])
    for name in ("_publisher", "_own_folders"):
        monkeypatch.setattr(signed_list, name, [])
    signed_list.believe(Publisher(server, copy.key, "partner"), [place_plans(accounts.path)])
    announced = {"TACT_RELEASES": server / "releases", "TACT_TIER": "partner", "TACT_PUBLISHER": copy.key}
    for variable, value in {**announced, PEOPLE: accounts.path}.items():
        monkeypatch.setenv(variable, str(value))

    def open_as(role, **address):
        monkeypatch.setattr(reader, "_finders", [lambda: {HEADER: write_header("Ελένη", role)}])
        test = AppTest.from_function(page, default_timeout=120)
        test.query_params.update(address)
        assert not test.run().exception
        return test

    before = {path: path.read_bytes() for path in server.rglob("*") if path.is_file()}
    test = open_as("manager", moves="5", unsearched="0")
    test.text_input(key="keep-title").set_value("More in the east")
    widget(test.button, "Save this plan").click().run()
    assert "saved" in test.success[0].value
    row = read_log(accounts)[-1]
    assert {path: path.read_bytes() for path in server.rglob("*") if path.is_file()} == before
    (plan,) = saved.list_saved_plans([place_plans(accounts.path)], read_site().release()).plans
    assert plan.address == row.content["name"] == test.query_params["plan"]
    partner = open_as("partner", plan=plan.address)
    assert "More in the east" in read_words(partner)
    assert not [button for button in partner.button if button.label == "Save this plan"]


def test_a_plan_without_a_title_is_not_kept_and_says_why_before_anything_is_computed(
    run, current, derived, monkeypatch
):
    test = run()
    monkeypatch.setattr(planner, "compute_frontier", lambda *_: pytest.fail("computed in vain"))
    assert WRITE_NO_NAME in [caption.value for caption in test.caption]
    widget(test.button, "Save this plan").click().run()
    assert "needs a title" in test.error[0].value
    assert list_saved(derived, current) == ()


def test_a_title_that_is_too_long_is_refused_with_the_limit(run, current, derived):
    test = run()
    title = test.text_input(key="keep-title")
    assert not title.max_chars  # with it, the browser drops a longer text without a word
    title.set_value("long " * 100)
    widget(test.button, "Save this plan").click().run()
    assert "longer than 300 characters" in test.error[0].value
    assert list_saved(derived, current) == ()


def test_why_a_plan_is_not_saved_is_said_in_the_reader_s_language(current, monkeypatch, tmp_path):
    def refuse(*_arguments):
        raise InputError(Message("A saved plan needs a title, for example: More outreach in the north."))

    state = {saved_plans._ROLE: MANAGER.role, saved_plans._TITLE: "", saved_plans._NOTE: ""}
    monkeypatch.setattr("streamlit.session_state", state)
    monkeypatch.setattr(saved_plans, "read_site", lambda: SimpleNamespace(work_folder=tmp_path))
    monkeypatch.setattr(saved_plans, "_compute_to_save", refuse)
    with speak("el"):
        saved_plans._save(current, Workplace(), Setting())
    assert state[saved_plans._REFUSED].startswith("Ένα αποθηκευμένο σχέδιο χρειάζεται τίτλο")


def test_a_plan_that_the_audit_log_cannot_tell_of_is_not_stored(current, derived, monkeypatch, tmp_path):
    plan = plan_of(current)
    monkeypatch.setattr(activity, "find_accounts", lambda: Accounts(tmp_path / "gone"))
    with pytest.raises(WorkspaceError):
        saved_plans._store(derived, current, plan)
    assert not list(derived.glob("*/plan-*"))
    accounts = make_accounts(tmp_path, [1_700_000_000.0])
    monkeypatch.setattr(activity, "find_accounts", lambda: accounts)
    stored = [saved_plans._store(derived, current, plan) for _ in range(2)]
    (row,) = read_log(accounts)
    assert row.content["name"] == stored[0].address == stored[1].address


@pytest.mark.parametrize("role", ["", *Role])
def test_only_who_plans_saves_a_plan(current, scored, derived, monkeypatch, role):
    rights, plan = ROLES[Role(role)] if role else frozenset(), plan_of(current)
    monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
    monkeypatch.setenv("TACT_TIER", "partner")
    monkeypatch.setenv("TACT_DERIVED", str(derived))
    monkeypatch.setattr(saved_plans, "_compute_to_save", lambda *_: plan)
    state = {saved_plans._ROLE: MANAGER.role, saved_plans._TITLE: plan.title, saved_plans._NOTE: ""}
    monkeypatch.setattr("streamlit.session_state", state)
    monkeypatch.setattr("streamlit.query_params", {})
    with read_as(Reader("Somebody", rights)):
        saved_plans._save(current, Workplace(), Setting())
    assert saved_plans._REFUSED not in state
    assert len(list_saved(derived, current)) == (Right.PLAN in rights)


@pytest.mark.slow
def test_plans_are_compared_side_by_side(current):
    few, many = (plan_of(current, replace(NO_SHARE, moves=moves)) for moves in (3, 10))
    plans = [replace(few, title="A"), replace(many, title="A")]
    table = saved_plans.compare_plans(planner.speak(current), plans).set_index("Measure")
    assert list(table) == ["1. A", "2. A"]
    assert list(table.loc["Units that move"]) == [str(plan.verdict.moved) for plan in plans]
    both = {way(m) for m in few.moves} & {way(m) for m in many.moves}
    shared = table.loc["Moves in all plans"]
    assert all(len(text.split("; ")) == len(both) for text in shared if both)
    assert len(table.loc["Moves in some plans only", "2. A"].split("; ")) == len(many.moves) - len(both)


@pytest.mark.slow
def test_a_briefing_of_real_records_leaves_by_the_command_alone(run, current, monkeypatch):
    test = run()
    test.text_input(key="keep-title").set_value("A plan")
    monkeypatch.setattr(Release, "invented", False)
    widget(test.button, "Save this plan").click().run()
    assert any("tact plan open NAME --briefing FILE --for" in code.value for code in test.code)
    assert any("tact plan draft FILE" in code.value for code in test.code)
    left = [button.proto.label for button in test.get("download_button")]
    assert not [label for label in left if "PDF" in label or "posts" in label]


@pytest.mark.slow
def test_a_kept_plan_that_comes_out_otherwise_says_so(run, current, derived):
    plan = plan_of(current)
    changed = replace(plan, verdict=replace(plan.verdict, cost=plan.verdict.cost + 7.0))
    other = saved.save_plan(derived, current.release, changed)
    warnings = " ".join(warning.value for warning in run(plan=other.address).warning)
    assert "has changed since it was saved" in warnings
    same = saved.save_plan(derived, current.release, plan)
    assert not run(plan=same.address).warning


@pytest.mark.parametrize("damage", ['{"moves": 3', '"moves": 3, "moves_"'])
def test_a_damaged_plan_is_named_and_never_breaks_the_page(run, current, derived, damage):
    good = saved.save_plan(derived, current.release, plan_of(current))
    bad = shutil.copytree(good.folder, good.folder.parent / "plan-partner-bad") / "manifest.json"
    bad.write_text(bad.read_text(encoding="utf-8").replace('"moves"', damage), encoding="utf-8")
    test = run()
    text = " ".join(warning.value for warning in test.warning)
    assert "plan-partner-bad" in text
    assert "A plan" in read_words(test)
    assert "was not found" in " ".join(warning.value for warning in run(plan="bad").warning)
