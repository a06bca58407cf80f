"""The content of the briefing in one language, as plain values that the templates lay out.

All texts are already translated and filled in. The templates hold no words, and no text is ever read as markup.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dashboard.briefing import method
from dashboard.briefing.map import LOWS, MOST_ARROWS, colour_shares, draw_map
from dashboard.narrative import headlines
from dashboard.narrative import moves as move_words
from dashboard.narrative import plan as plan_words
from dashboard.narrative.completeness import word_gaps
from dashboard.narrative.judgement import list_risen, read_needs
from dashboard.narrative.speech import Speech, make_legible
from dashboard.site.current_release import CurrentRelease, follow_release
from dashboard.site.text import SEPARATORS
from data.errors import InputError
from data.message import Message
from data.release import Release
from data.release.completeness import read_questions
from geo.layers.core import breaks
from geo.layers.core.palette import COVERAGE
from risk.planning.saved import SavedPlan

_TITLE, _SHORT, _NOTE, _NAMED = 110, 70, 300, 14
_SLIDE_MOVES = 8
_SLIDE_NAMES = 36.0
_FIGURES = 4  # in a row on the page
_COLUMNS = ("what", "start", "end", "gain", "chance", "takes", "decision")


@dataclass(frozen=True)
class FirstPage:
    """How much the first page shows: font size in points, moves in the table, areas in a list, changes."""

    size: float
    moves: int
    areas: int
    changes: int


@dataclass(frozen=True)
class SecondPage:
    """How much the second page shows: font size in points, moves of a quarter, areas, decisions, hand-overs, doubts."""

    size: float
    phase: int
    areas: int
    decisions: int
    handovers: int
    doubts: int


@dataclass(frozen=True)
class Document:
    """The briefing on a saved plan and its release in one language."""

    saved: SavedPlan
    release: Release
    t: Speech

    def __post_init__(self) -> None:
        """Raise InputError for a plan of another release or tier."""
        for what, planned, opened in (
            ("release", self.saved.release, self.release.name),
            ("tier", self.saved.tier, self.release.tier),
        ):
            if planned != opened:
                raise InputError(
                    f"The plan was made from {what} {planned!r}, not {opened!r}. Open that one, or make the plan again."
                )

    @property
    def current(self) -> CurrentRelease:
        """The release in the form that pages read."""
        return follow_release(self.release)

    @property
    def title(self) -> str:
        """The plan's title, made printable; "Plan of moves" if it has none."""
        return make_legible(self.saved.summary.title, _TITLE) or self.t("Plan of moves")

    @property
    def invented(self) -> bool:
        """Whether the numbers of the plan or the release are invented."""
        return self.saved.invented or self.release.invented

    def write_common(self) -> dict[str, Any]:
        """Return the content that all pages and slides have."""
        t, plan = self.t, self.saved.summary
        words = plan_words.word_verdict(t, plan, list_risen(self.current))
        text = " ".join([*word_gaps(t, read_questions(self.release)), words.text])  # what is missing comes first
        one_more = f"{t('One more team')}: {words.one_more}" if words.one_more else ""
        partner = self.release.tier == "partner"
        return {
            "language": t.language,
            "title": self.title.replace("\u200b", ""),
            "headline": self.title,
            "short": make_legible(self.title, _SHORT),
            "eyebrow": t("Briefing on a plan of moves"),
            "meta": t(
                "Release {name} · {date} · {role}",
                name=self.release.name,
                date=t.format_date(self.saved.created.date()),
                role=t.name_role(plan.author.role),
            ),
            "tier": t("Partner tier") if partner else t("Public tier"),
            "readers": t("Partner tier: only for partners who signed the agreement") if partner else t("Public tier"),
            "invented": t("Invented data") if self.invented else "",
            "day": [self.saved.created.year, self.saved.created.month, self.saved.created.day],
            "verdict": {**asdict(words), "text": text, "one_more": one_more},
            "map": self._describe_map(),
        }

    def write_first_page(self, room: FirstPage) -> dict[str, Any]:
        """Return the content of the first page: note, figures, situation, changes, moves."""
        t, plan = self.t, self.saved.summary
        return {
            "first_size": room.size,
            "note": make_legible(plan.note, _NOTE),
            "figures": self._list_figures(),
            "situation": _section(t("Situation: what the risk model says"),
                                  headlines.list_levels(t, self.current, room.areas)),
            "rates": headlines.word_times(t),
            "changes": _section(t("What changed"), headlines.list_changes(t, self.current, room.changes)),
            "moves": self._tabulate_moves(room.moves),
            "none": "" if plan.moves else t("No moves: all units stay where they are."),
        }  # fmt: skip

    def _list_figures(self) -> list[dict[str, str]]:
        return [asdict(figure) for figure in plan_words.list_figures(self.t, self.saved.summary)[:_FIGURES]]

    def _tabulate_moves(self, most: int) -> dict[str, Any]:
        """Return the table of the first `most` moves: head, columns, rows, and a sentence on the moves left out."""
        t, plan = self.t, self.saved.summary
        heads, rows = move_words.head_moves(t), move_words.word_moves(t, plan)
        return {
            "head": plan_words.head_moves_table(t, plan),
            "columns": [getattr(heads, name) for name in _COLUMNS],
            "rows": [[getattr(row, name) for name in _COLUMNS] for row in rows[:most]],
            "more": move_words.count_left_out(t, len(rows) - most),
        }

    def write_second_page(self, room: SecondPage) -> dict[str, Any]:
        """Return the content of the second page: quarters, groups, areas, decisions, hand-overs, doubts, method."""
        t, plan = self.t, self.saved.summary
        needs = read_needs(self.current, plan.setting.pathway)
        cards = move_words.word_quarters(t, plan, room.phase) if plan.moves else []
        decisions = move_words.list_other_decisions(t, plan, room.decisions)
        warning = t("Communities are shown so that services reach them. No community causes trafficking.")
        shows_communities = any(row.group == "communities" for row in plan.equity)
        return {
            "second_size": room.size,
            "phases": {
                "head": t("Four quarters"),
                "cards": [asdict(card) for card in cards],
                "left": move_words.count_left(t, plan),
                "none": t("The moves are not divided among the quarters.")
                if plan.moves
                else t("No moves, so no phases."),
            },
            "groups": {"head": t("Who gains"), "columns": [t("Group"), *self._head_met()],
                       "rows": move_words.tabulate_groups(t, plan), "note": warning if shows_communities else ""},
            "areas": {"head": t("Areas that change most"), "columns": [t("Area"), *self._head_met()],
                      "rows": move_words.tabulate_changed_areas(t, plan, room.areas, needs), "note": ""},
            "decided": _section(t("Other decisions"), decisions),
            "handover": _section(t("Hand-over"), move_words.list_handover(t, plan, room.handovers)),
            "method": {"head": t("Method and data protection"),
                       "items": method.list_paragraphs(t, plan, self.release)},
            **self._list_doubts(room.doubts),
        }  # fmt: skip

    def _list_doubts(self, most: int | None = None) -> dict[str, Any]:
        t, plan = self.t, self.saved.summary
        doubts = list(plan_words.list_doubts(t, plan, headlines.count_undecided(self.current)))
        return {
            "uncertain": _section(t("What is uncertain"), doubts[:most]),
            "change": _section(t("What would change the advice"), plan_words.list_turning_points(t, plan)[:most]),
        }

    def _head_met(self) -> list[str]:
        return [self.t("In need"), self.t("Met today"), self.t("With the plan")]

    def write_slides(self) -> dict[str, Any]:
        """Return the content of the pictures for slides that is not in `write_common`."""
        t = self.t
        return {
            "moves": self._tabulate_moves(_SLIDE_MOVES),
            "none": t("No moves: all units stay where they are."),
            "figures": self._list_figures(),
            **self._list_doubts(),
            "heads": {"map": t("Need that is met, before and after the moves"), "today": t("Today"),
                      "planned": t("With the plan"), "sure": t("How sure this is")},
        }  # fmt: skip

    def _describe_map(self) -> dict[str, Any]:
        """Return the maps as SVG, with their caption, legend, notes and alternative text.

        The maps are "moves" (the need met today, with arrows), "today" (the same without arrows) and "planned" (the
        need met with the plan, with arrows).
        """
        t, plan = self.t, self.saved.summary
        flows = plan.sum_flows()
        codes = [code for start, end, _units in flows[:MOST_ARROWS] for code in (start, end)]
        names = {code: t.name_area(code) for code in list(dict.fromkeys(codes))[:_NAMED]}
        most = t("The map shows the {count} largest moves.", count=MOST_ARROWS)
        regions = {code: str(row["parent"]) for code, row in t.areas.rows.items() if row["level"] == "municipality"}
        today, planned = (colour_shares(plan.met_shares(when, regions)) for when in ("today", "planned"))
        classes = breaks.format_classes(LOWS, whole=False, sign=f"{SEPARATORS[t.language][2]}%")
        labels = [t(label.template, **label.values) for label in classes if isinstance(label, Message)]
        return {
            "moves": draw_map(t.areas, today, flows, names),
            "today": draw_map(t.areas, today),
            "planned": draw_map(t.areas, planned, flows, names, size=_SLIDE_NAMES),
            "alt": self._word_map(flows),
            "caption": t("Share of need that is met today; arrows: moves, wider for more units")
            if flows
            else t("Share of need that is met today"),
            "legend": [{"colour": c, "label": words} for c, words in zip(COVERAGE, labels, strict=True)],
            "none": t("no estimate"),
            "arrows": t("moves, wider for more units"),
            "notes": [
                *([most] if len(flows) > MOST_ARROWS else []),
                *([t("Boundaries are approximate.")] if t.areas.approximate("region") else []),
            ],
        }

    def _word_map(self, flows: list[tuple[str, str, int]]) -> str:
        t = self.t
        if not flows:
            return t("Map of Albania and Greece by the share of need that is met today. Nothing moves.")
        ways = [f"{t.name_area(start)} → {t.name_area(end)} ({t.format_number(units)})" for start, end, units in flows]
        return t(
            "Map of Albania and Greece by the share of need that is met, with an arrow for each move (units): {ways}.",
            ways=t.list_names(ways, _NAMED),
        )


def _section(head: str, items: list[str]) -> dict[str, Any]:
    return {"head": head, "items": items}
