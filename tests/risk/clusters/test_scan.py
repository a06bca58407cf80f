"""The scan: published answers, planted clusters are found, and few false alarms."""

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.scan import scan_space_time
from data.errors import InputError
from risk.clusters import scan
from risk.clusters.getis_ord import benjamini_hochberg, compute_getis_ord
from risk.numbers import stream
from tests.helpers.reference import read_example, read_example_edges


def example(column):
    (values,) = read_example("sids2", column)
    return values, read_example_edges("sids2")


@pytest.mark.slow  # to import esda
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of esda itself
@pytest.mark.parametrize("column", ["sidr74", "sidr79"])
def test_gi_star_is_that_of_esda(column):
    import esda
    import libpysal

    values, edges = example(column)
    ways = np.concatenate([edges, edges[:, ::-1]])
    weights = libpysal.weights.W({i: ways[ways[:, 0] == i, 1].tolist() for i in range(len(values))})
    weights.transform = "b"
    result, other = (compute_getis_ord(values, edges), esda.G_Local(values, weights, star=True, transform="B", seed=1))
    np.testing.assert_allclose(result.statistic, other.Zs, atol=1e-12)
    np.testing.assert_allclose(result.p, other.p_sim, atol=0.06)


def test_nine_areas_of_sids2_pass_five_percent_and_none_after_control():
    values, edges = example("sidr79")
    result = compute_getis_ord(values, edges)
    assert (result.p <= 0.05).sum() == 9
    assert not (result.q <= 0.05).any()


def test_an_island_has_no_local_statistic_and_disturbs_no_other():
    values = np.array([1.0, 5.0, 2.0, 9.0, 4.0, 3.0])
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    result = compute_getis_ord(values, edges, permutations=99)
    assert np.isnan(result.statistic[5])
    assert np.isnan(result.q[5])
    assert np.isfinite(result.statistic[:5]).all()


def test_false_discovery_rates_are_those_of_the_paper():
    # Benjamini and Hochberg (1995), section 3.2: four rejections at .05, three of them by Bonferroni.
    p = np.array([
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
    ])  # fmt: skip
    shuffled = np.random.default_rng(0).permutation(15)
    q = benjamini_hochberg(p[shuffled])
    assert sorted(shuffled[q <= 0.05]) == [0, 1, 2, 3]
    assert (benjamini_hochberg(np.array([0.01, np.nan]))[:1] == 0.01).all()


def test_gi_star_without_signal_discovers_nothing_in_most_maps():
    _, edges = example("sidr79")
    rng = np.random.default_rng(3)
    maps = [compute_getis_ord(rng.normal(size=100), edges, 999, seed) for seed in range(40)]
    assert sum((result.q <= 0.05).any() for result in maps) <= binom.ppf(0.999, 40, 0.05)
    # Without control, every map shows "clusters".
    assert np.mean([(result.p <= 0.05).sum() for result in maps]) > 5


def test_gi_star_of_an_area_that_touches_all_others_is_unknown():
    edges = np.array([[0, 1], [0, 2], [0, 3], [1, 2]])
    result = compute_getis_ord(np.array([1.0, 2.0, 4.0, 7.0]), edges, 99)
    np.testing.assert_array_equal(np.isnan(result.statistic), [True, False, False, False])
    np.testing.assert_array_equal(np.isnan(result.q), [True, False, False, False])


