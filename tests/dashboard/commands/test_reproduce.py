"""`tact reproduce`: its answer for people and scripts, its exit codes, and that it may be stopped."""

import pytest

from dashboard.commands import reproduce
from risk.planning.reproduction import Comparison, Difference

SAME = Comparison("public", "risk", "risk-public-1", 1, equal=True)
OTHER = Comparison(
    "partner",
    "risk",
    "risk-partner-1",
    2,
    (Difference("exceedance_region_whole", 3, 0.5), Difference("gone", 0), Difference("card.first", 1)),
    ("Computed with other libraries: numpy 1.0.0, now 2.",),
    ("area_sd is 0.5, usually 1.0",),
)


@pytest.fixture
def answer(tact, demo_world, monkeypatch):
    """Return a function that runs the command where the comparison has a given outcome."""

    def run(outcome, *words):
        def compare(*_args):
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(reproduce, "reproduce_release", compare)
        return tact("--workspace", demo_world, "reproduce", *words)

    return run


def test_what_is_the_same_ends_with_zero(answer):
    result = answer([SAME])
    assert result.code == 0
    assert "public risk (risk-public-1): the same, 1 tables" in result.out
    assert "Everything is the same, to the last bit." in result.out


def test_a_difference_is_said_with_its_size_and_its_cause(answer):
    result = answer([SAME, OTHER])
    assert result.code == 5
    for words in (
        "partner risk (risk-partner-1): DIFFERENT", "exceedance_region_whole: 3 values differ, largest difference 0.5",
        "gone: there is no such table", "card.first: 1 values differ\n", "numpy 1.0.0, now 2", "area_sd is 0.5",
        "Not everything is the same.",
    ):  # fmt: skip
        assert words in result.out


def test_scripts_get_everything(answer):
    result = answer([SAME, OTHER], "--json")
    assert result.code == 5
    assert result.json["equal"] is False
    assert result.json["results"][1]["differences"][0] == {
        "name": "exceedance_region_whole", "cells": 3, "largest": 0.5
    }  # fmt: skip
    assert result.json["results"][1]["causes"] == list(OTHER.causes)


def test_it_may_be_stopped(answer):
    assert answer(KeyboardInterrupt()).code == 130


def test_a_release_that_is_not_there_is_an_error(tact, demo_world):
    assert tact("--workspace", demo_world, "reproduce", "2001-01-001", "--json").code == 5
