"""A full disk: a clear message, and nothing is changed."""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest

from data.errors import DiskFull, InputError, VaultError
from data.release import names
from data.restricted import keys
from data.restricted.backup import restore_backup, write_backup
from data.restricted.keys import Secret
from data.restricted.vault import Counts, Vault, open_vault
from data.restricted.vault.rotation import rotate_vault_key
from data.workspace import Workspace
from data.workspace.files import fill_folder, private_folder
from tests.helpers.records import frame

KEY = Secret(bytes(range(32)))
MEGABYTE = 1 << 20


def count(vault):
    return sum(len(batch) for batch in vault.read("encounter", ["stage"]))


def fill(folder):
    with (folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while filler.write(bytes(4096)):
            pass


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTE}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_database_that_may_not_grow(tmp_path):
    with Vault.create(tmp_path / "vault", KEY) as vault:
        vault.add("encounter", frame("encounter", 100), "earlier.csv")
        pages = vault._connection.execute("PRAGMA page_count").fetchone()[0]
        vault._connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(DiskFull, match="nothing was changed") as full:
            vault.add("encounter", frame("encounter", 5000, first=100), "large.csv")
        assert "Free some space" in str(full.value)
        assert count(vault) == 100
        assert vault.check() == []
        vault._connection.execute("PRAGMA max_page_count = 1000000")
        large = frame("encounter", 5000, first=100)
        assert vault.add("encounter", large, "large.csv") == Counts(5000, 0, 0)


@pytest.mark.slow
def test_a_full_disk(small_disk):
    folder = small_disk / "vault"
    with Vault.create(folder, KEY) as vault:
        vault.add("encounter", frame("encounter", 100), "earlier.csv")
        with pytest.raises(DiskFull, match="nothing was changed"):
            vault.add("encounter", frame("encounter", 8_000, first=100), "large.csv")
        assert count(vault) == 100
    with Vault.open(folder, KEY) as vault:
        assert count(vault) == 100
        assert vault.check() == []
        remount = ["mount", "-o", f"remount,size={100 * MEGABYTE}", str(small_disk)]
        subprocess.run(remount, check=True)
        large = frame("encounter", 8_000, first=100)
        assert vault.add("encounter", large, "large.csv") == Counts(8_000, 0, 0)


def test_a_disk_that_fills_to_the_last_byte_still_opens_and_reads(small_disk):
    folder = small_disk / "vault"
    with Vault.create(folder, KEY) as vault:
        vault.add("encounter", frame("encounter", 100), "earlier.csv")
    fill(small_disk)
    # Opening needs some pages of shared memory beside the file; without them it must say so.
    with pytest.raises(DiskFull), Vault.open(folder, KEY) as vault:
        vault.add("encounter", frame("encounter", 10, first=100), "a.csv")
    (small_disk / "filler").unlink()
    with Vault.open(folder, KEY) as vault:
        assert count(vault) == 100
        assert vault.check() == []


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(keys.platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(keys, "_from_keyring", lambda *_: None)
    workspace = Workspace.create(tmp_path / "w", "real")
    with Vault.create(workspace.vault, keys.create(workspace.key_id)) as vault:
        vault.add("encounter", frame("encounter", 10_000), "a.csv")
    return workspace


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_backups")
def test_no_room_for_a_backup_leaves_nothing(workspace, small_disk):
    with pytest.raises(DiskFull):
        write_backup(workspace, keys.load(workspace.key_id), small_disk / "backup.tact", "correct horse battery")
    assert list(small_disk.iterdir()) == []
    with open_vault(workspace) as vault:
        assert count(vault) == 10_000


@pytest.mark.slow
@pytest.mark.parametrize("seen", [True, False], ids=["seen before", "seen by the database"])
def test_no_room_for_a_new_vault_key_keeps_the_old_one(workspace, small_disk, monkeypatch, seen):
    there = Workspace.create(small_disk / "w", "real", workspace_id=workspace.id)
    both = keys.load(workspace.key_id)
    with Vault.create(there.vault, both) as vault:
        vault.add("encounter", frame("encounter", 2_000), "a.csv")
    fill(small_disk)
    # Room for the note in the vault, and not for all pages.
    os.truncate(small_disk / "filler", small_disk.joinpath("filler").stat().st_size - MEGABYTE // 8)
    with monkeypatch.context() as patch:
        if not seen:
            patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 40))
        with pytest.raises(DiskFull if seen else VaultError):
            rotate_vault_key(there, [])
    assert (keys.load(workspace.key_id), keys.load_next(workspace.key_id)) == (both, None)
    with open_vault(there) as vault:
        assert count(vault) == 2_000
    small_disk.joinpath("filler").unlink()
    rotate_vault_key(there, [])
    with open_vault(there) as vault:
        assert count(vault) == 2_000
        assert vault.check() == []


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_backups")
def test_no_room_for_a_restore_keeps_what_is_there(workspace, small_disk, tmp_path):
    file = tmp_path / "backup.tact"
    write_backup(workspace, keys.load(workspace.key_id), file, "correct horse battery")
    there = Workspace.create(small_disk / "w", "real", workspace_id=workspace.id)
    with Vault.create(there.vault, keys.load(workspace.key_id)) as vault:
        vault.add("encounter", frame("encounter", 10), "a.csv")
    with pytest.raises(DiskFull):
        restore_backup(file, there.path, "correct horse battery", replace=True)
    with open_vault(there) as vault:
        assert count(vault) == 10
        assert there.check() == []


