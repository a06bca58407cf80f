"""The study of clusters: false alarms of one world without differences, and what a world with differences shows."""

import pytest

from benchmarks.studies.clusters import describe, study


@pytest.mark.long
def test_a_world_without_differences_shows_no_cluster_and_one_with_differences_does():
    results = study(1)
    quiet, signal = results.worlds
    assert (quiet.signal, signal.signal) == (False, True)
    assert len(quiet.p) == len(signal.p) == 4  # two countries, two pathways
    assert quiet.shown == quiet.areas == 0
    assert signal.areas >= signal.shown > 0
    summary = results.summary()
    assert (summary["worlds"], summary["worlds_with_differences"], summary["false_releases"]) == (1, 1, 0.0)
    assert len(list(describe(summary, 0))) == 8
