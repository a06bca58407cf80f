"""A file is hashed once in a process, and again as soon as it changes, whatever its times of writing say."""

import hashlib
import os

import pytest

from data.release import whole_file
from data.release.whole_file import is_whole, read_whole

WORDS, OTHERS = b"seventeen letters", b"seventeen Letters"


@pytest.fixture
def hashes(monkeypatch):
    """Count the hashes that are computed; files count as old from the moment they are written."""
    computed = []

    def compute(raw):
        computed.append(raw)
        return hashlib.sha256(raw)

    monkeypatch.setattr(whole_file, "hashlib", type("Hashes", (), {"sha256": staticmethod(compute)}))
    monkeypatch.setattr(whole_file, "_RECENT", -1)
    return computed


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "children.parquet"
    path.write_bytes(WORDS)
    return path


def test_an_unchanged_file_is_hashed_once(file, hashes):
    digest = hashlib.sha256(WORDS).hexdigest()
    assert [read_whole(file, digest), read_whole(file, f"sha256:{digest}")] == [WORDS, WORDS]
    assert is_whole(file, digest)
    assert is_whole(str(file), digest)
    assert hashes == [WORDS]
    assert read_whole(file, hashlib.sha256(OTHERS).hexdigest()) is None, (
        "known by another hash is not known by this one"
    )


def test_a_change_that_keeps_size_and_time_of_writing_is_noticed(file, hashes):
    digest, status = hashlib.sha256(WORDS).hexdigest(), file.stat()
    assert is_whole(file, digest)
    while file.stat().st_ctime_ns == status.st_ctime_ns:  # clocks of disks have coarse ticks
        file.write_bytes(OTHERS)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert (read_whole(file, digest), is_whole(file, digest)) == (None, False)
    file.write_bytes(WORDS)
    assert is_whole(file, digest)


def test_a_file_in_the_place_of_another_is_noticed_and_a_missing_one_is_not_whole(file, hashes, tmp_path):
    digest = hashlib.sha256(WORDS).hexdigest()
    assert is_whole(file, digest)
    aside = tmp_path / "aside"
    aside.write_bytes(OTHERS)
    aside.replace(file)
    assert not is_whole(file, digest)
    file.unlink()
    assert (read_whole(file, digest), is_whole(file, digest)) == (None, False)


def test_a_file_that_was_written_just_now_is_hashed_each_time(file, hashes, monkeypatch):
    monkeypatch.setattr(whole_file, "_RECENT", 10**12)
    digest = hashlib.sha256(WORDS).hexdigest()
    assert is_whole(file, digest)
    assert is_whole(file, digest)
    assert hashes == [WORDS, WORDS]
