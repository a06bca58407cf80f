"""Sentences on all areas never say more, or less, than what is said of each area."""

from types import SimpleNamespace

import pytest

from dashboard.narrative import headlines
from dashboard.narrative.judgement import AreaJudgement, Change, Statement
from dashboard.narrative.speech import Speech
from geo.areas import load_areas

T = Speech("en", load_areas())


def judge(rate="", change=""):
    statement = Statement(1.25, 1.05, 1.45, rate, "likely" if rate else "", "", 1.1)
    changed = Change(
        1.0, 0.9, 1.1, change, "likely" if change else "", "", 1.1, "2009-03-01/P3M", 1.0, effort_warning=False
    )
    return AreaJudgement("AL-01", "AL", {"internal": statement}, {}, {"internal": changed}, None, None, None, {})


@pytest.fixture
def areas(monkeypatch):
    """Let the areas of the release be judged otherwise."""
    judged = {}
    monkeypatch.setattr(headlines, "judge_areas", lambda _current: judged)
    monkeypatch.setattr(headlines, "read_country_changes", lambda _current: {})
    monkeypatch.setattr(headlines, "list_shifts", lambda *_: [])
    return judged


def test_an_average_area_may_still_lie_above_the_average(areas):
    """Its rate is likely between 0.67 and 1.5, and yet it may be very likely above 1."""
    areas["AL-01"] = judge(rate="average")
    words = headlines.word_level(T, SimpleNamespace(), "AL", "internal")
    assert words.endswith(": no area is likely to be far above or far below the national average.")


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("same", "No area is clearly up or down on the year before."),
        ("", "Cannot tell whether the rate of the last year rose or fell compared with the year before."),
    ],
)
def test_cannot_tell_is_said_only_where_nothing_is_said_of_any_area(areas, claim, words):
    areas["AL-01"] = judge(change=claim)
    assert headlines.list_changes(T, SimpleNamespace()) == [words]
