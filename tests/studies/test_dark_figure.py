from functools import partial

import pytest

from benchmarks.studies.dark_figure import LAWS, describe, study_dark_figure
from data.capture import estimate_population

pytestmark = pytest.mark.long


def test_intervals_of_invented_lists_hold_the_truth_or_it_cannot_tell(monkeypatch):
    quick = partial(estimate_population, replicates=60)
    monkeypatch.setattr("benchmarks.studies.dark_figure.estimate_population", quick)
    study = study_dark_figure(1, first_seed=2)
    assert len(study.answers) == 2 * len(LAWS)
    summary = study.summary()
    assert summary["exact, all"]["coverage"] >= 0.6
    assert all(row["estimated"] + sum(row["cannot_tell"].values()) == row["tables"] for row in summary.values())
    assert len(list(describe(summary, 2))) == 1 + len(summary)
