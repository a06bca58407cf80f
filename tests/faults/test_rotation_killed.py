"""kill -9 at the steps of a change of the vault key: one key that is stored opens the vault, with all its records."""

import signal

import pytest

from data.restricted import keys
from data.restricted.vault import Vault, forget_log, open_vault, removal, rotation
from data.workspace import Workspace
from tests.helpers.prepared import start
from tests.helpers.records import frame
from tests.helpers.repetitions import vary

CHILD = "ab" * 32
ROWS, MANY = 200, 40_000
PROGRAM = """
import os, shutil, signal, sys
from pathlib import Path
from data.restricted.vault import rotation, sqlcipher
from data.workspace import Workspace
from tests.helpers import killing

base, work, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
steps, last = 0, 0

def step(*said):
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    if event.partition(".")[0] in ("open", "os") and any(str(work) in str(a) for a in arguments):
        step()

def connect(*given, opened=sqlcipher.connect, **more):
    connection = opened(*given, **more)
    connection.set_trace_callback(step)
    return connection

def rotate(folder):
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    rotation.rotate_vault_key(Workspace.open(folder / "w"), ["by-hand.csv"])

def finish(folder):
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    rotation.load_keys(Workspace.open(folder / "w"))

def kill_at(moment, function, folder):
    global last
    child = os.fork()
    if child == 0:
        last = moment
        sys.addaudithook(hook)
        sqlcipher.connect = connect
        function(folder)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0

if not first:
    rotate(base)
else:
    for moment in range(first, 1000, 2):
        folder = work / str(moment)
        shutil.copytree(base, folder)
        if not kill_at(moment, rotate, folder):
            break
        # What finishes it may be killed as well.
        kill_at(1 + moment % 23, finish, shutil.copytree(folder, work / f"{moment} again"))
killing.mark(killing.END)
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")]


def make(folder, monkeypatch, rows):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    workspace = Workspace.create(folder / "w", "invented")
    keys.create(workspace.key_id)
    with Vault.create(workspace.vault, keys.load(workspace.key_id)) as vault:
        vault.add("encounter", frame("encounter", rows), "by-hand.csv")
        vault.forget([CHILD])
    return keys.load(workspace.key_id).vault


def check(folder, monkeypatch, rows, old):
    """Return whether the key was changed, after checking that nothing was lost."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    workspace = Workspace.open(folder / "w")
    here = (keys.load(workspace.key_id).vault, keys.load_next(workspace.key_id))
    stored = {key.reveal() for key in here if key}
    opened = [k for k in stored | {old.reveal()} if rotation._opens(workspace.vault / "vault.db", keys.Secret(k))]
    assert len(opened) == 1
    assert opened[0] in stored
    log = forget_log.log_path(workspace.vault)
    assert {CHILD} == {name for _, name, _ in forget_log.read(log, *map(keys.Secret, stored))}
    with open_vault(workspace) as vault:
        assert forget_log.read(log, keys.load(workspace.key_id).vault) == removal.read_log(vault._connection)
        assert vault.count("encounter") == rows
        assert vault.is_from(1, "by-hand.csv")
        assert vault.check() == []
        assert vault._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert keys.load_next(workspace.key_id) is None
    assert rotation.find_problems(workspace) == []
    return keys.load(workspace.key_id).vault != old


@vary("first", (1, 2))
def test_killed_at_any_step_one_stored_key_opens_the_vault(tmp_path, monkeypatch, first):
    """Every other step, beginning with the first or with the second one."""
    base, work = tmp_path / "base", tmp_path / "work"
    old = make(base, monkeypatch, ROWS)
    output, _ = start("-c", PROGRAM, base, work, first).communicate()
    assert output.endswith(b"E")
    moments = 2 * len(list(work.glob("* again"))) + first
    assert moments > 40, "the moments must fall into the change"
    changed = [check(folder, monkeypatch, ROWS, old) for folder in sorted(work.iterdir())]
    assert changed.count(False) > 1
    assert changed.count(True) > 20
    assert check(work / str(moments), monkeypatch, ROWS, old)


@pytest.mark.always("0.4")
@vary("share", [0.02, 0.2, 0.4, 0.6, 0.8, 0.98], 0.02, 0.4, 0.98)
def test_killed_while_pages_are_encrypted_anew_nothing_is_lost(tmp_path, monkeypatch, share):
    folder = tmp_path / "base"
    old = make(folder, monkeypatch, MANY)
    db = folder / "w" / "vault" / "vault.db"
    journal, whole = db.with_name("vault.db-journal"), db.stat().st_size
    process = start("-c", PROGRAM, folder, folder, 0)
    while not journal.exists() or journal.stat().st_size < share * whole:
        assert process.poll() is None, "the moment must fall into the transaction"
    process.kill()
    process.communicate()
    assert check(folder, monkeypatch, MANY, old)
