"""Sums of flows: their interval contains the truth as often as it says, and what cannot be ranked is not ranked."""

import numpy as np
import pandas as pd
import pytest

from dashboard.pages.flows import summary
from dashboard.pages.flows.summary import FlowChoice, estimate_sums, find_largest
from data.disclosure.cell_key import CellKey
from tests.helpers.pages import open_current

WHOLE = "2006-06-01/2009-05-31"


@pytest.fixture(scope="module")
def current(scored):
    return open_current(scored)


def make_rows(published, state="number", years=1):
    """Return flows to as many areas as there are rows in `published`, with the numbers as published."""
    places, origins = np.indices(published.shape)
    numbers = published.ravel().astype(float)
    return pd.DataFrame({"area": places.ravel(), "origin": origins.ravel(), "value": numbers, "noisy": numbers}).assign(
        state=np.where(numbers > 0, state, "almost_none"), noisy_margin=np.where(numbers > 0, 5.0 * years, np.nan)
    )


@pytest.mark.parametrize("years", [1, 3])
def test_the_interval_of_a_sum_contains_the_true_sum_in_95_of_100_cases(current, years):
    """A number of the whole programme is the sum of the numbers of its years."""
    noise, random = CellKey.from_manifest(current.release.manifest["tact"]), np.random.default_rng(7)
    true = random.poisson(random.choice([0.2, 2.0, 8.0, 20.0], (1000, 26)) / years, (years, 1000, 26))
    published = noise.publish(true, random.integers(noise.key_range, size=true.shape)).sum(axis=0)
    sums = estimate_sums(current, make_rows(published, years=years), "area").sort_index()
    true = true.sum(axis=(0, 2))
    inside = (sums["low"] <= true) & (true <= sums["high"])
    assert 0.95 <= inside.mean() <= (0.995 if years == 1 else 1.0)
    assert (sums["high"] - sums["low"]).mean() < years * 2 * 5 * 26 / 4  # the sum of largest margins is wider by far


def test_only_sums_whose_intervals_lie_apart_are_ranked(current):
    sums = estimate_sums(current, make_rows(np.array([[60, 60], [60, 55], [10, 9]])), "area")
    assert list(find_largest(sums).index) == [0, 1]
    assert list(find_largest(sums.drop(index=1)).index) == [0]


def test_a_withheld_flow_leaves_the_sum_without_an_upper_end(current):
    rows = make_rows(np.array([[60, 60], [0, 9]]))
    rows.loc[2, ["value", "noisy", "state"]] = [np.nan, np.nan, "withheld"]
    sums = estimate_sums(current, rows, "area")
    assert sums.loc[1, "high"] == np.inf
    assert list(find_largest(sums).index) == [0, 1]


def test_one_destination_alone_is_named_where_it_is_surely_the_first(current, monkeypatch):
    rows = make_rows(np.array([[60, 60], [10, 9]])).assign(crosses=False, margin=5.0)
    rows["area"], rows["origin"] = rows["area"].map({0: "AL-11", 1: "GR-I"}), "AL-01"
    monkeypatch.setattr(summary, "read_flows", lambda *_choice: summary.Flows(rows, rows, 139.0, 0.0))
    assert "The destination with most children: Tirana 120 (1" in summary.find_answer(current, FlowChoice(WHOLE))
