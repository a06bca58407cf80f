"""Releases of a small plan always have the same numbers, from records to files."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.disclosure.attacks.audit import audit_release
from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.errors import InputError, ReleaseError
from data.release import MANIFEST, Release, names
from data.tables.spec import TIERS, TableSpec
from tests.helpers import small_worlds
from tests.helpers.manifests import edit_manifest

pytestmark = pytest.mark.slow

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


def world(seed=2, rows=900, children=600):
    return small_worlds.encounters(np.random.default_rng(seed), rows, children)


def release(vault, folder, **changes):
    return small_worlds.release(vault, folder, **{"plan": PLAN, **changes})


def shown(folder, tier, plan=PLAN, name=None):
    """Return all counted cells of a release as one frame: table, cell, value, state, margin."""
    source = Release.open(folder, tier, name)
    frames = [source.table(spec.name).assign(table=spec.name) for spec in plan[tier] if spec.counted]
    noisy = pd.concat(frames, ignore_index=True).drop(columns="reconciled")
    return noisy.fillna(dict.fromkeys(("stage", "origin", "crossing", "found"), ""))


def digest(folder):
    """Return one checksum of all numbers and states, which does not depend on the format of the files."""
    total = hashlib.sha256()
    for name in reversed(names(folder)):
        for tier in TIERS:
            cells = shown(folder, tier, name=name)
            total.update(cells[sorted(cells)].to_csv(index=False).encode())
    return total.hexdigest()[:16]


# -- the cell key method --


@pytest.mark.always("policy2-7dabcc754232b9c1")
@pytest.mark.parametrize(
    ("policy", "checksum"),
    [
        (Policy(k=15, variance_near_k=2.0, k_municipal=1), "8847eb159eb81034"),
        (replace(DEFAULT_POLICY, k_municipal=1), "26e4ea83650af294"),
        (DEFAULT_POLICY, "7dabcc754232b9c1"),
    ],
)
def test_noisy_numbers_are_those_of_always(tmp_path, policy, checksum):
    """Three releases with one seed: more records, then fewer."""
    base = world(2, 400, 250)
    vault = small_worlds.MemoryVault(encounter=base)
    for frame in (base, pd.concat([base, world(9, 200, 150)]), base.iloc[:300]):
        vault.records["encounter"] = frame
        release(vault, tmp_path, policy=policy)
    assert digest(tmp_path) == checksum


# -- one noise for all releases --


@pytest.mark.always(
    "change0-variance_near_k = 6\\\\.0, .* says variance_near_k = 5\\\\.0\\\\.",
    "change4-Put k = 15 or more into the policy",
)
@pytest.mark.parametrize(
    ("change", "words"),
    [
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


def test_the_threshold_may_be_raised_and_the_plan_changed(tmp_path):
    vault = small_worlds.MemoryVault(encounter=world(rows=500, children=400))
    policy = Policy(k=15)
    release(vault, tmp_path, plan=FEW, policy=policy)
    more = {**FEW, "partner": (*FEW["partner"], TableSpec("children", "region", "whole", ("sex",)))}
    release(vault, tmp_path, plan=more, policy=replace(policy, k=25))
    values = shown(tmp_path, "public", plan=FEW)["value"].dropna()
    assert len(values)
    assert (values >= 25).all()
    with pytest.raises(ReleaseError, match="k = 25"):
        release(vault, tmp_path, plan=more, policy=policy)


@pytest.mark.long
def test_a_release_of_figures_alone_binds_nobody(tmp_path):
    small_worlds.release(None, tmp_path)
    policy = replace(DEFAULT_POLICY, k=15, variance=3.0)
    release(small_worlds.MemoryVault(encounter=world(rows=100, children=80)), tmp_path, plan=FEW, policy=policy)
    assert len(names(tmp_path)) == 2


@pytest.mark.always("threshold")
@pytest.mark.parametrize("former", ["threshold", "dp"])
def test_what_an_earlier_version_protected_in_another_way_is_not_continued(tmp_path, former):
    vault = small_worlds.MemoryVault(encounter=world(rows=100, children=80))
    result = release(vault, tmp_path, plan=FEW)
    for tier in TIERS:
        with edit_manifest(tmp_path / result.name / tier / MANIFEST) as stated:
            stated["tact"]["mechanism"] = stated["tact"]["parameters"]["mechanism"] = former
    with pytest.raises(InputError, match=rf"{result.name} was protected by '{former}'.*in a new workspace"):
        release(vault, tmp_path, plan=FEW)
    with pytest.raises(InputError, match="no longer has"):
        audit_release(tmp_path, tmp_path / "derived", result.name)
    assert Release.open(tmp_path, "public", result.name).k == DEFAULT_POLICY.k
    assert names(tmp_path) == [result.name]
