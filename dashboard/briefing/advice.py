"""What the plan advises, in a few numbers, and what would change that advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dashboard.briefing import words
from dashboard.briefing.situation import undecided
from dashboard.briefing.speech import Speech
from dashboard.site.current_release import CurrentRelease
from risk.planning import LEAST_CHANCE, LEAST_GAIN

Told = Mapping[str, Any]


def advised(told: Told) -> bool:
    """Say whether the plan's moves are advised; otherwise the advice is to change nothing."""
    return bool(told["plan"]["recommended"]) and bool(told["moves"])


def verdict(t: Speech, told: Told) -> dict[str, Any]:
    """Word the advice: head, text and, where there is one, a warning."""
    plan = told["plan"]
    if advised(told):
        head = t.several("Advice: move {count} unit", "Advice: move {count} units", int(plan["moved"]))
        text = t(
            "This would meet the need of about {gain} more children a quarter (95 % interval "
            "{interval}). That it gains more than {least} of the need met today is {chance} sure; from "
            "{enough} on it is advised.",
            gain=t.number(plan["gain"]["mean"]),
            interval=t.interval(plan["gain"]),
            least=t.percent(LEAST_GAIN),
            chance=t.chance(plan["probability"]),
            enough=t.percent(LEAST_CHANCE),
        )
    else:
        head, text = t("Advice: change nothing"), _nothing(t, told)
    broken = [words.rule(t, one) for one in plan.get("broken_today") or ()]
    warning = (
        t("Today's posts break a rule of this plan: {rules}.", rules=t.listed(broken, 3)) if broken else ""
    )
    return {"advised": advised(told), "head": head, "text": text, "warning": warning}


def _nothing(t: Speech, told: Told) -> str:
    if not told["moves"]:
        return t("Within the rules no layout was found that is better than today's posts.")
    return t(
        "That the moves below would gain more than {least} of the need met today is only {chance} sure; "
        "advice needs {enough}. They are shown to be discussed, not to be carried out.",
        least=t.percent(LEAST_GAIN),
        chance=t.chance(told["plan"]["probability"]),
        enough=t.percent(LEAST_CHANCE),
    )


def figures(t: Speech, told: Told) -> list[dict[str, str]]:
    """Give the four numbers that matter: label, value, and the smaller text below it."""
    plan = told["plan"]
    today, planned = plan["today"], plan["planned"]
    budget = (told.get("parameters") or {}).get("budget")
    cost = t("{hours} hours of travel", hours=t.number(plan["cost"]))
    if budget is not None:
        most = t.number(budget)
        cost = t("{hours} of at most {budget} hours of travel", hours=t.number(plan["cost"]), budget=most)
    sure = t("95 % interval {interval}", interval=t.interval(plan["gain"]))
    met = (t.number(one["met"]["mean"]) for one in (today, planned))
    least = (t.percent(one["least_served"]) for one in (today, planned))
    rows = (
        (t("More children a quarter"), t.signed(plan["gain"]["mean"]), sure),
        (t("Need met, children a quarter"), " → ".join(met), t("today, and with the plan")),
        (t("Met where it is served worst"), " → ".join(least), t("the worst-served fifth of need")),
        (t("Units that move"), t.number(plan["moved"]), cost),
    )
    return [{"label": label, "value": value, "below": below} for label, value, below in rows]


def uncertain(t: Speech, told: Told, current: CurrentRelease) -> list[str]:
    """Say what is not known, the most important first."""
    return [one for one in _uncertain(t, told, current) if one]


def _uncertain(t: Speech, told: Told, current: CurrentRelease) -> Iterator[str]:
    plan = told["plan"]
    if told["moves"]:
        yield t(
            "The gain of all moves together lies between {low} and {high} children a quarter with 95 % "
            "probability, if the model is right.",
            low=t.number(plan["gain"]["low"]),
            high=t.number(plan["gain"]["high"]),
        )
    if told.get("posts_drafted"):
        yield t(
            "Today's posts are a draft made from records of outreach; nobody who knows them corrected it."
        )
    if told.get("travel_provisional"):
        yield t("Some times of travel over water are rough guesses.")
    if told["moves"]:
        yield t(
            "In the worst tenth of cases today's posts meet the need of {today} children a quarter, the "
            "planned ones of {planned}.",
            today=t.number(plan["today"]["worst_cases"]),
            planned=t.number(plan["planned"]["worst_cases"]),
        )
    unsure, every = undecided(current)
    if every:
        yield t(
            "For {unsure} of {all} pairs of area and pathway the risk model cannot tell whether the rate "
            "is high, average or low.",
            unsure=t.number(unsure),
            all=t.number(every),
        )
    yield t(
        "Children are counted when they are met: where nobody looks, nobody is met. How large a share of the "
        "children in need is ever met is not known; the plan reckons with a range."
    )
    explored = plan.get("explored") or ()
    if explored:
        yield t(
            "Too little was looked in: {areas}. Part of the outreach goes there in order to learn, which "
            "costs some of the gain at first.",
            areas=t.named(explored, 4),
        )
    if not plan.get("proven", True):
        yield t("The search for moves stopped when its time was up; better moves may exist.")


def would_change(t: Speech, told: Told) -> list[str]:
    """Say what would make the advice another."""
    return [*_turning(t, told), *_fragile(t, told), *_fewer(t, told), _again(t)]


def _turning(t: Speech, told: Told) -> Iterator[str]:
    if advised(told) or not told["moves"]:
        return
    yield t(
        "The moves would be advised if a gain of more than {least} of the need met today were {enough} sure; "
        "today it is {chance}. Records of further quarters can make that surer, or show the opposite.",
        least=t.percent(LEAST_GAIN),
        enough=t.percent(LEAST_CHANCE),
        chance=t.chance(told["plan"]["probability"]),
    )


def _fragile(t: Speech, told: Told, most: int = 2) -> Iterator[str]:
    """Name the moves that stop paying first when need is smaller than estimated."""
    moves = [move for move in told["moves"] if move["need"] > 0 and move["pays_down_to"] > 0]
    moves.sort(key=lambda move: -move["pays_down_to"] / move["need"])
    for move in moves[:most]:
        yield t(
            "{what}, {start} → {end}: no longer pays with fewer than {least} children a quarter in need "
            "in the areas that it helps; {need} are estimated.",
            what=words.unit(t, move["units"], move["kind"]),
            start=t.area(move["start"]),
            end=t.area(move["end"]),
            least=t.number(move["pays_down_to"]),
            need=t.number(move["need"]),
        )


def _fewer(t: Speech, told: Told) -> Iterator[str]:
    """Say how few moves would already be advised, and what they would gain."""
    points = [one for one in told.get("frontier") or () if one["recommended"] and one["moved"]]
    fewest = min(points, key=lambda one: int(one["moved"]), default=None)
    if fewest is not None and (not advised(told) or fewest["moved"] < told["plan"]["moved"]):
        yield t.several(
            "Moving {count} unit alone would already be advised: it gains {gain} children a quarter "
            "({interval}).",
            "Moving {count} units alone would already be advised: they gain {gain} children a quarter "
            "({interval}).",
            int(fewest["moved"]),
            gain=t.number(fewest["gain"]["mean"]),
            interval=t.interval(fewest["gain"]),
        )


def _again(t: Speech) -> str:
    return t("A new release, other limits or other weights: then the plan has to be made again.")
