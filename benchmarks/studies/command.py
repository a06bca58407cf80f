"""The command line that the studies share."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol


class Study(Protocol):
    """The results of a study."""

    def summary(self) -> dict[str, Any]:
        """Return a summary over all worlds."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Return all results as plain values."""
        ...


Run = Callable[..., Study]
Describe = Callable[[dict[str, Any], int], Iterable[str]]


@dataclass(frozen=True)
class LawStudy:
    """A study that a command runs in place of its own where --law names laws of invented worlds."""

    run: Run
    describe: Describe
    names: tuple[str, ...]


def run_study(run: Run, describe: Describe, about: str, by_law: LawStudy | None = None) -> None:
    """Read the number of worlds and the first seed from the command line; run the study; print a summary."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("worlds", type=int, help="number of invented worlds")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first world (default: 0)")
    parser.add_argument("--json", action="store_true", help="print all results as JSON")
    if by_law:
        parser.add_argument("--law", choices=(*by_law.names, "all"), help="forecasts in worlds of this law, or of all")
    options = parser.parse_args()
    if options.worlds < 1 or options.seed < 0:
        parser.error("worlds is a whole number from 1, --seed one from 0")
    if by_law and options.law:
        names = by_law.names if options.law == "all" else (options.law,)
        run, describe = partial(by_law.run, laws=names), by_law.describe
    study = run(options.worlds, first_seed=options.seed, progress=_print_progress)
    if options.json:
        print(json.dumps(study.as_dict(), indent=2, default=float))
    else:
        print("\n".join(describe(study.summary(), options.seed)))


def _print_progress(done: int, total: int | None, what: str) -> None:
    print(f"{what}: {done} of {total}", file=sys.stderr)
