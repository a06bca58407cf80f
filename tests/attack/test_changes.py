"""One child that is added, removed, moved or met very often: only weak releases reveal it."""

import copy
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.disclosure.attacks import sequence
from data.disclosure.attacks.audit import read_earlier
from data.disclosure.attacks.bounds import Published
from data.disclosure.attacks.suite import attack_numbers
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.errors import ReleaseRefused
from data.release import Release, names
from data.tables.spec import TIERS, TableSpec
from tests.helpers import small_worlds
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.slow

PLACE, QUARTER = "9261", "2006-06-01/P3M"
ENCOUNTERS = TableSpec("encounters", "municipality", "quarter")


def here(number, *, first=0, **changes):
    """Return encounters of children who are each met once, in the same place and quarter."""
    some = small_worlds.encounters(np.random.default_rng(3), number, 10**9)
    who = [small_worlds.child(n, "here") for n in range(first, first + number)]
    return some.assign(child=who, municipality=PLACE, date="2006-07-01", **changes)


BASE = pd.concat([small_worlds.encounters(np.random.default_rng(8), 500, 350), here(9)], ignore_index=True)
CHANGES = {
    "a count that crosses the threshold": lambda w: pd.concat([w, here(3, first=100)]),
    "one child forgotten": lambda w: w.iloc[:-1],
    "one child moved": lambda w: pd.concat([w.iloc[:-1], w.iloc[-1:].assign(municipality="101")]),
    "one child reported late": lambda w: pd.concat([w, here(1, first=100)]),
    "one child corrected": lambda w: pd.concat([w.iloc[:-1], w.iloc[-1:].assign(stage="returning")]),
}


def release_base(folder, **changes):
    vault = small_worlds.MemoryVault(encounter=BASE)
    small_worlds.release(vault, folder, **changes)
    return vault


def release_again(vault, folder, what, **changes):
    vault.records["encounter"] = CHANGES[what](BASE).reset_index(drop=True)
    small_worlds.release(vault, folder, **changes)


@pytest.fixture(scope="module")
def small_base(tmp_path_factory):
    """Return the vault and the folder of a release with few tables."""
    folder = tmp_path_factory.mktemp("small")
    return release_base(folder, plan=small_worlds.SMALL_PLAN), folder


@pytest.fixture(scope="module")
def default_base(tmp_path_factory):
    """Return the vault and the folder of a release with all tables."""
    folder = tmp_path_factory.mktemp("default")
    return release_base(folder), folder


@pytest.mark.always("a count that crosses the threshold", "one child forgotten")
@pytest.mark.parametrize("what", CHANGES)
def test_a_change_shows_nowhere_and_no_attack_succeeds(small_base, tmp_path, what):
    assert_nothing_shows(small_base, tmp_path, what, plan=small_worlds.SMALL_PLAN)


@pytest.mark.long
@vary("what", CHANGES, "one child moved")
def test_a_change_shows_nowhere_in_default_releases(default_base, tmp_path, what):
    assert_nothing_shows(default_base, tmp_path, what)


def assert_nothing_shows(base, tmp_path, what, **changes):
    vault, folder = copy.deepcopy(base[0]), shutil.copytree(base[1], tmp_path / "releases")
    release_again(vault, folder, what, **changes)
    for tier in TIERS:
        first, second = (Release.open(folder, tier, name) for name in reversed(names(folder)))
        for name, findings, _ in attack_numbers(read_earlier(folder, second), second, thorough=tier == "public"):
            assert findings == [], name
        for table in (t for t in first.tables if t.startswith(("children", "flows"))):
            assert first.table(table)["value"].equals(second.table(table)["value"]), table


@pytest.mark.long
@pytest.mark.parametrize("what", ["one child forgotten", "one child reported late"])
def test_it_shows_where_numbers_are_drawn_anew_and_the_release_is_refused(tmp_path, what):
    loose = {"policy": replace(small_worlds.ONE_YEAR, frozen=False), "plan": small_worlds.SMALL_PLAN}
    vault = release_base(tmp_path, **loose)
    with pytest.raises(ReleaseRefused, match="the two together can tell of one child"):
        release_again(vault, tmp_path, what, **loose)
    assert len(names(tmp_path)) == 1


