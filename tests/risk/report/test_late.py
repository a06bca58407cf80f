"""Late records: the interval of the last quarter holds the number once all records have come."""

import numpy as np
import pytest
from scipy.special import gammaln

from benchmarks.worlds.laws import _DELAYS
from data.capture.late import FEWEST, Arrival, learn_arrival, nowcast
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from risk.report.late import read_nowcasts
from risk.worlds.ground import build_ground
from tests.helpers import small_release

KEY = CellKey.from_policy(DEFAULT_POLICY)


def exactly(number):
    """Return the likelihood of a published number without noise."""
    return np.eye(number + 1)[number]


def test_what_always_came_in_time_is_complete():
    assert nowcast(exactly(40), Arrival(1e7, 1e-3)) == (40, 40, 40)


def test_a_known_share_gives_the_law_of_the_missing_children():
    # With a share of one half and a prior of 1 / (N + 1), N has mode and middle near twice what has come.
    low, middle, high = nowcast(exactly(50), Arrival(5e6, 5e6))
    total = np.arange(2001)
    log_weight = np.where(total >= 50, gammaln(total + 1) - gammaln(np.maximum(total - 50, 0) + 1), -np.inf)
    weight = np.exp(log_weight - total * np.log(2) - np.log(total + 1.0) - (log_weight - total * np.log(2)).max())
    ends = np.searchsorted(np.cumsum(weight) / weight.sum(), [0.025, 0.5, 0.975])
    assert np.abs(np.array([low, middle, high]) - ends).max() <= 1


def test_a_share_is_learnt_and_its_spread_too():
    steady = learn_arrival(np.array([50] * 8), np.array([100] * 8))
    wild = learn_arrival(np.array([10, 90] * 4), np.array([100] * 8))
    assert steady.alpha / (steady.alpha + steady.beta) == pytest.approx(0.5, abs=0.02)
    assert steady.alpha + steady.beta > 20 > 4 > wild.alpha + wild.beta
    assert learn_arrival(np.array([5] * (FEWEST - 1)), np.array([10] * (FEWEST - 1))) is None


def count_reports(seeds):
    """Yield true reports by country and quarter, (countries, quarters), of invented worlds."""
    from benchmarks.worlds import WorldParameters, read_population
    from benchmarks.worlds.laws import change_parameters, draw_need_by_laws
    from data.reference import area_table
    from geo import areas
    from risk.worlds.outreach import draw_first_meetings, set_up_course

    places = areas.load_areas()
    pairs = [pair for level in ("region", "municipality") for pair in places.neighbours(level)]
    for seed in seeds:
        parameters = change_parameters(WorldParameters(seed=seed))
        land = build_ground(area_table(), pairs, read_population(parameters), seed)
        meetings = draw_first_meetings(set_up_course(land, parameters, draw_need_by_laws(land, parameters)))
        reports = meetings.counts[:, :, 0].sum(axis=1)
        yield np.array([reports[land.country_of_municipality == c].sum(axis=0) for c in range(len(land.countries))])


def judge(seeds):
    """Return how often the interval holds the true number, for reports that come as late as the law `delays` says."""
    holds = []
    for seed, reports in zip(seeds, count_reports(seeds), strict=True):
        rng = np.random.default_rng(seed)
        channel = KEY.channel(int(reports.max()) + KEY.largest)

        def publish(numbers, rng=rng, channel=channel):
            return np.array([rng.choice(channel.matrix.shape[1], p=channel.matrix[n]) for n in np.ravel(numbers)])

        for total in reports:
            come = rng.multinomial(total, _DELAYS)[:, 0]
            share = learn_arrival(publish(come[:-4]), publish(total[:-4]))
            published = int(publish(come[-1])[0])
            low, _, high = nowcast(channel.shown(published)[: published + KEY.largest + 1], share)
            holds.append(low <= total[-1] <= high)
    return np.mean(holds)


@pytest.mark.slow(seconds=20)
def test_the_interval_holds_the_true_number():
    assert judge(range(1, 6)) >= 0.9


@pytest.mark.long
def test_the_interval_holds_the_true_number_in_more_worlds():
    assert judge(range(100, 140)) >= 0.9


def test_a_release_says_how_much_is_still_to_come(tmp_path):
    import pandas as pd

    tables = small_release.partner()
    quarter = small_release.QUARTERS[-1]
    rows = [("AL", quarter, "number", 20.0, 20.0), ("GR", quarter, "cannot_tell", None, None)]
    tables["late"] = pd.DataFrame(rows, columns=["area", "period", "state", "alpha", "beta"])
    release = small_release.make(tmp_path, tables=tables)
    first, second = read_nowcasts(release)
    assert (first.area, first.period) == ("AL", quarter)
    assert first.published < first.low < first.middle < first.high
    assert (second.area, second.middle) == ("GR", None)
    assert read_nowcasts(small_release.make(tmp_path / "complete")) == []
