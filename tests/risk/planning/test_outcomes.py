"""What became of a saved plan: a move is seen as made where outreach moved, and only outreach is followed."""

from dataclasses import replace

import numpy as np
import pytest

from data.release.derived import LEDGER
from data.tables.periods import Calendar, Period
from data.workspace.hash_chain import read_chain
from risk.laplace.likelihood import MISSING
from risk.model.observations import PATHWAYS, WAYS, Observations
from risk.planning.outcomes import follow_plan, list_plan_entries, register_plan
from risk.planning.posts import OUTREACH
from tests.helpers import plans

WHOLE = Period.parse("2006-06-01/2008-11-30")
QUARTERS = tuple(period.id for period in Calendar(6).between(WHOLE.start, WHOLE.end, "quarter"))
AREAS = ("AL-01", "AL-02", "GR-A")


def observe(quarters, days):
    """Return observations with the same numbers everywhere; `days` are those of the quarters after the eighth."""
    shape = (len(AREAS), quarters, len(PATHWAYS), len(WAYS))
    effort = np.full(shape[:2], 100.0)
    effort[:, 8:] = np.array(days)[:, None]
    return Observations(
        AREAS, ("AL", "AL", "GR"), np.full(shape[:2], 100.0), QUARTERS[:quarters], PATHWAYS, WAYS,
        np.full(shape, 2, np.int64), effort, np.array([[0, 1]]), None, "partner",
    )  # fmt: skip


def plan(kind=OUTREACH, units=2):
    gain = {"mean": 3.0, "low": 1.0, "high": 5.0}
    move = {"start": "AL-01", "end": "AL-02", "kind": kind, "units": units, "gain": gain, "decided": "accept"}
    return {"plan": "plan-partner-x", "moves": [move]}


@pytest.mark.parametrize(
    ("days", "seen"),
    [
        ((60, 140, 100), "made"),
        ((100, 100, 100), "not made"),
        ((60, 100, 100), "unclear"),
        ((140, 60, 100), "not made"),
    ],
)
def test_a_move_is_seen_where_days_left_one_area_and_came_to_the_other(days, seen):
    (outcome,) = follow_plan(plan(), observe(8, (0, 0, 0)), observe(10, days))
    assert outcome.seen == seen
    assert (outcome.end_days.before, outcome.end_days.after) == (100.0, float(days[1]))
    assert (outcome.children.before, outcome.children.after) == (8.0, 8.0)
    assert (outcome.decided, outcome.gain.mean, outcome.quarters) == ("accept", 3.0, 2)


def test_services_are_not_followed_and_nothing_is_told_before_a_quarter_has_come():
    (outcome,) = follow_plan(plan("protection"), observe(8, (0, 0, 0)), observe(10, (60, 140, 100)))
    assert outcome.seen == "not visible"
    assert list(follow_plan(plan(), observe(8, (0, 0, 0)), observe(8, (0, 0, 0)))) == []


def test_a_withheld_number_is_no_change():
    later = observe(10, (60, 140, 100))
    later = replace(later, published=later.published.copy())
    later.published[1, 9, 0, 0] = MISSING
    (outcome,) = follow_plan(plan(), observe(8, (0, 0, 0)), later)
    assert np.isnan(outcome.children.after)


def test_a_saved_plan_is_registered_once_with_its_decisions(tmp_path):
    saved = plans.saved("2009-05-001")
    release = type("R", (), {"name": "2009-05-001", "tier": "partner", "invented": True})()
    for _ in range(2):
        register_plan(tmp_path, release, saved.name, saved.summary)
    (content,) = list_plan_entries(read_chain(tmp_path / LEDGER))
    assert content["plan"] == saved.name
    assert len(content["moves"]) == len(saved.summary.moves)
    decided = {(move["start"], move["end"]): move["decided"] for move in content["moves"]}
    assert decided["GR-B", "AL-11"] == "accept"
    assert decided["AL-04", "AL-02"] == ""
