"""Make invented saved plans like those of the planner, for tests of pages, briefings and commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from risk.planning.saved import SavedPlan, read_saved_plan

REGIONS = (*(f"AL-{number:02}" for number in range(1, 13)), *(f"GR-{letter}" for letter in "ABCDEFGHIJKLM"))
_WAYS = (
    ("GR-I", "GR-D", "outreach team", 2),
    ("GR-B", "AL-11", "outreach team", 2),
    ("AL-04", "AL-02", "outreach team", 1),
    ("GR-M", "GR-L", "protection", 1),
    ("GR-I", "GR-A", "reintegration", 1),
)


def estimate(mean: float, width: float = 0.4) -> dict[str, float]:
    return {"mean": mean, "low": mean * (1 - width), "high": mean * (1 + width)}


def move(start: str, end: str, kind: str, units: int, gain: float = 4.1) -> dict[str, Any]:
    return {
        "start": start,
        "end": end,
        "kind": kind,
        "units": units,
        "cost": 1.6 * units,
        "gain": estimate(gain, 0.7),
        "beats_staying": 0.93,
        "brings": [{"area": end, "children": gain + 0.8}],
        "takes": [{"area": start, "children": -0.8}],
        "need": 55.0,
        "pays_down_to": 21.0,
        "accepted": False,
    }


def read(manifest: dict[str, Any]) -> SavedPlan:
    """Return the saved plan of a manifest, read as the product reads it."""
    return read_saved_plan(Path("plan-partner-0123456789abcdef"), manifest)


def saved(release: str, count: int = 5, **changes: Any) -> SavedPlan:
    """Return a saved plan with `count` moves; `changes` replaces entries of its manifest."""
    return read(manifest(release, count, **changes))


def manifest(release: str, count: int = 5, **changes: Any) -> dict[str, Any]:
    """Return the manifest of a saved plan with `count` moves; `changes` replaces entries of it."""
    ways = [_WAYS[n] if n < len(_WAYS) else _way(n) for n in range(count)]
    moves = [move(*way, gain=6.0 - 5.0 * n / max(count, 1)) for n, way in enumerate(ways)]
    return {
        "release": release,
        "tier": "partner",
        "created": "2026-11-25T10:00:00.123456Z",
        "invented": True,
        "title": "More outreach in Tirana and Epirus",
        "note": "",
        "author": {"role": "programme manager", "date": "2026-11-25"},
        "follows": "",
        "parameters": {
            "pathway": "all",
            "moves": 10,
            "budget": None,
            "floor": 0.5,
            "services_floor": 1.0,
            "exploration": 0.1,
            "equity": 0.2,
            "cost": 0.0,
            "robustness": 0.3,
            "seconds": 20.0,
        },
        "posts": "",
        "posts_drafted": True,
        "travel_provisional": False,
        "plan": _plan(moves),
        "moves": moves,
        "decisions": _decisions() if moves else [],
        "phases": _phases(moves),
        "left": [],
        "handover": [_HANDOVER],
        "stays": [_STAYS],
        "frontier": [_point(n) for n in (2, 4, 7, 10)] if moves else [],
        "coverage": [_coverage(n, area) for n, area in enumerate(REGIONS)],
        "equity": _EQUITY,
        **changes,
    }


def _way(n: int) -> tuple[str, str, str, int]:
    start, end = REGIONS[n % len(REGIONS)], REGIONS[(7 * n + 3) % len(REGIONS)]
    return start, end if end != start else REGIONS[(n + 1) % len(REGIONS)], "outreach team", 1 + n % 3


def _plan(moves: list[dict[str, Any]]) -> dict[str, Any]:
    moved = sum(move["units"] for move in moves)
    today = {"met": estimate(183.4, 0.2), "worst_cases": 141.2, "least_served": 0.41}
    planned = {"met": estimate(204.7, 0.2), "worst_cases": 155.9, "least_served": 0.47}
    return {
        "answer": "do" if moves else "keep",
        "year": _YEAR if moves else None,
        "moved": moved,
        "cost": 1.6 * moved,
        "gain": {"mean": 21.3, "low": 9.0, "high": 35.1} if moves else estimate(0.0),
        "today": today,
        "planned": planned if moves else today,
        "broken_today": [],
        "explored": ["AL-05"],
        "gap": 0.0005,
        "proven": True,
    }


_YEAR = {"net": {"mean": 68.2, "low": 21.0, "high": 118.4}, "settling": 11.3, "probability": 0.953,
         "visible": 24.1, "need": 96.0, "tipping": 0.62}  # fmt: skip


def _decisions() -> list[dict[str, Any]]:
    who = {"role": "programme manager", "date": "2026-11-24"}
    return [
        {"start": "GR-B", "end": "AL-11", "kind": "outreach team", "decided": "accept", "units": 2,
         "reason": "Team speaks Albanian", **who},
        {"start": "GR-I", "end": "GR-G", "kind": "outreach team", "decided": "decline", "units": 1,
         "reason": "Contract with the municipality runs to June", **who},
        {"start": "GR-I", "end": "", "kind": "protection", "decided": "lock", "units": 1,
         "reason": "", **who},
    ]  # fmt: skip


def _phases(moves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("start", "end", "kind", "units")
    return [
        {
            "quarter": quarter,
            "moves": [{name: move[name] for name in names} for move in moves[quarter - 1 :: 3]],
            "met": estimate(183.4 + 7 * quarter, 0.2),
            "cost": 4.0,
        }
        for quarter in (1, 2, 3)
    ]


def _point(limit: int) -> dict[str, Any]:
    gain = estimate(5.0 + 2.2 * limit, 0.5)
    return {"limit": limit, "moved": limit, "cost": 1.6 * limit, "gain": gain,
            "probability": 0.8 + 0.02 * limit, "recommended": limit >= 4}  # fmt: skip


def _coverage(n: int, area: str) -> dict[str, Any]:
    need = 20.0 + 3 * n
    share = 0.08 + 0.085 * (7 * n % 11)
    planned = min(share + 0.02 * (n % 7), 0.95)
    return {"area": area, "need": need, "today": share * need, "planned": planned * need,
            "units_today": {"outreach team": 3}, "units_planned": {"outreach team": 4}}  # fmt: skip


_HANDOVER = {"area": "GR-I", "partner": "ARSIS", "axis": "reintegration", "children": 12,
             "to": "municipality", "quarter": 3}  # fmt: skip
_STAYS = {"area": "AL-11", "partner": "Terre des hommes", "axis": "protection", "children": 30,
          "why": "no duty bearer in AL-11 that may take it has room; there is none"}  # fmt: skip
_EQUITY = [
    {"group": group, "area": country, "areas": 6, "need": need, "today": today, "planned": today + 0.05}
    for group, country, need, today in (
        ("country", "AL", 160.0, 0.35),
        ("communities", "AL", 90.0, 0.31),
        ("elsewhere", "AL", 70.0, 0.4),
        ("country", "GR", 230.0, 0.51),
        ("communities", "GR", 80.0, 0.44),
        ("elsewhere", "GR", 150.0, 0.55),
    )
]


def crowded(release: str) -> SavedPlan:
    """Return a plan in which all lists and texts are longer than any real ones."""
    wide, kind = "W" * 400, "Mobile protection and reintegration unit"
    author = {"role": "programme manager", "date": wide}
    plan = manifest(release, 60, title=wide, note="Word and word again " * 40, author=author)
    taken = [{"area": "GR-A", "children": -1.2}] * 4
    moves = [{**move, "kind": kind, "start": "GR-A", "takes": taken} for move in plan["moves"]]
    decision = {"reason": "Long reason " * 30, "kind": wide}
    phase = {"moves": moves, "met": {"mean": 12345, "low": 1234, "high": 123456}, "cost": 12345}
    rules = ["moves", "budget", "floor", "services_floor", "exploration", "commitments", "room", "accepted"]
    plan["plan"] |= {"broken_today": rules, "explored": list(REGIONS), "proven": False, "answer": "keep"}
    plan["parameters"] |= {"pathway": "internal", "budget": 123456.7, "cost": 0.5}
    changes = {
        "travel_provisional": True,
        "moves": moves,
        "left": moves,
        "phases": [{**phase, "quarter": quarter} for quarter in (1, 2, 3, 4)],
        "decisions": [{**plan["decisions"][1], **decision, "start": f"site {n}"} for n in range(40)],
        "handover": [{**_HANDOVER, "partner": wide, "to": wide, "area": "GR-A"}] * 40,
        "stays": [{**_STAYS, "partner": wide, "why": "why and " * 60, "area": "GR-A"}] * 40,
    }
    return read({**plan, **changes})
