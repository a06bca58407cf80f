"""How often changes, breaks and clusters are shown where nothing changed, and how often where something did.

In flat worlds no area differs in risk and no rate changes: only outreach, detection, partners and counts vary. Each
"possible break", each rise or fall without a warning and each cluster is a false alarm. Power is that in worlds with
differences and a shift to internal trafficking, and in flat worlds in which fewer children were recorded before a
quarter, in a country or in one area. Every world goes through the default channel and the model, as in `tact risk`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.studies.model import judge_shifts
from benchmarks.studies.observe import (
    count_children,
    observe_counts,
    publish_countries,
    select_modelled_areas,
    set_up_world,
)
from benchmarks.worlds import World, WorldParameters, simulate_default_areas
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.workspace.types import Ints, Progress
from geo import areas as geography
from risk.clusters import LEVEL
from risk.model import RiskModel
from risk.model.expected import compute_finding_factor
from risk.report.change import Changes
from risk.report.tables import JudgedFit, find_clusters, judge_fit
from risk.report.trends import describe_trends

FLAT: Mapping[str, Mapping[str, Any]] = {
    "outreach four times as large": {},
    "constant outreach": {"effort_growth": 1.0},
    "outreach sixteen times as large": {"effort_growth": 16.0},
    "outreach falls to a quarter": {"effort_growth": 0.25},
    "a partner starts or stops": {"laws": ("partners",)},
    "late reports": {"laws": ("delays",)},
    "spread of detection .35": {"detection_log_sd": 0.35},
    "spread of detection .5": {"detection_log_sd": 0.5},
}
SIGNAL = "risk differs, internal trafficking rises"
# Place, and by how much recording grew at a quarter between the fifth and the ninth.
BREAKS: Mapping[str, tuple[str, int]] = {
    "Albania records twice as many": ("AL", 2),
    "Albania records three times as many": ("AL", 3),
    "Greece records twice as many": ("GR", 2),
    "Greece records three times as many": ("GR", 3),
    "Tirana records three times as many": ("AL-11", 3),
    "Attica records three times as many": ("GR-I", 3),
}
NAMES = (*FLAT, SIGNAL, *BREAKS)
_UP, _DOWN = ("rising", "more"), ("falling", "less")
_REACHES = 400
_MEASURES = {
    "possible_break": "possible break",
    "in_place": "at its place",
    "changed": "rose or fell, no warning",
    "cluster": "cluster",
    "shift": "shift of both cities",
}


@dataclass(frozen=True)
class Alarms:
    """What the last release of a world says: whether there is a possible break, a change without a warning, a cluster.

    in_place : whether a possible break is at the place whose recording changed. shift : whether the share of internal
    trafficking rose in both watched cities together.
    """

    name: str
    seed: int
    possible_break: bool
    in_place: bool
    changed: bool
    cluster: bool
    shift: bool


@dataclass(frozen=True)
class Study:
    """The results of all worlds of a study."""

    worlds: tuple[Alarms, ...]

    def summary(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Return by kind of world and measure in how many worlds it was shown, and how many worlds there are."""
        kinds = {name: [world for world in self.worlds if world.name == name] for name in NAMES}
        return {
            name: {measure: (sum(getattr(world, measure) for world in mine), len(mine)) for measure in _MEASURES}
            for name, mine in kinds.items()
            if mine
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "worlds": [asdict(world) for world in self.worlds]}


def study(
    worlds: int,
    *,
    first_seed: int = 0,
    laws: Sequence[str] = NAMES,
    processes: int = 1,
    cluster: str = "",
    progress: Progress | None = None,
) -> Study:
    """Run the study on `worlds` seeds of each kind of world in `laws`. The same seeds give the same result."""
    cases = [(name, seed) for seed in range(first_seed, first_seed + worlds) for name in laws]
    alarms = map_seeds(
        _study_case, cases, "Looking at flat worlds", processes=processes, cluster=cluster, progress=progress
    )
    return Study(tuple(alarms))


