"""Evaluations: honest verdicts, no data from the future, plain words."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from benchmarks import worlds
from data.errors import InputError
from risk.evaluation import evaluate
from risk.evaluation.baselines import BASELINES, HISTORICAL_MEAN, HistoricalMean, PopulationShare
from risk.evaluation.panel import Panel
from risk.evaluation.splits import SpatialBlocks

FAST = {name: BASELINES[name] for name in ("last count", HISTORICAL_MEAN, "population share")}


def invented(size=30, quarters=12, seed=0, sd=0.8, dispersion=8.0, level=4.0):
    """Return a panel of counts with constant means, and the means."""
    rng = np.random.default_rng(seed)
    expected = rng.lognormal(0.0, 0.4, size)
    mean = level * (expected[:, None] * np.exp(sd * rng.normal(size=(size, 2))))[:, None].repeat(quarters, 1)
    counts = rng.poisson(mean * rng.gamma(dispersion, 1 / dispersion, mean.shape)).astype(float)
    edges = np.stack([np.arange(size - 1), np.arange(1, size)], axis=1)
    half = size // 2
    panel = Panel(
        tuple(f"a{i}" for i in range(size)),
        ("AL",) * half + ("GR",) * (size - half),
        np.tile(expected[:, None], quarters),
        tuple(f"q{t}" for t in range(quarters)),
        ("internal", "cross_border"),
        counts,
        rng.integers(1, 20, (size, quarters)).astype(float),
        edges,
    )
    return panel, mean


@dataclass(frozen=True)
class Oracle:
    """A forecaster that knows the true distribution of the counts."""

    mean: np.ndarray
    dispersion: float = 8.0

    def forecast(self, history, horizon, draws, seed):
        rng = np.random.default_rng(seed)
        mean = np.broadcast_to(self.mean[:, :horizon], (draws, len(self.mean), horizon, 2))
        return rng.poisson(mean * rng.gamma(self.dispersion, 1 / self.dispersion, mean.shape)).astype(float)


@pytest.fixture(scope="module")
def judged():
    panel, mean = invented()
    return evaluate(panel, {**FAST, "oracle": Oracle(mean)}, first_origin=6, draws=300)


def test_the_tables_have_a_row_for_everything_that_was_asked(judged):
    names = (*FAST, "oracle")
    assert judged.forecasters == names
    assert len(judged.scores) == len(names) * 4
    # Six origins, the last of which have fewer quarters ahead.
    ahead = judged.scores.set_index(["forecaster", "ahead"])["counts"]["oracle"]
    assert ahead.tolist() == [60 * 6, 60 * 5, 60 * 4, 60 * 3]
    assert len(judged.hits) == len(names) * 2 * 2
    assert len(judged.calibration) == len(judged.stability) == len(names)
    assert len(judged.cells) == len(names) * 60 * (6 + 5 + 4 + 3)


def test_who_knows_the_truth_is_best_calibrated_and_finds_most(judged):
    assert judged.best == "oracle"
    row = judged.calibration.set_index("forecaster").loc["oracle"]
    assert 0.5 <= row["in_50"] < 0.66
    assert 0.93 <= row["in_95"] < 0.99
    assert row[[f"pit_{i}" for i in range(1, 11)]].between(0.06, 0.14).all()
    hits = judged.hits.set_index(["of", "budget", "forecaster"])["hit_rate"]
    assert hits["areas", 0.2, "oracle"] > hits["areas", 0.2, "population share"] + 0.04
    assert (judged.hits["pei"] <= 1.0 + 1e-9).all()
    assert (judged.hits["hit_low"] <= judged.hits["hit_rate"]).all()
    assert (judged.hits["hit_rate"] <= judged.hits["hit_high"]).all()


def test_stable_forecasts_have_stable_ranks(judged):
    stability = judged.stability.set_index("forecaster")["spearman"]
    assert stability[HISTORICAL_MEAN] > 0.95
    assert stability["last count"] < stability[HISTORICAL_MEAN]


def test_a_better_forecaster_beats_and_a_worse_one_does_not(judged):
    won = judged.beats("oracle", "last count")
    assert won.beats
    lost = judged.beats("population share")
    assert not lost.beats
    assert lost.interval[1] < 0
    assert judged.beats("oracle", "last count", score="crps").gained > 0
    assert judged.beats(HISTORICAL_MEAN, "population share").gained == pytest.approx(-lost.gained)
    with pytest.raises(InputError, match="'nobody'"):
        judged.beats("nobody")


@pytest.mark.long
def test_a_verdict_on_equals_is_seldom_that_one_beats():
    won = 0
    for seed in range(25):
        panel, mean = invented(size=20, quarters=8, seed=seed)
        pair = {"one": Oracle(mean), HISTORICAL_MEAN: Oracle(mean[::-1][::-1])}
        won += evaluate(panel, pair, first_origin=4, horizons=2, draws=200).beats("one").beats
    assert won <= 4


@pytest.mark.slow
def test_everything_is_plain_json_and_repeats(judged):
    panel, mean = invented()
    again = evaluate(panel, {**FAST, "oracle": Oracle(mean)}, first_origin=6, draws=300)
    text = json.dumps(judged.as_dict(), allow_nan=False)
    assert text == json.dumps(again.as_dict(), allow_nan=False)
    plain = json.loads(text)
    assert plain["best"] == "oracle"
    assert {verdict["name"] for verdict in plain["verdicts"]} == {"oracle", "last count", "population share"}


def test_each_origin_sees_what_was_known_then_and_nothing_else():
    panel, _ = invented()
    asked = []

    @dataclass(frozen=True)
    class Spy:
        def forecast(self, history, horizon, draws, seed):
            asked.append((len(history.quarters), horizon, history.counts.max()))
            return np.ones((draws, 30, horizon, 2))

    def known(origin):
        return replace(panel.until(origin), counts=np.full((30, origin, 2), float(origin)))

    steps = []
    evaluate(
        panel, {"spy": Spy()}, first_origin=9, draws=5, load_panel=known, progress=lambda *step: steps.append(step)
    )
    assert asked == [(9, 3, 9.0), (10, 2, 10.0), (11, 1, 11.0)]
    assert steps == [(1, 3, "spy"), (2, 3, "spy"), (3, 3, "spy")]
    with pytest.raises(InputError, match="first 9 quarters"):
        evaluate(panel, {"spy": Spy()}, first_origin=9, draws=5, load_panel=lambda origin: panel)


def test_unknown_counts_are_not_scored():
    panel, mean = invented()
    counts = panel.counts.copy()
    counts[:5, 10] = np.nan
    gaps = replace(panel, counts=counts)
    evaluation = evaluate(gaps, {"oracle": Oracle(mean)}, first_origin=10, horizons=1, draws=50)
    assert evaluation.scores["counts"].sum() == 2 * 60 - 10
    assert np.isfinite(evaluation.scores["log"]).all()
    assert np.isfinite(evaluation.hits["hit_rate"]).all()


@pytest.mark.slow
def test_in_spatial_blocks_no_area_is_forecast_from_its_own_counts():
    panel, _ = invented(size=30)
    blocks = SpatialBlocks(panel.edges, 30, 3)
    only = {HISTORICAL_MEAN: HistoricalMean(), "population share": PopulationShare(12)}
    apart = evaluate(panel, only, first_origin=10, horizons=1, draws=1000, blocks=blocks)
    whole = evaluate(panel, only, first_origin=10, horizons=1, draws=1000)
    score = {
        name: evaluation.scores.set_index("forecaster")["log"]
        for name, evaluation in (("apart", apart), ("whole", whole))
    }
    # Without its own counts an area is forecast by its population's share, and as widely.
    assert score["whole"][HISTORICAL_MEAN] > score["apart"][HISTORICAL_MEAN] + 0.1
    assert score["apart"][HISTORICAL_MEAN] == pytest.approx(score["apart"]["population share"], abs=0.1)


def test_what_cannot_be_evaluated_is_refused():
    panel, _ = invented()

    class Odd:
        def forecast(self, history, horizon, draws, seed):
            return np.ones((draws, 3))

    with pytest.raises(InputError, match="shape"):
        evaluate(panel, {"odd": Odd()}, first_origin=10, draws=5)
    with pytest.raises(InputError, match="more than 12"):
        evaluate(panel, FAST, first_origin=12)
    with pytest.raises(InputError, match="needs a forecaster"):
        evaluate(panel, {}, first_origin=10)


def of_world(seed, signal=True):
    """Return all children found in an invented world, by region and quarter, with their true means."""
    world = worlds.simulate_default_areas(worlds.WorldParameters(seed=seed, signal=signal))
    rows = world.truth.need.query("level == 'region' and pathway != 'none_known'")
    places = world.truth.areas.query("level == 'region' and people > 0")
    rows = rows[rows["area"].isin(places.index)].copy()
    rows["pathway"] = np.where(rows["pathway"] == "internal", "internal", "cross_border")
    rows["mean"] = rows["reported"] + rows["discovered"]
    table = rows.pivot_table(index="area", columns=["quarter", "pathway"], values="mean", aggfunc="sum", observed=True)
    mean = table.loc[places.index].to_numpy().reshape(len(places), 12, 2)
    rng = np.random.default_rng(seed)
    counts = rng.poisson(mean * rng.gamma(20.0, 1 / 20.0, mean.shape)).astype(float)
    days = rows.drop_duplicates(["area", "quarter"]).pivot_table(
        index="area", columns="quarter", values="days", observed=True
    )
    from geo import areas

    index = {code: i for i, code in enumerate(places.index)}
    pairs = [(index[a], index[b]) for a, b in areas.load_areas().neighbours("region") if a in index and b in index]
    return Panel(
        tuple(places.index),
        tuple(places["country"]),
        np.tile(places["children"].to_numpy(float)[:, None] / 1000.0, counts.shape[1]),
        world.parameters.periods,
        ("cross_border", "internal"),
        counts,
        days.loc[places.index].to_numpy(float),
        np.array(pairs),
    )


@pytest.mark.long
def test_on_a_world_of_the_programmes_size_every_baseline_is_judged():
    panel = of_world(3)
    evaluation = evaluate(panel, BASELINES, first_origin=6, draws=300)
    assert set(evaluation.forecasters) == set(BASELINES)
    mean = evaluation.cells.groupby("forecaster", observed=True)["log"].mean()
    # Regions differ in risk and in effort, so whoever knows only their people is far behind.
    assert mean.idxmin() in ("population share", "last count")
    assert evaluation.beats(HISTORICAL_MEAN, "population share").beats
    covered = evaluation.calibration.set_index("forecaster")
    assert covered["in_95"].between(0.85, 1.0).all()
    json.dumps(evaluation.as_dict(), allow_nan=False)
