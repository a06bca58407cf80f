import hashlib
import json
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.disclosure.attacks import audit, membership
from data.disclosure.attacks.audit import audit_release
from data.errors import ReleaseError
from data.release import MANIFEST, WITHDRAWN, Release, audits, names
from tests.helpers import small_worlds
from tests.helpers.manifests import edit_manifest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases")
    vault = small_worlds.MemoryVault(encounter=small_worlds.encounters(np.random.default_rng(6), 400, 250))
    for _ in range(2):
        small_worlds.release(vault, folder, plan=small_worlds.SMALL_PLAN)
    return folder


@pytest.fixture(autouse=True)
def few_worlds_in_audits(few_worlds, monkeypatch):
    """Let the membership attack be short: what it finds is tested by itself."""
    monkeypatch.setattr(membership, "attack", partial(membership.attack, worlds=(500,)))


@pytest.fixture
def places(published, tmp_path):
    return shutil.copytree(published, tmp_path / "releases"), tmp_path / "derived"


def test_a_release_passes_and_the_report_names_what_was_attacked_and_is_written_once(places):
    result = audit_release(*places)
    assert result.passed
    assert result.messages == ()
    assert result.report.parent == places[1] / result.release
    report = json.loads((result.report / "report.json").read_text())
    manifest = json.loads((result.report / "manifest.json").read_text())
    assert report["passed"]
    assert {(c["attack"], c["tier"]) for c in report["checks"]} == {
        (a, t)
        for a in (
            *("averaging", "bounds", "checksums", "completeness", "dark_figure", "homogeneity", "indicators"),
            *("membership", "sequence", "surface", "threshold"),
        )
        for t in ("partner", "public")
    }
    assert set(manifest["release_sha256"]) == {"partner", "public"}
    assert manifest["code_version"]
    was = {p.name: p.read_bytes() for p in result.report.iterdir()}
    assert audit_release(*places).report == result.report
    assert {p.name: p.read_bytes() for p in result.report.iterdir()} == was


def test_what_came_out_for_a_tier_stands_by_itself_and_is_what_its_readers_get(places, tmp_path):
    leak = tmp_path / "leak.csv"
    pd.DataFrame({"code": ["AL-11"], "value": [99991]}).to_csv(leak, index=False)
    result = audit_release(*places, files={"partner": [leak]})
    audits_read = {}
    for tier, other in (("partner", "public"), ("public", "partner")):
        release = Release.open(places[0], tier)
        checksum = hashlib.sha256((release.folder / MANIFEST).read_bytes()).hexdigest()
        audits_read[tier] = audits.newest(places[1], result.release, tier, checksum)
        assert {check["tier"] for check in audits_read[tier].checks} == {tier}
        assert len(audits_read[tier].checks) == 11
        text = (result.report / f"{tier}.json").read_text()
        assert other not in text
        assert ("leak.csv" in text) == (tier == "partner")
    assert [attack for attack, _ in audits_read["partner"].reasons] == ["surface"]
    assert "99991" not in audits_read["partner"].reasons[0][1]
    assert not audits_read["partner"].passed
    assert audits_read["public"].passed
    whole = json.loads((result.report / "report.json").read_text())
    assert {finding["tier"] for finding in whole["findings"]} == {"partner"}


def test_without_a_name_the_release_that_is_shown_is_attacked(places, monkeypatch):
    monkeypatch.setattr(audit, "_run_attacks", lambda *_: ())
    newest, before = names(places[0])
    assert audit_release(*places).release == newest
    (places[0] / WITHDRAWN).write_text(newest)
    assert audit_release(*places).release == before


@pytest.mark.long
def test_files_that_leave_are_part_of_it(places, tmp_path):
    leak = tmp_path / "leak.csv"
    pd.DataFrame({"code": ["AL-11"], "value": [99991]}).to_csv(leak, index=False)
    result = audit_release(*places, files={"public": [leak]})
    assert not result.passed
    assert len(result.findings) == 1
    assert "leak.csv" in result.messages[0]
    assert "7" not in result.messages[0].replace("AL-11", "")
    assert result.report != audit_release(*places).report


def test_a_number_below_the_threshold_is_found_and_so_is_a_changed_file(places):
    release = Release.open(places[0], "public")
    path = release.folder / "children_region_year.parquet"
    table = pq.read_table(path).to_pylist()
    table[0].update(value=4, state="number", margin=5)
    pq.write_table(pa.Table.from_pylist(table), path)
    for attack in ("checksums", "threshold"):
        result = audit_release(*places)
        assert not result.passed
        report = json.loads((result.report / "report.json").read_text())
        assert attack in {f["attack"] for f in report["findings"]}
        with edit_manifest(release.folder / MANIFEST):  # as if it had been published so
            pass


def test_a_release_that_is_not_there_is_named(places):
    with pytest.raises(ReleaseError, match="'nothing'"):
        audit_release(*places, "nothing")


@pytest.mark.long
def test_an_early_release_is_attacked_with_what_was_known_then(places, monkeypatch):
    attacked = []
    monkeypatch.setattr(audit, "attack_numbers", lambda before, it: attacked.append((it.name, len(before))) or ())
    for name in ("2007-05-001", "2007-05-002"):
        assert audit_release(*places, name).release == name
    assert attacked == [("2007-05-001", 0)] * 2 + [("2007-05-002", 1)] * 2


@pytest.mark.long
def test_an_audit_tells_each_attack_before_it_begins(places):
    steps = []
    audit_release(*places, progress=lambda done, total, step: steps.append((done / total, step)))
    assert {step for _, step in steps} >= {"checksums", "bounds", "membership", "surface"}
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[0] == 0
    searched = [share for share, step in steps if step == "surface"]
    assert searched[-1] - searched[0] > 0.5, "most of the time goes to the search of files"
    assert 0.9 < shares[-1] < 1
