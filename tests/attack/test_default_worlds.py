"""Worlds of the programme's size, released by the defaults: every attack fails, and readers get numbers."""

import runpy
from pathlib import Path

import pytest

from data.disclosure.attacks.membership import LIMITS
from data.release import Release

D = runpy.run_path(str(Path(__file__).parent / "default_worlds.py"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_every_attack_fails_and_readers_get_numbers(seed, tmp_path):
    frame = D["released"](seed, tmp_path)
    found, went = D["attacked"](tmp_path)
    assert found == []
    assert went["public membership"]["one_number"] <= LIMITS[0]
    assert went["public membership"]["all_numbers_low"] <= LIMITS[1]
    lost = D["loss"](D["cells"](frame, Release.open(tmp_path, "public")))
    assert set(lost) == {"AL", "GR"}
    assert max(error for error, _ in lost.values()) < 0.10
    assert max(hidden for _, hidden in lost.values()) < 0.40
