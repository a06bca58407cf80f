"""The Reallocate page: the advice first; choices and decisions change the plan; saved plans open again."""

import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.narrative import area_plan, moves
from dashboard.narrative import plan as narrative
from dashboard.narrative.judgement import judge_area
from dashboard.narrative.moves import count_left, word_move
from dashboard.pages.reallocate import cards, frontier, handover, map, planner, render, session, summary
from dashboard.pages.reallocate import saved as saved_plans
from dashboard.pages.reallocate.session import Workplace
from dashboard.site import Site, current_release, read_site, reader
from dashboard.site.reader import HEADER, PEOPLE, Reader, read_as, write_header
from dashboard.site.text import speak
from dashboard.widgets import activity
from data.accounts.database import Accounts
from data.accounts.log import read_log
from data.accounts.rights import ROLES, Right, Role
from data.errors import FileRefused, InputError, WorkspaceError
from data.message import Message
from data.release import Release, signed_list
from data.release.signed_list import Publisher
from data.restricted.keys import Secret
from data.restricted.server_copy import publish_copy
from data.workspace import Workspace
from geo.layers.communities import CAUTION
from risk.handover import Tables
from risk.planning import saved
from risk.planning.clashes import Clash, RulesClash
from risk.planning.inputs import Setting, make_plan
from risk.planning.problem import Decision
from risk.planning.summary import Author, AuthoredDecision
from tests.helpers.accounts import make_accounts
from tests.helpers.pages import read_unfolded, speak_on_pages

HOSTILE = "<img src=x onerror=alert(1)>"
NO_SHARE = Setting(exploration=0.0)  # few moves may be too few for the share of under-searched areas
MANAGER = Author("programme manager", "2026-11-25")


def page():
    from dashboard.pages import reallocate

    reallocate.show()


@pytest.fixture(scope="module")
def derived(scored, tmp_path_factory):
    """Return a copy of the derived results for this module alone, in which tests save plans."""
    return shutil.copytree(scored.derived, tmp_path_factory.mktemp("kept") / "derived")


@pytest.fixture(autouse=True)
def nothing_kept(derived):
    yield
    for folder in derived.glob("*/plan-*"):
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def of(scored, derived):
    return current_release.open_current_release(Site(scored.releases, "partner", derived=derived))


@pytest.fixture
def run(monkeypatch, scored, derived):
    def opened(tier="partner", state=None, **address):
        monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
        monkeypatch.setenv("TACT_TIER", tier)
        monkeypatch.setenv("TACT_DERIVED", str(derived))
        test = AppTest.from_function(page, default_timeout=120)
        test.query_params.update(address)
        for name, value in (state or {}).items():
            test.session_state[name] = value
        test.run()
        assert not test.exception
        return test

    return opened


def bodies(test):
    return " ".join(element.proto.body for element in test.get("html"))


def said(test):
    return unescape(re.sub(r"<[^>]+>", " ", bodies(test)))


def widget(kind, label, *, exact=False):
    (found,) = [one for one in kind if (one.label == label if exact else one.label.startswith(label))]
    return found


def plan_of(of, setting=None, decisions=(), posts=""):
    return planner.compute_plan(of, posts, setting or Setting(), tuple(decisions), MANAGER, title="A plan")


def way(move):
    return move.start, move.end, move.kind


def name(of, move):
    return word_move(planner.speak(of), move)


def list_saved(derived, of):
    return saved.list_saved_plans([derived], of.release).plans


# -- the answer ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_answer_comes_first_with_its_measure_and_how_sure_it_is(run, of):
    plan, t = plan_of(of), planner.speak(of)
    text = said(run())
    verdict = narrative.word_verdict(t, plan)
    assert text.index(verdict.head) < text.index("Chance of a gain over 3") < text.index(verdict.text)
    assert text.index(verdict.text) < text.index("Need met: the children")
    assert "per quarter" in text
    assert "It is an estimate with an interval, because nobody knows how many children are never" in text
    assert "estimated posts" in text
    assert t.format_number(plan.verdict.today.met.mean) in text
    assert all(f"{move.units} × {move.kind}" in text for move in plan.moves)
    assert text.count("Chance that it helps") >= len(plan.moves)


