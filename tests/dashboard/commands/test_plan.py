"""`tact plan`: its output, the plans that it saves, and its errors for wrong input."""

import csv
import re
import shutil
from pathlib import Path

import pytest

from data.release import Release
from risk.planning import inputs, saved
from risk.planning.clashes import Clash, RulesClash

pytestmark = pytest.mark.slow

TWO_MOVES = ("--moves", "2", "--exploration", "0")


@pytest.fixture
def demo(demo_world, tmp_path):
    copy = tmp_path / "demo"
    shutil.copytree(demo_world, copy)
    return copy


def test_a_plan_is_made_saved_listed_and_opened_again(tact, demo):
    asked = ("--pathway", "internal", "--moves", "4", "--title", "East")
    plan = tact("--workspace", demo, "plan", "make", *asked, "--json").json
    assert plan["moved"] == sum(move["units"] for move in plan["moves"]) > 0
    assert plan["year"]["probability"] > 0.5
    release = Release.open(demo / "releases", "partner", derived=demo / "derived")
    (saved_plan,) = saved.list_saved_plans([demo / "derived"], release).plans
    assert str(saved_plan.folder) == plan["plan"]
    listed = tact("--workspace", demo, "plan", "list", "--json").json
    assert [(row["plan"], row["title"], row["role"]) for row in listed] == [(saved_plan.name, "East", "data officer")]
    again = tact("--workspace", demo, "plan", "open", saved_plan.name, "--json").json
    assert again == plan
    assert tact("--workspace", demo, "plan", "open", "East", "--json").json == plan
    assert tact("--workspace", demo, "plan", "make", *TWO_MOVES, "--json").json["plan"] is None
    assert len(saved.list_saved_plans([demo / "derived"], release).plans) == 1


@pytest.mark.long
def test_the_old_spelling_works_with_a_hint(tact, demo, tmp_path):
    answer = tact("--workspace", demo, "plan", *TWO_MOVES, "--title", "Old", "--json")
    assert answer.json["plan"]
    assert "tact plan make --moves 2 --exploration 0" in answer.err
    listed = tact("--workspace", demo, "plan", "--list", "--json")
    assert "tact plan list" in listed.err
    (entry,) = listed.json
    opened = tact("--workspace", demo, "plan", "--json", "--open", entry["plan"])
    assert f"tact plan open {entry['plan']}" in opened.err
    assert opened.json["moves"] == answer.json["moves"]
    assert tact("--workspace", demo, "plan", f"--open={entry['plan']}", "--json").json == opened.json
    draft = tact("--workspace", demo, "plan", "--draft", tmp_path / "posts.csv")
    assert "tact plan draft" in draft.err
    assert (tmp_path / "posts.csv").exists()


@pytest.mark.long
def test_a_damaged_plan_is_named_and_the_others_are_listed(tact, demo):
    plan = tact("--workspace", demo, "plan", "make", *TWO_MOVES, "--title", "Good", "--json").json
    good = Path(plan["plan"])
    bad = shutil.copytree(good, good.parent / "plan-partner-bad") / "manifest.json"
    bad.write_text(bad.read_text().replace('"posts_drafted"', '"posts_drafts"'))
    listed = tact("--workspace", demo, "plan", "list", "--json")
    assert [row["plan"] for row in listed.json] == [good.name]
    assert "The saved plan plan-partner-bad is damaged" in listed.err
    opened = tact("--workspace", demo, "plan", "open", "plan-partner-bad", "--json")
    assert opened.code == 2
    assert "is damaged" in opened.json["message"]


@pytest.mark.long
def test_people_read_the_answer_first_and_names_of_areas(tact, demo):
    lines = tact("--workspace", demo, "plan", "make", "--moves", "0").out.splitlines()
    assert lines[0] == "Advice: change nothing."
    text = tact("--workspace", demo, "plan", "make", "--pathway", "internal", "--moves", "6").out
    assert "Attica" in text
    assert "100 %" not in text


