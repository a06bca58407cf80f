"""A plan in plain values, as it is saved and shown by pages, the briefing and the command line.

All numbers are rounded, so that a saved plan does not depend on the last digits of a machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from data.errors import InputError
from data.message import Message
from data.personal import free_text
from data.workspace.types import Bools, Floats
from risk.handover import HandOverResult, Tables
from risk.handover.tasks import HandOver, Stays
from risk.planning import posts as tables
from risk.planning.benefit import compute_met
from risk.planning.explain import Estimate, Move, NeedTotals, OneMore, Outcome, Outing, find_best_unit
from risk.planning.inputs import PlanInputs, Setting
from risk.planning.problem import Decision
from risk.planning.result import Plan, Point
from risk.planning.schedule import Phase, Step, schedule_moves
from risk.planning.verdict import Answer, YearAhead

Role = Literal["programme manager", "coordinator", "data officer", "board"]

ROLES: tuple[str, ...] = get_args(Role)
_DIGITS = 4


@dataclass(frozen=True)
class Author:
    """The author of a plan: a role, never a person's name, and the day as YYYY-MM-DD.

    Raises InputError for an unknown role.
    """

    role: str
    date: str

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise InputError(f"No role {self.role!r}. There are: {', '.join(ROLES)}.")


@dataclass(frozen=True)
class AuthoredDecision:
    """A decision on a move, with the role of the person who made it, and the day."""

    decision: Decision
    author: Author


@dataclass(frozen=True)
class Verdict:
    """The plan as a whole: what it advises (`answer`), and what its moves gain.

    year : what the moves bring in the four quarters after them; None in plans of an older version, whose answer
    followed another rule. moved : number of units. cost : hours of travel. gain : children per quarter. broken_today :
    rules that today's posts break. explored : areas drawn for exploration; explored_share : the part of the outreach
    meant for them that the other rules allow. gap : the most by which another layout could be better, as a share of the
    plan's value; None if no bound is known. proven : whether the gap is as small as was asked for.
    """

    answer: Answer
    moved: int
    cost: float
    gain: Estimate
    today: Outcome
    planned: Outcome
    broken_today: tuple[str, ...] = ()
    explored: tuple[str, ...] = ()
    gap: float | None = None
    proven: bool = True
    year: YearAhead | None = None
    explored_share: float = 1.0


@dataclass(frozen=True)
class AreaCoverage:
    """Children in need per quarter in an area, those whose need is met today and as planned, and units by kind.

    If no statement is possible on a country, its areas have no need in a plan and are not in its tables.
    """

    area: str
    need: float
    today: float
    planned: float
    units_today: Mapping[str, int]
    units_planned: Mapping[str, int]


@dataclass(frozen=True)
class GroupCoverage:
    """A group of areas in a country: children in need per quarter, and the share of their need that is met.

    group : country, communities (areas where Roma and Egyptian communities live) or elsewhere. area : code of the
    country. areas : number of areas. today, planned : shares from 0 to 1.
    """

    group: str
    area: str
    areas: int
    need: float
    today: float
    planned: float


@dataclass(frozen=True)
class HandedOverTask:
    """A partner's task that a duty bearer takes over in a quarter, 1 to 4."""

    area: str
    partner: str
    axis: str
    children: int
    to: str
    quarter: int


@dataclass(frozen=True)
class StayingTask:
    """A partner's task that stays with its partner; see `risk.handover.tasks.Stays` for `why`, `room` and `at_least`.

    room : None in plans of an older version.
    """

    area: str
    partner: str
    axis: str
    children: int
    why: str
    room: int | None = None
    at_least: bool = False


