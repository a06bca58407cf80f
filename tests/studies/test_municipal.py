"""The studies of municipalities inside their regions: the model, and plans between them."""

from functools import partial

import pytest

from benchmarks.studies import municipal, plan_once
from benchmarks.studies.trial import Programme
from benchmarks.worlds import WorldParameters
from risk.planning.problem import Solver

pytestmark = pytest.mark.long

SHORT = partial(WorldParameters, quarters=5, children=700)


def test_the_model_ranks_municipalities_better_than_their_counts(monkeypatch):
    monkeypatch.setattr(municipal, "WorldParameters", SHORT)
    world = municipal.study_world(1)
    assert world.correlation > world.by_count
    assert world.burden > world.burden_by_count
    assert 0.4 < world.covered[0] < world.covered[1] < world.covered[2]
    assert world.covered[2] > 0.85
    assert 0 < world.region_only < 1
    summary = municipal.Study((world,)).summary()
    assert summary["burden"] == pytest.approx(world.burden, abs=1e-3)
    assert len(list(municipal.describe(summary, 1))) > len(municipal.INSIDE)


@pytest.mark.slow(seconds=16)
def test_a_plan_between_municipalities_keeps_to_its_moves_and_meets_no_less_need(monkeypatch):
    monkeypatch.setattr(plan_once, "WorldParameters", SHORT)
    # Without floors today's posts are allowed, so that there is an answer however little the solver has done.
    programme, solver = Programme(floor=0.0, exploration=0.0), Solver(seconds=1.0, pieces=4)
    results = plan_once.study(1, first_seed=1, level="municipality", programme=programme, solver=solver)
    (world,) = results.worlds
    met = dict(zip(plan_once.RIVALS, world.met, strict=True))
    assert world.moved <= programme.moves
    assert met["today"] < met["greedy"]
    assert met["today"] <= world.met_if_followed
    assert met["today"] <= met["truth"]
    assert len(plan_once.describe(results.summary())) == 7
