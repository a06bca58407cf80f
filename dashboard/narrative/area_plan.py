"""What a plan does in one area, why it does not do more there, and what would have to be true for other advice."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.narrative.area import fill_ends, word_area_advice
from dashboard.narrative.judgement import Amount, advise_area
from dashboard.narrative.moves import word_moves
from dashboard.narrative.plan import word_time_up
from dashboard.narrative.speech import Speech
from geo.islands import find_region
from risk.planning.summary import PlanSummary


@dataclass(frozen=True)
class AreaPlanWords:
    """What a plan does in an area, why it does not do more, and what would have to be true for other advice."""

    does: str
    why: str
    condition: str


def word_area_plan(t: Speech, plan: PlanSummary, area: str, need: Amount | None) -> AreaPlanWords | None:
    """Return sentences on what a plan does in an area; None if the plan does not cover the area.

    need : the need in the area that all pages show, in children per quarter; None if they show none for the plan's
    pathway.
    """
    advice = advise_area(plan, area)
    if advice is None:
        return None
    return AreaPlanWords(word_area_advice(t, advice), _word_why(t, plan, area), _word_condition(t, plan, area, need))


def _word_why(t: Speech, plan: PlanSummary, area: str) -> str:
    today, planned = plan.met_shares("today"), plan.met_shares("planned")
    shares = ""
    if area in today:
        shares = t(
            "Need met there: {today} today, {planned} with the plan.",
            today=t.format_percent(today[area]),
            planned=t.format_percent(planned[area]),
        )
    if plan.verdict.moved >= plan.setting.moves:
        reason = t("No more moves are allowed than are made.")
    elif not plan.verdict.proven:
        reason = word_time_up(t)
    elif plan.setting.equity or plan.setting.cost or plan.setting.robustness:
        reason = t("No other move that keeps the rules is better by the weights of this plan.")
    else:
        reason = t("No other move that keeps the rules gains more.")
    return f"{shares} {reason}".strip()


def _word_condition(t: Speech, plan: PlanSummary, area: str, need: Amount | None) -> str:
    touching = next((n for n, move in enumerate(plan.moves) if area in map(find_region, (move.start, move.end))), None)
    if touching is not None:
        return word_moves(t, plan)[touching].condition
    if need is None:
        return t("More children would have to be in need there than is estimated.")
    return t(
        "More children would have to be in need there than the estimate of {value} a quarter ({low} to {high}).",
        **fill_ends(t, need),
    )
