import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from data.disclosure.policy import DEFAULT_POLICY
from data.errors import ReleaseError
from data.release import MANIFEST, WITHDRAWN, Release, current_name, find_release, list_earlier, names, shown_name
from tests.helpers import small_worlds
from tests.helpers.manifests import edit_manifest
from tests.helpers.paths import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("releases")
    vault = small_worlds.MemoryVault(encounter=small_worlds.encounters(np.random.default_rng(2), 200, 100))
    small_worlds.release(vault, path, plan=small_worlds.SMALL_PLAN)
    return path


def test_nothing_is_there_yet(tmp_path):
    assert current_name(tmp_path) is None
    assert names(tmp_path / "missing") == []
    with pytest.raises(ReleaseError, match="tact release"):
        Release.open(tmp_path, "public")


def test_a_release_that_is_not_there_is_named_with_those_that_are(folder):
    with pytest.raises(ReleaseError, match=r"'1999'.*2007-05-001"):
        Release.open(folder, "public", "1999")


@pytest.mark.parametrize("spelling", ["{}/", "./{}", "{}/.", "{0}/../{0}"])
def test_a_release_has_one_spelling(folder, spelling):
    """In another one, a release that was taken back would be opened."""
    name = current_name(folder)
    with pytest.raises(ReleaseError, match="There are: 2007-05-001"):
        Release.open(folder, "public", spelling.format(name))
    assert find_release(folder / spelling.format(name) / "public" / "..") == (folder, name)


def test_tables_keep_whole_numbers_and_missing_ones(folder):
    release = Release.open(folder, "public")
    frame = release.table("children_region_year")
    assert str(frame["value"].dtype) == str(frame["margin"].dtype) == "Int64"
    assert frame["value"].isna().any()
    assert release.k == DEFAULT_POLICY.k
    assert release.invented
    with pytest.raises(ReleaseError, match="no table"):
        release.table("children_municipality_quarter")


def test_what_it_is_opened_without_is_as_if_it_had_never_been(folder):
    without = Release.open(folder, "public", without=["children"])
    assert "figures" in without.tables
    assert not any(name.startswith("children") for name in without.tables)
    assert any(name.startswith("children") for name in Release.open(folder, "public").tables)
    with pytest.raises(ReleaseError, match="no table"):
        without.table("children_region_year")


def test_an_open_release_has_one_checksum_for_as_long_as_it_is_open(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "releases")
    release = Release.open(tmp_path / "releases", "public")
    manifest = release.folder / MANIFEST
    before = hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert release.checksum == before
    with edit_manifest(manifest) as described:
        described["created"] = "2000-01-01T00:00:00Z"
    assert release.checksum == before != Release.open(tmp_path / "releases", "public").checksum


def test_the_checksum_of_the_areas_is_that_of_the_file(folder):
    release = Release.open(folder, "public")
    assert release.areas_checksum == hashlib.sha256(release.areas_file.read_bytes()).hexdigest()


@pytest.fixture
def three(tmp_path):
    """Return a folder of three releases, in which each has a manifest and nothing else."""
    for name, sequence in (("b-001", 1), ("a-001", 2), ("c-001", 3)):
        (tmp_path / name / "public").mkdir(parents=True)
        described = {"tact": {"sequence": sequence}, "created": "2009-06-01T00:00:00Z"}
        (tmp_path / name / "public" / MANIFEST).write_text(json.dumps(described))
    return tmp_path


def test_releases_are_listed_newest_first_by_their_running_number(three):
    (three / ".tmp-d").mkdir()
    assert names(three) == ["c-001", "a-001", "b-001"]


def test_a_release_that_was_taken_back_is_before_no_other_and_stays_published(three):
    assert list_earlier(three, "c-001") == ["a-001", "b-001"]
    (three / WITHDRAWN).write_text("a-001\n")
    assert list_earlier(three, "c-001") == list_earlier(three, "a-001") == ["b-001"]
    assert names(three) == ["c-001", "a-001", "b-001"]


def test_where_the_current_release_was_taken_back_the_one_before_it_is_shown(three):
    assert shown_name(three) is None
    (three / "current").write_text("c-001\n")
    assert shown_name(three) == "c-001"
    (three / WITHDRAWN).write_text("c-001\na-001\n")
    assert (shown_name(three), current_name(three)) == ("b-001", "c-001")
    assert Release.open(three, "public").name == "b-001"
    (three / WITHDRAWN).write_text("c-001\na-001\nb-001\n")
    assert shown_name(three) is None


@pytest.mark.slow
def test_reading_a_release_loads_nothing_from_behind_the_wall(folder):
    program = (
        "import sys; from pathlib import Path; from data.release import Release, names\n"
        f"r = Release.open(Path({str(folder)!r}), 'public'); [r.table(t) for t in r.tables]\n"
        "import data.disclosure.attacks.audit\n"
        "bad = [m for m in sys.modules if m.startswith(('data.restricted', 'sqlcipher3', 'keyring'))]\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
