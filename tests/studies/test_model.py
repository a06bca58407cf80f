"""The study of the risk model on invented worlds: its measures, and the same results each time."""

import numpy as np
import pytest

from benchmarks.studies.model import Alarms, SignalResults, Study, study


def test_the_summary_is_the_mean_of_the_worlds():
    signals = [
        SignalResults(
            seed, kind, 0.8, 0.8 + 0.1 * seed, (0.9 - 0.1 * (kind == "protected"), 0.8), (0.5, 0.8, 0.95), (0, 8, 9)
        )
        for seed in (0, 1)
        for kind in ("exact", "protected")
    ]
    alarms = [Alarms(0, (0.0, 0.1), (0.0, 0.0), 0.1, 0), Alarms(1, (0.0, 0.0), (0.2, 0.0), 0.2, 1)]
    summary = Study(tuple(signals), tuple(alarms)).summary()
    assert summary["worlds"] == 2
    assert summary["exact"]["correlation"] == [0.9, 0.8]
    assert summary["cost_of_the_wall"] == [0.1, 0.0]
    assert summary["exact"]["gamma_off"] == 0.05
    assert summary["protected"]["shift_by_eighth"] == [0.0, 1.0, 0.0]
    assert summary["protected"]["shift_ever"] == [0.0, 1.0, 1.0]
    assert summary["no_signal"]["flagged_at_a_release_high"] == [0.0, 0.05]
    assert summary["no_signal"]["flagged_ever"] == 0.15
    assert summary["no_signal"]["without_a_warning"] == 1


@pytest.mark.long
def test_worlds_are_found_out_and_quiet_ones_left_alone():
    summary = study(1, first_seed=3).summary()
    for kind in ("exact", "protected"):
        assert min(summary[kind]["correlation"]) > 0.7
        assert summary[kind]["covered"][2] > 0.85
        assert summary[kind]["shift_ever"][2] == 1
    assert max(map(abs, summary["cost_of_the_wall"])) < 0.15
    assert summary["no_signal"]["flagged_ever"] <= 0.1
    assert summary["no_signal"]["without_a_warning"] == 0
    assert np.isfinite(summary["exact"]["gamma_off"])
    assert min(summary["moving_hotspot"]["moving"]) > 0.5
