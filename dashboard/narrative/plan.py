"""Sentences on a plan as a whole: its advice, its figures, what is uncertain, what would change the advice.

The Reallocate page, the briefing and `tact plan` use these functions; those for moves are in narrative/moves.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.narrative.moves import list_decision_moves
from dashboard.narrative.speech import Speech
from dashboard.site.text import capitalise
from data.message import mark
from risk.planning.clashes import LIMITS, Clash
from risk.planning.result import LEAST_CHANCE, LEAST_GAIN, SMALL_GAIN
from risk.planning.summary import PlanSummary

_FRAGILE, _PLACES = 2, 3  # moves, areas in a sentence
ANSWERS = {"move": mark("make the moves"), "small": mark("small but almost sure"), "nothing": mark("change nothing")}
_REMEDIES = {
    "moves": mark("Allow more moves."),
    "budget": mark("Allow more hours of travel, or set no limit."),
    "floor": mark("Lower the minimum for every county or region."),
    "services_floor": mark("Correct the services in the table of posts."),
    "exploration": mark("Lower the share for areas with too little outreach."),
    "commitments": mark("Correct the column committed in the table of posts."),
    "room": mark("Correct the column room in the table of posts."),
    "accepted": mark("Undo a move that was accepted."),
    "locked": mark("Undo “keep in place”."),
    "country": mark("Let units move in both countries."),
    "keep": mark("Lower the number of teams that an area keeps."),
    "at_most": mark("Allow more teams in the area."),
    "declined": mark("Undo a move that was declined."),
}
# The rules that the planner itself lets today's posts break; tables of posts that break another one are refused.
_BROKEN_TODAY = {
    "accepted": mark("Moves that were accepted are not made yet: make them, or undo the decision."),
    "exploration": mark("Areas with too little outreach have less than their share: move units there, or lower it."),
}


@dataclass(frozen=True)
class VerdictWords:
    """The advice in words. advised : whether the plan advises its moves. head : the advice. text : the reason.

    warning, note : what the current posts lack by the rules, and what to do; empty if there is nothing to say.
    """

    advised: bool
    head: str
    text: str
    warning: str
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure of a plan. label : its name. value : the number as text. below : a smaller text under the number."""

    label: str
    value: str
    below: str


def word_verdict(t: Speech, plan: PlanSummary) -> VerdictWords:
    """Return the advice in words: to move units, that a gain is small but almost sure, or to change nothing."""
    verdict = plan.verdict
    if plan.advised:
        head = t.format_plural("Advice: move {count} unit", "Advice: move {count} units", verdict.moved)
        text = t(
            "This would meet the need of about {gain} more children per quarter (95 % "
            "interval {interval}). The chance that it gains more than {least} of the need met "
            "today is {chance}; moves are advised from {enough}.",
            **fill_chance(t, plan),
        )
    elif plan.answer == "small":
        head, text = _word_small(t, plan)
    else:
        head, text = t("Advice: change nothing"), _word_nothing(t, plan)
    words = " ".join(_word_broken_today(t, code) for code in verdict.broken_today)
    if plan.answer == "nothing":  # no reason to act, so no warning
        alone = t("The advice depends only on the gain.") if words else ""
        return VerdictWords(plan.advised, head, text, "", f"{words} {alone}".strip())
    return VerdictWords(plan.advised, head, text, words)


def _word_broken_today(t: Speech, code: str) -> str:
    if code in _BROKEN_TODAY:
        return t(_BROKEN_TODAY[code])
    return t("The current posts do not keep this rule: {rule}.", rule=t.name_rule(code))


def fill_chance(t: Speech, plan: PlanSummary) -> dict[str, str]:
    """Return the values of messages on the gain of a plan, its chance, and the limits from which moves are advised."""
    gain = plan.verdict.gain
    return {
        "gain": t.format_number(gain.mean),
        "interval": t.format_interval(gain),
        "least": t.format_percent(LEAST_GAIN),
        "chance": t.format_chance(plan.verdict.probability),
        "enough": t.format_percent(LEAST_CHANCE),
    }


def _word_small(t: Speech, plan: PlanSummary) -> tuple[str, str]:
    verdict = plan.verdict
    head = t.format_plural(
        "Small but almost sure: {count} unit could move",
        "Small but almost sure: {count} units could move",
        verdict.moved,
    )
    text = t(
        "This would meet the need of about {gain} more children per quarter (95 % interval {interval}). The "
        "chance that it gains more than {small} of the need met today is {sure}; that it gains more than {least} "
        "is {chance}, and moves are advised from {enough}. Make the moves that are easy to make.",
        small=t.format_percent(SMALL_GAIN, 1),
        sure=t.format_chance(verdict.small_probability),
        **fill_chance(t, plan),
    )
    return head, text


