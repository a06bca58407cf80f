"""kill -9 in the middle of an import, twenty times: all of the file is there, or nothing of it."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data.keys import Secret
from data.vault import Counts, Vault

PROGRAM = Path(__file__).with_name("records.py")
frame = runpy.run_path(str(PROGRAM))["frame"]
KEY = Secret(bytes(range(32)))
ROWS, CHUNK, BEFORE = 20_000, 1_000, 500
TIMES = 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system"),
]


def start(folder):
    command = [sys.executable, str(PROGRAM), str(folder), KEY.reveal().hex(), str(ROWS), str(CHUNK)]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert process.stdout.readline() == "begins\n"
    return process


def kill_after(folder, seconds):
    """Kill an import some time after it began; tell whether it had said that it ended."""
    process = start(folder)
    time.sleep(seconds)
    process.kill()
    said, _ = process.communicate()
    return said == "ended\n"


def identities(vault):
    return [i.as_py() for batch in vault.read("encounter", ["identity"]) for i in batch["identity"]]


@pytest.fixture(scope="module")
def whole():
    """Give all identities, those of the file and those that were there before."""
    file, before = frame("encounter", ROWS)["identity"], frame("encounter", BEFORE, first=ROWS)["identity"]
    return sorted([*file, *before]), sorted(before)


def new_vault(folder):
    with Vault.create(folder, KEY) as vault:
        vault.add("encounter", frame("encounter", BEFORE, first=ROWS), "earlier.csv")
    return folder


@pytest.fixture(scope="module")
def seconds(tmp_path_factory):
    """Measure how long the import takes when nobody kills it."""
    process = start(new_vault(tmp_path_factory.mktemp("timed") / "vault"))
    began = time.monotonic()
    assert process.communicate()[0] == "ended\n"
    return time.monotonic() - began


def test_killed_at_random_moments_it_holds_all_or_nothing(tmp_path, whole, seconds):
    everything, before = whole
    random = np.random.default_rng(20)
    # Half of them anywhere, half towards the end, where the transaction is committed.
    moments = np.concatenate([random.uniform(0, 0.9, TIMES // 2), random.uniform(0.7, 1, TIMES // 2)])
    in_the_middle = 0
    for i, moment in enumerate(moments):
        folder = new_vault(tmp_path / f"vault{i}")
        ended = kill_after(folder, moment * seconds)
        with Vault.open(folder, KEY) as vault:
            found = identities(vault)
            assert found in (everything, before)
            assert not (ended and found == before), "what was reported as imported is gone"
            in_the_middle += found == before
            assert vault.check() == []
            counts = vault.add("encounter", frame("encounter", ROWS), "partner.csv", "arsis")
            assert counts in (Counts(ROWS, 0, 0), Counts(0, 0, ROWS))
            assert (counts.accepted == 0) == (found == everything)
            assert identities(vault) == everything
    assert in_the_middle >= TIMES // 4, "the moments must fall into the import"


def test_killed_again_and_again_on_the_same_vault_it_loses_nothing(tmp_path, whole, seconds):
    everything, before = whole
    folder = new_vault(tmp_path / "vault")
    for moment in np.random.default_rng(5).uniform(0.2, 0.8, 5):
        kill_after(folder, moment * seconds)
    with Vault.open(folder, KEY) as vault:
        assert identities(vault) in (everything, before)
        vault.add("encounter", frame("encounter", ROWS), "partner.csv", "arsis")
        assert identities(vault) == everything
        assert vault.check() == []
