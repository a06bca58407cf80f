"""What became of a saved plan: a move is seen as made where outreach moved, and only outreach is registered."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from data.disclosure.cell_key import CellKey
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


def plan():
    gain = {"mean": 3.0, "low": 1.0, "high": 5.0}
    move = {"start": "AL-01", "end": "AL-02", "kind": OUTREACH, "units": 2, "gain": gain, "decided": "accept"}
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


def test_no_outcome_before_a_quarter_has_come():
    assert list(follow_plan(plan(), observe(8, (0, 0, 0)), observe(8, (0, 0, 0)))) == []


def test_the_noise_of_the_difference_is_that_of_the_channel():
    """Noise of variance 2 on each of the 4 numbers of a quarter; means of 4 quarters before and of 2 since."""
    later = replace(observe(10, (60, 140, 100)), channel=CellKey(variance=2.0).channel(40))
    (outcome,) = follow_plan(plan(), observe(8, (0, 0, 0)), later)
    assert outcome.margin == pytest.approx(1.96 * np.sqrt(2.0 * 4 * (1 / 4 + 1 / 2)))


def test_numbers_near_the_threshold_have_a_wider_margin():
    later = replace(observe(10, (60, 140, 100)), channel=CellKey(variance_near_k=6.0).channel(60))
    near = replace(later, published=np.full_like(later.published, 10))
    small, wide = (next(follow_plan(plan(), observe(8, (0, 0, 0)), release)).margin for release in (later, near))
    assert small == pytest.approx(1.96 * np.sqrt(2.0 * 4 * (1 / 4 + 1 / 2)), rel=1e-3)
    assert wide == pytest.approx(1.96 * np.sqrt(6.0 * 4 * (1 / 4 + 1 / 2)), rel=1e-3)


def test_a_withheld_number_is_no_change():
    later = observe(10, (60, 140, 100))
    later = replace(later, published=later.published.copy())
    later.published[1, 9, 0, 0] = MISSING
    (outcome,) = follow_plan(plan(), observe(8, (0, 0, 0)), later)
    assert np.isnan(outcome.children.after)


def release(tier="partner"):
    return SimpleNamespace(name="2009-05-001", tier=tier, invented=True)


def test_a_saved_plan_is_registered_once_with_its_decisions_and_without_services(tmp_path):
    saved = plans.saved("2009-05-001")
    assert {move.kind for move in saved.summary.moves} > {OUTREACH}
    for _ in range(2):
        register_plan(tmp_path, release(), saved.name, saved.summary)
    (content,) = list_plan_entries(read_chain(tmp_path / LEDGER))
    assert content["plan"] == saved.name
    decisions = {(move["start"], move["end"]): move["decided"] for move in content["moves"]}
    assert decisions == {("GR-I", "GR-D"): "", ("GR-B", "AL-11"): "accept", ("AL-04", "AL-02"): ""}
    text = (tmp_path / LEDGER).read_text()
    assert "protection" not in text
    assert "reintegration" not in text


def test_the_ledger_has_the_region_of_an_island_with_the_decision_and_no_move_inside_a_region(tmp_path):
    summary = plans.saved("2009-05-001").summary
    out, accepted = summary.moves[:2]
    inside = replace(out, start="GR-L/9284", end="GR-L/9296")
    moves = (replace(out, end="GR-L/9296"), replace(accepted, start="GR-B", end="AL-11"), inside)
    register_plan(tmp_path, release(), "plan", replace(summary, moves=moves))
    (content,) = list_plan_entries(read_chain(tmp_path / LEDGER))
    assert [(move["start"], move["end"]) for move in content["moves"]] == [(out.start, "GR-L"), ("GR-B", "AL-11")]
    register_plan(tmp_path, release(), "inside", replace(summary, moves=(inside,)))
    assert len(list_plan_entries(read_chain(tmp_path / LEDGER))) == 1


def test_only_plans_of_outreach_between_regions_on_the_partner_tier_are_registered(tmp_path):
    summary = plans.saved("2009-05-001").summary
    municipal = replace(summary, setting=replace(summary.setting, level="municipality"))
    services = replace(summary, moves=tuple(move for move in summary.moves if move.kind != OUTREACH))
    for tier, case in (("public", summary), ("partner", municipal), ("partner", services)):
        register_plan(tmp_path, release(tier), "plan", case)
    assert not (tmp_path / LEDGER).exists()
    register_plan(tmp_path, release(), "plan", summary)
    assert (tmp_path / LEDGER).exists()


def test_a_damaged_ledger_gets_no_plan_and_keeps_no_plan_from_being_saved(tmp_path):
    (tmp_path / LEDGER).write_text("noise\n")
    register_plan(tmp_path, release(), "plan", plans.saved("2009-05-001").summary)
    assert (tmp_path / LEDGER).read_text() == "noise\n"