@dataclass(frozen=True)
class PlanSummary:
    """All values of a plan.

    follows : name of the saved plan that it changes, or empty. posts : table of posts as CSV. frontier : the gains for
    other numbers of moves. coverage, equity : need met by area and by group. left : moves after the last quarter.
    away : work of teams outside the area where they are posted. one_more : the best area for one more unit of each
    kind, after today's posts and after the plan. totals : need and what is met, over all areas. unknown_ways : areas
    whose ways cannot be told. These four are empty in plans of an older version. blocked : why nothing is advised,
    whatever the verdict is (`PlanInputs.blocked`); empty if nothing blocks it.
    """

    title: str
    note: str
    author: Author
    setting: Setting
    posts: str
    posts_drafted: bool
    travel_provisional: bool
    verdict: Verdict
    moves: tuple[Move, ...]
    decisions: tuple[AuthoredDecision, ...] = ()
    frontier: tuple[Point, ...] = ()
    coverage: tuple[AreaCoverage, ...] = ()
    equity: tuple[GroupCoverage, ...] = ()
    phases: tuple[Phase, ...] = ()
    left: tuple[Step, ...] = ()
    handover: tuple[HandedOverTask, ...] = ()
    stays: tuple[StayingTask, ...] = ()
    handover_tables: Tables = field(default_factory=Tables)
    follows: str = ""
    away: tuple[Outing, ...] = ()
    one_more: tuple[OneMore, ...] = ()
    totals: NeedTotals | None = None
    unknown_ways: tuple[str, ...] = ()
    blocked: str = ""

    @property
    def advised(self) -> bool:
        """Whether to make the moves."""
        return self.answer == "do"

    @property
    def answer(self) -> Answer:
        """What the plan advises; "keep" if it has no moves, or if a gap blocks it."""
        return self.verdict.answer if self.moves and not self.blocked else "keep"

    def decision_on(self, move: Move) -> AuthoredDecision | None:
        """Return the decision on a move; None if there is none."""
        decisions = (d for d in self.decisions if d.decision.covers(move.start, move.end, move.kind))
        return next(decisions, None)

    def sum_flows(self) -> list[tuple[str, str, int]]:
        """Return the units of all kinds that move between areas: (start, end, units), largest number first."""
        flows: dict[tuple[str, str], int] = {}
        for move in self.moves:
            flows[move.start, move.end] = flows.get((move.start, move.end), 0) + move.units
        ordered = sorted(flows.items(), key=lambda item: (-item[1], item[0]))
        return [(start, end, units) for (start, end), units in ordered]

    def met_shares(self, when: str, groups: Mapping[str, str] | None = None) -> dict[str, float]:
        """Return the share of need (0 to 1) that is met in each area, or in each group of areas.

        when : "today" or "planned". groups : name of the group of each area. Areas without need are left out.
        """
        need, need_met = defaultdict[str, float](float), defaultdict[str, float](float)
        for row in self.coverage:
            name = (groups or {}).get(row.area, row.area)
            need[name] += row.need
            need_met[name] += getattr(row, when)
        return {name: need_met[name] / total for name, total in need.items() if total > 0}


def summarise_plan(
    ground: PlanInputs,
    setting: Setting,
    plan: Plan,
    author: Author,
    *,
    title: str,
    note: str = "",
    decisions: Sequence[AuthoredDecision] = (),
    frontier: Sequence[Point] = (),
    handed_over: tuple[Tables, HandOverResult] | None = None,
    follows: str = "",
) -> PlanSummary:
    """Return a plan in plain values; the quarters of its moves are computed here.

    `handed_over` holds the tables of a hand-over and its result. Raises InputError if the title is missing, if a text
    is longer than 300 characters or holds what looks like personal data, or if no schedule was found in time.
    """
    tasks, result = handed_over or (Tables(), HandOverResult((), (), proven=True))
    partners = [*(entry.task.partner for entry in result.over), *(entry.task.partner for entry in result.stays)]
    check_written(
        title,
        note,
        *(entry.decision.reason for entry in decisions),
        *partners,
        *(kind.name for kind in plan.posts.kinds),
    )
    schedule = schedule_moves(plan, setting.per_quarter)
    return PlanSummary(
        title.strip(),
        note.strip(),
        author,
        setting,
        tables.write_posts(ground.table),
        ground.is_draft,
        ground.travel_provisional,
        _round(_summarise_verdict(plan)),
        _round(plan.moves),
        tuple(decisions),
        _round(tuple(frontier)),
        _round(_summarise_coverage(ground, setting, plan)),
        _round(_summarise_equity(ground, setting, plan)),
        _round(schedule.phases),
        schedule.left,
        tuple(_summarise_handed_over(entry) for entry in result.over),
        tuple(_summarise_staying(entry) for entry in result.stays),
        tasks,
        follows,
        _round(plan.away),
        _round(tuple(_find_one_more(plan))),
        _round(_sum_need(plan)),
        tuple(str(code) for code in np.array(plan.posts.areas)[ground.unknown_ways]),
        ground.blocked,
    )


def check_texts(summary: PlanSummary) -> None:
    """Raise InputError if the title is missing, or if a text is too long or holds what looks like personal data."""
    partners = [*(task.partner for task in summary.handover), *(task.partner for task in summary.stays)]
    reasons = (entry.decision.reason for entry in summary.decisions)
    kinds = {kind for area in summary.coverage for kind in area.units_today} | {move.kind for move in summary.moves}
    check_written(summary.title, summary.note, *reasons, *partners, *sorted(kinds))


def check_written(title: str, *texts: str) -> None:
    """Raise InputError if the title of a plan is missing, or if a text is too long or may hold personal data."""
    if not title.strip():
        raise InputError(Message("A saved plan needs a title, for example: More outreach in the north."))
    names = Message("A title, note, reason, or name of a partner or kind of unit")
    free_text.check_free_text((title, *texts), names)