def test_a_plan_that_is_not_sure_enough_says_to_change_nothing_and_a_sure_one_what_it_gains(of):
    plan, t = plan_of(of), planner.speak(of)
    heads = {"nothing": "Advice: change nothing", "small": "Small but almost sure", "move": "Advice: move"}
    short = {"nothing": "change nothing", "small": "small but almost sure", "move": "make the moves"}
    for chance, answer in ((0.6, "nothing"), (0.7, "small"), (0.98, "move")):
        verdict = replace(plan.verdict, probability=chance, answer=answer, broken_today=["exploration"])
        judged = replace(plan, verdict=verdict)
        words = narrative.word_verdict(t, judged)
        assert words.head.startswith(heads[answer])
        assert narrative.name_answer(t, judged) == short[answer]
        assert f"{chance:.0%}".replace("%", "\u00a0%") in words.text
        assert "more than 3\u00a0%" in words.text
        if answer != "nothing":
            assert t.format_interval(verdict.gain) in words.text
        # Beside "change nothing" there is nothing to warn of.
        assert bool(words.warning) == (answer != "nothing")
        assert "break a rule" in (words.warning or words.note)
        assert ("The advice depends only on the gain" in words.note) == (answer == "nothing")
        drawn = render.render_verdict(t, judged)
        assert t.format_interval(verdict.gain) in drawn
        assert f'<b style="width:{100 * chance:.1f}%"></b><s style="left:90%"></s>' in drawn


@pytest.mark.slow
def test_units_may_move_between_municipalities_and_posts_of_regions_stay_apart(run, monkeypatch):
    quick = planner.make_plan
    monkeypatch.setattr(
        planner, "make_plan", lambda ground, setting, *more: quick(ground, replace(setting, seconds=3), *more)
    )
    test = run(between="municipality", moves="4", unsearched="0", state={"plan-posts": "posts of regions"})
    assert not test.error
    assert "By municipality" in [one.label for one in test.expander]
    assert "Need met: the children" in said(test)
    assert test.session_state["plan-posts"] == "posts of regions"


def test_where_no_move_helps_it_says_so_and_offers_none(run):
    test = run(moves="0", unsearched="0")
    assert "No arrangement of units that keeps the rules is better than the current posts." in said(test)
    assert "No move is proposed" in said(test)
    assert not options(test)


def test_numbers_of_children_are_as_exact_as_makes_sense_and_no_chance_is_certain(of):
    t = planner.speak(of)
    assert [t.format_change(value) for value in (132.6, 4.82, 0.04, -0.92)] == ["+133", "+4.8", "0", "−0.9"]
    chances = [t.format_chance(chance) for chance in (1.0, 0.955, 0.0)]
    assert chances == ["over 99\u00a0%", "96\u00a0%", "under 1\u00a0%"]


# -- choices ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_choice_changes_the_plan_and_stands_in_the_address(run, of):
    test = run(moves="4", unsearched="0")
    before = said(test)
    widget(test.slider, "Weight of the worst-served areas").set_value(60).run()
    assert test.query_params["worst"] == "60"
    assert test.query_params["moves"] == "4"
    assert said(test) != before
    wanted = plan_of(of, Setting(moves=4, equity=0.6, exploration=0.0))
    assert [name(of, move) for move in wanted.moves] == options(test)
    again = run(**{name: str(value) for name, value in test.query_params.items()})
    assert said(again) == said(test)


def test_garbage_in_the_address_opens_the_page_all_the_same(run):
    test = run(moves="many", hours="-3", worst="900", pathway="<b>", plan="../..", floor="½")
    assert test.query_params["moves"] == "10"
    assert test.query_params["hours"] == "none"
    assert test.query_params["worst"] == "0"
    assert "plan" not in test.query_params
    assert "was not found" in test.warning[0].value
    assert "<b>" not in said(test)


@pytest.mark.parametrize(
    "setting", [Setting(), Setting("internal", 3, 12.0, 0.25, 1.0, 0.0, 0.35, 1.0, 0.05, level="municipality")]
)
def test_a_setting_is_the_same_after_a_way_through_the_address(of, setting):
    choices = {
        name: value if name in ("between", "pathway") else None if value == "none" else int(value)
        for name, value in session.write_setting(setting).items()
    }
    assert session.read_setting(choices) == setting


@pytest.mark.slow
def test_rules_that_clash_are_named_with_what_frees_them(run, of):
    move = plan_of(of).moves[0]
    decision = Decision(*way(move), "accept", move.units)
    test = run(moves="0", state={"plan-decided": (AuthoredDecision(decision, MANAGER),)})
    text = said(test)
    assert "No plan can keep all rules" in text
    with pytest.raises(RulesClash) as raised:
        plan_of(of, Setting(moves=0), [AuthoredDecision(decision, MANAGER)])
    _head, lines = narrative.word_clashes(planner.speak(of), raised.value.clashes)
    assert len(lines) == len(raised.value.clashes) > 0
    assert all(line in text for line in lines)
    assert "AL-" not in " ".join(lines)
    widget(test.number_input, "Maximum number of moves", exact=True).set_value(40).run()
    assert "No plan can keep all rules" not in said(test)


