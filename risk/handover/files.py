"""The two tables of a hand-over that a manager fills in, read and checked row by row.

area,partner,axis,children,to,from_quarter      tasks; `to` lists categories of duty bearer, separated by ;
                                                (empty: the usual ones); `from_quarter` may be empty or left
                                                out (the first quarter)
area,duty_bearer,quarter,children               spare capacity; 0 where there is no row
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from data.workspace.small_tables import Row
from risk.handover.tasks import AXES, DUTY_BEARERS, QUARTERS, USUAL, Capacity, Task

TASKS = ("area", "partner", "axis", "children", "to")
CAPACITY = ("area", "duty_bearer", "quarter", "children")
_LARGEST = 1_000_000
_NO_AREA = "not a county or region. Write a code from the table of areas, such as AL-05, or delete the row."


def parse_tasks(rows: Iterable[Row], areas: Iterable[str]) -> tuple[Task, ...]:
    """Read the tasks that partners could hand over; raise InputError, with a remedy, for a wrong or repeated row."""
    known_areas, row_by_task = set(areas), dict[Task, int]()
    tasks = []
    for row in rows:
        area = row.one_of("area", known_areas, _NO_AREA)
        if not row["partner"]:
            raise row.fault("column partner is empty. Write the partner whose task it is.")
        axis = row.one_of("axis", AXES, f"not an axis. Write one of {', '.join(AXES)}.")
        children = row.whole("children", 1, _LARGEST)
        quarter = row.whole("from_quarter", 1, QUARTERS) if row["from_quarter"] else 1
        task = Task(area, row["partner"], axis, children, _list_bearers(row) or USUAL[axis], quarter)
        same = Task(task.area, task.partner, task.axis, 0, task.to)
        if same in row_by_task:
            raise row.fault(
                f"this task of {task.partner} in {task.area} is already in row {row_by_task[same]}. "
                "Keep one row with all its children."
            )
        row_by_task[same] = row.number
        tasks.append(task)
    return tuple(tasks)


def _list_bearers(row: Row) -> tuple[str, ...]:
    """Return the categories in column `to`, in their order and each once; empty if the column is.

    Raises InputError for a word that is no category of duty bearer.
    """
    named = tuple(dict.fromkeys(part.strip() for part in row["to"].split(";") if part.strip()))
    for bearer in named:
        if bearer not in DUTY_BEARERS:
            raise row.fault(
                f"{bearer!r} in column to is not a duty bearer. Write one or more of "
                f"{', '.join(DUTY_BEARERS)}, separated by ;, or leave it empty for the usual ones."
            )
    return named


def parse_capacity(rows: Iterable[Row], areas: Iterable[str]) -> Capacity:
    """Read the spare capacity of duty bearers; raise InputError, with a remedy, for a wrong or repeated row."""
    codes = tuple(areas)
    room = np.zeros((len(codes), len(DUTY_BEARERS), QUARTERS), np.int64)
    row_by_cell = dict[tuple[int, int, int], int]()
    for row in rows:
        area = codes.index(row.one_of("area", codes, _NO_AREA))
        remedy = f"not a duty bearer. Write one of {', '.join(DUTY_BEARERS)}."
        bearer = DUTY_BEARERS.index(row.one_of("duty_bearer", DUTY_BEARERS, remedy))
        cell = (area, bearer, row.whole("quarter", 1, QUARTERS) - 1)
        if cell in row_by_cell:
            raise row.fault(f"this spare capacity is already in row {row_by_cell[cell]}. Keep one of the two rows.")
        row_by_cell[cell] = row.number
        room[cell] = row.whole("children", 0, _LARGEST)
    return Capacity(codes, room, np.zeros(room.shape[:2], dtype=bool))
