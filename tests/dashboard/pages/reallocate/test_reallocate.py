"""The Reallocate page: the advice first; choices and decisions change the plan."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import get_args, get_type_hints

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.narrative import area_plan, moves
from dashboard.narrative import plan as narrative
from dashboard.narrative.judgement import judge_area
from dashboard.pages.reallocate import cards, planner, render, session, summary
from dashboard.pages.reallocate import map as move_map
from data.errors import FileRefused, InputError
from data.personal.free_text import WRITE_NO_NAME
from risk.planning.clashes import Clash, RulesClash
from risk.planning.explain import Estimate
from risk.planning.inputs import Setting, make_plan
from risk.planning.problem import Decision
from risk.planning.summary import AuthoredDecision
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import read_unfolded, speak_on_pages
from tests.helpers.reallocate_page import (
    HOSTILE,
    MANAGER,
    NO_SHARE,
    bodies,
    decide,
    name,
    page,
    plan_of,
    read_words,
    way,
    widget,
)

# -- the answer ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_answer_comes_first_with_its_measure_and_how_sure_it_is(run, current):
    plan, t = plan_of(current), planner.speak(current)
    text = read_words(run())
    verdict = narrative.word_verdict(t, plan)
    places = [text.index(words) for words in (verdict.head, verdict.text, verdict.sure, verdict.change)]
    assert places == sorted(places)
    assert places[-1] < text.index("Need met: the children")
    assert "per quarter" in text
    assert "It is an estimate with an interval, because nobody knows how many children are never" in text
    assert "estimated posts" in text
    assert t.format_number(plan.verdict.today.met.mean) in text
    assert all(f"{move.units} × {move.kind}" in text for move in plan.moves)
    assert text.count("Chance that it helps") >= len(plan.moves)


@pytest.mark.parametrize("answer", ["do", "optional", "keep"])
def test_each_verdict_has_its_words_and_its_colour(current, answer):
    plan, t = plan_of(current), planner.speak(current)
    rules, year = ["exploration", "accepted", "floor"], replace(plan.verdict.year, net=Estimate(21.0, 2.0, 40.0))
    verdict = replace(plan.verdict, answer=answer, year=replace(year, probability=0.97), broken_today=rules)
    judged = replace(plan, verdict=verdict)
    words = narrative.word_verdict(t, judged)
    moved = t.format_plural("{count} team", "{count} teams", verdict.moved)
    assert words.head == {
        "do": f"Do it: move {moved}", "optional": f"Optional: {moved} could move", "keep": "Keep things as they are"
    }[answer]  # fmt: skip
    assert "about 21 more children in need" in words.text
    assert words.sure.startswith("Very likely: in 97 of 100 cases")
    assert "(8 weeks each; about" in words.sure
    assert f"Once settled: about {t.format_number(plan.verdict.gain.mean)} more per quarter." in words.sure
    assert bool(words.seen) == (answer != "do")
    # Beside "keep" there is nothing to warn of.
    assert bool(words.warning) == (answer != "keep")
    for sentence in (
        "Today areas with too little outreach have fewer teams than the share set under More settings. This plan takes "
        "none from them.",
        "Moves that were accepted are not made yet: make them, or undo the decision.",
        "The current posts do not keep this rule: the minimum for every county or region.",
    ):
        assert sentence in (words.warning or words.note)
    assert ("The advice depends only on the gain" in words.note) == (answer == "keep")
    assert f'<div class="verdict {answer}">' in render.render_verdict(t, judged)
    assert bool(move_map.draw_arrows(current, judged)) == (answer == "do")


def test_a_plan_of_an_older_version_says_that_another_rule_judged_it(current):
    plan, t = plan_of(current), planner.speak(current)
    words = narrative.word_verdict(t, replace(plan, verdict=replace(plan.verdict, year=None)))
    assert "An earlier version judged this plan by another rule" in words.text
    assert words.sure == words.change == words.seen == ""


@pytest.mark.long
def test_units_may_move_between_municipalities_and_posts_of_regions_stay_apart(run, monkeypatch):
    quick = planner.make_plan
    monkeypatch.setattr(
        planner, "make_plan", lambda ground, setting, *more: quick(ground, replace(setting, seconds=3), *more)
    )
    test = run(between="municipality", moves="4", unsearched="0", state={"plan-posts": "posts of regions"})
    assert not test.error
    assert "By municipality" in [expander.label for expander in test.expander]
    assert "Need met: the children" in read_words(test)
    assert test.session_state["plan-posts"] == "posts of regions"


def test_where_no_move_helps_it_says_so_and_offers_none(run):
    test = run(moves="0", unsearched="0")
    assert (
        "No arrangement of teams and services was found that keeps the rules and is better than that of today."
        in read_words(test)
    )
    assert "No move is proposed" in read_words(test)
    assert not options(test)


def test_numbers_of_children_are_as_exact_as_makes_sense_and_no_chance_is_certain(current):
    t = planner.speak(current)
    assert [t.format_change(value) for value in (132.6, 4.82, 0.04, -0.92)] == ["+133", "+4.8", "0", "−0.9"]
    chances = [t.format_chance(chance) for chance in (1.0, 0.955, 0.0)]
    assert chances == ["over 99\u00a0%", "96\u00a0%", "under 1\u00a0%"]


@pytest.mark.parametrize(
    ("chance", "shown"), [(0.895, "89"), (0.9, "90"), (0.6575, "65"), (0.66, "66"), (0.3399, "33")]
)
def test_a_chance_below_a_limit_is_not_rounded_up_to_it(current, chance, shown):
    """Else a plan that is not advised would have the chance from which moves are advised."""
    assert planner.speak(current).format_chance(chance) == f"{shown}\u00a0%"


# -- choices ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_choice_changes_the_plan_and_stands_in_the_address(run, current):
    test = run(moves="4", unsearched="0")
    before = read_words(test)
    widget(test.slider, "Weight of the worst-served areas").set_value(60).run()
    assert test.query_params["worst"] == "60"
    assert test.query_params["moves"] == "4"
    assert read_words(test) != before
    wanted = plan_of(current, Setting(moves=4, equity=0.6, exploration=0.0))
    assert [name(current, move) for move in wanted.moves] == options(test)
    again = run(**{name: str(value) for name, value in test.query_params.items()})
    assert read_words(again) == read_words(test)


@pytest.mark.slow
def test_an_emptied_limit_does_not_limit_and_each_names_its_bounds(run):
    test = run(hours="5")
    limits = "moves (0–200)", "moves per quarter (1–200)"
    for label in (*(f"Maximum number of {limit}" for limit in limits), "Maximum hours of travel (0–10000)"):
        widget(test.number_input, label, exact=True).set_value(None)
    test.run()
    assert [test.query_params[name] for name in ("moves", "hours", "pace")] == ["200", "none", "200"]
    assert widget(test.number_input, "Maximum number of moves (").value == 200
    assert not test.warning


def test_garbage_in_the_address_opens_the_page_all_the_same(run):
    test = run(moves="many", hours="-3", worst="900", pathway="<b>", plan="../..", floor="½")
    assert test.query_params["moves"] == "10"
    assert test.query_params["hours"] == "none"
    assert test.query_params["worst"] == "0"
    assert "plan" not in test.query_params
    assert "was not found" in test.warning[0].value
    assert "<b>" not in read_words(test)


@pytest.mark.parametrize(
    "setting",
    [
        Setting(),
        Setting("internal", 3, 12.0, 0.25, 1.0, 0.0, 0.35, 1.0, 0.05, level="municipality"),
        Setting(country="AL", keep=(("AL-10", 2), ("AL-02", 0)), at_most=(("AL-11", 5), ("AL-10", 2)), settling=0),
    ],
)
def test_a_setting_is_the_same_after_a_way_through_the_address(current, setting):
    choices = {
        name: ""
        if (name, value) == ("within", "none")
        else value
        if name in ("between", "pathway", "within", "rules")
        else None
        if value == "none"
        else int(value)
        for name, value in session.write_setting(setting).items()
    }
    assert session.read_setting(choices) == setting


@pytest.mark.long
def test_rules_that_clash_are_named_with_what_frees_them(run, current):
    move = plan_of(current).moves[0]
    decision = Decision(*way(move), "accept", move.units)
    test = run(moves="0", state={"plan-decided": (AuthoredDecision(decision, MANAGER),)})
    text = read_words(test)
    assert "No plan can keep all rules" in text
    assert "Without a plan there is no map." in text
    with pytest.raises(RulesClash) as raised:
        plan_of(current, Setting(moves=0), [AuthoredDecision(decision, MANAGER)])
    _head, lines = narrative.word_clashes(planner.speak(current), raised.value.clashes)
    assert len(lines) == len(raised.value.clashes) > 0
    assert all(line in text for line in lines)
    assert "AL-" not in " ".join(lines)
    widget(test.number_input, "Maximum number of moves (").set_value(40).run()
    assert "No plan can keep all rules" not in read_words(test)


def test_of_a_limit_that_clashes_it_says_what_would_do(current):
    decision = Decision("AL-11", "", "outreach team", "lock")
    clashes = [
        Clash("moves", 2.0, 5.0),
        Clash("budget", 3.0, None),
        Clash("floor", 9.0, 4.0, ("AL-11", "AL-02")),
        Clash("locked", 4.0, 2.0, decisions=(decision,)),
    ]
    _head, lines = narrative.word_clashes(planner.speak(current), clashes)
    assert "5 instead of 2 is enough" in lines[0]
    assert "more of this alone is not enough" in lines[1]
    assert "only 4 of 9 is possible (too little in Tirana, Durrës)" in lines[2]
    assert "too little in Keep in place: outreach team in Tirana" in lines[3]


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_few_words_stand_on_the_page_before_it_is_unfolded(run, monkeypatch, language):
    speak_on_pages(monkeypatch, language)
    words = re.findall(r"\S*[^\W\d_]\S*", read_unfolded(run(area="AL-09")))
    assert 100 < len(words) <= 400  # how sure it is, what would change it, and one more team stand open


@pytest.mark.long
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


def test_of_the_chosen_area_the_plan_says_what_why_not_more_and_what_would_have_to_be_true(run, current):
    plan, t = plan_of(current), planner.speak(current)
    first = plan.moves[0]
    text = read_words(run(area=first.end))
    coming = sum(move.units for move in plan.moves if move.end == first.end)
    assert f"{t.name_area(first.end)}. " in text
    assert t.format_plural("{count} team would come", "{count} teams would come", coming) in text
    assert "Why not more" in text
    assert f"Need met there: {t.format_percent(plan.met_shares('today')[first.end])} today" in text
    assert area_plan.word_area_plan(t, plan, first.end, None).condition in text
    ends = {code for move in plan.moves for code in (move.start, move.end)}
    still = next(row.area for row in plan.coverage if row.area not in ends and judge_area(current, row.area).need)
    words = area_plan.word_area_plan(t, plan, still, judge_area(current, still).need)
    assert words.does == "The plan moves no team from or to this area."
    assert f"estimate of {t.format_number(judge_area(current, still).need.value)} a quarter" in words.condition
    assert area_plan.word_area_plan(t, plan, "XX-1", None) is None
    assert "Choose an area in the bar" in read_words(run())


def test_a_plan_that_is_advised_names_the_condition_of_its_moves(current):
    plan, t = plan_of(current), planner.speak(current)
    advised = replace(plan, verdict=replace(plan.verdict, answer="do", moved=len(plan.moves)))
    words = area_plan.word_area_plan(t, advised, plan.moves[0].end, None)
    assert words.does.startswith("The plan advises: ")
    assert words.condition == moves.word_moves(t, advised)[0].condition
    allowed = area_plan.word_area_plan(t, replace(advised, setting=Setting(moves=99)), plan.moves[0].end, None)
    assert "No other move that keeps the rules gains more." in allowed.why
    weighed = replace(advised, setting=Setting(moves=99, cost=0.5))  # a far move may gain more, and is not worth it
    assert "is better by the weights of this plan." in area_plan.word_area_plan(t, weighed, plan.moves[0].end, None).why
    assert "No more moves are allowed" not in allowed.why


def test_a_card_names_who_gains_and_who_loses_before_it_is_unfolded(current):
    plan, t = plan_of(current), planner.speak(current)
    for move, words, card in nonempty(
        zip(plan.moves, moves.word_moves(t, plan), render.render_moves(t, plan), strict=True)
    ):
        seen = str(card).partition("<details>")[0]
        assert f"<h3>{t.name_area(move.start)} → {t.name_area(move.end)}</h3>" in seen
        assert f"Who gains: <b>{words.helps}</b>" in seen
        assert f"Who loses: <b>{words.takes}</b>" in seen


# -- decisions -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_move_that_is_declined_is_gone_and_comes_back_when_that_is_undone(run, current):
    first = plan_of(current).moves[0]
    words = name(current, first)
    test = run()
    decide(test, "decline", "The team has just arrived.")
    text = read_words(test)
    assert f"Declined: {words.replace(': ', ', ')} – The team has just arrived. (programme manager, " in text
    decisions = test.session_state["plan-decided"]
    assert way(first) not in {way(move) for move in plan_of(current, decisions=decisions).moves}
    assert not [field for field in test.text_input if field.key == "decide-reason"]
    test.button(key="undo-0").click().run()
    assert "Declined" not in read_words(test)
    assert words in options(test)


@pytest.mark.long
def test_a_move_that_is_accepted_stays_and_is_marked(run, current):
    test = run(unsearched="0")
    last = plan_of(current, NO_SHARE).moves[-1]
    decide(test, "accept", move=len(options(test)) - 1)
    widget(test.number_input, "Maximum number of moves (").set_value(4).run()
    assert "Accepted: " in read_words(test)
    decisions = test.session_state["plan-decided"]
    plan = plan_of(current, replace(NO_SHARE, moves=4), decisions)
    assert way(last) in {way(move) for move in plan.moves}
    assert "accepted" in set(summary.tabulate_moves(planner.speak(current), plan)["Decision"])


@pytest.mark.slow
def test_units_that_are_kept_as_they_are_do_not_leave(run, current):
    first = plan_of(current).moves[0]
    area = planner.speak(current).name_area(first.start)
    test = run()
    decide(test, "lock", "They run a school project.")
    assert f"Keep in place: {first.kind} in {area} – They run a school project. (programme" in read_words(test)
    (authored,) = test.session_state["plan-decided"]
    assert (authored.decision.end, authored.decision.kind) == ("", first.kind)
    assert first.start not in {move.start for move in plan_of(current, decisions=[authored]).moves}


def test_what_is_offered_to_decide_is_what_the_planner_understands(run):
    assert set(cards._OFFERED) <= set(get_args(get_type_hints(Decision)["decided"]))
    test = run()
    labels = [button.label for button in test.button if str(button.key).startswith("offer-0-")]
    assert labels == ["Accept", "Decline", "Keep in place"]


def test_after_a_decision_that_no_plan_can_keep_it_can_be_undone(run, current):
    moves = plan_of(current).moves[:2]
    decided = tuple(AuthoredDecision(Decision(*way(move), "accept", move.units), MANAGER) for move in moves)
    test = run(moves="1", unsearched="0", state={"plan-decided": decided})
    assert "the accepted moves" in read_words(test).lower()
    test.button(key="undo-1").click().run()
    assert len(test.session_state["plan-decided"]) == 1


@pytest.mark.long
def test_text_that_people_wrote_is_text(run, current):
    first = plan_of(current).moves[0]
    decided = (AuthoredDecision(Decision(*way(first), "decline", reason=HOSTILE), MANAGER),)
    test = run(state={"plan-decided": decided})
    test.text_input(key="keep-title").set_value(HOSTILE)
    test.text_input(key="keep-note").set_value("[x](javascript:alert(1)) $x$")
    widget(test.button, "Save this plan").click().run()
    assert read_words(test).count(HOSTILE) >= 2
    assert "<img" not in bodies(test)


# -- posts -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_table_of_posts_can_be_taken_corrected_and_given_back(run, current):
    file = planner.write_posts_file(current)
    assert planner.read_posts(current, "posts.csv", file) == planner.read_posts(
        current, "p", planner.write_posts_file(current)
    )
    assert "Tirana" in file.decode("utf-8-sig")
    lines = file.decode("utf-8-sig").splitlines()
    more = planner.read_posts(current, "posts.csv", "\n".join([*lines, "AL-11,day centre,no,3,20,,"]).encode())
    ground = planner.read_ground(current, more)
    assert [kind.name for kind in ground.table.kinds] == ["outreach team", "day centre"]
    assert not ground.is_draft
    assert ground.needs is planner.read_ground(current).needs
    test = run(state={"plan-posts": more})
    assert "estimated posts" not in read_words(test)
    widget(test.button, "Use the estimated posts again").click().run()
    assert "estimated posts" in read_words(test)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"area,kind\nAL-11,x\n", "has no column"),
        (b"area,kind,searches,units,children\nAL-11,team,yes,two,3\n", "row 2"),
        (b"area,kind,searches,units,children\nXX-1,team,yes,2,3\n", "'XX-1' in column area: not an area"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"area,kind,searches,units,children\n" + b'"' + b"x" * 200_000, "cannot be read"),
    ],
)
def test_a_faulty_table_is_refused_in_words_and_nothing_is_lost(current, content, message):
    with pytest.raises((FileRefused, InputError), match=re.escape(message)):
        planner.read_posts(current, "posts.csv", content)


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


# -- tiers and empty states ------------------------------------------------------------------------------


def test_the_public_page_says_that_plans_are_made_of_the_partner_tier(run):
    test = run("public")
    assert "Plans need the partner tier" in read_words(test)
    assert not test.slider
    assert not test.button


def test_without_a_release_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    test = AppTest.from_function(page, default_timeout=60).run()
    assert "tact release" in read_words(test)


def test_a_plan_of_another_setting_is_another_one(current):
    assert plan_of(current, replace(NO_SHARE, moves=2)).verdict.moved <= 2


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
def test_a_decline_needs_a_reason(run, current):
    test = run()
    decide(test, "decline", "")
    assert any("Write why the move is declined" in error.value for error in test.error)
    assert "plan-decided" not in test.session_state


@pytest.mark.parametrize(
    ("reason", "words"),
    [("call Elira Hoxha 069 123 4567", "A reason seems to contain"), ("far " * 80, "300 characters")],
)
def test_a_reason_that_is_refused_stays_in_its_field_and_the_plan_as_it_was(run, current, reason, words):
    test = run()
    before = options(test)
    decide(test, "decline", reason)
    (error,) = test.error
    assert words in error.value
    assert "Elira" not in error.value
    assert test.text_input(key="decide-reason").value == reason
    assert WRITE_NO_NAME in [caption.value for caption in test.caption]
    assert "plan-decided" not in test.session_state
    assert options(test) == before


@pytest.mark.parametrize(("language", "words"), [("en", "No post of a team is known"), ("sq", "Nuk dihet vendosja")])
def test_without_posts_the_page_says_what_to_do_in_the_readers_language(run, monkeypatch, language, words):
    """The words stand on the page, and no error does."""

    def refuse(*_args, **_values):
        return make_plan(SimpleNamespace(table=SimpleNamespace(units=np.zeros(3))), Setting())

    monkeypatch.setattr(planner, "compute_plan", refuse)
    speak_on_pages(monkeypatch, language)
    test = run()
    assert not test.error
    assert words in read_words(test)
    assert "tact import" in read_words(test)
    assert "There are no posts" not in read_words(test)
