"""A plan that was made: the layout, its moves and what is known of them."""

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
    """A layout and what is known of it, against today's posts; judged by draws not used for choosing.

    units : the layout, (S, K). moves : each with its reasons. gain : children more whose need is met, a
    quarter. probability : that the gain is more than 3 % of the need met today. broken_today : rules that
    changing nothing would break. explored : areas drawn for exploration. gap : how much better any
    other layout could be on the solver's pieces, relative; proven : whether it stopped because the gap was
    small enough, not because the time was up. rules, need : what it was made by, (d, A, K); need is None
    where it was not kept.
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
        """Whether to make the moves; otherwise the answer is to change nothing."""
        return bool(self.moves) and self.probability >= LEAST_CHANCE

    @property
    def cost(self) -> float:
        """What all moves cost together."""
        return sum(move.cost for move in self.moves)

    @property
    def moved(self) -> int:
        """How many units move."""
        return sum(move.units for move in self.moves)


@dataclass(frozen=True)
class Point:
    """One point of the frontier: a limit of moves, what was moved and paid, and what it gains."""

    limit: int
    moved: int
    cost: float
    gain: Estimate
    probability: float
    recommended: bool