# -- a child with forty encounters ----------------------------------------------------------------------


class Narrow(CellKey):
    """A mechanism whose noise covers one encounter, even if a child adds several."""

    def table(self, scale=1):
        return super().table(1)

    def publish(self, counts, keys, scale=1):
        return super().publish(counts, keys, 1)


def met_often(folder, *, there, **changes):
    """Publish a world with or without a child that is met forty times; return the number of its place and quarter."""
    often = [here(1, first=500)] * 40 if there else []
    days = [f"2006-07-{1 + n % 28:02d}" for n in range(len(often))]
    world = pd.concat([BASE, *(copy.assign(date=day) for copy, day in zip(often, days, strict=True))])
    plan = {"partner": (ENCOUNTERS,), "public": ()}
    small_worlds.release(small_worlds.MemoryVault(encounter=world.reset_index(drop=True)), folder, plan=plan, **changes)
    table = Release.open(folder, "partner").table(ENCOUNTERS.name).set_index(["area", "period"])
    return int(table.loc[(PLACE, QUARTER), "value"])


def keys(number):
    return small_worlds.IdentifierHasher(bytes([number]) * 32).record_keys


@pytest.mark.long
def test_without_a_cap_a_child_that_is_met_often_is_known_to_be_there(tmp_path):
    """An attacker who knows all other children recognises it in spite of the noise."""
    loose = {"policy": replace(small_worlds.ONE_YEAR, cap=40), "mechanism": Narrow()}
    moved = [
        met_often(tmp_path / f"{n}-with", there=True, record_keys=keys(n), **loose)
        - met_often(tmp_path / f"{n}-without", there=False, record_keys=keys(n), **loose)
        for n in range(6)
    ]
    assert min(moved) >= 40 - 2 * 5 > 2 * 5


def test_with_the_cap_it_is_told_no_better_than_any_other(tmp_path, few_worlds):
    """It adds at most three to the count, and the noise is three times as wide."""
    moved = [
        met_often(tmp_path / f"{n}-with", there=True, record_keys=keys(n))
        - met_often(tmp_path / f"{n}-without", there=False, record_keys=keys(n))
        for n in range(6)
    ]
    cap = DEFAULT_POLICY.cap
    assert max(map(abs, moved)) <= cap + 2 * 5 * cap
    assert min(moved) < 10, "which a change of others explains as well"
    seen = CellKey().channel(80, cap).outcomes()
    apart = [np.abs(seen[n + cap] - seen[n]).sum() / 2 for n in range(cap, 60)]
    assert apart[0] < 0.66, "beside one other child alone: what partners may learn, hence the agreement"
    assert max(apart[1:]) < CellKey().channel(80).total_variation()[1] + 0.01


def publish_cell(number, final, state="number"):
    """Return a release with one cell of a quarter; `final` is the last day of its final years."""
    spec = TableSpec("children", "region", "quarter")
    rows = {"area": ["AL-11"], "period": [QUARTER], "value": pa.array([number], pa.int64()), "state": [state]}
    known = {"children": CellKey().knowledge()}
    return Published("r", {spec: pa.table(rows)}, known, 11, True, final)


def test_a_number_may_change_once_when_its_year_is_final_and_not_again():
    before, final = publish_cell(9, "2006-05-31"), publish_cell(12, "2007-05-31")
    assert sequence.attack([before, final]) == ([], {"releases": 2, "drawn_twice": 1})
    assert sequence.attack([before, final, final])[0] == []
    assert [f.attack for f in sequence.attack([before, final, publish_cell(13, "2007-05-31")])[0]] == ["sequence"]


@pytest.mark.parametrize(("was", "is_finding"), [((12, "number"), 1), ((None, "few"), 0), ((None, "almost_none"), 0)])
def test_no_number_becomes_a_zero_of_an_area_without_a_programme(was, is_finding):
    number, state = was
    releases = [publish_cell(number, "", state), publish_cell(None, "", "structural_zero")]
    assert len(sequence.attack(releases)[0]) == is_finding
    assert sequence.attack(releases[::-1])[0] == []
