"""The study of flat worlds: its summary, and false alarms and power in a few worlds."""

import pytest

from benchmarks.studies.flat import FLAT, SIGNAL, Alarms, Study, describe, study


def test_the_summary_counts_worlds_and_says_how_sure_their_share_is():
    name = "constant outreach"
    worlds = [Alarms(name, seed, False, False, changed=seed == 0, cluster=False, shift=False) for seed in range(20)]
    results = Study(tuple(worlds))
    assert results.summary()[name]["changed"] == (1, 20)
    lines = list(describe(results.summary(), 0))
    assert any("1 of 20: 5 % (0 to 25)" in line for line in lines)  # Clopper and Pearson: .13 to 24.9 %
    assert not any("shift" in line or "at its place" in line for line in lines)


@pytest.mark.long
def test_flat_worlds_raise_no_alarm_and_true_changes_do():
    flat = study(1, first_seed=3, laws=tuple(FLAT))
    assert len(flat.worlds) == len(FLAT)
    assert not any(world.possible_break or world.changed or world.cluster for world in flat.worlds)
    (world,) = study(1, first_seed=5, laws=("Greece records three times as many",)).worlds
    assert world.in_place
    (world,) = study(1, first_seed=4, laws=(SIGNAL,)).worlds
    assert world.shift
