"""Run every operation of scripts/random_kills under faults, then `tact doctor`; print the results as JSON.

    python -m tests.helpers.every_operation FOLDER [FAULT ...]

Each operation must be done completely, or be refused without any change; otherwise this process fails. FOLDER/disk is
a mounted small disk for the faults of disks, which are left out if it does not exist.
"""

import contextlib
import gc
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from data.accounts import database
from data.restricted import server_copy
from data.restricted.vault.lock import WriterLock
from scripts.random_kills import killing
from scripts.random_kills.killing import run_child
from scripts.random_kills.rounds import OPERATIONS, Model, Round
from scripts.random_kills.world import PASSPHRASE, World, build_base, look
from tests.helpers import wrong_clock
from tests.helpers.quick import derive_keys_cheaply, use_few_worlds

YEAR = 365.25 * 86400
CLOCKS = {"a clock that stands back": (-25 * YEAR, 0), "a clock that stands ahead": (14 * YEAR, 0),
          "a clock that jumps": (0, 400 * 86400)}  # fmt: skip
DISKS = ("a full disk", "a read-only disk")
FAULTS = (*CLOCKS, "a second writer", *DISKS)
AFTERWARDS = "doctor afterwards"


@contextlib.contextmanager
def fault(name, world):
    """Cause the fault with this name while the `with` block runs; another name causes none."""
    disk = world.path.parent
    if name in CLOCKS:
        wrong_clock.set_clock(*CLOCKS[name])
        yield
        wrong_clock.set_clock(0)
    elif name == "a full disk":
        with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(bytes(4096)):
                pass
        yield
        (disk / "filler").unlink()
    elif name == "a read-only disk":
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        yield
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    elif name == "a second writer":
        workspace = world.workspace
        with (
            WriterLock(workspace.vault).holding(),
            FileLock(world.path / ".server.lock"),
            contextlib.closing(sqlite3.connect(workspace.accounts, isolation_level=None)) as connection,
        ):
            connection.execute("BEGIN IMMEDIATE")
            yield
    else:
        yield


def run_operations(base, world, name):
    """Run all operations under a fault, and check the content of the world after each.

    Returns the exit code and the last part of the output of each operation, by its name. Raises SystemExit or
    AssertionError if a check fails. Operations that are not possible are left out.
    """
    world.enter()
    model = Model(((1, 0), (2, 1)), backups={"0.backup": ((1, 0), (2, 1))})
    answers, game = {}, Round(base, world, random.Random(1), model, look(world))
    for operation in OPERATIONS:
        game.number += 1
        prepared = game.prepare(operation)
        if prepared is None:
            continue
        action, judge = prepared
        with fault(name, world):
            ended = run_child(world.path, action, None)
        now = look(world)
        try:
            if ended.code and operation not in ("accept", "meeting"):
                game.expect(now)
            else:
                # These have several steps: a person who could not accept may stay invited.
                judge(now, bool(ended.code))
        except AssertionError as error:
            raise SystemExit(f"{operation} under {name}: {error} {ended}") from error
        game.seen = now
        answers[operation] = (ended.code, ended.out[-600:])
    return answers


def main():
    os.environ |= {"TACT_BACKUP_PASSPHRASE": PASSPHRASE, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    os.fsync = lambda _: None
    derive_keys_cheaply(patch := pytest.MonkeyPatch())
    use_few_worlds(patch)
    database._BUSY = server_copy._PATIENCE = 0.2
    killing._Killer.begin = lambda _: None  # no process is killed here, and counting steps takes long
    folder, faults = Path(sys.argv[1]), sys.argv[2:]
    base, answers = build_base(folder), {}
    wrong_clock.install()
    gc.freeze()  # the processes of the operations need not search what is loaded now
    for name in faults or FAULTS:
        place = folder / ("disk" if name in DISKS else "worlds")
        if name in DISKS and not place.exists():
            continue
        world = World(Path(shutil.copytree(base.world.path, place / str(len(answers) + 1))))
        answers[name] = run_operations(base, world, name)
        doctor = world.tact("doctor")
        answers[name][AFTERWARDS] = (doctor.code, doctor.out[-600:])
        shutil.rmtree(world.path)
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
