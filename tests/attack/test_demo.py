"""The attacks on the demo world, as it is published and as its files are shared."""

import pandas as pd
import pytest

from dashboard.narrative.attacks import TRIED
from data.disclosure.attacks.membership.attacker import LIMITS
from data.disclosure.attacks.suite import attack_numbers
from data.release import Release
from data.restricted.vault import open_vault
from data.tables.spec import TIERS
from data.workspace import Workspace
from tests.helpers import default_worlds, small_worlds

ON_NUMBERS = {
    "threshold",
    "indicators",
    "completeness",
    "bounds",
    "homogeneity",
    "averaging",
    "sequence",
    "dark_figure",
    "membership",
}


def test_little_of_the_demo_is_withheld(demo_world):
    for tier, most in (("partner", 0.01), ("public", 0.04)):
        release = Release.open(demo_world / "releases", tier)
        states = release.manifest["tact"]["suppressed"]
        counted = [s for name, s in states.items() if name.split("_")[0] in ("children", "encounters", "model")]
        assert sum(s.get("withheld", 0) for s in counted) / len(counted) < most


@pytest.mark.always("partner")
@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_the_demo_withstands_the_attacks_on_its_tables(demo_world, tier):
    """All attacks, the membership attack as it is made with each release."""
    release = Release.open(demo_world / "releases", tier)
    outcomes = {attack: findings for attack, findings, _ in attack_numbers([], release, thorough=False)}
    assert set(outcomes) == ON_NUMBERS - ({"membership"} if tier == "partner" else set())
    assert set(outcomes) <= set(TRIED), "each is told in words"
    assert {attack: findings for attack, findings in outcomes.items() if findings} == {}


@pytest.mark.slow
def test_all_public_numbers_of_the_demo_reveal_no_child_and_readers_see_most_of_them(demo_world, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(demo_world.parent / "demo-config"))
    release = Release.open(demo_world / "releases", "public")
    outcomes = {name: (findings, dict(measured)) for name, findings, measured in attack_numbers([], release)}
    assert {name: findings for name, (findings, _) in outcomes.items() if findings} == {}
    assert outcomes["membership"][1]["one_number"] <= LIMITS[0]
    assert outcomes["membership"][1]["all_numbers_low"] <= LIMITS[1]
    with open_vault(Workspace.open(demo_world)) as vault:
        batches = [batch.to_pandas() for batch in vault.read("encounter", small_worlds.COLUMNS)]
    lost = default_worlds.loss(default_worlds.cells(pd.concat(batches).astype("str"), release))
    assert set(lost) == {"AL", "GR"}
    assert max(error for error, _ in lost.values()) < 0.10
    assert max(hidden for _, hidden in lost.values()) < 0.40