def test_of_a_limit_that_clashes_it_says_what_would_do(of):
    decision = Decision("AL-11", "", "outreach team", "lock")
    clashes = [
        Clash("moves", 2.0, 5.0),
        Clash("budget", 3.0, None),
        Clash("floor", 9.0, 4.0, ("AL-11", "AL-02")),
        Clash("locked", 4.0, 2.0, decisions=(decision,)),
    ]
    _head, lines = narrative.word_clashes(planner.speak(of), clashes)
    assert "5 instead of 2 is enough" in lines[0]
    assert "more of this alone is not enough" in lines[1]
    assert "only 4 of 9 is possible (too little in Tirana, Durrës)" in lines[2]
    assert "too little in Keep in place: outreach team in Tirana" in lines[3]


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_few_words_stand_on_the_page_before_it_is_unfolded(run, monkeypatch, language):
    speak_on_pages(monkeypatch, language)
    words = re.findall(r"\S*[^\W\d_]\S*", read_unfolded(run(area="AL-09")))
    assert 100 < len(words) <= 250


@pytest.mark.slow
def test_a_preset_sets_the_weights_and_is_marked_while_they_stay(run):
    test = run(unsearched="0")
    assert test.radio(key="plan-preset").value == "most"
    test.radio(key="plan-preset").set_value("fairest").run()
    assert (test.query_params["worst"], test.query_params["bad"]) == ("60", "0")
    assert widget(test.slider, "Weight of the worst-served areas").value == 60
    test.radio(key="plan-preset").set_value("safest").run()
    assert (test.query_params["worst"], test.query_params["bad"]) == ("0", "60")
    widget(test.slider, "Weight of the worst cases").set_value(25).run()
    assert test.radio(key="plan-preset").value is None
    assert run(worst="60", bad="0").radio(key="plan-preset").value == "fairest"


def test_of_the_chosen_area_the_plan_says_what_why_not_more_and_what_would_have_to_be_true(run, of):
    plan, t = plan_of(of), planner.speak(of)
    first = plan.moves[0]
    text = said(run(area=first.end))
    coming = sum(move.units for move in plan.moves if move.end == first.end)
    assert f"{t.name_area(first.end)}. " in text
    assert t.format_plural("{count} team would come", "{count} teams would come", coming) in text
    assert "Why not more" in text
    assert f"Need met there: {t.format_percent(plan.met_shares('today')[first.end])} today" in text
    assert f"would have to be 90\u00a0%; it is {t.format_chance(plan.verdict.probability)}" in text
    ends = {code for move in plan.moves for code in (move.start, move.end)}
    still = next(row.area for row in plan.coverage if row.area not in ends and judge_area(of, row.area).need)
    words = area_plan.word_area_plan(t, plan, still, judge_area(of, still).need)
    assert words.does == "The plan moves no team from or to this area."
    assert f"estimate of {t.format_number(judge_area(of, still).need.value)} a quarter" in words.condition
    assert area_plan.word_area_plan(t, plan, "XX-1", None) is None
    assert "Choose an area in the bar" in said(run())


def test_a_plan_that_is_advised_names_the_condition_of_its_moves(of):
    plan, t = plan_of(of), planner.speak(of)
    advised = replace(plan, verdict=replace(plan.verdict, answer="move", moved=len(plan.moves), probability=0.97))
    words = area_plan.word_area_plan(t, advised, plan.moves[0].end, None)
    assert words.does.startswith("The plan advises: ")
    assert words.condition == moves.word_moves(t, advised)[0].condition
    allowed = area_plan.word_area_plan(t, replace(advised, setting=Setting(moves=99)), plan.moves[0].end, None)
    assert "No other move that keeps the rules gains more." in allowed.why
    assert "No more moves are allowed" not in allowed.why


# -- decisions -------------------------------------------------------------------------------------------


def decide(test, words, reason="", move=0):
    test.button(key=f"offer-{move}-{words}").click().run()
    if words != "accept":
        test.text_input(key="decide-reason").set_value(reason)
        (button,) = [one for one in test.button if one.label == cards._MEANING[words]]
        button.click().run()
    assert not test.exception


