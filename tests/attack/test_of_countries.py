"""What standards ask for (legal status, citizenship group, means of control ...), through a release and its attacks."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from data.disclosure.attacks import membership, reading, sequence
from data.disclosure.attacks.bounds import BoundsAttack
from data.disclosure.attacks.membership import attacker
from data.disclosure.attacks.membership.rates import read_rates
from data.disclosure.attacks.suite import attack_numbers
from data.disclosure.cell_key import CellKey
from data.errors import ReleaseRefused
from data.release import Release, names
from data.tables.spec import CATEGORIES, OF_COUNTRIES, TIERS, TableSpec, is_sum_of_years
from tests.helpers import small_worlds

ASKED = tuple(TableSpec("children", "country", grain, (by,)) for by in OF_COUNTRIES for grain in ("year", "whole"))
TOTALS = tuple(TableSpec("children", level, grain) for level in ("country", "region") for grain in ("year", "whole"))
PLAN = {"partner": (*TOTALS, *ASKED), "public": TOTALS}


def draw_world(rare=2):
    """Return a world with all columns; of each, the categories behind the first two have a few children alone."""
    rng = np.random.default_rng(11)
    frame = small_worlds.encounters(rng, 1500, 900)
    for name in OF_COUNTRIES:
        codes = CATEGORIES[name]
        frame[name] = rng.choice([codes[0], codes[1], "unknown"], len(frame), p=[0.4, 0.3, 0.3])
        for code in codes[2:-1]:
            frame.loc[rng.choice(len(frame), rare, replace=False), name] = code
    return frame


def release_twice(folder, *, frozen=True):
    """Release a world, and again without one child of a rare category; return the folder."""
    frame = draw_world()
    vault = small_worlds.MemoryVault(encounter=frame)
    policy = replace(small_worlds.ONE_YEAR, frozen=frozen)
    small_worlds.release(vault, folder, plan=PLAN, policy=policy)
    gone = frame.loc[frame["means_of_control"] == CATEGORIES["means_of_control"][2], "child"].iloc[0]
    vault.records["encounter"] = frame[frame["child"] != gone]
    small_worlds.release(vault, folder, plan=PLAN, policy=policy)
    return folder


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Return both releases of each tier, the older one first."""
    folder = release_twice(tmp_path_factory.mktemp("releases"))
    return {tier: [Release.open(folder, tier, name) for name in reversed(names(folder))] for tier in TIERS}


@pytest.fixture
def published(releases):
    return [reading.read_published(release) for release in releases["partner"]]


@pytest.mark.slow
def test_no_attack_on_the_sequence_finds_a_child_and_all_tables_are_attacked(releases, published, monkeypatch):
    attacked = set()
    expect = attacker.Attacker.expect_others

    def note(self, child, spec):
        attacked.add(spec)
        return expect(self, child, spec)

    monkeypatch.setattr(attacker.Attacker, "expect_others", note)
    for attack, findings, _ in attack_numbers(published[:1], releases["partner"][-1], thorough=False):
        assert findings == [], attack
    membership.attack(
        sequence.join_releases(published),
        reading.read_areas(releases["partner"][-1]),
        CellKey.from_manifest(releases["partner"][-1].manifest["tact"]),
        None,
        children=1,
        worlds=(500,),
    )
    assert {spec for spec in ASKED if not is_sum_of_years(spec, PLAN)} <= attacked


def test_the_attacker_draws_as_many_other_children_as_are_expected(releases, published):
    areas = reading.read_areas(releases["partner"][-1])
    rates = read_rates(published[-1], areas)
    mechanism = CellKey.from_manifest(releases["partner"][-1].manifest["tact"])
    attack = attacker.Attacker(rates, mechanism, None, [*TOTALS, *ASKED])
    child = attack.list_worst_children(1)[0]
    others = attacker.OtherChildren.draw(attack, child, 4000, np.random.default_rng(1))
    for spec in ASKED:
        counts, _, cell = others.count(spec)
        expected = attack.expect_others(child, spec)
        assert counts[:, cell].mean() == pytest.approx(expected, abs=5 * np.sqrt(expected / 4000))


def test_a_small_count_stays_as_uncertain_as_the_noise_makes_it(releases, published):
    attack = BoundsAttack.from_releases(published, reading.read_areas(releases["partner"][-1]))
    bounds, seen = attack.system.solve(), 0
    for table in attack.lattice.tables.values():
        if set(table.shape.breakdown) & set(OF_COUNTRIES):
            cells = table.base + np.arange(table.state.size)
            seen += len(cells)
            # A shown cell keeps at least largest + 1 values.
            assert (bounds.high[cells] - bounds.low[cells] >= 5).all()
    # Those of the whole programme are sums of the year, and say nothing new.
    assert seen == sum(2 * len(CATEGORIES[name]) for name in OF_COUNTRIES)


def test_partners_get_every_cell_with_its_state_and_the_public_none(releases):
    for spec in ASKED:
        table = releases["partner"][-1].table(spec.name)
        assert len(table) == 2 * len(CATEGORIES[spec.breakdown[0]])
        assert set(table["state"]) <= {"number", "almost_none", "withheld"}
        assert spec.name not in releases["public"][-1].tables


def test_a_number_that_changes_with_the_child_is_found(published):
    spec = TableSpec("children", "country", "year", ("means_of_control",))
    frame = published[-1].tables[spec].to_pandas()
    place = frame.index[frame["state"] == "number"][0]
    frame.loc[place, "value"] += 1
    tables = {**published[-1].tables, spec: pa.Table.from_pandas(frame, preserve_index=False)}
    (finding,) = sequence.attack([published[0], replace(published[-1], tables=tables)])[0]
    assert finding.cell["means_of_control"] == frame.loc[place, "means_of_control"]


@pytest.mark.long
def test_numbers_that_are_drawn_anew_are_refused(tmp_path):
    with pytest.raises(ReleaseRefused, match="the two together can tell of one child"):
        release_twice(tmp_path, frozen=False)


@pytest.mark.slow
def test_a_column_of_which_nearly_nothing_is_known_is_withheld(tmp_path, few_worlds):
    frame = draw_world().assign(means_of_control="unknown")
    spec = TableSpec("children", "country", "year", ("means_of_control",))
    plan = {"partner": (*TOTALS, spec), "public": TOTALS}
    small_worlds.release(small_worlds.MemoryVault(encounter=frame), tmp_path, plan=plan)
    table = Release.open(tmp_path, "partner").table(spec.name)
    assert "number" not in set(table["state"])


@pytest.mark.slow
def test_other_tables_are_the_same_with_and_without_the_columns(tmp_path, few_worlds):
    frame = draw_world()
    few = dict.fromkeys(TIERS, TOTALS)
    for name, records in (("with", frame), ("without", frame.drop(columns=list(OF_COUNTRIES)))):
        small_worlds.release(small_worlds.MemoryVault(encounter=records), tmp_path / name, plan=few)
    for tier in TIERS:
        first, second = (Release.open(tmp_path / name, tier) for name in ("with", "without"))
        assert first.tables == second.tables
        for spec in few[tier]:
            assert first.table(spec.name).equals(second.table(spec.name))
