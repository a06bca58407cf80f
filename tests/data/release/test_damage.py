"""A changed file of a release, or of what was made from it, is never read: the message names it and the remedy."""

import json
import random
import shutil

import pytest

from data.errors import ReleaseDamaged, TactError
from data.release import MANIFEST, Release, audits, names
from data.release.stamp import format_stamped, read_stamped
from geo.areas import read_areas
from tests.helpers.audit_reports import write as write_report
from tests.helpers.nonempty import nonempty


def flip(path, place=None):
    """Change one bit of a file."""
    raw = bytearray(path.read_bytes())
    place = random.Random(path.name).randrange(len(raw)) if place is None else place
    raw[place] ^= 1 << (place % 8)
    path.write_bytes(raw)


def read_all(releases, derived, tier, first=""):
    """Read everything of a tier that a page, an export or the model may ask for, one table before all others."""
    release = Release.open(releases, tier, derived=derived)
    if first == release.areas_file.stem:
        read_areas(release.areas_file)
    for table in sorted(release.tables, key=lambda table: table != first):
        release.table(table)
    read_areas(release.areas_file)
    audits.newest(derived, release.name, tier, release.checksum)
    names(releases)


@pytest.fixture(scope="module")
def world(scored, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    releases, derived = folder / "releases", folder / "derived"
    shutil.copytree(scored.releases, releases)
    shutil.copytree(scored.derived, derived)
    for tier in ("partner", "public"):
        write_report(derived, Release.open(releases, tier))
    return releases, derived


def list_files(world, tier):
    """List the files that a process of a tier reads: of the release, of results of the model, and of the audit."""
    releases, derived = world
    release = Release.open(releases, tier, derived=derived)
    results = [path for result in release.added for path in result.folder.iterdir()]
    return [*release.folder.iterdir(), *results, *derived.rglob(f"{tier}.json")]


@pytest.mark.slow
@pytest.mark.parametrize("tier", ["partner", "public"])
def test_one_bit_of_any_file_is_enough(world, tier):
    read_all(*world, tier)
    files = list_files(world, tier)
    assert {path.suffix for path in files} == {".parquet", ".json"}
    for path in files:
        whole = path.read_bytes()
        flip(path)
        with pytest.raises(ReleaseDamaged, match="damaged or was changed") as error:
            read_all(*world, tier, path.stem)
        assert str(path) in str(error.value)
        assert "copy" in str(error.value) or "tact" in str(error.value)
        path.write_bytes(whole)
    read_all(*world, tier)


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_a_file_that_is_gone_is_named(world, tier):
    for path in nonempty(list_files(world, tier)):
        if path.suffix == ".parquet":
            aside = path.rename(path.with_suffix(".aside"))
            with pytest.raises(ReleaseDamaged, match="is missing"):
                read_all(*world, tier, path.stem)
            aside.rename(path)


def test_every_bit_of_a_manifest_counts(tmp_path):
    path = tmp_path / MANIFEST
    text = format_stamped({"tact": {"k": 11}, "words": "Tiranë"})
    for place in nonempty(range(len(text.encode()))):
        path.write_text(text, encoding="utf-8")
        assert read_stamped(path, "")["tact"]["k"] == 11
        flip(path, place)
        with pytest.raises(ReleaseDamaged):
            read_stamped(path, "")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"null"])
def test_what_is_no_document_is_damaged(tmp_path, content):
    path = tmp_path / MANIFEST
    path.write_bytes(content)
    with pytest.raises(ReleaseDamaged, match="call the officer"):
        read_stamped(path, "call the officer")


def test_a_document_is_stamped_once_and_one_from_before_is_read(tmp_path):
    path, document = tmp_path / MANIFEST, {"a": [1, {"b": None}], "z": "é"}
    path.write_text(json.dumps(document))
    assert read_stamped(path, "") == document
    path.write_text(format_stamped(document), encoding="utf-8")
    assert read_stamped(path, "") == document
    assert format_stamped(json.loads(path.read_text("utf-8"))) == format_stamped(document)


def test_a_damaged_name_of_the_current_release_is_the_name_of_none(world):
    current = world[0] / "current"
    whole = current.read_bytes()
    for place in nonempty(range(len(whole) - 1)):
        for bit in (1, 2, 16, 128):
            raw = bytearray(whole)
            raw[place] ^= bit
            current.write_bytes(raw)
            with pytest.raises(TactError, match="There are: 2"):
                Release.open(world[0], "public")
    current.write_bytes(whole)


def test_the_release_says_what_is_wrong_with_all_of_its_files(world):
    release = Release.open(world[0], "public")
    first, second = sorted(release.folder.glob("*.parquet"))[:2]
    originals = [(path, path.read_bytes()) for path in (first, second)]
    flip(first)
    second.unlink()
    problems = release.check()
    for path, whole in originals:
        path.write_bytes(whole)
    assert sorted(problem.partition(". ")[0] for problem in problems) == [
        f"{first} is damaged or was changed",
        f"{second} is missing",
    ]
