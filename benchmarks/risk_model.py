"""Measure fits of the risk model: seconds, memory, and accuracy on invented worlds with a known truth.

    python benchmarks/risk_model.py [--repeats 5] [--seeds 8] [--part speed|truth] [--json]

Speed: 26 regions x 12 quarters x 2 pathways x 2 ways of finding in an invented world through the default channel, and
400 areas x 40 periods, exact and through the channel, each in a separate process. Truth: rank correlation
of the fitted with the true relative risk by pathway, and coverage of intervals over the detection range, on
exact and on protected counts of the same worlds; the true exponent of effort is 0.6, 0.8 and 1 in turn.
Targets: under 3 s; under 8 s and 1 GB; coverage of 95 % intervals 0.93 to 0.97; correlation 0.80 on protected
counts and at most 0.06 below that on exact counts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import spearmanr

from benchmarks.studies.observe import observe_world
from benchmarks.worlds import World, WorldParameters, simulate_default_areas
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from geo import areas
from risk.model import RiskModel
from risk.model.observations import Observations

CASES = ("regions", "large exact", "large protected")
GAMMAS = (0.6, 0.8, 1.0)
DRAWS = 2000


@dataclass(frozen=True)
class Speed:
    """The cost of one fit: elapsed and processor seconds, peak memory in MB, and the number of nodes."""

    case: str
    seconds: float
    cpu: float
    peak_mb: float
    nodes: int


@dataclass(frozen=True)
class Truth:
    """The accuracy in one world with one kind of counts, "exact" or "protected".

    gamma, gamma_mean : true and fitted exponent of effort. correlation_... : rank correlation of the fitted with the
    true relative risk. covered_... : share of true values in intervals of 50, 80 and 95 %.
    """

    seed: int
    counts: str
    gamma: float
    gamma_mean: float
    correlation_internal: float
    correlation_cross_border: float
    covered_50: float
    covered_80: float
    covered_95: float


def large(seed: int, *, protected: bool) -> Observations:
    """Draw 400 areas on a square, 40 periods, one pathway and both ways of finding, from the model itself."""
    rng = np.random.default_rng(seed)
    side, periods = 20, 40
    grid = np.arange(side * side).reshape(side, side)
    edges = np.vstack([np.c_[grid[:, :-1].ravel(), grid[:, 1:].ravel()], np.c_[grid[:-1].ravel(), grid[1:].ravel()]])
    expected = rng.lognormal(9.0, 0.8, grid.size)
    risk = 0.6 * rng.standard_normal(grid.size) - 8.5
    walk = np.cumsum(0.05 * rng.standard_normal(periods))
    effort = np.floor(rng.lognormal(2.0, 0.8, (grid.size, periods)))
    mean = expected[:, None] * np.exp(risk[:, None] + walk)
    means = np.stack([mean, mean * (effort / 8.0) ** 0.8], axis=-1)[:, :, None]
    counts = rng.poisson(means * rng.gamma(20.0, 1 / 20.0, means.shape))
    channel = None
    if protected:
        mechanism = usual()
        counts = mechanism.publish(counts, rng.integers(0, 2**24, counts.shape))
        channel = mechanism.channel(int(counts.max()) + 5)
    codes = tuple(f"{i:03d}" for i in range(grid.size))
    periods_named = tuple(f"{2000 + i // 4}-{1 + 3 * (i % 4):02d}-01/P3M" for i in range(periods))
    return Observations(
        codes,
        ("AL",) * grid.size,
        np.tile(expected[:, None], periods),
        periods_named,
        ("internal",),
        ("reported", "discovered"),
        counts,
        effort,
        edges,
        channel,
        "partner",
    )


def usual() -> CellKey:
    return CellKey.from_policy(DEFAULT_POLICY)


def world(seed: int, gamma: float = 0.8) -> World:
    return simulate_default_areas(WorldParameters(seed=seed, gamma=gamma))


def borders() -> list[tuple[str, str]]:
    return areas.load_areas().neighbours("region")


def speed(case: str) -> Speed:
    if case == "regions":
        observations = observe_world(world(0), borders(), usual())
    else:
        observations = large(0, protected=case == "large protected")
    began, cpu = time.perf_counter(), time.process_time()
    fit = RiskModel().fit(observations).fit_
    took, used = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Speed(case, took, used, peak, len(fit.posterior.nodes))


def truth(seed: int, pairs: list[tuple[str, str]]) -> list[Truth]:
    gamma = GAMMAS[seed % len(GAMMAS)]
    invented = world(seed, gamma)
    table = invented.truth.relative_risk("region").pivot_table(index="area", columns="pathway", values="relative_risk")
    results = []
    for name, mechanism in (("exact", None), ("protected", usual())):
        observations = observe_world(invented, pairs, mechanism)
        fit = RiskModel().fit(observations).fit_
        true = np.log(table.reindex(index=list(observations.areas), columns=list(observations.pathways)).to_numpy())
        draws, risk = fit.log_need(DRAWS, seed), fit.log_risk(DRAWS, seed).mean(axis=0)
        ranks = [spearmanr(risk[:, p], true[:, p])[0] for p in range(2)]
        covered = []
        for level in (0.5, 0.8, 0.95):
            low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
            covered.append(float(((low <= true) & (true <= high)).mean()))
        results.append(Truth(seed, name, gamma, fit.gamma[0], *map(float, ranks), *covered))
    return results


def tell(speeds: list[Speed], truths: list[Truth]) -> None:
    for case in dict.fromkeys(s.case for s in speeds):
        mine = [s for s in speeds if s.case == case]
        seconds, cpu = (statistics.median(getattr(s, name) for s in mine) for name in ("seconds", "cpu"))
        print(f"{case:16} {seconds:6.2f} s  {cpu:6.2f} s of CPU  {max(s.peak_mb for s in mine):6.0f} MB")
    for name in dict.fromkeys(t.counts for t in truths):
        mine = [t for t in truths if t.counts == name]
        print(f"{name} counts of {len(mine)} worlds")
        for column in list(Truth.__dataclass_fields__)[4:]:
            values = [getattr(t, column) for t in mine]
            print(f"  {column:26} {np.mean(values):6.3f}  from {min(values):6.3f} to {max(values):6.3f}")
        print(f"  {'gamma less the true one':26} {np.mean([t.gamma_mean - t.gamma for t in mine]):6.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--part", choices=("speed", "truth"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    speeds: list[Speed] = []
    truths: list[Truth] = []
    if arguments.part != "truth":
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            speeds = pool.map(speed, [case for case in CASES for _ in range(arguments.repeats)], chunksize=1)
    if arguments.part != "speed":
        pairs = borders()
        truths = [result for seed in range(arguments.seeds) for result in truth(seed, pairs)]
    if arguments.json:
        print(json.dumps([asdict(row) for row in (*speeds, *truths)], indent=1))
    else:
        tell(speeds, truths)


if __name__ == "__main__":
    main()
