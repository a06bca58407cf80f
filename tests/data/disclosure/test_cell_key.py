import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure import cell_key
from data.disclosure.attacks.membership.attacker import LIMITS
from data.disclosure.attacks.membership.one_number import find_largest_advantage
from data.disclosure.cell_key import CellKey, compute_cell_keys, compute_perturbation_table
from data.disclosure.policy import DEFAULT_POLICY, LOWEST_K
from data.errors import ReleaseError

DEFAULT = CellKey()


def moments(table, scale=1):
    values = np.arange(table.shape[1]) - table.shape[1] // 2
    return table @ values, table @ values**2


def test_a_true_one_shows_as_nothing_in_52_per_cent():
    table = compute_perturbation_table(2.0, 5)
    assert table[1, 4] == pytest.approx(0.52, abs=0.005)


def test_noise_has_mean_zero_and_variance_two_and_never_passes_its_limits():
    table = compute_perturbation_table(2.0, 5)
    mean, variance = moments(table)
    assert table[0, 5] == 1
    assert mean[1:] == pytest.approx(0, abs=1e-7)
    assert variance[1:] == pytest.approx(2, abs=1e-6)
    assert table.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert (table >= 0).all()
    for count in range(6):
        assert not table[count, : 5 - count].any(), "no result below zero"


def test_a_true_count_shows_as_eleven_or_more_as_often_as_it_should():
    shown = 1 - DEFAULT.channel(20, k=11).hidden()
    assert shown[8:13] == pytest.approx([0.04, 0.14, 0.36, 0.64, 0.86], abs=0.005)


def test_neighbouring_counts_can_be_told_apart_as_often_as_they_should():
    apart = DEFAULT.channel(40).total_variation()
    assert apart[:2] == pytest.approx([0.48, 0.37], abs=0.005)
    assert apart[3:39] == pytest.approx(0.28, abs=0.005)


def test_the_variance_is_at_most_count_times_largest():
    assert moments(compute_perturbation_table(4.9, 5))[1][1] == pytest.approx(4.9, abs=1e-6)
    with pytest.raises((ReleaseError, np.linalg.LinAlgError)):
        compute_perturbation_table(5.1, 5)


@pytest.mark.slow
def test_about_the_threshold_noise_is_wider_and_elsewhere_as_it_was():
    plain, wide = compute_perturbation_table(2.0, 5), compute_perturbation_table(2.0, 5, variance_near_k=6.0)
    mean, variance = moments(wide)
    assert mean[1:] == pytest.approx(0, abs=1e-7)
    assert variance[1:] == pytest.approx([2, 2, 2, 3, 4, 5, *[6] * 9, 5, 4, 3, 2], abs=1e-6)
    assert (wide[:3] == plain[:3]).all()
    assert wide[-1] == pytest.approx(plain[-1], abs=1e-9), "large numbers are as exact as they were"
    assert (compute_perturbation_table(2.0, 5, 3, 6.0) == compute_perturbation_table(2.0, 5, 3)).all(), (
        "of encounters too"
    )
    assert (compute_perturbation_table(2.0, 5, 1, 2.0) == plain).all()


@pytest.mark.slow
def test_the_default_tells_no_more_of_one_number_than_it_may_and_one_noise_for_all_does():
    """Only the wider noise near the threshold allows k to be 11."""
    usual = CellKey.from_policy(DEFAULT_POLICY)
    for k in (LOWEST_K, 14, 15, 20):
        assert find_largest_advantage(usual, k) <= LIMITS[0]
        assert (find_largest_advantage(DEFAULT, k) <= LIMITS[0]) == (k >= 15)


def test_from_the_steady_count_on_all_have_the_same_noise():
    for mechanism in (DEFAULT, CellKey(variance_near_k=6.0), CellKey(3.0, 8, variance_near_k=7.5)):
        channel = mechanism.channel(60)
        around = [
            channel.matrix[n, n - mechanism.largest : n + mechanism.largest + 1]
            for n in range(60)
            if n >= channel.steady
        ]
        assert np.ptp(around, axis=0).max() < 1e-9
        before = channel.steady - 1
        if before >= mechanism.largest:
            assert not np.allclose(
                channel.matrix[before, before - mechanism.largest : before + mechanism.largest + 1], around[0]
            )


def test_the_table_is_of_maximum_entropy():
    """Every similar distribution with the same mean and variance has less entropy."""
    row = compute_perturbation_table(2.0, 5)[3, 2:]
    values = np.arange(-3, 6)
    constraints = np.stack([np.ones(9), values, values**2])
    free = np.linalg.svd(constraints)[2][3:]
    entropy = -(row * np.log(row)).sum()
    for direction in (*free, *-free):
        other = row + 1e-3 * direction * row.min()
        assert -(other * np.log(other)).sum() < entropy


def test_the_integers_that_decide_are_the_same_on_every_machine():
    """All published numbers depend on these integers and on nothing else."""
    assert DEFAULT.thresholds()[[1, 3]].tolist() == [
        [0, 0, 0, 0, 8730564, 12593579, 14479023, 15494113, 16096947, 16491854],
        [0, 0, 576107, 2429132, 6142819, 10780229, 14388440, 16137700, 16666100, 16765553],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1, 2, 3, 5])
def test_noise_of_capped_counts_is_scaled_by_the_cap(scale):
    table = compute_perturbation_table(2.0, 5, scale)
    mean, variance = moments(table)
    assert mean[1:] == pytest.approx(0, abs=1e-6)
    assert variance[scale + 1 :] == pytest.approx(2 * scale**2, rel=1e-6)
    assert table.shape == (5 * scale + 1, 10 * scale + 1)