def test_no_room_for_a_new_vault_leaves_nothing(small_disk):
    (small_disk / "filler").write_bytes(bytes(MEGABYTE - 20_000))
    with pytest.raises(DiskFull):
        Vault.create(small_disk / "vault", KEY)
    assert [p.name for p in small_disk.iterdir()] == ["filler"]


@pytest.mark.parametrize("full", ["workspace", "temporary files"])
def test_no_room_for_a_release_is_a_message_and_the_next_is_whole(tact, small_disk, tmp_path, full, monkeypatch):
    folder = (small_disk if full == "workspace" else tmp_path) / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk if full != "workspace" else tmp_path))
    (small_disk / "filler").write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - 100_000)))
    refused = tact("--workspace", folder, "release", "--figures-only", "--json")
    assert (refused.code, refused.json["error"]) == (4, "DiskFull")
    assert "nothing was lost" in refused.json["message"] or "nothing was changed" in refused.json["message"]
    assert names(folder / "releases") == []
    (small_disk / "filler").unlink()
    subprocess.run(["mount", "-o", f"remount,size={100 * MEGABYTE}", str(small_disk)], check=True)
    assert tact("--workspace", folder, "release", "--figures-only", "--json").code == 0
    assert tact("--workspace", folder, "doctor", "--json").json["healthy"]


@pytest.mark.parametrize("path", [None, "/somewhere/file"])
def test_no_room_is_a_message_wherever_a_command_meets_it(tact, tmp_path, monkeypatch, path):
    def fail(*_args, **_how):
        raise OSError(errno.ENOSPC, "No space left on device", *([path] if path else []))

    monkeypatch.setattr(Workspace, "create", fail)
    answer = tact("--workspace", tmp_path / "w", "init", "--json")
    assert (answer.code, answer.json["error"]) == (4, "DiskFull")
    assert tempfile.gettempdir() in answer.json["message"]


@pytest.mark.always("export")
@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("export", "--format", "gpkg"), ("report", "--standard", "eurostat"), ("synthetic",), ("templates",)],
    ids=lambda words: words[0],
)
def test_files_that_do_not_fit_are_refused_in_words_and_leave_nothing(tact, demo_world, small_disk, words):
    fill(small_disk)
    answer = tact("--workspace", demo_world, *words, "--to", small_disk / "files")
    assert (answer.code, "disk is full" in answer.err, "Traceback" in answer.err) == (4, True, False)
    assert [path for path in (small_disk / "files").rglob("*") if path.is_file()] == []


def test_a_folder_is_filled_at_once_or_not_at_all(tmp_path):
    def write(folder, *, fails):
        (folder / "deep").mkdir()
        for name in ("a", "deep/b"):
            (folder / name).write_text("new")
        if fails:
            raise RuntimeError

    (there := tmp_path / "files").mkdir()
    (there / "a").write_text("old")
    with pytest.raises(RuntimeError), fill_folder(there) as part:
        write(part, fails=True)
    assert [(path.name, path.read_text()) for path in there.iterdir()] == [("a", "old")]
    with fill_folder(there) as part:
        write(part, fails=False)
    assert {str(path.relative_to(there)) for path in there.rglob("*")} == {"a", "deep", "deep/b"}
    assert (there / "a").read_text() == "new"


@pytest.mark.parametrize("open_folder", [fill_folder, private_folder])
def test_an_error_of_a_library_means_a_full_disk_only_where_there_is_no_room(tmp_path, monkeypatch, open_folder):
    with pytest.raises(RuntimeError), open_folder(tmp_path / "files"):
        raise RuntimeError
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DiskFull), open_folder(tmp_path / "files"):
        raise RuntimeError
    with pytest.raises(InputError), open_folder(tmp_path / "files"):
        raise InputError("a wrong value")
