"""Trends: published intervals, few false flags, and warnings about effort and breaks first."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from data.disclosure.cell_key import CellKey
from data.errors import InputError
from risk.evaluation.panel import Panel
from risk.laplace.likelihood import MISSING
from risk.model.breaks import Break
from risk.model.observations import Observations
from risk.report.steps import Series, find_jumps, merge_noisy
from risk.report.trends import Rules, _log_variance, compare_counts, compare_panel, describe_trends


def panel(counts, effort=None, countries=None):
    size, time, pathways = counts.shape
    return Panel(
        tuple(f"a{i}" for i in range(size)),
        countries or ("AL",) * size,
        np.ones((size, time)),
        tuple(f"q{t}" for t in range(time)),
        tuple(f"p{p}" for p in range(pathways)),
        counts.astype(float),
        np.ones((size, time)) if effort is None else effort,
        np.zeros((0, 2), np.int64),
    )


def series(counts, reach=None, noise=0.0, kappa=0.0):
    """Return a series of one area, by default with the same expected counts in all quarters."""
    counts = np.array(counts, float)
    reach = np.ones((1, len(counts))) if reach is None else np.array(reach, float)
    return Series.build(counts, reach, np.full(len(counts), noise), kappa)


def national(counts):
    """Return a panel of the areas of Albania."""
    return replace(panel(counts), areas=tuple(f"AL-{i:02}" for i in range(len(counts))))


@pytest.mark.parametrize(
    ("before", "after", "ratio", "exact", "verdict"),
    [
        (95, 105, 1.11, (0.83, 1.48), "no clear change"),
        (103, 86, 0.83, (0.62, 1.12), "no clear change"),
        (26, 51, 1.96, (1.20, 3.28), "rise"),
    ],
)
def test_the_programmes_own_changes(before, after, ratio, exact, verdict):
    change = compare_counts(before, after, effort=(100.0, 100.0))
    assert change.ratio == pytest.approx(ratio, abs=0.006)
    assert change.exact == pytest.approx(exact, abs=0.006)
    assert change.verdict == verdict
    assert not change.effort_warning


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(1, 300))
def test_the_exact_interval_is_clopper_and_pearsons(before, after):
    wanted = binomtest(after, before + after).proportion_ci(0.95, method="exact")
    low, high = compare_counts(before, after).exact
    assert low / (1 + low) == pytest.approx(wanted.low, abs=1e-9)
    assert high / (1 + high) == pytest.approx(wanted.high, abs=1e-9)


def test_nothing_before_or_after_is_compared_without_failing():
    assert compare_counts(0, 0).verdict == "no clear change"
    assert compare_counts(0, 12).verdict == "rise"
    assert compare_counts(12, 0).verdict == "fall"
    assert compare_counts(0, 12).ratio == float("inf")
    with pytest.raises(InputError):
        compare_counts(-1, 3)


def ever_flagged(before, after, rules):
    """Return the share of areas that are flagged at any look; before, after: (areas, looks)."""
    pairs = zip(before.ravel(), after.ravel(), strict=True)
    flags = np.array([compare_counts(float(a), float(b), rules=rules).verdict != "no clear change" for a, b in pairs])
    return flags.reshape(before.shape).any(axis=1).mean()


def flat_series(areas, size, mean, seed=11):
    """Draw thirteen quarters without any change: overdispersed counts with noise of variance 2."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(mean * rng.gamma(size, 1 / size, (areas, 13)))
    return np.maximum(counts + rng.binomial(8, 0.5, counts.shape) - 4, 0)


@pytest.mark.long
def test_nine_quarterly_looks_flag_hardly_more_areas_without_signal_than_one_level():
    counts = flat_series(200, 20.0, 25.0)
    before, after = counts[:, :9], counts[:, 4:]  # each quarter against that of the year before
    noisy = {"noise_variance": 2.0, "size": 20.0}
    assert ever_flagged(before, after, Rules(looks=9, **noisy)) <= 0.05
    # Without allowing for the looks many more are, and without the noise as well most.
    assert ever_flagged(before, after, Rules(looks=1, **noisy)) > 0.15
    assert ever_flagged(before, after, Rules(looks=1)) > 0.5


