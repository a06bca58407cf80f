"""Words for codes that a plan holds: kinds of unit, axes of work, decisions, rules."""

from __future__ import annotations

from dashboard.briefing.legible import legible
from dashboard.briefing.speech import Speech
from geo.layers.core.words import mark

_KINDS = {
    "outreach team": mark("outreach team"),
    "prevention": mark("prevention"),
    "protection": mark("protection"),
    "assisted_voluntary_return": mark("assisted voluntary return"),
    "reintegration": mark("reintegration"),
    "coordination": mark("coordination"),
}
_ROLES = {
    "programme manager": mark("programme manager"),
    "coordinator": mark("coordinator"),
    "data officer": mark("data officer"),
    "board": mark("board"),
}
_DECIDED = {"accept": mark("accepted"), "decline": mark("declined"), "lock": mark("locked")}
_BEARERS = {
    "state": mark("the state"),
    "anti_trafficking_police": mark("the anti-trafficking police"),
    "municipality": mark("a municipality"),
    "school": mark("a school"),
    "ngo": mark("a non-governmental organisation"),
    "community": mark("a community"),
}
# How the planner begins to say why a task stays (risk/handover/__init__.py), and what the briefing says of it.
_WHY = {
    "it serves no children": mark("there is nothing to hand over"),
    "there is room in": mark("other tasks take the room that there is"),
    "no duty bearer in": mark("no duty bearer that may take it has the room"),
}
_RULES = {
    "moves": mark("the number of units that may move"),
    "budget": mark("the budget for moves"),
    "floor": mark("the floor of every area"),
    "services_floor": mark("the floor of services where Roma and Egyptian communities live"),
    "exploration": mark("the share of search that goes to areas where too little was looked"),
    "commitments": mark("commitments that may not move"),
    "room": mark("the room at each site"),
    "accepted": mark("moves that were accepted"),
}


def kind(t: Speech, code: object) -> str:
    """Name a kind of unit or an axis of work; as it was written where it is no code of the product."""
    return t(_KINDS[str(code)]) if str(code) in _KINDS else legible(str(code).replace("_", " "), 32)


def unit(t: Speech, units: object, code: object) -> str:
    """Name a number of units of a kind."""
    return f"{t.number(float(str(units)), 0)} × {kind(t, code)}"


def decision(t: Speech, code: object) -> str:
    """Name what was decided."""
    return t(_DECIDED[str(code)]) if str(code) in _DECIDED else legible(code, 20)


def bearer(t: Speech, code: object) -> str:
    """Name a duty bearer; as it was written where it is no code of the product."""
    return t(_BEARERS[str(code)]) if str(code) in _BEARERS else legible(code, 40)


def why(t: Speech, reason: object) -> str:
    """Say shortly why a task stays; as it was written where the planner did not write it."""
    known = (words for begins, words in _WHY.items() if str(reason).startswith(begins))
    words = next(known, None)
    return legible(reason, 80) if words is None else t(words)


def role(t: Speech, code: object) -> str:
    """Name the role of whoever made or decided something."""
    return t(_ROLES[str(code)]) if str(code) in _ROLES else legible(code, 40)


def rule(t: Speech, code: object) -> str:
    """Name a rule of the plan."""
    return t(_RULES[str(code)]) if str(code) in _RULES else legible(code)
