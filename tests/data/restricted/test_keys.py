import copy
import os
import pickle
import re
import shutil
import stat
import traceback

import keyring.backend
import keyring.errors
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import MissingKey, VaultError
from data.restricted import keys
from data.restricted.keys import IdentifierHasher, Keys, Secret

WORKSPACE = "6b8f0a0e-5f0b-4a53-9b34-0a6a1f0a7a11"
OTHER = "0c1d2e3f-5f0b-4a53-9b34-0a6a1f0a7a22"
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
KEY = Secret(bytes(range(32)))


class MemoryRing(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self, works=True):
        super().__init__()
        self.passwords, self.works = {}, works

    def get_password(self, service, username):
        if not self.works:
            raise keyring.errors.NoKeyringError
        return self.passwords.get((service, username))

    def set_password(self, service, username, password):
        if not self.works:
            raise keyring.errors.PasswordSetError(f"could not set {password}")
        self.passwords[service, username] = password

    def delete_password(self, service, username):
        del self.passwords[service, username]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for variable in keys.ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(keys.platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    ring = MemoryRing()
    before = keyring.get_keyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def shown(error):
    return "".join(traceback.format_exception(error)) + repr(error)


# -- practice --


@pytest.mark.parametrize("place", ["file", "keyring"])
def test_keys_of_practice_do_not_lie_beside_real_ones(home, tmp_path, place):
    practice, real = keys.create(f"practice/{WORKSPACE}", place), keys.create(OTHER, place)
    assert (keys.load(f"practice/{WORKSPACE}"), keys.load(OTHER)) == (practice, real)
    assert {path.name for path in (tmp_path / "config").glob("keys/*")} == ({OTHER} if place == "file" else set())
    assert {service for service, _ in home.passwords if WORKSPACE not in service} <= {f"tact-map/{OTHER}"}


@pytest.mark.parametrize("place", ["file", "keyring"])
def test_keys_of_practice_that_lie_beside_real_ones_are_moved(home, tmp_path, place):
    before, signing = keys.create(WORKSPACE, place), keys.load_signing(WORKSPACE)
    keys.store_next(WORKSPACE, KEY)
    other = keys.create(OTHER, place)
    practice = f"practice/{WORKSPACE}"
    assert all(keys.find_locations(practice).values())
    assert (keys.load(practice), keys.load_signing(practice), keys.load_next(practice)) == (before, signing, KEY)
    assert [path.name for path in (tmp_path / "config" / "keys").glob("*")] == ([OTHER] if place == "file" else [])
    assert {service for service, _ in home.passwords if "practice" not in service} <= {f"tact-map/{OTHER}"}
    assert keys.load(OTHER) == other


@pytest.mark.parametrize("place", ["file", "keyring"])
def test_real_keys_are_not_lost_if_the_kind_was_changed_by_hand(home, tmp_path, place):
    before = keys.create(WORKSPACE, place)
    assert keys.load(f"practice/{WORKSPACE}") == before
    assert keys.load(WORKSPACE) == before
    assert not list((tmp_path / "config").glob("practice-keys/*"))
    assert not any("practice" in service for service, _ in home.passwords)


# -- keeping and finding --


@pytest.mark.parametrize("place", ["file", "keyring"])
def test_what_is_made_is_what_is_found(place):
    secrets = keys.create(WORKSPACE, place)
    assert keys.load(WORKSPACE) == secrets
    assert secrets.vault != secrets.identifier
    assert keys.check(WORKSPACE) == []
    assert all(place in where for where in keys.find_locations(WORKSPACE).values())


@posix
def test_files_are_closed_to_others_whatever_the_umask():
    old = os.umask(0)
    try:
        keys.create(WORKSPACE)
    finally:
        os.umask(old)
    folder = keys.key_folder(WORKSPACE)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_command_that_closes_it(mode):
    secrets = keys.create(WORKSPACE)
    path = keys.key_folder(WORKSPACE) / "vault.key"
    path.chmod(mode)
    with pytest.raises(VaultError, match=re.escape(f"chmod 600 '{path}'")) as refused:
        keys.load(WORKSPACE)
    assert secrets.vault.reveal().hex() not in shown(refused.value)
    assert len(keys.check(WORKSPACE)) == 1
    path.chmod(0o600)
    assert keys.load(WORKSPACE) == secrets


@posix
def test_a_key_may_lie_on_another_disk_and_is_missed_by_name_without_it(tmp_path):
    secrets, file = keys.create(WORKSPACE), keys.key_folder(WORKSPACE) / "identifier.key"
    disk = tmp_path / "disk"
    disk.mkdir()
    shutil.move(file, disk / "identifier.key")
    file.symlink_to(disk / "identifier.key")
    assert keys.load(WORKSPACE) == secrets
    assert keys.check(WORKSPACE) == []
    with pytest.raises(VaultError, match="already has a key"):
        keys.create(WORKSPACE)
    (disk / "identifier.key").chmod(0o644)
    with pytest.raises(VaultError, match="Others on this machine can read"):
        keys.load(WORKSPACE)
    disk.rename(tmp_path / "away")
    with pytest.raises(MissingKey, match=re.escape(f"It leads to {disk / 'identifier.key'}: is that disk there?")):
        keys.load(WORKSPACE)
    with pytest.raises(VaultError, match="already has a key"):
        keys.create(WORKSPACE)


def test_a_crash_while_writing_leaves_both_keys_or_none(monkeypatch):
    written = []

    def killed(path, *_, **__):
        written.append(path)
        if len(written) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keys.files, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            keys.create(WORKSPACE)
    assert not keys.has_keys(WORKSPACE)
    assert keys.create(WORKSPACE) == keys.load(WORKSPACE)


def test_an_empty_folder_of_keys_is_filled():
    keys.key_folder(WORKSPACE).mkdir(parents=True)
    assert keys.create(WORKSPACE) == keys.load(WORKSPACE)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "config").write_text("a file where the folder should be")
    with pytest.raises(VaultError, match="could not be written"):
        keys.create(WORKSPACE)


