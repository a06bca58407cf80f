"""The result of planning: the layout, its moves and how good they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data.workspace.types import Floats, Ints
from risk.planning.explain import Estimate, Move, Outcome, Outing
from risk.planning.exploration import Exploration
from risk.planning.problem import Decision, Posts, Rules

Answer = Literal["move", "small", "nothing"]  # small: small but almost sure

LEAST_GAIN = 0.03  # of the need met today
LEAST_CHANCE = 0.9
SMALL_GAIN, SMALL_CHANCE = 0.005, 0.99  # chosen so that right posts are left as they are: benchmarks/README.md


def choose_answer(moved: int, probability: float, small_probability: float) -> Answer:
    """Return what a plan advises: "move", "small" or "nothing", docs/planner.md eq. (44) and (57).

    moved : number of units that move. probability : that the gain is more than LEAST_GAIN of the need met today.
    small_probability : the same for SMALL_GAIN.
    """
    if moved and probability >= LEAST_CHANCE:
        return "move"
    return "small" if moved and small_probability >= SMALL_CHANCE else "nothing"


@dataclass(frozen=True, eq=False)
class Plan:
    """A layout compared with today's posts, judged by draws that were not used for choosing it.

    units : the layout, (S, K). outings, away : work of teams in other areas, (D,), and each with its gain. gain :
    children per quarter whose need is met, compared with today, docs/planner.md eq. (43). probability : that the gain
    is more than 3 % of the need met today, eq. (44). small_probability : the same for 0.5 %, eq. (57). broken_today :
    rules that today's posts break. explored : areas drawn for exploration. gap : the most by which another layout
    could be better, as a share of this plan's value, eq. (37). proven : whether the gap is small enough, at most 1.01
    times the gap that was asked for. rules, need : the rules and the draws of need, (d, A, K), of the plan.
    """

    posts: Posts
    units: Ints
    outings: Floats
    moves: tuple[Move, ...]
    away: tuple[Outing, ...]
    today: Outcome
    planned: Outcome
    gain: Estimate
    probability: float
    small_probability: float
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
        """What the plan advises: to move, a small but almost sure gain, or to change nothing."""
        return choose_answer(self.moved, self.probability, self.small_probability)

    @property
    def recommended(self) -> bool:
        """Whether to make the moves."""
        return self.answer == "move"

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

    probability : that the gain is more than LEAST_GAIN of the need met today.
    """

    limit: int
    moved: int
    cost: float
    gain: Estimate
    probability: float
    recommended: bool