@pytest.mark.slow
def test_a_move_that_is_declined_is_gone_and_comes_back_when_that_is_undone(run, of):
    first = plan_of(of).moves[0]
    words = name(of, first)
    test = run()
    decide(test, "decline", "The team has just arrived.")
    text = said(test)
    assert f"Declined: {words.replace(': ', ', ')} – The team has just arrived. (programme manager, " in text
    held = test.session_state["plan-decided"]
    assert way(first) not in {way(move) for move in plan_of(of, decisions=held).moves}
    assert not [field for field in test.text_input if field.key == "decide-reason"]
    test.button(key="undo-0").click().run()
    assert "Declined" not in said(test)
    assert words in options(test)


@pytest.mark.slow
def test_a_move_that_is_accepted_stays_and_is_marked(run, of):
    test = run(unsearched="0")
    last = plan_of(of, NO_SHARE).moves[-1]
    decide(test, "accept", move=len(options(test)) - 1)
    widget(test.number_input, "Maximum number of moves", exact=True).set_value(4).run()
    assert "Accepted: " in said(test)
    held = test.session_state["plan-decided"]
    plan = plan_of(of, replace(NO_SHARE, moves=4), held)
    assert way(last) in {way(move) for move in plan.moves}
    assert "accepted" in set(summary.tabulate_moves(planner.speak(of), plan)["Decision"])


@pytest.mark.slow
def test_units_that_are_kept_as_they_are_do_not_leave(run, of):
    first = plan_of(of).moves[0]
    area = planner.speak(of).name_area(first.start)
    test = run()
    decide(test, "lock", "They run a school project.")
    assert f"Keep in place: {first.kind} in {area} – They run a school project. (programme" in said(test)
    (held,) = test.session_state["plan-decided"]
    assert (held.decision.end, held.decision.kind) == ("", first.kind)
    assert first.start not in {move.start for move in plan_of(of, decisions=[held]).moves}


def test_what_is_offered_to_decide_is_what_the_planner_understands(run):
    assert set(cards.list_offers()) == {"accept", "decline", "lock"}
    test = run()
    labels = [one.label for one in test.button if str(one.key).startswith("offer-0-")]
    assert labels == ["Accept", "Decline", "Keep"]


def test_after_a_decision_that_no_plan_can_keep_it_can_be_undone(run, of):
    moves = plan_of(of).moves[:2]
    decided = tuple(AuthoredDecision(Decision(*way(move), "accept", move.units), MANAGER) for move in moves)
    test = run(moves="1", unsearched="0", state={"plan-decided": decided})
    assert "the accepted moves" in said(test).lower()
    test.button(key="undo-1").click().run()
    assert len(test.session_state["plan-decided"]) == 1


@pytest.mark.slow
def test_text_that_people_wrote_is_text(run, of):
    first = plan_of(of).moves[0]
    decided = (AuthoredDecision(Decision(*way(first), "decline", reason=HOSTILE), MANAGER),)
    test = run(state={"plan-decided": decided})
    test.text_input(key="keep-title").set_value(HOSTILE)
    test.text_input(key="keep-note").set_value("[x](javascript:alert(1)) $x$")
    widget(test.button, "Save this plan").click().run()
    assert said(test).count(HOSTILE) >= 2
    assert "<img" not in bodies(test)


# -- kept plans ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_plan_that_is_kept_opens_again_as_it_was(run, of, derived):
    test = run(moves="5", floor="40", unsearched="0")
    decide(test, "decline", "Too far.")
    plan = plan_of(of, Setting(moves=5, floor=0.4, exploration=0.0), test.session_state["plan-decided"])
    test.text_input(key="keep-title").set_value("Fewer moves")
    widget(test.button, "Save this plan").click().run()
    assert "saved" in test.success[0].value
    (kept,) = list_saved(derived, of)
    assert kept.summary.title == "Fewer moves"
    assert kept.summary.frontier
    assert test.query_params["plan"] == kept.address
    address = {"plan": kept.address}
    again = run(**address)
    assert again.query_params["moves"] == "5"
    assert again.query_params["floor"] == "40"
    assert again.query_params["unsearched"] == "0"
    assert again.session_state["plan-decided"] == test.session_state["plan-decided"]
    assert narrative.word_verdict(planner.speak(of), plan).text in said(again)
    assert "Too far." in said(again)
    other = run()
    widget(other.button, "Open").click().run()
    assert other.query_params["moves"] == "5"
    assert other.session_state["plan-decided"] == test.session_state["plan-decided"]


