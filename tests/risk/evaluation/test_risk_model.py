"""The risk model among the forecasters: the data that it sees, and the display if it does not win."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.studies.observe import observe_world
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.release import Release
from geo import areas
from risk.evaluation.baselines import HISTORICAL_MEAN
from risk.evaluation.risk_model import (
    FIRST_ORIGIN,
    MODEL,
    ModelForecaster,
    build_panel,
    evaluate_blocks,
    evaluate_model,
)
from risk.model import RiskModel
from risk.model.observations import HIDDEN, MISSING, Observations
from risk.report import tables


@pytest.fixture(scope="module")
def seen():
    world = simulate_default_areas(WorldParameters(seed=2, quarters=6, shift_complete=5))
    return observe_world(world, areas.load_areas().neighbours("region"))


def test_a_panel_adds_the_ways_of_finding_up_and_keeps_what_is_unknown_so(seen):
    counts = build_panel(seen).counts
    np.testing.assert_array_equal(counts, seen.published.sum(axis=-1))
    holes = seen.published.copy()
    holes[0, 0, 0] = MISSING, HIDDEN
    holes[0, 1, 0, 0] = MISSING
    counts = build_panel(replace(seen, published=holes)).counts
    assert np.isnan(counts[0, 0, 0])
    assert counts[0, 1, 0] == seen.published[0, 1, 0, 1]
    assert np.isnan(counts).sum() == 1


@pytest.mark.slow
def test_it_forecasts_from_what_was_known_then(seen):
    history = build_panel(seen).until(FIRST_ORIGIN)
    drawn = ModelForecaster(seen, RiskModel()).forecast(history, 2, 300, 0)
    assert drawn.shape == (300, len(seen.areas), 2, 2)
    assert (drawn == ModelForecaster(seen, RiskModel()).forecast(history, 2, 300, 0)).all()
    # A release of that time knew of twice as many children: later corrected.
    then = replace(seen.up_to(FIRST_ORIGIN), published=2 * seen.up_to(FIRST_ORIGIN).published)
    other = ModelForecaster(seen, RiskModel(), {FIRST_ORIGIN: then}).forecast(build_panel(then), 2, 300, 0)
    assert 1.5 < other.mean() / drawn.mean() < 2.6


@pytest.mark.long
def test_all_are_measured_on_the_same_counts_and_a_release_of_other_areas_is_left_out(seen):
    odd = replace(seen.up_to(FIRST_ORIGIN), areas=tuple(reversed(seen.areas)))
    evaluation = evaluate_model(seen, earlier={FIRST_ORIGIN: odd}, horizons=1, draws=200)
    assert MODEL in evaluation.forecasters
    counts = evaluation.scores.groupby("forecaster", observed=True)["counts"].sum()
    assert counts.nunique() == 1
    assert counts.iloc[0] == len(seen.areas) * 2 * (len(seen.quarters) - FIRST_ORIGIN)


@pytest.mark.long
def test_over_blocks_an_area_is_forecast_without_its_own_counts(seen):
    scores = evaluate_blocks(seen, draws=200)
    assert set(scores[MODEL]) == {"log", "crps"}
    assert scores[MODEL]["crps"] > 0
    assert {HISTORICAL_MEAN, MODEL} <= set(scores)


@pytest.mark.slow
def test_where_it_does_not_beat_the_historical_mean_that_one_is_shown(demo_world, few_draws):
    release = Release.open(demo_world / "releases", "partner")
    judged = tables.judge_fit(RiskModel().fit(Observations.from_release(release)).fit_)
    for beats, by in ((True, MODEL), (False, HISTORICAL_MEAN)):
        evaluation = {"verdicts": [{"name": MODEL, "beats": beats}]}
        partner_tables = tables.make_partner_tables(judged, areas.read_areas(release.areas_file), evaluation)
        rows = next(t for t in partner_tables if t.name == "forecast_region_quarter_crossing").rows.to_pandas()
        assert set(rows["by"]) == {by}
        assert rows["period"].nunique() == tables.AHEAD
        assert (rows["lower"] <= rows["upper"]).all()
    # The historical mean knows of no trend: the same in each quarter, but for the draw.
    means = rows.groupby("period")["value"].sum()
    assert means.max() - means.min() < 0.1 * means.mean() + 3
