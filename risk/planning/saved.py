"""Plans that are kept: each a result of its own beside the release, with who made it, when and why.

A kept plan is never changed: what is decided on it is kept as a new one that names the one it follows. All of
it stands in the manifest as plain values (`told`), from which pages, the briefing and the command line speak,
and from which its posts, setting and decisions are read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from data.errors import InputError
from data.personal import free_text
from data.release import Release, derived, result
from data.release.result import Result
from data.workspace.types import Bools, Floats
from risk import handover
from risk.handover import HandedOver
from risk.planning import Decision, Move, Outcome, Plan, Point, Schedule
from risk.planning import posts as tables
from risk.planning.benefit import met
from risk.planning.inputs import Ground, Setting, scheduled

Role = Literal["programme manager", "coordinator", "data officer", "board"]

KIND = "plan"
ROLES: tuple[str, ...] = get_args(Role)
_DIGITS = 4


@dataclass(frozen=True)
class Author:
    """Who made a plan: a role, never a person's name, and the day as YYYY-MM-DD."""

    role: str
    date: str

    def __post_init__(self) -> None:
        """Raise InputError for a role that is none."""
        if self.role not in ROLES:
            msg = f"No role {self.role!r}. There are: {', '.join(ROLES)}."
            raise InputError(msg)


@dataclass(frozen=True)
class Decided:
    """A decision on a move, with who decided it."""

    decision: Decision
    author: Author


def told(
    ground: Ground,
    setting: Setting,
    plan: Plan,
    author: Author,
    *,
    title: str,
    note: str = "",
    decided: Sequence[Decided] = (),
    points: Sequence[Point] = (),
    handed: tuple[handover.Tables, HandedOver] | None = None,
    follows: str = "",
) -> dict[str, Any]:
    """Say all of a plan in plain values; when its moves are made is worked out here.

    `points` are those of the frontier, `handed` what was given for a hand-over and what came of it,
    `follows` names the plan on which it was decided. Raises InputError where there is no title, or a text is
    longer than 300 characters or holds what looks like personal data.
    """
    over = _handed(handed)
    partners = [one["partner"] for listed in ("handover", "stays") for one in over[listed]]
    _check_texts(title, note, *(one.decision.reason for one in decided), *partners)
    return {
        "title": title.strip(),
        "note": note.strip(),
        "author": asdict(author),
        "follows": follows,
        "parameters": setting.as_dict(),
        "posts": tables.written(ground.table),
        "posts_drafted": ground.drafted,
        "travel_provisional": ground.provisional,
        "plan": _summary(plan),
        "moves": [_move(move) for move in plan.moves],
        "decisions": [{**asdict(one.decision), **asdict(one.author)} for one in decided],
        "frontier": [_rounded(asdict(point)) for point in points],
        "coverage": _coverage(ground, setting, plan),
        "equity": _equity(ground, setting, plan),
        **_when(scheduled(setting, plan)),
        **over,
    }


def keep(folder: Path, release: Release, told: Mapping[str, Any]) -> Result:
    """Keep a plan beside its release; `folder` is that of derived results. The same one is kept once."""
    return derived.publish(folder, release, KIND, [], {**told, "invented": release.invented})


def kept(folder: Path, release: Release) -> list[Result]:
    """List the plans that were kept of a release, newest first."""
    return result.every(folder, release.name, release.tier, release.checksum, KIND)


def setting_of(told: Mapping[str, Any]) -> Setting:
    """Read the setting of a kept plan back."""
    return Setting.of(told["parameters"])


def posts_of(told: Mapping[str, Any], areas: Sequence[str]) -> tables.Table:
    """Read the posts of a kept plan back."""
    return tables.read_text("posts", str(told["posts"]), areas)


def handover_of(told: Mapping[str, Any]) -> handover.Tables:
    """Read back what was given for the hand-over of a kept plan."""
    return handover.Tables(**told.get("handover_tables") or {})


def decided_of(told: Mapping[str, Any]) -> tuple[Decided, ...]:
    """Read the decisions of a kept plan back."""
    names = ("start", "end", "kind", "decided", "units", "reason")
    return tuple(
        Decided(Decision(**{name: one[name] for name in names}), Author(one["role"], one["date"]))
        for one in told.get("decisions", [])
    )


def decided_again(before: Iterable[Decided], new: Decided) -> tuple[Decided, ...]:
    """Put a decision in the place of an earlier one on the same move."""
    one = new.decision
    same = replace(one, decided="accept", units=1, reason="")
    others = (d for d in before if replace(d.decision, decided="accept", units=1, reason="") != same)
    return (*others, new)


def _check_texts(title: str, *texts: str) -> None:
    if not title.strip():
        msg = "A plan that is kept needs a title, such as: More outreach in the north."
        raise InputError(msg)
    free_text.check((title, *texts), "A title, note, reason or partner's name")


