"""`tact risk`: the files that it writes, its output, and its errors for wrong input."""

import shutil
from pathlib import Path

import pytest

from data.release import Release
from risk.evaluation import risk_model
from risk.model import RiskModel
from risk.planning import inputs
from risk.planning.advice import read_advice
from risk.planning.clashes import Clash, RulesClash
from tests.helpers.quick import leave_out_plan


@pytest.fixture
def demo(demo_world, tmp_path):
    """Return a copy of the demo without derived results."""
    copy = tmp_path / "demo"
    shutil.copytree(demo_world, copy)
    shutil.rmtree(copy / "derived")
    (copy / "derived").mkdir()
    return copy


@pytest.mark.slow
def test_both_tiers_are_scored_and_read_with_the_release(tact, demo, few_draws, monkeypatch):
    leave_out_plan(monkeypatch)
    assert Release.open(demo / "releases", "partner", derived=demo / "derived").added == ()
    answer = tact("--workspace", demo, "risk", "--check", "--json").json
    assert len(answer["results"]) == 2
    assert {check["kind"] for check in answer["checks"]} == {"neighbours", "zeros", "largest", "totals"}
    assert all(set(check) == {"kind", "p", "country", "pathway", "year"} for check in answer["checks"]), "no counts"
    assert answer["evaluation"] == {}
    for tier in ("partner", "public"):
        opened = Release.open(demo / "releases", tier, derived=demo / "derived")
        assert str(opened.result("risk").folder) in answer["results"]
    again = tact("--workspace", demo, "risk", "--tier", "public", "--json").json
    assert again["results"] == answer["results"][1:]


@pytest.mark.long
def test_a_usual_plan_that_cannot_be_made_is_named_and_all_else_is_written(tact, demo, few_draws, monkeypatch):
    def clash(*_args, **_kwargs):
        raise RulesClash((Clash("floor", 9.0, 4.0, ("AL-11",)),))

    monkeypatch.setattr(inputs, "plan_moves", clash)
    answer = tact("--workspace", demo, "risk", "--tier", "partner", "--json")
    assert answer.code == 0
    assert "The usual plan could not be prepared; all else is." in answer.err
    words = " ".join(answer.err.split())
    assert "only 4 of 9 is possible (too little in Tirana)" in words
    assert "tact plan make" in words
    assert "--floor" not in words  # tact risk has no such option
    opened = Release.open(demo / "releases", "partner", derived=demo / "derived")
    assert str(opened.result("risk").folder) in answer.json["results"]
    assert len(opened.table("unmet_region_quarter")) == 25
    assert read_advice(opened).plan is None


@pytest.mark.long
def test_people_read_what_changed_and_the_model_is_fitted_once_and_once_to_test_its_safeguards(
    tact, demo, few_draws, monkeypatch
):
    fit, fitted = RiskModel.fit, []

    def count(self, seen, *rest, **named):
        fitted.append(seen)
        return fit(self, seen, *rest, **named)

    monkeypatch.setattr(RiskModel, "fit", count)
    answer = tact("--workspace", demo, "risk", "--tier", "partner")
    assert answer.code == 0
    assert len(fitted) == 2
    assert "Durrës and Tirana together: the share of internal trafficking rose from" in answer.out
    assert "Written: " in answer.out


@pytest.mark.long
def test_travel_times_are_kept_until_they_are_taken_away(tact, demo_world, tmp_path, few_draws, monkeypatch):
    """Each run begins with the times of the one before, the first with those of the demo; what needs none is out."""
    leave_out_plan(monkeypatch)
    demo = shutil.copytree(demo_world, tmp_path / "demo")

    def nearest():
        opened = Release.open(demo / "releases", "partner", derived=demo / "derived")
        ways = opened.table("travel_region_whole_to").set_index(["area", "to"])
        return float(ways.loc[("GR-F", "GR-D"), "value"]), opened.result("risk").manifest["travel"]["ferries"]

    guessed, none = nearest()
    assert none == []
    file = tmp_path / "ferries.csv"
    file.write_text("from,to,minutes,source\nGR-F,GR-D,91,Invented timetable\n", encoding="utf-8")
    ferries = [["GR-F", "GR-D", 91.0, "Invented timetable"]]
    assert nearest_of(tact, demo, nearest, "--ferries", file) == (91.0, ferries)
    assert nearest_of(tact, demo, nearest) == (91.0, ferries)
    file.write_text("from,to,minutes,source\n", encoding="utf-8")
    assert nearest_of(tact, demo, nearest, "--ferries", file) == (guessed, [])
    file.write_text("from,to,minutes\nGR-F,GR-D,91\n", encoding="utf-8")
    answer = tact("--workspace", demo, "risk", "--tier", "partner", "--ferries", file, "--json")
    assert answer.code == 2
    assert "has no source" in answer.json["message"]
    assert nearest() == (guessed, []), "what cannot be read changes nothing"


def nearest_of(tact, demo, nearest, *words):
    assert tact("--workspace", demo, "risk", "--tier", "partner", *words).code == 0
    return nearest()


@pytest.mark.long
def test_a_calibration_is_said_with_the_checks_and_stays(tact, demo, few_draws):
    answer = tact("--workspace", demo, "risk", "--tier", "partner", "--check", "--calibrate", "2")
    assert "In 2 data sets invented by the model itself, the truth lay where its draws say." in answer.out
    later = tact("--workspace", demo, "risk", "--tier", "partner", "--check").out
    assert "In 2 data sets" in later
    assert "The model fits this release" in later


@pytest.mark.long
def test_the_model_is_measured_against_all_that_it_must_beat(tact, demo, few_draws, monkeypatch):
    """The last four origins alone, whose fits the demo has made; tests/risk/evaluation measures from all of them."""
    monkeypatch.setattr(risk_model, "FIRST_ORIGIN", 8)
    answer = tact("--workspace", demo, "risk", "--tier", "partner", "--evaluate", "--json").json
    names = {row["forecaster"] for row in answer["evaluation"]["scores"]}
    assert {"risk model", "historical mean", "last count", "gradient boosting"} <= names
    verdict = next(v for v in answer["evaluation"]["verdicts"] if v["name"] == "risk model")
    assert verdict["beats"] == (verdict["interval"][0] > 0)
    result = Release.open(demo / "releases", "partner", derived=demo / "derived").result("risk")
    assert result.manifest["evaluation"]["verdicts"] == answer["evaluation"]["verdicts"]


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--tier", "secret"), "There are: partner, public"), (("--release", "1999-01-001"), "No release '1999-01-001'")],
)
def test_a_wrong_word_is_answered_with_what_is_allowed(tact, demo, words, message):
    answer = tact("--workspace", demo, "risk", *words, "--json")
    assert answer.code != 0
    assert message in answer.json["message"]


def test_a_release_of_figures_alone_has_nothing_to_score(tact, tmp_path: Path):
    folder = tmp_path / "figures"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    output = tact("--workspace", folder, "release").out
    assert "There are no records to release yet, so it has only published figures." in output
    assert "tact risk" not in output
    assert "final" not in output
    for words in ((), ("--tier", "partner"), ("--evaluate",)):
        answer = tact("--workspace", folder, "risk", *words, "--json")
        assert answer.code == 5
        assert "has only published figures, so there is no risk to estimate" in answer.json["message"]
