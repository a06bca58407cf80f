"""kill -9 during backup and restore: no incomplete backup, and no vault is lost."""

import signal

import numpy as np
import pytest

from data.restricted.backup import restore_backup, write_backup
from data.restricted.keys import Keys, Secret
from data.restricted.vault import Vault, open_vault
from data.workspace import Workspace
from tests.helpers.killing import kill, run_through
from tests.helpers.records import frame

BOTH = Keys(Secret(bytes(range(32))), Secret(bytes(range(32, 64))))
PASSPHRASE = "correct horse battery"
ROWS, TIMES = 10_000, 4

PROGRAM = """
import sys
from pathlib import Path
from types import SimpleNamespace
from data.restricted import backup, keys
from data.restricted.vault import sqlcipher
from data.workspace import Workspace
from tests.helpers import killing, quick
quick.derive_keys_cheaply(SimpleNamespace(setattr=setattr))
for name in ("connect", "connect_with_passphrase"):
    opened = getattr(sqlcipher, name)
    watched = lambda *a, opened=opened, **k: killing.watch(opened(*a, **k), 3_000)
    setattr(sqlcipher, name, watched)
workspace = Workspace.open(Path(sys.argv[2]))
if sys.argv[1] == "backup":
    backup.write_backup(workspace, keys.load(workspace.key_id), Path(sys.argv[3]), sys.argv[4])
else:
    backup.restore_backup(Path(sys.argv[3]), workspace.path, sys.argv[4], replace=True)
killing.mark(killing.END)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system"),
    pytest.mark.usefixtures("cheap_backups"),
]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TACT_VAULT_KEY", BOTH.vault.reveal().hex())
    monkeypatch.setenv("TACT_IDENTIFIER_KEY", BOTH.identifier.reveal().hex())
    workspace = Workspace.create(tmp_path / "w", "real")
    with Vault.create(workspace.vault, BOTH.vault) as vault:
        vault.add("encounter", frame("encounter", ROWS), "a.csv")
    return workspace


def command(what, workspace, file):
    return "-c", PROGRAM, what, workspace.path, file, PASSPHRASE


def count(vault):
    assert vault.check() == []
    return sum(len(batch) for batch in vault.read("encounter", ["stage"]))


def test_killed_while_backing_up_there_is_a_whole_backup_or_none(workspace, tmp_path):
    marks = run_through(*command("backup", workspace, tmp_path / "whole.tact"))
    killed = 0
    for i, moment in enumerate(np.random.default_rng(1).integers(0, marks, TIMES).tolist()):
        file = tmp_path / f"{i}.tact"
        ended = kill(*command("backup", workspace, file), marks=moment)
        assert ended <= file.exists()
        killed += not file.exists()
        if file.exists():
            assert restore_backup(file, tmp_path / f"restored{i}", PASSPHRASE).has_records
    assert killed >= TIMES // 2, "the moments must fall into the backup"
    with open_vault(workspace, BOTH) as vault:
        assert count(vault) == ROWS
    assert list(tmp_path.glob(".*.part")), "a moment must leave an unfinished file"
    write_backup(workspace, BOTH, tmp_path / "last.tact", PASSPHRASE)
    assert list(tmp_path.glob(".*.part")) == []


def test_killed_while_restoring_no_vault_is_lost(workspace, tmp_path):
    file = tmp_path / "backup.tact"
    write_backup(workspace, BOTH, file, PASSPHRASE)
    with open_vault(workspace, BOTH) as vault:
        vault.add("encounter", frame("encounter", 100, first=ROWS), "later.csv")
    marks = run_through(*command("restore", workspace, file))
    (replaced,) = workspace.path.glob("vault.before-*")
    for moment in np.random.default_rng(2).integers(0, marks, TIMES).tolist():
        kill(*command("restore", workspace, file), marks=moment)
        with Vault.open(replaced, BOTH.vault) as vault:
            assert count(vault) == ROWS + 100
        if workspace.vault.exists():
            with open_vault(workspace, BOTH) as vault:
                assert count(vault) == ROWS
        else:
            # Killed between the two renames: the old one stands beside, and a restore works.
            assert len(list(workspace.path.glob("vault.before-*"))) >= 2
    assert restore_backup(file, workspace.path, PASSPHRASE, replace=True).has_records
