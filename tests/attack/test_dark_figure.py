"""The interval of the dark figure in a release: what it holds, that it never changes, and what attacks on it find."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.capture import REASONS, STEPS, estimate_population, round_estimate, tabulate_histories
from data.disclosure.attacks import dark_figure, reading, surface
from data.disclosure.attacks.membership.classifier import Classifier
from data.disclosure.attacks.suite import attack_numbers
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.release import Release
from data.restricted.counting import encounters as counting
from data.restricted.counting.histories import count_histories
from data.restricted.keys import IdentifierHasher
from data.restricted.publishing import dark_figure as estimating
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import TableSpec
from tests.helpers import small_worlds

pytestmark = pytest.mark.usefixtures("few_worlds")

SPEC = TableSpec("dark_figure", "country", "whole")
PLAN = {**small_worlds.SMALL_PLAN, "partner": (*small_worlds.SMALL_PLAN["partner"], SPEC)}
PARTNERS = ("A", "B", "C")
CHILDREN = 600  # in each country
IN_ALBANIA, IN_GREECE = {"municipality": "101"}, {"municipality": "9001"}


def meet(children, partner, **changes):
    """Return one encounter of each child with a partner."""
    row = small_worlds.encounters(np.random.default_rng(0), 1, 1).iloc[0].to_dict()
    usual = {"date": "2006-07-01", "stage": "identified", "pathway": "internal", "origin": "", "destination": ""}
    rows = [{**row, **usual, **changes, "child": small_worlds.child(n), "partner": partner} for n in children]
    return pd.DataFrame(rows)


def list_children(seed=0, partners=PARTNERS, first=0, share=0.35, **where):
    """Return encounters of children whom each partner meets with the same probability."""
    rng = np.random.default_rng(seed)
    each = [first + np.flatnonzero(rng.random(CHILDREN) < share) for _ in partners]
    return pd.concat([meet(c, p, **where) for c, p in zip(each, partners, strict=True)], ignore_index=True)


def world():
    """Return three partners in Albania and two in Greece."""
    return pd.concat(
        [list_children(**IN_ALBANIA), list_children(1, PARTNERS[:2], 5000, **IN_GREECE)], ignore_index=True
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a folder with two releases; records come late and leave between them, and one child was planted."""
    folder, vault = tmp_path_factory.mktemp("releases"), small_worlds.MemoryVault(encounter=world())
    first = small_worlds.release(vault, folder, plan=PLAN).name
    late = [list_children(2, first=9000, **IN_ALBANIA), *(meet([77_777], p, **IN_ALBANIA) for p in PARTNERS)]
    vault.records["encounter"] = pd.concat([world().iloc[200:], *late], ignore_index=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimating, "estimate_population", None)  # an interval that was published is not estimated again
        return folder, first, small_worlds.release(vault, folder, plan=PLAN).name


def read(folder, name, tier="partner"):
    return reading.read_published(Release.open(folder, tier, name))


def test_partners_see_a_coarse_interval_or_a_reason_and_the_public_neither(published):
    folder, first, _ = published
    release = Release.open(folder, "partner", first)
    rows = release.table(SPEC.name).set_index("area")
    assert list(rows["state"]) == ["class", "cannot_tell"]
    assert rows["low"]["AL"] <= CHILDREN <= rows["high"]["AL"]
    assert {float(rows["low"]["AL"]), float(rows["high"]["AL"])} <= set(STEPS)
    assert (rows["reason"]["AL"], rows["reason"]["GR"]) == ("", "few_lists")
    assert rows.loc["GR", ["value", "low", "high"]].isna().all()
    assert rows["value"].isna().all()
    assert SPEC.name not in Release.open(folder, "public", first).tables


def test_it_is_drawn_once_whoever_comes_or_leaves(published):
    folder, *names = published
    tables = [Release.open(folder, "partner", name).table(SPEC.name) for name in names]
    pd.testing.assert_frame_equal(*tables)
    assert not dark_figure.attack([read(folder, name) for name in names], "partner")


