"""Forgetting: what is deleted from the vault, what stays in it, and what a restore brings back."""

import contextlib
import re
import stat
from functools import reduce

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError, VaultError
from data.restricted import backup, keys
from data.restricted.vault import Vault, forget_log, open_vault, removal, sqlcipher, tables
from data.restricted.vault.blocks import Block
from data.workspace import Workspace
from tests.helpers.old_blocks import NUMBERS, with_marks
from tests.helpers.records import frame

PASSPHRASE = "tri fjalë të rastit"

pytestmark = pytest.mark.usefixtures("cheap_backups")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(keys.platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "real")
    with Vault.create(workspace.vault, keys.create(workspace.key_id)) as vault:
        vault.add("encounter", encounters(), "a.csv")
        publish(vault, {"met|AL|whole": children(vault)})
    return workspace


def encounters(first=0, count=20, **changes):
    """Return rows: 2n and 2n + 1 belong to one child; a shared number links child 3 with child 4."""
    records = frame("encounter", count, first=first)
    records["programme_child"] = ""
    records = records.assign(**changes)
    linked = records["child"].isin([child(3), child(4)])
    records.loc[linked, "programme_child"] = "ab" * 32
    return records


def child(number):
    return frame("encounter", 1, first=2 * number)["child"][0]


def children(vault):
    return sorted({h for part in vault.read("encounter", ["child"]) for h in part["child"].to_pylist()})


def marks(hashes):
    """Return the marks of some children as earlier versions made them: 40 bits of the hash, 24 of the content."""
    return np.sort(np.array([int(h[:10], 16) << 24 | 7 for h in hashes], np.uint64))


def publish(vault, blocks, release="r1"):
    """Publish blocks in the format of an earlier version, with marks of the children."""
    vault.stage_publication(release, {name: with_marks(marks(who)) for name, who in blocks.items()})
    vault.confirm_publication(release)


def published(vault):
    return {name: block.members for name, block in vault.published_blocks().items()}


def opened(workspace):
    return open_vault(workspace, keys.load(workspace.key_id))


def read_log(workspace):
    return forget_log.read(forget_log.log_path(workspace.vault), keys.load(workspace.key_id).vault)


# -- what leaves --


def test_a_child_and_all_linked_records_leave(workspace):
    with opened(workspace) as vault:
        assert vault.forget([child(3)]) == 4
        left = children(vault)
        assert len(left) == 8
        assert not {child(3), child(4)} & set(left)
        assert vault.check() == []
        assert {child(3), child(4), "ab" * 32} == vault.forgotten_children()
        assert vault.forget([child(3)]) == 0


def test_texts_that_only_the_child_had_leave_and_the_others_keep_their_numbers(workspace):
    with opened(workspace) as vault:
        vault.add("encounter", encounters(first=100, count=2, date="1999-12-31"), "b.csv")
        others = [row for row in rows(vault) if row["date"] != "1999-12-31"]
        vault.forget([child(50)])
        assert rows(vault) == others
        assert not list(vault._connection.execute("SELECT 1 FROM term WHERE text = '1999-12-31'"))
        vault.add("encounter", encounters(first=200, count=2, date="2001-01-01"), "c.csv")
        assert {row["date"] for row in rows(vault)} == {"2001-01-01", *(row["date"] for row in others)}
        assert vault.check() == []


def rows(vault, kind="encounter"):
    return [row for part in vault.read(kind) for row in part.to_pylist()]


def test_nothing_of_the_child_is_on_the_disk(workspace):
    ciphers = pytest.importorskip("cryptography.hazmat.primitives.ciphers")
    number, key = "PLANTED-4711", keys.load(workspace.key_id).vault.reveal()
    with opened(workspace) as vault:
        # Many rows around it, so that pages are split, merged and freed.
        vault.add("encounter", encounters(first=1000, count=3000), "many.csv")
        vault.add("encounter", encounters(first=100, count=2, record_number=number), "b.csv")
        vault.add("encounter", encounters(first=5000, count=3000), "more.csv")
        publish(vault, {"met|AL|whole": children(vault)}, "r2")
        hashed, mark = bytes.fromhex(child(50)), marks([child(50)]).astype("<u8").tobytes()
    secrets = (number.encode(), hashed, mark)
    before = plain_pages(workspace.vault / "vault.db", key, ciphers)
    assert all(secret in before for secret in secrets)
    with opened(workspace) as vault:
        vault.forget([child(50)])
        assert (workspace.vault / "vault.db-wal").stat().st_size == 0
        after = plain_pages(workspace.vault / "vault.db", key, ciphers)
        # The forget log holds the hash, and nothing else of the child is left.
        assert number.encode() not in after
        assert mark not in after
        assert after.count(hashed) == 0


