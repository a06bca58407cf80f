"""How often a scan finds a cluster where there is none, and how often the areas of a cluster have a high risk.

Each world goes through the default channel, the model and the cluster search, as in `tact risk`. In the world of each
seed no area differs in risk: only effort, detection and counts vary, and each cluster is a false alarm. Every fourth
seed has a second world, in which areas differ: is a cluster shown, and how many of its areas have a true relative risk
below 1?
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.studies.observe import QUIET, observe_release, set_up_world
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.workspace.types import Progress
from geo import areas as geography
from risk.clusters import LEVEL
from risk.model import RiskModel
from risk.report.tables import find_clusters, judge_fit


@dataclass(frozen=True)
class Scans:
    """The clusters of a world: p value of the first cluster of each scan, and the clusters that a release shows.

    areas, below : number of areas in the shown clusters, and of those among them with a true relative risk below 1.
    """

    seed: int
    signal: bool
    p: tuple[float, ...]
    shown: int
    areas: int
    below: int


@dataclass(frozen=True)
class Study:
    """The results of all worlds of a study."""

    worlds: tuple[Scans, ...]

    def summary(self) -> dict[str, Any]:
        """Return a summary over all worlds."""
        quiet, signal = ([world for world in self.worlds if world.signal == kind] for kind in (False, True))
        return {
            "worlds": len(quiet),
            "worlds_with_differences": len(signal),
            "false_scans": _share([p <= LEVEL for world in quiet for p in world.p]),
            "false_releases": _share([world.shown > 0 for world in quiet]),
            "false_releases_at_scan_level": _share([min(world.p, default=1.0) <= LEVEL for world in quiet]),
            "releases_with_a_cluster": _share([world.shown > 0 for world in signal]),
            "clusters": sum(world.shown for world in signal),
            "clustered_areas": sum(world.areas for world in signal),
            "below_average": sum(world.below for world in signal),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "worlds": [asdict(world) for world in self.worlds]}


def _share(values: list[bool]) -> float:
    return round(float(np.mean(values)), 4) if values else float("nan")


def study(
    worlds: int, *, first_seed: int = 0, processes: int = 1, cluster: str = "", progress: Progress | None = None
) -> Study:
    """Run the study on `worlds` seeds, one or two worlds each. The same seeds give the same result."""
    seeds = range(first_seed, first_seed + worlds)
    pairs = map_seeds(_study_seed, seeds, "Studying clusters", processes=processes, cluster=cluster, progress=progress)
    return Study(tuple(scans for pair in pairs for scans in pair))


def _study_seed(seed: int) -> list[Scans]:
    worlds = [set_up_world(seed, QUIET)]
    worlds += [set_up_world(seed)] * (seed % 4 == 0)
    return [study_world(parameters) for parameters in worlds]


def study_world(parameters: WorldParameters) -> Scans:
    """Return the clusters of one world."""
    world = simulate_default_areas(parameters)
    observations = observe_release(world)
    rows = find_clusters(judge_fit(RiskModel().fit(observations).fit_), geography.load_areas())
    rows["true"] = world.truth.log_risk(observations.areas, observations.pathways).ravel()
    rows["country"] = rows["area"].str[:2]
    rows = rows[rows["cluster"].notna()]
    first = rows[rows["cluster"] == 1].groupby(["country", "crossing"])["p"].first()
    clusters = rows[rows["p_release"] <= LEVEL]
    return Scans(
        parameters.seed,
        parameters.signal,
        tuple(first.round(4)),
        len(clusters.groupby(["country", "crossing", "cluster"])),
        len(clusters),
        int((clusters["true"] < 0).sum()),
    )


def describe(summary: dict[str, Any], seed: int) -> Iterable[str]:
    """Return a summary in plain lines, for the terminal."""
    last = seed + summary["worlds"] - 1
    return [
        f"{summary['worlds']} invented worlds (seeds {seed} to {last}). No record was read.",
        "",
        "In worlds without any difference in risk:",
        f"  scans with p <= {LEVEL:g}: {100 * summary['false_scans']:.1f} %",
        f"  releases that show a cluster: {100 * summary['false_releases']:.1f} %"
        f" ({100 * summary['false_releases_at_scan_level']:.1f} % if each scan had its own level)",
        f"In {summary['worlds_with_differences']} worlds with differences:",
        f"  releases that show a cluster: {100 * summary['releases_with_a_cluster']:.1f} %",
        f"  of {summary['clustered_areas']} areas in {summary['clusters']} clusters, "
        f"{summary['below_average']} have a true relative risk below 1",
    ]


if __name__ == "__main__":
    run_study(study, describe, "Try the search for clusters on invented worlds (some seconds a world).", spread=True)