def name_answer(t: Speech, plan: PlanSummary) -> str:
    """Return the advice of a plan in a few words, for a table of plans."""
    return t(ANSWERS[plan.answer])


def head_moves_table(t: Speech, plan: PlanSummary) -> str:
    """Return the heading above the moves of a plan."""
    if plan.advised or not plan.moves:
        return t("Proposed moves")
    return t("Moves of small gain") if plan.answer == "small" else t("Moves considered, not advised")


def _word_nothing(t: Speech, plan: PlanSummary) -> str:
    if not plan.moves:
        return t("No arrangement of units was found that keeps the rules and is better than the current posts.")
    return t(
        "The chance that the moves below gain more than {least} of the need met today is only "
        "{chance}; moves are advised from {enough}. They are shown for discussion, not to be "
        "carried out.",
        **fill_chance(t, plan),
    )


def list_figures(t: Speech, plan: PlanSummary) -> list[Figure]:
    """Return the five main figures of a plan, the most important first."""
    verdict, budget = plan.verdict, plan.setting.budget
    today, planned = verdict.today, verdict.planned
    cost = t("{hours} hours of travel", hours=t.format_number(verdict.cost))
    if budget is not None:
        cost = t(
            "{hours} of {budget} allowed hours of travel",
            hours=t.format_number(verdict.cost),
            budget=t.format_number(budget),
        )
    intervals = t(
        "95 % interval: today {today}, with the plan {planned}",
        today=t.format_interval(today.met),
        planned=t.format_interval(planned.met),
    )
    considered = plan.answer == "nothing" and bool(plan.moves)  # under the advice to change nothing
    return [
        Figure(
            t("Gain if the moves were made, children per quarter") if considered else t("Gain, children per quarter"),
            t.format_change(verdict.gain.mean),
            t("95 % interval {interval}", interval=t.format_interval(verdict.gain)),
        ),
        Figure(
            t("Need met if the moves were made, children per quarter")
            if considered
            else t("Need met, children per quarter"),
            f"{t.format_number(today.met.mean)} → {t.format_number(planned.met.mean)}",
            intervals,
        ),
        Figure(
            t("Need met in the worst-served areas"),
            f"{t.format_percent(today.least_served)} → {t.format_percent(planned.least_served)}",
            t("areas that hold the worst-served fifth of need"),
        ),
        Figure(
            t("Units that were considered") if considered else t("Units that move"),
            t.format_number(verdict.moved),
            cost,
        ),
        Figure(
            t("Need met in the worst cases"),
            f"{t.format_number(today.worst_cases)} → {t.format_number(planned.worst_cases)}",
            t("the worst tenth of cases"),
        ),
    ]


def list_doubts(t: Speech, plan: PlanSummary, undecided: tuple[int, int] = (0, 0)) -> list[str]:
    """Return sentences on what is uncertain about a plan, the most important first.

    undecided : two numbers: the pairs of area and pathway whose class the risk model cannot tell, and all such pairs.
    """
    return list(_list_doubts(t, plan, *undecided))


def _list_doubts(t: Speech, plan: PlanSummary, unsure: int, pairs: int) -> Iterator[str]:
    verdict = plan.verdict
    if plan.moves:
        yield t(
            "The gain of all moves together is between {low} and {high} children per quarter "
            "with 95 % probability, if the model is right.",
            low=t.format_number(verdict.gain.low),
            high=t.format_number(verdict.gain.high),
        )
    if plan.posts_drafted:
        yield t("The current posts are an estimate from outreach records; nobody who knows them has corrected it.")
    if plan.travel_provisional:
        yield t("Some travel times across water are rough estimates.")
    if plan.moves:
        yield t(
            "In the worst tenth of cases the current posts meet the need of {today} children "
            "per quarter, the planned posts of {planned}.",
            today=t.format_number(verdict.today.worst_cases),
            planned=t.format_number(verdict.planned.worst_cases),
        )
    if unsure:
        yield t(
            "For {unsure} of {all} pairs of area and pathway the risk model can say nothing of the rate.",
            unsure=t.format_number(unsure),
            all=t.format_number(pairs),
        )
    yield t(
        "Children are counted when they are identified or met; without outreach hardly any "
        "child is met. Nobody knows which share of the children in need is identified, so the "
        "plan calculates with a range."
    )
    if verdict.explored:
        yield t(
            "Areas with too little outreach: {areas}. Part of the outreach goes there to "
            "learn more, which reduces the gain at first.",
            areas=t.list_areas(verdict.explored, 4),
        )
    if lack := word_lack_of_exploration(t, plan):
        yield lack
    if not verdict.proven:
        yield word_time_up(t)