def land(size=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((size, 2)), rng.lognormal(0.0, 0.7, size), rng


def naive(cases, expected, centres):
    """Compute the likelihood ratio of every circle in a plain loop; return the largest with its areas."""
    total, share, best = cases.sum(), expected / expected.sum(), (0.0, frozenset())
    for centre in centres:
        order = np.argsort(np.hypot(*(centres - centre).T), kind="stable")
        for size in range(1, len(order) + 1):
            inside = order[:size]
            n, e = cases[inside].sum(), share[inside].sum() * total
            if share[inside].sum() > 0.5 or n <= e:
                continue
            outside = (total - n) * np.log((total - n) / (total - e)) if n < total else 0.0
            best = max(best, (n * np.log(n / e) + outside, frozenset(inside.tolist())), key=lambda b: b[0])
    return best


@pytest.mark.always("0")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_scan_finds_what_looking_at_every_circle_finds(seed):
    centres, expected, rng = land(40, seed)
    cases = rng.poisson(3.0 * expected).astype(float)
    statistic, areas = naive(cases, expected, centres)
    replicates = 40
    first = scan.scan_space(cases, expected, centres, replicates=replicates, seed=seed)[0]
    assert first.statistic == pytest.approx(statistic, abs=1e-9)
    assert frozenset(first.areas) == areas
    drawn = stream(seed, "scan").multinomial(int(cases.sum()), expected / expected.sum(), size=replicates)
    beaten = sum(naive(row, expected, centres)[0] >= statistic - 1e-9 for row in drawn)
    assert first.p == pytest.approx((1 + beaten) / (replicates + 1))


def test_planted_circles_are_found_and_do_not_overlap():
    centres, expected, rng = land(80, 5)
    risk = np.ones(80)
    for corner in ([0.15, 0.15], [0.85, 0.85]):
        risk[np.argsort(np.hypot(*(centres - corner).T))[:6]] = 4.0
    cases = rng.poisson(4.0 * expected * risk).astype(float)
    clusters = [cluster for cluster in scan.scan_space(cases, expected, centres, replicates=999) if cluster.p <= 0.05]
    assert len(clusters) == 2
    assert not set(clusters[0].areas) & set(clusters[1].areas)
    inside = np.array([area for cluster in clusters for area in cluster.areas])
    assert np.isin(np.flatnonzero(risk > 1), inside).mean() > 0.8
    assert np.mean(risk[inside] > 1) > 0.7
    assert all(cluster.relative_risk > 2.0 and cluster.p == 0.001 for cluster in clusters)


@pytest.mark.long
def test_false_alarms_of_the_scan_are_as_rare_as_its_level_says():
    centres, expected, rng = land(30, 1)
    worlds = rng.multinomial(150, expected / expected.sum(), size=300).astype(float)
    p = [scan.scan_space(w, expected, centres, replicates=99, seed=i)[0].p for i, w in enumerate(worlds)]
    for level in (0.05, 0.2, 0.5):
        low, high = binom.ppf([0.001, 0.999], 300, level)
        assert low <= (np.array(p) <= level).sum() <= high


@pytest.mark.long
def test_overdispersed_counts_make_false_alarms_unless_the_scan_knows_of_it():
    centres, expected, rng = land(30, 1)
    share = expected * rng.gamma(8.0, 1 / 8.0, (80, 30))
    worlds = rng.multinomial(600, share / share.sum(axis=1, keepdims=True)).astype(float)

    def alarms(size):
        scans = [scan.scan_space(w, expected, centres, size=size, replicates=99, seed=i) for i, w in enumerate(worlds)]
        return sum(clusters[0].p <= 0.05 for clusters in scans)

    assert alarms(np.inf) > 30
    assert alarms(8.0) <= binom.ppf(0.999, 80, 0.05)


@pytest.mark.long
@pytest.mark.parametrize("quarters", [1, 4])
def test_different_detection_makes_false_alarms_unless_the_scan_knows_of_it(quarters):
    # An area that finds more does so in every quarter: a null that varied each quarter alone would average it out.
    centres, expected, rng = land(20, 1)
    share = expected * np.exp(0.3 * rng.standard_normal((60, 20)))
    worlds = rng.multinomial(800, share / share.sum(axis=1, keepdims=True))
    worlds = rng.multinomial(worlds, np.full(quarters, 1 / quarters)).astype(float)
    people = np.repeat(expected[:, None] / quarters, quarters, axis=1)

    def alarms(spread):
        options = {"between_sd": spread, "replicates": 99}
        scans = [scan_space_time(w, people, centres, seed=i, **options) for i, w in enumerate(worlds)]
        return sum(clusters[0].p <= 0.05 for clusters in scans)

    assert alarms(0.0) > 20
    assert alarms(0.3) <= binom.ppf(0.999, 60, 0.05)


def test_the_largest_window_is_an_argument():
    centres, expected, rng = land(30, 4)
    risk = np.where(np.argsort(np.argsort(np.hypot(*(centres - 0.5).T))) < 12, 3.0, 1.0)
    cases = rng.poisson(5.0 * expected * risk).astype(float)
    share = expected / expected.sum()
    for largest in (0.05, 0.2, 0.5):
        first = scan.scan_space(cases, expected, centres, largest=largest, replicates=19)[0]
        assert share[list(first.areas)].sum() <= largest + 1e-9
    for refused in (0.0, 0.6, np.nan):
        with pytest.raises(InputError, match="largest window"):
            scan.scan_space(cases, expected, centres, largest=refused)


@pytest.mark.long
def test_prospective_false_alarms_are_as_rare_as_the_level_says():
    centres, people, rng = land(12, 1)
    expected = np.repeat(people[:, None], 6, axis=1)
    share = (expected / expected.sum()).ravel()
    worlds = rng.multinomial(100, share, size=200).reshape(200, 12, 6).astype(float)
    p = [scan_space_time(w, expected, centres, prospective=True, replicates=99, seed=i) for i, w in enumerate(worlds)]
    alarms = sum(bool(clusters) and clusters[0].p <= 0.1 for clusters in p)
    low, high = binom.ppf([0.001, 0.999], 200, 0.1)
    assert low <= alarms <= high


def test_only_the_proportions_of_what_is_expected_matter():
    centres, expected, rng = land(25, 7)
    cases = rng.poisson(4.0 * expected).astype(float)
    first = scan.scan_space(cases, expected, centres, replicates=99)
    scaled = scan.scan_space(cases, 1000.0 * expected, centres, replicates=99)
    assert [c.areas for c in first] == [c.areas for c in scaled]
    np.testing.assert_allclose([c.statistic for c in first], [c.statistic for c in scaled])


def test_a_planted_cylinder_is_found_in_its_place_and_quarters():
    centres, people, rng = land(40, 2)
    expected = np.repeat(2.0 * people[:, None], 12, axis=1)
    near = np.argsort(np.hypot(*(centres - 0.3).T))[:5]
    risk = np.ones((40, 12))
    risk[near, 9:] = 4.0
    cases = rng.poisson(expected * risk).astype(float)
    for prospective in (True, False):
        first = scan_space_time(cases, expected, centres, prospective=prospective, replicates=199, seed=1)[0]
        assert (first.first, first.last) == (9, 11)
        assert len(set(first.areas) & set(near.tolist())) >= 4
        assert first.p == 0.005


def test_a_prospective_scan_says_nothing_of_clusters_that_are_over():
    centres, people, rng = land(40, 2)
    expected = np.repeat(2.0 * people[:, None], 12, axis=1)
    risk = np.ones((40, 12))
    risk[np.argsort(np.hypot(*(centres - 0.3).T))[:5], 2:5] = 5.0
    cases = rng.poisson(expected * risk).astype(float)
    whole = scan_space_time(cases, expected, centres, replicates=199)
    now = scan_space_time(cases, expected, centres, prospective=True, replicates=199)
    assert whole[0].p == 0.005
    assert (whole[0].first, whole[0].last) == (2, 4)
    assert all(cluster.last == 11 for cluster in now)
    assert all(cluster.p > 0.05 for cluster in now)


def test_an_unknown_area_is_left_out():
    centres, expected, rng = land(20, 3)
    cases = rng.poisson(5.0 * expected).astype(float)
    cases[4] = np.nan
    with_gap = scan.scan_space(cases, expected, centres, replicates=99)
    others = np.arange(20) != 4
    without = scan.scan_space(cases[others], expected[others], centres[others], replicates=99)
    assert with_gap[0].statistic == pytest.approx(without[0].statistic)
    assert with_gap[0].expected == pytest.approx(without[0].expected)


def test_the_same_seed_gives_the_same_p_and_progress_is_told():
    centres, expected, rng = land(20, 4)
    cases = rng.poisson(5.0 * expected).astype(float)
    steps = []
    first = scan.scan_space(cases, expected, centres, replicates=199, progress=lambda *step: steps.append(step))
    assert first == scan.scan_space(cases, expected, centres, replicates=199)
    assert steps[-1] == (199, 199, "scan")


def test_what_cannot_be_scanned_is_refused():
    centres, expected, _ = land(5)
    with pytest.raises(InputError, match="at least one case"):
        scan.scan_space(np.zeros(5), expected, centres)
    with pytest.raises(InputError, match="sizes above 0"):
        scan.scan_space(np.ones(5), expected, centres, size=0.0)
    with pytest.raises(InputError, match="one shape"):
        scan.scan_space(np.ones(4), expected, centres)
    with pytest.raises(InputError, match="not all the same"):
        compute_getis_ord(np.ones(5), np.array([[0, 1]]))