def plain_pages(file, key, ciphers, page=4096, reserve=80):
    """Decrypt a SQLCipher 4 database page by page, free pages and free space included."""
    raw, pages = file.read_bytes(), []
    for start in range(0, len(raw), page):
        body = raw[start + (16 if start == 0 else 0) : start + page - reserve]
        iv = raw[start + page - reserve : start + page - reserve + 16]
        cipher = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(iv)).decryptor()
        pages.append(cipher.update(body) + cipher.finalize())
    return b"".join(pages)


def test_a_reader_sees_its_moment_and_stops_nobody_from_forgetting(workspace, monkeypatch):
    monkeypatch.setattr(sqlcipher, "_BUSY_SECONDS", 0.2)  # how long the vault waits for the reader to end
    with opened(workspace) as vault:
        reading = vault.read("encounter", ["child"], chunk_rows=5)
        first = next(reading)
        vault.forget([child(0)])
        assert len(first) + sum(len(part) for part in reading) == 20
        assert child(0) not in children(vault)


# -- published numbers --


def test_forgetting_takes_the_marks_of_earlier_versions_and_leaves_the_numbers(workspace):
    with opened(workspace) as vault:
        publish(vault, {"met|AL|2006": children(vault), "met|GR|2006": children(vault)[:2]}, "r2")
        vault.forget([child(0)])
        assert set(published(vault).values()) == {Block(NUMBERS).encode()}
        assert vault.published_blocks()["met|AL|2006"].release == "r2"


def test_what_is_staged_forgets_too(workspace):
    with opened(workspace) as vault:
        vault.stage_publication("r2", {"a": with_marks(marks([child(0), child(1)]))})
        vault.forget([child(0)])
        vault.confirm_publication("r2")
        assert published(vault)["a"] == Block(NUMBERS).encode()


# -- the log --


def test_the_log_stands_beside_the_vault_and_each_mends_the_other(workspace):
    log = workspace.path / "vault.forgotten"
    with opened(workspace) as vault:
        assert read_log(workspace) == set()
        vault.forget([child(0)])
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    ((kind, name, day),) = read_log(workspace)
    assert (kind, name, len(day)) == ("child", child(0), len("2009-05-31"))
    log.unlink()
    opened(workspace).close()
    assert {name for _, name, _ in read_log(workspace)} == {child(0)}
    forget_log.add(log, [forget_log.Entry("child", child(1), "2009-05-31")], keys.load(workspace.key_id).vault)
    with opened(workspace) as vault:
        assert child(1) not in children(vault)
        assert {child(0), child(1)} == vault.forgotten_children()


def test_the_log_tells_nothing_to_who_has_no_vault_key(workspace):
    log, seen = workspace.path / "vault.forgotten", []
    for first in range(0, 40, 8):
        seen.append(log.read_bytes())
        with opened(workspace) as vault:
            vault.forget([child(number) for number in range(first, first + 8)])
    with opened(workspace) as vault:
        vault.add("effort", frame("effort", 6).assign(partner="arsis"), "effort.csv")
        vault.withdraw("arsis")
    seen.append(log.read_bytes())
    assert len({len(content) for content in seen}) == 1, "also none and forty have one size"
    words = [entry.encode() for kind, name, until in read_log(workspace) for entry in (kind, name, until)]
    assert not any(text in content for content in seen for text in words if len(text) > 4)
    assert len({content[:64] for content in seen}) == len(seen), "no two are encrypted with one nonce"
    identifier_key = keys.load(workspace.key_id).identifier
    with pytest.raises(VaultError, match="another vault key"):
        forget_log.read(log, identifier_key)