@pytest.mark.slow
def test_there_is_none_before_the_whole_programme_is_final(tmp_path):
    vault = small_worlds.MemoryVault(encounter=world())
    plan = {**small_worlds.FEW_PLAN, "partner": (SPEC,)}
    for day, countries in ((date(2007, 10, 1), 0), (date(2008, 9, 1), 2)):
        release = small_worlds.release(vault, tmp_path, plan=plan, policy=Policy(last=date(2008, 5, 31)), day=day)
        assert len(Release.open(tmp_path, "partner", release.name).table(SPEC.name)) == countries


def tamper(release, **values):
    """Return a release whose interval for Albania has other values."""
    frame = release.estimates[SPEC].to_pandas()
    for name, value in values.items():
        frame[name] = frame[name].astype(object)
        frame.loc[frame["area"] == "AL", name] = value
    return replace(release, estimates={SPEC: pa.Table.from_pandas(frame, preserve_index=False)})


@pytest.mark.parametrize(
    "values",
    [{"low": 513.0}, {"high": 10.0}, {"value": 601}, {"state": "cannot_tell", "reason": "too_wide"}, {"reason": "AL"}],
    ids=str,
)
def test_an_interval_that_is_too_fine_is_found(published, values):
    folder, first, _ = published
    honest = read(folder, first)
    assert not dark_figure.attack([honest], "partner")
    findings = dark_figure.attack([tamper(honest, **values)], "partner")
    assert [(f.table, f.cell["area"]) for f in findings] == [(SPEC.name, "AL")]


def test_an_interval_that_changed_since_any_earlier_release_is_found(published):
    folder, *names = published
    first, second = (read(folder, name) for name in names)
    other = tamper(first, low=100.0)
    for series in ([other, second], [other, second, second], [first, tamper(second, high=80_000.0)]):
        assert [f.cell["area"] for f in dark_figure.attack(series, "partner")] == ["AL"]


def test_an_interval_in_public_or_of_a_time_that_is_not_final_is_found(published):
    folder, first, _ = published
    honest = read(folder, first)
    assert len(dark_figure.attack([honest], "public")) == 2
    assert len(dark_figure.attack([replace(honest, final="2006-12-31")], "partner")) == 2
    assert not dark_figure.attack([read(folder, first, "public")], "public")


@pytest.mark.long
def test_the_audit_runs_the_attack_and_the_membership_attack_counts_the_interval(published):
    folder, first, _ = published
    release = Release.open(folder, "partner", first)
    outcomes = {name: (findings, stats) for name, findings, stats in attack_numbers([], release)}
    assert outcomes["dark_figure"][0] == []
    bare = replace(release, without=frozenset({"dark_figure"}))
    without = {name: stats for name, _, stats in attack_numbers([], bare)}
    assert outcomes["membership"][1]["all_numbers_low"] > without["membership"]["all_numbers_high"]


@pytest.mark.always("low")
@pytest.mark.slow
@pytest.mark.parametrize("column", ["low", "high", "value"])
def test_a_file_with_a_number_that_the_release_does_not_have_is_a_leak(published, tmp_path, column):
    folder, first, _ = published
    release, path = Release.open(folder, "partner", first), tmp_path / "dark.csv"
    frame = release.table(SPEC.name)
    frame.to_csv(path, index=False)
    assert surface.search(release, [path])[0] == []
    frame.loc[frame["area"] == "AL", column] = 613
    frame.to_csv(path, index=False)
    assert [finding.cell["column"] for finding in surface.search(release, [path])[0]] == [column]


# -- a planted child --

GRID = Grid(small_worlds.area_table(), Calendar(6), date(2006, 6, 1), date(2007, 5, 31))
CHILD = 77_777
PLANTS = {
    "a child on one list": ([], ["A"], 1),
    "a child on all lists": ([], PARTNERS, 1),
    "one list more": (["A"], ["A", "B"], 2),
}


