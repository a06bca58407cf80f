"""The Reallocate page as markup: the advice with its gauge, a move as a card, the text on the chosen area."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.narrative import moves
from dashboard.narrative.area_plan import AreaPlanWords
from dashboard.narrative.moves import MoveWords
from dashboard.narrative.plan import list_figures, word_time_up, word_verdict
from dashboard.narrative.speech import Speech
from dashboard.pages.reallocate import summary
from dashboard.site.text import _, html, join_markup
from risk.planning.explain import Move
from risk.planning.result import LEAST_CHANCE, LEAST_GAIN
from risk.planning.summary import PlanSummary

_SHOWN = (0, 2)  # indices of the figures that are always shown: gain, worst-served areas


def render_verdict(t: Speech, plan: PlanSummary) -> Markup:
    """Return the advice, a gauge of how sure it is, the main numbers, and folded, the reasons and all numbers."""
    verdict, figures = word_verdict(t, plan), list_figures(t, plan)
    shown = (figures[place] for place in _SHOWN)
    first = join_markup(html("<div><dt>{}</dt><dd>{}</dd></div>", figure.label, figure.value) for figure in shown)
    rest = join_markup(
        html("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>", figure.label, figure.value, figure.below)
        for figure in figures
    )
    sentences = [verdict.text, "" if plan.verdict.proven else word_time_up(t), *summary.explain_measure(plan)]
    return html(
        '<div class="verdict"><p class="lead">{}</p>{}<dl>{}</dl>{}{}<details><summary>{}</summary>{}<dl>{}</dl>'
        "</details></div>",
        verdict.head,
        _render_gauge(t, plan) if plan.moves else "",
        first,
        html('<p class="warned">{}</p>', verdict.warning) if verdict.warning else "",
        html("<p>{}</p>", verdict.note) if verdict.note else "",
        _("Why, and how it is measured"),
        join_markup(html("<p>{}</p>", sentence) for sentence in sentences if sentence),
        rest,
    )


def _render_gauge(t: Speech, plan: PlanSummary) -> Markup:
    """Return a gauge from 0 to 100 per cent: the chance of a gain, and the chance from which moves are advised."""
    chance = t.format_chance(plan.verdict.probability)
    words = _("Chance of a gain over {least}: {chance}", least=t.format_percent(LEAST_GAIN), chance=chance)
    limit = _("moves are advised from {enough}", enough=t.format_percent(LEAST_CHANCE))
    return html(
        '<figure class="gauge {}"><figcaption>{}</figcaption><i aria-hidden="true"><b style="width:{}%"></b>'
        '<s style="left:{}%"></s></i><small>{}</small></figure>',
        "enough" if plan.verdict.probability >= LEAST_CHANCE else "",
        words,
        f"{100 * plan.verdict.probability:.1f}",
        f"{100 * LEAST_CHANCE:.0f}",
        limit,
    )


def render_moves(t: Speech, plan: PlanSummary) -> list[Markup]:
    """Return a card for each move; the gains of all cards are drawn on the same scale."""
    scale, words = _find_scale(plan), moves.word_moves(t, plan)
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


def _find_scale(plan: PlanSummary) -> tuple[float, float]:
    """Return the ends, in children per quarter, of the scale on which all gains of a plan are drawn."""
    gains = [move.gain for move in plan.moves]
    return min([0.0, *(gain.low for gain in gains)]), max([0.1, *(gain.high for gain in gains)])


def _render_gain(words: MoveWords, move: Move, scale: tuple[float, float]) -> Markup:
    low, high = scale
    starts = [move.gain.low - low, move.gain.high - move.gain.low, move.gain.mean - low, -low]
    places = [f"{100 * part / (high - low):.1f}" for part in starts]
    return html(
        '<p class="gain"><span>{} <b>{}</b></span><i aria-hidden="true"><b style="left:{}%;width:{}%"></b>'
        '<u style="left:{}%"></u><s style="left:{}%"></s></i></p>',
        _("Children:"),
        words.gain,
        *places,
    )


def render_waiting(words: str) -> Markup:
    """Return words for the middle of the box of the map, which has no map yet."""
    return html('<p class="waiting">{}</p>', words)


def render_area(t: Speech, area: str, words: AreaPlanWords | None, hint: str) -> Markup:
    """Return the text on what the plan does in the chosen area; `hint` if `words` is None."""
    if words is None:
        return html('<p class="ofarea quiet">{}</p>', hint)
    rows = [(_("Why not more"), words.why), (_("What would have to be true"), words.condition)]
    return html(
        '<div class="ofarea"><p><b>{}.</b> {}</p><dl>{}</dl></div>',
        t.name_area(area),
        words.does,
        join_markup(html("<div><dt>{}</dt><dd>{}</dd></div>", name, text) for name, text in rows if text),
    )