def test_the_plain_log_of_an_earlier_version_is_read_and_replaced(workspace):
    log = workspace.path / "vault.forgotten"
    log.write_text(f"kind,name,day\nchild,{child(0)},2009-05-31\npartner,arsis,3\n")
    with opened(workspace) as vault:
        assert vault.forgotten_children() == {child(0)}
    assert forget_log.is_encrypted(log)
    assert child(0).encode() not in log.read_bytes()
    assert read_log(workspace) == {("child", child(0), "2009-05-31"), ("partner", "arsis", "3")}


@pytest.mark.parametrize("damage", [b"kind,name,day\nchild\n", b"tact-map forget log v2\n", b"\xff", "flip", "cut"])
def test_a_damaged_log_is_said_and_the_vault_writes_it_again(workspace, damage):
    log = workspace.path / "vault.forgotten"
    with opened(workspace) as vault:
        vault.forget([child(0)])
    content = log.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    log.write_bytes({"flip": flipped, "cut": content[:-20]}.get(damage, damage))
    with pytest.raises(VaultError, match="move it away"):
        opened(workspace)
    log.unlink()
    with opened(workspace) as vault:
        assert vault.forgotten_children() == {child(0)}


def unknown_since(version):
    """Return what the columns that later versions added have in an older encounter."""
    added = tables._list_added(version)["encounter"].items()
    return {name: "unknown" if storage == "term" else "" for name, storage in added}


def make_older(workspace, version):
    """Turn a vault into one that an earlier version wrote."""
    histories = list(map(tables.history_of, tables.TABLES))
    lacking = {1: ["forgotten", "undoable", *histories], 2: ["undoable", *histories]}.get(version, [])
    with opened(workspace) as vault:
        for table in lacking:
            vault._connection.execute(f"DROP TABLE {table}")
        for kind, columns in tables._list_added(version).items():
            for name in columns:
                for table in {kind, f"{kind}_history"} - set(lacking):
                    vault._connection.execute(f'ALTER TABLE {table} DROP COLUMN "{name}"')
                vault._connection.execute('DELETE FROM term WHERE "column" = ?', (f"{kind}.{name}",))
        vault._connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_vault_of_an_earlier_version_opens_and_forgets(workspace, version):
    with opened(workspace) as vault:
        vault.add("service", frame("service", 4), "services.csv")
        earlier, services = rows(vault), rows(vault, "service")
    make_older(workspace, version)
    with opened(workspace) as vault:
        # What was not asked then is not known.
        assert rows(vault) == [row | unknown_since(version) for row in earlier]
        assert rows(vault, "service") == [row | {"help": "unknown"} for row in services]
        assert vault.add("encounter", frame("encounter", 3, first=900), "later.csv").accepted == 3
        assert vault.forget([child(0)]) == 2
        assert vault.check() == []
        if version < 3:  # what an import of that version replaced is not known
            with pytest.raises(InputError, match="cannot be undone"):
                vault.undo(vault.list_imports()[0]["number"])


# -- restoring --


@pytest.fixture
def older(workspace, tmp_path):
    """Return a backup that was made before any child was forgotten."""
    backup.write_backup(workspace, keys.load(workspace.key_id), tmp_path / "older", PASSPHRASE)
    return tmp_path / "older"


def test_a_restored_backup_brings_nobody_back(workspace, older):
    with opened(workspace) as vault:
        vault.forget([child(0)])
        remaining = rows(vault)
    backup.restore_backup(older, workspace.path, PASSPHRASE, replace=True)
    # Even without opening it: what stands under the vault's name never held the child again.
    with contextlib.closing(_connect(workspace)) as connection:
        assert not list(connection.execute("SELECT 1 FROM encounter WHERE child = ?", (bytes.fromhex(child(0)),)))
    with opened(workspace) as vault:
        assert rows(vault) == remaining
        assert vault.forgotten_children() == {child(0)}
        assert published(vault)["met|AL|whole"] == Block(NUMBERS).encode()


