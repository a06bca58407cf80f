import errno
import os
import stat

import pytest

from data.errors import DiskFull, ReleaseError
from data.workspace import files

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes")


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_write_replaces_the_content_and_leaves_nothing_aside(tmp_path):
    path = tmp_path / "current"
    files.write_text(path, "första\n")
    files.write_text(path, "δεύτερο\n")
    assert path.read_bytes() == "δεύτερο\n".encode()
    assert names(tmp_path) == ["current"]


@posix
def test_a_secret_is_never_readable_by_others_even_for_a_moment(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(files, "fsync_file", lambda p: seen.append(stat.S_IMODE(p.stat().st_mode)))
    files.write_bytes(tmp_path / "key", b"x", mode=0o600)
    assert seen[0] == 0o600
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_failed_write_keeps_the_old_content(tmp_path):
    path = tmp_path / "f"
    files.write_bytes(path, b"old")

    def interrupted():
        with files.replacing(path) as aside:
            aside.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_no_room_is_a_full_disk_and_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "f"
    files.write_bytes(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DiskFull, match="disk is full"):
        files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_the_file_is_on_disk_before_its_name_and_the_name_before_the_return(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(files, "fsync_file", lambda p: calls.append(("file", p.name)))
    monkeypatch.setattr(files, "fsync_folder", lambda p: calls.append(("folder", p.name)))
    replace = files.Path.replace
    monkeypatch.setattr(files.Path, "replace", lambda s, t: (calls.append(("rename", t.name)), replace(s, t))[1])
    files.write_bytes(tmp_path / "f", b"x")
    assert [c[0] for c in calls] == ["file", "rename", "folder"]


def test_publish_moves_the_whole_folder(tmp_path):
    aside = tmp_path / ".aside"
    (aside / "partner").mkdir(parents=True)
    (aside / "partner" / "t.parquet").write_bytes(b"1")
    files.publish_folder(aside, tmp_path / "r1")
    assert (tmp_path / "r1" / "partner" / "t.parquet").read_bytes() == b"1"
    assert names(tmp_path) == ["r1"]


@pytest.mark.parametrize("content", ["empty folder", "full folder", "file", "dangling link"])
def test_publish_refuses_a_name_that_is_taken(tmp_path, content):
    final, aside = tmp_path / "r1", tmp_path / ".aside"
    if content == "file":
        final.write_text("x")
    elif content == "dangling link":
        final.symlink_to(tmp_path / "nowhere")
    else:
        final.mkdir()
        if content == "full folder":
            (final / "old").write_text("x")
    aside.mkdir()
    (aside / "new").write_text("y")
    with pytest.raises(ReleaseError, match="already exists"):
        files.publish_folder(aside, final)
    assert (aside / "new").exists()
    assert not (final / "new").exists()


def test_publish_flushes_every_file_and_folder_before_the_rename(tmp_path, monkeypatch):
    aside = tmp_path / ".aside"
    (aside / "public").mkdir(parents=True)
    (aside / "public" / "a").write_bytes(b"1")
    (aside / "b").write_bytes(b"2")
    flushed = []
    monkeypatch.setattr(files, "fsync_file", lambda p: flushed.append((p.name, (tmp_path / "r").exists())))
    files.publish_folder(aside, tmp_path / "r")
    assert {n for n, published in flushed if not published} == {"a", "b", ".aside", "public"}
    assert flushed[-1] == (tmp_path.name, True)


def test_remove_folder(tmp_path):
    (tmp_path / "r" / "x").mkdir(parents=True)
    files.remove_folder(tmp_path / "r")
    files.remove_folder(tmp_path / "r")
    assert names(tmp_path) == []
