"""The outcomes of saved plans: forecast gains of moves (made or not), compared with what a later release shows.

A plan is registered in the ledger when it is saved. A release shows days of outreach and the children who were
identified or met. It does not show the need that was met, nor what would have happened without the move. So the
forecast gain is shown beside these numbers, and is never called right or wrong.

Only moves of outreach teams between counties and regions are registered. Services are not registered: their staff
is often withheld, and the ledger is permanent and is copied to others, so it must never say where a shelter moves. Nor
are teams that move between municipalities: most municipalities have outreach days for less than one team, so that
nobody could see whether it moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from data.accounts.meetings import Meeting
from data.errors import WorkspaceError
from data.release import Release
from data.release.derived import LEDGER
from data.workspace.hash_chain import Chain, append_entries, read_chain
from geo.islands import find_region
from risk.evaluation.forecast_ledger import read_complete_panel
from risk.evaluation.panel import Panel
from risk.model.observations import Observations
from risk.planning.explain import Estimate, Move
from risk.planning.posts import OUTREACH, TEAM_DAYS
from risk.planning.summary import PlanSummary

KIND = "plan"
Seen = Literal["made", "not made", "unclear"]
_YEAR = 4  # quarters
_PART = 0.5  # smallest part of the planned change of outreach days with which a move counts as made


@dataclass(frozen=True)
class Change:
    """The mean of a number per quarter: in the year before the plan, and in the quarters since."""

    before: float
    after: float

    @property
    def rise(self) -> float:
        """The later number minus the earlier one."""
        return self.after - self.before


@dataclass(frozen=True)
class MoveOutcome:
    """A move of a saved plan and what a later release shows.

    gain : forecast, children per quarter whose need is met. decided : accept, decline, lock or empty. seen : whether
    days of outreach changed as the plan would change them. start_days, end_days : days of outreach per quarter in area
    `start`, which units should leave, and in area `end`, to which they should move. children : published number per
    quarter in `end`. margin : how much noise alone can change this number (95 %). quarters : number of quarters since
    the plan.
    """

    plan: str
    start: str
    end: str
    kind: str
    units: int
    gain: Estimate
    decided: str
    seen: Seen
    start_days: Change
    end_days: Change
    children: Change
    margin: float
    quarters: int


@dataclass(frozen=True)
class PlanDecision:
    """A decision of a meeting on a saved plan, without its text and without the person who is to carry it out.

    day, due : day of the meeting, and day by which the decision is to be carried out (ISO). area : a code; empty for
    all areas. plan : address of the plan. moves : the plan's moves in the ledger that leave or reach the area; empty
    without any. outcomes : what a later release shows of these moves; empty until there is such a release.
    """

    day: str
    due: str
    area: str
    plan: str
    moves: tuple[Mapping[str, Any], ...]
    outcomes: tuple[MoveOutcome, ...]


def register_plan(folder: Path, release: Release, name: str, summary: PlanSummary) -> None:
    """Register the moves of outreach teams of a saved plan in the ledger, unless the plan is registered already.

    Plans of the public tier, plans between municipalities, and plans without such moves are not registered. An island
    is entered as its region, whose days and children a release has; moves inside a region are left out. If the ledger
    is damaged, nothing is registered; `tact ledger verify` says what is wrong with it.
    """
    path, moves = folder / LEDGER, [move for move in summary.moves if move.kind == OUTREACH]
    moves = [move for move in moves if find_region(move.start) != find_region(move.end)]
    if release.tier != "partner" or summary.setting.level != "region" or not moves:
        return
    if any(plan["plan"] == name for plan in list_plan_entries(read_chain(path))):
        return
    with suppress(WorkspaceError):
        append_entries(path, [_make_entry(release, name, summary, moves)])


def _make_entry(release: Release, name: str, summary: PlanSummary, moves: Sequence[Move]) -> dict[str, Any]:
    decisions = [summary.decision_on(move) for move in moves]
    rows = [
        {"start": find_region(move.start), "end": find_region(move.end),
         "kind": move.kind, "units": move.units, "gain": asdict(move.gain),
         "decided": "" if decision is None else decision.decision.decided}
        for move, decision in zip(moves, decisions, strict=True)
    ]  # fmt: skip
    return {
        "kind": KIND,
        "plan": name,
        "release": release.name,
        "tier": release.tier,
        "invented": release.invented,
        "advised": summary.advised,
        "moves": rows,
    }


def list_plan_entries(chain: Chain) -> list[Mapping[str, Any]]:
    """List the contents of the ledger's entries on plans, in their order."""
    return [entry.content for entry in chain.entries if entry.content["kind"] == KIND]


