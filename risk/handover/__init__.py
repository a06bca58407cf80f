"""Hand-over to duty bearers: which task of which partner goes to whom, in which of four quarters.

A programme ends, and its work must continue with the duty bearers. A task goes as a whole to one category of duty
bearer, or it stays with its partner. A task needs spare capacity in its quarter and in every later one, so capacity
that does not last does not count. The hand-over is chosen with the largest sum of children times quarters from the
hand-over to the end of the year, docs/planner.md eq. (52) and (53). Each area is a whole-number programme, solved
exactly by HiGHS.

The spare capacity is a table that a manager fills in (risk/handover/files.py), or the service places of a
release times the share that is free. A release does not hold this share, so it must be given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from data.errors import InputError
from data.release import Release
from data.workspace.small_tables import parse_rows, read_text
from data.workspace.types import Floats, Ints
from risk.access import Supply
from risk.handover.files import CAPACITY, TASKS, parse_capacity, parse_tasks
from risk.handover.tasks import DUTY_BEARERS, QUARTERS, Capacity, HandOver, Stays, Task

# A possible hand-over: the position of a task in its area, the position of a duty bearer in its `to`, and the quarter.
# All count from 0.
Way = tuple[int, int, int]

_SECONDS = 20.0  # for one area; usual ones take far less than a second


@dataclass(frozen=True)
class HandOverResult:
    """The tasks handed over and those that stay, by area, partner and axis.

    proven : whether the solver proved for every area that no better hand-over exists.
    """

    over: tuple[HandOver, ...]
    stays: tuple[Stays, ...]
    proven: bool


@dataclass(frozen=True)
class Tables:
    """The tables of a hand-over as CSV text: tasks, and spare capacity (`room`) or the share of free places (0 to 1).

    tasks : empty for no hand-over. With tasks, raises InputError unless exactly one of `room` and `free_share` is
    given.
    """

    tasks: str = ""
    room: str = ""
    free_share: float | None = None

    def __post_init__(self) -> None:
        if self.tasks and bool(self.room) == (self.free_share is not None):
            raise InputError(
                "A table of tasks also needs the spare capacity of duty bearers: a table, "
                "or the share of service places that is free."
            )

    @classmethod
    def read(cls, tasks: Path, room: Path | None, free_share: float | None) -> Tables:
        """Read the tables from files.

        Raises FileRefused if a file cannot be read, and InputError unless exactly one of `room` and `free_share` is
        given.
        """
        return cls(read_text(tasks, TASKS), "" if room is None else read_text(room, CAPACITY), free_share)

    def hand_over(self, release: Release, areas: Sequence[str]) -> HandOverResult | None:
        """Hand over the tasks of the tables; None without tasks.

        Raises FileRefused if a table lacks a column, InputError for a wrong row, with its number and what to do, and
        the errors of `estimate_capacity` and `hand_over`.
        """
        if not self.tasks:
            return None
        tasks = parse_tasks(parse_rows("table of tasks", self.tasks, TASKS), areas)
        if self.free_share is None:
            room = parse_capacity(parse_rows("table of spare capacity", self.room, CAPACITY), areas)
        else:
            room = estimate_capacity(release, areas, self.free_share)
        return hand_over(tasks, room)


def estimate_capacity(release: Release, areas: Sequence[str], free_share: float, level: str = "region") -> Capacity:
    """Estimate the spare capacity from the places of each duty bearer in the last quarter of a release.

    docs/planner.md eq. (55). free_share : the share of places that are free, from 0 to 1. Ask the duty bearers for it,
    because a release does not say which places are taken. The capacity is the same in all four quarters, in whole
    children. It is a lower limit: a release holds only the duty bearers' places for prevention and coordination. Raises
    InputError for a share out of range or a duty bearer without a quarter in the release, and ReleaseError if the
    release has no table of these places.
    """
    if not 0.0 <= free_share <= 1.0:
        raise InputError(
            f"{free_share!r} is not a share. Give the share of free service places from 0 to 1; ask the duty "
            "bearers for it."
        )
    codes = tuple(areas)
    supplies = [
        Supply.from_release(release, codes, what="capacity", level=level, by="duty_bearer", category=bearer)
        for bearer in DUTY_BEARERS
    ]
    free = np.floor(free_share * np.stack([supply.amount for supply in supplies], axis=1) + 1e-9).astype(np.int64)
    return Capacity(codes, np.repeat(free[:, :, None], QUARTERS, axis=2), np.ones(free.shape, bool))


def hand_over(tasks: Iterable[Task], capacity: Capacity) -> HandOverResult:
    """Hand over the tasks of as many children as early as possible; the order of the tasks does not matter.

    Among equally good hand-overs, the one that gives the first tasks (by partner and axis) their first choices is
    taken, docs/planner.md eq. (54). Raises InputError if a task is in an area without capacity.
    """
    by_area = _group_by_area(tasks, capacity)
    over, stays, proven = list[HandOver](), list[Stays](), True
    for area, tasks_here in by_area.items():
        position = capacity.areas.index(area)
        room = capacity.children[position]
        ways, sure = _choose_ways(tasks_here, room)
        proven = proven and sure
        for number, task in enumerate(tasks_here):
            if number in ways:
                choice, quarter = ways[number]
                over.append(HandOver(task, task.to[choice], quarter + 1))
            else:
                stays.append(_explain_stay(task, room, capacity.at_least[position]))
    return HandOverResult(tuple(over), tuple(stays), proven)


def _group_by_area(tasks: Iterable[Task], capacity: Capacity) -> dict[str, list[Task]]:
    """Return the tasks of each area in a fixed order, so that the order of rows in the table does not matter.

    Raises InputError for a task in an area without capacity.
    """
    ordered = sorted(tasks, key=lambda t: (t.area, t.partner, t.axis, t.from_quarter, -t.children, t.to))
    grouped = dict[str, list[Task]]()
    for task in ordered:
        if task.area not in capacity.areas:
            raise InputError(f"There is a task in {task.area!r}, but no spare capacity is given there. Give it, or 0.")
        grouped.setdefault(task.area, []).append(task)
    return grouped


def _compute_lasting(room: Ints) -> Ints:
    """Return the spare capacity that lasts from each quarter to the last one, from `room`; (..., 4) in and out."""
    return np.asarray(np.minimum.accumulate(room[..., ::-1], axis=-1)[..., ::-1])


def _choose_ways(tasks: list[Task], room: Ints) -> tuple[dict[int, tuple[int, int]], bool]:
    """Choose the hand-overs of one area; return the position in `to` and the quarter of each task handed over.

    Positions and quarters count from 0. The second value is whether this choice is proven to be the best. room : spare
    capacity, (D, 4).
    """
    lasting = _compute_lasting(room)
    ways: list[Way] = [
        (number, choice, quarter)
        for number, task in enumerate(tasks)
        for choice, bearer in enumerate(task.to)
        for quarter in range(task.from_quarter - 1, QUARTERS)
        if 0 < task.children <= lasting[DUTY_BEARERS.index(bearer), quarter]
    ]
    if not ways:
        return {}, True
    rows = _build_rows(tasks, ways, room)
    worth = np.array([tasks[n].children * (QUARTERS - q) for n, _, q in ways], dtype=float)
    solution, most, sure = _solve_ways(-worth, rows, len(ways))
    if sure:
        best = LinearConstraint(worth[None], most - 0.5, np.inf)
        # Among equally good hand-overs: first choices of first tasks, in whole numbers, so that ties are exact.
        choices = max(len(task.to) for task in tasks)
        liked = np.array([float((len(tasks) - n) * (choices - c)) for n, c, _ in ways])
        preferred, _, preferred_sure = _solve_ways(-liked, [*rows, best], len(ways))
        solution = preferred if preferred_sure else solution
    return {ways[w][0]: (ways[w][1], ways[w][2]) for w in np.flatnonzero(solution)}, sure


def _solve_ways(costs: Floats, rows: list[LinearConstraint], count: int) -> tuple[Ints, float, bool]:
    """Minimise the costs, (W,), of the chosen possible hand-overs.

    Return 1 for each chosen one, else 0, (W,); the negative of their costs; and whether no lower costs are possible.
    None is chosen if the solver finds no solution in time.
    """
    options = {"time_limit": _SECONDS, "mip_rel_gap": 0.0}
    answer = milp(costs, integrality=np.ones(count), bounds=Bounds(0, 1), constraints=rows, options=options)
    if answer.x is None:
        return np.zeros(count, np.int64), 0.0, False
    solution = np.rint(answer.x).astype(np.int64)
    return solution, float(-(costs @ solution)), answer.status == 0


def _build_rows(tasks: list[Task], ways: list[Way], room: Ints) -> list[LinearConstraint]:
    """Return the constraints: each task at most once, and no quarter over its capacity, docs/planner.md eq. (53)."""
    number = np.array([n for n, _, _ in ways])
    bearer = np.array([DUTY_BEARERS.index(tasks[n].to[c]) for n, c, _ in ways])
    start = np.array([q for _, _, q in ways])
    children = np.array([tasks[n].children for n in number], dtype=float)
    column = np.arange(len(ways))
    once = sparse.coo_array((np.ones(len(ways)), (number, column)), shape=(len(tasks), len(ways)))
    occupied = np.arange(QUARTERS)[:, None] >= start
    quarter, way = np.nonzero(occupied)
    place = bearer[way] * QUARTERS + quarter
    used = sparse.coo_array((children[way], (place, way)), shape=(room.size, len(ways)))
    return [
        LinearConstraint(sparse.csr_array(once), -np.inf, 1.0),
        LinearConstraint(sparse.csr_array(used), -np.inf, room.ravel().astype(float)),
    ]


def _explain_stay(task: Task, room: Ints, at_least: NDArray[np.bool_]) -> Stays:
    """Return a task that stays, with the reason; room (D, 4) and at_least (D,) are those of its area."""
    if not task.children:
        return Stays(task, "no_children")
    bearers = [DUTY_BEARERS.index(bearer) for bearer in task.to]
    most = int(_compute_lasting(room)[bearers, task.from_quarter - 1 :].max())
    why = "room_taken" if most >= task.children else "no_room"
    return Stays(task, why, most, bool(at_least[bearers].any()))
