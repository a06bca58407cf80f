"""kill -9 during forgetting, twenty times with `make long`: all records of the child are there, or none."""

import contextlib
import shutil
import signal

import numpy as np
import pytest

from data.restricted.keys import Secret
from data.restricted.vault import Vault, forget_log, sqlcipher
from tests.helpers.killing import kill, run_through
from tests.helpers.old_blocks import with_marks
from tests.helpers.records import frame
from tests.helpers.repetitions import vary

KEY = Secret(bytes(range(32)))
CHILD, MINE, OTHERS = "ab" * 32, 300, 4_000
MARK = np.array([int(CHILD[:10], 16) << 24], np.uint64)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")]


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    folder = tmp_path_factory.mktemp("before") / "vault"
    with Vault.create(folder, KEY) as vault:
        vault.add("encounter", frame("encounter", OTHERS), "others.csv")
        vault.add("encounter", frame("encounter", MINE, first=OTHERS).assign(child=CHILD), "mine.csv")
        vault.stage_publication("r1", {"a": with_marks(MARK)})
        vault.confirm_publication("r1")
    return folder


def command(folder):
    return "-m", "tests.helpers.forgetting", folder, KEY.reveal().hex(), CHILD


@pytest.fixture(scope="module")
def marks(before, tmp_path_factory):
    return run_through(*command(copied(before, tmp_path_factory.mktemp("whole"))))


def copied(before, folder):
    return shutil.copytree(before, folder / "vault")


def left(connection):
    """Count the child's records on the disk, before a vault is opened."""
    asked = "SELECT count(*) FROM encounter WHERE child = ?"
    return connection.execute(asked, (bytes.fromhex(CHILD),)).fetchone()[0]


@pytest.mark.always("0")
@vary("i", range(20), 0, 1, 2, 3)
def test_a_child_is_forgotten_whole_or_not_at_all(before, marks, tmp_path, i):
    folder = copied(before, tmp_path)
    random = np.random.default_rng([47, i])
    ended = kill(*command(folder), marks=int(random.integers(1, marks)), delay=float(random.uniform(0, 0.01)))
    with contextlib.closing(sqlcipher.connect(folder / "vault.db", KEY)) as connection:
        assert left(connection) in (0, MINE)
        noted = bool(forget_log.read(forget_log.log_path(folder), KEY))
        assert noted or left(connection) == MINE
        assert not ended or left(connection) == 0
    with Vault.open(folder, KEY) as vault:
        # Once it stands in the log it is done, also by whoever opens the vault next.
        assert left(vault._connection) == (0 if noted else MINE)
        assert (vault.published_blocks()["a"].members == with_marks(MARK)) == (not noted)
        assert vault.check() == []
        vault.forget([CHILD])
        assert sum(len(part) for part in vault.read("encounter")) == OTHERS
