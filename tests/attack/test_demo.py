"""The demo world under attack, as it is published and as it leaves."""

import pytest

from dashboard.pages.method.attacks import TRIED
from data.disclosure.attacks.audit import audit_release
from data.release import Release
from data.tables.spec import TIERS


def test_the_demo_withstands_its_audit(demo_world, tmp_path):
    result = audit_release(demo_world / "releases", tmp_path)
    assert result.findings == ()
    assert {check["attack"] for check in result.checks} <= set(TRIED), "each is told in words"


def test_little_of_the_demo_is_withheld(demo_world):
    for tier, most in (("partner", 0.01), ("public", 0.04)):
        release = Release.open(demo_world / "releases", tier)
        states = release.manifest["tact"]["suppressed"]
        counted = [s for name, s in states.items() if name.split("_")[0] in ("children", "encounters", "model")]
        assert sum(s.get("withheld", 0) for s in counted) / len(counted) < most


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_no_file_that_leaves_holds_more_than_the_release(demo_world, tmp_path, tier):
    from geo import export

    release = Release.open(demo_world / "releases", tier)
    files = export.export_layers(release, tmp_path / "files", export.FORMATS)
    assert len(files) > 10
    result = audit_release(demo_world / "releases", tmp_path / "derived", files={tier: files})
    assert result.findings == ()
