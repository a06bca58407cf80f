import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure._consistency import consistent, fit
from data.disclosure.attacks.bounds import BoundsAttack
from data.disclosure.dp import Dp, Ledger, bounded
from data.errors import InputError, ReleaseError
from data.restricted.publishing.withhold import withhold_until_safe
from data.tables.periods import GRAINS
from data.tables.spec import DEFAULT_PLAN, LEVELS, TableSpec
from tests.helpers import counted

HALF, ONE = Dp(0.5), Dp(1.0)
ALL = {spec for tier in DEFAULT_PLAN for spec in DEFAULT_PLAN[tier]}
NO_KEYS = np.zeros(0, np.int64)


def drawn(counts, mechanism, rng, scale=1):
    """Draw as the mechanism does, from a seed."""
    chance = 1 - np.exp(-mechanism.epsilon / scale)
    return counts + rng.geometric(chance, counts.shape) - rng.geometric(chance, counts.shape)


# -- noise and channel --


@pytest.mark.parametrize(("mechanism", "error"), [(HALF, 1.92), (ONE, 0.85)])
def test_the_expected_error_of_one_count_is_what_it_should_be(mechanism, error):
    channel = mechanism.channel(200)
    away = np.abs(np.arange(channel.matrix.shape[1]) - 150)  # far from zero, where nothing is cut
    assert channel.matrix[150] @ away == pytest.approx(error, abs=0.005)


@pytest.mark.parametrize("mechanism", [HALF, ONE])
def test_noise_of_neighbouring_counts_differs_by_the_factor_of_epsilon_and_no_more(mechanism):
    matrix = mechanism.channel(60).matrix[20:31, 20:31]  # short of the tails, which are lumped
    assert np.abs(np.diff(np.log(matrix), axis=0)) == pytest.approx(mechanism.epsilon)
    assert mechanism.channel(60).total_variation().max() <= 1 - np.exp(-mechanism.epsilon)


@pytest.mark.parametrize("scale", [1, 3])
def test_what_opendp_draws_follows_the_channel(scale):
    pytest.importorskip("opendp")
    counts = np.repeat([0, 1, 5, 40], 4000)
    values = np.maximum(ONE.publish(counts, NO_KEYS, scale), 0)
    matrix = ONE.channel(40, scale).matrix
    for count in (0, 1, 5, 40):
        seen = np.bincount(values[counts == count], minlength=matrix.shape[1]) / 4000
        assert np.abs(np.cumsum(seen) - np.cumsum(matrix[count])).max() < 0.045  # by chance once in 10,000


def test_a_number_is_drawn_anew_each_time():
    pytest.importorskip("opendp")
    counts = np.full((20, 3, 4), 50)
    first, second = ONE.publish(counts, NO_KEYS), ONE.publish(counts, NO_KEYS)
    assert first.shape == counts.shape
    assert (first != second).any()


def test_an_attacker_s_own_draws_follow_the_channel_and_repeat():
    counts = np.repeat([0, 5, 40], 4000)
    values = ONE.imitate(counts, NO_KEYS, np.random.default_rng(1))
    assert (values == ONE.imitate(counts, NO_KEYS, np.random.default_rng(1))).all()
    matrix = ONE.channel(40).matrix
    for count in (0, 5, 40):
        seen = np.bincount(values[counts == count], minlength=matrix.shape[1]) / 4000
        assert np.abs(np.cumsum(seen) - np.cumsum(matrix[count])).max() < 0.045


def test_without_opendp_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(ReleaseError, match=r'pip install "tact-map\[dp\]"'):
        ONE.publish(np.zeros(3, np.int64), NO_KEYS)
    assert ONE.channel(20).matrix.sum(axis=1) == pytest.approx(1), "readers of a release need it not"


@given(st.integers(0, 50), st.floats(0.05, 5), st.sampled_from([1, 3]), st.sampled_from([None, 11]))
def test_the_channel_is_a_distribution_and_agrees_with_what_is_known(n_max, epsilon, scale, k):
    mechanism = Dp(epsilon)
    channel, known = mechanism.channel(n_max, scale, k), mechanism.knowledge(scale, k)
    assert channel.matrix.sum(axis=1) == pytest.approx(1)
    assert channel.outcomes().sum(axis=1) == pytest.approx(1)
    assert channel.margin == known.largest == mechanism.largest(scale)
    for shown in range(k or 1, n_max + 1):
        low, high = channel.interval(shown)
        assert (low, high) == (max(shown - known.largest, 0), min(shown + known.largest, n_max))


