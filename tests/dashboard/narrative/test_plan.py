"""Sentences on a plan as a whole agree with its numbers."""

from dataclasses import replace

import pytest

from dashboard.narrative.judgement import advise_area
from dashboard.narrative.moves import word_move, word_moves
from dashboard.narrative.plan import list_doubts, list_turning_points
from dashboard.narrative.plan_places import word_unknown_ways
from dashboard.narrative.speech import LANGUAGES, Speech
from geo.areas import load_areas
from risk.planning.result import Point
from tests.helpers import plans


def find_advised(moved, language="en"):
    """Return the sentence on the number of units whose move would be advised, beside a plan of seven that is not."""
    plan = plans.saved("2009-05-001", 5).summary
    assert plan.verdict.moved == 7
    verdict = replace(plan.verdict, answer="keep")
    point = Point(moved, moved, 10.0, verdict.gain, 0.93, True)
    points = list_turning_points(Speech(language, load_areas()), replace(plan, verdict=verdict, frontier=(point,)))
    return points[-2]


def test_more_units_than_were_considered_are_not_called_only():
    assert find_advised(4).startswith("Moving only 4 teams would already be advised: the gain is")
    assert find_advised(15).startswith("Moving 15 teams would be advised: the gain is")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_fewer_units_from_more(language):
    assert find_advised(4, language).replace("4", "15", 1) != find_advised(15, language)


def test_a_move_without_a_gain_has_none_to_lose():
    """A rule needs it, whatever the need is: no number of children would make it worthwhile, or no longer so."""
    plan = plans.saved("2009-05-001", 2).summary
    needed, paying = plan.moves
    plan = replace(plan, moves=(replace(needed, pays_down_to=needed.need, end="GR-A"), paying))
    points = [
        point for point in list_turning_points(Speech("en", load_areas()), plan) if "no longer worthwhile" in point
    ]
    assert len(points) == 1
    assert "fewer than 55" not in points[0]


@pytest.mark.parametrize(
    ("language", "island"),
    [("en", "Rhodes (South Aegean)"), ("sq", "Rhodes (Egjeu Jugor)"), ("el", "Ρόδου (Νότιο Αιγαίο)")],
)
def test_a_move_to_an_archipelago_names_the_island_and_counts_for_its_region(language, island):
    plan = plans.saved("2009-05-001", 2).summary
    first = plan.moves[0]
    plan = replace(plan, moves=(replace(first, end="GR-L/9296"),), unknown_ways=("GR-L/9296",))
    t = Speech(language, load_areas())
    assert word_move(t, plan.moves[0]).endswith(island)
    (words,) = word_moves(t, plan)
    assert words.end == island
    assert island in word_unknown_ways(t, plan)
    assert "%" not in words.chance
    advice = advise_area(plan, "GR-L")
    assert (advice.coming, advice.leaving) == (first.units, 0)


def test_pairs_of_which_nothing_is_said_are_not_all_that_are_neither_high_average_nor_low():
    """Of an area that is above average, too, nobody can tell whether its rate is high or average."""
    doubts = list(list_doubts(Speech("en", load_areas()), plans.saved("2009-05-001", 2).summary, (6, 50)))
    assert "For 6 of 50 pairs of area and pathway the risk model can say nothing of the rate." in doubts
