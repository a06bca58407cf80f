import contextlib
import os
import stat
import time

import pyarrow as pa
import pytest

from data.accounts.database import Accounts
from data.accounts.log import read_log, verify_log
from data.accounts.meetings import create_meeting, find_local_file, list_meetings
from data.accounts.sessions import find_open, sign_in
from data.errors import CorruptVault, InputError, VaultBusy, VaultError, WorkspaceError, WrongKey
from data.release import WITHDRAWN
from data.release.derived import LEDGER
from data.release.signed_list import BREAKS
from data.restricted import keys
from data.restricted.backup import restore_backup, write_backup
from data.restricted.keys import Keys
from data.restricted.vault import PublishedBlock, Vault, open_vault, sqlcipher
from data.workspace import Workspace, files
from tests.helpers.accounts import PASSPHRASE as HERS
from tests.helpers.accounts import hash_cheaply, take_in
from tests.helpers.records import frame

PASSPHRASE = "tri fjalë të rastit 'këtu'"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Store keys in a folder of the test and not in the keyring."""
    for variable in keys.ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(keys.platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(keys, "_from_keyring", lambda *_: None)


@pytest.fixture
def costly_key():
    """Let SQLCipher derive the key of a backup as in use."""


@pytest.fixture(autouse=True)
def cheap_key(request):
    if "costly_key" not in request.fixturenames:
        request.getfixturevalue("cheap_backups")


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "real", start_month=9)
    with Vault.create(workspace.vault, keys.create(workspace.key_id).vault) as vault:
        vault.add("encounter", frame("encounter", 400), "a.csv", "arsis")
        vault.add("service", frame("service", 20), "b.csv", "arsis")
        vault.stage_publication("r1", {"a": b"123"})
        vault.confirm_publication("r1")
    (workspace.mappings / "arsis.toml").write_text('date = "Data"\n')
    return workspace


@pytest.fixture
def file(workspace, tmp_path):
    write_backup(workspace, keys.load(workspace.key_id), tmp_path / "backup.tact", PASSPHRASE)
    return tmp_path / "backup.tact"


def lose_keys(workspace):
    for path in keys.key_folder(workspace.key_id).iterdir():
        path.unlink()


def content(workspace):
    with open_vault(workspace) as vault:
        assert vault.check() == []
        tables = {kind: pa.Table.from_batches(list(vault.read(kind))) for kind in vault.kinds()}
        return {k: t.to_pylist() for k, t in tables.items()}, vault.published_blocks()


def snapshot(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_everything_comes_back_on_a_new_machine(costly_key, workspace, file, tmp_path):
    before, both = content(workspace), keys.load(workspace.key_id)
    assert before[1] == {"a": PublishedBlock(b"123", "r1")}
    lose_keys(workspace)
    done = restore_backup(file, tmp_path / "new", PASSPHRASE)
    assert (done.has_records, done.replaced) == (True, None)
    restored = Workspace.open(tmp_path / "new")
    assert (restored.id, restored.kind, restored.start_month) == (workspace.id, "real", 9)
    assert keys.load(restored.key_id) == both
    assert content(restored) == before
    assert (restored.mappings / "arsis.toml").read_text() == 'date = "Data"\n'
    assert (restored.path / "last-backup").read_text() == (workspace.path / "last-backup").read_text()
    with open_vault(restored) as vault:
        again = vault.add("encounter", frame("encounter", 400), "a.csv", "arsis")
        assert (again.accepted, again.already_known) == (0, 400)
    # The identifier key is kept apart from the vault, also after a restore.
    with open_vault(restored) as vault:
        names = {n for (n,) in vault._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert not any("backup" in name for name in names)


def test_nothing_in_a_backup_can_be_read_without_the_passphrase(costly_key, workspace, file):
    both, raw = keys.load(workspace.key_id), file.read_bytes()
    assert len(raw) > 100_000
    for key in (both.vault, both.identifier):
        assert key.reveal() not in raw
        assert key.reveal().hex().encode() not in raw
    assert not [n for n in (b"arsis", b"9261", b"SQLite", workspace.id.encode()) if n in raw]


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_the_file_is_closed_to_others(file):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("wrong", ["another passphrase", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_a_wrong_passphrase_changes_nothing(workspace, file, tmp_path, wrong, capfd):
    lose_keys(workspace)
    before = snapshot(workspace.path)
    for path in (workspace.path, tmp_path / "new"):
        with pytest.raises(WrongKey, match="does not open") as refused:
            restore_backup(file, path, wrong, replace=True)
        assert wrong not in str(refused.value)
    assert not (tmp_path / "new").exists()
    assert snapshot(workspace.path) == before
    assert not keys.has_keys(workspace.key_id)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_the_same_passphrase_composed_in_another_way_opens(costly_key, workspace, file, tmp_path):
    lose_keys(workspace)
    assert restore_backup(file, tmp_path / "new", PASSPHRASE.replace("ë", "e\u0308")).has_records


@pytest.mark.parametrize("damage", ["half", "last byte", "last page", "a byte in the middle", "one more page"])
def test_a_damaged_backup_replaces_nothing(workspace, file, tmp_path, damage):
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1 if damage == "a byte in the middle" else 0
    end = {"half": len(raw) // 2, "last byte": -1, "last page": -4096}.get(damage, len(raw))
    file.write_bytes(raw[:end] + (bytes(4096) if damage == "one more page" else b""))
    before = snapshot(workspace.path)
    lose_keys(workspace)
    for path in (workspace.path, tmp_path / "new"):
        with pytest.raises(CorruptVault, match="damaged or incomplete"):
            restore_backup(file, path, PASSPHRASE, replace=True)
    assert snapshot(workspace.path) == before
    assert not (tmp_path / "new").exists()
    assert not keys.has_keys(workspace.key_id)


def test_a_vault_with_records_is_replaced_only_when_told_and_then_kept(workspace, file):
    with open_vault(workspace) as vault:
        vault.add("encounter", frame("encounter", 10, first=400), "later.csv")
    later = content(workspace)
    with pytest.raises(VaultError, match="--replace"):
        restore_backup(file, workspace.path, PASSPHRASE)
    assert content(workspace) == later
    done = restore_backup(file, workspace.path, PASSPHRASE, replace=True)
    assert len(content(workspace)[0]["encounter"]) == 400
    with Vault.open(done.replaced, keys.load(workspace.key_id).vault) as replaced:
        assert sum(len(b) for b in replaced.read("encounter")) == 410


def test_a_damaged_vault_is_replaced_only_when_told(workspace, file):
    before = content(workspace)
    (workspace.vault / "vault.db").write_bytes(b"damaged")
    with pytest.raises(VaultError, match="cannot be read"):
        restore_backup(file, workspace.path, PASSPHRASE)
    done = restore_backup(file, workspace.path, PASSPHRASE, replace=True)
    assert content(workspace) == before
    assert (done.replaced / "vault.db").read_bytes() == b"damaged"


def test_a_removed_vault_is_put_back_without_being_told(workspace, file):
    before = content(workspace)
    for path in workspace.vault.iterdir():
        path.unlink()
    workspace.vault.rmdir()
    assert restore_backup(file, workspace.path, PASSPHRASE).replaced is None
    assert content(workspace) == before


def test_the_workspace_of_another_programme_is_left_alone(workspace, file, tmp_path):
    other = Workspace.create(tmp_path / "other", "real")
    with pytest.raises(WorkspaceError, match="another workspace"):
        restore_backup(file, other.path, PASSPHRASE, replace=True)
    assert not other.vault.exists()


def test_a_key_is_never_overwritten(workspace, file):
    lose_keys(workspace)
    keys.store(workspace.key_id, other := Keys.random())
    with pytest.raises(VaultError, match="never overwritten"):
        restore_backup(file, workspace.path, PASSPHRASE, replace=True)
    assert keys.load(workspace.key_id) == other


@pytest.mark.parametrize("lost", [["vault"], ["identifier"], ["vault", "identifier"]])
def test_a_lost_key_comes_back_alone_and_the_records_stay(workspace, file, lost):
    both = keys.load(workspace.key_id)
    with Vault.open(workspace.vault, both.vault) as vault:
        vault.add("service", frame("service", 30), "c.csv", "arsis")
    before = content(workspace)
    for name in lost:
        (keys.key_folder(workspace.key_id) / f"{name}.key").unlink()
    with pytest.raises(VaultError, match="there is no way to it"):
        keys.load(workspace.key_id)
    done = restore_backup(file, workspace.path, PASSPHRASE)
    assert (done.only_key, done.replaced, keys.load(workspace.key_id)) == (True, None, both)
    assert content(workspace) == before


def test_a_lost_key_comes_back_with_the_vault_where_the_vault_is_lost_too(workspace, file, tmp_path):
    both = keys.load(workspace.key_id)
    (keys.key_folder(workspace.key_id) / "identifier.key").unlink()
    done = restore_backup(file, tmp_path / "new", PASSPHRASE)
    assert (done.only_key, done.has_records, keys.load(workspace.key_id)) == (False, True, both)


def test_keys_that_the_caller_has_are_compared_and_never_written_down(workspace, file):
    both = keys.load(workspace.key_id)
    lose_keys(workspace)
    with pytest.raises(VaultError, match="other keys"):
        restore_backup(file, workspace.path, PASSPHRASE, replace=True, known_keys=Keys(both.identifier, both.vault))
    assert restore_backup(file, workspace.path, PASSPHRASE, replace=True, known_keys=both).has_records
    assert not keys.has_keys(workspace.key_id)


def test_a_backup_is_never_written_over(workspace, file):
    before = file.read_bytes()
    with pytest.raises(InputError, match="already exists"):
        write_backup(workspace, keys.load(workspace.key_id), file, PASSPHRASE)
    assert file.read_bytes() == before


def test_a_short_passphrase_is_refused(workspace, tmp_path):
    with pytest.raises(InputError, match="12 characters") as refused:
        write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b", "hunter2")
    assert "hunter2" not in str(refused.value)
    assert not (tmp_path / "b").exists()


def test_a_common_passphrase_is_refused(workspace, tmp_path):
    with pytest.raises(InputError, match="everybody tries first"):
        write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b", "password1234")
    assert not (tmp_path / "b").exists()


def test_no_backup_during_an_import(workspace, tmp_path):
    with open_vault(workspace) as vault, vault.writing(), pytest.raises(VaultBusy):
        write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b", PASSPHRASE)
    assert not (tmp_path / "b").exists()


def test_a_damaged_vault_is_not_backed_up(workspace, tmp_path):
    db = workspace.vault / "vault.db"
    raw = bytearray(db.read_bytes())
    raw[len(raw) // 2] ^= 1
    db.write_bytes(raw)
    with pytest.raises(CorruptVault):
        write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b", PASSPHRASE)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config", "w"]


def test_other_files_are_no_backup(workspace, tmp_path):
    with pytest.raises(InputError, match="There is no backup"):
        restore_backup(tmp_path / "nowhere", tmp_path / "new", PASSPHRASE)
    (tmp_path / "text").write_text("x" * 9000)
    with pytest.raises(WrongKey, match="not a backup"):
        restore_backup(tmp_path / "text", tmp_path / "new", PASSPHRASE)
    with pytest.raises(InputError, match="no folder"):
        write_backup(workspace, keys.load(workspace.key_id), tmp_path / "no" / "b", PASSPHRASE)


def test_a_restore_that_is_interrupted_puts_the_old_vault_back(workspace, file, monkeypatch):
    before = content(workspace)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "publish_folder", killed)
        with pytest.raises(KeyboardInterrupt):
            restore_backup(file, workspace.path, PASSPHRASE, replace=True)
    assert content(workspace) == before
    left = {p.name for p in workspace.path.iterdir() if "vault" in p.name}
    assert left == {"vault", "vault.lock", "vault.forgotten"}


def write_results(derived, *names):
    for name in names:
        (derived / "2009-05-001" / name).mkdir(parents=True)
        (derived / "2009-05-001" / name / "manifest.json").write_text(f'{{"kind": "{name}"}}')


def test_plans_that_were_kept_come_back_and_those_that_are_there_stay(workspace, tmp_path):
    write_results(workspace.derived, "plan-partner-a", "plan-partner-b", "risk-partner-c")
    write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b.tact", PASSPHRASE)
    new = tmp_path / "new"
    restore_backup(tmp_path / "b.tact", new, PASSPHRASE)
    assert {str(path): content for path, content in snapshot(new / "derived").items()} == {
        f"2009-05-001/{name}/manifest.json": f'{{"kind": "{name}"}}'.encode()
        for name in ("plan-partner-a", "plan-partner-b")
    }
    changed = new / "derived" / "2009-05-001" / "plan-partner-a" / "manifest.json"
    changed.write_text("{}")
    restore_backup(tmp_path / "b.tact", new, PASSPHRASE, replace=True)
    assert changed.read_text() == "{}"


def test_the_people_who_sign_in_come_back_with_the_log_and_without_what_was_open(workspace, tmp_path, monkeypatch):
    hash_cheaply(monkeypatch)
    moment = [time.time()]
    accounts = Accounts.open_or_create(workspace.accounts, clock=lambda: moment[0])
    member = take_in(accounts)
    moment[0] += 60
    session = sign_in(accounts, member.name, HERS, member.make_code(moment[0]))
    before = read_log(accounts)
    write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b.tact", PASSPHRASE)
    assert find_open(accounts, {session}), "the one that runs is not changed"
    done = restore_backup(tmp_path / "b.tact", tmp_path / "new", PASSPHRASE)
    assert done.accounts
    there = done.workspace.accounts
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    restored = Accounts.open(there, clock=lambda: moment[0])
    assert (read_log(restored), verify_log(restored).problem) == (before, "")
    assert not find_open(restored, {session})
    moment[0] += 60
    assert isinstance(sign_in(restored, member.name, HERS, member.make_code(moment[0])), str)
    again = restore_backup(tmp_path / "b.tact", tmp_path / "new", PASSPHRASE, replace=True)
    assert not again.accounts, "those that are there stay"
    assert len(read_log(restored)) == len(before) + 1
    there.unlink()
    left = there.with_name(f"{there.name}-wal")
    left.write_bytes(b"of the file that was lost")
    assert restore_backup(tmp_path / "b.tact", tmp_path / "new", PASSPHRASE, replace=True).accounts
    assert not left.exists()


def test_agendas_and_decisions_of_a_local_map_come_back(workspace, tmp_path):
    key = create_meeting(Accounts.open_or_create(find_local_file(workspace.derived)), "A meeting", "2009-06-01")
    write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b.tact", PASSPHRASE)
    done = restore_backup(tmp_path / "b.tact", tmp_path / "new", PASSPHRASE)
    assert [meeting.key for meeting in list_meetings(Accounts.open(find_local_file(done.workspace.derived)))] == [key]
    assert not done.accounts
    find_local_file(workspace.derived).write_bytes(b"no database " * 500)
    problem = write_backup(workspace, keys.load(workspace.key_id), tmp_path / "c.tact", PASSPHRASE)
    assert "agendas and decisions are NOT in the backup" in problem


def test_accounts_that_cannot_be_read_do_not_stop_the_backup_of_the_records(workspace, tmp_path):
    workspace.accounts.parent.mkdir(exist_ok=True)
    workspace.accounts.write_bytes(b"no database " * 500)
    problem = write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b.tact", PASSPHRASE)
    assert "NOT in the backup" in problem
    done = restore_backup(tmp_path / "b.tact", tmp_path / "new", PASSPHRASE)
    assert (done.has_records, done.accounts) == (True, False)


@pytest.mark.parametrize(("folder", "name"), [("derived", LEDGER), ("derived", BREAKS), ("releases", WITHDRAWN)])
def test_ledger_breaks_and_releases_taken_back_come_back_and_those_that_are_there_stay(
    workspace, tmp_path, folder, name
):
    (workspace.path / folder / name).write_text("one\n")
    (workspace.path / folder / f"{name}.part").write_text("of no backup\n")
    write_backup(workspace, keys.load(workspace.key_id), tmp_path / "b.tact", PASSPHRASE)
    new = tmp_path / "new"
    restore_backup(tmp_path / "b.tact", new, PASSPHRASE)
    assert {str(path): content for path, content in snapshot(new / folder).items()} == {name: b"one\n"}
    (new / folder / name).write_text("one\ntwo\n")
    restore_backup(tmp_path / "b.tact", new, PASSPHRASE, replace=True)
    assert (new / folder / name).read_text() == "one\ntwo\n"


@pytest.mark.slow
def test_a_backup_of_before_there_were_plans_is_restored(costly_key, file, tmp_path):
    with contextlib.closing(sqlcipher.connect_with_passphrase(file, PASSPHRASE)) as connection:
        connection.execute("DROP TABLE backup_plan")
    lose_keys(Workspace.open(tmp_path / "w"))
    assert restore_backup(file, tmp_path / "new", PASSPHRASE).has_records
    assert snapshot(tmp_path / "new" / "derived") == {}


def test_a_vault_that_was_open_before_a_restore_takes_no_records_after_it(workspace, file):
    with open_vault(workspace) as vault:
        restore_backup(file, workspace.path, PASSPHRASE, replace=True)
        with pytest.raises(VaultError, match="was replaced"):
            vault.add("encounter", frame("encounter", 5, first=900), "c.csv", "arsis")
    with open_vault(workspace) as vault:
        assert vault.count("encounter") == 400