@pytest.mark.long
def test_looks_at_years_that_overlap_flag_no_more_either():
    counts = flat_series(200, 20.0, 8.0)
    yearly = np.lib.stride_tricks.sliding_window_view(counts, 4, axis=1).sum(axis=2)
    before, after = np.repeat(yearly[:, :1], 9, axis=1), yearly[:, 1:]
    # The sum of four quarters: four times the noise, and four times the size.
    assert ever_flagged(before, after, Rules(looks=9, noise_variance=8.0, size=80.0)) <= 0.05


def test_a_true_doubling_is_still_flagged_after_nine_looks():
    rng = np.random.default_rng(5)
    pairs = rng.poisson([40.0, 80.0], (300, 2))
    changes = [compare_counts(*pair, rules=Rules(looks=9, noise_variance=8.0)) for pair in pairs]
    assert np.mean([change.verdict == "rise" for change in changes]) > 0.7
    assert not any(change.verdict == "fall" for change in changes)


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0, 500), st.floats(0, 500))
def test_what_rose_with_effort_is_never_flagged_without_a_warning(before, after, days, later):
    change = compare_counts(before, after, (days, later))
    if change.verdict == "rise" and later > 1.2 * days:
        assert change.effort_warning
    if change.verdict == "rise" and 0 < later <= days:
        assert not change.effort_warning


def test_noise_and_overdispersion_widen_every_interval():
    plain = compare_counts(26, 51)
    for rules in (Rules(noise_variance=4.0), Rules(size=20.0)):
        wider = compare_counts(26, 51, rules=rules)
        (low, high), (inner_low, inner_high) = wider.exact, plain.exact
        assert low < inner_low < inner_high < high
    # The log ratio of overdispersed counts has the variance from which the intervals are computed.
    rng = np.random.default_rng(0)
    counts = rng.poisson(200 * rng.gamma(10, 0.1, (40_000, 2))) + rng.normal(0, 5, (40_000, 2))
    variance = _log_variance(200, 200, Rules(noise_variance=25.0, size=10.0))[1]
    assert np.sqrt(variance) == pytest.approx(np.log(counts[:, 1] / counts[:, 0]).std(), rel=0.05)


def test_a_series_break_stops_comparison_across_it_and_only_there():
    counts = np.full((2, 8, 1), 3.0)
    counts[:, 4:] = 6.0
    counts[:, 7] = 7.0
    both = replace(panel(counts, countries=("AL", "GR")), areas=("AL-01", "GR-A"))
    law = Break("q4", "AL", "a new law counts more cases")
    first, second = compare_panel(both, 4, breaks=[law])
    assert first.verdict == "not compared"
    assert first.note == "a new law counts more cases"
    assert second.verdict != "not compared"
    # It ended before what is compared: both spans lie after it.
    later = compare_panel(both, 2, breaks=[law])
    assert all(change.verdict == "no clear change" for change in later)


@pytest.mark.parametrize(
    ("counts", "start"),
    [
        ((20, 22, 19, 21, 101, 98, 104), 4),  # fivefold in one year, and it stays
        ((3, 5, 4, 2, 3, 4, 16, 20, 18, 22), 6),
        ((10, 12, 14, 17, 20, 25, 30, 36, 43, 50, 60, 72), None),  # steady growth is a rise
        ((20, 22, 19, 21, 101, 20, 22), None),  # one year alone
        ((20, 22, 19, 21, 27, 26, 28), None),  # too small a step
        ((101, 98, 104, 20, 22, 19, 21), None),  # to a lower level
        ((0, 0, 0, 0, 0, 0), None),
        ((5, 50), None),
    ],
)
def test_a_single_series_that_steps_up_and_stays_is_a_possible_break(counts, start):
    counts = np.array(counts, float)
    assert series(counts).find_step(0.01) == start
    jumps = find_jumps(panel(counts[None, :, None]))
    quarters = [] if start is None else [f"q{start}"] * 2  # of the one pathway, and of all together
    assert [jump.period for _name, jump in jumps] == quarters


def test_the_chance_of_a_step_is_the_binomial_one():
    # Two quarters with 1 and two with 9: P(Bin(20, 1/2) >= 18) = 211 / 2**20, and there is one place for the step.
    counts = [1.0, 1.0, 9.0, 9.0]
    chance = 211 / 2**20
    assert series(counts).find_step(chance * 1.0001) == 2
    assert series(counts).find_step(chance * 0.9999) is None