def follow_plan(content: Mapping[str, Any], before: Observations, after: Observations) -> Iterator[MoveOutcome]:
    """Yield what a later release shows of each move of a registered plan.

    content : of the plan's entry in the ledger. before, after : the observations of the plan's release and of a later
    one. Yields nothing if no quarter came after the plan. Moves of an area that one of the releases lacks are left out.
    """
    earlier, later = read_complete_panel(before), read_complete_panel(after)
    since = [quarter for quarter in later.quarters if quarter > earlier.quarters[-1]]
    if not since:
        return
    for move in content["moves"]:
        if any(move[place] not in panel.areas for place in ("start", "end") for panel in (earlier, later)):
            continue
        days = {place: _compare_days(earlier, later, move[place], len(since)) for place in ("start", "end")}
        yield MoveOutcome(
            plan=content["plan"],
            gain=Estimate(**move["gain"]),
            **{name: move[name] for name in ("start", "end", "kind", "units", "decided")},
            seen=_judge(move, content["moves"], days),
            start_days=days["start"],
            end_days=days["end"],
            children=_compare_children(earlier, later, move["end"], len(since)),
            margin=_compute_margin(after, move["end"], len(since)),
            quarters=len(since),
        )


def list_plan_decisions(
    meetings: Iterable[Meeting], chain: Chain, outcomes: Sequence[MoveOutcome]
) -> Iterator[PlanDecision]:
    """Yield the decisions of meetings on saved plans, each with the moves and outcomes that concern its area.

    The moves of a plan are read from `chain`, the ledger.
    """
    plans = {find_address(content["plan"]): content["moves"] for content in list_plan_entries(chain)}
    for meeting in meetings:
        for decision in (decision for item in meeting.items for decision in item.decisions if decision.plan):
            area = decision.area
            yield PlanDecision(
                meeting.day,
                decision.due,
                area,
                decision.plan,
                tuple(m for m in plans.get(decision.plan, ()) if _touches(area, m["start"], m["end"])),
                tuple(o for o in outcomes if find_address(o.plan) == decision.plan and _touches(area, o.start, o.end)),
            )


def find_address(plan: str) -> str:
    """Return the part of a plan's name that addresses of pages use: the checksum of its content."""
    return plan.rpartition("-")[2]


def _touches(area: str, *places: str) -> bool:
    """Return whether one of the places is the area, or lies within it (a country); True if `area` is empty."""
    return not area or any(f"{place}-".startswith(f"{area}-") for place in places)


def _compare_days(earlier: Panel, later: Panel, area: str, since: int) -> Change:
    before = earlier.effort[earlier.areas.index(area), -_YEAR:].mean()
    return Change(float(before), float(later.effort[later.areas.index(area), -since:].mean()))


def _compare_children(earlier: Panel, later: Panel, area: str, since: int) -> Change:
    """Return published children per quarter, all pathways together; NaN if a number is withheld."""
    before = earlier.counts[earlier.areas.index(area), -_YEAR:].sum(axis=1).mean()
    return Change(float(before), float(later.counts[later.areas.index(area), -since:].sum(axis=1).mean()))


def _compute_margin(after: Observations, area: str, since: int) -> float:
    """Return how much noise alone can change the children per quarter since the plan, compared with the year before."""
    noise = after.count_noise[after.areas.index(area)].sum(axis=(1, 2))
    return 1.96 * float(np.sqrt(noise[-since:].sum() / since**2 + noise[:-since][-_YEAR:].sum() / _YEAR**2))


def _judge(move: Mapping[str, Any], moves: list[Mapping[str, Any]], days: Mapping[str, Change]) -> Seen:
    """Return whether outreach days changed at both ends of a move as all moves of the plan would change them.

    It was made if both ends changed by at least half as much, not made if neither did, and else this is unclear.
    """
    shares = []
    for place in ("start", "end"):
        arrivals = sum(m["units"] for m in moves if m["end"] == move[place])
        departures = sum(m["units"] for m in moves if m["start"] == move[place])
        wanted = TEAM_DAYS * (arrivals - departures)
        shares.append(days[place].rise / wanted if wanted else 0.0)
    if min(shares) >= _PART:
        return "made"
    return "not made" if max(shares) < _PART else "unclear"
