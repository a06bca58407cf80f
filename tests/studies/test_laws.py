"""The study of laws compares the model with its rivals, and says where it loses."""

import pytest

from benchmarks.studies.laws import Result, Study, describe, study
from risk.evaluation.baselines import BASELINES
from risk.evaluation.risk_model import MODEL


def test_the_summary_counts_how_often_the_model_is_beaten():
    rows = [
        Result("seasons", seed, name, log, 1.0, 0.95, 0.5, 0.4, by_log, 0)
        for seed in (0, 1)
        for name, log, by_log in ((MODEL, -2.0, 0), ("last count", -1.0 - seed, -1 if seed else 1))
    ]
    summary = Study(tuple(rows)).summary()
    rival = summary["laws"]["seasons"]["last count"]
    assert summary["worlds"] == 2
    assert (rival["log"], rival["beats_log"], rival["beaten_log"], rival["beaten_crps"]) == (-1.5, 1, 1, 0)
    lines = list(describe(summary, 0))
    assert [line.split("  ")[0] for line in lines[-2:]] == ["last count", MODEL]  # the better one first
    assert lines[-2].endswith("1, 1; 0, 0")


@pytest.mark.long
def test_a_world_of_another_law_is_forecast_by_all():
    rows = study(1, first_seed=2, laws=("delays",)).summary()["laws"]["delays"]
    assert list(rows) == [*BASELINES, MODEL]
    assert all(0 <= row["covered"] <= 1 and 0 < row["hit_rate"] <= 1 for row in rows.values())
    assert rows[MODEL]["correlation"] > 0.4
