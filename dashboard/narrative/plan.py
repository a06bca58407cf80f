"""Sentences on a plan as a whole: its advice, its figures, what is uncertain, what would change the advice.

The Reallocate page, the briefing and `tact plan` use these functions; those for moves are in narrative/moves.py.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.narrative.moves import word_decision_move
from dashboard.narrative.plan_places import list_reasons_to_leave, word_one_more, word_toward_risen, word_unknown_ways
from dashboard.narrative.speech import Speech
from dashboard.site.text import capitalise
from data.message import mark
from geo.layers.risk import CERTAINTIES
from risk.model.statements import VERY_LIKELY, name_certainty
from risk.planning.clashes import LIMITS, Clash
from risk.planning.posts import OUTREACH
from risk.planning.summary import PlanSummary, Verdict
from risk.planning.verdict import LEAST, Answer, YearAhead

_FRAGILE, _PLACES = 2, 3  # moves, areas in a sentence
ANSWERS: Mapping[str, str] = {
    "do": mark("Do it"),
    "optional": mark("Optional"),
    "keep": mark("Keep things as they are"),
}
_REASONS = {
    "do": mark(
        "This would reach about {net} more children in need in the year after the moves (95 % interval {interval})."
    ),
    "small": mark(
        "This would reach about {net} more children in need in the year after the moves (95 % interval {interval}): "
        "less than one for each move. Whoever can move easily, may."
    ),
    "unsure": mark(
        "This would reach about {net} more children in need in the year after the moves (95 % interval {interval}). "
        "That is not sure enough to ask anybody to move, which takes {least} of 100 cases. Whoever can move "
        "easily, may."
    ),
    "keep": mark(
        "The best moves that were found would reach about {net} more children in need in a year (95 % interval "
        "{interval}), but that is not even likely."
    ),
}
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
_BLOCKED = {
    "open": mark(
        "A partner sent cases but no outreach days, or nothing yet. Need and today's posts depend on them, so moves "
        "wait until the data officer has said why. The moves below are for discussion, not to be carried out."
    ),
    "late": mark(
        "The outreach days of a partner come later, so it is not known where teams are today. Load a table of posts, "
        "or wait for the file. The moves below are for discussion, not to be carried out."
    ),
}
# The rules that the planner itself lets today's posts break; tables of posts that break another one are refused.
_BROKEN_TODAY = {
    "accepted": mark("Moves that were accepted are not made yet: make them, or undo the decision."),
    "exploration": mark(
        "Today areas with too little outreach have fewer teams than the share set under More settings. This plan takes "
        "none from them."
    ),
}


@dataclass(frozen=True)
class VerdictWords:
    """The advice in words. answer : its code. head : the advice. text : the reason, in one sentence.

    sure : how sure that is. change : what would change it. seen : what could be seen with so few children. one_more :
    what one more team would bring. warning, note : what the current posts lack by the rules, what to do, and why teams
    leave Tirana or Durrës. Each is empty if there is nothing to say.
    """

    answer: Answer
    head: str
    text: str
    sure: str = ""
    change: str = ""
    seen: str = ""
    one_more: str = ""
    warning: str = ""
    note: str = ""

    def list_sentences(self) -> list[str]:
        """Return all sentences after the head that say something."""
        return [text for text in (self.text, self.note, self.sure, self.change, self.seen, self.warning) if text]


@dataclass(frozen=True)
class Figure:
    """A figure of a plan. label : its name. value : the number as text. below : a smaller text under the number."""

    label: str
    value: str
    below: str


def word_verdict(t: Speech, plan: PlanSummary, risen: Collection[str] = ()) -> VerdictWords:
    """Return the advice in words: do it, optional, or keep things as they are.

    risen : codes of the areas where internal trafficking makes up a larger share than before.
    """
    if plan.blocked:
        return VerdictWords("keep", t("No moves are advised: something is missing"), t(_BLOCKED[plan.blocked]))
    year, broken = plan.verdict.year, " ".join(_word_broken_today(t, code) for code in plan.verdict.broken_today)
    warning, notes = broken, list(list_reasons_to_leave(t, plan))
    if plan.answer == "keep" and broken:  # no reason to act, so no warning
        warning, notes = "", [broken, t("The advice depends only on the gain."), *notes]
    sure = change = seen = ""
    if year is not None and plan.moves:
        sure = f"{_word_sureness(t, plan, year)} {word_unknown_ways(t, plan)}".strip()
        change = _word_tipping_point(t, year)
        if not plan.advised:
            seen = t.format_plural(
                "With the children met so far, the least gain that could be told from none is {count} child a year.",
                "With the children met so far, the least gain that could be told from none is {count} children a year.",
                math.ceil(year.visible),
            )
    text = f"{word_toward_risen(t, plan, risen)} {_word_reason(t, plan)}".strip()
    one_more = word_one_more(t, plan)
    return VerdictWords(plan.answer, word_head(t, plan), text, sure, change, seen, one_more, warning, " ".join(notes))


def word_head(t: Speech, plan: PlanSummary) -> str:
    """Return the verdict in a few words, with the number of units that move."""
    if plan.answer == "do":
        return t("Do it: move {what}", what=count_units(t, plan, plan.verdict.moved))
    if plan.answer == "optional":
        return t("Optional: {what} could move", what=count_units(t, plan, plan.verdict.moved))
    return t(ANSWERS["keep"])


def count_units(t: Speech, plan: PlanSummary, count: int) -> str:
    """Return a number of units in words: teams, where all units of the plan are outreach teams."""
    if {kind for row in plan.coverage for kind in row.units_today} <= {OUTREACH}:
        return t.format_plural("{count} team", "{count} teams", count)
    return t.format_plural("{count} team or service", "{count} teams or services", count)


def _word_broken_today(t: Speech, code: str) -> str:
    if code in _BROKEN_TODAY:
        return t(_BROKEN_TODAY[code])
    return t("The current posts do not keep this rule: {rule}.", rule=t.name_rule(code))


def _word_reason(t: Speech, plan: PlanSummary) -> str:
    """Return the sentence on what the moves bring in the year after them, and what follows from it."""
    year = plan.verdict.year
    if not plan.moves:
        return t(
            "No arrangement of teams and services was found that keeps the rules and is better than that of today."
        )
    if year is None:
        return t(
            "An earlier version judged this plan by another rule: {gain} more children per quarter ({interval}). "
            "Make the plan again for the advice of today.",
            gain=t.format_number(plan.verdict.gain.mean),
            interval=t.format_interval(plan.verdict.gain),
        )
    if year.net.mean <= 0:
        return t("The best moves that were found bring less in a year than is lost while teams settle in.")
    if year.net.mean < LEAST:
        return t("The best moves that were found would reach less than one more child in a year: too few to move for.")
    least = t.format_number(100 * VERY_LIKELY, 0)
    return t(_REASONS[_classify(plan, year)], **fill_net(t, year), least=least)


def _classify(plan: PlanSummary, year: YearAhead) -> str:
    if plan.answer == "optional":
        return "unsure" if year.probability < VERY_LIKELY else "small"
    return plan.answer


def fill_net(t: Speech, year: YearAhead) -> dict[str, str]:
    """Return the values of messages on what moves bring in the year after them."""
    return {"net": t.format_number(year.net.mean), "interval": t.format_interval(year.net)}


def word_certainty(t: Speech, year: YearAhead) -> str:
    """Return the word for how sure it is that the moves bring more than they cost."""
    return t(CERTAINTIES[str(name_certainty(np.array(year.probability)))])


def _word_sureness(t: Speech, plan: PlanSummary, year: YearAhead) -> str:
    return t(
        "{word}: in {cases} of 100 cases the moves reach more children than are missed while teams settle in "
        "({weeks} weeks each; about {lost} children, already taken off). Once settled: about {gain} more per quarter.",
        word=capitalise(word_certainty(t, year)),
        cases=t.format_number(min(max(math.floor(100 * year.probability), 1), 99), 0),
        lost=t.format_number(year.settling),
        gain=t.format_number(plan.verdict.gain.mean),
        weeks=t.format_number(plan.setting.settling),
    )


def _word_tipping_point(t: Speech, year: YearAhead) -> str:
    """Return a sentence on the need, in the areas that get more, at which the moves neither gain nor lose."""
    if year.tipping is None:
        return t("Even four times the need in the areas that get more teams would not make up for the loss.")
    values = {"least": t.format_number(year.tipping * year.need), "need": t.format_number(year.need)}
    if values["least"] == values["need"]:
        return t("At the estimated need the moves gain about as much as they lose.")
    if year.tipping >= 1:
        return t(
            "They would gain something if {least} children per quarter, not {need}, were in need in the areas that get "
            "more teams.",
            **values,
        )
    if year.tipping <= 0:
        return t("The moves pay even if very few children are in need in the areas that get more teams.")
    return t(
        "They would gain nothing with only {least} children in need per quarter, not {need}, in the areas that get "
        "more teams: if teams there already find {times} times as many of them as is assumed.",
        **values,
        times=t.format_number(1 / year.tipping, 1),
    )


def name_answer(t: Speech, plan: PlanSummary) -> str:
    """Return the advice of a plan in a few words, for a table of plans."""
    return t("No moves are advised: something is missing") if plan.blocked else t(ANSWERS[plan.answer])


def head_moves_table(t: Speech, plan: PlanSummary) -> str:
    """Return the heading above the moves of a plan."""
    if plan.advised or not plan.moves:
        return t("Proposed moves")
    return t("Moves that are optional") if plan.answer == "optional" else t("Moves considered, not advised")


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
    considered = plan.answer == "keep" and bool(plan.moves)  # under the advice to change nothing
    return [
        _describe_gain(t, verdict, considered=considered),
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
            t("Teams and services considered") if considered else t("Teams and services that move"),
            t.format_number(verdict.moved),
            cost,
        ),
        Figure(
            t("Need met in the worst cases"),
            f"{t.format_number(today.worst_cases)} → {t.format_number(planned.worst_cases)}",
            t("the worst tenth of cases"),
        ),
    ]


def _describe_gain(t: Speech, verdict: Verdict, *, considered: bool) -> Figure:
    if verdict.year is None:
        name = t("Gain if the moves were made, children per quarter") if considered else t("Gain, children per quarter")
        below = t("95 % interval {interval}", interval=t.format_interval(verdict.gain))
        return Figure(name, t.format_change(verdict.gain.mean), below)
    net = verdict.year.net
    name = t("Children reached, in the year after the moves")
    below = t("{interval}; {lost} missed while settling in are taken off",
              interval=t.format_interval(net), lost=t.format_number(verdict.year.settling))  # fmt: skip
    return Figure(name, t.format_change(net.mean), below)


def list_doubts(t: Speech, plan: PlanSummary, undecided: tuple[int, int]) -> Iterator[str]:
    """Yield sentences on what is uncertain about a plan, the most important first.

    undecided : two numbers: the pairs of area and pathway whose class the risk model cannot tell, and all such pairs.
    """
    verdict, (unsure, pairs) = plan.verdict, undecided
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
    tipping = [_word_tipping_point(t, plan.verdict.year)] if plan.moves and plan.verdict.year else []
    threshold = [word_rule(t)] if plan.moves and not plan.advised and plan.verdict.year else []
    return [*tipping, *threshold, *_word_fragile(t, plan), *_word_fewer(t, plan), again]


def word_rule(t: Speech) -> str:
    """Return the sentence on when a plan is advised."""
    return t(
        "“Do it” is said if it is very likely (from 90 in 100) that the moves bring more children in a year than are "
        "missed while teams settle in, and if they bring at least one child for each team that moves. “Optional” is "
        "said if that is likely (from 66 in 100), and if they bring at least one child in all."
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
    values = {
        "what": count_units(t, plan, fewest.moved),
        "gain": t.format_number(fewest.gain.mean),
        "interval": t.format_interval(fewest.gain),
    }
    if fewest.moved <= plan.verdict.moved:
        yield t(
            "Moving only {what} would already be advised: the gain is {gain} children per quarter ({interval}).",
            **values,
        )
    else:
        yield t("Moving {what} would be advised: the gain is {gain} children per quarter ({interval}).", **values)


def word_clashes(t: Speech, clashes: Sequence[Clash]) -> tuple[str, list[str]]:
    """Return the message that no plan keeps all rules: a head, and a line with the remedy for each clash."""
    head = t("No plan can keep all rules. Relax one of these:")
    return head, [f"{_word_clash(t, clash)} {t(_REMEDIES[clash.rule])}" for clash in clashes]


def _word_clash(t: Speech, clash: Clash) -> str:
    rule = capitalise(t.name_rule(clash.rule))
    places = [*map(t.name_area, clash.places), *(word_decision_move(t, decision) for decision in clash.decisions)]
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
