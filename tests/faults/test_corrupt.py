"""A damaged file is reported as damaged, never as a wrong key, and is never changed."""

import shutil

import pytest

from data.errors import CorruptVault, VaultError, WrongKey
from data.restricted.keys import Secret
from data.restricted.vault import Vault, examine
from tests.helpers.nonempty import nonempty
from tests.helpers.records import frame

KEY = Secret(bytes(range(32)))
PAGE = 4096


@pytest.fixture
def folder(tmp_path):
    with Vault.create(tmp_path / "vault", KEY) as vault:
        vault.add("encounter", frame("encounter", 3000), "earlier.csv")
    return tmp_path / "vault"


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0x40
    path.write_bytes(content)


def pages(path):
    return path.stat().st_size // PAGE


def test_a_damaged_page_is_found_by_reading_by_writing_and_by_doctor(folder):
    db = folder / "vault.db"
    for page in range(pages(db) // 2, pages(db) // 2 + 3):
        flip(db, page * PAGE + 1000)
    damaged = db.read_bytes()
    with Vault.open(folder, KEY) as vault:
        problems = vault.check()
        assert any("damaged" in p and "tact restore" in p for p in problems)
        with pytest.raises(CorruptVault, match="tact restore"):
            list(vault.read("encounter"))
    with Vault.open(folder, KEY) as vault, pytest.raises(CorruptVault):
        vault.add("encounter", frame("encounter", 3000, version=1), "a.csv")
    assert db.read_bytes() == damaged


@pytest.mark.parametrize("position", [0, 15, 16, 100, PAGE - 1])
def test_a_damaged_first_page_is_no_wrong_key(folder, position):
    flip(folder / "vault.db", position)
    with pytest.raises(CorruptVault):
        Vault.open(folder, KEY)
    with pytest.raises(WrongKey):
        Vault.open(folder, Secret.random())


@pytest.mark.parametrize("rest", ["nothing", "some bytes", "a page", "half", "half a page less"])
def test_a_truncated_file(folder, rest):
    db = folder / "vault.db"
    whole = db.stat().st_size
    size = {
        "nothing": 0,
        "some bytes": 100,
        "a page": PAGE,
        "half": whole // 2 // PAGE * PAGE,
        "half a page less": whole - PAGE // 2,
    }[rest]
    with db.open("r+b") as file:
        file.truncate(size)
    assert any("damaged" in p for p in examine(folder, KEY))

    def use():
        with Vault.open(folder, KEY) as vault:
            list(vault.read("encounter"))

    with pytest.raises(CorruptVault):
        use()
    assert db.stat().st_size == size


def test_every_damaged_page_is_seen_by_doctor(folder):
    db = folder / "vault.db"
    original = db.read_bytes()
    for page in nonempty(range(1, pages(db), 7)):
        flip(db, page * PAGE + 17)
        assert any("damaged" in p for p in examine(folder, KEY)), f"page {page}"
        db.write_bytes(original)


def test_the_file_of_another_vault_under_the_same_key(folder, tmp_path):
    Vault.create(tmp_path / "other", KEY).close()
    shutil.copy(tmp_path / "other" / "vault.db", folder / "vault.db")
    with pytest.raises(CorruptVault):
        Vault.open(folder, KEY)


def test_a_whole_vault_has_no_problems(folder):
    assert examine(folder, KEY) == []


def test_another_kind_of_file(folder):
    (folder / "vault.db").write_bytes(b"SQLite format 3\0" + bytes(PAGE * 4))
    with pytest.raises(CorruptVault):
        Vault.open(folder, KEY)


def test_a_removed_file_is_not_replaced_by_an_empty_one(folder):
    (folder / "vault.db").unlink()
    with pytest.raises(VaultError, match="was removed"):
        Vault.open(folder, KEY)
    with pytest.raises(VaultError, match="already"):
        Vault.create(folder, KEY)
    assert "was removed" in examine(folder, KEY)[0]
    assert not (folder / "vault.db").exists()


def test_a_file_that_is_none(folder):
    (folder / "vault.db").unlink()
    (folder / "vault.db").mkdir()
    with pytest.raises(VaultError):
        Vault.open(folder, KEY)
