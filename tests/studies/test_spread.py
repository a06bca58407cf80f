"""The study of wrong premises about finding: its worlds, and what it counts."""

import numpy as np
import pytest

from benchmarks.studies.observe import observe_release
from benchmarks.studies.spread import NAMES, Study, _drop_days, _set_up, describe, study_world
from benchmarks.worlds import simulate_default_areas


def test_each_case_has_the_worlds_that_its_name_says():
    flat, signal = (_set_up(1, case) for case in ("flat 0.5", "signal 0.35"))
    assert (flat.signal, flat.detection_log_sd) == (False, 0.5)
    assert (signal.signal, signal.detection_log_sd) == (True, 0.35)
    assert _set_up(1, "lockdown").laws == ("lockdown",)
    observations = observe_release(simulate_default_areas(_set_up(1, "no days")))
    third, none = (_drop_days(observations, 1, case) for case in ("third without days", "no days"))
    lost = (third.effort.sum(axis=1) == 0) & (observations.effort.sum(axis=1) > 0)
    assert 0.2 < lost.mean() <= 0.34
    assert not none.effort.any()
    np.testing.assert_array_equal(third.published, observations.published)


@pytest.mark.long
@pytest.mark.parametrize("case", ["flat 0.35", "third without days"])
def test_words_and_intervals_hold_where_finding_is_not_as_assumed(case):
    study = Study(tuple(study_world((seed, case)) for seed in (1, 2)))
    row = study.summary()[case]
    assert row["very_likely_right"] >= 0.85
    assert row["rate"] >= 0.85
    assert case in NAMES
    assert len(list(describe(study.summary(), 1))) == 3
