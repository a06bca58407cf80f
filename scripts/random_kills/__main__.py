"""Kill commands, report progress, and print the failures that were found."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import scripts.random_kills as package
from scripts.random_kills.rounds import OPERATIONS, Lost, Model, Round
from scripts.random_kills.world import PASSPHRASE, World, build_base, look
from tests.helpers.quick import derive_keys_cheaply

_WEIGHTS = (5, 3, 2, 2, 2, 2, 2, 2, 2, 1, 3, 3, 1, 2, 1)
_ROUND = 40  # commands on one copy of the workspace


@dataclass
class Summary:
    """For each operation, the number of kills and of commands that ended before the kill; and the failures found."""

    kills: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, object]] = field(default_factory=list)


def run_kills(
    number: int, seed: int, folder: Path, keep: Path | None = None, operations: tuple[str, ...] = OPERATIONS
) -> Iterator[Summary]:
    """Kill commands until `number` were killed; yield the summary after each command.

    folder : for the worlds. keep : a folder for a copy of each world in which a failure was found. operations : those
    to run. Raises SystemExit if the base world cannot be built, or if the model does not fit it.
    """
    base, summary, whole = build_base(folder), Summary(), dict[str, tuple[int, float]]()
    weights = [weight for name, weight in zip(OPERATIONS, _WEIGHTS, strict=True) if name in operations]
    round_number = 0
    while summary.kills.total() < number:
        round_number += 1
        chance = random.Random(f"{seed} {round_number}")
        world = World(Path(shutil.copytree(base.world.path, folder / f"round{round_number}")))
        world.enter()
        state = look(world)
        game = Round(base, world, chance, Model(((1, 0), (2, 1)), backups={"0.backup": ((1, 0), (2, 1))}), state)
        if state.records != game.model.list_records(base):
            raise SystemExit("The model does not fit the world that it begins with.")
        for _ in range(_ROUND):
            (operation,) = chance.choices(operations, weights)
            try:
                outcome = game.kill_one(operation, whole)
            except Lost as lost:
                summary.kills[operation] += 1
                copy = shutil.copytree(world.path, keep / f"{seed}-{round_number}-{game.number}") if keep else None
                about = {"seed": seed, "round": round_number, "command": game.number, "kept": str(copy or "")}
                summary.failures.append({"operation": operation, "found": str(lost), **about})
                yield summary
                break
            if outcome == "killed":
                summary.kills[operation] += 1
            elif outcome == "ended":
                summary.ended[operation] += 1
            yield summary
            if summary.kills.total() >= number:
                break
        shutil.rmtree(world.path)


def main() -> int:
    """Kill commands, report progress, print the failures that were found, and return the exit code."""
    parser = argparse.ArgumentParser(description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=1000, help="of kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=OPERATIONS, help="an operation; repeatable")
    parser.add_argument("--keep", type=Path, help="a folder for a copy of each world in which something was found")
    arguments = parser.parse_args()
    summary, began = Summary(), time.monotonic()
    os.fsync = lambda _: None  # nobody cuts the power
    derive_keys_cheaply(pytest.MonkeyPatch())  # nobody guesses the passphrase
    os.environ |= {"TACT_BACKUP_PASSPHRASE": PASSPHRASE, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        reported = 0
        for summary in run_kills(
            arguments.number, arguments.seed, Path(folder), arguments.keep, tuple(arguments.only or OPERATIONS)
        ):
            if summary.kills.total() // 25 > reported:
                reported = summary.kills.total() // 25
                seconds = time.monotonic() - began
                print(f"{summary.kills.total()} kills, {len(summary.failures)} found, {seconds:.0f} s", file=sys.stderr)
    answer = {
        "seed": arguments.seed,
        "kills": summary.kills.total(),
        "killed": dict(summary.kills),
        "ended_before": dict(summary.ended),
        "seconds": round(time.monotonic() - began),
        "failures": summary.failures,
    }
    print(json.dumps(answer, indent=1))
    return int(bool(summary.failures))


if __name__ == "__main__":
    sys.exit(main())
