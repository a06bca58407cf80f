"""The value of a plan in invented worlds, where the true need is known.

For each seed a world is drawn (risk/worlds/__init__.py) and the risk model is fitted on what its release
would show. A programme, with posts where it worked so far, plans with the model's draws. Rivals move as
many units from the same posts: towards shares of the population, towards shares of the last year's
counts, greedily by the model's mean, and by the true need itself with the plan's own solver. All are
judged by the true need. Regret is the loss compared with the rival that knows the truth; recovery is the
share of its gain that is reached. The plan and that rival keep a floor in every area; the other rivals need
not.

A second question for each world: if today's posts are already the best for the true need, does the plan change
nothing? The solver always finds moves that look better. The stated loss of a move must reject them.

A third question: if the posts are where the programme worked in the last year, and half of them are the floor, how
often is each verdict given, and how often do its moves truly gain?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, get_args

import numpy as np

from benchmarks.studies.command import map_seeds, round_mean, run_study
from benchmarks.studies.observe import observe_release
from benchmarks.studies.trial import YEAR, Programme, counts_of, meets, need_of, planned, posts_of, rules_of, towards
from benchmarks.worlds import World, WorldParameters, simulate_default_areas
from data.tables.spec import Level
from data.workspace.types import Floats, Ints, Progress
from risk.model import RiskModel
from risk.model.municipalities import fit_municipalities
from risk.model.observations import Observations
from risk.numbers import apportion
from risk.planning import compute_floor, plan_moves
from risk.planning.benefit import compute_met
from risk.planning.explain import Estimate
from risk.planning.problem import Posts, Rules, Solver
from risk.planning.result import Plan
from risk.planning.verdict import Answer

_DRAWS = 400
RIVALS = ("today", "population", "counts", "greedy", "plan", "truth")


@dataclass(frozen=True)
class Regret:
    """Results of the rivals in one world.

    met : children per quarter whose need is truly met, by rival, in the order of RIVALS; where the plan is not
        recommended, its entry is that of today's posts.
    met_if_followed : what the plan's moves would have met, recommended or not.
    predicted_gain : the gain that the plan predicted. moved : units that the plan moves.
    recommended : whether it is recommended. floor_kept : whether its moves leave no area below its floor.
    no_move_at_optimum : whether no move is recommended from posts that are best for the true need, with
        exploration or without.
    moves_found_at_optimum : units that the solver would move from these posts without exploration.
    optional_at_optimum : whether moves from these posts are called optional, although they truly gain nothing. If the
        solver's time is up before it has found the best posts, such a gain may be true.
    late_answer, late_gain : the answer from the posts of the last year, and what its moves truly gain, as a share of
        the need that these posts meet.
    """

    seed: int
    met: tuple[float, ...]
    met_if_followed: float
    predicted_gain: Estimate
    recommended: bool
    moved: int
    floor_kept: bool
    no_move_at_optimum: bool
    moves_found_at_optimum: int
    optional_at_optimum: bool
    late_answer: Answer
    late_gain: float

    def recovered(self, rival: str) -> float:
        """Return the share of the possible gain that a rival reaches, docs/planner.md eq. (56).

        It is 1 where no gain was possible.
        """
        return self._part(self.met[RIVALS.index(rival)])

    @property
    def recovered_if_followed(self) -> float:
        """The share of the possible gain that the plan's moves reach, recommended or not."""
        return self._part(self.met_if_followed)

    @property
    def gain_in_interval(self) -> bool:
        """Whether the true gain of the plan's moves lies in the interval that it predicted."""
        gain = self.met_if_followed - self.met[RIVALS.index("today")]
        return self.predicted_gain.low <= gain <= self.predicted_gain.high

    def _part(self, value: float) -> float:
        today, truth = self.met[RIVALS.index("today")], self.met[RIVALS.index("truth")]
        possible = truth - today
        return (value - today) / possible if possible > 1e-9 else 1.0


