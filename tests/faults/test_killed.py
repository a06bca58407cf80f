"""kill -9 during an import, twenty times with `make long`: all records of the file are stored, or none."""

import shutil
import signal

import numpy as np
import pandas as pd
import pytest

from data.restricted.keys import Secret
from data.restricted.vault import Counts, Vault
from tests.helpers.killing import kill, run_through
from tests.helpers.records import frame
from tests.helpers.repetitions import vary

KEY = Secret(bytes(range(32)))
ROWS, CHUNK, BEFORE = 8_000, 400, 500

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")]


def identities(vault):
    return [i.as_py() for batch in vault.read("encounter", ["identity"]) for i in batch["identity"]]


@pytest.fixture(scope="module")
def whole():
    """Return all identities (of the file and of earlier records), and the earlier ones alone."""
    file, before = frame("encounter", ROWS)["identity"], frame("encounter", BEFORE, first=ROWS)["identity"]
    return sorted([*file, *before]), sorted(before)


def new_vault(folder):
    with Vault.create(folder, KEY) as vault:
        vault.add("encounter", frame("encounter", BEFORE, first=ROWS), "earlier.csv")
    return folder


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    """Count the steps of an import that nobody kills."""
    return run_through(*command(new_vault(tmp_path_factory.mktemp("whole") / "vault")))


def command(folder):
    return "-m", "tests.helpers.records", folder, KEY.reveal().hex(), ROWS, CHUNK


def check(folder, ended, whole):
    """Check a vault whose writer was killed; return whether the file was imported."""
    everything, before = whole
    with Vault.open(folder, KEY) as vault:
        stored = identities(vault)
        assert stored in (everything, before)
        assert not (ended and stored == before), "what was reported as imported is gone"
        assert vault.check() == []
        counts = vault.add("encounter", frame("encounter", ROWS), "partner.csv", "arsis")
        assert counts == (Counts(0, 0, ROWS) if stored == everything else Counts(ROWS, 0, 0))
        assert identities(vault) == everything
    return stored == everything


@pytest.mark.always("0")
@vary("i", range(10), 0, 1, 2)
def test_killed_while_it_writes_it_holds_nothing_of_the_file(tmp_path, whole, marks, i):
    moment = int(np.random.default_rng([20, i]).integers(0, marks * 0.9))
    ended = kill(*command(new_vault(tmp_path / "vault")), marks=moment)
    assert not ended
    assert not check(tmp_path / "vault", ended, whole)


@pytest.mark.always("0")
@vary("i", range(10), 0, 1, 2)
def test_killed_while_it_commits_it_holds_all_or_nothing(tmp_path, whole, i):
    delay = float(np.random.default_rng([21, i]).uniform(0, 0.03))
    ended = kill(*command(new_vault(tmp_path / "vault")), delay=delay)
    check(tmp_path / "vault", ended, whole)


@pytest.mark.long
def test_killed_again_and_again_on_the_same_vault_it_loses_nothing(tmp_path, whole, marks):
    folder = new_vault(tmp_path / "vault")
    for moment in np.random.default_rng(5).integers(0, marks, 4).tolist():
        kill(*command(folder), marks=moment)
    kill(*command(folder), delay=0.01)
    check(folder, False, whole)


PUBLISHER = """
import sys
from pathlib import Path
from data.restricted.vault import Vault
from tests.helpers.killing import mark
with Vault.open(Path(sys.argv[1]), bytes(range(32))) as vault:
    if staged := vault.staged_publication():
        vault.discard_publication(staged)
    first = int(sys.argv[2])
    for i in range(first, first + 1000):
        vault.stage_publication(f"r{i}", {str(block): b"%d" % i for block in range(40)})
        vault.confirm_publication(f"r{i}")
        mark()
"""


def test_killed_while_publishing_the_members_are_those_of_one_release(tmp_path):
    folder = tmp_path / "vault"
    Vault.create(folder, KEY).close()
    random = np.random.default_rng(7)
    for i in range(3):
        published, delay = int(random.integers(1, 12)), float(random.uniform(0, 0.02))
        kill("-c", PUBLISHER, folder, 1000 * i, marks=published, delay=delay)
        with Vault.open(folder, KEY) as vault:
            blocks = vault.published_blocks()
            ((members, release),) = set(blocks.values())
            assert len(blocks) == 40
            assert release == f"r{members.decode()}"
            assert int(members) >= 1000 * i + published - 1
            assert vault.staged_publication() in (None, f"r{int(members) + 1}")
            assert [p for p in vault.check() if "was interrupted" not in p] == []


UNDOER = """
import sys
from pathlib import Path
from data.restricted.vault import Vault
from tests.helpers import killing
with Vault.open(Path(sys.argv[1]), bytes(range(32))) as vault:
    killing.watch(vault._connection, 2_000)
    vault.undo(2)
killing.mark(killing.END)
"""
TABLES = ("encounter", "encounter_history", "batch", "undoable")


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """Return a vault whose second import brought and corrected records, and all rows before and after its undo."""
    folder = tmp_path_factory.mktemp("corrected") / "vault"
    with Vault.create(folder, KEY) as vault:
        vault.add("encounter", frame("encounter", 2_000), "a.csv")
        corrections = frame("encounter", 1_000, first=1_500, version=1)
        vault.add("encounter", pd.concat([frame("encounter", 1_500), corrections]), "b.csv")
        vault.add("encounter", frame("encounter", 300, first=1_600, version=1), "c.csv")
        before = all_rows(vault)
    after = shutil.copytree(folder, folder.with_name("after"))
    assert run_through("-c", UNDOER, after) > 3
    with Vault.open(after, KEY) as vault:
        return folder, before, all_rows(vault)


def all_rows(vault):
    return [sorted(vault._connection.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES]


@pytest.mark.always("2")
@vary("i", range(6), 0, 2)
def test_killed_while_it_undoes_an_import_it_has_undone_all_of_it_or_nothing(tmp_path, corrected, i):
    folder, before, after = corrected
    copy = shutil.copytree(folder, tmp_path / "vault")
    ended = kill("-c", UNDOER, copy, marks=1 + i, delay=0.01 * i)
    with Vault.open(copy, KEY) as vault:
        stored = all_rows(vault)
        assert stored in (before, after)
        assert not (ended and stored == before)
        assert vault.check() == []
