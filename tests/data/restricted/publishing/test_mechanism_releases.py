"""Releases of a small plan under each mechanism, from records to what a reader gets."""

import hashlib
import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.disclosure.attacks.audit import audit
from data.disclosure.dp import Ledger
from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.errors import InputError, ReleaseError, ReleaseRefused
from data.release import Release, names
from data.restricted import publishing
from data.restricted.publishing import withholding
from data.restricted.vault import Vault
from data.restricted.vault.blocks import LEDGER
from data.tables.spec import TIERS, TableSpec
from tests.helpers import counted, small_worlds

PLAN = small_worlds.SMALL_PLAN
FEW = {
    "partner": (
        *(
            TableSpec("children", level, grain, by)
            for level in ("country", "region")
            for grain in ("year", "whole")
            for by in ((), ("stage",))
        ),
        TableSpec("encounters", "region", "year"),
    ),
    "public": (TableSpec("children", "region", "year"),),
}
# With 11 the number of one year would tell more than it may (see the tests of membership).
EXACT, PRIVATE = Policy(mechanism="threshold", k=15), Policy(mechanism="dp", k=15, budget=200.0)
EFFORT = pd.DataFrame({"date": ["2006-06-05"], "municipality": ["101"], "days": [3.5]})


def world(seed=2, rows=900, children=600):
    return small_worlds.encounters(np.random.default_rng(seed), rows, children)


def release(vault, folder, **changes):
    return small_worlds.release(vault, folder, **{"plan": PLAN, **changes})


def shown(folder, tier, plan=PLAN, name=None):
    """All counted cells of a release as one frame: table, cell, value, state, margin."""
    held = Release.open(folder, tier, name)
    frames = [held.table(spec.name).assign(table=spec.name) for spec in plan[tier] if spec.counted]
    return pd.concat(frames, ignore_index=True).fillna(
        dict.fromkeys(("stage", "origin", "crossing", "found"), "")
    )


def digest(folder):
    """One checksum of all numbers and states, whatever the files' format."""
    total = hashlib.sha256()
    for name in reversed(names(folder)):
        for tier in TIERS:
            cells = shown(folder, tier, name=name)
            total.update(cells[sorted(cells)].to_csv(index=False).encode())
    return total.hexdigest()[:16]


# -- the cell key method --


@pytest.mark.parametrize(
    ("policy", "checksum"),
    [(Policy(k=15, variance_near_k=2.0), "8786c53016f81ea4"), (DEFAULT_POLICY, "a93eeba015b33468")],
)
def test_noisy_numbers_are_those_of_always(tmp_path, policy, checksum):
    """Three releases of one seed: more records, then fewer. The checksums are those of the first version."""
    base = world(2, 400, 250)
    vault = small_worlds.MemoryVault(encounter=base)
    for frame in (base, pd.concat([base, world(9, 200, 150)]), base.iloc[:300]):
        vault.records["encounter"] = frame
        release(vault, tmp_path, policy=policy)
    assert LEDGER not in vault.published
    assert digest(tmp_path) == checksum