def test_the_environment_comes_before_the_file(monkeypatch):
    secrets = keys.create(WORKSPACE)
    other = Secret.random()
    monkeypatch.setenv("TACT_VAULT_KEY", other.reveal().hex().upper() + "\n")
    assert keys.load(WORKSPACE) == Keys(other, secrets.identifier)
    assert "TACT_VAULT_KEY" in keys.find_locations(WORKSPACE)["vault"]


def test_a_key_is_never_replaced(monkeypatch):
    secrets = keys.create(WORKSPACE)
    for place in ("file", "keyring"):
        with pytest.raises(VaultError, match="never replaced"):
            keys.create(WORKSPACE, place)
    assert keys.load(WORKSPACE) == secrets


def test_no_key_names_every_place_that_was_tried():
    with pytest.raises(MissingKey) as missing:
        keys.load(WORKSPACE)
    for named in ("TACT_VAULT_KEY", "vault.key", f"tact-map/{WORKSPACE}", "tact restore"):
        assert named in str(missing.value)
    assert not keys.has_keys(WORKSPACE)
    assert len(keys.check(WORKSPACE)) == 2


def test_a_machine_without_a_keyring_uses_files(home):
    home.works = False
    with pytest.raises(MissingKey):
        keys.load(WORKSPACE)
    with pytest.raises(VaultError, match="without --keyring") as refused:
        keys.create(WORKSPACE, "keyring")
    assert not re.search(r"[0-9a-f]{64}", shown(refused.value))
    assert keys.create(WORKSPACE) == keys.load(WORKSPACE)


@pytest.mark.parametrize("text", ["ab" * 31, "zz" * 32, "ab" * 33, "hunter2-" * 8, " " + "a b" * 21])
def test_a_key_that_is_none_is_described_and_never_shown(monkeypatch, text):
    monkeypatch.setenv("TACT_VAULT_KEY", text)
    keys_of_the_file = keys.key_folder(WORKSPACE)
    keys_of_the_file.mkdir(parents=True)
    with pytest.raises(VaultError, match="64 hexadecimal digits") as refused:
        keys.load(WORKSPACE)
    assert text.strip() not in shown(refused.value)
    assert text.strip()[:12] not in str(refused.value)