@dataclass(frozen=True)
class Study:
    """The results of all worlds of a study."""

    worlds: tuple[Regret, ...]

    def summary(self) -> dict[str, Any]:
        """Return a summary over all worlds: shares of worlds, shares of the possible gain, and gains.

        gain_predicted, gain_true : children per quarter. late : a mean gain is a share of the need that is met.
        """
        rows = self.worlds
        mean = {name: round_mean([r.recovered(name) for r in rows]) for name in RIVALS}
        plans, counts = (np.array([r.met[RIVALS.index(name)] for r in rows]) for name in ("plan", "counts"))
        return {
            "worlds": len(rows),
            "recovered": mean,
            "recovered_if_followed": round_mean([r.recovered_if_followed for r in rows]),
            "beats_counts": round_mean(plans > counts),
            "recommended": round_mean([r.recommended for r in rows]),
            "floor_kept": round_mean([r.floor_kept for r in rows]),
            "gain_in_interval": round_mean([r.gain_in_interval for r in rows]),
            "gain_predicted": round_mean([r.predicted_gain.mean for r in rows], 1),
            "gain_true": round_mean([r.met_if_followed - r.met[RIVALS.index("today")] for r in rows], 1),
            "no_move_at_optimum": round_mean([r.no_move_at_optimum for r in rows]),
            "moves_found_at_optimum": round_mean([r.moves_found_at_optimum > 0 for r in rows]),
            "optional_at_optimum": round_mean([r.optional_at_optimum for r in rows]),
            "late": {answer: _summarise_late(rows, answer) for answer in get_args(Answer)},
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "found": [asdict(r) for r in self.worlds]}


def describe(summary: dict[str, Any], _seed: int = 0) -> list[str]:
    """Return a summary in plain lines, for the terminal."""
    part = summary["recovered"]
    return [
        f"Invented worlds: {summary['worlds']}. Every rival may make the same number of moves.",
        f"Of the gain that is possible the plan makes {part['plan']:.0%}; "
        f"{summary['recovered_if_followed']:.0%} if its moves are made even where not recommended.",
        f"Following last year's counts makes {part['counts']:.0%}, following population "
        f"{part['population']:.0%}, the model's mean without floors {part['greedy']:.0%}.",
        f"The plan meets more need than following the counts in {summary['beats_counts']:.0%} of worlds, and "
        f"leaves every area its floor in {summary['floor_kept']:.0%}.",
        f"It said that {summary['gain_predicted']:.1f} children more a quarter would be served; it was "
        f"{summary['gain_true']:.1f}, within what it said in {summary['gain_in_interval']:.0%} of worlds.",
        f"Where today's posts are the best, it recommends no move in "
        f"{summary['no_move_at_optimum']:.0%} of worlds; the solver would have moved teams "
        f"in {summary['moves_found_at_optimum']:.0%}. It calls moves there optional, though they gain nothing, "
        f"in {summary['optional_at_optimum']:.0%}.",
        "From the posts of the last year: "
        + "; ".join(
            f"{answer} in {late['worlds']} worlds ({late['true']:.0%} truly gain, {late['gain']:.1%} on average)"
            for answer, late in summary["late"].items()
            if late["worlds"]
        )
        + ".",
    ]


def study(
    worlds: int,
    *,
    first_seed: int = 0,
    programme: Programme | None = None,
    model: RiskModel | None = None,
    solver: Solver | None = None,
    level: Level = "region",
    processes: int = 1,
    cluster: str = "",
    progress: Progress | None = None,
) -> Study:
    """Run the study on `worlds` invented worlds, some seconds each; the same seeds give the same result."""
    study_world = partial(
        _study_world,
        programme=programme or Programme(),
        model=model or RiskModel(),
        solver=solver or Solver(),
        level=level,
    )
    seeds, what = range(first_seed, first_seed + worlds), "Planning in invented worlds"
    results = map_seeds(study_world, seeds, what, processes=processes, cluster=cluster, progress=progress)
    return Study(tuple(results))


def _study_world(seed: int, *, programme: Programme, model: RiskModel, solver: Solver, level: Level) -> Regret:
    case = _observe(simulate_default_areas(WorldParameters(seed=seed)), model, level)
    return _compute_regret(seed, case, programme, solver)


@dataclass(frozen=True, eq=False)
class _Case:
    """A world as the programme knows it, and its truth: draws of need (d, A), true need (A,)."""

    observations: Observations
    draws: Floats
    truth: Floats