def _connect(workspace):
    from data.restricted.vault import sqlcipher

    return sqlcipher.connect(workspace.vault / "vault.db", keys.load(workspace.key_id).vault)


def test_a_backup_carries_the_log_to_a_new_folder(workspace, tmp_path):
    with opened(workspace) as vault:
        vault.forget([child(0)])
    backup.write_backup(workspace, keys.load(workspace.key_id), tmp_path / "later", PASSPHRASE)
    restored = backup.restore_backup(tmp_path / "later", tmp_path / "new", PASSPHRASE).workspace
    with opened(restored) as vault:
        assert vault.forgotten_children() == {child(0)}
    assert {name for _, name, _ in read_log(restored)} == {child(0)}


@pytest.mark.parametrize("version", [1, 3, 4])
def test_a_backup_of_an_earlier_version_is_restored(workspace, tmp_path, monkeypatch, version):
    names, create = tables._TABLES_OF[version], tables.create_sql
    added = tables._list_added(version)
    columns = {
        table: ", ".join(["identity, content, batch", *(f'"{c}"' for c in names if c not in added[kind])])
        for kind, names in tables.TABLES.items()
        for table in (kind, f"{kind}_history")
    }
    known = ' WHERE "column" NOT IN ({})'.format(", ".join(f"'{name}'" for name in tables._list_unknown(version)))
    definitions = [f', "{c}" {tables._SQL[how]}' for columns in added.values() for c, how in columns.items()]

    def create_older(schema="main"):
        texts = [reduce(lambda text, column: text.replace(column, ""), definitions, text) for text in create(schema)]
        return [text for text in texts if re.match(r"CREATE TABLE \w+\.(\w+)", text)[1] in names]

    def copy_older(schema, _):
        copied = {name: f"{columns.get(name, '*')} FROM main.{name}{known if name == 'term' else ''}" for name in names}
        return [f"INSERT INTO {schema}.{name} SELECT {what}" for name, what in copied.items()]

    with monkeypatch.context() as patch:
        patch.setattr(tables, "VERSION", version)
        patch.setattr(tables, "create_sql", create_older)
        patch.setattr(tables, "copy_sql", copy_older)
        backup.write_backup(workspace, keys.load(workspace.key_id), tmp_path / "first", PASSPHRASE)
    with opened(workspace) as vault:
        vault.forget([child(0)])
        remaining = rows(vault)
    backup.restore_backup(tmp_path / "first", workspace.path, PASSPHRASE, replace=True)
    with opened(workspace) as vault:
        assert rows(vault) == [row | unknown_since(version) for row in remaining]


# -- partners, and what is too old --


def test_a_partner_leaves_with_all_kinds_of_its_records_and_may_come_back(workspace):
    with opened(workspace) as vault:
        for kind in ("effort", "community", "indicator", "figure", "service"):
            vault.add(kind, frame(kind, 6), f"{kind}.csv", "ARSIS")
        mine = frame("encounter", 4, first=500).assign(partner="Arsis ")
        vault.add("encounter", mine, "own.csv")
        of_others = sum(row["partner"] != "arsis" for row in rows(vault)) - 4
        vault.withdraw("ARSIS")
        assert vault.kinds() == ["encounter"]
        assert len(rows(vault)) == of_others
        vault.add("effort", frame("effort", 6), "again.csv")
        assert vault.kinds() == ["encounter", "effort"]
    with opened(workspace) as vault:
        assert vault.kinds() == ["encounter", "effort"]


def test_a_partner_that_left_stays_away_when_an_older_backup_is_restored(workspace, older):
    with opened(workspace) as vault:
        vault.withdraw("arsis")
        remaining = rows(vault)
        assert 0 < len(remaining) < 20
    backup.restore_backup(older, workspace.path, PASSPHRASE, replace=True)
    with opened(workspace) as vault:
        assert rows(vault) == remaining


def set_clock_of_imports(vault, day):
    vault._connection.execute("UPDATE batch SET at = ? || substr(at, 11)", (day,))