# -- threshold --


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A release of exact numbers, and one more after five more children."""
    folder = tmp_path_factory.mktemp("exact")
    vault = small_worlds.MemoryVault(encounter=world(), effort=EFFORT)
    first = release(vault, folder, policy=EXACT)
    vault.records["encounter"] = pd.concat(
        [world(), world(7, 5, 5).assign(child=[small_worlds.child(n, "x") for n in range(5)])]
    )
    second = release(vault, folder, policy=EXACT)
    return folder, first, second


def test_shown_numbers_are_exact_and_none_of_them_small(exact):
    folder, first, _ = exact
    true = counted.counted(world(), small_worlds.area_table(), PLAN)
    seen = 0
    for tier in TIERS:
        for spec in PLAN[tier]:
            table = Release.open(folder, tier, first.name).table(spec.name)
            values = table["value"].to_numpy(float, na_value=np.nan)
            counts = true.counts[spec].ravel()
            told = ~np.isnan(values)
            assert (values[told] == counts[told]).all()
            assert (counts[told] >= DEFAULT_POLICY.k).all()
            assert table["margin"].isna().all()
            assert set(table["state"]) <= {"number", "withheld"}, "no state says zero"
            seen += int(told.sum())
    assert seen > 60


def test_parts_of_which_all_are_shown_add_up_to_their_total(exact):
    folder, first, _ = exact
    cells = shown(folder, "partner", name=first.name).set_index("table")
    parts, totals = cells.loc["children_country_whole_stage"], cells.loc["children_country_whole"]
    whole = parts.groupby("area")["value"].apply(lambda v: v.sum() if v.notna().all() else None).dropna()
    quarters = cells.loc["children_country_quarter"].groupby("area")["value"]
    whole = pd.concat([whole, quarters.apply(lambda v: v.sum() if v.notna().all() else None).dropna()])
    assert len(whole)
    assert (whole == totals.set_index("area")["value"].reindex(whole.index)).all()


@pytest.mark.slow
def test_no_attack_on_exact_numbers_succeeds(exact, tmp_path):
    folder, first, second = exact
    for made in (first, second):
        found = audit(folder, tmp_path, made.name)
        assert found.findings == ()
        done = {check["attack"]: check for check in found.checks if check["tier"] == "partner"}
        assert done["crossing"]["unproved"] == 0
        assert (done["crossing"]["proved"] > 0) == (made is first), "a later one may differ by what changed"
        assert "surest" not in done["averaging"], "there is nothing to average"


def test_few_more_children_repeat_exact_numbers(exact):
    folder, first, second = exact
    for tier in TIERS:
        assert shown(folder, tier, name=first.name).equals(shown(folder, tier, name=second.name))


def test_the_manifest_says_that_numbers_are_exact_and_how_they_were_searched(exact):
    folder, first, _ = exact
    for tier in TIERS:
        told = Release.open(folder, tier, first.name).manifest["tact"]
        assert (told["mechanism"], told["parameters"]["largest"]) == ("threshold", 0)
        assert not {"key_range", "epsilon", "cells", "budget"} & set(told["parameters"])
        assert told["search"]["unproved"] == first.searched[tier].unproved == 0
        assert told["search"]["seconds"] == pytest.approx(first.searched[tier].seconds, abs=0.01)
        assert told["knowledge"]["children"]["largest"] == 0
        assert told["privacy"] == {"spent": None, "why": "Suppression has no privacy budget."}
        assert "exact" in told["method"]
        assert "noise" not in told["method"]


def test_hiding_the_small_ones_alone_is_refused(tmp_path, monkeypatch):
    """The attacks on what was written know the mechanism from the manifest."""
    monkeypatch.setattr(publishing, "withhold", lambda *_: {})
    with pytest.raises(ReleaseRefused, match="rule out some of the values below the threshold"):
        release(small_worlds.MemoryVault(encounter=world()), tmp_path, policy=EXACT)
    assert names(tmp_path) == []


def test_what_cannot_be_proved_in_time_is_not_published(tmp_path, monkeypatch):
    monkeypatch.setattr(withholding, "_PROOF_SECONDS", 0.0)
    vault = small_worlds.MemoryVault(encounter=world())
    with pytest.raises(ReleaseRefused, match=r"could not be proved in time[\s\S]*and \d+ more"):
        release(vault, tmp_path, policy=EXACT)
    assert names(tmp_path) == []
    assert vault.published == {}


def test_later_releases_of_exact_numbers_withstand_too(tmp_path, exact):
    """Many more children, then many fewer: small counts behind numbers that were large stay hidden."""
    base = world()
    vault = small_worlds.MemoryVault(encounter=base)
    for frame in (base, pd.concat([base, world(9, 400, 300)]), base.iloc[:500]):
        vault.records["encounter"] = frame
        made = release(vault, tmp_path, policy=EXACT)
        assert (shown(tmp_path, "partner", name=made.name)["value"].dropna() >= DEFAULT_POLICY.k).all()
    assert len(names(tmp_path)) == 3


# -- differential privacy --


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """A release with drawn noise, and two more: of the same records, and of many more."""
    pytest.importorskip("opendp")
    folder, base = tmp_path_factory.mktemp("private"), world()
    vault = small_worlds.MemoryVault(encounter=base)
    ledgers = []
    for frame in (base, base.sample(frac=1, random_state=1), pd.concat([base, world(9, 400, 300)])):
        vault.records["encounter"] = frame
        release(vault, folder, policy=PRIVATE)
        ledgers.append(Ledger.decode(vault.published[LEDGER]))
    return folder, list(reversed(names(folder))), ledgers


def test_drawn_numbers_add_up_and_none_is_negative(private):
    folder, made, _ = private
    parents = small_worlds.area_table()["parent"]
    for name in made:
        held = Release.open(folder, "partner", name)
        for grain in ("quarter", "year", "whole"):
            regions = held.table(f"children_region_{grain}").fillna({"value": 0})
            country = held.table(f"children_country_{grain}").fillna({"value": 0})
            sums = (
                regions.assign(area=regions["area"].map(parents)).groupby(["area", "period"])["value"].sum()
            )
            assert (sums == country.set_index(["area", "period"])["value"].reindex(sums.index)).all()
            stages = held.table(f"children_region_{grain}_stage").fillna({"value": 0})
            sums = stages.groupby(["area", "period"])["value"].sum()
            assert (sums == regions.set_index(["area", "period"])["value"].reindex(sums.index)).all()
        for tier in TIERS:
            cells = shown(folder, tier, name=name)
            assert (cells["value"].dropna() >= (DEFAULT_POLICY.k if tier == "public" else 1)).all()
            assert set(cells["state"]) <= {"number", "almost_none", "few"}


def test_drawn_numbers_are_not_the_true_ones(private):
    folder, made, _ = private
    true = counted.counted(world(), small_worlds.area_table(), PLAN).counts
    table = Release.open(folder, "partner", made[0]).table("children_municipality_quarter_stage")
    off = (
        table["value"].fillna(0).to_numpy(float)
        - true[TableSpec("children", "municipality", "quarter", ("stage",))].ravel()
    )
    assert (off != 0).sum() > 5
    assert table["margin"].dropna().eq(table["margin"].max()).all()
    assert np.abs(off).max() <= table["margin"].max()


def test_the_ledger_grows_only_when_something_is_drawn(private):
    folder, made, ledgers = private
    tables = {spec for tier in PLAN for spec in PLAN[tier]}
    once = sum(spec.measure != "encounters" for spec in tables)
    assert ledgers[0].epsilon == once + 2 * ((80 - once) // 2)
    assert ledgers[1] == ledgers[0], "the same records in another order: all is repeated"
    assert ledgers[0].epsilon < ledgers[2].epsilon <= 2 * ledgers[0].epsilon
    assert {entry.what.split()[0] for entry in ledgers[2].entries} == {made[0], made[2]}
    told = [Release.open(folder, "public", name).manifest["tact"]["privacy"] for name in made]
    assert [t["spent"] for t in told] == [ledger.epsilon for ledger in ledgers]
    assert [t["by_this_release"] > 0 for t in told] == [True, False, True]
    assert {t["limit"] for t in told} == {200.0}
    assert shown(folder, "partner", name=made[0]).equals(shown(folder, "partner", name=made[1]))


def test_a_new_table_costs_its_own_price_alone(tmp_path):
    pytest.importorskip("opendp")
    vault = small_worlds.MemoryVault(encounter=world())
    release(vault, tmp_path, plan=FEW, policy=PRIVATE)
    before = Ledger.decode(vault.published[LEDGER])
    more = {**FEW, "partner": (*FEW["partner"], TableSpec("children", "region", "year", ("sex",)))}
    made = release(vault, tmp_path, plan=more, policy=PRIVATE)
    after = Ledger.decode(vault.published[LEDGER])
    assert [e.what for e in after.entries[len(before.entries) :]] == [f"{made.name} children_region_year_sex"]
    assert after.epsilon == before.epsilon + 1


def test_a_child_counts_in_no_more_cells_than_its_price_pays_for(tmp_path):
    """Children who were met in four regions, a plan that leaves one cell for them, and next to no noise."""
    pytest.importorskip("opendp")
    row = world().iloc[0]
    places = ("101", "201", "9001", "9261")
    frame = pd.DataFrame(
        [{**row, "child": small_worlds.child(n), "municipality": m} for n in range(60) for m in places]
    )
    narrow = Policy(mechanism="dp", k=15, epsilon=10.0, cells=9, budget=90.0)
    release(small_worlds.MemoryVault(encounter=frame), tmp_path, plan=FEW, policy=narrow)
    table = Release.open(tmp_path, "partner").table("encounters_region_year")
    assert 50 <= table["value"].fillna(0).sum() <= 70


def test_when_the_budget_is_spent_nothing_is_published(tmp_path):
    pytest.importorskip("opendp")
    vault = small_worlds.MemoryVault(encounter=world())
    tight = Policy(mechanism="dp", k=15, epsilon=0.5, cells=30, budget=16.0)
    release(vault, tmp_path, plan=FEW, policy=tight)
    held, spent = dict(vault.published), Ledger.decode(vault.published[LEDGER]).epsilon
    assert spent == 0.5 * 30
    vault.records["encounter"] = pd.concat([world(), world(9, 400, 300)])
    with pytest.raises(ReleaseError, match=r"costs 15, and 15 of 16 are spent"):
        release(vault, tmp_path, plan=FEW, policy=tight)
    assert (len(names(tmp_path)), vault.published, vault.staged) == (1, held, None)
    release(vault, tmp_path, plan=FEW, policy=replace(tight, budget=30.0))
    assert Ledger.decode(vault.published[LEDGER]).epsilon == 30


def test_a_vault_that_is_older_than_its_releases_draws_nothing_again(tmp_path):
    pytest.importorskip("opendp")
    vault = small_worlds.MemoryVault(encounter=world())
    release(vault, tmp_path, plan=FEW, policy=PRIVATE)
    with pytest.raises(ReleaseError, match=r"80 of the privacy budget was spent, and the vault knows of 0"):
        release(small_worlds.MemoryVault(encounter=world()), tmp_path, plan=FEW, policy=PRIVATE)
    assert len(names(tmp_path)) == 1


def test_without_opendp_no_release_is_made_and_its_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(ReleaseError, match=r'pip install "tact-map\[dp\]"'):
        release(small_worlds.MemoryVault(encounter=world()), tmp_path, plan=FEW, policy=PRIVATE)
    assert names(tmp_path) == []


@pytest.mark.slow
def test_an_audit_of_drawn_numbers_needs_no_opendp(private, tmp_path, monkeypatch):
    folder, made, _ = private
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    assert audit(folder, tmp_path, made[-1]).findings == ()


def test_forgetting_a_child_leaves_the_ledger_alone(tmp_path):
    pytest.importorskip("opendp")
    with Vault.create(tmp_path / "vault", small_worlds.VAULT_KEY) as vault:
        small_worlds.fill(vault, world(rows=200, children=150), "world.csv")
        release(vault, tmp_path / "releases", plan=FEW, policy=PRIVATE)
        held = vault.published_blocks()[LEDGER]
        child = world(rows=200, children=150)["child"].iloc[0]
        assert vault.forget([child]) > 0
        assert vault.published_blocks()[LEDGER] == held
        assert Ledger.decode(held.members).epsilon > 0
        release(vault, tmp_path / "releases", plan=FEW, policy=PRIVATE)


# -- one mechanism for all releases --


def test_a_mechanism_that_is_not_known_is_named(tmp_path):
    with pytest.raises(InputError, match="no mechanism 'rounding'"):
        release(small_worlds.MemoryVault(encounter=world()), tmp_path, policy=Policy(mechanism="rounding"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mechanism": "threshold"}, r"made with mechanism = cell_key, .* says mechanism = threshold\."),
        ({"variance_near_k": 5.0}, r"variance_near_k = 6\.0, .* says variance_near_k = 5\.0\."),
        ({"variance": 3.0}, r"made with variance = 2\.0, .* says variance = 3\.0\. Nothing was published"),
        ({"largest": 6, "cap": 2}, r"largest = 5, cap = 3, and the policy says largest = 6, cap = 2"),
        ({"key_range": 2**20}, "Put key_range = 16777216 back into the policy"),
        ({"k": 14}, r"Put k = 15 or more into the policy"),
    ],
)
def test_numbers_are_not_drawn_in_two_ways(tmp_path, change, words):
    vault = small_worlds.MemoryVault(encounter=world(rows=100, children=80))
    first = replace(DEFAULT_POLICY, k=15)
    release(vault, tmp_path, plan=FEW, policy=first)
    with pytest.raises(ReleaseError, match=words):
        release(vault, tmp_path, plan=FEW, policy=replace(first, **change))
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("change", [{"epsilon": 0.5}, {"cells": 60}])
def test_noise_is_not_drawn_with_another_epsilon(tmp_path, change):
    pytest.importorskip("opendp")
    vault = small_worlds.MemoryVault(encounter=world(rows=100, children=80))
    release(vault, tmp_path, plan=FEW, policy=PRIVATE)
    with pytest.raises(ReleaseError, match=rf"the policy says .*{next(iter(change))} = "):
        release(vault, tmp_path, plan=FEW, policy=replace(PRIVATE, **change))


@pytest.mark.parametrize("mechanism", ["cell_key", "threshold"])
def test_the_threshold_may_be_raised_and_the_plan_changed(tmp_path, mechanism):
    vault = small_worlds.MemoryVault(encounter=world())
    policy = Policy(mechanism=mechanism, k=15)
    release(vault, tmp_path, plan=FEW, policy=policy)
    more = {**FEW, "partner": (*FEW["partner"], TableSpec("children", "region", "whole", ("sex",)))}
    release(vault, tmp_path, plan=more, policy=replace(policy, k=25))
    values = shown(tmp_path, "public", plan=FEW)["value"].dropna()
    assert len(values)
    assert (values >= 25).all()
    with pytest.raises(ReleaseError, match="k = 25"):
        release(vault, tmp_path, plan=more, policy=policy)


def test_a_release_of_figures_alone_binds_nobody(tmp_path):
    small_worlds.release(None, tmp_path)
    release(
        small_worlds.MemoryVault(encounter=world(rows=100, children=80)), tmp_path, plan=FEW, policy=EXACT
    )
    assert json.loads(json.dumps(EXACT.parameters()))["mechanism"] == "threshold"
