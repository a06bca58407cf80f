"""The plan: the optimum, the rules, the reasons, and no change without a good reason."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from risk.planning import compute_floor, compute_frontier, plan_moves
from risk.planning.benefit import Benefit, compute_least_served, compute_met, weigh_worst_draws
from risk.planning.clashes import RulesClash
from risk.planning.explain import find_best_unit
from risk.planning.exploration import draw_exploration
from risk.planning.objective import Goal
from risk.planning.problem import AWAY, Aims, Decision, Kind, Posts, Rules, Solver
from risk.planning.schedule import schedule_moves
from tests.helpers.plan_cases import AIMS, EXACT, country, keeps, layouts


@pytest.mark.always(
    "0-Aims(equity=0.6, cost=0.0, robustness=0.0)",
    "0-Aims(equity=0.3, cost=0.2, robustness=0.5)",
    "1-Aims(equity=0.0, cost=0.0, robustness=0.0)",
)
@pytest.mark.slow
@pytest.mark.parametrize("aims", AIMS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_that_of_trying_everything(aims, seed):
    posts, need = country(seed)
    posts = replace(posts, committed=np.minimum(posts.units, [[1, 0], [0, 0], [0, 1], [0, 0]]))
    rules = Rules(
        moves=2 + seed % 2,
        budget=120.0,
        floor=compute_floor(posts, 0.5),
        communities=np.arange(4) % 2 == 0,
        services_floor=float(posts.compute_capacity(posts.units)[::2, 1].min() * 0.8),
    )
    goal = Goal(posts, aims, np.repeat(need[::2, :, None], 2, axis=2))
    values = [goal.compute_value(u, cost) for u in layouts(posts) for ok, cost in [keeps(posts, rules, u)] if ok]
    assert len(values) > 3
    plan = plan_moves(posts, need, rules, aims, solver=EXACT)
    assert keeps(posts, rules, plan.units) == (True, pytest.approx(plan.cost))
    assert goal.compute_value(plan.units, plan.cost) == pytest.approx(max(values), rel=1e-5)
    assert plan.proven


def test_the_benefit_in_pieces_is_below_the_curve_and_close():
    rng = np.random.default_rng(0)
    need = rng.lognormal(2.0, 0.5, (50, 3, 1))
    most = np.array([[5.0], [40.0], [400.0]])
    cut = Benefit.cut(need, np.zeros_like(most), most, 16)
    np.testing.assert_allclose(cut.width.sum(axis=-1), most)
    assert (np.diff(cut.slope, axis=-1) <= 1e-12).all()
    for share in (0.03, 0.2, 0.5, 0.9):
        filled = np.clip(share * most[..., None] - (np.cumsum(cut.width, axis=-1) - cut.width), 0, cut.width)
        chords = (cut.slope * filled).sum(axis=-1)
        curve = compute_met(need, share * most)
        assert (chords <= curve + 1e-9).all()
        assert (curve - chords).sum() < 0.01 * need.sum()
        assert (curve - chords <= cut.error.max(axis=-1) + 1e-9).all()
    narrow = Benefit.cut(need, 0.3 * most, 0.6 * most, 16)
    assert narrow.error.sum() < 0.3 * cut.error.sum()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40))
def test_the_mean_of_the_worst_tenth(values):
    values = np.array(values)
    weight = weigh_worst_draws(values)
    assert weight.sum() == pytest.approx(1.0)
    assert (weight <= 1.0 / (0.1 * len(values)) + 1e-9).all()
    # Rockafellar and Uryasev's form, whose maximum is at one of the values.
    form = max(v - np.maximum(v - values, 0).mean() / 0.1 for v in values)
    assert weight @ values == pytest.approx(form, abs=1e-6)


def test_the_worst_served_fifth_of_the_need():
    share, weight = np.array([0.9, 0.1, 0.5]), np.array([0.7, 0.1, 0.2])
    assert compute_least_served(share, weight) == pytest.approx((0.1 * 0.1 + 0.1 * 0.5) / 0.2)


@pytest.mark.slow
def test_the_same_input_gives_the_same_plan():
    posts, need = country(3, sites=5, each=5)
    first, second = (plan_moves(posts, need, Rules(moves=4), Aims(0.2, 0.1, 0.4)) for _ in range(2))
    np.testing.assert_array_equal(first.units, second.units)
    assert first.moves == second.moves
    assert first.gain == second.gain


def lopsided(spread=0.2, level=(10.0, 100.0)):
    """Return two towns far apart, with all four units in the town with little need."""
    rng = np.random.default_rng(5)
    posts = Posts(
        ("low", "high"), ("one", "two"), (Kind("team", 10.0, True),), np.array([[4], [0]]), np.eye(2)[None],
        np.array([[0.0, 7.0], [7.0, 0.0]]), np.array([9, 9]), np.zeros((2, 1), np.int64),
    )  # fmt: skip
    return posts, np.array(level) * np.exp(spread * rng.standard_normal((400, 2)))


def test_a_move_says_what_it_brings_takes_and_costs():
    posts, need = lopsided()
    plan = plan_moves(posts, need, Rules(moves=2), solver=EXACT)
    assert plan.recommended
    assert plan.probability == 1.0
    (move,) = plan.moves
    assert (move.start, move.end, move.kind, move.units, move.cost) == ("one", "two", "team", 2, 14.0)
    # By hand, on the judging half: 20 reach each town instead of 40 and none.
    low, high = need[1::2].T
    gain = (high * -np.expm1(-20 / high)) + low * (np.exp(-40 / low) - np.exp(-20 / low))
    assert move.gain.mean == pytest.approx(gain.mean())
    assert (move.gain.low, move.gain.high) == pytest.approx(tuple(np.quantile(gain, [0.025, 0.975])))
    assert move.beats_staying == (gain > 0).mean() == 1.0
    assert [e.area for e in move.brings] == ["high"]
    assert [e.area for e in move.takes] == ["low"]
    assert move.brings[0].children + move.takes[0].children == pytest.approx(move.gain.mean)
    assert (plan.gain.mean, plan.gain.low) == pytest.approx((move.gain.mean, move.gain.low))


def test_what_would_change_it_is_where_it_no_longer_pays():
    posts, need = lopsided()
    (move,) = plan_moves(posts, need, Rules(moves=2), solver=EXACT).moves
    assert 0 < move.pays_down_to < move.need
    share = move.pays_down_to / move.need
    for factor, pays in ((1.05, True), (0.95, False)):
        less = need[1::2] * np.array([1.0, factor * share])
        gain = compute_met(less[..., None], posts.compute_capacity(np.array([[2], [2]])))
        gain = gain - compute_met(less[..., None], posts.compute_capacity(np.array([[4], [0]])))
        assert (gain.sum(axis=(1, 2)).mean() > 0) == pays


def test_change_nothing_where_it_is_not_sure_enough():
    # On average the other town is better; in every third case it is far worse.
    posts, need = lopsided(spread=0.0, level=(5.0, 30.0))
    posts = replace(posts, units=np.array([[1], [0]]))
    need[np.arange(len(need)) % 3 == 0, 1] = 0.5
    plan = plan_moves(posts, need)
    assert plan.moved == 1
    assert plan.gain.mean > 0.03 * plan.today.met.mean
    assert plan.probability == pytest.approx(2 / 3, abs=0.01)
    assert not plan.recommended


def test_a_small_gain_is_almost_sure_only_if_almost_every_draw_gains():
    # By hand: one team of 10 goes from 5 of 100 children in need to 4 of 110.
    posts, need = lopsided(spread=0.0, level=(100.0, 110.0))
    posts = replace(posts, units=np.array([[6], [4]]))
    before = 100 * -np.expm1(-0.6) + 110 * -np.expm1(-40 / 110)
    share = (100 * -np.expm1(-0.5) + 110 * -np.expm1(-50 / 110)) / before - 1
    assert 0.005 < share < 0.03
    plan = plan_moves(posts, need, Rules(moves=1))
    assert plan.gain.mean == pytest.approx(share * before)
    assert (plan.probability, plan.small_probability, plan.answer) == (0.0, 1.0, "small")
    for losing, answer in ((2, "small"), (3, "nothing")):  # of 200 draws that judge
        worse = need.copy()
        worse[1 : 2 * losing : 2, 1] = 1.0
        judged = plan_moves(posts, worse, Rules(moves=1))
        assert judged.moved == 1
        assert (judged.small_probability, judged.answer) == (pytest.approx(1 - losing / 200), answer)


def test_no_move_where_today_is_best():
    posts, need = lopsided(level=(100.0, 10.0))
    posts = replace(posts, units=np.array([[1], [0]]))
    plan = plan_moves(posts, need)
    assert plan.moves == ()
    assert not plan.recommended
    assert plan.gain.mean == 0.0


def test_choosing_and_judging_use_different_draws():
    posts, need = lopsided()
    need[1::2, 1] = 1e-6  # the judges know of no need there
    plan = plan_moves(posts, need)
    assert plan.moved
    assert plan.gain.high < 0
    assert not plan.recommended


@pytest.mark.slow
def test_decisions_are_kept_and_planned_around():
    posts, need = country(1, sites=4, each=4)
    free = plan_moves(posts, need, Rules(moves=3), solver=EXACT)
    first = free.moves[0]
    declined = Decision(first.start, first.end, first.kind, "decline", reason="the lease runs on")
    around = plan_moves(posts, need, Rules(moves=3), decisions=[declined], solver=EXACT)
    assert all((m.start, m.end, m.kind) != (first.start, first.end, first.kind) for m in around.moves)
    assert around.decisions == (declined,)
    goal = Goal(posts, Aims(), np.repeat(need[::2, :, None], 2, axis=2))
    assert goal.compute_value(around.units, 0.0) <= goal.compute_value(free.units, 0.0) + 1e-6
    empty = int(np.argmin(posts.units[:, 1]))
    full = int(np.argmax(posts.units[:, 1]))
    wanted = Decision(posts.sites[full], posts.sites[empty], "centre", "accept")
    bound = plan_moves(posts, need, Rules(moves=3), decisions=[wanted], solver=EXACT)
    move = next(m for m in bound.moves if (m.start, m.end, m.kind) == (wanted.start, wanted.end, "centre"))
    assert move.accepted
    assert bound.moved <= 3


@pytest.mark.slow
def test_what_is_locked_stays_and_the_plan_is_made_around_it():
    posts, need = country(1, sites=4, each=4)
    free = plan_moves(posts, need, Rules(moves=3), solver=EXACT)
    first = free.moves[0]
    lock = Decision(first.start, "", first.kind, "lock", reason="the lease runs on")
    around = plan_moves(posts, need, Rules(moves=3), decisions=[lock], solver=EXACT)
    site, kind = posts.sites.index(first.start), [k.name for k in posts.kinds].index(first.kind)
    assert around.moves
    assert all((m.start, m.kind) != (first.start, first.kind) for m in around.moves)
    assert around.units[site, kind] >= posts.units[site, kind]
    assert around.decisions == (lock,)
    # The same as a commitment of all of them.
    commitments = posts.committed.copy()
    commitments[site, kind] = posts.units[site, kind]
    committed = plan_moves(replace(posts, committed=commitments), need, Rules(moves=3), solver=EXACT)
    np.testing.assert_array_equal(around.units, committed.units)


def test_a_lock_lets_others_come():
    posts, need = lopsided()
    plan = plan_moves(posts, need, Rules(moves=1), decisions=[Decision("two", "", "team", "lock")], solver=EXACT)
    np.testing.assert_array_equal(plan.units, [[3], [1]])


def test_a_lock_clashes_with_what_it_stands_against():
    posts, need = lopsided()
    lock = Decision("one", "nowhere", "team", "lock")
    with pytest.raises(RulesClash, match=r"These clash: .*locked") as raised:
        plan_moves(posts, need, Rules(floor=np.array([0.0, 20.0])), decisions=[lock])
    by_rule = {clash.rule: clash for clash in raised.value.clashes}
    assert set(by_rule) == {"floor", "locked"}
    assert (by_rule["locked"].required, by_rule["locked"].possible) == (4.0, 2.0)
    assert by_rule["locked"].decisions == (lock,)
    with pytest.raises(RulesClash) as raised:
        plan_moves(posts, need, decisions=[lock, Decision("one", "two", "team", "accept")])
    assert {c.rule for c in raised.value.clashes} == {"accepted", "locked"}
    with pytest.raises(InputError, match="'nine'"):
        plan_moves(posts, need, decisions=[Decision("nine", "", "team", "lock")])


def test_a_decision_about_nothing_is_refused():
    posts, need = country(1)
    with pytest.raises(InputError, match="'s9'"):
        plan_moves(posts, need, decisions=[Decision("s9", "s1", "centre", "decline")])


def test_an_accepted_move_that_was_declined_elsewhere_clashes():
    posts, need = lopsided()
    both = [Decision("one", "two", "team", "decline"), Decision("one", "two", "team", "accept")]
    with pytest.raises(RulesClash) as raised:
        plan_moves(posts, need, decisions=both)
    assert {c.rule for c in raised.value.clashes} == {"accepted", "declined"}


def test_clashing_rules_are_named_with_what_frees_them():
    posts, need = lopsided()
    rules = Rules(moves=1, budget=100.0, floor=np.array([0.0, 15.0]))
    with pytest.raises(RulesClash, match="No plan keeps all rules") as raised:
        plan_moves(posts, need, rules)
    by_rule = {clash.rule: clash for clash in raised.value.clashes}
    assert set(by_rule) == {"moves", "floor"}
    assert by_rule["moves"].possible == 2
    assert by_rule["floor"].possible == pytest.approx(10.0)
    assert by_rule["floor"].places == ("high",)
    # What it says would free it does.
    assert plan_moves(posts, need, replace(rules, moves=2)).moved == 2
    assert plan_moves(posts, need, replace(rules, floor=np.array([0.0, 10.0]))).moved == 1


def test_a_floor_of_a_county_lets_units_move_between_its_municipalities():
    posts, need = lopsided()
    both = compute_floor(posts, 1.0)
    assert plan_moves(posts, need, Rules(moves=2, floor=both)).moved == 0
    inside = replace(posts, regions=("county", "county"))
    assert compute_floor(inside, 1.0) == pytest.approx([both.sum()])
    assert plan_moves(inside, need, Rules(moves=2, floor=compute_floor(inside, 1.0))).moved == 2
    with pytest.raises(RulesClash) as raised:
        plan_moves(inside, need, Rules(floor=1.1 * compute_floor(inside, 1.0)))
    assert {clash.rule: clash.places for clash in raised.value.clashes} == {"floor": ("county",)}


def test_commitments_stand_against_a_floor():
    posts, need = lopsided()
    posts = replace(posts, committed=np.array([[4], [0]]))
    with pytest.raises(RulesClash) as raised:
        plan_moves(posts, need, Rules(floor=np.array([0.0, 5.0])))
    by_rule = {clash.rule: clash for clash in raised.value.clashes}
    assert set(by_rule) == {"commitments", "floor"}
    assert by_rule["commitments"].places == ("one",)
    assert (by_rule["commitments"].required, by_rule["commitments"].possible) == (4.0, 3.0)


def test_the_floor_of_communities_counts_services_and_never_search():
    posts, need = lopsided()
    rules = Rules(communities=np.array([False, True]), services_floor=5.0)
    with pytest.raises(RulesClash) as raised:  # a team that searches is no service
        plan_moves(posts, need, rules)
    assert [c.rule for c in raised.value.clashes] == ["services_floor"]
    services = replace(posts, kinds=(Kind("centre", 10.0),))
    plan = plan_moves(services, need, rules)
    assert services.compute_capacity(plan.units)[1].sum() >= 5.0


@pytest.mark.always("0")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_communities_move_no_search(seed):
    posts, need = country(seed, sites=6, each=6)
    rules = Rules(moves=4, under_searched=np.arange(6) < 3, exploration=0.9)
    marked = np.random.default_rng(seed).random(6) < 0.5
    least = 0.9 * float(posts.compute_capacity(posts.units)[marked, 1].min(initial=9.0))
    with_floor = replace(rules, communities=marked, services_floor=least)
    both = [draw_exploration(posts, r, np.repeat(need[..., None], 2, axis=2), 0) for r in (rules, with_floor)]
    np.testing.assert_array_equal(both[0].areas, both[1].areas)
    assert both[0].least == both[1].least > 0
    # With services held where they are, communities change nothing at all.
    fixed_posts = replace(posts, committed=posts.units * np.array([0, 1]))
    plan, plan_with_floor = (plan_moves(fixed_posts, need, r, solver=EXACT) for r in (rules, with_floor))
    np.testing.assert_array_equal(plan.units, plan_with_floor.units)


def test_a_share_of_search_goes_where_too_little_was_looked():
    posts, need = lopsided(level=(100.0, 1.0))
    rules = Rules(under_searched=np.array([False, True]), exploration=0.25)
    plan = plan_moves(posts, need, rules)
    np.testing.assert_array_equal(plan.explored.areas, [False, True])
    assert plan.explored.least == 10.0
    assert plan.units[1, 0] == 1
    assert plan.broken_today == ("exploration",)
    assert plan_moves(posts, need, replace(rules, exploration=0.0)).moved == 0
    # Search alone explores.
    assert not plan_moves(replace(posts, kinds=(Kind("centre", 10.0),)), need, rules).explored.least


@pytest.mark.slow
def test_exploration_gives_way_to_other_rules_as_far_as_they_ask():
    posts, need = lopsided(level=(100.0, 1.0))
    rules = Rules(under_searched=np.array([False, True]), exploration=1.0)
    asked = draw_exploration(posts, rules, np.repeat(need[..., None], 1, axis=2), 0).least
    for moves in range(4):
        plan = plan_moves(posts, need, replace(rules, moves=moves))
        assert plan.explored.share == pytest.approx(10.0 * moves / asked, abs=1e-6)
        assert plan.units[1, 0] == plan.moved == moves
    lock = Decision("one", "", "team", "lock")
    assert plan_moves(posts, need, rules, decisions=[lock]).explored.share == 0
    with pytest.raises(RulesClash) as raised:  # rules that clash without it too are named, without it
        plan_moves(posts, need, replace(rules, floor=np.array([0.0, 20.0])), decisions=[lock])
    assert {clash.rule for clash in raised.value.clashes} == {"floor", "locked"}


def test_draws_for_exploration_follow_how_often_an_area_may_be_the_worst():
    posts, _ = country(0, sites=6, kinds=(Kind("team", 5.0, True),), each=10)
    posts = replace(posts, units=np.array([[0, 0, 0, 0, 5, 5]]).T, reach=np.eye(6)[None])
    rng = np.random.default_rng(1)
    need = np.exp(rng.standard_normal((500, 6, 1)) * np.array([0.1, 0.1, 1.0, 1.0, 1.0, 1.0])[:, None])
    rules = Rules(under_searched=np.array([True, True, True, True, False, False]))
    seen = np.mean([draw_exploration(posts, rules, need, seed).areas for seed in range(400)], axis=0)
    assert (seen[4:] == 0).all()
    assert seen[2:4].min() > 0.3 > seen[:2].max() > 0


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_every_plan_keeps_its_rules(seed, moves, equity, cost, robustness):
    posts, need = country(seed, sites=6, each=6)
    everywhere = np.ones(6, dtype=bool)
    least = compute_floor(posts, 0.7)
    rules = Rules(moves=moves, budget=150.0, floor=least, communities=everywhere)
    plan = plan_moves(posts, need, rules, Aims(equity, cost, robustness))
    assert keeps(posts, rules, plan.units)[0]
    np.testing.assert_array_equal(plan.units.sum(axis=0), posts.units.sum(axis=0))
    assert plan.moved <= moves
    assert plan.cost <= 150.0 + 1e-6
    assert (posts.compute_capacity(plan.units).sum(axis=1) >= least - 1e-6).all()


@pytest.mark.slow
def test_sliders_do_what_their_names_say():
    posts, need = country(0, sites=5, each=8)
    rules = Rules(moves=5)
    plain, fair, safe, thrifty = (
        plan_moves(posts, need, rules, a, solver=EXACT)
        for a in (Aims(), Aims(1.0), Aims(robustness=1.0), Aims(cost=1.0))
    )
    assert fair.planned.least_served > plain.planned.least_served
    assert fair.planned.met.mean < plain.planned.met.mean
    choosing = np.repeat(need[::2, :, None], 2, axis=2)
    bad = [Goal(posts, Aims(robustness=1.0), choosing).compute_value(p.units, 0.0) for p in (plain, safe)]
    assert bad[1] >= bad[0] - 1e-6
    assert thrifty.cost < plain.cost


@pytest.mark.slow
def test_the_frontier_never_falls_with_more_moves():
    posts, need = country(6, sites=5, each=5)
    steps = []
    points = compute_frontier(posts, need, [0, 1, 2, 4], progress=lambda *a: steps.append(a[:2]))
    assert [p.limit for p in points] == [0, 1, 2, 4]
    assert points[0].moved == 0
    assert points[0].gain.mean == 0.0
    gains = [p.gain.mean for p in points]
    assert gains[1] > 0
    assert (np.diff(gains) > -0.02 * gains[-1]).all()  # judged by other draws than they were chosen by
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    floor = np.full(5, 0.3 * posts.compute_capacity(posts.units).sum() / 5)
    left = compute_frontier(posts, need, [0, 6], Rules(floor=floor))
    assert [p.limit for p in left] == [6]


def test_time_that_runs_out_leaves_today_and_says_so():
    posts, need = country(0, sites=8, each=8)
    plan = plan_moves(posts, need, Rules(moves=3), solver=Solver(seconds=0.0))
    assert plan.gap == np.inf or not plan.proven or plan.gap <= 1e-3
    np.testing.assert_array_equal(plan.units.sum(axis=0), posts.units.sum(axis=0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": np.array([[1], [2], [3]])}, "shape"),
        ({"reach": np.ones((1, 2, 2))}, "more than 1"),
        ({"committed": np.array([[5], [0]])}, "'one' has more committed units"),
        ({"room": np.array([3, 9])}, "'one' has more units than its"),
        ({"cost": np.array([[0.0, -1.0], [1.0, 0.0]])}, "cost holds a number below 0"),
    ],
)
def test_posts_that_cannot_be_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        replace(lopsided()[0], **change)


def test_rules_aims_and_draws_that_cannot_be_are_refused():
    posts, need = lopsided()
    for wrong in ({"moves": -1}, {"budget": float("nan")}, {"exploration": 1.2}, {"services_floor": -2.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            Rules(**wrong)
    with pytest.raises(InputError, match="floor has shape"):
        plan_moves(posts, need, Rules(floor=np.zeros(3)))
    with pytest.raises(InputError, match="is not a weight"):
        Aims(equity=1.1)
    for wrong in (need[:10], need[:, :1], -need, need * np.nan):
        with pytest.raises(InputError, match="no 20 draws"):
            plan_moves(posts, wrong)


def test_rules_for_a_country_and_single_areas_hold_and_clashes_name_them():
    posts, need = country(2, sites=4, kinds=(Kind("outreach", 8.0, search=True),), each=6)
    free = plan_moves(posts, need).units[:, 0]
    most = int(np.argmax(free))
    rules = Rules(keep=(("s0", 2),), at_most=((posts.sites[most], int(free[most]) - 1),))
    units = plan_moves(posts, need, rules).units[:, 0]
    assert units[0] >= 2
    assert units[most] <= free[most] - 1
    inside = np.array([True, True, False, False])
    apart = plan_moves(posts, need, Rules(inside=inside)).units[:, 0]
    assert apart[inside].sum() == posts.units[inside].sum()
    everything = int(posts.units[inside].sum()) + 1
    with pytest.raises(RulesClash) as raised:
        plan_moves(posts, need, Rules(inside=inside, keep=(("s0", everything),)))
    by_rule = {clash.rule: clash for clash in raised.value.clashes}
    assert set(by_rule) == {"country", "keep"}
    assert (by_rule["country"].required, by_rule["country"].possible) == (0.0, 1.0)
    assert (by_rule["keep"].possible, by_rule["keep"].places) == (everything - 1, ("s0",))
    with pytest.raises(InputError, match="'s9'"):
        plan_moves(posts, need, Rules(keep=(("s9", 1),)))


def test_a_decision_without_a_kind_is_about_all_kinds():
    posts, need = country(3, sites=3, each=4)
    moves = plan_moves(posts, need).moves
    way = Decision(moves[0].start, moves[0].end, "", "decline")
    assert not any(way.covers(m.start, m.end, m.kind) for m in plan_moves(posts, need, decisions=[way]).moves)
    start, end = (posts.sites[int(i)] for i in (np.argmax(posts.units.sum(axis=1)), np.argmin(posts.units.sum(axis=1))))
    wanted = Decision(start, end, "", "accept", 2)
    plan = plan_moves(posts, need, decisions=[wanted])
    assert sum(m.units for m in plan.moves if (m.start, m.end) == (start, end)) >= 2


def two_kinds_of_ground(far=0.5):
    """Return posts in two areas: all teams are in the first; a day in the other is worth `far` after the way."""
    posts, need = lopsided(level=(10.0, 10.0))
    return replace(posts, day_worth=np.array([[0.0, 0.0], [far, 0.0]])), need


def test_a_team_works_where_it_is_posted_and_a_part_of_its_days_next_door_if_the_way_allows():
    posts, need = two_kinds_of_ground()
    rules = Rules(moves=0)
    alone = plan_moves(replace(posts, day_worth=None), need, rules, solver=EXACT)
    split = plan_moves(posts, need, rules, solver=EXACT)
    assert (alone.moved, alone.away, split.moved) == (0, (), 0)
    (outing,) = split.away
    assert (outing.start, outing.area, outing.worth) == ("one", "high", 0.5)
    # With x teams away the areas get 40 - 10 x and 5 x, and need 10 each: the best x by the curve, at most half of 4.
    x = np.linspace(0.0, 2.0, 20_001)[:, None, None]
    draws = need[::2, None, :, None] if need.ndim == 2 else need[::2, None]
    capacity = np.stack([40.0 - 10.0 * x, 5.0 * x], axis=1)[:, :, 0]
    by_share = [compute_met(draws[:, 0], c).sum(axis=(1, 2)).mean() for c in capacity[::100]]
    assert outing.units == pytest.approx(float(x[100 * int(np.argmax(by_share)), 0, 0]), abs=0.02)
    assert split.gain.mean > 0.0
    assert plan_moves(two_kinds_of_ground(0.01)[0], need, rules, solver=EXACT).away == ()


def test_a_share_of_whole_teams_is_rounded_down_but_to_one_at_least():
    posts, _ = lopsided()
    names = {"areas": ("one", "two"), "sites": ("one", "two"), "room": np.array([9, 9])}
    for units, least in (((1, 0), (10.0, 0.0)), ((3, 2), (10.0, 10.0)), ((5, 4), (20.0, 20.0))):
        teams = replace(posts, units=np.array([units]).T, **names)
        assert compute_floor(teams, 0.5) == pytest.approx(least)
        assert compute_floor(teams, 1.0) == pytest.approx(10.0 * np.array(units))
        services = replace(teams, kinds=(Kind("centre", 10.0),))
        assert compute_floor(services, 0.5) == pytest.approx(5.0 * np.array(units))


def test_what_works_in_areas_with_too_little_outreach_counts_for_exploration():
    posts, need = lopsided(level=(100.0, 1.0))
    draws, rules = np.repeat(need[..., None], 1, axis=2), Rules(under_searched=np.array([False, True]), exploration=0.5)
    posts = replace(posts, room=np.array([9, 9]))
    for there, least in ((0, 20.0), (1, 20.0), (2, 0.0), (3, 0.0)):
        moved = replace(posts, units=np.array([[4 - there], [there]]))
        assert draw_exploration(moved, rules, draws, 0).least == least


def test_one_more_unit_goes_where_it_brings_most_by_draws_that_did_not_choose_it():
    posts, need = lopsided()
    capacity, draws = posts.compute_capacity(posts.units), need[..., None]
    site, gain = find_best_unit(posts, capacity, 0, draws[::2], draws[1::2], np.array([True, True]))
    assert posts.sites[site] == "two"
    more = posts.compute_capacity(posts.units + np.array([[0], [1]]))
    by_hand = (compute_met(draws[1::2], more) - compute_met(draws[1::2], capacity)).sum(axis=(1, 2))
    np.testing.assert_allclose(gain, by_hand)
    assert find_best_unit(posts, capacity, 0, draws[::2], draws[1::2], np.array([True, False]))[0] == 0


def test_work_next_door_begins_at_once_and_the_last_quarter_is_the_plan():
    posts, need = two_kinds_of_ground()
    plan = plan_moves(replace(posts, units=np.array([[6], [0]])), need, Rules(moves=2), solver=EXACT)
    assert plan.moved == 2
    assert plan.away
    site, _, kind = plan.posts.outings
    assert (plan.outings <= AWAY * plan.units[site, kind] + 1e-6).all()
    schedule = schedule_moves(plan, per_quarter=1)
    assert [sum(step.units for step in phase.moves) for phase in schedule.phases] == [1, 1, 0, 0]
    met = [phase.met.mean for phase in schedule.phases]
    assert met[-1] == pytest.approx(plan.planned.met.mean, rel=1e-3)
    first_move = plan.posts.units + np.array([[-1], [1]])
    assert met[0] > compute_met(need[1::2, :, None], posts.compute_capacity(first_move)).sum(axis=(1, 2)).mean()
    assert met == sorted(met)