def test_a_step_that_outreach_explains_is_none():
    counts = [10, 11, 9, 10, 31, 29, 30, 30]
    assert series(counts).find_step(0.001) == 4
    assert series(counts, [[1, 1, 1, 1, 3, 3, 3, 3]]).find_step(0.5) is None
    # It is also none if the model does not know whether outreach explains it.
    assert series(counts, np.exp(np.outer([-1.0, 0.0, 1.0], [0, 0, 0, 0, 1, 1, 1, 1]))).find_step(0.05) is None
    # And one that less outreach hides is found.
    assert series([20] * 8, [[3, 3, 3, 3, 1, 1, 1, 1]]).find_step(0.001) == 4


def test_noise_and_overdispersion_of_the_model_divide_the_counts():
    """Two quarters with 2 and two with 18 and a spread of 2 are as good as 1, 1, 9, 9 by chance alone: eq. (151)."""
    chance = 211 / 2**20
    for options in ({"noise": 10.0}, {"kappa": 10.0**-0.5}):
        loud = series([2.0, 2.0, 18.0, 18.0], **options)
        assert loud.find_step(chance * 1.0001) == 2
        assert loud.find_step(chance * 0.9999) is None


@pytest.mark.slow
def test_a_jump_everywhere_is_offered_as_a_break_before_it_is_offered_as_a_rise():
    rng = np.random.default_rng(2)
    counts = rng.poisson(6.0, (25, 8, 1)).astype(float)
    assert find_jumps(national(counts)) == ()
    counts[:, 6:] = rng.poisson(14.0, (25, 2, 1))
    albania = national(counts)
    jumps = find_jumps(albania)
    name, jump = jumps[0]
    assert name == "p0"
    assert (jump.period, jump.place, jump.areas) == ("q6", "AL", 25)
    assert jump.before == pytest.approx(counts[:, :6].sum() / 6)
    assert jump.after == pytest.approx(counts[:, 6:].sum() / 2)
    assert jump.rose > 20
    changes = compare_panel(albania, 2, jumps=[jump])
    assert any(change.verdict == "possible break" for change in changes)
    assert not any(change.verdict == "rise" for change in changes)


def test_a_jump_in_one_area_is_offered_for_that_area_alone():
    rng = np.random.default_rng(2)
    counts = rng.poisson(6.0, (25, 8, 1)).astype(float)
    counts[3, 6:] = 90.0
    albania = national(counts)
    jumps = [jump for name, jump in find_jumps(albania) if name == "p0"]
    assert [(jump.place, jump.period) for jump in jumps] == [("AL-03", "q6")]
    changes = compare_panel(albania, 2, jumps=jumps, rules=Rules(looks=9))
    verdicts = {change.area: change.verdict for change in changes}
    assert verdicts.pop("AL-03") == "possible break"
    assert set(verdicts.values()) == {"no clear change"}


@pytest.mark.slow
def test_flat_series_offer_few_breaks():
    rng = np.random.default_rng(8)
    offered = [find_jumps(national(rng.poisson(5.0, (25, 12, 1)))) for _ in range(60)]
    assert sum(bool(jumps) for jumps in offered) <= 3


def test_the_number_of_a_country_shows_a_break_that_the_noise_of_its_areas_hides():
    rng = np.random.default_rng(4)
    exact = rng.poisson(np.repeat([1.5, 3.0], 4), (12, 8))
    noise = np.full((12, 8, 1), 8.0)
    noisy = np.maximum(exact + rng.normal(0.0, np.sqrt(8.0), exact.shape).round(), 0.0)
    albania = national(noisy[:, :, None])
    assert find_jumps(albania, noise=noise) == ()
    whole = exact.sum(axis=0)[None, :, None].astype(float), np.full((1, 8, 1), 2.0)
    assert {jump.place for _name, jump in find_jumps(albania, noise=noise, countries=whole)} == {"AL"}