def _summarise_verdict(plan: Plan) -> Verdict:
    areas = np.array(plan.posts.areas)
    return Verdict(
        plan.answer,
        plan.moved,
        plan.cost,
        plan.gain,
        plan.today,
        plan.planned,
        tuple(plan.broken_today),
        tuple(str(code) for code in areas[plan.explored.areas]) if plan.explored.least else (),
        plan.gap if np.isfinite(plan.gap) else None,
        plan.proven,
        plan.year,
        plan.explored.share,
    )


def _find_one_more(plan: Plan) -> Iterator[OneMore]:
    """Yield the best area for one more unit of each kind, on today's posts and on the plan."""
    posts, inside = plan.posts, plan.rules.inside
    allowed: Bools = np.asarray(np.isfinite(posts.cost).any(axis=0))
    allowed = allowed if inside is None else allowed & inside
    names: tuple[Literal["today", "planned"], ...] = ("today", "planned")
    for layout, capacity in zip(names, plan.capacities, strict=True):
        for number, kind in enumerate(posts.kinds):
            if allowed.any():
                site, gain = find_best_unit(posts, capacity, number, plan.need[::2], plan.need[1::2], allowed)
                yield OneMore(layout, kind.name, posts.sites[site], Estimate.from_draws(gain))


def _sum_need(plan: Plan) -> NeedTotals:
    """Return the need of all areas and kinds, and what is met of it, by the draws that judge the plan."""
    need = plan.need[1::2]
    total = need.sum(axis=(1, 2))
    today, planned = (compute_met(need, capacity).sum(axis=(1, 2)) for capacity in plan.capacities)
    return NeedTotals(*(Estimate.from_draws(values) for values in (total, today, planned, total - planned)))


def _summarise_handed_over(handed: HandOver) -> HandedOverTask:
    task = handed.task
    return HandedOverTask(task.area, task.partner, task.axis, task.children, handed.to, handed.quarter)


def _summarise_staying(stays: Stays) -> StayingTask:
    task = stays.task
    return StayingTask(task.area, task.partner, task.axis, task.children, stays.why, stays.room, stays.at_least)


def _met_by_area(ground: PlanInputs, setting: Setting, plan: Plan) -> tuple[Floats, Floats, Floats]:
    """Return the mean need of all kinds, and the need met today and as planned, (A,) each.

    They are means over the draws that judge the plan, from which its gain is computed, too.
    """
    need = ground.needs[setting.pathway][1::2]
    wide = np.repeat(need[:, :, None], len(plan.posts.kinds), axis=2)
    today, planned = (compute_met(wide, capacity).sum(axis=2).mean(axis=0) for capacity in plan.capacities)
    return wide.sum(axis=2).mean(axis=0), today, planned


def _summarise_coverage(ground: PlanInputs, setting: Setting, plan: Plan) -> tuple[AreaCoverage, ...]:
    kinds, join = [kind.name for kind in plan.posts.kinds], ground.division.sum_areas
    need, today, planned = map(join, _met_by_area(ground, setting, plan))
    before, after = join(plan.posts.units), join(plan.units)
    return tuple(
        AreaCoverage(
            area,
            float(need[a]),
            float(today[a]),
            float(planned[a]),
            dict(zip(kinds, map(int, before[a]), strict=True)),
            dict(zip(kinds, map(int, after[a]), strict=True)),
        )
        for a, area in enumerate(ground.table.areas)
        if need[a] > 0
    )


def _summarise_equity(ground: PlanInputs, setting: Setting, plan: Plan) -> tuple[GroupCoverage, ...]:
    """Return the share of need that is met, by country, and in areas with and without communities.

    Groups without need are left out. A country is not divided if communities live in all of its areas, or in none.
    """
    need, today, planned = _met_by_area(ground, setting, plan)
    country_of_area = np.array(ground.countries)
    groups: list[tuple[str, str, Bools]] = []
    for country in dict.fromkeys(ground.countries):
        inside = country_of_area == country
        groups.append(("country", country, inside))
        # Where communities live in every area of a country, or in none, there is nothing to tell apart.
        if 0 < (inside & ground.communities).sum() < inside.sum():
            groups.append(("communities", country, inside & ground.communities))
            groups.append(("elsewhere", country, inside & ~ground.communities))
    return tuple(
        GroupCoverage(
            name,
            country,
            len(set(ground.division.area_of[inside])),
            float(need[inside].sum()),
            float(today[inside].sum() / need[inside].sum()),
            float(planned[inside].sum() / need[inside].sum()),
        )
        for name, country, inside in groups
        if need[inside].sum() > 0
    )


def _round(value: Any) -> Any:  # noqa: ANN401 (any value of a plan)
    """Return the value with every decimal number in it rounded."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _round(getattr(value, f.name)) for f in fields(value)})
    if isinstance(value, tuple):
        return tuple(_round(item) for item in value)
    return round(value, _DIGITS) if isinstance(value, float) else value