def test_a_binary_key_file_is_described_and_never_shown():
    keys.create(WORKSPACE)
    path = keys.key_folder(WORKSPACE) / "identifier.key"
    path.write_bytes(bytes(range(128, 160)))
    with pytest.raises(VaultError, match="64 hexadecimal digits"):
        keys.load(WORKSPACE)


# -- secrecy --


def test_nothing_shows_a_key():
    both = Keys(KEY, Secret.random())
    hasher = IdentifierHasher(KEY)
    for thing in (KEY, both, hasher):
        for text in (repr(thing), str(thing), f"{thing}", f"{thing!r}"):
            assert KEY.reveal().hex() not in text
            assert repr(KEY.reveal())[2:20] not in text
    for way in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            way(KEY)
    with pytest.raises(VaultError) as refused:
        Secret(b"too short a key")
    assert "too short a key" not in shown(refused.value).split("Secret(")[0]


def test_keys_are_equal_by_value():
    assert Secret(bytes(32)) == Secret(bytes(32))
    assert Secret(bytes(32)) != KEY
    assert Secret(bytes(32)) != bytes(32)
    assert len({Secret(bytes(32)), Secret(bytes(32)), KEY}) == 2


# -- identifiers --


def test_hashes_are_stable_and_have_the_form_of_the_column():
    # Golden: a change here would make every child of an existing vault a new one.
    assert IdentifierHasher(KEY).hash(["A-17"]) == ["20b59f705c2d9f5942a188fbea9311afa661e2990b070ab6e4503ed634c61cac"]
    assert re.fullmatch("[0-9a-f]{64}", IdentifierHasher(KEY).hash(["x"])[0])


def test_another_key_another_identifier_another_hash():
    hasher, other = IdentifierHasher(KEY), IdentifierHasher(Secret.random())
    hashes = [hasher.hash(["12"]), hasher.hash(["13"]), other.hash(["12"])]
    assert len({h for (h,) in hashes}) == 3


@given(st.lists(st.text(max_size=12), max_size=30))
def test_hashing_keeps_order_and_repeats(identifiers):
    hashes = IdentifierHasher(KEY).hash(identifiers)
    assert hashes == [IdentifierHasher(KEY).hash([i])[0] for i in identifiers]
    assert [h == "" for h in hashes] == [i.strip() == "" for i in identifiers]


def test_spaces_and_composed_accents_make_no_second_child():
    hasher = IdentifierHasher(KEY)
    assert len(set(hasher.hash(["Ë-1", "E\u0308-1", " Ë-1 ", "Ë-1\u00a0"]))) == 1


# -- record keys --


def test_record_keys_are_stable_and_of_the_child_alone():
    hasher = IdentifierHasher(KEY)
    hashes = hasher.hash([f"c{i}" for i in range(500)])
    record_keys = hasher.record_keys(hashes)
    assert record_keys.dtype == np.uint64
    assert record_keys.shape == (500,)
    assert np.array_equal(hasher.record_keys(hashes[::-1])[::-1], record_keys)
    assert len(set(record_keys.tolist())) == 500
    assert hasher.record_keys(hasher.hash(["A-17"])).tolist() == [3036484123845012945]
    assert hasher.record_keys([]).shape == (0,)


def test_record_keys_need_the_identifier_key():
    hashes = IdentifierHasher(KEY).hash(["a", "b"])
    assert not np.intersect1d(
        IdentifierHasher(KEY).record_keys(hashes), IdentifierHasher(Secret.random()).record_keys(hashes)
    ).size


def test_record_keys_are_uniform():
    hasher = IdentifierHasher(KEY)
    record_keys = hasher.record_keys(hasher.hash([str(i) for i in range(20_000)]))
    # The cell key is a sum modulo the range: each bit must be a fair coin (six standard errors).
    bits = (record_keys[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 6 * 0.5 / np.sqrt(20_000)