def _summary(plan: Plan) -> dict[str, Any]:
    areas = np.array(plan.posts.areas)
    return _rounded(
        {
            "recommended": plan.recommended,
            "probability": plan.probability,
            "moved": plan.moved,
            "cost": plan.cost,
            "gain": asdict(plan.gain),
            "today": _outcome(plan.today),
            "planned": _outcome(plan.planned),
            "broken_today": list(plan.broken_today),
            "explored": [str(code) for code in areas[plan.explored.areas]] if plan.explored.least else [],
            "gap": plan.gap if np.isfinite(plan.gap) else None,
            "proven": plan.proven,
        }
    )


def _when(schedule: Schedule) -> dict[str, Any]:
    """Say which moves are made in which quarter, and which are left for later."""
    return {
        "phases": [
            _rounded(
                {
                    "quarter": phase.quarter,
                    "moves": [asdict(step) for step in phase.moves],
                    "met": asdict(phase.met),
                    "cost": phase.cost,
                }
            )
            for phase in schedule.phases
        ],
        "left": [asdict(step) for step in schedule.left],
    }


def _handed(handed: tuple[handover.Tables, HandedOver] | None) -> dict[str, Any]:
    """Say which tasks go over to which duty bearers, and which stay and why; and what was given for that."""
    if handed is None:
        return {"handover": [], "stays": [], "handover_tables": {}}
    tables, found = handed
    return {
        "handover": [{**_task(one.task), "to": one.to, "quarter": one.quarter} for one in found.over],
        "stays": [{**_task(one.task), "why": one.why} for one in found.stays],
        "handover_tables": asdict(tables),
    }


def _task(task: handover.Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in ("area", "partner", "axis", "children")}


def _outcome(one: Outcome) -> dict[str, Any]:
    return {"met": asdict(one.met), "worst_cases": one.worst_cases, "least_served": one.least_served}


def _move(move: Move) -> dict[str, Any]:
    return _rounded(asdict(move))


def _served(ground: Ground, setting: Setting, plan: Plan) -> tuple[Floats, Floats, Floats]:
    """Give mean need of all kinds, and what of it is met today and as planned, (A,) each.

    By the draws that judge the plan, as its gain is.
    """
    need = ground.needs[setting.pathway][1::2]
    wide = np.repeat(need[:, :, None], len(plan.posts.kinds), axis=2)
    layouts = (plan.posts.units, plan.units)
    today, planned = (met(wide, plan.posts.capacity(one)).sum(axis=2).mean(axis=0) for one in layouts)
    return wide.sum(axis=2).mean(axis=0), today, planned


def _coverage(ground: Ground, setting: Setting, plan: Plan) -> list[dict[str, Any]]:
    kinds = [kind.name for kind in plan.posts.kinds]
    need, today, planned = _served(ground, setting, plan)
    return [
        _rounded(
            {
                "area": area,
                "need": float(need[a]),
                "today": float(today[a]),
                "planned": float(planned[a]),
                "units_today": dict(zip(kinds, map(int, plan.posts.units[a]), strict=True)),
                "units_planned": dict(zip(kinds, map(int, plan.units[a]), strict=True)),
            }
        )
        for a, area in enumerate(plan.posts.areas)
    ]


def _equity(ground: Ground, setting: Setting, plan: Plan) -> list[dict[str, Any]]:
    """Give the share of need that is met, by country, and where communities live and elsewhere."""
    need, today, planned = _served(ground, setting, plan)
    land = np.array(ground.countries)
    groups: list[tuple[str, str, Bools]] = []
    for country in dict.fromkeys(ground.countries):
        inside = land == country
        groups.append(("country", country, inside))
        # Where communities live in every area of a country, or in none, there is nothing to tell apart.
        if 0 < (inside & ground.communities).sum() < inside.sum():
            groups.append(("communities", country, inside & ground.communities))
            groups.append(("elsewhere", country, inside & ~ground.communities))
    return [
        _rounded(
            {
                "group": name,
                "area": country,
                "areas": int(inside.sum()),
                "need": float(need[inside].sum()),
                "today": float(today[inside].sum() / need[inside].sum()),
                "planned": float(planned[inside].sum() / need[inside].sum()),
            }
        )
        for name, country, inside in groups
        if need[inside].sum() > 0
    ]


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Round every number, so that a kept plan does not depend on the last digits of a machine."""
    return {name: _rounded_one(value) for name, value in values.items()}


def _rounded_one(value: object) -> object:
    if isinstance(value, Mapping):
        return _rounded(value)
    if isinstance(value, list | tuple):
        return [_rounded_one(one) for one in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
