"""What a plan is worth on the ground: in invented worlds in which teams work where they are posted.

Each world has a plan with the usual settings, for all pathways and for internal trafficking, and rivals with at most
as many moves: the best ones with the truth known, by no rule ("truth") and by the rules of the plan ("rules": floors,
exploration, and that a move must gain what its unit loses while it settles in), last year's published counts, the
children living there, the earlier rule, which shared a team over two hours of travel by population, and a plan for
which an archipelago is one place. All are judged by the true need of the last year, with teams in the areas, and on the
islands, where they are posted and the work next door that a plan asks for. Need on islands is that of the world by
municipality, and teams of a region stand on its islands by the days of outreach there, as a release shows them.

Gain is that of a quarter once all units have settled in, as the share of the possible gain has it. Net is that of the
year after the moves, docs/planner.md eq. (71), which is what a plan seeks: a rival that gains by many small moves may
lose by settling in.

A second question is the programme's own: in worlds of the law `unfollowed-rise`, in which internal trafficking in
Tirana and Durrës rose threefold and outreach stayed where it was, does the plan move teams toward them?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from benchmarks.studies.command import round_mean, run_study
from benchmarks.studies.observe import OWN, observe_release, set_up_world
from benchmarks.worlds import World, WorldParameters, simulate_default_areas
from data.workspace.types import Floats, Ints, Progress
from geo import areas as geography
from geo.islands import Island, choose_ways, find_islands, find_region
from geo.travel import Travel
from risk.access import compute_reach
from risk.access.tables import CATCHMENT
from risk.model import RiskModel
from risk.model.detection import draw_yearly_need
from risk.model.observations import Observations
from risk.numbers import apportion
from risk.planning import plan_moves
from risk.planning.benefit import compute_met
from risk.planning.inputs import ALL, PlanInputs, Setting, make_plan
from risk.planning.islands import Division
from risk.planning.problem import YEAR, Posts, Rules
from risk.worlds import DEFAULT_SEED

LAWS = (OWN, "unfollowed-rise")
PATHWAYS = (ALL, "internal")
RIVALS = ("plan", "truth", "rules", "counts", "population", "catchment", "regions")
_DRAWS = 400
Layout = tuple[Ints, Floats]  # units, (A, 1), and the work of teams in other areas, (D,)
_CITIES = WorldParameters.shift_regions  # Durrës and Tirana


@dataclass(frozen=True)
class Result:
    """A plan for a pathway in a world. gain : true children per quarter, by rival, in the order of RIVALS.

    net : true children in the year after the moves, less those not met while units settle in, by rival.
    toward : teams that Tirana and Durrës gain by the plan, and by the best moves. away : teams that work next door.
    holds : whether the true gain lies in the interval that the plan gave.
    """

    seed: int
    pathway: str
    answer: str
    moved: int
    away: float
    gain: tuple[float, ...]
    net: tuple[float, ...]
    toward: tuple[int, int]
    holds: bool

    def share(self, rival: str) -> float:
        """Return the share of the possible gain that a rival makes, docs/planner.md eq. (56)."""
        return self.gain[RIVALS.index(rival)] / self.gain[RIVALS.index("truth")]


@dataclass(frozen=True)
class Study:
    """The results of all worlds, by law: OWN for worlds as the demo."""

    results: Mapping[str, tuple[Result, ...]]

    def summary(self) -> dict[str, Any]:
        """Return for each law and pathway the mean shares of the possible gain, and where the plan is better."""
        laws = self.results.items()
        return {
            law: {name: _summarise([r for r in rows if r.pathway == name]) for name in PATHWAYS} for law, rows in laws
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        results = {law: [asdict(r) for r in rows] for law, rows in self.results.items()}
        return {"invented": True, "summary": self.summary(), "found": results}


def _summarise(rows: Sequence[Result]) -> dict[str, Any]:
    gain, net = (
        {name: np.array([getattr(r, what)[place] for r in rows]) for place, name in enumerate(RIVALS)}
        for what in ("gain", "net")
    )
    return {
        "worlds": len(rows),
        "shares": {name: round_mean([r.share(name) for r in rows], 2) for name in RIVALS},
        "least": round(min(r.share("plan") for r in rows), 2),
        "by_rules": round_mean(gain["plan"] / gain["rules"], 2),
        "gain": round_mean(gain["plan"], 1),
        "possible": round_mean(gain["truth"], 1),
        "net": {name: round_mean(net[name], 1) for name in RIVALS},
        "advised": sum(r.answer != "keep" for r in rows),
        "positive": int((gain["plan"] > 0).sum()),
        "beats": {name: int((gain["plan"] > gain[name]).sum()) for name in RIVALS[3:]},
        "beats_net": {name: int((net["plan"] > net[name]).sum()) for name in RIVALS[3:]},
        "toward": int(sum(r.toward[0] > 0 for r in rows)),
        "toward_best": int(sum(r.toward[1] > 0 for r in rows)),
        "holds": int(sum(r.holds for r in rows)),
    }


def describe(summary: dict[str, Any], _seed: int = 0) -> list[str]:
    """Return a summary in plain lines, for the terminal."""
    return [
        f"{law}, {name}: shares of the possible gain {row['shares']}, least of the plan {row['least']}, of "
        f"the gain possible by its rules {row['by_rules']}; {row['gain']} of {row['possible']} children a quarter. "
        f"In the year, net: {row['net']}. Advised in {row['advised']} of {row['worlds']} worlds, positive in "
        f"{row['positive']}, better than {row['beats']}, net {row['beats_net']}. Toward Tirana "
        f"and Durrës in {row['toward']} (best moves: {row['toward_best']}). The interval holds the true gain in "
        f"{row['holds']}."
        for law, by_pathway in summary.items()
        for name, row in by_pathway.items()
    ]


def study(worlds: int, first_seed: int = 0, laws: Sequence[str] = LAWS, progress: Progress | None = None) -> Study:
    """Run the study on `worlds` invented worlds of each law, ten seconds each; OWN begins at the seed of the demo."""
    results = dict[str, tuple[Result, ...]]()
    for law in laws:
        first = (DEFAULT_SEED if law == OWN else 1) + first_seed
        by_world = list[Result]()
        for number in range(worlds):
            by_world += study_world(first + number, law)
            if progress is not None:
                progress(number + 1, worlds, f"Planning on the ground, {law}")
        results[law] = tuple(by_world)
    return Study(results)


def study_world(seed: int, law: str = OWN) -> list[Result]:
    """Return the results of the plans for each of PATHWAYS in one world."""
    world = simulate_default_areas(set_up_world(seed, law))
    observations, areas = observe_release(world), geography.load_areas()
    need = draw_yearly_need(RiskModel().fit(observations).fit_.draws(_DRAWS, 0), observations, 0)
    needs = {ALL: need.sum(axis=2), **{name: need[..., p] for p, name in enumerate(observations.pathways)}}
    travel, towns = Travel.between(areas, "region").select(observations.areas), Travel.between(areas, "municipality")
    islands = find_islands(areas, travel, towns)
    division = Division.find(observations.areas, islands, _read_days(world))
    ways = choose_ways(division.places, travel, towns)
    ground = PlanInputs.build(("world", ""), observations, ways, needs, division=division)
    regions = PlanInputs.build(("world", ""), observations, travel, needs)
    true = _read_need(world, division.places, islands)
    counts = np.maximum(observations.published[:, -YEAR:], 0).sum(axis=(1, 3)).astype(float)
    by_pathway = {ALL: (true.sum(axis=1), counts.sum(axis=1)), "internal": (true[:, 0], counts[:, 0])}
    return [_compare(seed, name, ground, regions, observations, travel, *by_pathway[name]) for name in PATHWAYS]


def _read_days(world: World) -> dict[str, float]:
    """Return the days of outreach of the last year by municipality."""
    last = world.truth.need["quarter"].isin(world.parameters.periods[-YEAR:])
    rows = world.truth.need[last].query("level == 'municipality' and pathway == 'internal'")
    return {str(code): float(days) for code, days in rows.groupby("area")["days"].sum().items()}


def _read_need(world: World, places: Sequence[str], islands: Sequence[Island]) -> Floats:
    """Return the true need per quarter of the last year, internal and other, (A, 2), on the places of a plan."""
    rows = world.truth.need[world.truth.need["quarter"].isin(world.parameters.periods[-YEAR:])]
    rows = rows.query("pathway != 'none_known'").assign(other=lambda r: r["pathway"] != "internal")
    need = rows.groupby(["area", "other"])["need"].sum().unstack().sort_index(axis=1) / YEAR
    members = {island.place: list(island.members) for island in islands}
    return np.array([need.reindex(members.get(place, [place])).sum() for place in places])


def _compare(
    seed: int,
    pathway: str,
    ground: PlanInputs,
    regions: PlanInputs,
    observations: Observations,
    travel: Travel,
    true: Floats,
    counts: Floats,
) -> Result:
    setting, posts = Setting(pathway=pathway), ground.posts
    plan = make_plan(ground, setting)
    best = [
        plan_moves(posts, np.tile(true, (40, 1)), rules, solver=setting.solver)
        for rules in (Rules(moves=setting.moves), ground.make_rules(setting))
    ]
    old, whole = _plan_as_before(regions, observations, travel, setting), make_plan(regions, setting)
    layouts: list[Layout] = [
        *((layout.units, layout.outings) for layout in (plan, *best)),
        *(_place(ground, _move_toward(regions.posts, observations, share, setting.moves))
          for share in (counts, observations.living)),
        _place(ground, old),
        _place(ground, whole.units, {(o.start, o.area): o.units for o in whole.away}),
    ]  # fmt: skip
    gain, net = zip(*(_judge(posts, layout, true, plan.rules.settling_quarters) for layout in layouts), strict=True)
    cities = np.isin(posts.areas, _CITIES)
    toward = tuple(int((layout.units - posts.units)[cities].sum()) for layout in (plan, best[0]))
    holds = plan.gain.low <= gain[0] <= plan.gain.high
    away = sum(outing.units for outing in plan.away)
    return Result(seed, pathway, plan.answer, plan.moved, away, gain, net, (toward[0], toward[1]), holds)


def _place(ground: PlanInputs, layout: Ints, outings: Mapping[tuple[str, str], float] | None = None) -> Layout:
    """Return the layout on places of one of regions, (R, 1); outings : work of teams next door, by both codes."""
    posts, away = ground.posts, outings or {}
    pairs = [(find_region(posts.sites[site]), posts.areas[area]) for site, area, _ in posts.outings.T]
    units = ground.division.place_units(replace(ground.table, units=layout))[0]
    return units, np.array([away.get(pair, 0.0) for pair in pairs])


def _judge(posts: Posts, layout: Layout, true: Floats, settling: float) -> tuple[float, float]:
    """Return the true gain of a quarter, and the net gain of the year after the moves, docs/planner.md eq. (71)."""
    capacities = (
        posts.compute_capacity(posts.units),
        posts.compute_capacity(np.minimum(posts.units, layout[0])),
        posts.compute_capacity(*layout),
    )
    today, meanwhile, planned = (float(compute_met(true[None, :, None], c).sum()) for c in capacities)
    return planned - today, (YEAR - settling) * (planned - today) - settling * (today - meanwhile)


def _plan_as_before(ground: PlanInputs, observations: Observations, travel: Travel, setting: Setting) -> Ints:
    """Return the layout by the earlier rule: the capacity of a team is shared over two hours around by population."""
    land = np.array(observations.countries)
    weight = (land[:, None] == land) * travel.reached * CATCHMENT.weight(travel.people)
    reach = compute_reach(observations.expected[:, -1], weight)[None]
    posts = replace(ground.posts, reach=reach, day_worth=None)
    floor = setting.floor * posts.compute_capacity(posts.units).sum(axis=1)
    rules = replace(ground.make_rules(setting), floor=floor)
    return plan_moves(posts, ground.needs[setting.pathway], rules, solver=setting.solver).units


def _move_toward(posts: Posts, observations: Observations, share: Floats, moves: int) -> Ints:
    """Return the layout after moves inside countries, each from the largest surplus to the largest shortage.

    share : wanted share of the units in a country by area, up to a factor, (A,).
    """
    units, land = posts.units.copy(), np.array(observations.countries)
    wanted = np.zeros(len(units), np.int64)
    for country in observations.country_names:
        inside = land == country
        wanted[inside] = apportion(share[inside], int(units[inside].sum()))
    for _ in range(moves):
        over = units[:, 0] - wanted
        pairs = np.where(land[:, None] == land, over[:, None] - over[None, :], 0)
        start, end = np.unravel_index(int(np.argmax(pairs)), pairs.shape)
        if over[start] <= 0 or over[end] >= 0:
            break
        units[start, 0] -= 1
        units[end, 0] += 1
    return units


if __name__ == "__main__":
    run_study(study, describe, "Judge plans where teams work as posted (some ten seconds a world).", LAWS)