@pytest.mark.parametrize("day", ["2040-01-01", "1990-01-01"])
def test_a_partner_leaves_whole_whatever_the_clock_said_when_it_sent_its_files(workspace, tmp_path, day):
    with opened(workspace) as vault:
        set_clock_of_imports(vault, day)
        brought = sum(row["partner"] == "arsis" for row in rows(vault))
    backup.write_backup(workspace, keys.load(workspace.key_id), tmp_path / "older", PASSPHRASE)
    with opened(workspace) as vault:
        assert vault.count_brought("arsis") == brought > 0
        assert vault.withdraw("arsis") == brought
        remaining = rows(vault)
        assert not any(row["partner"] == "arsis" for row in remaining)
    backup.restore_backup(tmp_path / "older", workspace.path, PASSPHRASE, replace=True)
    with opened(workspace) as vault:
        assert rows(vault) == remaining


@pytest.mark.parametrize("day", ["2040-01-01", "1990-01-01"])
def test_what_a_partner_sent_after_it_left_stays_whatever_the_clock_said(workspace, older, tmp_path, day):
    with opened(workspace) as vault:
        for first in (100, 200):
            vault.add("effort", frame("effort", 6, first=first).assign(partner="arsis"), f"{first}.csv")
        vault.withdraw("arsis")
    backup.restore_backup(older, workspace.path, PASSPHRASE, replace=True)
    with opened(workspace) as vault:
        # The number of this import is none that the backup does not know of.
        vault.add("effort", frame("effort", 6).assign(partner="arsis"), "again.csv")
        set_clock_of_imports(vault, day)
    backup.write_backup(workspace, keys.load(workspace.key_id), tmp_path / "newer", PASSPHRASE)
    with opened(workspace) as vault:
        assert vault.count_brought("arsis") == 6
    with opened(workspace) as vault:  # the log is applied to a vault that does not have it
        vault._connection.execute("DELETE FROM forgotten")
    assert "arsis" in {name for _, name, _ in read_log(workspace)}
    with opened(workspace) as vault:
        assert vault.count_brought("arsis") == 6
    backup.restore_backup(tmp_path / "newer", workspace.path, PASSPHRASE, replace=True)
    with opened(workspace) as vault:
        assert vault.count_brought("arsis") == 6


def test_an_entry_of_an_earlier_version_has_a_day(workspace):
    log = forget_log.log_path(workspace.vault)
    with opened(workspace) as vault:
        remaining = [row for row in rows(vault) if row["partner"] != "arsis"]
        log.write_text(f"kind,name,day\npartner,arsis,{forget_log.today()}\n")
    with opened(workspace) as vault:
        assert rows(vault) == remaining
    entries = [forget_log.Entry("partner", "arsis", until) for until in ("9", "10", "2026-11-25")]
    assert forget_log.keep_latest(entries) == {entries[1]}


def test_records_that_are_left_of_a_partner_are_an_error(workspace, monkeypatch):
    monkeypatch.setattr(removal, "_delete_partner_records", lambda *_: 0)
    with opened(workspace) as vault, pytest.raises(VaultError, match="still in the vault"):
        vault.withdraw("arsis")


def test_an_unknown_partner_is_named_with_those_there_are(workspace):
    with opened(workspace) as vault, pytest.raises(InputError, match="arsis"):
        vault.withdraw("Arsys")


def test_a_child_is_kept_as_long_as_it_was_met_since(workspace):
    early, late = pd.Timestamp("2000-01-01").date(), pd.Timestamp("2007-06-01").date()
    with opened(workspace) as vault:
        assert vault.count_overdue(early) == vault.expire(early) == 0
        last = {}
        for row in rows(vault):
            name = row["programme_child"] or row["child"]
            last[name] = max(last.get(name, ""), row["date"])
        keep = [r for r in rows(vault) if last[r["programme_child"] or r["child"]] >= "2007-06-01"]
        assert 0 < len(keep) < 20
        assert vault.count_overdue(late) == 20 - len(keep)
        assert vault.expire(late) == 20 - len(keep)
        assert rows(vault) == keep
        assert vault.forgotten_children() == frozenset()
        assert read_log(workspace) == set()
        assert vault.check() == []
