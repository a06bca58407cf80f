"""A derived result is read with its release, if it belongs to that release and is complete."""

import json
import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from data.errors import ReleaseDamaged
from data.release import MANIFEST as RELEASE_MANIFEST
from data.release import Release, derived
from data.release.derived import publish
from data.release.result import KINDS, MANIFEST, Table, latest, newest
from data.release.stamp import format_stamped

ROWS = pa.table({"area": ["AL-11"], "period": ["2006-06-01/P1Y"], "state": ["number"], "value": [1.5]})
TABLE = Table("risk", "region", "year", (), "Risk class", ROWS)


@pytest.fixture
def places(demo_world, tmp_path):
    shutil.copytree(demo_world / "releases", tmp_path / "releases")
    return tmp_path / "releases", tmp_path / "derived"


def test_its_tables_are_read_like_the_releases_own(places):
    releases, folder = places
    alone = Release.open(releases, "public")
    result = publish(folder, alone, KINDS[0], [TABLE], {"parameters": {"seed": 1}})
    both = Release.open(releases, "public", derived=folder)
    assert set(both.tables) == {*alone.tables, TABLE.name}
    assert both.table(TABLE.name)["value"].tolist() == [1.5]
    assert both.result(KINDS[0]).manifest["parameters"] == {"seed": 1}
    assert both.manifest["tact"] == alone.manifest["tact"]
    assert both.check() == []
    (result.folder / f"{TABLE.name}.parquet").write_bytes(b"no table")
    assert "was changed" in both.check()[0]


def test_the_same_is_written_once_and_the_newest_counts(places):
    releases, folder = places
    release = Release.open(releases, "public")
    first = publish(folder, release, KINDS[0], [TABLE], {"parameters": {"seed": 1}})
    text = (first.folder / MANIFEST).read_text()
    assert publish(folder, release, KINDS[0], [TABLE], {"parameters": {"seed": 1}}).folder == first.folder
    assert (first.folder / MANIFEST).read_text() == text
    second = publish(folder, release, KINDS[0], [TABLE], {"parameters": {"seed": 2}})
    path = second.folder / MANIFEST
    later = {**json.loads(path.read_text()), "created": "2999-01-01T00:00:00Z"}
    path.write_text(format_stamped(later))
    assert newest(folder, release.name, "public", release.checksum, KINDS[0]).folder == second.folder
    assert sorted(p.name for p in (folder / release.name).iterdir()) == sorted([first.folder.name, second.folder.name])


def test_of_results_made_in_the_same_second_the_last_counts(places):
    releases, folder = places
    release = Release.open(releases, "public")
    for seed in range(12):
        result = publish(folder, release, KINDS[0], [TABLE], {"parameters": {"seed": seed}})
        assert newest(folder, release.name, "public", release.checksum, KINDS[0]).folder == result.folder


@pytest.mark.parametrize("harm", ["other tier", "other release", "other format"])
def test_a_result_of_anything_else_is_none(places, harm):
    releases, folder = places
    release = Release.open(releases, "public")
    result = publish(folder, release, KINDS[0], [TABLE], {})
    manifest = result.folder / MANIFEST
    if harm == "other tier":
        assert Release.open(releases, "partner", derived=folder).added == ()
        return
    if harm == "other release":
        path = release.folder / RELEASE_MANIFEST
        path.write_text(format_stamped({**json.loads(path.read_text()), "version": "another"}))
    else:
        manifest.write_text(format_stamped({**json.loads(manifest.read_text()), "format": 99}))
    assert Release.open(releases, "public", derived=folder).added == ()


def test_a_damaged_result_is_said_to_be_damaged(places):
    releases, folder = places
    manifest = publish(folder, Release.open(releases, "public"), KINDS[0], [TABLE], {}).folder / MANIFEST
    for text in (manifest.read_text()[:-20], manifest.read_text().replace("AL-11", "AL-12").replace("risk", "rise")):
        manifest.write_text(text)
        with pytest.raises(ReleaseDamaged, match=r"damaged or was changed.*tact risk"):
            Release.open(releases, "public", derived=folder)


def test_a_failure_while_writing_leaves_nothing(places, monkeypatch):
    releases, folder = places

    def full(*_args, **_rest):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(derived.pq, "write_table", full)
    release = Release.open(releases, "public")
    with pytest.raises(OSError, match="No space"):
        publish(folder, release, KINDS[0], [TABLE], {})
    assert list((folder / release.name).iterdir()) == []
    assert Release.open(releases, "public", derived=folder).added == ()


def test_what_comes_back_after_another_result_is_the_newest_again(places, monkeypatch):
    releases, folder = places
    release = Release.open(releases, "public")

    def publish_seed(seed):
        return publish(folder, release, KINDS[0], [TABLE], {"parameters": {"seed": seed}})

    class Clock:
        hour = 0

        @classmethod
        def now(cls, _zone):
            cls.hour += 1
            return datetime(2026, 1, 1, cls.hour, tzinfo=UTC)

    monkeypatch.setattr(derived, "datetime", Clock)
    first, second, again = publish_seed(1), publish_seed(2), publish_seed(1)
    assert again.folder not in (first.folder, second.folder)
    assert again.manifest["after"] == second.folder.name
    assert newest(folder, release.name, "public", release.checksum, KINDS[0]) == again
    assert latest(folder, "public", KINDS[0]) == again
    assert latest(folder, "partner", KINDS[0]) is None
    assert publish_seed(1) == again, "the newest is not written twice"
