"""Outreach that follows the plan: the plan abandons no area, and a rival without rules does."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.studies.history import History, assign_days_of_regions, place
from benchmarks.studies.plan_followed import WAYS, Followed, Loop, describe, loop
from benchmarks.studies.trial import YEAR, Programme, planned, posts_of, rules_of
from benchmarks.worlds import WorldParameters, simulate_default_areas
from risk.planning import plan_moves
from risk.planning.clashes import RulesClash
from risk.planning.problem import Solver


@pytest.fixture(scope="module")
def where():
    return place(WorldParameters(seed=3, quarters=6, children=700))


def lived(where, quarters, days=None):
    past = History(where)
    for _ in range(quarters):
        past.go_on(days)
    return past


def test_a_history_without_plans_has_the_effort_and_about_the_finds_of_the_world(where):
    world = simulate_default_areas(where.course.parameters)
    past = lived(where, 6)
    seen = past.observe()
    rows = world.truth.need.query("level == 'region' and pathway == 'internal'")
    days = rows.pivot_table("days", "area", "quarter", observed=True).loc[list(seen.areas), list(seen.quarters)]
    np.testing.assert_array_equal(seen.effort, days.to_numpy())
    first = world.records["encounter"].assign(child=world.truth.child).drop_duplicates("child")
    known = (first["stage"].astype(str) != "at_risk") & (first["pathway"].astype(str) != "none_known")
    # The same children, but for whom nobody notes the pathway.
    assert past.children.sum() == pytest.approx(known.sum(), rel=0.05)


def test_outreach_goes_where_it_is_sent_and_finds_only_there(where):
    size = len(where.model_regions)
    days = np.zeros(size, np.int64)
    days[:5] = [40, 7, 1, 200, 13]
    past = lived(where, 2, days)
    np.testing.assert_array_equal(past.observe().effort[:, 0], days)
    discovered = past._counts[..., 1]
    assert discovered[:5].sum() > 0
    assert discovered[5:].sum() == 0
    assert past._counts[5:, :, :, 0].sum() > 0  # who is reported is met all the same


def test_more_days_find_more_children_but_not_twice_as_many(where):
    means = [
        where.course.expect_finds(
            0, assign_days_of_regions(where.course, 0, np.zeros(len(where.course.land.people)), d)
        )
        for d in (np.full(len(where.course.land.regions), days) for days in (20, 40))
    ]
    once, twice = (mean[:, :, 1].sum() for mean in means)
    assert 1.3 * once < twice < 2.0 * once


def test_what_was_published_stays_as_it_was(where):
    past = lived(where, 4)
    before = past.observe()
    past.go_on()
    np.testing.assert_array_equal(past.observe().published[:, :4], before.published)
    np.testing.assert_array_equal(lived(where, 5).observe().published, past.observe().published)
    assert (before.published.sum(axis=(1, 3)) != past._counts[:, :4].sum(axis=(1, 3))[:, :2]).any()


def test_every_area_has_a_floor_whatever_it_has_today(where):
    seen, programme = lived(where, YEAR).observe(), Programme()
    rules, posts = rules_of(seen, programme), posts_of(seen, programme)
    assert (rules.floor > 0).all()
    assert rules.floor.sum() == pytest.approx(0.25 * 480)
    assert (posts.compute_capacity(posts.units).sum(axis=1) < rules.floor).any()
    assert rules.under_searched.any()


@pytest.mark.slow
def test_too_few_moves_bring_areas_nearer_to_their_floors_and_take_from_none_below(where):
    seen, programme = lived(where, YEAR).observe(), Programme(moves=3, exploration=0.0)
    rules, posts = rules_of(seen, programme), posts_of(seen, programme)
    draws = np.random.default_rng(0).gamma(4.0, 5.0, (60, len(seen.areas)))
    with pytest.raises(RulesClash):
        plan_moves(posts, draws, rules)
    plan, rules_followed = planned(posts, draws, rules, Solver())
    before, after = (posts.compute_capacity(units).sum(axis=1) for units in (posts.units, plan.units))
    assert plan.moved <= 3
    assert (after >= np.minimum(before, rules.floor) - 1e-6).all()
    np.testing.assert_array_equal(rules_followed.floor, np.minimum(before, rules.floor))


def follow(seed, way, least, covered):
    return Followed(seed, way, least, float(min(least) < 1.0), covered, 0.5, 700, (3, 0))


def test_the_summary_and_its_words():
    study = Loop(
        2,
        (
            follow(0, "plan", (1.2, 1.1), 0.9),
            follow(0, "counts", (0.5, 0.0), 0.8),
            follow(1, "plan", (1.4, 1.3), 1.0),
            follow(1, "counts", (1.1, 1.2), 0.8),
        ),
    )
    summary = study.summary()
    assert summary["worlds"] == 2
    assert summary["plan"]["least_over_floor"] == 1.1
    assert summary["plan"]["worlds_starved"] == 0.0
    assert summary["plan"]["covered"] == pytest.approx(0.95)
    assert summary["counts"]["least_over_floor"] == 0.0
    assert summary["counts"]["worlds_starved"] == 0.5
    assert study.as_dict()["found"][1]["least"] == (0.5, 0.0)
    words = describe(summary)
    assert len(words) == 1 + len(WAYS)
    assert "in 0% of worlds" in words[1]
    assert "in 50% of worlds" in words[2]


@pytest.mark.long
def test_the_plan_starves_no_area_and_following_counts_does():
    steps = []
    study = loop(1, first_seed=300, quarters=2, progress=lambda *step: steps.append(step))
    assert steps[-1][:2] == (1, 1)
    summary = study.summary()
    assert summary["plan"]["least_over_floor"] >= 1.0
    assert summary["plan"]["starved"] == 0.0
    assert summary["counts"]["worlds_starved"] == 1.0
    assert 0.8 < summary["plan"]["covered"] <= 1.0
    assert summary["plan"]["met"] > summary["counts"]["met"]
    assert all(max(f.moved) <= Programme().moves for f in study.followed)


@pytest.mark.long
def test_without_its_floor_and_exploration_the_plan_too_would_starve_areas():
    bare = replace(Programme(), floor=1e-9, exploration=0.0)
    without, within = (loop(1, first_seed=301, quarters=1, programme=p).summary() for p in (bare, Programme()))
    # Measured against almost nothing: there are areas without a single day.
    assert without["plan"]["least_over_floor"] == 0.0
    assert within["plan"]["least_over_floor"] >= 1.0


@pytest.mark.long
@pytest.mark.timeout(900)
def test_two_years_in_two_worlds_stay_calibrated_and_starve_no_area():
    summary = loop(2, first_seed=300).summary()
    assert summary["plan"]["least_over_floor"] >= 1.0
    assert 0.90 <= summary["plan"]["covered"] <= 0.98
    assert summary["counts"]["worlds_starved"] >= 0.9
    assert summary["plan"]["met"] > summary["counts"]["met"]
