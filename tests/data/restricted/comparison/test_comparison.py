"""The comparison of policies: a trial has the numbers of a release, and a change of policy has the right effects."""

from dataclasses import replace

import numpy as np
import pytest

from data.disclosure.attacks import membership
from data.disclosure.attacks.membership.one_number import find_largest_advantage
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.reference import area_table
from data.release import Release
from data.restricted import keys
from data.restricted.comparison import ALL_NUMBERS, BOTH, ONE_NUMBER, PolicyResult, summarize_trials
from data.restricted.comparison.invented import count_world
from data.restricted.comparison.trial import try_policy
from data.restricted.publishing import withholding
from data.tables.spec import DEFAULT_PLAN, TableSpec
from tests.helpers import counted, small_worlds

REGION_YEAR = TableSpec("children", "region", "year")
REGION_STAGE = TableSpec("children", "region", "whole", ("stage",))
MUNICIPALITY_QUARTER = TableSpec("children", "municipality", "quarter")
USUAL = CellKey.from_policy(DEFAULT_POLICY)
QUICK = (600,)  # worlds of the membership attack
KEYS = keys.IdentifierHasher(bytes(range(32)))


class Bare(CellKey):
    """A mechanism that publishes true counts."""

    def publish(self, counts, keys, scale=1):
        return counts.copy()

    def table(self, scale=1):
        table = super().table(scale)
        return np.tile(np.arange(table.shape[1]) == table.shape[1] // 2, (len(table), 1)).astype(float)

    def channel(self, n_max, scale=1, k=None):
        channel = super().channel(n_max, scale, k)
        return type(channel)(np.eye(n_max + 1, channel.matrix.shape[1]), 0, k)


@pytest.fixture
def unrepaired(monkeypatch):
    """Do not withhold numbers that are certain: without noise all are certain, and none would be shown."""
    monkeypatch.setattr(withholding, "find_disclosed_cells", lambda *_: [])


@pytest.fixture(scope="module")
def world():
    """Return a world of a few areas with so many children that counties show numbers."""
    small = counted.small(seed=3, rows=900, children=600)
    return small.tables


def tried(world, policy, mechanism=None, worlds=QUICK):
    chosen = mechanism or CellKey.from_policy(policy)
    return summarize_trials(policy, chosen, [try_policy(world, policy, chosen, worlds)])


def test_a_release_without_noise_is_never_off_and_gives_more_away(world, unrepaired):
    every_number = replace(DEFAULT_POLICY, k_municipal=1)
    noisy, bare = tried(world, every_number), tried(world, every_number, Bare())
    for country in ("AL", "GR", BOTH):
        assert bare.readers[country].relative_error == 0
        assert bare.readers[country].partner_error == 0
    assert noisy.readers[BOTH].relative_error > 0
    assert 0.3 < noisy.readers[BOTH].partner_error < 2
    assert bare.attackers.one_number > noisy.attackers.one_number
    assert (bare.attackers.one_as_none, noisy.attackers.one_as_none) == (0, pytest.approx(0.52, abs=0.005))
    assert ONE_NUMBER in bare.fails


def test_numbers_that_are_certain_are_withheld_until_none_is_left(world):
    result = tried(world, DEFAULT_POLICY, Bare())
    assert result.readers[BOTH].hidden_children == 1
    assert result.withheld["public"] > tried(world, DEFAULT_POLICY).withheld["public"]


@pytest.mark.long
def test_a_higher_threshold_hides_more_and_helps_attackers_less(world):
    flat = replace(DEFAULT_POLICY, variance_near_k=2.0)
    low, high = (tried(world, replace(flat, k=k)) for k in (11, 40))
    assert low.readers[BOTH].hidden_children < high.readers[BOTH].hidden_children
    assert low.readers[BOTH].cells_shown > high.readers[BOTH].cells_shown
    assert low.attackers.one_number > high.attackers.one_number
    assert low.fails == (ONE_NUMBER,)


@pytest.mark.long
def test_more_noise_is_more_error_and_hides_one_child_better(world):
    little, much = (tried(world, replace(DEFAULT_POLICY, variance=v, largest=8)) for v in (1.0, 6.0))
    assert little.readers[BOTH].relative_error < much.readers[BOTH].relative_error
    assert little.readers[BOTH].partner_error < much.readers[BOTH].partner_error
    assert little.attackers.one_as_none < much.attackers.one_as_none


def test_what_readers_lose_is_worked_out_from_truth_and_tables(world):
    trial = try_policy(world, DEFAULT_POLICY, USUAL, QUICK)
    albania = summarize_trials(DEFAULT_POLICY, USUAL, [trial]).readers["AL"]
    frame, true = trial.tables["public"][REGION_YEAR].frame(), world.counts[REGION_YEAR].ravel()
    inside = frame["area"].str.startswith("AL").to_numpy()
    shown = frame["value"].notna().to_numpy()
    assert albania.hidden_children == pytest.approx(true[inside & ~shown].sum() / true[inside].sum(), abs=1e-4)
    assert albania.cells_shown == pytest.approx(shown[inside].mean(), abs=1e-4)
    here = inside & shown
    off = abs(frame["value"].to_numpy(float, na_value=np.nan)[here] - true[here]) / true[here]
    assert albania.relative_error == pytest.approx(np.median(off), abs=1e-4)


def test_the_same_seed_gives_the_same(world):
    assert tried(world, DEFAULT_POLICY).as_dict() == tried(world, DEFAULT_POLICY).as_dict()


def test_counties_that_tell_too_much_lose_their_breakdown(world, monkeypatch):
    monkeypatch.setattr(membership, "LIMITS", (0.10, 0.17))  # so low that some of this world pass it
    trial = try_policy(world, DEFAULT_POLICY, USUAL, QUICK)
    assert trial.quietened == {a for a, estimate in trial.planned.items() if estimate.high > 0.17}
    assert 0 < len(trial.quietened) < len(trial.planned)
    frame = trial.tables["public"][REGION_STAGE].frame()
    silent = (frame["state"] == "withheld").groupby(frame["area"]).all()
    assert trial.quietened == set(silent.index[silent])
    worst = max(trial.quietened, key=lambda area: trial.planned[area].value)
    assert trial.released[worst].value < trial.planned[worst].value
    assert all(trial.released[a] == estimate for a, estimate in trial.planned.items() if a not in trial.quietened)


def test_a_limit_fails_when_all_of_the_interval_is_above_it(world):
    result = tried(world, DEFAULT_POLICY)
    assert result.fails == ()
    beyond = replace(result.attackers, all_numbers_low=0.26)
    assert replace(result, attackers=beyond).fails == (ALL_NUMBERS,)
    assert replace(result, attackers=replace(result.attackers, one_number=0.11)).fails == (ONE_NUMBER,)


def test_several_worlds_are_averaged_and_the_worst_is_told(world):
    other = counted.small(seed=9, rows=500, children=300)
    trials = [try_policy(w, DEFAULT_POLICY, USUAL, QUICK) for w in (world, other.tables)]
    each = [summarize_trials(DEFAULT_POLICY, USUAL, [trial]) for trial in trials]
    both = summarize_trials(DEFAULT_POLICY, USUAL, trials)
    hidden = [result.readers[BOTH].hidden_children for result in each]
    assert both.readers[BOTH].hidden_children == pytest.approx(np.mean(hidden), abs=1e-4)
    assert both.hidden == (min(hidden), max(hidden))
    assert both.attackers.all_numbers == max(result.attackers.all_numbers for result in each)
    assert both.worlds == 2


@pytest.mark.long
def test_one_number_is_the_worst_case_whatever_the_world(world):
    policy = Policy(k=12, variance=5.0, variance_near_k=5.0, largest=8)
    assert tried(world, policy).attackers.one_number == pytest.approx(
        find_largest_advantage(CellKey(5.0, 8), 12), abs=1e-4
    )


def test_a_world_of_hardly_anybody_is_measured_too():
    few = counted.small(seed=1, rows=3, children=2)
    result = tried(few.tables, DEFAULT_POLICY)
    assert isinstance(result, PolicyResult)
    assert result.readers[BOTH].relative_error is None
    assert result.readers[BOTH].hidden_children == 1


@pytest.mark.slow
def test_a_trial_shows_what_a_release_shows(tmp_path):
    """A real release of the same records has the same states and numbers in every counted table."""
    frame = small_worlds.encounters(np.random.default_rng(3), 900, 600)
    small = counted.small(seed=3, rows=900, children=600)
    world = small.tables
    plan = {tier: tuple(s for s in specs if s in world.counts) for tier, specs in small_worlds.SMALL_PLAN.items()}
    compared = 0
    small_worlds.release(small_worlds.MemoryVault(encounter=frame), tmp_path, plan=plan)
    trial = try_policy(world, small_worlds.ONE_YEAR, USUAL)
    for tier, tables in trial.tables.items():
        opened = Release.open(tmp_path, tier)
        for spec, table in tables.items():
            released, mine = opened.table(spec.name), table.frame()
            assert (released["state"].astype(str) == mine["state"].astype(str)).all(), (tier, spec.name)
            assert released["value"].equals(mine["value"]), (tier, spec.name)
            compared += 1
    assert compared > 20


@pytest.mark.long
def test_a_counted_world_is_the_demo_that_was_imported_and_released(demo_world):
    """Count a simulated world directly, and compare with the same seed through files, vault and release."""
    from risk import worlds as simulate

    seed = simulate.DEFAULT_SEED
    drawn = simulate.simulate_default_areas(simulate.WorldParameters(seed=seed)).records["encounter"]
    hasher = keys.IdentifierHasher(keys.create_from_seed(seed).identifier)
    world = count_world(drawn, hasher, area_table(), DEFAULT_PLAN, DEFAULT_POLICY)
    trial = try_policy(world, DEFAULT_POLICY, USUAL)
    for tier, spec in (("public", REGION_YEAR), ("partner", MUNICIPALITY_QUARTER)):
        released = Release.open(demo_world / "releases", tier).table(spec.name)
        mine = trial.tables[tier][spec].frame()
        assert released["value"].equals(mine["value"])
