"""What the Reallocate page says of a plan: the answer, its numbers, its moves and decisions, in plain words.

Everything is said from the plain values of a plan (risk/planning/saved.py: `told`), so that a plan that was kept
is told as the one on the desk. Who is served stands in dashboard/pages/reallocate/served.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.site.current_release import CurrentRelease, read_area_names
from dashboard.site.text import _, number
from geo.layers.core.words import mark
from risk.planning import LEAST_CHANCE, LEAST_GAIN, RULES, Clash
from risk.planning.saved import Decided

Told = Mapping[str, Any]

_WHOLE_FROM = 10
_CODE = re.compile(r"\b[A-Z]{2}-[0-9A-Z]+\b")
DECISIONS = {"accept": mark("accepted"), "decline": mark("declined"), "lock": mark("kept as it is")}
# What frees a rule that clashes with others.
_REMEDIES = {
    "moves": mark("Allow more moves."),
    "budget": mark("Allow more hours of travel, or none at all as a limit."),
    "floor": mark("Let every area keep a smaller part of what it has."),
    "services_floor": mark("Correct the services in the table of posts."),
    "exploration": mark("Give a smaller share of outreach to areas where too little was looked."),
    "commitments": mark("Correct the column committed in the table of posts."),
    "room": mark("Correct the column room in the table of posts."),
    "accepted": mark("Undo a move that was accepted, below."),
    "locked": mark("Undo what was kept as it is, below."),
}
_ENDS = ("low", "high")

_SURE = 0.8


def answer(told: Told) -> list[str]:
    """Give the answer in a sentence, then what stands behind it."""
    plan = told["plan"]
    if not plan["moved"]:
        first = [_("Change nothing: within these choices no move would meet the need of more children.")]
    elif plan["recommended"]:
        first = [_moving(plan), _("The chance that this gains {least} is {sure}.", **_sureness(plan))]
    else:
        first = [_("Change nothing: no moves were found that are sure enough to help."), _doubted(plan)]
    return [*first, *_unproven(plan), *_broken(plan)]


def _moving(plan: Told) -> str:
    template = (
        _("Make the move below: it would meet the need of {gain} more children a quarter ({range}).")
        if plan["moved"] == 1
        else _(
            "Make the {moved} moves below: they would meet the need of {gain} more children a quarter "
            "({range})."
        )
    )
    return template.format(
        moved=plan["moved"], gain=children(plan["gain"]["mean"]), range=_range(plan["gain"])
    )


def _doubted(plan: Told) -> str:
    return _(
        "The best {moved} moves would meet the need of {gain} more children a quarter ({range}), but the "
        "chance that they gain {least} is {sure}. Moves are advised from {from_}; these are shown all the "
        "same.",
        moved=plan["moved"],
        gain=children(plan["gain"]["mean"]),
        range=_range(plan["gain"]),
        from_=percent(LEAST_CHANCE),
        **_sureness(plan),
    )


def _sureness(plan: Told) -> dict[str, str]:
    met = children(plan["today"]["met"]["mean"])
    least = _("more than {least} of the {met} whose need is met today", least=percent(LEAST_GAIN), met=met)
    return {"sure": sure(plan["probability"]), "least": least}


def _range(one: Told) -> str:
    return _("95 %: {low} to {high}", **{end: children(one[end]) for end in _ENDS})


def _unproven(plan: Told) -> Iterator[str]:
    if not plan["proven"]:
        yield _("The time for looking was up before it was certain that no better moves exist.")


def _broken(plan: Told) -> Iterator[str]:
    if plan["broken_today"]:
        rules = "; ".join(_(RULES.get(one, one)) for one in plan["broken_today"])
        yield _("Today's posts break a rule that these moves keep: {rules}.", rules=rules)


def key_numbers(told: Told) -> list[tuple[str, str]]:
    """Give the few numbers that matter: words and value."""
    plan = told["plan"]
    today, planned = plan["today"], plan["planned"]
    facts = [(_("Need met a quarter, today"), _with_range(today["met"]))]
    if not plan["moved"]:
        return facts
    return [
        *facts,
        (_("With the moves"), _with_range(planned["met"])),
        (_("Units that move"), number(plan["moved"])),
        (_("Hours of travel, old post to new"), number(round(plan["cost"]))),
        (
            _("Need met where least is"),
            _change(percent(today["least_served"]), percent(planned["least_served"])),
        ),
        (
            _("Need met in bad cases"),
            _change(children(today["worst_cases"]), children(planned["worst_cases"])),
        ),
    ]


def _with_range(one: Told) -> str:
    ends = {end: children(one[end]) for end in _ENDS}
    return _("{mean} ({low} to {high})", mean=children(one["mean"]), **ends)


def _change(before: str, after: str) -> str:
    return _("{before} → {after}", before=before, after=after)


def children(value: float) -> str:
    """Write a number of children of an estimate, as exact as makes sense."""
    rounded = round(value) if abs(value) >= _WHOLE_FROM else round(value, 1)
    return number(float(rounded)).replace("-", "−")


def gained(value: float) -> str:
    """Write a change with its sign."""
    text = children(value)
    return text if text.startswith("−") or text == "0" else f"+{text}"


def percent(share: float) -> str:
    """Write a share."""
    return f"{round(100 * share)} %"


def sure(chance: float) -> str:
    """Write a chance; draws never show that something is certain."""
    if chance > 0.99:
        return _("over 99 %")
    return _("under 1 %") if chance < 0.01 else percent(chance)


def named(current: CurrentRelease, text: str) -> str:
    """Put names in the place of codes of areas."""
    known = read_area_names(current)
    return _CODE.sub(lambda found: str(known.get(found.group(), found.group())), text)


def move_name(current: CurrentRelease, move: Told) -> str:
    """Name a move, or what was decided on one."""
    units = max(int(move.get("units", 1)), 1)
    what = f"{units} × {move['kind']}"
    if not move["end"]:
        return _("{kind} in {start}", kind=move["kind"], start=named(current, move["start"]))
    return _(
        "{what}: {start} → {end}",
        what=what,
        start=named(current, move["start"]),
        end=named(current, move["end"]),
    )


def moves(current: CurrentRelease, told: Told) -> pd.DataFrame:
    """List the moves, the one that brings most first: one row each."""
    rows = [
        (
            move_name(current, move),
            f"{gained(move['gain']['mean'])} ({_to(move['gain'])})",
            sure(move["beats_staying"]),
            _effects(current, move["brings"]),
            _effects(current, move["takes"]),
            _what_would(move),
            number(round(move["cost"], 1)),
            _decided_on(told, move),
        )
        for move in told["moves"]
    ]
    head = [
        _("Move"),
        _("Children more a quarter (95 %)"),
        _("Chance that it beats staying"),
        _("Helps"),
        _("Takes away"),
        _("What would change it"),
        _("Hours"),
        _("Decided"),
    ]
    frame = pd.DataFrame(rows, columns=head)
    return frame if frame[head[-1]].any() else frame.drop(columns=head[-1])


def _to(one: Told) -> str:
    return _("{low} to {high}", low=children(one["low"]), high=children(one["high"]))


def _effects(current: CurrentRelease, effects: Sequence[Told], most: int = 3) -> str:
    told = [(one["area"], gained(one["children"])) for one in effects]
    listed = [f"{named(current, area)} {change}" for area, change in told if change != "0"]
    if len(listed) > most:
        return _("{areas} and others", areas=", ".join(listed[:most]))
    return ", ".join(listed) or "–"


def _what_would(move: Told) -> str:
    if move["pays_down_to"] >= move["need"]:
        return _("By itself it does not pay: a rule or a decision asks for it.")
    if move["pays_down_to"] <= 0:
        return _("It pays however few children are in need in the areas that it helps.")
    return _(
        "Would no longer pay if fewer than {least} children a quarter were in need in the areas that it "
        "helps (now {now}).",
        least=children(move["pays_down_to"]),
        now=children(move["need"]),
    )


def _decided_on(told: Told, move: Told) -> str:
    same = ("start", "end", "kind")
    found = (one for one in told["decisions"] if all(one[name] == move[name] for name in same))
    return next((_(DECISIONS[one["decided"]]) for one in found), "")


def decided(current: CurrentRelease, one: Decided) -> str:
    """Say a decision: on what, what, by whom, when and why."""
    decision = one.decision
    move = {"start": decision.start, "end": decision.end, "kind": decision.kind, "units": decision.units}
    told = _(
        "{move} – {decided} by the {role} on {date}",
        move=move_name(current, move),
        decided=_(DECISIONS[decision.decided]),
        role=_(one.author.role),
        date=one.author.date,
    )
    return f"{told}: {decision.reason}" if decision.reason else f"{told}."


def clash(current: CurrentRelease, found: Sequence[Clash]) -> list[str]:
    """Say which rules stand against each other, each with what would free it."""
    return [f"{_eased(current, one)} {_(_REMEDIES.get(one.rule, ''))}".strip() for one in found]


def _eased(current: CurrentRelease, one: Clash) -> str:
    name = _(RULES.get(one.rule, one.rule))
    name = name[:1].upper() + name[1:]
    if one.rule in ("moves", "budget"):
        if one.frees is None:
            return _("{rule}: more alone does not help.", rule=name)
        return _(
            "{rule}: {frees} instead of {asked} would do.",
            rule=name,
            frees=_up(one.frees),
            asked=_up(one.asked),
        )
    places = [named(current, place) for place in one.where[:3]]
    if one.frees is None or not places:
        return _("{rule}: easing it alone is not enough.", rule=name)
    return _("{rule}: it cannot be kept in full in {places}.", rule=name, places=", ".join(places))


def _up(value: float) -> str:
    return number(float(-(-value // 1)))


def later(told: Told) -> str:
    """Say how many units are left for after the last quarter; empty where none are."""
    units = sum(int(one["units"]) for one in told.get("left") or ())
    return _("{units} more move after the fourth quarter.", units=units) if units else ""


def phases(current: CurrentRelease, told: Told) -> pd.DataFrame:
    """Say quarter by quarter, until the last move, which moves are made and what is met then."""
    last = max((int(one["quarter"]) for one in told["phases"] if one["moves"]), default=0)
    rows = [
        (
            _("Quarter {number}", number=one["quarter"]),
            "; ".join(move_name(current, move) for move in one["moves"]) or _("no moves"),
            _with_range(one["met"]),
        )
        for one in told["phases"]
        if int(one["quarter"]) <= last
    ]
    return pd.DataFrame(rows, columns=[_("When"), _("Moves"), _("Need met in the quarter")])


def reasons(told: Told) -> list[str]:
    """Say what every plan is measured by, and on which posts it stands."""
    return [
        _(
            "Need met: the children in need whom the posts could meet and serve in a quarter. It is an "
            "estimate, and a range, since nobody knows how many children are never found."
        ),
        _("It stands on a draft of the posts; correct them under Today's posts.")
        if told["posts_drafted"]
        else "",
    ]


def ways(told: Told) -> str:
    """Say how the table of moves is to be read: what does not add up, what brings little, what is a guess."""
    said = [
        _(
            "Each move is judged against staying, with all others made, so the gains of single moves do not "
            "add up to that of all."
        )
    ]
    if doubtful := sum(move["beats_staying"] < _SURE for move in told["moves"]):
        said.append(
            _(
                "Of {count} it is less than 80 % sure that they beat staying: fewer moves may do nearly as "
                "well; see below what more or fewer would bring.",
                count=doubtful,
            )
        )
    if told["travel_provisional"]:
        said.append(
            _(
                "Hours over water to which no time was entered are those of a straight line; whom a unit "
                "reaches over water is never guessed."
            )
        )
    return " ".join(said)
