"""The result of planning: the layout, its moves and how good they are."""

from __future__ import annotations

from dataclasses import dataclass

from data.workspace.types import Floats, Ints
from risk.planning.explain import Estimate, Move, Outcome, Outing
from risk.planning.exploration import Exploration
from risk.planning.problem import Decision, Posts, Rules
from risk.planning.verdict import Answer, YearAhead, choose_answer


@dataclass(frozen=True, eq=False)
class Plan:
    """A layout compared with today's posts, judged by draws that were not used for choosing it.

    units : the layout, (S, K). outings, away : work of teams in other areas, (D,), and each with its gain. gain :
    children per quarter whose need is met, compared with today, docs/planner.md eq. (43). year : what the moves bring
    in the four quarters after them. broken_today : rules that today's posts break. explored : areas drawn for
    exploration. gap : the most by which another layout could be better, as a share of this plan's value,
    eq. (37). proven : whether the gap is small enough, at most 1.01 times the gap that was asked for.
    rules, need : the rules and the draws of need, (d, A, K), of the plan.
    """

    posts: Posts
    units: Ints
    outings: Floats
    moves: tuple[Move, ...]
    away: tuple[Outing, ...]
    today: Outcome
    planned: Outcome
    gain: Estimate
    year: YearAhead
    broken_today: tuple[str, ...]
    explored: Exploration
    gap: float
    proven: bool
    decisions: tuple[Decision, ...]
    rules: Rules
    need: Floats

    @property
    def capacities(self) -> tuple[Floats, Floats]:
        """Capacity today and as planned, (A, K) each."""
        return self.posts.compute_capacity(self.posts.units), self.posts.compute_capacity(self.units, self.outings)

    @property
    def answer(self) -> Answer:
        """What the plan advises: to make the moves, that they are optional, or to keep things as they are."""
        return choose_answer(self.moved, self.year)

    @property
    def recommended(self) -> bool:
        """Whether to make the moves."""
        return self.answer == "do"

    @property
    def cost(self) -> float:
        """Cost of all moves together, in the unit of `Posts.cost` (hours of travel)."""
        return sum(move.cost for move in self.moves)

    @property
    def moved(self) -> int:
        """Number of units that move."""
        return sum(move.units for move in self.moves)


@dataclass(frozen=True)
class Point:
    """A point of the frontier: a maximum number of moves, the units moved, their cost and the gain.

    probability : that the net gain in the year after them is above 0. recommended : whether to make these moves.
    """

    limit: int
    moved: int
    cost: float
    gain: Estimate
    probability: float
    recommended: bool
