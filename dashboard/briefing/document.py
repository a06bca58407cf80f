"""The content of the briefing in one language, as plain values that the templates lay out.

Everything is text that is already translated and filled in; the templates hold no words, and no text is ever
read as markup.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dashboard.briefing import advice, method, situation
from dashboard.briefing import moves as _moves
from dashboard.briefing import words as _words
from dashboard.briefing.legible import legible
from dashboard.briefing.map import BREAKS, MOST_ARROWS, drawn
from dashboard.briefing.speech import Speech
from dashboard.site.current_release import CurrentRelease
from data.errors import InputError
from data.release import Release
from geo.layers.core.palette import COVERAGE

Told = Mapping[str, Any]

_TITLE, _SHORT, _NOTE, _NAMED = 110, 70, 300, 14
_SLIDE_MOVES = 8
_SLIDE_NAMES = 36.0


@dataclass(frozen=True)
class FirstPage:
    """How much the first page holds: size of letters, moves in the table, areas in a list, changes."""

    size: float
    moves: int
    areas: int
    changes: int


@dataclass(frozen=True)
class SecondPage:
    """How much the second page holds: moves in a quarter's card, areas, decisions, hand-overs, doubts."""

    size: float
    phase: int
    areas: int
    decisions: int
    handovers: int
    doubts: int


