"""The moves of a plan in rows and lines: what goes where, when, who gains, what people decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.briefing import words
from dashboard.briefing.legible import legible
from dashboard.briefing.map import Flow
from dashboard.briefing.speech import Speech

Told = Mapping[str, Any]
Key = tuple[str, str, str]

_TAKEN, _PHASES, _REASON = 2, 4, 60
_SEEN = 0.005
_GROUPS = ("country", "communities", "elsewhere")


def moves(t: Speech, told: Told, most: int) -> dict[str, Any]:
    """Give the table of moves, the first `most`: head, rows of texts, and how many more there are."""
    columns = [
        t("What moves"),
        t("From"),
        t("To"),
        t("Gain, children a quarter (95 %)"),
        t("Better than staying"),
        t("Takes away"),
        t("Decided"),
    ]
    found = {_key(one): one for one in told.get("decisions") or ()}
    rows = [_row(t, move, found.get(_key(move))) for move in told["moves"][:most]]
    return {"columns": columns, "rows": rows, "more": more(t, len(told["moves"]) - len(rows))}


def more(t: Speech, count: int) -> str:
    """Say how many moves the table leaves out and where they stand; empty where it leaves out none."""
    if count <= 0:
        return ""
    return t.several(
        "{count} more move, which gains less, stands on the Reallocate page and in the saved plan.",
        "{count} more moves, which gain less, stand on the Reallocate page and in the saved plan.",
        count,
    )


def _key(one: Told) -> Key:
    return str(one["start"]), str(one["end"]), str(one["kind"])


def _row(t: Speech, move: Told, found: Told | None) -> list[str]:
    taken = [f"{t.area(one['area'])} {t.signed(one['children'])}" for one in move.get("takes") or ()]
    return [
        words.unit(t, move["units"], move["kind"]),
        t.area(move["start"]),
        t.area(move["end"]),
        t.gain(move["gain"]),
        t.chance(move["beats_staying"]),
        t.joined([*taken[:_TAKEN], *_and_more(t, len(taken) - _TAKEN)]) or "–",
        _decided(t, move, found),
    ]


def _decided(t: Speech, move: Told, found: Told | None) -> str:
    if found is None:
        return t("accepted") if move.get("accepted") else t("not yet")
    reason = legible(found.get("reason"), _REASON)
    said = words.decision(t, found["decided"])
    return f"{said}: {reason}" if reason else said


def decided(t: Speech, told: Told, most: int) -> list[str]:
    """Say what was declined and locked besides the moves of the table, with who decided."""
    planned = {_key(move) for move in told["moves"]}
    others = [one for one in told.get("decisions") or () if _key(one) not in planned]
    lines = [_decision(t, one) for one in others[:most]]
    return [*lines, *_and_more(t, len(others) - len(lines))]


def _decision(t: Speech, one: Told) -> str:
    who = ", ".join(
        part for part in (words.role(t, one.get("role") or ""), t.day(one.get("date") or "")) if part
    )
    reason = legible(one.get("reason"), _REASON)
    return _what(t, one) + (f" – {reason}" if reason else "") + (f" ({who})" if who else "")


def _what(t: Speech, one: Told) -> str:
    if one["decided"] == "lock":
        # It holds for all that would leave, so it names no end and no number.
        return t("Locked: {kind} in {area} stays", kind=words.kind(t, one["kind"]), area=t.area(one["start"]))
    return t(
        "{decided}: {what}, {start} → {end}",
        decided=words.decision(t, one["decided"]).capitalize(),
        what=words.unit(t, one.get("units") or 1, one["kind"]),
        start=t.area(one["start"]),
        end=t.area(one["end"]),
    )


def _and_more(t: Speech, count: int) -> list[str]:
    return [t.several("and {count} more", "and {count} more", count)] if count > 0 else []


def phases(t: Speech, told: Told, most: int) -> list[dict[str, Any]]:
    """Give a card for each of the four quarters: its moves, the first `most`, and what is met then.

    Empty where the plan was not spread over quarters.
    """
    by_quarter = {int(one["quarter"]): one for one in told.get("phases") or ()}
    if not by_quarter:
        return []
    return [_card(t, quarter, by_quarter.get(quarter), most) for quarter in range(1, _PHASES + 1)]


def _card(t: Speech, quarter: int, phase: Told | None, most: int) -> dict[str, Any]:
    title = t("Quarter {number}", number=quarter)
    if phase is None or not phase["moves"]:
        below = [] if phase is None else _met(t, phase)[:1]
        return {"title": title, "lines": [t("No moves.")], "below": below}
    lines = [
        f"{words.unit(t, one['units'], one['kind'])}: {t.area(one['start'])} → {t.area(one['end'])}"
        for one in phase["moves"][:most]
    ]
    lines += _and_more(t, len(phase["moves"]) - len(lines))
    return {"title": title, "lines": lines, "below": _met(t, phase)}


def _met(t: Speech, phase: Told) -> list[str]:
    met = phase["met"]
    need = t("Need met: {met} ({interval})", met=t.number(met["mean"]), interval=t.interval(met))
    return [need, t("{hours} hours of travel", hours=t.number(phase["cost"]))]


def groups(t: Speech, told: Told) -> list[list[str]]:
    """Give rows on who gains: group, need, share met today, share met with the plan."""
    rows = [one for one in told.get("equity") or () if one["group"] in _GROUPS]
    return [
        [_group(t, one), t.number(one["need"]), t.percent(one["today"]), t.percent(one["planned"])]
        for one in rows
    ]


def areas(t: Speech, told: Told, most: int) -> list[list[str]]:
    """Give rows on the areas whose share of need met changes most: area, need, shares today and planned."""
    today, planned = shares(told, "today"), shares(told, "planned")
    need = {str(one["area"]): float(one["need"]) for one in told.get("coverage") or ()}
    changed = [code for code in today if abs(planned[code] - today[code]) >= _SEEN]
    changed.sort(key=lambda code: (-abs(planned[code] - today[code]) * need[code], code))
    return [
        [t.area(c), t.number(need[c]), t.percent(today[c]), t.percent(planned[c])] for c in changed[:most]
    ]


def _group(t: Speech, one: Told) -> str:
    country = t.area(one["area"])
    if one["group"] == "communities":
        return t("{country}: areas with Roma and Egyptian communities", country=country)
    return country if one["group"] == "country" else t("{country}: other areas", country=country)


def handover(t: Speech, told: Told, most: int) -> list[str]:
    """Say who hands over to whom when, and what stays, the first `most` of both."""
    listed = [*(_handed(t, one) for one in told.get("handover") or ())]
    listed += [_stays(t, one) for one in told.get("stays") or ()]
    return [*listed[:most], *_and_more(t, len(listed) - most)]


def _handed(t: Speech, one: Told) -> str:
    return t(
        "{area}, {axis}: {partner} hands over to {receiver} in quarter {quarter} (about {children} "
        "children).",
        area=t.area(one["area"]),
        axis=words.kind(t, one["axis"]),
        partner=legible(one["partner"], 40),
        receiver=words.bearer(t, one["to"]),
        quarter=t.number(one["quarter"]),
        children=t.number(one["children"]),
    )


def _stays(t: Speech, one: Told) -> str:
    return t(
        "{area}, {axis}: {partner} stays (about {children} children): {why}",
        area=t.area(one["area"]),
        axis=words.kind(t, one["axis"]),
        partner=legible(one["partner"], 40),
        children=t.number(one["children"]),
        why=words.why(t, one["why"]),
    )


def flows(told: Told) -> list[Flow]:
    """Add up the units of all kinds that go from an area to another, most units first."""
    summed: dict[tuple[str, str], int] = {}
    for move in told["moves"]:
        way = str(move["start"]), str(move["end"])
        summed[way] = summed.get(way, 0) + int(move["units"])
    ordered = sorted(summed.items(), key=lambda item: (-item[1], item[0]))
    return [Flow(start, end, units) for (start, end), units in ordered]


def shares(told: Told, when: str) -> dict[str, float]:
    """Give by area the share of need that is met, `today` or `planned`; areas without need are left out."""
    rows: Sequence[Told] = told.get("coverage") or ()
    return {str(one["area"]): float(one[when]) / float(one["need"]) for one in rows if one["need"] > 0}