@pytest.mark.slow
def test_a_briefing_is_one_click_and_saves_its_plan_once(run, of, derived, monkeypatch):
    offered, offer = [], saved_plans.offer_file

    def note(*args, **more):
        offered.append((args[3], more.get("help")))
        return offer(*args, **more)

    monkeypatch.setattr(saved_plans, "offer_file", note)
    test = run()
    # The file is named as the plan will be, which the page says before it is saved.
    name, words = offered[0]
    title = re.search("“(.+)”", words)[1]
    assert "not-saved-yet" not in name
    assert name.startswith(re.sub("[^a-z0-9]+", "-", title.lower()))
    (button,) = [one.proto for one in test.get("download_button") if one.proto.id.endswith("briefing-now")]
    assert button.label == "Briefing (PDF)"
    work = Workplace()
    args = (work, Setting(), MANAGER, "Change nothing, today", "en")
    first, again = (saved_plans._brief_plan(of, derived, *args) for _ in range(2))
    assert first.startswith(b"%PDF")
    assert again.startswith(b"%PDF")
    (kept,) = list_saved(derived, of)
    assert kept.summary.title == "Change nothing, today"
    assert saved_plans._brief_plan(of, None, *args).startswith(b"%PDF")


@pytest.mark.slow
def test_the_briefing_is_that_of_the_opened_plan_only_while_nothing_differs_from_it(of, derived):
    saved_plans._brief_plan(of, derived, Workplace(), Setting(), MANAGER, "Opened", "en")
    (plan,) = list_saved(derived, of)
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
def test_on_a_server_a_manager_saves_a_plan_that_partners_open(demo_world, monkeypatch, tmp_path):
    server = tmp_path / "sent"
    copy = publish_copy(Workspace.open(demo_world), "partner", server, Secret(bytes(range(32))))
    monkeypatch.setattr(signed_list, "_publisher", [Publisher(server, copy.key, "partner")])
    accounts = make_accounts(tmp_path, [1_700_000_000.0])
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
    (plan,) = saved.list_saved_plans([accounts.path.parent / "plans"], read_site().release()).plans
    assert plan.address == row.content["name"] == test.query_params["plan"]
    partner = open_as("partner", plan=plan.address)
    assert "More in the east" in said(partner)
    assert not [button for button in partner.button if button.label == "Save this plan"]


def test_a_plan_without_a_title_is_not_kept_and_says_why(run, of, derived):
    test = run()
    widget(test.button, "Save this plan").click().run()
    assert "needs a title" in test.error[0].value
    assert list_saved(derived, of) == ()


def test_why_a_plan_is_not_saved_is_said_in_the_reader_s_language(of, monkeypatch, tmp_path):
    def refuse(*_arguments):
        raise InputError(Message("A saved plan needs a title, for example: More outreach in the north."))

    state = {saved_plans._ROLE: MANAGER.role, saved_plans._TITLE: "", saved_plans._NOTE: ""}
    monkeypatch.setattr("streamlit.session_state", state)
    monkeypatch.setattr(saved_plans, "read_site", lambda: SimpleNamespace(work_folder=tmp_path))
    monkeypatch.setattr(saved_plans, "_compute_to_save", refuse)
    with speak("el"):
        saved_plans._save(of, Workplace(), Setting())
    assert state[saved_plans._REFUSED].startswith("Ένα αποθηκευμένο σχέδιο χρειάζεται τίτλο")


def test_a_plan_that_the_audit_log_cannot_tell_of_is_not_stored(of, derived, monkeypatch, tmp_path):
    plan = plan_of(of)
    monkeypatch.setattr(activity, "find_accounts", lambda: Accounts(tmp_path / "gone"))
    with pytest.raises(WorkspaceError):
        saved_plans._store(derived, of, plan)
    assert not list(derived.glob("*/plan-*"))
    accounts = make_accounts(tmp_path, [1_700_000_000.0])
    monkeypatch.setattr(activity, "find_accounts", lambda: accounts)
    stored = [saved_plans._store(derived, of, plan) for _ in range(2)]
    (row,) = read_log(accounts)
    assert row.content["name"] == stored[0].address == stored[1].address


@pytest.mark.parametrize("role", ["", *Role])
def test_only_who_plans_saves_a_plan(of, scored, derived, monkeypatch, role):
    rights, plan = ROLES[Role(role)] if role else frozenset(), plan_of(of)
    monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
    monkeypatch.setenv("TACT_TIER", "partner")
    monkeypatch.setenv("TACT_DERIVED", str(derived))
    monkeypatch.setattr(saved_plans, "_compute_to_save", lambda *_: plan)
    state = {saved_plans._ROLE: MANAGER.role, saved_plans._TITLE: plan.title, saved_plans._NOTE: ""}
    monkeypatch.setattr("streamlit.session_state", state)
    monkeypatch.setattr("streamlit.query_params", {})
    with read_as(Reader("Somebody", rights)):
        saved_plans._save(of, Workplace(), Setting())
    assert saved_plans._REFUSED not in state
    assert len(list_saved(derived, of)) == (Right.PLAN in rights)