def test_what_cannot_be_used_is_named():
    with pytest.raises(InputError, match=r"epsilon = 0; .*; cells = 0"):
        Dp(0, 0)


# -- how often a child counts --


def test_a_child_counts_in_no_more_cells_than_stated():
    assert HALF.visits(ALL) == 3
    once = [s for s in ALL if s.counted and s.measure != "encounters"]
    several = [s for s in ALL if s.measure == "encounters"]
    assert len(once) + 3 * len(several) <= HALF.cells
    spent = sum(HALF.price(s, ALL) for s in (*once, *several))
    assert spent <= HALF.parameters()["epsilon_of_a_child"] == 40


def test_a_plan_with_more_cells_than_stated_is_refused():
    with pytest.raises(ReleaseError, match="at least, and 20 are allowed"):
        Dp(0.5, 20).visits(ALL)


@given(
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 9))).map(sorted),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_pairs_are_kept_whatever_their_order_and_whoever_else_there_is(pairs, most, random):
    child, cell = (np.array([p[i] for p in pairs], np.int64) for i in (0, 1))
    kept = bounded(child, cell, most)
    for one in set(child.tolist()):
        assert kept[child == one].sum() == min(most, (child == one).sum())
        alone = bounded(child[child == one], cell[child == one], most)
        assert (alone == kept[child == one]).all()
    order = np.array(random.sample(range(len(pairs)), len(pairs)), np.int64)
    assert (bounded(child[order], cell[order], most) == kept[order]).all()


# -- the ledger --


def test_a_ledger_adds_up_and_survives_json():
    ledger = Ledger(limit=2.0).spend("2009-05-001 children_region_year", 0.5).spend("2009-08-001 again", 1.5)
    assert ledger.epsilon == 2.0
    again = Ledger.of(json.loads(json.dumps(ledger.as_dict())))
    assert again == ledger
    assert [e.what for e in again.entries] == ["2009-05-001 children_region_year", "2009-08-001 again"]
    with pytest.raises(ReleaseError, match=r"costs 0\.1, and 2 of 2 are spent"):
        ledger.spend("one more", 0.1)
    assert Ledger().spend("no end", 1e6).epsilon == 1e6


def test_a_ledger_of_another_format_is_refused_with_a_remedy():
    ledger = Ledger(limit=None).spend("r x", 0.5)
    assert Ledger.decode(ledger.encode()) == ledger
    other = ledger.encode().replace(b'"format":1', b'"format":7')
    with pytest.raises(ReleaseError, match=r"privacy spent in format 7.*tact restore"):
        Ledger.decode(other)


# -- sums --


def sums_hold(values, grid):
    """Check all sums of children and of the model that a reader could make."""
    for spec, table in values.items():
        for level in ("country", "region"):
            outer = TableSpec(spec.measure, level, spec.grain, spec.breakdown)
            next_one = LEVELS.index(level) + 1 == LEVELS.index(spec.level)
            if spec.measure in ("children", "model") and next_one and outer in values:
                inside = grid.up[level][[grid.names[c] for c in grid.codes[spec.level]]]
                for number in np.unique(inside):  # a region without municipalities has no parts
                    assert (table[inside == number].sum(axis=0) == values[outer][number]).all()
        for grain in ("year", "whole"):
            outer = TableSpec(spec.measure, spec.level, grain, spec.breakdown)
            longer = GRAINS.index(grain) > GRAINS.index(spec.grain)
            if spec.measure != "encounters" and longer and outer in values:
                starts = np.array([p.start for p in grid.periods(spec.grain)], "datetime64[D]")
                inside = grid.period_of(np.maximum(starts, np.datetime64(grid.whole.start)), grain)
                for number in np.unique(inside):
                    assert (table[:, inside == number].sum(axis=1) == values[outer][:, number]).all()
        total = TableSpec(spec.measure, spec.level, spec.grain)
        if spec.measure == "children" and spec.breakdown:
            assert (table.sum(axis=-1) == values[total]).all()
    return True


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 900), st.floats(0.05, 3), st.sampled_from([0.2, 0.5, 2.0]))
def test_parts_add_up_and_nothing_is_below_zero(seed, children, concentration, epsilon):
    world = counted.small(seed, int(children * 1.4) + 1, children, concentration=concentration)
    rng = np.random.default_rng(seed)
    values = {s: drawn(c, Dp(epsilon), rng) for s, c in world.counts.items()}
    result = consistent(values, world.grid)
    assert list(result) == list(values)
    assert all((table >= 0).all() and table.dtype == np.int64 for table in result.values())
    assert sums_hold(result, world.grid)
    again = consistent(values, world.grid)
    assert all((again[s] == table).all() for s, table in result.items()), "the same from the same draws"


