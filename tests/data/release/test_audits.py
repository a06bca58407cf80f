"""The newest audit of a release is found, and nothing else is taken for it."""

import hashlib

import pytest

from data.errors import ReleaseDamaged
from data.release import MANIFEST, audits
from tests.helpers import small_release
from tests.helpers.audit_reports import write

FOUND = {"attack": "bounds", "table": "t", "cell": {"area": "AL-11"}, "reason": "is known"}


@pytest.fixture
def release(tmp_path):
    return small_release.make(tmp_path / "releases", "public")


def newest(derived, release):
    checksum = hashlib.sha256((release.folder / MANIFEST).read_bytes()).hexdigest()
    return audits.newest(derived, release.name, release.tier, checksum)


def test_the_newest_one_counts_whatever_its_folder_is_called(release, tmp_path):
    write(tmp_path, release, "2026-11-02T00:00:00Z", "b")
    write(tmp_path, release, "2026-11-03T00:00:00Z", "a")
    write(tmp_path, release, "2026-11-01T00:00:00Z", "c")
    assert newest(tmp_path, release).created == "2026-11-03T00:00:00Z"


def test_without_a_report_or_a_folder_there_is_none(release, tmp_path):
    assert newest(None, release) is None
    assert newest(tmp_path / "nowhere", release) is None
    (tmp_path / release.name).mkdir()
    assert newest(tmp_path, release) is None


def test_a_report_of_the_other_tier_is_none(release, tmp_path):
    partner = small_release.make(tmp_path / "releases", "partner")
    write(tmp_path, partner)
    assert newest(tmp_path, release) is None
    assert newest(tmp_path, partner) is not None
    # Not even where its content stands under this tier's name.
    write(tmp_path, release, instead={"tier": "partner"})
    assert newest(tmp_path, release) is None


def test_a_report_of_a_release_that_was_changed_since_is_none(release, tmp_path):
    write(tmp_path, release)
    assert newest(tmp_path, release) is not None
    with (release.folder / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write(" ")
    assert newest(tmp_path, release) is None


def test_a_damaged_report_is_said_to_be_damaged(release, tmp_path):
    write(tmp_path, release, "2026-11-01T00:00:00Z")
    path = write(tmp_path, release, "2026-11-02T00:00:00Z")
    for text in ("{", "[]", '"x"', "\udcff", path.read_text("utf-8").replace("bounds", "bonds")):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(ReleaseDamaged, match=r"public\.json is damaged or was changed.*tact audit"):
            newest(tmp_path, release)


def test_a_report_of_another_layout_is_passed_over(release, tmp_path):
    write(tmp_path, release, "2026-11-01T00:00:00Z")
    for number, wrong in enumerate(({"created": 3}, {"checks": {}}, {"checks": []}, {"findings": None})):
        write(tmp_path, release, f"2026-11-03T00:00:0{number}Z", str(number), instead=wrong)
    assert newest(tmp_path, release).created == "2026-11-01T00:00:00Z"


def test_one_that_is_being_written_is_not_read(release, tmp_path):
    path = write(tmp_path, release)
    path.parent.rename(path.parent.with_name(f".tmp-{path.parent.name}"))
    assert newest(tmp_path, release) is None


def test_what_was_found_is_told_once_a_reason_and_without_places(release, tmp_path):
    write(tmp_path, release, findings=[FOUND, {**FOUND, "cell": {"area": "AL-01"}}])
    report = newest(tmp_path, release)
    assert report.reasons == (("bounds", "is known"),)
    assert not report.passed
    assert not report.check("bounds")["passed"]
    assert report.check("nothing") == {}


def test_it_passes_only_where_every_attack_did(release, tmp_path):
    write(tmp_path, release)
    assert newest(tmp_path, release).passed
    write(tmp_path, release, "2026-11-25T00:00:00Z", checks=[{"attack": "bounds", "passed": "yes"}])
    assert not newest(tmp_path, release).passed
