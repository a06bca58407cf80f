"""The moves of a plan as rows of tables and lines of text: units, areas, quarters, gains and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.narrative.speech import Speech, make_legible
from risk.planning.explain import Effect, Move
from risk.planning.problem import Decision
from risk.planning.schedule import Phase, Step
from risk.planning.summary import AuthoredDecision, GroupCoverage, HandedOverTask, PlanSummary, StayingTask

_EFFECTS, _QUARTERS, _REASON = 2, 4, 60
_VISIBLE = 0.005  # smallest change in the share of need met (0 to 1) that is listed


@dataclass(frozen=True)
class MoveWords:
    """A move in words; `head_moves` returns the heading of each field."""

    what: str
    start: str
    end: str
    gain: str
    chance: str
    helps: str
    takes: str
    condition: str
    hours: str
    decision: str


@dataclass(frozen=True)
class QuarterWords:
    """A quarter in words: its title, its moves (`lines`), and the need met in it (`below`)."""

    title: str
    lines: list[str]
    below: list[str]


def head_moves(t: Speech) -> MoveWords:
    """Return the headings of a table of moves."""
    return MoveWords(
        t("What moves"),
        t("From"),
        t("To"),
        t("Gain, children per quarter (95 %)"),
        t("Chance that it helps"),
        t("Who gains"),
        t("Who loses"),
        t("What would change it"),
        t("Hours of travel"),
        t("Decision"),
    )


def word_moves(t: Speech, plan: PlanSummary) -> list[MoveWords]:
    """Return the moves of a plan in words, largest gain first."""
    return [
        MoveWords(
            t.name_unit(move.units, move.kind),
            t.name_area(move.start),
            t.name_area(move.end),
            t.format_gain(move.gain),
            t("the ways there are not known") if move.end in plan.unknown_ways else t.format_chance(move.beats_staying),
            _word_effects(t, move.brings),
            _word_effects(t, move.takes),
            _word_condition(t, move),
            t.format_number(move.cost),
            _word_decided(t, move, plan.decision_on(move)),
        )
        for move in plan.moves
    ]


def word_move(t: Speech, move: Step | Move) -> str:
    """Return a move as one line: number of units, kind, area that they leave, area that they come to."""
    return f"{t.name_unit(move.units, move.kind)}: {t.name_area(move.start)} → {t.name_area(move.end)}"


def count_left_out(t: Speech, count: int) -> str:
    """Return a sentence on the `count` moves that a table leaves out, and where they are shown; empty for 0."""
    if count <= 0:
        return ""
    return t.format_plural(
        ("{count} more move, with a smaller gain, is on the Reallocate page and in the saved plan."),
        ("{count} more moves, with a smaller gain, are on the Reallocate page and in the saved plan."),
        count,
    )


def _word_effects(t: Speech, effects: Sequence[Effect]) -> str:
    listed = [f"{t.name_area(effect.area)} {t.format_change(effect.children)}" for effect in effects]
    return t.join_parts([*listed[:_EFFECTS], *_and_more(t, len(listed) - _EFFECTS)]) or "–"


def _word_condition(t: Speech, move: Move) -> str:
    if move.pays_down_to >= move.need:
        return t("This move alone does not help: a rule or a decision needs it.")
    if move.pays_down_to <= 0:
        return t("It helps even if very few children are in need in these areas.")
    return t(
        "No longer worthwhile if fewer than {least} children per quarter are in need in the areas that it "
        "helps (estimate: {need}).",
        least=t.format_number(move.pays_down_to),
        need=t.format_number(move.need),
    )


def _word_decided(t: Speech, move: Move, authored: AuthoredDecision | None) -> str:
    if authored is None:
        return t("accepted") if move.accepted else t("not yet")
    reason, word = make_legible(authored.decision.reason, _REASON), t.name_decision(authored.decision.decided)
    return f"{word}: {reason}" if reason else word


def list_other_decisions(t: Speech, plan: PlanSummary, most: int) -> list[str]:
    """Return a line for each of the first `most` decisions that are not about a move of the plan.

    If there are more such decisions, a last line says how many.
    """
    decided = [plan.decision_on(move) for move in plan.moves]
    others = [decision for decision in plan.decisions if decision not in decided]
    lines = [word_decision(t, decision) for decision in others[:most]]
    return [*lines, *_and_more(t, len(others) - len(lines))]


def word_decision(t: Speech, authored: AuthoredDecision) -> str:
    """Return a decision as one line: decision, move, reason, and the role of its author with the day."""
    author, reason = authored.author, make_legible(authored.decision.reason, _REASON)
    who = ", ".join(part for part in (t.name_role(author.role), t.format_day(author.date)) if part)
    return f"{word_decision_move(t, authored.decision)}{f' – {reason}' if reason else ''} ({who})"


def word_decision_move(t: Speech, decision: Decision) -> str:
    """Return a decision and its move in words."""
    if decision.decided == "lock":
        # This decision keeps all units of the kind in the area, so it names no other area and no number.
        return t("Keep in place: {kind} in {area}", kind=t.name_kind(decision.kind), area=t.name_area(decision.start))
    return t(
        "{decided}: {what}, {start} → {end}",
        decided=t.name_decision(decision.decided).capitalize(),
        what=t.name_unit(decision.units, decision.kind),
        start=t.name_area(decision.start),
        end=t.name_area(decision.end),
    )


def _and_more(t: Speech, count: int) -> list[str]:
    return [t.format_plural("and {count} more", "and {count} more", count)] if count > 0 else []


def word_quarters(t: Speech, plan: PlanSummary, most: int | None = None) -> list[QuarterWords]:
    """Return each of the four quarters in words: its first `most` moves (all if None), and the need met in it.

    Empty if the plan was not spread over quarters.
    """
    quarters = {quarter.quarter: quarter for quarter in plan.phases}
    return [_word_quarter(t, n, quarters.get(n), most) for n in range(1, _QUARTERS + 1)] if quarters else []


def _word_quarter(t: Speech, number: int, quarter: Phase | None, most: int | None) -> QuarterWords:
    title = t("Quarter {number}", number=number)
    if quarter is None:
        return QuarterWords(title, [t("No moves.")], [])
    met = t(
        "Need met: {met} ({interval})", met=t.format_number(quarter.met.mean), interval=t.format_interval(quarter.met)
    )
    if not quarter.moves:
        return QuarterWords(title, [t("No moves.")], [met])
    lines = [word_move(t, step) for step in quarter.moves[:most]]
    lines += _and_more(t, len(quarter.moves) - len(lines))
    return QuarterWords(title, lines, [met, t("{hours} hours of travel", hours=t.format_number(quarter.cost))])


def count_left(t: Speech, plan: PlanSummary) -> str:
    """Return a sentence on the units that move after the last quarter; empty if there are none."""
    units = sum(step.units for step in plan.left)
    if not units:
        return ""
    return t.format_plural(
        "{count} unit moves after the fourth quarter.", "{count} units move after the fourth quarter.", units
    )


def tabulate_groups(t: Speech, plan: PlanSummary) -> list[list[str]]:
    """Return a row for each group of areas: name, need in children per quarter, shares met today and with the plan."""
    return [
        [_name_group(t, row), t.format_number(row.need), t.format_percent(row.today), t.format_percent(row.planned)]
        for row in plan.equity
    ]


def _name_group(t: Speech, row: GroupCoverage) -> str:
    country = t.name_area(row.area)
    if row.group == "communities":
        return t("{country}: areas with Roma and Egyptian communities", country=country)
    return country if row.group == "country" else t("{country}: other areas", country=country)


def tabulate_changed_areas(
    t: Speech, plan: PlanSummary, most: int, needs: Mapping[str, float] | None = None
) -> list[list[str]]:
    """Return a row for each area where the plan changes the share of need met by half a percentage point or more.

    A row has the name, the need in children per quarter, and the per cent met today and with the plan. Areas where the
    change concerns more children come first. At most `most` rows are returned.
    needs : the need that all pages show, by area code; for an area that is not in it, the plan's estimate is used.
    """
    today, planned = plan.met_shares("today"), plan.met_shares("planned")
    need = {row.area: row.need for row in plan.coverage} | dict(needs or {})
    changed = [code for code in today if abs(planned[code] - today[code]) >= _VISIBLE]
    changed.sort(key=lambda code: (-abs(planned[code] - today[code]) * need[code], code))
    return [
        [t.name_area(c), t.format_number(need[c]), t.format_percent(today[c]), t.format_percent(planned[c])]
        for c in changed[:most]
    ]


def list_handover(t: Speech, plan: PlanSummary, most: int | None = None) -> list[str]:
    """Return a line for each hand-over, then for each task that is not handed over, with the reason.

    With more than `most` lines, only the first `most` are returned, and a last line says how many were left out.
    """
    tasks = sorted(plan.handover, key=lambda task: task.quarter)
    lines = [*(_word_handed_over(t, task) for task in tasks), *(_word_staying(t, task) for task in plan.stays)]
    return [*lines[:most], *_and_more(t, 0 if most is None else len(lines) - most)]


def _word_handed_over(t: Speech, task: HandedOverTask) -> str:
    return t.format_plural(
        "{area}, {axis}: {partner} hands over to {receiver} in quarter {quarter} (about {count} child).",
        "{area}, {axis}: {partner} hands over to {receiver} in quarter {quarter} (about {count} children).",
        task.children,
        area=t.name_area(task.area),
        axis=t.name_kind(task.axis),
        partner=make_legible(task.partner, 40),
        receiver=t.name_bearer(task.to),
        quarter=t.format_number(task.quarter),
    )


def _word_staying(t: Speech, task: StayingTask) -> str:
    why = t.name_reason(task.why)
    if task.room is not None and task.why == "no_room":
        why = t("{why}; the largest spare capacity that lasts is {room}", why=why, room=t.format_number(task.room))
    if task.at_least:
        why = t("{why}; there may be more spare capacity than is known", why=why)
    return t.format_plural(
        "{area}, {axis}: {partner} keeps the task (about {count} child): {why}",
        "{area}, {axis}: {partner} keeps the task (about {count} children): {why}",
        task.children,
        area=t.name_area(task.area),
        axis=t.name_kind(task.axis),
        partner=make_legible(task.partner, 40),
        why=why,
    )