@pytest.mark.parametrize("scale", [2, 3, 5])
def test_a_child_alone_with_all_its_encounters_is_hidden_as_often_as_among_children(scale):
    alone = 1 - DEFAULT.channel(scale, scale).matrix[1:, 0]  # total variation to a true zero
    assert alone == pytest.approx(0.48, abs=0.005)


def test_the_remainder_of_a_capped_count_does_not_show():
    """A count can be published as any number up to 15 away, so that its remainder by 3 stays unknown."""
    matrix = DEFAULT.channel(40, 3).matrix
    for count in range(15, 25):
        assert (matrix[count, count - 15 : count + 16] > 0).all()


def test_a_table_of_a_manifest_is_read_and_not_solved_again(monkeypatch):
    noise = CellKey(variance_near_k=4.0)
    computed = {scale: noise.table(scale) for scale in (1, 3)}
    manifest = json.loads(json.dumps({"parameters": noise.parameters((3,))}))
    monkeypatch.setattr(cell_key, "compute_perturbation_table", None)
    read = CellKey.from_manifest(manifest)
    for scale, table in computed.items():
        assert (read.table(scale) == table).all(), "to the last bit"
    assert read.parameters((3,)) == manifest["parameters"]
    assert read != noise, "no cache may take a table that was read for a computed one"


def test_the_noise_of_a_release_without_tables_is_computed():
    noise = CellKey()
    parameters = {name: value for name, value in noise.parameters().items() if name != "tables"}
    read = CellKey.from_manifest({"parameters": parameters})
    assert (read.table() == noise.table()).all()
    assert (read.variance, read.largest, read.key_range) == (noise.variance, noise.largest, noise.key_range)


def test_published_values_follow_the_table():
    rng = np.random.default_rng(1)
    counts, keys = rng.integers(0, 9, 200_000), rng.integers(0, DEFAULT.key_range, 200_000)
    shown = DEFAULT.publish(counts, keys)
    channel = DEFAULT.channel(8)
    for count in range(9):
        seen = np.bincount(shown[counts == count], minlength=14) / (counts == count).sum()
        assert seen == pytest.approx(channel.matrix[count], abs=0.012)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2**24 - 1)), min_size=1), st.integers(1, 3))
def test_published_values_keep_their_promises(cells, scale):
    counts, keys = (np.array(v, np.int64) for v in zip(*cells, strict=True))
    shown = DEFAULT.publish(counts, keys, scale)
    assert (shown >= 0).all()
    assert (abs(shown - counts) <= 5 * scale).all()
    assert (shown[counts == 0] == 0).all()
    assert (DEFAULT.publish(counts[::-1].copy(), keys[::-1].copy(), scale)[::-1] == shown).all()
    assert (DEFAULT.publish(counts.reshape(-1, 1), keys.reshape(-1, 1), scale).ravel() == shown).all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**24 - 1)), max_size=50))
def test_cell_keys_are_sums_modulo_the_key_range(members):
    cells = np.array([m[0] for m in members], np.int64)
    keys = np.array([m[1] for m in members], np.int64)
    expected = [sum(int(k) for c, k in members if c == cell) % 2**24 for cell in range(6)]
    assert compute_cell_keys(cells, keys, 6, 2**24).tolist() == expected


def test_cell_keys_of_many_members_are_exact():
    keys = np.full(2**22, 2**32 - 1, np.int64)  # the sum passes what a double holds exactly
    assert compute_cell_keys(np.zeros(2**22, np.int64), keys, 1, 2**32)[0] == (2**22 * (2**32 - 1)) % 2**32


def test_cell_keys_are_uniform_whatever_the_count():
    rng = np.random.default_rng(5)
    cells = rng.integers(0, 5000, 20_000)
    keys = compute_cell_keys(cells, rng.integers(0, 2**24, 20_000), 5000, 2**24)
    seen = np.bincount(keys * 16 // 2**24, minlength=16)
    assert ((seen - 5000 / 16) ** 2 / (5000 / 16)).sum() < 40  # chi square, 15 degrees, 1 in 2,000


def ons(area, record_keys, areas, mechanism):
    """Publish counts by the rules of the ONS's package, written here for one record and one cell at a time."""
    edges = mechanism.thresholds()
    ptable = {
        (pcv, ckey): sum(int(ckey >= edge) for edge in edges[min(pcv, mechanism.largest)]) - mechanism.largest
        for pcv in range(1, 751)
        for ckey in range(mechanism.key_range)
    }
    shown = []
    for code in range(areas):
        keys = [int(key) for place, key in zip(area, record_keys, strict=True) if place == code]
        ckey = sum(keys) % (max(ckey for _, ckey in ptable) + 1)
        pcv = len(keys) if len(keys) <= 750 else ((len(keys) - 1) % 250) + 501
        shown.append(len(keys) + ptable.get((pcv, ckey), 0))  # no row for a count of none
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", [CellKey(key_range=64), CellKey(5.0, 8, key_range=64)])
def test_the_rules_of_the_ons_package_give_the_same_numbers(mechanism):
    rng = np.random.default_rng(8)
    sizes = [0, 1, 2, 3, 4, 5, 6, 11, 0, 500, 501, 749, 750, 751, 1000, 1001, 1750]
    area = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    keys = rng.integers(0, mechanism.key_range, len(area))
    cells = compute_cell_keys(area, keys, len(sizes), mechanism.key_range)
    shown = mechanism.publish(np.array(sizes), cells)
    assert shown.tolist() == ons(area, keys, len(sizes), mechanism)
    assert shown[[0, 8]].tolist() == [0, 0]
    assert (shown != sizes).any()
