"""Measure the planner with 400 areas and 150 sites: seconds and gap, with all rules and sliders.

An invented map: areas in a square of 300 minutes, sites in the largest areas, two kinds of unit, need log-normal
over areas and draws. Half of the draws choose the plan, the others judge it. The target is a gap of 1e-3, or
else a plan that reports its gap, within 15 s. `processor` is the processor time of a plan in seconds.
"""

import argparse
import json
import resource
import statistics
import time
from dataclasses import asdict

import numpy as np

from data.errors import InputError
from risk.access import Catchment, compute_reach
from risk.planning import compute_floor, plan_moves
from risk.planning.problem import Aims, Kind, Posts, Rules, Solver

KINDS = (Kind("outreach", 8.0, search=True), Kind("centre", 12.0))
AIMS = {
    "average": Aims(),
    "all sliders": Aims(equity=0.3, cost=0.2, robustness=0.5),
    "bad cases alone": Aims(robustness=1.0),
    "worst-off areas alone": Aims(equity=1.0),
}


def country(areas: int, sites: int, draws: int, seed: int) -> tuple[Posts, np.ndarray, Rules]:
    """Return the posts, the need (2 * draws, areas) in children per quarter, and the rules of an invented country."""
    rng = np.random.default_rng(seed)
    points = rng.random((areas, 2)) * 300.0
    people = rng.lognormal(8.0, 1.0, areas)
    positions = np.sort(np.argsort(-people)[:sites])
    minutes = np.sqrt(((points[:, None] - points[positions]) ** 2).sum(axis=-1))
    units = np.column_stack(
        [rng.multinomial(count, people[positions] / people[positions].sum()) for count in (300, 200)]
    )
    posts = Posts(
        tuple(f"area {i}" for i in range(areas)),
        tuple(f"site {i}" for i in range(sites)),
        KINDS,
        units,
        np.stack([compute_reach(people, Catchment(60.0, "gaussian", 25.0).weight(minutes))] * len(KINDS)),
        10.0 + minutes[positions],
        units.sum(axis=1) + 5,
        units // 4,
    )
    level = 8.0 * people / people.mean() * np.exp(0.7 * rng.standard_normal(areas))
    need = level * np.exp(0.4 * rng.standard_normal((2 * draws, areas)))
    services = posts.compute_capacity(posts.units)[:, 1]
    marked = (rng.random(areas) < 0.2) & (services > 0)
    least = float(np.quantile(services[marked], 0.05))
    rules = Rules(
        moves=100,
        budget=8000.0,
        floor=compute_floor(posts, 0.5),
        communities=marked,
        services_floor=least,
        under_searched=rng.random(areas) < 0.2,
    )
    return posts, need, rules


def measured(name: str, arguments: argparse.Namespace) -> dict[str, object]:
    posts, need, rules = country(arguments.areas, arguments.sites, arguments.draws, arguments.seed)
    seconds, busy = [], time.process_time()
    for _ in range(arguments.repeats):
        began = time.perf_counter()
        try:
            plan = plan_moves(posts, need, rules, AIMS[name], solver=Solver(seconds=arguments.limit))
        except InputError as error:
            return {"aims": name, "seconds": round(time.perf_counter() - began, 2), "none": str(error)}
        seconds.append(time.perf_counter() - began)
    return {
        "aims": name,
        "seconds": round(statistics.median(seconds), 2),
        "processor": round((time.process_time() - busy) / arguments.repeats, 2),
        "gap": plan.gap,
        "proven": plan.proven,
        "moved": plan.moved,
        "broken today": plan.broken_today,
        "gain": asdict(plan.gain),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--areas", type=int, default=400)
    parser.add_argument("--sites", type=int, default=150)
    parser.add_argument("--draws", type=int, default=200, help="for choosing; as many judge")
    parser.add_argument("--limit", type=float, default=15.0, help="seconds of solving")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in AIMS:
        print(json.dumps(measured(name, arguments)), flush=True)


if __name__ == "__main__":
    main()