def test_plans_are_compared_side_by_side(of):
    few, many = (plan_of(of, replace(NO_SHARE, moves=moves)) for moves in (3, 10))
    plans = [replace(few, title="A"), replace(many, title="A")]
    table = saved_plans.compare_plans(planner.speak(of), plans).set_index("Measure")
    assert list(table) == ["1. A", "2. A"]
    assert list(table.loc["Units that move"]) == ["3", "10"]
    both = {way(m) for m in few.moves} & {way(m) for m in many.moves}
    shared = table.loc["Moves in all plans"]
    assert all(len(text.split("; ")) == len(both) for text in shared if both)
    assert len(table.loc["Moves in some plans only", "2. A"].split("; ")) == len(many.moves) - len(both)


# -- posts -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_table_of_posts_can_be_taken_corrected_and_given_back(run, of):
    file = planner.write_posts_file(of)
    assert planner.read_posts(of, "posts.csv", file) == planner.read_posts(of, "p", planner.write_posts_file(of))
    assert "Tirana" in file.decode("utf-8-sig")
    lines = file.decode("utf-8-sig").splitlines()
    more = planner.read_posts(of, "posts.csv", "\n".join([*lines, "AL-11,day centre,no,3,20,,"]).encode())
    ground = planner.read_ground(of, more)
    assert [kind.name for kind in ground.table.kinds] == ["outreach team", "day centre"]
    assert not ground.is_draft
    assert ground.needs is planner.read_ground(of).needs
    test = run(state={"plan-posts": more})
    assert "estimated posts" not in said(test)
    widget(test.button, "Use the estimated posts again").click().run()
    assert "estimated posts" in said(test)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"area,kind\nAL-11,x\n", "has no column"),
        (b"area,kind,searches,units,children\nAL-11,team,yes,two,3\n", "row 2"),
        (b"area,kind,searches,units,children\nXX-1,team,yes,2,3\n", "'XX-1' in column area: not an area"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"area,kind,searches,units,children\n" + b'"' + b"x" * 200_000, "cannot be read"),
    ],
)
def test_a_faulty_table_is_refused_in_words_and_nothing_is_lost(of, content, told):
    with pytest.raises((FileRefused, InputError), match=re.escape(told)):
        planner.read_posts(of, "posts.csv", content)


def test_a_refused_table_is_told_and_the_plan_stays(run):
    plain = run()
    test = run(state={"plan-file-refused": "posts.csv, row 3: 'x' in column units is no whole number."})
    assert "row 3" in test.error[0].value
    assert lead(test) == lead(plain)


def options(test):
    """Return the moves on which a reader can decide, as their cards name them."""
    drawn = r'<h3>(.*?)</h3><p class="what">(.*?)[ <]*(?:<em|</p>)'
    return [unescape(f"{what}: {both}") for both, what in re.findall(drawn, bodies(test))]


def lead(test):
    return re.search(r'class="lead">([^<]+)<', bodies(test)).group(1)


# -- map, frontier, who is served ------------------------------------------------------------------------


def test_the_map_shows_need_met_and_an_arrow_for_each_way(of):
    plan = plan_of(of)
    ways = {way(move)[:2] for move in plan.moves}
    arrows = map.draw_arrows(of, plan)
    assert len(arrows) == len(ways)
    assert all(arrow.start != arrow.end and arrow.width > 0 for arrow in arrows)
    (row,) = [row for row in plan.coverage if row.area == "AL-11"]
    for view in (map.TODAY, map.PLANNED):
        value = map.describe_layer(of, plan, view).data.frame["value"]
        assert value["AL-11"] == round(100 * getattr(row, view) / row.need)
    made = map.describe_layer(of, plan, map.DIFFERENCE)
    assert made.data.frame["value"]["AL-11"] == round(100 * (row.planned - row.today) / row.need, 1)
    classes, changes = made.data.classes(), made.data.frame["value"].dropna()
    assert (classes[changes[changes >= 5].index] == 4).all()
    assert (classes[changes[changes.abs() < 0.5].index] == 2).all()
    assert map.describe_view(of, plan, map.TODAY) != map.describe_view(of, plan, map.PLANNED)
    assert "arrows:[" not in map.describe_view(of, replace(plan, moves=()), map.TODAY)


