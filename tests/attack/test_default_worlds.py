"""A world as large as the programme, released with the defaults: every attack fails, and readers see numbers."""

import pytest

from data.disclosure.attacks.membership.attacker import LIMITS
from data.release import Release
from data.tables.spec import TIERS
from tests.helpers import default_worlds


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_every_attack_fails_and_readers_get_numbers(tmp_path, seed):
    """The same of the demo, in every run: test_demo.py."""
    frame = default_worlds.released(seed, tmp_path)
    findings, went = default_worlds.attacked(tmp_path)
    assert findings == []
    assert {f"{tier} membership" for tier in TIERS} <= set(went)
    assert went["public membership"]["one_number"] <= LIMITS[0]
    assert went["public membership"]["all_numbers_low"] <= LIMITS[1]
    lost = default_worlds.loss(default_worlds.cells(frame, Release.open(tmp_path, "public")))
    assert set(lost) == {"AL", "GR"}
    assert max(error for error, _ in lost.values()) < 0.10
    assert max(hidden for _, hidden in lost.values()) < 0.40
