"""The attacks on the demo world, as it is published and as its files are shared."""

import pytest

from dashboard.narrative.attacks import TRIED
from data.disclosure.attacks.suite import attack_numbers
from data.release import Release
from data.tables.spec import TIERS


def test_little_of_the_demo_is_withheld(demo_world):
    for tier, most in (("partner", 0.01), ("public", 0.04)):
        release = Release.open(demo_world / "releases", tier)
        states = release.manifest["tact"]["suppressed"]
        counted = [s for name, s in states.items() if name.split("_")[0] in ("children", "encounters", "model")]
        assert sum(s.get("withheld", 0) for s in counted) / len(counted) < most


@pytest.mark.parametrize("tier", TIERS)
def test_the_demo_withstands_the_attacks_on_its_tables(demo_world, tier):
    """All attacks; the full membership attack is a part of the audit (tests/dashboard/test_cli.py)."""
    release = Release.open(demo_world / "releases", tier)
    for attack, found, _ in attack_numbers([], release, thorough=False):
        assert attack in TRIED, "each is told in words"
        assert found == [], attack