def count(rows, seed, mechanism=CellKey()):  # noqa: B008 (it never changes)
    keys = IdentifierHasher(bytes([seed]) * 32).record_keys
    records = counting.load_encounters(small_worlds.batches(rows), GRID.names, PARTNERS)
    return count_histories(counting.read_encounters(records, GRID, keys), len(PARTNERS), mechanism)["AL"]


def tabulate(histories):
    return tabulate_histories(histories.on_list, histories.children)


@pytest.mark.parametrize(("before", "after", "most"), PLANTS.values(), ids=PLANTS)
def test_a_planted_child_changes_the_noise_of_its_own_histories_alone(before, after, most):
    """What the estimate says of a child is at most what these noisy counts say, whatever is computed from them."""
    base = list_children(**IN_ALBANIA)
    changed = []
    for seed in range(12):
        tables = [
            tabulate(count(pd.concat([base, *(meet([CHILD], p, **IN_ALBANIA) for p in partners)]), seed))
            for partners in (before, after)
        ]
        changed.append(np.count_nonzero(tables[0] != tables[1]))
    assert max(changed) <= most
    assert max(changed) > 0


DRAWS = 60  # docs/disclosure.md has what 200 of them gave


def publish_planted(before, after, draws, share=0.3):
    """Return the answers for many draws of the noise, without and with the plant; other histories share their noise.

    So the attacker gets pairs that differ in nothing but the plant.
    """
    base, rng, mechanism = list_children(share=share, **IN_ALBANIA), np.random.default_rng(5), CellKey()
    exact = [
        tabulate(count(pd.concat([base, *(meet([CHILD], p, **IN_ALBANIA) for p in partners)]), 1, CellKey(1e-6, 1)))
        for partners in (before, after)
    ]
    keys = rng.integers(0, mechanism.key_range, (draws, len(exact[0])))
    again = np.where(exact[0] == exact[1], keys, rng.integers(0, mechanism.key_range, keys.shape))
    return [
        [estimate_population(mechanism.publish(table, key), replicates=20) for key in drawn]
        for table, drawn in zip(exact, (keys, again), strict=True)
    ]


def guess(answers):
    """Return the advantage of an attacker who learns from half of the answers without and with the plant.

    It compares how large the ends are, so it also sees what is too fine to come twice.
    """
    features = [
        np.array([[np.log(a.low or 1), np.log(a.high or 1), *(a.reason == r for r in REASONS)] for a in side], float)
        for side in answers
    ]
    half = len(features[0]) // 2
    attacker = Classifier.fit(*(side[:half] for side in features))
    false, true = ((attacker.score(side[half:]) > 0).mean() for side in features)
    return true - false


LIMIT = CellKey().channel(20).total_variation().max()


@pytest.mark.always("a child on all lists")
@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [plant[:2] for plant in PLANTS.values()], ids=PLANTS)
def test_an_attacker_who_knows_all_others_learns_no_more_of_a_planted_child_than_from_one_number(before, after):
    """It knows all other children and the method, not the noise; it learns from half of the draws of the noise."""
    answers = [[round_estimate(a) for a in side] for side in publish_planted(before, after, DRAWS)]
    assert guess(answers) <= LIMIT


def test_the_attacker_sees_an_estimate_that_is_too_fine():
    """Without steps and with noise that it knows, ends that never come twice say whether the child is there."""
    rng = np.random.default_rng(5)
    pairs = zip(*publish_planted(*PLANTS["a child on all lists"][:2], 6), strict=True)
    without, there = next(pair for pair in pairs if len(set(map(round_estimate, pair))) == 1)  # alike on the steps
    fine = [
        [replace(a, low=a.low * by, high=a.high * by) for by in np.exp(rng.normal(0, 1e-3, DRAWS))]
        for a in (without, there)
    ]
    assert not set(fine[0]) & set(fine[1])
    assert guess(fine) > LIMIT
    assert guess([[round_estimate(a) for a in side] for side in fine]) == 0