def test_a_draft_is_written_corrected_and_taken_back(tact, demo, tmp_path):
    draft = tmp_path / "posts.csv"
    assert tact("--workspace", demo, "plan", "draft", draft).code == 0
    again = tact("--workspace", demo, "plan", "draft", draft)
    assert again.code == 2
    assert "may contain corrections" in again.err
    with draft.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["committed"] = row["units"]
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    fixed = tact("--workspace", demo, "plan", "make", "--posts", draft, "--exploration", "0", "--json").json
    assert (fixed["moved"], fixed["answer"]) == (0, "keep")


@pytest.mark.long
@pytest.mark.parametrize("moves", [0, 2])
def test_with_few_moves_there_is_less_outreach_for_areas_with_too_little_of_it(tact, demo, moves):
    words = ("--workspace", demo, "plan", "make", "--moves", moves, "--exploration", "1")
    answer = tact(*words, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["moved"] <= moves
    text = tact(*words).out
    assert re.search(r"Areas with too little outreach get only \d+\s% of the outreach meant for them", text)


@pytest.mark.always("words2-There are: programme manager")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("make", "--pathway", "sideways"), "There are: all, internal, cross_border"),
        (("make", "--equity", "2"), "1 or less"),
        (("make", "--role", "Anna"), "There are: programme manager"),
        (("make", "--title", " "), "needs a title"),
        (("open", "plan-none"), "There are: none"),
        (("make", "--release", "1999-01-001"), "No release '1999-01-001'"),
        (("make", "--posts", "nowhere.csv"), "There is no file nowhere.csv"),
        (("make", "--free-share", "0.2"), "A hand-over needs --tasks FILE"),
        (("make", "--briefing", "nowhere/b.pdf"), "Make it first"),
    ],
)
def test_a_wrong_word_is_answered_with_what_is_allowed(tact, demo, words, message):
    answer = tact("--workspace", demo, "plan", *words, "--json")
    assert answer.code != 0
    assert message in answer.json["message"]


def test_rules_that_clash_are_named_with_the_option_that_loosens_each(tact, demo, monkeypatch):
    clashes = Clash("moves", 2.0, 5.0), Clash("services_floor", 9.0, 4.0, ("AL-11",)), Clash("room", 3.0, None)

    def clash(*_args, **_kwargs):
        raise RulesClash(clashes)

    monkeypatch.setattr(inputs, "plan_moves", clash)
    answer = tact("--workspace", demo, "plan", "make", "--json")
    assert answer.code == 2
    head, *lines = answer.json["message"].splitlines()
    assert head == "No plan can keep all rules. Relax one of these:"
    assert lines[0] == "  The maximum number of moves: 5 instead of 2 is enough. Allow more moves. (--moves)"
    assert "only 4 of 9 is possible (too little in Tirana)" in lines[1]
    assert [line.rpartition(" ")[2] for line in lines] == ["(--moves)", "(--services-floor)", "(--posts)"]
    assert not re.search(r"services_floor|AL-11", answer.json["message"])


def test_a_release_of_figures_alone_has_nothing_to_plan_with(tact, tmp_path):
    folder = tmp_path / "figures"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    assert tact("--workspace", folder, "release", "--figures-only").code == 0
    answer = tact("--workspace", folder, "plan", "make", "--json")
    assert answer.code != 0
    assert "has no table" in answer.json["message"] or "No release" in answer.json["message"]


TASKS = "area,partner,axis,children,to\nAL-11,ARSIS,prevention,3,\nAL-05,ARSIS,reintegration,900,municipality\n"


