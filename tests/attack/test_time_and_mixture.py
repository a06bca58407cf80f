"""Sequence, averaging and homogeneity attacks: each fails on real releases and succeeds on a weak one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.disclosure.attacks import averaging, homogeneity, reading, sequence
from data.disclosure.attacks.bounds import BoundsAttack, Published
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Knowledge
from data.errors import ReleaseRefused
from data.release import Release, names
from data.tables.spec import CATEGORIES, TableSpec
from tests.helpers import small_worlds

PLAN = {
    "partner": tuple(
        TableSpec("children", level, "year", by)
        for level in ("country", "region")
        for by in ((), ("stage",), ("form",), ("age_band",))
    ),
    "public": (TableSpec("children", "region", "year"),),
}
PARTNER = Knowledge(5, 0, 5, 0, 0, 6)
YEAR, TOTAL = "2006-06-01/P1Y", TableSpec("children", "region", "year")
STAGE = TableSpec("children", "region", "year", ("stage",))
AREAS = pd.DataFrame({"level": ["country", "region"], "parent": ["", "AL"]}, index=["AL", "AL-11"])


def two_releases(folder, *, frozen, gone):
    """Publish a world, remove some of its children, publish it again; return both releases."""
    frame = small_worlds.encounters(np.random.default_rng(5), 500, 300)
    vault = small_worlds.MemoryVault(encounter=frame)
    policy = replace(small_worlds.ONE_YEAR, frozen=frozen)
    small_worlds.release(vault, folder, plan=PLAN, policy=policy)
    first = frame.drop_duplicates("child")["child"].iloc[:gone]
    vault.records["encounter"] = frame[~frame["child"].isin(first)]
    small_worlds.release(vault, folder, plan=PLAN, policy=policy)
    opened = [Release.open(folder, "partner", name) for name in reversed(names(folder))]
    return [reading.read_published(release) for release in opened]


@pytest.mark.slow
@pytest.mark.usefixtures("few_worlds")
def test_a_release_that_would_show_one_child_taken_out_is_refused(tmp_path):
    with pytest.raises(ReleaseRefused, match="the two together can tell of one child"):
        two_releases(tmp_path, frozen=False, gone=1)
    assert len(names(tmp_path)) == 1


@pytest.mark.always("1")
@pytest.mark.slow
@pytest.mark.usefixtures("few_worlds")
@pytest.mark.parametrize("gone", [1, 5, 200])
def test_nobody_shows_when_they_are(tmp_path, gone):
    assert sequence.attack(two_releases(tmp_path, frozen=True, gone=gone))[0] == []


def changed(first, second, finals=("", "")):
    """Attack two releases of one table of stages, with the given numbers."""
    releases = [
        replace(published(values, sum(first)), final=final)
        for values, final in zip((first, second), finals, strict=True)
    ]
    return sequence.attack(releases)


def test_a_single_changed_number_is_found_and_named():
    findings, went = changed([30, 20, 10, 8, 6, 4], [30, 20, 11, 8, 6, 4])
    assert [f.cell for f in findings] == [{"area": "AL-11", "period": YEAR, "stage": CATEGORIES["stage"][2]}]
    assert "11" not in findings[0].reason
    assert went == {"releases": 2, "drawn_twice": 0}


def test_a_provisional_number_may_be_drawn_once_more():
    assert changed([30, 20, 10, 8, 6, 4], [31, 22, 9, 8, 6, 4], ("2006-05-31", ""))[0] == []
    assert changed([30, 20, 10, 8, 6, 4], [31, 22, 9, 8, 6, 4], ("2006-05-31", "2006-05-31"))[0]


def test_a_number_that_is_withheld_or_below_a_raised_threshold_is_no_change():
    known = {k: Knowledge(5, 0, k + 4, 0, k - 1, 6) for k in (11, 15)}
    first = published([30, 20, 12, 11, 9, 0], 82, known[11], k=11)
    raised = replace(published([30, 20, 12, 11, 9, 0], 82, known[15], k=15), k=15)
    assert sequence.attack([first, raised])[0] == []
    assert len(sequence.attack([raised, first])[0]) == 2
    gone = raised.tables[STAGE].to_pandas().assign(state="withheld", value=None)
    silent = replace(raised, tables={STAGE: pa.Table.from_pandas(gone, schema=raised.tables[STAGE].schema)})
    assert sequence.attack([first, silent])[0] == []
    joined = sequence.join_releases([first, silent])
    shown = [release.tables[STAGE].sort_by("stage").to_pydict() for release in (joined, first)]
    assert shown[0]["state"] == shown[1]["state"]
    assert pd.Series(shown[0]["value"]).equals(pd.Series(shown[1]["value"]))


def rows(values, k=0):
    state = ["almost_none" if v == 0 and not k else "few" if v < k else "number" for v in values]
    shown = [int(v) if s == "number" else None for v, s in zip(values, state, strict=True)]
    n = len(values)
    return pa.table(
        {"area": ["AL-11"] * n, "period": [YEAR] * n, "stage": CATEGORIES["stage"][:n],
         "value": pa.array(shown, pa.int64()), "state": state}
    )  # fmt: skip


def total(value):
    return pa.table({"area": ["AL-11"], "period": [YEAR], "value": pa.array([value], pa.int64()), "state": ["number"]})


def published(values, whole, known=PARTNER, k=0, frozen=True, name="r"):
    return Published(name, {STAGE: rows(values, k), TOTAL: total(whole)}, {"children": known}, 11, frozen)


def homogeneous(*values, **more):
    attack = BoundsAttack.from_releases([published(*values, **more)], AREAS)
    return homogeneity.report_homogeneous(attack, attack.system.solve())


def test_a_breakdown_that_must_be_of_one_kind_is_found():
    findings = homogeneous([400, 0, 0, 0, 0, 0], 402)
    assert [f.cell for f in findings] == [{"area": "AL-11", "period": YEAR}]
    assert "400" not in findings[0].reason


@pytest.mark.parametrize("values", [[300, 60, 20, 10, 5, 5], [40, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
def test_one_that_may_be_mixed_is_not(values):
    # 40 beside five "none or almost none" of up to 5 each may be as few as three in five.
    assert homogeneous(values, sum(values)) == []


def test_the_total_tells_what_the_hidden_categories_cannot_hold():
    hidden = Knowledge(5, 0, 15, 0, 10, 6)
    assert homogeneous([200, 0, 0, 0, 0, 0], 199, known=hidden, k=11)
    assert not homogeneous([200, 0, 0, 0, 0, 0], 230, known=hidden, k=11)


def averaged(releases):
    return averaging.attack(releases, BoundsAttack.from_releases(releases, AREAS), CellKey())


def drawn(truth, seed, frozen):
    """Return a release whose noise is drawn anew, as by a mechanism without cell keys."""
    draw, mechanism = np.random.default_rng(seed), CellKey()
    counts = np.array([*truth, sum(truth)])
    shown = mechanism.publish(counts, draw.integers(0, mechanism.key_range, len(counts)))
    return published(shown[:-1], int(shown[-1]), frozen=frozen, name=f"r{seed}")


TRUTH = [12, 9, 7, 15, 11, 8]


def test_one_release_leaves_several_values():
    surest = [averaged([drawn(TRUTH, seed, True)])[1]["surest"] for seed in range(20)]
    assert max(surest) < averaging.CERTAIN
    assert min(surest) > 0.1


def test_numbers_that_are_drawn_anew_average_out():
    findings, went = averaged([drawn(TRUTH, seed, False) for seed in range(40)])
    assert went["surest"] >= averaging.CERTAIN
    assert {f.table for f in findings} >= {"children_region_year"}


def test_repeated_numbers_do_not():
    same = [replace(drawn(TRUTH, 3, True), name=f"r{n}") for n in range(40)]
    assert averaged(same) == averaged(same[:1])


WHOLE = "2006-06-01/2012-05-31"


def drawn_each_year(years, seed):
    """Return a release with sums of years alone: stages and all children of the whole programme.

    `years`: counts, (years, stages); each stage and each total is drawn anew in each year.
    """
    draw, mechanism = np.random.default_rng(seed), CellKey()
    counts = np.column_stack([years, years.sum(axis=1)])
    shown = mechanism.publish(counts, draw.integers(0, mechanism.key_range, counts.shape)).sum(axis=0)
    tables = {STAGE: rows(shown[:-1]), TOTAL: total(int(shown[-1]))}
    whole = {
        replace(spec, grain="whole"): table.set_column(1, "period", [[WHOLE] * len(table)])
        for spec, table in tables.items()
    }
    return Published("r", whole, {"children|whole": mechanism.knowledge(years=len(years))}, 11)


def guess_total(release):
    """Return the most likely number of all children of a release, and its probability."""
    attack = BoundsAttack.from_releases([release], AREAS)
    readings = averaging._Readings(attack, CellKey())
    unknown = attack.lattice.tables[next(s for s in attack.lattice.tables if not s.breakdown)].base
    return readings.guess(unknown, dict(readings.list_totals(include_single=True))[unknown], [])


def test_a_number_of_the_whole_programme_has_the_noise_of_each_of_its_years():
    # Read with the noise of one year, some of these numbers contradict their parts.
    for seed in range(60):
        release = drawn_each_year(np.random.default_rng(seed).integers(3, 40, (6, 6)), seed)
        assert 0 < guess_total(release)[1] < 0.3
        assert averaged([release])[0] == []


@pytest.mark.long
@pytest.mark.parametrize("years", [1, 3])
def test_the_guess_is_the_truth_as_often_as_it_says(years):
    """A total is read from itself and from its parts: the stated probability equals the share of right guesses."""
    sure, hit = [], []
    for seed in range(300):
        counts = np.random.default_rng(seed).integers(2, 20, (years, 2))
        value, chance = guess_total(drawn_each_year(counts, seed))
        sure.append(chance)
        hit.append(value == counts.sum())
    assert np.mean(hit) == pytest.approx(np.mean(sure), abs=0.1)
