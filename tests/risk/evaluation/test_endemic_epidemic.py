"""The epidemic model of the field as a rival: it forecasts what it is made for, and spreads counts to neighbours."""

from dataclasses import replace

import numpy as np
import pytest

from risk.evaluation.baselines import BASELINES, HISTORICAL_MEAN, EndemicEpidemic
from risk.evaluation.endemic_epidemic import spread_to_neighbours
from risk.evaluation.panel import Panel
from risk.evaluation.scores import compute_log_score


def chain(size):
    return np.stack([np.arange(size - 1), np.arange(1, size)], axis=1)


def simulate(same_area, near, season, *, size=40, quarters=24, seed=0):
    """Draw counts in which `same_area` of each count and `near` of the neighbours' come back the next quarter."""
    rng = np.random.default_rng(seed)
    spread = spread_to_neighbours(chain(size), size)
    level = np.exp(rng.normal(0.5, 0.5, size))
    counts = np.zeros((size, quarters + 20))
    for t in range(1, quarters + 20):
        mean = (
            level * np.exp(season * np.sin(np.pi / 2 * t))
            + same_area * counts[:, t - 1]
            + near * spread @ counts[:, t - 1]
        )
        counts[:, t] = rng.poisson(mean * rng.gamma(8.0, 1 / 8.0, size))
    codes, names = tuple(f"a{i}" for i in range(size)), tuple(f"q{t:02}" for t in range(quarters))
    return Panel(
        codes, ("AL",) * size, np.ones((size, quarters)), names, ("one",), counts[:, 20:, None],
        np.ones((size, quarters)), chain(size),
    )  # fmt: skip


def gain(panel, ahead=1):
    """Return the gain in log score over the historical mean, from the last four origins."""
    gains = []
    for origin in range(len(panel.quarters) - 4, len(panel.quarters) - ahead + 1):
        seen = panel.counts[:, origin : origin + ahead]
        draws = [
            f.forecast(panel.until(origin), ahead, 1000, 0) for f in (EndemicEpidemic(), BASELINES[HISTORICAL_MEAN])
        ]
        gains.append(compute_log_score(draws[0], seen) - compute_log_score(draws[1], seen))
    return float(np.mean(np.concatenate(gains, axis=1)))


def test_a_count_gives_each_neighbour_an_equal_part_and_an_island_nothing():
    share = spread_to_neighbours(np.array([[0, 1], [1, 2]]), 4)
    np.testing.assert_array_equal(share @ np.array([0.0, 6.0, 0.0, 5.0]), [3.0, 0.0, 3.0, 0.0])
    np.testing.assert_array_equal(share @ np.array([1.0, 0.0, 0.0, 0.0]), [0.0, 1.0, 0.0, 0.0])


@pytest.mark.long
def test_it_beats_the_mean_where_counts_come_back_or_have_a_season_and_loses_little_where_they_do_not():
    assert gain(simulate(0.5, 0.3, 0.0)) > 0.1
    assert gain(simulate(0.0, 0.0, 0.9)) > 0.1
    assert gain(simulate(0.0, 0.0, 0.0)) > -0.03


def test_neighbours_count():
    """What a neighbour had last raises the forecast where counts spread, and hardly elsewhere."""

    def rise(panel):
        more = panel.counts.copy()
        more[10, -1] += 30
        means = [
            EndemicEpidemic().forecast(p, 1, 4000, 0).mean(axis=0)[[9, 11, 30]]
            for p in (panel, replace(panel, counts=more))
        ]
        return (means[1] - means[0]).ravel()

    spread = rise(simulate(0.2, 0.5, 0.0))
    assert spread[:2].min() > 3.0
    assert abs(spread[2]) < 1.0
    assert rise(simulate(0.2, 0.0, 0.0))[:2].max() < 3.0


def test_in_the_first_year_it_is_the_historical_mean():
    panel = simulate(0.2, 0.2, 0.0, quarters=3)
    drawn = [f.forecast(panel, 2, 50, 1) for f in (EndemicEpidemic(), BASELINES[HISTORICAL_MEAN])]
    np.testing.assert_array_equal(*drawn)
