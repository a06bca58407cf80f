"""Tools that the studies share: the command line, worlds in several processes, rounded means."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

import numpy as np

from data.workspace.cluster import map_on_cluster
from data.workspace.types import Progress


class Study(Protocol):
    """The results of a study."""

    def summary(self) -> dict[str, Any]:
        """Return a summary over all worlds."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Return all results as plain values."""
        ...


Case = TypeVar("Case")
Result = TypeVar("Result")
Run = Callable[..., Study]
Describe = Callable[[dict[str, Any], int], Iterable[str]]


def run_study(run: Run, describe: Describe, about: str, laws: Sequence[str] = (), *, spread: bool = False) -> None:
    """Read the number of worlds and the first seed from the command line; run the study; print a summary.

    If a study has `laws` of invented worlds, --law chooses among them. If it can `spread` its worlds over processes and
    machines, --processes and --cluster say which.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("worlds", type=int, help="number of invented worlds")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first world (default: 0)")
    parser.add_argument("--json", action="store_true", help="print all results as JSON")
    if laws:
        parser.add_argument("--law", action="append", choices=laws, help="default: all of them")
    if spread:
        parser.add_argument("--processes", type=int, help="worlds at the same time (default: one or two)")
        parser.add_argument("--cluster", default="", help="address of a Dask scheduler, or local: needs '.[cluster]'")
    options = parser.parse_args()
    if options.worlds < 1 or options.seed < 0:
        parser.error("worlds is a whole number from 1, --seed one from 0")
    if laws:
        run = partial(run, laws=options.law or laws)
    if spread:
        run = partial(run, cluster=options.cluster)
        run = partial(run, processes=options.processes) if options.processes else run
    study = run(options.worlds, first_seed=options.seed, progress=_print_progress)
    if options.json:
        print(json.dumps(study.as_dict(), indent=2, default=float))
    else:
        print("\n".join(describe(study.summary(), options.seed)))


def map_seeds(
    study_case: Callable[[Case], Result],
    cases: Sequence[Case],
    what: str,
    *,
    processes: int = 1,
    progress: Progress | None = None,
    fresh: bool = False,
    cluster: str = "",
) -> Iterator[Result]:
    """Yield the result of each case (a seed, or a seed and more) in order; `processes` cases are computed at a time.

    `what` names the work to `progress`. fresh : a new process for each case. cluster : the address for
    `map_on_cluster`, which raises InputError if no cluster answers; empty for processes of this machine.
    """
    if cluster:
        results = map_on_cluster(study_case, cases, address=cluster, workers=processes)
    else:
        results = _map_here(study_case, cases, processes, fresh=fresh)
    for number, result in enumerate(results, 1):
        yield result
        if progress is not None:
            progress(number, len(cases), what)


def _map_here(
    study_case: Callable[[Case], Result], cases: Sequence[Case], processes: int, *, fresh: bool
) -> Iterator[Result]:
    if processes == 1 and not fresh:
        yield from map(study_case, cases)
        return
    context, most = (get_context("spawn"), 1) if fresh else (None, None)
    with ProcessPoolExecutor(processes, mp_context=context, max_tasks_per_child=most) as pool:
        yield from pool.map(study_case, cases)


def round_mean(values: object, digits: int = 3) -> Any:  # noqa: ANN401
    """Return the mean over the first axis, rounded: a number, or a list."""
    mean = np.round(np.mean(np.asarray(values, dtype=float), axis=0), digits)
    return mean.tolist() if mean.ndim else float(mean)


def _print_progress(step: int, total: int | None, what: str) -> None:
    print(f"{what}: {step} of {total}", file=sys.stderr)
