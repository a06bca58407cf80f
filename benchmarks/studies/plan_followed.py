"""What happens when a plan determines which children are found: two years of quarters in invented worlds.

Where teams search decides which children are found, and where children were found decides where teams search
next (Ensign et al. 2018): so a programme can abandon an area by mistake. Here a programme works for a year as
usual. Then, each quarter, the risk model is fitted on everything published so far; a plan is made with its
floors and its share of exploration; teams move, and outreach follows the teams; and the world's own process
(risk/worlds/__init__.py) decides which children this outreach finds. These children are published, and the
model knows them from the next quarter on.

Moves are made where the plan recommends them, or where staying would break a rule: an area is under its
floor, or areas with too little outreach get less than their share.

The rival moves as many teams towards shares of the last quarter's counts, without floors or exploration.
It shows what the rules are for. Nothing here is tuned to the worlds that are reported.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from benchmarks.studies.command import round_mean, run_study
from benchmarks.studies.history import History, Place, place
from benchmarks.studies.model import covered
from benchmarks.studies.trial import YEAR, Programme, floors, meets, need_of, planned, posts_of, rules_of, towards
from benchmarks.worlds import WorldParameters
from data.workspace.types import Ints, Progress
from risk.model import RiskModel
from risk.model.observations import Observations
from risk.planning.problem import Posts, Solver

Way = Literal["plan", "counts"]

WAYS: tuple[Way, ...] = ("plan", "counts")
_DRAWS = 2000


@dataclass(frozen=True)
class Followed:
    """Results of one world in which outreach followed the plan, or the last counts.

    least : for each planned quarter, the smallest ratio of an area's days to the days that its floor requires.
    starved : share of pairs of area and quarter below the floor. covered : share of true log relative risks
    in the 95 % intervals of the last fit. met : share of the true need that was met over the quarters.
    finds : children met. moved : units that moved in each quarter.
    """

    seed: int
    way: str
    least: tuple[float, ...]
    starved: float
    covered: float
    met: float
    finds: int
    moved: tuple[int, ...]


@dataclass(frozen=True)
class Loop:
    """The results of all worlds, for each way of planning."""

    quarters: int
    followed: tuple[Followed, ...]

    def summary(self) -> dict[str, Any]:
        """Return a summary over all worlds, for each way of planning."""
        out: dict[str, Any] = {"worlds": len({f.seed for f in self.followed}), "quarters": self.quarters}
        for way in WAYS:
            mine = [f for f in self.followed if f.way == way]
            out[way] = {
                "least_over_floor": round(min(min(f.least) for f in mine), 3),
                "worlds_starved": round_mean([f.starved > 0 for f in mine]),
                "starved": round_mean([f.starved for f in mine]),
                "covered": round_mean([f.covered for f in mine]),
                "met": round_mean([f.met for f in mine]),
                "finds": round(float(np.mean([f.finds for f in mine])), 1),
                "moved": round(float(np.mean([f.moved for f in mine])), 1),
            }
        return out

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "found": [asdict(f) for f in self.followed]}


def describe(summary: dict[str, Any], _seed: int = 0) -> list[str]:
    """Return a summary in plain lines, for the terminal."""
    names = {"plan": "Following the plan", "counts": "Following the last counts alone"}
    lines = [
        f"Invented worlds: {summary['worlds']}. For {summary['quarters']} quarters after a first year, what "
        "was found was published and planned with again."
    ]
    for way in WAYS:
        results = summary[way]
        lines.append(
            f"{names[way]}: an area was left under its floor of outreach in {results['worlds_starved']:.0%} of "
            f"worlds; the least that any area got in a quarter was {results['least_over_floor']:.2f} of its "
            f"floor. In the end {results['covered']:.0%} of the model's 95 % intervals held the truth. "
            f"{results['met']:.0%} of the need was met, with {results['moved']:.1f} moves a quarter."
        )
    return lines


def loop(
    worlds: int,
    *,
    first_seed: int = 0,
    quarters: int = 8,
    programme: Programme | None = None,
    model: RiskModel | None = None,
    solver: Solver | None = None,
    progress: Progress | None = None,
) -> Loop:
    """Run the study on `worlds` invented worlds, about ten seconds each; the same seeds give the same result."""
    followed = []
    for number, seed in enumerate(range(first_seed, first_seed + worlds), 1):
        where = place(_parameters(seed, quarters))
        tried = _Trial(where, programme or Programme(), model or RiskModel(), solver or Solver())
        followed += [tried.followed(way) for way in WAYS]
        if progress is not None:
            progress(number, worlds, "Following the plan in invented worlds")
    return Loop(quarters, tuple(followed))


@dataclass(frozen=True, eq=False)
class _Trial:
    """A world and the programme that is tested in it."""

    place: Place
    programme: Programme
    model: RiskModel
    solver: Solver

    @property
    def seed(self) -> int:
        return self.place.course.parameters.seed

    def followed(self, way: Way) -> Followed:
        """Simulate a year as usual, then each quarter with this way of planning."""
        past = History(self.place)
        for _ in range(YEAR):
            past.go_on()
        observations = past.observe()
        posts = posts_of(observations, self.programme)
        over, moved, need_met, needed = [], [], 0.0, 0.0
        while past.passed < self.place.course.parameters.quarters:
            before, true = posts.units, self.place.need(past.passed)
            posts = replace(posts, units=self._layout(way, posts, observations))
            days = self._days(posts, past.passed)
            moved.append(int(np.abs(posts.units - before).sum()) // 2)
            over.append(days / (floors(observations, self.programme) * self.place.budget(past.passed)))
            need_met, needed = need_met + meets(posts, posts.units, true), needed + float(true.sum())
            past.go_on(days)
            observations = past.observe()
        return Followed(
            self.seed,
            way,
            tuple(float(quarter.min()) for quarter in over),
            float((np.array(over) < 1.0).mean()),
            self._covered(observations),
            need_met / needed,
            int(past.children[YEAR:].sum()),
            tuple(moved),
        )

    def _layout(self, way: Way, posts: Posts, observations: Observations) -> Ints:
        """Return the layout of units in the next quarter, (S, K)."""
        if way == "counts":
            last = np.maximum(observations.published[:, -1], 0).sum(axis=(1, 2)).astype(float)
            return towards(posts, last, self.programme.moves) if last.any() else posts.units
        draws = need_of(self.model.fit(observations).fit_, self.seed)
        # The areas to explore are drawn anew each quarter.
        solver = replace(self.solver, seed=1000 * self.seed + len(observations.quarters))
        plan, _ = planned(posts, draws, rules_of(observations, self.programme), solver)
        return plan.units if plan.recommended or plan.broken_today else posts.units

    def _days(self, posts: Posts, t: int) -> Ints:
        """Return days of outreach in each area, (A,), in proportion to the capacity that reaches it, rounded up."""
        reached = posts.compute_capacity(posts.units).sum(axis=1)
        exact = reached / reached.sum() * self.place.budget(t)
        days: Ints = np.ceil(exact - 1e-6).astype(np.int64)
        return days

    def _covered(self, observations: Observations) -> float:
        """Return the share of true log relative risks in the 95 % intervals of a fit to all observations."""
        need = self.model.fit(observations).fit_.log_need(_DRAWS, self.seed)
        true = self.place.truth.log_risk(observations.areas, observations.pathways)
        return covered(need, true)


def _parameters(seed: int, quarters: int) -> WorldParameters:
    """Return the parameters of a world of one year and `quarters` quarters, with the usual children per quarter."""
    usual, whole = WorldParameters(), YEAR + quarters
    return WorldParameters(seed, round(usual.children * whole / usual.quarters), quarters=whole)


if __name__ == "__main__":
    run_study(loop, describe, "Follow the plan for two years in invented worlds (about ten seconds each).")
