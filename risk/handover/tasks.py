"""Tasks of partners, and the spare capacity of duty bearers for them."""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import InputError
from data.schema.kinds import KINDS
from data.workspace.types import Bools, Ints

QUARTERS = 4
WHY_STAYS = ("no_children", "room_taken", "no_room")
WORDS = dict(KINDS["service"].column("duty_bearer").allowed)  # of each category, in plain words
DUTY_BEARERS: tuple[str, ...] = tuple(WORDS)
AXES: tuple[str, ...] = tuple(KINDS["service"].column("axis").allowed)

# Who usually takes over a task on an axis, the first choice first. This is a default of the product, not a
# rule of either country: column `to` of the table of tasks replaces it, task by task.
USUAL: dict[str, tuple[str, ...]] = {
    "prevention": ("school", "municipality", "community"),
    "protection": ("state", "municipality", "anti_trafficking_police"),
    "assisted_voluntary_return": ("state", "anti_trafficking_police"),
    "reintegration": ("municipality", "state", "school"),
    "coordination": ("state", "municipality"),
}


@dataclass(frozen=True)
class Task:
    """A partner's task on an axis in an area.

    children : how many the task serves per quarter. to : categories of duty bearer that may take it, the first choice
    first. from_quarter : the earliest quarter of the hand-over, 1 to 4. Raises InputError if `to` is empty or has an
    unknown category, or if a number is out of range.
    """

    area: str
    partner: str
    axis: str
    children: int
    to: tuple[str, ...]
    from_quarter: int = 1

    def __post_init__(self) -> None:
        wrong = [bearer for bearer in self.to if bearer not in DUTY_BEARERS]
        if wrong or not self.to or self.children < 0 or not 1 <= self.from_quarter <= QUARTERS:
            raise InputError(
                f"No task in {self.area} of {self.children!r} children to {self.to!r} from quarter "
                f"{self.from_quarter!r}. Duty bearers are {', '.join(DUTY_BEARERS)}; quarters run from 1 to "
                f"{QUARTERS}; children are 0 or more."
            )


@dataclass(frozen=True, eq=False)
class Capacity:
    """Spare capacity of duty bearers.

    children : per quarter, (A, D, 4), with the D duty bearers in the order of DUTY_BEARERS. at_least : whether the
    capacity may be larger than known, (A, D). Raises InputError for another shape or a number below 0.
    """

    areas: tuple[str, ...]
    children: Ints
    at_least: Bools

    def __post_init__(self) -> None:
        wanted = (len(self.areas), len(DUTY_BEARERS), QUARTERS)
        if self.children.shape != wanted or self.at_least.shape != wanted[:2] or (self.children < 0).any():
            raise InputError(
                f"Spare capacity has shape {self.children.shape} or a number below 0. Give numbers from 0 "
                f"for {wanted[0]} areas, {wanted[1]} duty bearers and {QUARTERS} quarters."
            )


@dataclass(frozen=True)
class HandOver:
    """A task that a category of duty bearer takes over in a quarter, 1 to 4, and keeps."""

    task: Task
    to: str
    quarter: int


@dataclass(frozen=True)
class Stays:
    """A task that stays with its partner.

    why : no_children (nothing to hand over), room_taken (tasks with more children, or longer ones, take the
    capacity) or no_room. room : the largest spare capacity of a duty bearer who may take it that lasts to
    the end of the year, children per quarter. at_least : whether the real capacity may be larger than the known one.
    """

    task: Task
    why: str
    room: int = 0
    at_least: bool = False
