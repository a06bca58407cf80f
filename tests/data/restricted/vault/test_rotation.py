"""A new vault key: the same records, numbers and forget log; refused where it cannot be done safely."""

import errno
import shutil

import keyring
import pytest

from data.errors import CorruptVault, InputError, VaultBusy, VaultError, WrongKey
from data.restricted import backup, drafts, keys
from data.restricted.drafts import Draft
from data.restricted.keys import IdentifierHasher, Secret
from data.restricted.vault import Vault, forget_log, load_keys, open_vault, rotation
from data.workspace import Workspace, files
from tests.data.restricted.publishing.test_same_noise import FEW, world
from tests.data.restricted.test_keys import MemoryRing
from tests.helpers import small_worlds
from tests.helpers.records import frame

PASSPHRASE = "tri fjalë të rastit këtu"

pytestmark = pytest.mark.usefixtures("cheap_backups")
CHILD = "ab" * 32


class Ring(MemoryRing):
    def delete_password(self, service, username):
        if self.passwords.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture(autouse=True)
def ring(tmp_path, monkeypatch):
    for variable in keys.ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(keys.platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    before = keyring.get_keyring()
    keyring.set_keyring(ring := Ring())
    yield ring
    keyring.set_keyring(before)


def make(tmp_path, place="file"):
    workspace = Workspace.create(tmp_path / "w", "invented")
    with Vault.create(workspace.vault, keys.create(workspace.key_id, place)) as vault:
        vault.add("encounter", frame("encounter", 60), "encounter-by-hand.csv", "arsis")
        vault.forget([CHILD])
    return workspace


def rotate(workspace):
    rotation.rotate_vault_key(workspace, drafts.list_files())


def records(workspace):
    with open_vault(workspace) as vault:
        assert vault.check() == []
        return [row for part in vault.read("encounter") for row in part.to_pylist()]


def kill_in_adoption(workspace, monkeypatch):
    """Change the key, and end where the keyring has the new vault key and still its copy."""
    with monkeypatch.context() as patch:
        patch.setattr(keys, "discard_next", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rotate(workspace)


def assert_unchanged(workspace, before, old):
    """Check that a refused change left key and vault as they were, and the next command finds nothing to finish."""
    assert keys.load(workspace.key_id) == old
    assert keys.load_next(workspace.key_id) is None
    assert records(workspace) == before
    assert keys.load(workspace.key_id) == old


@pytest.mark.parametrize("place", ["file", "link", "keyring"])
def test_the_new_key_takes_the_place_of_the_old_one(tmp_path, ring, place):
    workspace = make(tmp_path, "keyring" if place == "keyring" else "file")
    link, disk = keys.key_folder(workspace.key_id) / "vault.key", tmp_path / "disk"
    if place == "link":
        disk.mkdir()
        link.rename(disk / "stick.key")
        link.symlink_to(disk / "stick.key")
    before, old = records(workspace), keys.load(workspace.key_id)
    rotate(workspace)
    new = keys.load(workspace.key_id)
    assert (new.vault == old.vault, new.identifier == old.identifier) == (False, True)
    assert records(workspace) == before
    with pytest.raises(WrongKey):
        Vault.open(workspace.vault, old.vault)
    # Nothing of the old key is left, and nothing of the new one lies anywhere else.
    if place == "keyring":
        assert sorted(name for _, name in ring.passwords) == ["identifier", "vault"]
    if place == "link":
        assert link.is_symlink()
        assert [path.name for path in disk.iterdir()] == ["stick.key"]
    if place != "keyring":
        assert sorted(path.name for path in link.parent.iterdir()) == ["identifier.key", "vault.key"]
        assert link.stat().st_mode & 0o777 == 0o600
    rotate(workspace)
    assert records(workspace) == before


def test_the_old_key_finds_nothing_in_the_files_of_the_vault(tmp_path):
    workspace = make(tmp_path)
    pages = workspace.vault.joinpath("vault.db").read_bytes()
    rotate(workspace)
    after = workspace.vault.joinpath("vault.db").read_bytes()
    assert len(after) >= len(pages) - len(pages) % 4096
    old_pages = {pages[i : i + 4096] for i in range(0, len(pages), 4096)}
    assert not old_pages & {after[i : i + 4096] for i in range(0, len(after), 4096)}
    assert {path.name for path in workspace.vault.iterdir()} == {"vault.db", "vault.check"}


def test_forgotten_children_drafts_and_imports_by_hand_go_along(tmp_path):
    workspace = make(tmp_path)
    with open_vault(workspace) as vault:
        drafts.write_draft(vault, Draft("encounter", "arsis", ({"child_id": "K-1"},)))
    log = forget_log.log_path(workspace.vault)
    old = keys.load(workspace.key_id).vault
    before = forget_log.read(log, old)
    rotate(workspace)
    assert {CHILD} == {name for _, name, _ in before}
    assert forget_log.read(log, keys.load(workspace.key_id).vault) == before
    with pytest.raises(VaultError, match="another vault key"):
        forget_log.read(log, old)
    with open_vault(workspace) as vault:
        assert vault.forgotten_children() == {CHILD}
        assert drafts.read_draft(vault, "encounter").rows == ({"child_id": "K-1"},)
        assert drafts.is_by_hand(vault, 1, "encounter")
        assert not drafts.is_by_hand(vault, 1, "effort")
        vault.add("effort", frame("effort", 3), "effort-by-hand.csv", "arsis")
        assert drafts.is_by_hand(vault, 2, "effort")
        hashed = IdentifierHasher(keys.load(workspace.key_id).identifier).hash(["partner:arsis\x1fk-1"])
        assert drafts.find_children(vault, keys.load(workspace.key_id), hashed) == set(hashed)
        assert vault.forget(hashed) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("few_worlds")
def test_a_release_after_it_is_that_of_a_vault_without_it_byte_for_byte(tmp_path):
    plain = Workspace.create(tmp_path / "w", "invented")
    Vault.create(plain.vault, keys.create(plain.key_id)).close()
    import_and_release(plain, world(rows=150, children=100))
    changed = Workspace.open(shutil.copytree(plain.path, tmp_path / "changed"))
    more = world(seed=3, rows=50, children=100)
    import_and_release(plain, more)
    rotate(changed)
    import_and_release(changed, more)
    tables = read_tables(plain)
    assert len({path.parts[0] for path in tables}) == 2
    assert tables == read_tables(changed)


def import_and_release(workspace, encounters):
    both = load_keys(workspace)
    with open_vault(workspace, both) as vault:
        small_worlds.fill(vault, encounters, f"{len(encounters)}.csv")
        record_keys = IdentifierHasher(both.identifier).record_keys
        small_worlds.release(vault, workspace.releases, plan=FEW, record_keys=record_keys)


def read_tables(workspace):
    files = workspace.releases.glob("**/*.parquet")
    return {file.relative_to(workspace.releases): file.read_bytes() for file in files}


# -- refused --


def test_it_is_refused_while_somebody_has_the_vault_open(tmp_path):
    workspace = make(tmp_path)
    before, old = records(workspace), keys.load(workspace.key_id)
    with open_vault(workspace) as vault:
        with pytest.raises(VaultBusy, match=r"has the vault .* open"):
            rotate(workspace)
        assert vault.count("encounter") == 60
        with vault.writing(), pytest.raises(VaultBusy, match="being written"):
            rotate(workspace)
    assert_unchanged(workspace, before, old)
    rotate(workspace)
    assert records(workspace) == before


@pytest.mark.parametrize("where", ["key", "vault"])
def test_a_disk_that_takes_no_file_changes_nothing(tmp_path, monkeypatch, where):
    workspace = make(tmp_path)
    before, old = records(workspace), keys.load(workspace.key_id)
    with monkeypatch.context() as patch:
        if where == "key":

            def write(path, *_, **__):
                raise OSError(errno.EROFS, "Read-only file system", str(path))

            patch.setattr(files, "write_bytes", write)
        else:

            def acquire(*_, **__):
                raise OSError(errno.EROFS, "Read-only file system")

            patch.setattr("filelock.FileLock.acquire", acquire)
        with pytest.raises(VaultError, match="Read-only file system"):
            rotate(workspace)
    assert_unchanged(workspace, before, old)


def test_a_keyring_that_is_closed_changes_nothing(tmp_path, ring, monkeypatch):
    workspace = make(tmp_path, "keyring")
    before, old = records(workspace), keys.load(workspace.key_id)
    with monkeypatch.context() as patch:
        patch.setattr(Ring, "set_password", lambda *_: (_ for _ in ()).throw(keyring.errors.PasswordSetError))
        with pytest.raises(VaultError, match="did not accept"):
            rotate(workspace)
    assert_unchanged(workspace, before, old)


def test_a_kill_before_the_keyring_drops_its_copy_is_finished(tmp_path, ring, monkeypatch):
    workspace = make(tmp_path, "keyring")
    before = records(workspace)
    kill_in_adoption(workspace, monkeypatch)
    new = keys.load(workspace.key_id)
    assert keys.load_next(workspace.key_id) == new.vault
    assert rotation.find_problems(workspace) == []
    assert sorted(name for _, name in ring.passwords) == ["identifier", "vault"]
    with open_vault(workspace) as vault:
        assert vault.check() == []
    assert not rotation._awaits(workspace.vault / "vault.db", new.vault, new.vault)
    rotate(workspace)
    assert keys.load(workspace.key_id).vault != new.vault
    assert records(workspace) == before


def test_a_copy_that_the_keyring_keeps_is_named_by_its_entry(tmp_path, ring, monkeypatch):
    workspace = make(tmp_path, "keyring")
    before = records(workspace)
    kill_in_adoption(workspace, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Ring, "delete_password", lambda *_: (_ for _ in ()).throw(keyring.errors.PasswordDeleteError))
        (problem,) = rotation.find_problems(workspace)
        assert "entry vault-next" in problem
        assert "not for this vault" not in problem
        assert "another process" not in problem
        assert records(workspace) == before
        with pytest.raises(VaultError, match="entry vault-next"):
            rotate(workspace)
    assert rotation.find_problems(workspace) == []
    assert records(workspace) == before


def test_a_foreign_key_in_the_keyring_is_named_by_its_entry(tmp_path, ring):
    workspace = make(tmp_path, "keyring")
    keys.store_next(workspace.key_id, Secret.random())
    (problem,) = rotation.find_problems(workspace)
    assert "not for this vault" in problem
    assert f"service tact-map/{workspace.key_id}, entry vault-next" in problem


def test_a_damaged_vault_is_not_encrypted_anew(tmp_path):
    workspace = make(tmp_path)
    db, old = workspace.vault / "vault.db", keys.load(workspace.key_id)
    raw = bytearray(db.read_bytes())
    raw[-2000] ^= 1
    db.write_bytes(raw)
    with pytest.raises(CorruptVault):
        rotate(workspace)
    assert db.read_bytes() == bytes(raw)
    assert keys.load(workspace.key_id) == old


# -- keys from the environment --


def test_a_damaged_forget_log_is_not_encrypted_anew(tmp_path):
    workspace = make(tmp_path)
    before, old = records(workspace), keys.load(workspace.key_id)
    log = forget_log.log_path(workspace.vault)
    log.write_bytes(log.read_bytes()[:-1])
    with pytest.raises(VaultError, match=r"forget log .* is damaged"):
        rotate(workspace)
    log.unlink()
    assert_unchanged(workspace, before, old)


def test_a_key_from_the_environment_needs_its_successor_there(tmp_path, monkeypatch):
    workspace = make(tmp_path)
    before, old, new = records(workspace), keys.load(workspace.key_id), Secret.random()
    shutil.rmtree(keys.key_folder(workspace.key_id))
    monkeypatch.setenv("TACT_VAULT_KEY", old.vault.reveal().hex())
    monkeypatch.setenv("TACT_IDENTIFIER_KEY", old.identifier.reveal().hex())
    for value in ("", old.vault.reveal().hex()):
        monkeypatch.setenv("TACT_NEW_VAULT_KEY", value)
        with pytest.raises(InputError, match="Set TACT_NEW_VAULT_KEY to a new key"):
            rotate(workspace)
    monkeypatch.setenv("TACT_NEW_VAULT_KEY", new.reveal().hex())
    assert records(workspace) == before
    assert load_keys(workspace) == old
    rotate(workspace)
    # Until somebody sets the variables anew, the other one is found.
    assert records(workspace) == before
    (problem,) = rotation.find_problems(workspace)
    assert problem.startswith("Give TACT_VAULT_KEY the value of TACT_NEW_VAULT_KEY")
    monkeypatch.setenv("TACT_VAULT_KEY", new.reveal().hex())
    monkeypatch.delenv("TACT_NEW_VAULT_KEY")
    assert records(workspace) == before
    assert rotation.find_problems(workspace) == []


def test_a_wrong_key_in_the_environment_changes_nothing(tmp_path, monkeypatch):
    workspace = make(tmp_path)
    before, old = records(workspace), keys.load(workspace.key_id)
    with monkeypatch.context() as patch:
        patch.setenv("TACT_VAULT_KEY", Secret.random().reveal().hex())
        patch.setenv("TACT_NEW_VAULT_KEY", Secret.random().reveal().hex())
        with pytest.raises(WrongKey):
            rotate(workspace)
    assert_unchanged(workspace, before, old)


# -- what an interrupted change left --


def test_a_copy_of_the_workspace_never_takes_a_key_that_another_waits_for(tmp_path, monkeypatch):
    workspace = make(tmp_path)
    before, old = records(workspace), keys.load(workspace.key_id)
    drill = Workspace.open(shutil.copytree(workspace.path, tmp_path / "drill"))
    with monkeypatch.context() as patch:

        def stop(_):
            raise KeyboardInterrupt

        patch.setattr(keys, "adopt_next", stop)
        with pytest.raises(KeyboardInterrupt):
            rotate(workspace)
    # The drill still has the old key, and leaves the new one to the workspace, which needs it.
    assert records(drill) == before
    assert keys.load(workspace.key_id) == old
    (problem,) = rotation.find_problems(drill)
    assert "another copy of this workspace" in problem
    with pytest.raises(VaultError, match="another copy of this workspace"):
        rotate(drill)
    assert records(workspace) == before
    assert keys.load(workspace.key_id).vault != old.vault
    assert rotation.find_problems(workspace) == []


def test_a_vault_that_is_damaged_before_the_change_is_finished_is_named_and_can_be_replaced(
    tact, tmp_path, monkeypatch
):
    workspace = make(tmp_path)
    before = records(workspace)
    backup.write_backup(workspace, keys.load(workspace.key_id), tmp_path / "older", PASSPHRASE)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rotate(workspace)
    db = workspace.vault / "vault.db"
    raw = bytearray(db.read_bytes())
    raw[-2000] ^= 1
    db.write_bytes(raw)
    with pytest.raises(CorruptVault):
        load_keys(workspace)
    problems = tact("--workspace", workspace.path, "doctor", "--json").json["problems"]
    assert any("is damaged" in problem for problem in problems)
    with pytest.raises(VaultError, match="cannot be read"):
        backup.restore_backup(tmp_path / "older", workspace.path, PASSPHRASE)
    backup.restore_backup(tmp_path / "older", workspace.path, PASSPHRASE, replace=True)
    assert records(workspace) == before


def test_what_cannot_be_finished_while_the_vault_is_open_is_finished_later(tmp_path, monkeypatch):
    workspace = make(tmp_path)
    before, old = records(workspace), keys.load(workspace.key_id)
    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_encrypt_anew", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        patch.setattr(keys, "discard_next", lambda _: None)
        patch.setattr(rotation, "_forget_mark", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            rotate(workspace)
    with Vault.open(workspace.vault, old.vault) as vault:
        assert load_keys(workspace) == old
        assert vault.count("encounter") == 60
        (problem,) = rotation.find_problems(workspace)
        assert "another process has the vault open" in problem
    assert records(workspace) == before
    assert keys.load(workspace.key_id).vault != old.vault


# -- backups --


def test_a_backup_from_before_is_restored_under_the_new_key(tmp_path):
    workspace = make(tmp_path)
    before, old = records(workspace), keys.load(workspace.key_id)
    backup.write_backup(workspace, old, tmp_path / "older", PASSPHRASE)
    log = forget_log.log_path(workspace.vault)
    copy = log.read_bytes()
    rotate(workspace)
    new = keys.load(workspace.key_id)
    log.write_bytes(copy)  # the log as it was copied before the key was changed
    done = backup.restore_backup(tmp_path / "older", workspace.path, PASSPHRASE, replace=True)
    assert records(done.workspace) == before
    assert keys.load(workspace.key_id) == new
    with open_vault(workspace) as vault:
        assert drafts.is_by_hand(vault, 1, "encounter")
        assert vault.forgotten_children() == {CHILD}
    backup.write_backup(workspace, new, tmp_path / "newer", PASSPHRASE)
    # On another machine the old backup still comes with its own keys.
    shutil.rmtree(keys.key_folder(workspace.key_id))
    elsewhere = backup.restore_backup(tmp_path / "older", tmp_path / "elsewhere", PASSPHRASE)
    assert keys.load(workspace.key_id) == old
    assert records(elsewhere.workspace) == before