def test_an_arrow_has_the_numbers_of_its_cards(run, of):
    plan = plan_of(of)
    signs = {arrow.label: arrow.sign for arrow in map.draw_arrows(of, plan)}
    for number, move in enumerate(plan.moves, 1):
        (sign,) = [sign for label, sign in signs.items() if name(of, move) in label.split("; ")]
        assert str(number) in sign.split(", ")
    assert re.findall(r'class="number">(\d+)<', bodies(run())) == [str(n + 1) for n in range(len(plan.moves))]


def test_arrows_are_wider_where_more_units_go_and_their_words_are_escaped(of):
    plan = plan_of(of)
    first, other = plan.moves[:2]
    changed = replace(plan, moves=(other, replace(first, units=5, kind=HOSTILE)))
    wide, narrow = map.draw_arrows(of, changed)
    assert wide.width > narrow.width
    assert HOSTILE in wide.label
    assert "<img" not in map.describe_view(of, changed, map.TODAY)


@pytest.mark.slow
def test_the_frontier_shows_every_point_and_which_are_advised(of, run):
    points = planner.compute_frontier(of, "", Setting(), ())
    rows = frontier.tabulate_points(points)
    assert rows["gain"].is_monotonic_increasing or len(rows) < 3
    assert list(rows["advised"]) == [point.recommended for point in points][: len(rows)]
    table = frontier.tabulate_words(planner.speak(of), points)
    assert list(table["Units that move"]) == [str(moved) for moved in rows["moved"]]
    chart = frontier.draw_frontier(points, "moved", plan_of(of).verdict).to_dict()
    assert len(chart["layer"]) == 4
    test = run()
    assert not (test.get("arrow_vega_lite_chart"))
    assert not (test.get("vega_lite_chart"))
    widget(test.toggle, "Show the gain of more").set_value(True).run()
    assert all(gain in said(test) for gain in table.iloc[:, 2])
    assert len(test.get("arrow_vega_lite_chart") or test.get("vega_lite_chart")) == 2


def test_who_is_served_is_shown_by_group_with_what_it_does_not_mean(run, of):
    plan, t = plan_of(of), planner.speak(of)
    table = summary.tabulate_groups(t, plan)
    assert len(table) == len(plan.equity)
    assert {"Albania", "Greece"} <= set(table["Where"])
    test = run()
    assert any(CAUTION in one.value for one in test.caption)
    areas = summary.tabulate_areas(t, plan, {})
    assert len(areas) == len(plan.coverage)
    moved = {code for move in plan.moves for code in way(move)[:2]}
    assert areas["Units"].str.contains("→").sum() <= len(moved)


def test_no_layer_of_communities_comes_near_the_map_of_a_plan(of):
    for view in map.VIEWS:
        assert "hatch" not in map.describe_view(of, plan_of(of), view)


@pytest.mark.slow
def test_quarters_hold_every_move_of_the_plan(run, of):
    plan, t = plan_of(of, Setting(per_quarter=2)), planner.speak(of)
    table = summary.tabulate_quarters(t, plan)
    assert list(table["When"])[:2] == ["Quarter 1", "Quarter 2"]
    moved = sum(step.units for quarter in plan.phases for step in quarter.moves)
    left = sum(step.units for step in plan.left)
    assert moved + left == plan.verdict.moved
    assert (str(left) in count_left(t, plan)) is bool(left)
    first = plan.phases[0].moves[0]
    assert name(of, first) in table["Moves"][0]
    assert name(of, first) in said(run(pace="2"))


# -- hand-over ------------------------------------------------------------------------------------------

TASKS = b"area,partner,axis,children,to\nAL-11,A <b>partner</b>,prevention,12,school\nAL-02,B,protection,9,state\n"
ROOM = b"area,duty_bearer,quarter,children\n" + b"".join(b"AL-11,school,%d,20\n" % q for q in range(1, 5))


@pytest.mark.slow
def test_what_goes_over_and_what_stays_is_told_kept_and_brought_back(run, of, derived):
    given = handover.read_tables(TASKS, ROOM, 0.0)
    (stay,) = planner.hand_over_tasks(of, given).stays
    reason = planner.speak(of).name_reason(stay.why)
    test = run(state={"plan-handed": given})
    text = said(test)
    assert "A <b>partner</b>" in text
    assert "<b>partner" not in bodies(test)
    assert reason in text
    test.text_input(key="keep-title").set_value("With hand-over")
    widget(test.button, "Save this plan").click().run()
    (kept,) = list_saved(derived, of)
    assert [task.to for task in kept.summary.handover] == ["school"]
    again = run(plan=kept.address)
    assert reason in said(again)
    widget(again.button, "Remove the hand-over").click().run()
    assert reason not in said(again)


