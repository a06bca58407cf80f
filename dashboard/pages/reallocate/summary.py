"""The content of the Reallocate page: tables of moves, quarters, groups and areas, and texts that explain them.

The words come from dashboard/narrative, which the briefing and `tact plan` use too.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dashboard.narrative import moves
from dashboard.narrative.speech import Speech
from dashboard.site.text import _
from risk.planning.summary import PlanSummary

_SURE = 0.8


def explain_measure(summary: PlanSummary) -> list[str]:
    """Return texts on how a plan is measured, and that its posts are estimated (empty if they are not)."""
    return [
        _(
            "Need met: the children in need whom the units can reach and help in a quarter. "
            "It is an estimate with an interval, because nobody knows how many children are "
            "never identified."
        ),
        _("It is based on estimated posts; correct them under “Current posts”.") if summary.posts_drafted else "",
    ]


def tabulate_moves(t: Speech, summary: PlanSummary) -> pd.DataFrame:
    """Return a table of the moves in words, a row for each, largest gain first.

    The column of decisions is left out if the plan has none.
    """
    heads = moves.head_moves(t)
    columns = ("gain", "chance", "helps", "takes", "condition", "hours", "decision")
    rows = [
        (f"{row.what}: {row.start} → {row.end}", *(getattr(row, name) for name in columns))
        for row in moves.word_moves(t, summary)
    ]
    frame = pd.DataFrame(rows, columns=[_("Move"), *(getattr(heads, name) for name in columns)])
    return frame if summary.decisions else frame.drop(columns=heads.decision)


def explain_moves(summary: PlanSummary) -> str:
    """Return sentences on how to read the table of moves: gains do not add up, and what is uncertain."""
    sentences = [
        _(
            "Each move is compared with not making it while all others are made, so single "
            "gains do not add up to the total."
        )
    ]
    if doubtful := sum(move.beats_staying < _SURE for move in summary.moves):
        sentences.append(
            _(
                (
                    "{count} of the moves have too low a chance to help on their own; fewer moves "
                    "may do nearly as well. See below what more or fewer moves would bring."
                ),
                count=doubtful,
            )
        )
    if summary.travel_provisional:
        sentences.append(
            _(
                "Travel across water without an entered time is estimated from the straight "
                "line; units are never assumed to reach children across water."
            )
        )
    return " ".join(sentences)


def tabulate_quarters(t: Speech, summary: PlanSummary) -> pd.DataFrame:
    """Return a table of the quarters until the last move, a row for each: its moves, and the need met in it."""
    last = max((quarter.quarter for quarter in summary.phases if quarter.moves), default=0)
    rows = [
        (quarter.title, "; ".join(quarter.lines), "; ".join(quarter.below))
        for quarter in moves.word_quarters(t, summary)[:last]
    ]
    return pd.DataFrame(rows, columns=[_("When"), _("Moves"), _("Need met in the quarter")])


def tabulate_groups(t: Speech, summary: PlanSummary) -> pd.DataFrame:
    """Return a table with a row for each group of areas: need per quarter, per cent of it met today and with the plan.

    The groups are the countries, areas with communities, and other areas.
    """
    head = [_("Where"), _("Children in need per quarter"), _("Need met today"), _("With the plan")]
    frame = pd.DataFrame(moves.tabulate_groups(t, summary), columns=head)
    frame.insert(1, _("Areas"), [row.areas for row in summary.equity])
    return frame


def tabulate_areas(t: Speech, summary: PlanSummary, needs: Mapping[str, float]) -> pd.DataFrame:
    """Return a table with a row for each area: units, need per quarter, and the per cent met today and with the plan.

    needs : the need that all pages show, by area code; for an area that is not in it, the plan's estimate is used.
    """
    today, planned = summary.met_shares("today"), summary.met_shares("planned")
    rows = [
        (
            t.name_area(row.area),
            _word_units(row.units_today, row.units_planned),
            t.format_number(needs.get(row.area, row.need)),
            t.format_percent(today[row.area]) if row.area in today else "–",
            t.format_percent(planned[row.area]) if row.area in planned else "–",
        )
        for row in summary.coverage
    ]
    head = [
        _("County or region") if summary.setting.level == "region" else _("Municipality"),
        _("Units"),
        _("Children in need per quarter"),
        _("Need met today"),
        _("With the plan"),
    ]
    return pd.DataFrame(rows, columns=head)


def _word_units(today: Mapping[str, int], planned: Mapping[str, int]) -> str:
    """Return the number of units of each kind as text, followed by the new number if it changes."""
    kinds = [
        f"{kind}: {count}" if count == planned[kind] else f"{kind}: {count} → {planned[kind]}"
        for kind, count in today.items()
        if count or planned[kind]
    ]
    return ", ".join(kinds) or "–"