def word_lack_of_exploration(t: Speech, plan: PlanSummary) -> str:
    """Return a sentence on areas that get less exploratory outreach than was asked for; empty if none does."""
    if plan.verdict.explored_share >= 1:
        return ""
    return t(
        "Areas with too little outreach get only {share} of the outreach meant for them: the other rules, such as the "
        "number of moves, allow no more.",
        share=t.format_percent(plan.verdict.explored_share),
    )


def word_time_up(t: Speech) -> str:
    """Return a sentence that says that the search for the best plan stopped at its time limit."""
    return t("The calculation stopped at its time limit; better moves may exist.")


def list_turning_points(t: Speech, plan: PlanSummary) -> list[str]:
    """Return sentences on what would change the advice."""
    again = t("A new release, other limits or other weights: then the plan has to be made again.")
    return [*_word_threshold(t, plan), *_word_fragile(t, plan), *_word_fewer(t, plan), again]


def _word_threshold(t: Speech, plan: PlanSummary) -> Iterator[str]:
    if plan.advised or not plan.moves:
        return
    yield t(
        "The moves would be advised if the chance of a gain of more than {least} of the need "
        "met today were {enough}; now it is {chance}. Records of the next quarters can make "
        "this more certain, or show the opposite.",
        **fill_chance(t, plan),
    )


def _word_fragile(t: Speech, plan: PlanSummary) -> Iterator[str]:
    """Yield a sentence for each of the moves that would lose their gain first if need were smaller than estimated.

    Moves without a gain, which a rule or a decision needs, are left out.
    """
    moves = [move for move in plan.moves if 0 < move.pays_down_to < move.need]
    moves.sort(key=lambda move: -move.pays_down_to / move.need)
    for move in moves[:_FRAGILE]:
        yield t(
            "{what}, {start} → {end}: no longer worthwhile if fewer than {least} children per "
            "quarter are in need in the areas that it helps (estimate: {need}).",
            what=t.name_unit(move.units, move.kind),
            start=t.name_area(move.start),
            end=t.name_area(move.end),
            least=t.format_number(move.pays_down_to),
            need=t.format_number(move.need),
        )


def _word_fewer(t: Speech, plan: PlanSummary) -> Iterator[str]:
    """Yield a sentence on the smallest number of units whose move would be advised, and the gain.

    It may be more units than the plan moves, if the plan is not advised. Yields nothing if no such number is known, or
    if the plan is advised and moves no more units than that.
    """
    points = [point for point in plan.frontier if point.recommended and point.moved]
    fewest = min(points, key=lambda point: point.moved, default=None)
    if fewest is None or (plan.advised and fewest.moved >= plan.verdict.moved):
        return
    gain = {"gain": t.format_number(fewest.gain.mean), "interval": t.format_interval(fewest.gain)}
    if fewest.moved <= plan.verdict.moved:
        yield t.format_plural(
            "Moving only {count} unit would already be advised: the gain is {gain} children per quarter ({interval}).",
            "Moving only {count} units would already be advised: the gain is {gain} children per quarter ({interval}).",
            fewest.moved,
            **gain,
        )
    else:
        yield t.format_plural(
            "Moving {count} unit would be advised: the gain is {gain} children per quarter ({interval}).",
            "Moving {count} units would be advised: the gain is {gain} children per quarter ({interval}).",
            fewest.moved,
            **gain,
        )


def word_clashes(t: Speech, clashes: Sequence[Clash]) -> tuple[str, list[str]]:
    """Return the message that no plan keeps all rules: a head, and a line with the remedy for each clash."""
    head = t("No plan can keep all rules. Relax one of these:")
    return head, [f"{_word_clash(t, clash)} {t(_REMEDIES[clash.rule])}" for clash in clashes]


def _word_clash(t: Speech, clash: Clash) -> str:
    rule = capitalise(t.name_rule(clash.rule))
    places = [*map(t.name_area, clash.places), *list_decision_moves(t, clash.decisions)]
    if clash.rule in LIMITS:
        if clash.possible is None:
            return t("{rule}: more of this alone is not enough.", rule=rule)
        frees, asked = (
            t.format_number(math.ceil(clash.possible - 1e-6)),
            t.format_number(math.ceil(clash.required - 1e-6)),
        )
        rule = f"{rule} ({t.list_names(places, _PLACES)})" if places else rule
        return t("{rule}: {frees} instead of {asked} is enough.", rule=rule, frees=frees, asked=asked)
    if clash.possible is None or not places:
        return t("{rule}: relaxing only this rule is not enough.", rule=rule)
    return t(
        "{rule}: only {frees} of {asked} is possible (too little in {places}).",
        rule=rule,
        frees=t.format_number(clash.possible),
        asked=t.format_number(clash.required),
        places=t.list_names(places, _PLACES),
    )