def test_without_a_table_of_room_the_free_share_of_places_counts(of):
    assert planner.hand_over_tasks(of, handover.read_tables(TASKS, None, 0.0)).over == ()
    assert planner.hand_over_tasks(of, Tables()) is None
    with pytest.raises(InputError, match="row 2"):
        planner.hand_over_tasks(of, handover.read_tables(TASKS.replace(b"prevention", b"dancing"), ROOM, 0.0))
    with pytest.raises(InputError, match="needs the spare capacity of duty bearers"):
        handover.read_tables(TASKS, None, None)
    with pytest.raises(FileRefused, match="UTF-8"):
        handover.read_tables(b"\xff\xfe", ROOM, 0.0)


# -- tiers and empty states ------------------------------------------------------------------------------


def test_the_public_page_says_that_plans_are_made_of_the_partner_tier(run):
    test = run("public")
    assert "Plans need the partner tier" in said(test)
    assert not test.slider
    assert not test.button


def test_without_a_release_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    test = AppTest.from_function(page, default_timeout=60).run()
    assert "tact release" in said(test)


@pytest.mark.slow
def test_a_briefing_of_real_records_leaves_by_the_command_alone(run, of, monkeypatch):
    test = run()
    test.text_input(key="keep-title").set_value("A plan")
    monkeypatch.setattr(Release, "invented", False)
    widget(test.button, "Save this plan").click().run()
    assert any("tact plan open NAME --briefing FILE --for" in code.value for code in test.code)
    assert any("tact plan draft FILE" in code.value for code in test.code)
    left = [one.proto.label for one in test.get("download_button")]
    assert not [label for label in left if "PDF" in label or "posts" in label]


def test_a_plan_of_another_setting_is_another_one(of):
    assert plan_of(of, replace(NO_SHARE, moves=2)).verdict.moved <= 2


def test_no_other_page_uses_the_names_of_its_choices_in_the_address():
    """Pages share the address and the session: two pages must not use one name for different choices."""
    used = {}
    for path in Path(summary.__file__).parents[1].rglob("*.py"):
        names = re.findall(r'address\.(?:pick|read)_\w+\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
        used |= {name: used.get(name, set()) | {path.parent.name} for name in names}
    assert (used["services"], used["between"], used["trend"]) == ({"coverage"}, {"reallocate"}, {"trends"})
    others = {name: pages for name, pages in used.items() if pages - {"reallocate"}}
    assert not set(others) & {"plan", *session.ADDRESS}


@pytest.mark.slow
def test_a_decline_needs_a_reason(run, of):
    test = run()
    decide(test, "decline", "")
    assert any("Write why the move is declined" in error.value for error in test.error)
    assert "plan-decided" not in test.session_state


@pytest.mark.slow
def test_a_kept_plan_that_comes_out_otherwise_says_so(run, of, derived):
    plan = plan_of(of)
    changed = replace(plan, verdict=replace(plan.verdict, cost=plan.verdict.cost + 7.0))
    one = saved.save_plan(derived, of.release, changed)
    warnings = " ".join(warning.value for warning in run(plan=one.address).warning)
    assert "has changed since it was saved" in warnings
    same = saved.save_plan(derived, of.release, plan)
    assert not run(plan=same.address).warning


@pytest.mark.parametrize("damage", ['{"moves": 3', '"moves": 3, "moves_"'])
def test_a_damaged_plan_is_named_and_never_breaks_the_page(run, of, derived, damage):
    good = saved.save_plan(derived, of.release, plan_of(of))
    bad = shutil.copytree(good.folder, good.folder.parent / "plan-partner-bad") / "manifest.json"
    bad.write_text(bad.read_text(encoding="utf-8").replace('"moves"', damage), encoding="utf-8")
    test = run()
    text = " ".join(warning.value for warning in test.warning)
    assert "plan-partner-bad" in text
    assert "A plan" in said(test)
    assert "was not found" in " ".join(warning.value for warning in run(plan="bad").warning)


@pytest.mark.parametrize(("language", "words"), [("en", "No post of a team is known"), ("sq", "Nuk dihet asnjë post")])
def test_without_posts_the_page_says_what_to_do_in_the_readers_language(run, monkeypatch, language, words):
    """The words stand on the page, and no error does."""

    def refuse(*_args, **_values):
        return make_plan(SimpleNamespace(table=SimpleNamespace(units=np.zeros(3))), Setting())

    monkeypatch.setattr(planner, "compute_plan", refuse)
    speak_on_pages(monkeypatch, language)
    test = run()
    assert not test.error
    assert words in said(test)
    assert "tact import" in said(test)
    assert "There are no posts" not in said(test)