def _compute_regret(seed: int, case: _Case, programme: Programme, solver: Solver) -> Regret:
    posts, wanted = posts_of(case.observations, programme), rules_of(case.observations, programme)
    plan, rules = planned(posts, case.draws, wanted, solver)
    mean = case.draws.mean(axis=0)
    layouts = {
        "today": posts.units,
        "population": towards(posts, case.observations.living, programme.moves),
        "counts": towards(posts, counts_of(case.observations), programme.moves),
        "greedy": greedy(posts, mean, programme.moves),
        "plan": plan.units if plan.recommended else posts.units,
        "truth": _plan_with_truth(posts, case.truth, rules, solver).units,
    }
    reached = compute_floor(replace(posts, units=plan.units), 1.0)
    floor_kept = bool((reached >= np.asarray(wanted.floor) - 1e-6).all())
    # With the share of exploration, and without any, so that every move is the solver's own choice.
    late = replace(posts, units=apportion(case.observations.effort[:, -YEAR:].sum(axis=1), programme.units)[:, None])
    half, _ = planned(late, case.draws, replace(wanted, floor=compute_floor(late, 0.5)), solver)
    need_met = meets(late, late.units, case.truth)
    again = [_plan_from_optimum(posts, case, rule, solver) for rule in (rules, replace(rules, exploration=0.0))]
    return Regret(
        seed,
        tuple(meets(posts, layouts[name], case.truth) for name in RIVALS),
        meets(posts, plan.units, case.truth),
        plan.gain,
        plan.recommended,
        plan.moved,
        floor_kept,
        not any(answer.recommended for answer in again),
        again[-1].moved,
        any(_is_falsely_optional(answer, case.truth) for answer in again),
        half.answer,
        meets(late, half.units, case.truth) / need_met - 1.0,
    )


def _summarise_late(rows: Sequence[Regret], answer: Answer) -> dict[str, float]:
    """Return the number of worlds with an answer, the share of these where the moves truly gain, and the mean gain."""
    gains = [r.late_gain for r in rows if r.late_answer == answer]
    if not gains:
        return {"worlds": 0}
    return {"worlds": len(gains), "true": round_mean(np.array(gains) > 0), "gain": round_mean(gains)}


def _observe(world: World, model: RiskModel, level: Level = "region") -> _Case:
    """Fit the model to the world's protected counts; return the observations, and drawn and true need of the last year.

    Need is in children per quarter, on all known pathways together.
    """
    observations, seed = observe_release(world), world.parameters.seed
    fit = model.fit(observations).fit_
    if level == "region":
        draws = need_of(fit, seed)
    else:
        observations = observe_release(world, level)
        draws = fit_municipalities(fit, observations).draw_yearly_need(_DRAWS, seed).sum(axis=2)
    last = set(observations.quarters[-YEAR:])
    rows = world.truth.need.query("level == @level and pathway != 'none_known'")
    rows = rows[rows["quarter"].isin(last)]
    truth = (
        rows.groupby("area")["need"].sum().reindex(list(observations.areas)).fillna(0.0).to_numpy(dtype=float) / YEAR
    )
    return _Case(observations, np.asarray(draws), truth)


def _plan_with_truth(posts: Posts, truth: Floats, rules: Rules, solver: Solver) -> Plan:
    """Return a plan made with the true need, with the same limit of moves and floors but without exploration."""
    certain = np.tile(truth, (40, 1))
    return plan_moves(posts, certain, replace(rules, exploration=0.0, settling=0), solver=solver)


def _plan_from_optimum(posts: Posts, case: _Case, rules: Rules, solver: Solver) -> Plan:
    """Return a plan from posts that are the best for the true need: nothing should be recommended."""
    best = _plan_with_truth(posts, case.truth, replace(rules, moves=None), solver).units
    return plan_moves(replace(posts, units=best), case.draws, rules, solver=solver)


def _is_falsely_optional(plan: Plan, truth: Floats) -> bool:
    gain = meets(plan.posts, plan.units, truth) - meets(plan.posts, plan.posts.units, truth)
    return plan.answer == "optional" and gain <= 0.0


def greedy(posts: Posts, need: Floats, moves: int) -> Ints:
    """Return the layout, (S, K), after at most `moves` moves of the first kind of unit.

    Each move is the one that meets the most need at that point. need : mean need, children per quarter, (A,).
    """
    units = posts.units.copy()
    for _ in range(moves):
        best, best_move = meets(posts, units, need) + 1e-9, None
        each = posts.reach[0] * posts.kinds[0].children
        for start in np.flatnonzero(units[:, 0]):
            rest = posts.compute_capacity(units)[:, 0] - each[:, start]
            values = compute_met(np.broadcast_to(need[:, None], each.shape), rest[:, None] + each).sum(axis=0)
            if (end := int(np.argmax(values))) != start and values[end] > best:
                best, best_move = values[end], (start, end)
        if best_move is None:
            break
        units[best_move[0], 0] -= 1
        units[best_move[1], 0] += 1
    return units


if __name__ == "__main__":
    run_study(study, describe, "Compare the plan with rivals on invented worlds (some seconds each).", spread=True)
