"""The Reallocate page as markup: the advice with its gauge, a move as a card, the text on the chosen area."""

from __future__ import annotations

from collections.abc import Collection

from markupsafe import Markup

from dashboard.narrative import moves
from dashboard.narrative.area_plan import AreaPlanWords
from dashboard.narrative.moves import MoveWords
from dashboard.narrative.plan import list_figures, word_rule, word_time_up, word_verdict
from dashboard.narrative.speech import Speech
from dashboard.pages.reallocate import summary
from dashboard.site.text import _, html, join_markup
from risk.planning.explain import Move
from risk.planning.summary import PlanSummary


def render_verdict(t: Speech, plan: PlanSummary, risen: Collection[str] = ()) -> Markup:
    """Return the verdict as a card: what to do, how sure, what would change it; folded, how it was judged."""
    verdict, figures = word_verdict(t, plan, risen), list_figures(t, plan)
    facts = [
        (_("How sure"), verdict.sure),
        (_("What would change it"), verdict.change),
        (_("What could be seen"), verdict.seen),
        (_("One more team"), verdict.one_more),
    ]
    numbers = join_markup(
        html("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>", figure.label, figure.value, figure.below)
        for figure in figures
    )
    sentences = [word_rule(t), "" if plan.verdict.proven else word_time_up(t), *summary.explain_measure(plan)]
    return html(
        '<div class="verdict {}"><div><p class="lead">{}</p><p>{}</p>{}{}</div><dl class="facts">{}</dl>'
        "<details><summary>{}</summary>{}<dl>{}</dl></details></div>",
        verdict.answer,
        verdict.head,
        verdict.text,
        html('<p class="warned">{}</p>', verdict.warning) if verdict.warning else "",
        html("<p>{}</p>", verdict.note) if verdict.note else "",
        join_markup(html("<div><dt>{}</dt><dd>{}</dd></div>", name, text) for name, text in facts if text),
        _("Why, and how it is measured"),
        join_markup(html("<p>{}</p>", sentence) for sentence in sentences if sentence),
        numbers,
    )


def render_moves(t: Speech, plan: PlanSummary) -> list[Markup]:
    """Return a card for each move; the gains of all cards are drawn on the same scale."""
    gains, words = [move.gain for move in plan.moves], moves.word_moves(t, plan)
    scale = min([0.0, *(gain.low for gain in gains)]), max([0.1, *(gain.high for gain in gains)])
    return [_render_move(t, plan, number, words[number], scale) for number in range(len(plan.moves))]


def _render_move(t: Speech, plan: PlanSummary, number: int, words: MoveWords, scale: tuple[float, float]) -> Markup:
    """Return a move as a card: from, to, gain with interval, chance, who gains, who loses; other facts are folded.

    number : the index of the move. scale : the lowest and highest gain of the scale, in children per quarter.
    """
    move, heads = plan.moves[number], moves.head_moves(t)
    shown = [(heads.chance, words.chance), (heads.helps, words.helps), (heads.takes, words.takes)]
    more = [(heads.condition, words.condition), (heads.hours, words.hours)]
    decided = plan.decision_on(move) is not None or move.accepted
    return html(
        '<div class="move"><b class="number">{}</b><h3>{} → {}</h3><p class="what">{}{}</p>{}{}'
        "<details><summary>{}</summary><dl>{}</dl></details></div>",
        number + 1,
        words.start,
        words.end,
        words.what,
        html(' <em class="decided">{}</em>', words.decision) if decided else "",
        _render_gain(words, move, scale),
        join_markup(html("<p>{}: <b>{}</b></p>", name, value) for name, value in shown),
        _("More"),
        join_markup(html("<div><dt>{}</dt><dd>{}</dd></div>", name, value) for name, value in more),
    )


def _render_gain(words: MoveWords, move: Move, scale: tuple[float, float]) -> Markup:
    low, high = scale
    starts = [move.gain.low - low, move.gain.high - move.gain.low, move.gain.mean - low, -low]
    places = [f"{100 * part / (high - low):.1f}" for part in starts]
    return html(
        '<p class="gain"><span>{} <b>{}</b></span><i aria-hidden="true"><b style="left:{}%;width:{}%"></b>'
        '<u style="left:{}%"></u><s style="left:{}%"></s></i></p>',
        _("Children reached per quarter:"),
        words.gain,
        *places,
    )


def render_waiting(words: str) -> Markup:
    """Return words for the middle of the box of the map, which has no map yet."""
    return html('<p class="waiting">{}</p>', words)


def render_area(t: Speech, area: str, words: AreaPlanWords | None) -> Markup:
    """Return the text on what the plan does in the chosen area; if `words` is None, how to choose an area."""
    if words is None:
        hint = _("Choose an area in the bar above to read what the plan does there, and why not more.")
        return html('<p class="ofarea quiet">{}</p>', hint)
    rows = [(_("Why not more"), words.why), (_("What would have to be true"), words.condition)]
    return html(
        '<div class="ofarea"><p><b>{}.</b> {}</p><dl>{}</dl></div>',
        t.name_area(area),
        words.does,
        join_markup(html("<div><dt>{}</dt><dd>{}</dd></div>", name, text) for name, text in rows if text),
    )