def _study_case(case: tuple[str, int]) -> Alarms:
    return study_world(*case)


def study_world(name: str, seed: int) -> Alarms:
    """Return what the last release of a world says."""
    parameters = set_up_world(seed) if name == SIGNAL else _set_up_flat(seed, FLAT.get(name, {}))
    world, mechanism = simulate_default_areas(parameters), CellKey.from_policy(DEFAULT_POLICY)
    place, factor = BREAKS.get(name, ("", 1))
    exact = count_children(world, list(select_modelled_areas(world.truth.areas).index))
    exact = _record_fewer(world, exact, place, factor)
    observations = observe_counts(world, exact, geography.load_areas().neighbours("region"), mechanism)
    judged = judge_fit(RiskModel().fit(observations).fit_)
    draws = judged.draws
    reach = compute_finding_factor(observations, draws.gamma[:_REACHES], draws.gap[:_REACHES]) * observations.expected
    kappa = judged.fit.hyper["kappa"][0]
    trends = describe_trends(observations, kappa, reach, publish_countries(world, exact, observations, mechanism))
    clusters = find_clusters(judged, geography.load_areas())
    shifts = judge_shifts(world, mechanism)[-1]
    places = {jump["place"] for _pathway, jump in trends["jumps"]}
    flags = [row["verdict"] in ("rise", "fall") and not row["effort_warning"] for row in trends["changes"]]
    flags += [shift.verdict != "unclear" for shift in shifts]
    return Alarms(
        name,
        seed,
        bool(places),
        place in places,
        _changes_unwarned(judged) or any(flags),
        bool((clusters["p_release"] <= LEVEL).any()),
        shifts[0].verdict == "rose",
    )


def _set_up_flat(seed: int, options: Mapping[str, Any]) -> WorldParameters:
    return WorldParameters(seed=seed, signal=False, internal_after=WorldParameters.internal_before, **options)


def _record_fewer(world: World, exact: Ints, place: str, factor: int) -> Ints:
    """Return counts, (A, T, known pathways, 2), of which a place recorded one in `factor` before a quarter."""
    if factor == 1:
        return exact
    rng, recorded = np.random.default_rng([world.parameters.seed, 9]), exact.copy()
    inside = select_modelled_areas(world.truth.areas).index.str.startswith(place)
    start = int(rng.integers(4, 9))
    recorded[inside, :start] = rng.binomial(exact[inside, :start], 1.0 / factor)
    return recorded


def _changes_unwarned(judged: JudgedFit) -> bool:
    """Return whether the last year's rate of an area or a country rose or fell, without a warning."""
    return any(_is_unwarned(changes) for changes in (judged.changed, judged.countries_changed) if changes is not None)


def _is_unwarned(changes: Changes) -> bool:
    alarms = changes.statements.says(*_UP, *_DOWN) & ~changes.effort_warning & ~changes.ways_warning
    return bool(alarms[:, -1].any())


def describe(summary: dict[str, Any], seed: int) -> Iterable[str]:
    """Return a summary in plain lines, for the terminal: percentages with 95 % intervals (Clopper and Pearson)."""
    yield f"Invented worlds (seeds from {seed}), shown in per cent of them with the 95 % interval. No record was read."
    for name, measures in summary.items():
        yield f"{name}, {measures['cluster'][1]} worlds:"
        for measure, words in _MEASURES.items():
            if (measure == "in_place" and name not in BREAKS) or (measure == "shift" and name != SIGNAL):
                continue
            yield f"  {words:<26}{_format_share(*measures[measure])}"


def _format_share(number: int, worlds: int) -> str:
    from scipy.stats import binomtest

    ends = binomtest(number, worlds).proportion_ci(0.95, method="exact")
    return f"{number} of {worlds}: {100 * number / worlds:.0f} % ({100 * ends.low:.0f} to {100 * ends.high:.0f})"


if __name__ == "__main__":
    run_study(study, describe, "Count false alarms in flat worlds (three to six seconds a world).", NAMES, spread=True)