def test_numbers_of_countries_are_added_up_by_crossing_with_their_noise():
    channel = CellKey().channel(60)
    variance = channel.variance()
    counts, noise = merge_noisy(np.array([[[12, 20, 0], [MISSING, 3, 4]]]), channel)
    np.testing.assert_array_equal(counts, [[[12.0, 20.0], [np.nan, 7.0]]])
    np.testing.assert_allclose(noise[0, 0], [variance[12], variance[20] + variance[1]])


def test_sums_carry_the_noise_of_all_their_counts():
    counts = np.full((1, 8, 2), 5.0)
    counts[:, 4:] = 8.0
    small_panel = panel(counts)
    change = compare_panel(small_panel, 4, rules=Rules(noise_variance=2.0, size=20.0))[0]
    by_hand = compare_counts(40.0, 64.0, rules=Rules(noise_variance=16.0, size=160.0))
    assert (change.before, change.after) == (40.0, 64.0)
    assert change.exact == by_hand.exact
    assert compare_panel(small_panel, 4, pathway="p1", rules=Rules(noise_variance=2.0))[0].exact == pytest.approx(
        compare_counts(20.0, 32.0, rules=Rules(noise_variance=8.0)).exact
    )


def observe(areas, published, channel=None):
    """Return observations of two years of these counts, (A, 8, 1, 2)."""
    shape = (len(areas), 8)
    return Observations(
        areas, ("AL",) * len(areas), np.ones(shape),
        tuple(f"200{6 + n // 4}-{3 * (n % 4) + 1:02d}-01/P3M" for n in range(8)),
        ("internal",), ("reported", "discovered"), published, np.ones(shape), np.zeros((0, 2), np.int64), channel,
        "partner",
    )  # fmt: skip


def test_a_withheld_number_is_not_compared_as_if_it_were_zero():
    published = np.full((2, 8, 1, 2), 10)
    published[0, 6, 0, 1] = MISSING
    by_area = {
        change["area"]: change for change in describe_trends(observe(("AL-01", "AL-02"), published), 0.0)["changes"]
    }
    assert (by_area["AL-01"]["verdict"], by_area["AL-01"]["ratio"]) == ("not compared", None)
    assert (by_area["AL-02"]["verdict"], by_area["AL-02"]["ratio"]) == ("no clear change", 1.0)


def test_a_partner_that_began_or_stopped_is_named_beside_changes_and_possible_breaks():
    published = np.full((2, 8, 1, 2), 10)
    published[:, 4:] = 40
    seen = observe(("AL-01", "AL-02"), published)
    for quarter, place, named in ((3, "AL", True), (3, "GR", False), (0, "AL", False)):
        trends = describe_trends(replace(seen, turns=(Break(seen.quarters[quarter], place, "a"),)), 0.0)
        assert {change["partner"] for change in trends["changes"]} == {named}
        assert {jump["partner"] for _, jump in trends["jumps"]} == {named}


@pytest.mark.slow
def test_intervals_hold_the_true_ratio_where_counts_have_the_wider_noise():
    """Counts of 7 to 15 have three times the noise variance of others; with the variance of others, 93 % held it."""
    areas, size = tuple(f"AL-{number}" for number in range(1500)), (1500, 8, 1, 2)
    channel, rng = CellKey(variance_near_k=6.0).channel(60), np.random.default_rng(5)
    drawn = np.cumsum(channel.matrix, axis=1)[rng.poisson(10.0, size)] < rng.random(size)[..., None]
    changes = describe_trends(observe(areas, drawn.sum(axis=-1), channel), 0.0)["changes"]
    covers = [change["low"] <= 1.0 <= change["high"] for change in changes if change["pathway"] == "internal"]
    assert len(covers) == 1500
    assert np.mean(covers) > 0.945


def test_an_unknown_count_is_not_compared_and_short_panels_are_refused():
    counts = np.full((2, 4, 2), 5.0)
    counts[0, 3, 1] = np.nan
    small_panel = panel(counts)
    assert [change.verdict for change in compare_panel(small_panel, 2)] == ["not compared", "no clear change"]
    assert compare_panel(small_panel, 2, pathway="p0")[0].verdict == "no clear change"
    with pytest.raises(InputError, match="there are 4"):
        compare_panel(small_panel, 3)
    with pytest.raises(InputError, match="'other'"):
        compare_panel(small_panel, 2, pathway="other")