def test_tasks_go_to_duty_bearers_where_there_is_room_and_else_stay_with_a_reason(tact, demo, tmp_path):
    tasks = tmp_path / "tasks.csv"
    tasks.write_text(TASKS)
    answer = tact("--workspace", demo, "plan", "make", *TWO_MOVES, "--tasks", tasks, "--free-share", "0.2")
    assert "Tirana, prevention: ARSIS hands over to a school in quarter 1 (about 3 children)." in answer.out
    assert "Gjirokastër, reintegration: ARSIS keeps the task (about 900 children): no duty bearer" in answer.out
    without = tact("--workspace", demo, "plan", "make", "--tasks", tasks, "--json")
    assert without.code == 2
    assert "--free-share SHARE, not both" in without.json["message"]


@pytest.mark.long
def test_a_briefing_and_its_pictures_are_written(tact, demo, tmp_path):
    pdf, slides = tmp_path / "briefing.pdf", tmp_path / "slides"
    words = ("make", "--pathway", "internal", "--briefing", pdf, "--pictures", slides, "--language", "sq", "--json")
    plan = tact("--workspace", demo, "plan", *words).json
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert {path.read_bytes()[:4] for path in slides.iterdir()} == {b"\x89PNG"}
    assert set(plan["files"]) == {str(pdf), *map(str, slides.iterdir())}
    wrong = tact("--workspace", demo, "plan", "make", "--briefing", tmp_path / "b.pdf", "--language", "de", "--json")
    assert "There are: en, sq, el" in wrong.json["message"]
    assert not (tmp_path / "b.pdf").exists()


def test_plans_of_a_server_are_taken_over(tact, demo, tmp_path):
    tact("--workspace", demo, "plan", "make", *TWO_MOVES, "--title", "East", "--json")
    server = tmp_path / "plans"
    for folder in (demo / "derived").glob("*/plan-partner-*"):
        shutil.move(folder, server / folder.relative_to(demo / "derived"))
    (name,) = tact("--workspace", demo, "plan", "take", server, "--json").json["plans"]
    assert [row["plan"] for row in tact("--workspace", demo, "plan", "list", "--json").json] == [name]
    assert "no plan that is not here already" in tact("--workspace", demo, "plan", "take", server).out
    (server / "2001-01-001").mkdir()
    shutil.copytree(next(server.glob("*/plan-partner-*")), server / "2001-01-001" / name)
    answer = tact("--workspace", demo, "plan", "take", server)
    assert (answer.code, "was not taken" in answer.err) == (2, True)
    missing = tact("--workspace", demo, "plan", "take", tmp_path / "nowhere")
    assert (missing.code, "Copy the folder of plans" in missing.err) == (2, True)


def test_rules_for_a_country_areas_and_moves_are_given_by_code_or_name(tact, demo):
    areas = ("--keep", "Shkodër=2", "--at-most", "AL-06=2", "--forbid", "Tirana=AL-02")
    rules = ("--moves", "5", "--country", "AL", *areas)
    plan = tact("--workspace", demo, "plan", "make", *rules, "--title", "Rules", "--json").json
    assert plan["moves"]
    assert all(move["start"][:2] == move["end"][:2] == "AL" for move in plan["moves"])
    release = Release.open(demo / "releases", "partner", derived=demo / "derived")
    (saved_plan,) = saved.list_saved_plans([demo / "derived"], release).plans
    setting = saved_plan.summary.setting
    assert (setting.country, setting.keep, setting.at_most) == ("AL", (("AL-10", 2),), (("AL-06", 2),))
    planned = {row.area: row.units_planned["outreach team"] for row in saved_plan.summary.coverage}
    assert planned["AL-10"] >= 2
    assert planned["AL-06"] <= 2
    (forbidden,) = (entry.decision for entry in saved_plan.summary.decisions)
    assert (forbidden.start, forbidden.end, forbidden.decided) == ("AL-11", "AL-02", "decline")
    answer = tact("--workspace", demo, "plan", "make", "--keep", "Shkodër=99", "--moves", "1", "--json")
    assert "--keep" in answer.json["message"]
    assert "Paris" in tact("--workspace", demo, "plan", "make", "--keep", "Paris=2", "--json").json["message"]
