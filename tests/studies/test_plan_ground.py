"""The study of plans on the ground: its shares and counts, and one world."""

import pytest

from benchmarks.studies.plan_ground import RIVALS, Result, Study, describe, study_world


def result(pathway, gain, toward):
    return Result(1, pathway, "do", 10, 0.5, gain, tuple(3.0 * g - 2.0 for g in gain), toward, True)


def test_shares_are_those_of_the_best_moves_and_rivals_are_compared_in_each_world():
    rows = (
        result("all", (4.0, 5.0, 4.5, 1.0, -1.0, 3.0, 3.5), (1, 0)),
        result("all", (-1.0, 4.0, 4.0, 2.0, -2.0, 1.0, -1.5), (-2, 1)),
        result("internal", (6.0, 6.0, 6.0, 3.0, 0.0, 6.0, 6.0), (3, 3)),
    )
    summary = Study({"likelihood": rows}).summary()["likelihood"]
    assert summary["all"]["shares"]["plan"] == pytest.approx((0.8 - 0.25) / 2, abs=0.01)
    assert (summary["all"]["least"], summary["all"]["positive"], summary["all"]["toward"]) == (-0.25, 1, 1)
    assert summary["all"]["beats"] == {"counts": 1, "population": 2, "catchment": 1, "regions": 2}
    assert summary["all"]["beats_net"] == summary["all"]["beats"]
    assert summary["all"]["net"]["plan"] == pytest.approx((10.0 - 5.0) / 2)
    assert summary["internal"]["shares"]["plan"] == summary["internal"]["by_rules"] == 1.0
    assert len(describe({"likelihood": summary})) == 2


@pytest.mark.long
def test_the_usual_plan_gains_in_a_world_of_the_demo_and_follows_a_rise():
    for row in study_world(13715):
        gain = dict(zip(RIVALS, row.gain, strict=True))
        assert gain["truth"] >= gain["plan"] > max(gain["counts"], gain["population"], 0.0)
        assert row.holds
    assert study_world(2, "unfollowed-rise")[1].toward[0] > 0
