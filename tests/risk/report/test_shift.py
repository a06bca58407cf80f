"""The shift to internal trafficking as a tested statement, from one model of both cities."""

import numpy as np
import pytest

from benchmarks.studies.shift import LAWS, Outcome, Study, find_shifts, study
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel
from data.disclosure.policy import DEFAULT_POLICY
from risk.report.shift import REFERENCE, WATCHED, AreaShift, describe_shifts
from tests.helpers import small_release
from tests.helpers.small_release import FIRST, QUARTERS, REGIONS

EXACT = Channel(np.eye(401), 0)
NOISY = CellKey.from_policy(DEFAULT_POLICY).channel(400)
MANY = 400.0  # children hardly vary together


def counts(*areas):
    """Return counts, (areas, 2, parts), from (internal, cross-border) before and after of each area."""
    return np.array([[(k, j, 0) for k, j in years] for years in areas])


def judge(published, channel=EXACT, trials=0, **options):
    return find_shifts(WATCHED[: len(published)], published, channel, MANY, trials=trials, **options)


def test_a_large_city_alone_gets_the_share_and_the_interval_of_two_binomial_counts():
    (shift,) = judge(counts([(60, 140), (120, 80)]))
    assert (shift.before, shift.after) == (pytest.approx(30, abs=1), pytest.approx(60, abs=1))
    # 30 points, with a standard error of the square root of .3 x .7 / 200 + .6 x .4 / 200, a little more by kappa.
    assert shift.low == pytest.approx(30 - 1.96 * 4.7, abs=2)
    assert shift.high == pytest.approx(30 + 1.96 * 4.7, abs=2)
    assert shift.verdict == "rose"
    assert shift.areas == ("AL-02",)


def test_both_come_first_and_a_small_city_borrows_from_a_large_one():
    small = [(2, 8), (4, 6)]
    (alone,) = judge(counts(small))
    both, durres, tirana = judge(counts(small, [(60, 140), (120, 80)]))
    assert [shift.areas for shift in (both, durres, tirana)] == [WATCHED, WATCHED[:1], WATCHED[1:]]
    assert durres.probability > alone.probability
    assert durres.high - durres.low < alone.high - alone.low
    assert durres.verdict == "unclear"
    assert both.verdict == tirana.verdict == "rose"


def test_outreach_that_finds_more_of_both_kinds_changes_nothing():
    both, *each = judge(counts([(10, 30), (30, 90)], [(40, 60), (120, 180)]))
    assert both.verdict == "unclear"
    assert all(abs(shift.probability - 0.5) < 0.2 for shift in each)
    # Nor do more finds in the city with the larger share: both together have the same weights in both years.
    both, *_ = judge(counts([(10, 90), (10, 90)], [(50, 50), (150, 150)]))
    assert both.before == pytest.approx(both.after, abs=3)


def test_noise_and_each_later_look_ask_for_more():
    published = counts([(12, 28), (24, 16)])
    (exact,), (noisy,) = judge(published), judge(published, NOISY)
    assert noisy.high - noisy.low > exact.high - exact.low
    assert 0.5 < noisy.probability < exact.probability
    verdicts = [judge(published, looks=looks)[0].verdict for looks in (1, 9)]
    assert verdicts == ["rose", "unclear"]


def test_the_answer_is_the_same_each_time_and_falls_are_the_mirror_of_rises():
    published = counts([(4, 16), (12, 10)], [(20, 60), (70, 50)])
    assert judge(published, NOISY) == judge(published, NOISY)
    rises, falls = judge(published, NOISY), judge(published[:, ::-1], NOISY)
    for up, down in zip(rises, falls, strict=True):
        assert up.probability == pytest.approx(1 - down.probability, abs=0.02)
        assert (up.low, up.high) == (pytest.approx(-down.high, abs=2.5), pytest.approx(-down.low, abs=2.5))


@pytest.mark.parametrize(("outreach", "begins"), [(QUARTERS, FIRST), (QUARTERS[2:], None)])
def test_a_year_in_which_the_programme_began_is_not_compared(tmp_path, outreach, begins):
    days = small_release.rows(REGIONS, outreach, lambda *_cell: small_release.number(10))
    release = small_release.make(tmp_path, tables={**small_release.partner(), "effort_region_quarter": days})
    assert describe_shifts(release, 0.5, (), 0).get("first_year") == begins


@pytest.mark.slow
def test_power_grows_with_the_children_and_is_not_given_where_a_share_cannot_rise_so_far():
    small, large = (judge(counts([(2 * n, 8 * n), (2 * n, 8 * n)]), NOISY, trials=30)[0].power for n in (1, 15))
    assert small < 30
    assert large > 80
    assert judge(counts([(19, 1), (19, 1)]), trials=5)[0].power is None
    assert REFERENCE == 0.2


def test_results_of_earlier_versions_can_be_read():
    values = {"areas": ["AL-02"], "before": 20, "after": 40, "low": -5, "high": 45, "probability": 0.9}
    shift = AreaShift.read(values)
    assert (shift.verdict, shift.power) == ("unclear", None)


def test_the_study_counts_verdicts_and_intervals():
    outcomes = [
        Outcome(
            seed, law, ("rose", "unclear", "rose"), (True, False, True), (True, True, seed == 0), (90.0, 10.0, 80.0)
        )
        for seed in (0, 1)
        for law in LAWS
    ]
    summary = Study(tuple(outcomes)).summary()["laws"]["no change"]
    assert summary["rose"] == summary["rose_ever"] == [1.0, 0.0, 1.0]
    assert summary["covered"] == [1.0, 1.0, 0.5]
    assert summary["power_stated"] == [0.9, 0.1, 0.8]


@pytest.mark.long
def test_worlds_without_a_change_are_seldom_called_a_rise_and_large_rises_are_found():
    laws = study(20, stated=0).summary()["laws"]
    assert max(laws["no change"]["rose_ever"]) <= 0.1
    assert laws["both rise by 40"]["rose"][0] > 0.9
    assert min(laws["both rise by 20"]["covered"]) > 0.85
