"""The picture of the Reallocate page: the advice, the map of the plan, and its moves by number.

Areas show classes, not numbers, because the numbers of a plan are in no table of the release and cannot be checked.
"""

from __future__ import annotations

from dataclasses import replace

from dashboard.briefing.sheet import LegendPart, LegendRow, Sheet
from dashboard.briefing.view_sheet import draw_arrow, draw_layers
from dashboard.narrative import plan as narrative
from dashboard.narrative.judgement import list_risen
from dashboard.narrative.moves import count_left_out, word_move
from dashboard.pages.reallocate import forms, planner, session
from dashboard.pages.reallocate import map as move_map
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from dashboard.widgets import address
from data.errors import InputError, ReleaseError
from risk.planning.clashes import RulesClash
from risk.planning.saved import list_saved_plans
from risk.planning.summary import PlanSummary

_MOST = 14  # moves in words


def make_sheet(site: Site, current: CurrentRelease) -> Sheet | None:
    """Return the sheet of the plan in the address; None on the public tier, or if no plan can be made."""
    if current.tier == "public":
        return None
    setting = forms.read_setting()
    work = session.find_in_address(list_saved_plans(site.plan_folders, current.release).plans, setting.level)
    author, title = session.name_author(forms.ANYBODY), _("Plan, not saved yet")
    try:
        plan = planner.compute_plan(
            current, work.posts, setting, work.decisions, author, title=title, handover=work.handover
        )
    except (RulesClash, InputError, ReleaseError):
        return None
    return draw_plan(current, plan, address.read_choice("when", list(move_map.VIEWS)))


def draw_plan(current: CurrentRelease, plan: PlanSummary, view: str) -> Sheet:
    """Return the sheet of a plan with the map of a view (a key of VIEWS)."""
    t, layer = planner.speak(current), move_map.describe_layer(current, plan, view)
    verdict = narrative.word_verdict(t, plan, list_risen(current))
    sheet = draw_layers(
        current,
        plan.setting.level,
        [layer],
        [_("Decisions and posts count as they were saved with the plan.")],
        _("Reallocate"),
        [f"{verdict.head}.", *verdict.list_sentences()],
        [draw_arrow(arrow) for arrow in move_map.draw_arrows(current, plan)],
        numbered=False,
    )
    if not plan.moves:
        return sheet
    lines = [f"{n}. {word_move(t, move)} ({t.format_gain(move.gain)})" for n, move in enumerate(plan.moves, 1)]
    rest = count_left_out(t, len(lines) - _MOST)
    arrows = LegendRow("#1D2433", _("Moves by number; wider: more units"), line=5.0)
    gain, notes = _("Gain, children per quarter (95 %)"), [*lines[:_MOST], *([rest] if rest else [])]
    part = LegendPart(narrative.head_moves_table(t, plan), gain, [arrows], notes)
    return replace(sheet, legend=[*sheet.legend, part])