@dataclass(frozen=True)
class Document:
    """A saved plan and its release, told in one language."""

    told: Told
    release: Release
    t: Speech

    def __post_init__(self) -> None:
        """Refuse a plan of another release or tier."""
        for what, found in (("release", self.release.name), ("tier", self.release.tier)):
            if self.told[what] != found:
                msg = (
                    f"The plan was made from {what} {self.told[what]!r}, not {found!r}. Open that one, "
                    f"or make the "
                    "plan again."
                )
                raise InputError(msg)

    @property
    def held(self) -> CurrentRelease:
        """The release as the pages read it."""
        return CurrentRelease(self.release, self.release.checksum, self.release.tier, self.release.added)

    @property
    def created(self) -> dt.datetime:
        """When the plan was saved, which the document is dated by."""
        moment = dt.datetime.fromisoformat(str(self.told["created"]))
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)

    @property
    def title(self) -> str:
        """The plan's title as it was given."""
        return legible(self.told.get("title"), _TITLE) or self.t("Plan of moves")

    @property
    def invented(self) -> bool:
        """Whether its numbers are invented."""
        return bool(self.told.get("invented")) or self.release.invented

    def frame(self) -> dict[str, Any]:
        """Give what stands on every page and slide."""
        t = self.t
        author = self.told.get("author") or {}
        role = _words.role(t, author.get("role") or "") or t("role not given")
        return {
            "language": t.language,
            "title": self.title.replace("\u200b", ""),
            "headline": self.title,
            "short": legible(self.title, _SHORT),
            "eyebrow": t("Briefing on a plan of moves"),
            "meta": t(
                "Release {name} · {date} · {role}", name=self.release.name, date=self._date(), role=role
            ),
            "tier": method.tier_name(t, self.release),
            "readers": method.readers(t, self.release),
            "invented": t("Invented data") if self.invented else "",
            "day": [self.created.year, self.created.month, self.created.day],
            "verdict": advice.verdict(t, self.told),
            "map": self._map(),
        }

    def _date(self) -> str:
        return self.t.date(self.created.date())

    def first(self, room: FirstPage) -> dict[str, Any]:
        """Give the first page: numbers, situation, changes, moves."""
        t = self.t
        return {
            "first_size": room.size,
            "note": legible(self.told.get("note"), _NOTE),
            "figures": advice.figures(t, self.told),
            "situation": _section(t("Situation: what the risk model says"),
                                  situation.levels(t, self.held, room.areas)),
            "rates": t("× is times the country's own rate, for people and outreach alike."),
            "changes": _section(t("What changed"), situation.changes(t, self.held, room.changes)),
            "moves": {"head": self._moves_head(), **_moves.moves(t, self.told, room.moves)},
            "none": "" if self.told["moves"] else t("No moves: today's posts stay as they are."),
        }  # fmt: skip

    def _moves_head(self) -> str:
        if advice.advised(self.told) or not self.told["moves"]:
            return self.t("Proposed moves")
        return self.t("Moves that were looked at, not advised")

    def second(self, room: SecondPage) -> dict[str, Any]:
        """Give the second page: phases, who gains, decisions, hand-over, doubts, method."""
        t, told = self.t, self.told
        return {
            "second_size": room.size,
            "phases": {
                "head": t("Four quarters"),
                "cards": _moves.phases(t, told, room.phase) if told["moves"] else [],
                "left": self._left(),
                "none": t("The moves were not spread over quarters.")
                if told["moves"]
                else t("No moves, so no phases."),
            },
            "groups": {"head": t("Who gains"), "columns": [t("Group"), *self._met()],
                       "rows": _moves.groups(t, told), "note": self._communities()},
            "areas": {"head": t("Areas that change most"), "columns": [t("Area"), *self._met()],
                      "rows": _moves.areas(t, told, room.areas), "note": ""},
            "decided": _section(t("Other decisions"), _moves.decided(t, told, room.decisions)),
            "handover": _section(t("Hand-over"), _moves.handover(t, told, room.handovers)),
            "method": {"head": t("Method and data protection"),
                       "items": method.method(t, told, self.release)},
            **self._doubts(room.doubts),
        }  # fmt: skip

    def _doubts(self, most: int | None = None) -> dict[str, Any]:
        uncertain = advice.uncertain(self.t, self.told, self.held)
        change = advice.would_change(self.t, self.told)
        return {
            "uncertain": _section(self.t("What is uncertain"), uncertain[:most]),
            "change": _section(self.t("What would change the advice"), change[:most]),
        }

    def _communities(self) -> str:
        if not any(one["group"] == "communities" for one in self.told.get("equity") or ()):
            return ""
        return self.t("Communities are shown so that services reach them. No community causes trafficking.")

    def _met(self) -> list[str]:
        return [self.t("In need"), self.t("Met today"), self.t("With the plan")]

    def _left(self) -> str:
        count = len(self.told.get("left") or ())
        if not count:
            return ""
        return self.t.several("{count} move is left for later.", "{count} moves are left for later.", count)

    def slides(self) -> dict[str, Any]:
        """Give what the pictures for slides say besides."""
        t = self.t
        return {
            "moves": {"head": self._moves_head(), **_moves.moves(t, self.told, _SLIDE_MOVES)},
            "none": t("No moves: today's posts stay as they are."),
            "figures": advice.figures(t, self.told),
            **self._doubts(),
            "heads": {"map": t("Need that is met, before and after the moves"), "today": t("Today"),
                      "planned": t("With the plan"), "sure": t("How sure this is")},
        }  # fmt: skip

    def _map(self) -> dict[str, Any]:
        """Draw today with the moves, and the plan; with legend and a text for those who cannot see them."""
        t, told = self.t, self.told
        flows = _moves.flows(told)
        codes = [code for flow in flows[:MOST_ARROWS] for code in (flow.start, flow.end)]
        names = {code: t.area(code) for code in list(dict.fromkeys(codes))[:_NAMED]}
        most = t("The map shows the {count} largest flows.", count=MOST_ARROWS)
        today, planned = _moves.shares(told, "today"), _moves.shares(told, "planned")
        return {
            "moves": drawn(t.areas, today, flows, names),
            "today": drawn(t.areas, today),
            "planned": drawn(t.areas, planned, flows, names, size=_SLIDE_NAMES),
            "alt": self._alt(),
            "caption": t("Share of need that is met today; arrows: moves, wider for more units")
            if flows
            else t("Share of need that is met today"),
            "legend": [
                {"colour": c, "label": words} for c, words in zip(COVERAGE, self._classes(), strict=True)
            ],
            "none": t("no estimate"),
            "arrows": t("moves, wider for more units"),
            "notes": [
                *([most] if len(flows) > MOST_ARROWS else []),
                *([t("Boundaries are approximate.")] if t.areas.approximate("region") else []),
            ],
        }

    def _classes(self) -> list[str]:
        ends = (0.0, *BREAKS, 1.0)
        return [f"{100 * low:.0f}–{self.t.percent(high)}" for low, high in pairwise(ends)]

    def _alt(self) -> str:
        t = self.t
        flows = _moves.flows(self.told)
        if not flows:
            return t("Map of Albania and Greece by the share of need that is met today. Nothing moves.")
        ways = [f"{t.area(flow.start)} → {t.area(flow.end)} ({t.number(flow.units)})" for flow in flows]
        return t(
            "Map of Albania and Greece by the share of need that is met, with an arrow for each move "
            "(units): {ways}.",
            ways=t.listed(ways, _NAMED),
        )


def _section(head: str, items: list[str]) -> dict[str, Any]:
    return {"head": head, "items": items}
