"""The result of planning: the layout, its moves and how good they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from data.workspace.types import Floats, Ints
from risk.planning.explain import Estimate, Move, Outcome
from risk.planning.exploration import Exploration
from risk.planning.problem import Decision, Posts, Rules

LEAST_GAIN = 0.03  # of the need met today
LEAST_CHANCE = 0.9


@dataclass(frozen=True, eq=False)
class Plan:
    """A layout compared with today's posts, judged by draws that were not used for choosing it.

    units : the layout, (S, K). gain : more children whose need is met per quarter, docs/planner.md eq. (43).
    probability : that the gain is more than 3 % of the need met today, eq. (44). broken_today : rules that
    today's posts break. explored : areas drawn for exploration. gap : how much better any other layout could
    be, relative, on the pieces of the solver, eq. (37). proven : whether the solver stopped because the gap
    was small enough, not because the time was up. rules, need : what the plan was made with, (d, A, K); need
    is None where it was not saved.
    """

    posts: Posts
    units: Ints
    moves: tuple[Move, ...]
    today: Outcome
    planned: Outcome
    gain: Estimate
    probability: float
    broken_today: tuple[str, ...]
    explored: Exploration
    gap: float
    proven: bool
    decisions: tuple[Decision, ...]
    rules: Rules = field(default_factory=Rules)
    need: Floats | None = None

    @property
    def recommended(self) -> bool:
        """Whether to make the moves, docs/planner.md eq. (44); otherwise the answer is to change nothing."""
        return bool(self.moves) and self.probability >= LEAST_CHANCE

    @property
    def cost(self) -> float:
        """Cost of all moves together."""
        return sum(move.cost for move in self.moves)

    @property
    def moved(self) -> int:
        """Number of units that move."""
        return sum(move.units for move in self.moves)


@dataclass(frozen=True)
class Point:
    """A point of the frontier: a maximum number of moves, the units moved, their cost and the gain."""

    limit: int
    moved: int
    cost: float
    gain: Estimate
    probability: float
    recommended: bool
