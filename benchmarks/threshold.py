"""Hiding beside small cells, against a rule that anyone would think of first.

    python benchmarks/threshold.py [--seeds 3] [--seconds 60] [--argus PYTHON] [--json]

For each tier of the default plan over invented worlds: seconds, numbers of 11 and more that are hidden for
others, hidden cells that an attacker still narrows down, and cells not proved. The rival hides whole rows:
where a sum has a hidden part, all its parts go. `--argus` names a Python that has pytauargus (EUPL); it
protects one table of regions by stage, the only one of these that it can take without its other programs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from dataclasses import asdict, dataclass

import numpy as np

from data.disclosure._crossing import prove
from data.disclosure.attacks.bounds import BoundsAttack
from data.disclosure.attacks.bounds.lattice import HIDDEN
from data.disclosure.channel import UNKNOWN
from data.disclosure.threshold import Threshold
from data.restricted.publishing.withhold import withhold_until_proved, withhold_until_safe
from data.tables.spec import DEFAULT_PLAN, TableSpec
from tests.helpers.counted import own

WAYS = ("whole rows", "without proof", "with proof")
ONE = TableSpec("children", "region", "whole", ("stage",))
ALONE = tuple(
    TableSpec("children", level, "whole", by) for level in ("country", "region") for by in ((), ("stage",))
)

ARGUS = """
import json, sys, time
from pytauargus import protect
rows = json.load(sys.stdin)
frame = {"region": [r for r, _ in rows], "stage": [s for _, s in rows], "one": [1] * len(rows)}
began = time.perf_counter()
made = protect(frame, tables=["region", "stage"], response="one", safety_rules="FREQ(11,100)")
states = made.tables[0].status()
beside = sum(s in ("M", "D") for s in states)
print(json.dumps({"seconds": time.perf_counter() - began, "beside": beside}))
"""


@dataclass(frozen=True)
class Run:
    """What one way did to one tier of one world."""

    way: str
    tier: str
    seed: int
    seconds: float
    large: int
    beside: int
    narrowed: int
    unproved: int


def whole_rows(plan: BoundsAttack) -> None:
    """Hide all parts of each sum that has a hidden one, until nothing changes."""
    system, ties = plan.system, plan.system.ties
    may = np.zeros(plan.lattice.size, bool)
    for table in plan.lattice.tables.values():
        may[table.base : table.base + table.state.size] = True
    hidden = np.zeros(plan.lattice.size, bool)
    for table in plan.lattice.tables.values():
        hidden[table.base : table.base + table.state.size] = np.isin(table.state, HIDDEN).ravel()
    while True:
        some = np.bincount(ties.tie, hidden[ties.part], len(ties.total)) > 0
        go = ties.part[some[ties.tie]]
        go = np.unique(go[may[go] & ~hidden[go]])
        if not len(go):
            return
        hidden[go] = True
        system.low[go], system.high[go] = 0, UNKNOWN
        for unknown in go:
            table, offset = plan.lattice.cell(int(unknown))
            table.state.reshape(-1)[offset] = HIDDEN[1]


def measured(way: str, world: object, tier: str, seed: int, seconds: float) -> Run:
    plan = BoundsAttack.of([world.published(Threshold(), tier)], world.areas)
    large = int((plan.system.low == plan.system.high).sum())
    began, unproved = time.perf_counter(), 0
    if way == "whole rows":
        whole_rows(plan)
    elif way == "without proof":
        withhold_until_safe(plan, 0)
    else:
        unproved = len(withhold_until_proved(plan, 0, seconds).unproved)
    took = time.perf_counter() - began
    beside = large - int((plan.system.low == plan.system.high).sum())
    bounds = plan.system.solve()
    broken = {*plan.judge(bounds).tolist(), *prove(plan, bounds, seconds).broken}
    return Run(way, tier, seed, took, large, beside, len(broken), unproved)


def argus(python: str, world: object, seed: int) -> list[Run]:
    """Protect regions by stage alone, with both."""
    counts = world.counts[ONE][:, 0]
    rows = [(f"R{r:02d}", f"S{s}") for r, s in np.argwhere(counts) for _ in range(counts[r, s])]
    told = json.dumps(rows)
    done = subprocess.run([python, "-c", ARGUS], input=told, capture_output=True, text=True, check=True)
    other = json.loads(done.stdout.splitlines()[-1])
    alone = type(world)(world.grid, {"public": ALONE}, world.counts, world.keys)
    ours = measured("with proof", alone, "public", seed, 60.0)
    theirs = Run("pytauargus", "one table", seed, other["seconds"], ours.large, other["beside"], -1, -1)
    return [Run(**{**asdict(ours), "tier": "one table"}), theirs]


def table(runs: list[Run]) -> None:
    print(f"{'tier':10} {'way':14} {'seconds':>8} {'ratio':>7} {'for others':>11} {'narrowed':>9} unproved")
    for tier in dict.fromkeys(run.tier for run in runs):
        ways = list(dict.fromkeys(run.way for run in runs if run.tier == tier))
        base = 0.0
        for way in ways:
            mine = [run for run in runs if (run.tier, run.way) == (tier, way)]
            seconds = statistics.median(run.seconds for run in mine)
            base = base or seconds
            share = statistics.median(run.beside / max(run.large, 1) for run in mine)
            narrowed, unproved = (max(getattr(run, n) for run in mine) for n in ("narrowed", "unproved"))
            print(
                f"{tier:10} {way:14} {seconds:8.2f} {seconds / base:7.2f} {share:11.1%} "
                f"{narrowed if narrowed >= 0 else '?':>9} {unproved if unproved >= 0 else '?'}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="for the proof")
    parser.add_argument("--argus", metavar="PYTHON", help="a Python that has pytauargus")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    runs: list[Run] = []
    for seed in range(given.seeds):
        world = own(seed=seed)
        for tier in DEFAULT_PLAN:
            runs += [measured(way, world, tier, seed, given.seconds) for way in WAYS]
        runs += argus(given.argus, world, seed) if given.argus else []
    print(json.dumps([asdict(run) for run in runs], indent=1)) if given.json else table(runs)


if __name__ == "__main__":
    main()
