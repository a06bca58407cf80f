"""kill -9 while backing up and while restoring: no half backup, and no vault lost."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data.backup import backup, restore
from data.keys import Keys, Secret
from data.vault import Vault, open_vault
from data.workspace import Workspace

frame = runpy.run_path(str(Path(__file__).with_name("records.py")))["frame"]
BOTH = Keys(Secret(bytes(range(32))), Secret(bytes(range(32, 64))))
PASSPHRASE = "correct horse battery"
ROWS, TIMES = 30_000, 8

PROGRAM = """
import sys
from pathlib import Path
from data import backup, keys
from data.workspace import Workspace
workspace = Workspace.open(Path(sys.argv[2]))
print("begins", flush=True)
if sys.argv[1] == "backup":
    backup.backup(workspace, keys.load(workspace.id), Path(sys.argv[3]), sys.argv[4])
else:
    backup.restore(Path(sys.argv[3]), workspace.path, sys.argv[4], replace=True)
print("ended", flush=True)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system"),
]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TACT_VAULT_KEY", BOTH.vault.reveal().hex())
    monkeypatch.setenv("TACT_IDENTIFIER_KEY", BOTH.identifier.reveal().hex())
    made = Workspace.create(tmp_path / "w", "real")
    with Vault.create(made.vault, BOTH.vault) as vault:
        vault.add("encounter", frame("encounter", ROWS), "a.csv")
    return made


def run(what, workspace, file, seconds=None):
    """Run in another process, killed after some seconds; give how long it ran and what it said."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, what, str(workspace.path), str(file), PASSPHRASE],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert process.stdout.readline() == "begins\n"
    began = time.monotonic()
    if seconds is not None:
        time.sleep(seconds)
        process.kill()
    said, _ = process.communicate()
    return time.monotonic() - began, said == "ended\n"


def count(vault):
    assert vault.check() == []
    return sum(len(batch) for batch in vault.read("encounter", ["stage"]))


def test_killed_while_backing_up_there_is_a_whole_backup_or_none(workspace, tmp_path):
    whole, ended = run("backup", workspace, tmp_path / "timed.tact")
    assert ended
    killed = 0
    for i, moment in enumerate(np.random.default_rng(1).uniform(0.05, 0.95, TIMES)):
        file = tmp_path / f"{i}.tact"
        _, ended = run("backup", workspace, file, moment * whole)
        assert ended <= file.exists()
        killed += not file.exists()
        if file.exists():
            assert restore(file, tmp_path / f"restored{i}", PASSPHRASE).has_records
    assert killed >= 2, "the moments must fall into the backup"
    with open_vault(workspace, BOTH) as vault:
        assert count(vault) == ROWS
    backup(workspace, BOTH, tmp_path / "last.tact", PASSPHRASE)


def test_killed_while_restoring_no_vault_is_lost(workspace, tmp_path):
    file = tmp_path / "backup.tact"
    backup(workspace, BOTH, file, PASSPHRASE)
    with open_vault(workspace, BOTH) as vault:
        vault.add("encounter", frame("encounter", 100, first=ROWS), "later.csv")
    whole, ended = run("restore", workspace, file)
    assert ended
    (replaced,) = workspace.path.glob("vault.before-*")
    for moment in np.random.default_rng(2).uniform(0.05, 1, TIMES):
        run("restore", workspace, file, moment * whole)
        with Vault.open(replaced, BOTH.vault) as vault:
            assert count(vault) == ROWS + 100
        if workspace.vault.exists():
            with open_vault(workspace, BOTH) as vault:
                assert count(vault) == ROWS
        else:
            # Killed between the two renames: the old one stands beside, and a restore works.
            assert len(list(workspace.path.glob("vault.before-*"))) >= 2
    assert restore(file, workspace.path, PASSPHRASE, replace=True).has_records