def test_sums_that_hold_already_stay():
    world = counted.small(2)
    result = consistent(world.counts, world.grid)
    assert all((result[s] == c).all() for s, c in world.counts.items())


def test_a_plan_with_gaps_adds_up_too():
    """Quarters of regions beside years of municipalities, a breakdown of one period alone."""
    rows = [
        *(("country", "whole", ()), ("region", "quarter", ()), ("municipality", "year", ())),
        *(
            ("municipality", "whole", ("sex",)),
            ("country", "whole", ("sex",)),
            ("region", "year", ("stage",)),
        ),
    ]
    plan = {"partner": tuple(TableSpec("children", level, grain, by) for level, grain, by in rows)}
    world = counted.small(4, plan=plan)
    rng = np.random.default_rng(4)
    result = consistent({s: drawn(c, HALF, rng) for s, c in world.counts.items()}, world.grid)
    assert all((table >= 0).all() for table in result.values())
    assert sums_hold(result, world.grid)


@given(st.data())
def test_whole_numbers_with_given_margins(data):
    rows, columns = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    numbers = st.lists(st.integers(0, 9), min_size=rows * columns, max_size=rows * columns)
    table = np.array(data.draw(numbers)).reshape(rows, columns)
    noise = np.array(data.draw(st.lists(st.floats(-9, 9), min_size=table.size, max_size=table.size)))
    wanted = table + noise.reshape(table.shape)
    both = fit(wanted, table.sum(axis=1), table.sum(axis=0))
    assert (both.sum(axis=1) == table.sum(axis=1)).all()
    assert (both.sum(axis=0) == table.sum(axis=0)).all()
    assert (fit(wanted, table.sum(axis=1), None).sum(axis=1) == table.sum(axis=1)).all()
    assert (fit(wanted, None, table.sum(axis=0)).sum(axis=0) == table.sum(axis=0)).all()
    assert min(both.min(), fit(wanted, None, None).min()) >= 0
    assert (fit(table.astype(float), table.sum(axis=1), table.sum(axis=0)) == table).all()


# -- whole releases --


@pytest.fixture(scope="module")
def own_world():
    return counted.own()


def test_sums_that_hold_make_numbers_better(own_world):
    rng = np.random.default_rng(1)
    scale = {"encounters": 3}
    values = {s: drawn(c, HALF, rng, scale.get(s.measure, 1)) for s, c in own_world.counts.items()}
    result = consistent(values, own_world.grid)
    assert sums_hold(result, own_world.grid)

    def error(which, measure, level):
        chosen = [s for s in which if s.measure == measure and s.level == level]
        return np.mean([np.abs(np.maximum(which[s], 0) - own_world.counts[s]).mean() for s in chosen])

    assert error(result, "children", "municipality") < 0.5 * error(values, "children", "municipality")
    assert error(result, "children", "region") < 0.9 * error(values, "children", "region")
    assert error(result, "children", "country") < error(values, "children", "country")
    farthest = max(
        np.abs(result[s] - c).max() for s, c in own_world.counts.items() if s.measure == "children"
    )
    assert farthest <= HALF.largest(), "no further than what the attacks assume of one draw"


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_a_release_of_a_small_world_withstands(tier):
    pytest.importorskip("opendp")
    world = counted.small(6)
    release = world.published(HALF, tier)
    plan = BoundsAttack.of([release], world.areas)
    taken, failed = withhold_until_safe(plan, 0)
    assert (len(taken), len(failed)) == (0, 0)
    assert plan.system.solve().contradictions == 0
    states = set().union(*(table["state"].unique().to_pylist() for table in release.tables.values()))
    assert states <= {"number", "few"}
