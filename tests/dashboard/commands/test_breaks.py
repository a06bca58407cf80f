"""`tact breaks`: list, accept and remove breaks of the series."""

import shutil

import pytest

QUARTER = "2008-03-01/P3M"


@pytest.fixture
def demo(demo_world, tmp_path):
    return shutil.copytree(demo_world, tmp_path / "demo")


def test_a_break_is_accepted_listed_and_removed(tact, demo):
    assert tact("--workspace", demo, "breaks", "list", "--json").json["accepted"] == []
    accepted = tact("--workspace", demo, "breaks", "accept", QUARTER, "--place", "AL", "--note", "a new law")
    assert accepted.code == 0
    assert "tact risk" in accepted.out
    listed = tact("--workspace", demo, "breaks", "list")
    assert "accepted" in listed.out
    assert "a new law" in listed.out
    assert tact("--workspace", demo, "breaks", "remove", QUARTER, "--place", "AL").code == 0
    assert tact("--workspace", demo, "breaks", "remove", QUARTER, "--place", "AL").code != 0


def test_possible_breaks_are_those_that_the_model_found(tact, demo):
    possible = tact("--workspace", demo, "breaks", "list", "--json").json["possible"]
    assert possible
    first = possible[0]
    tact("--workspace", demo, "breaks", "accept", first["period"], "--place", first["place"])
    left = tact("--workspace", demo, "breaks", "list", "--json").json["possible"]
    assert [entry for entry in left if (entry["period"], entry["place"]) == (first["period"], first["place"])] == []


def test_an_unknown_place_is_refused(tact, demo):
    answer = tact("--workspace", demo, "breaks", "accept", QUARTER, "--place", "Tirana")
    assert answer.code != 0
    assert "'Tirana'" in answer.out + answer.err
