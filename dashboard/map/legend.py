"""The legend on the map: title, unit, period, source, margin, classes and states in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.map.values import Mark
from dashboard.site.text import _, capitalise, html, join_markup, translate

_SMALLEST = 2.5
_ORDER = ("few", "almost_none", "not_searched", "structural_zero", "withheld", "cannot_tell", "no_figure", "no_data")


@dataclass(frozen=True)
class LegendClass:
    """A class of areas in a legend: its colour and its words."""

    colour: str
    words: str


def render_legend(
    marks: Sequence[Mark], beside: str = "", *, projector: bool = False, more: Markup | None = None
) -> Markup:
    """Return the legend of all layers, the main one first. projector : whether its circles and letters are larger.

    beside : the caution for a community layer that is shown with another layer; it stays visible when the reader folds
    the legend (dashboard/static/tactmap.js). more : markup that follows the layers. Optional end tags are left out,
    because the legend is sent again with every change.
    """
    filled = any(mark.data.style.kind == "fill" for mark in marks)
    sources = list(dict.fromkeys(translate(mark.data.legend.source) for mark in marks))
    # If layers have the same source, it is written once, at the end.
    shared = sources[0].rstrip(".") if len(marks) > len(sources) else ""
    parts = [_render_layer(mark, 1.5 if projector else 1.0, filled=filled, sourced=not shared) for mark in marks]
    if shared:
        parts.append(html('<p class="origin shared">{}.</p>', shared))
    fold = html("<button class=fold>{}</button><button class=unfold>{}</button>", _("Hide legend"), _("Show legend"))
    return html(
        '<div class="legend{}" tabindex=0>{}{}{}{}</div>',
        " projecting" if projector else "",
        fold,
        join_markup(parts),
        more or "",
        html("<p class=beside>{}</p>", beside) if beside else "",
    )


def _render_layer(mark: Mark, scale: float, *, filled: bool, sourced: bool) -> Markup:
    words = mark.data.legend
    unit = join_markup([html("{}", mark.unit), html(", {}", translate(words.period)) if words.period else ""])
    margin = html("{}. ", capitalise(translate(words.margin))) if words.margin else ""
    source = html("{}.", translate(words.source).rstrip(".")) if words.source and sourced else ""
    return html(
        "<section><h2>{}</h2><p class=unit>{}{}{}{}</section>",
        mark.title,
        unit,
        _render_scale(mark, scale, filled=filled),
        _render_without(mark) if filled and mark.data.style.kind != "fill" else _render_states(mark),
        html("<p class=origin>{}{}", margin, source),
    )


def _render_scale(mark: Mark, scale: float, *, filled: bool) -> Markup:
    style = mark.data.style
    if style.kind == "circle":
        return _render_circles(mark, scale)
    if not mark.data.classes().ge(0).any():
        return Markup("")
    if style.kind == "fill":
        return render_classes([LegendClass(*pair) for pair in zip(style.colours, mark.labels, strict=True)], "rows")
    rows = [
        html('<li><i class=hatch style="--colour:{};--gap:{}px"></i>{}', colour, gap, label)
        for colour, gap, label in zip(
            style.colours, _list_gaps(len(style.colours), filled=filled), mark.labels, strict=True
        )
    ]
    return html("<ul class=rows>{}</ul>", join_markup(rows))


def _list_gaps(classes: int, *, filled: bool) -> tuple[float, ...]:
    """Return the gaps between the lines of each class in pixels, as dashboard/static/tactmap.js draws them."""
    return ((23, 18, 14, 11, 8.5) if filled else (16, 12, 9, 7, 5.5))[-classes:]


def render_classes(classes: Iterable[LegendClass], name: str) -> Markup:
    """Return a list of the classes with their colours; name : the class of the list in the style sheet."""
    rows = (html('<li><i style="background:{}"></i>{}', entry.colour, entry.words) for entry in classes)
    return html("<ul class={}>{}</ul>", name, join_markup(rows))


def _render_circles(mark: Mark, scale: float) -> Markup:
    rows, style = [], mark.data.style
    for value, label in zip(style.breaks, mark.labels, strict=True):
        radius = scale * max(_SMALLEST, style.radius(value, mark.most))
        rows.append(html("<li style=--size:{}px>{}", f"{2 * radius:.1f}", label))
    return html("<ul class=circles>{}</ul>", join_markup(rows)) if rows else Markup("")


def _render_states(mark: Mark) -> Markup:
    rows = [html("<li><i class={}></i>{}", f"state-{state}", mark.words[state]) for state in _list_present(mark)]
    return html("<ul class=rows>{}</ul>", join_markup(rows)) if rows else Markup("")


def _list_present(mark: Mark) -> list[str]:
    present = set(mark.data.list_marks())
    return [state for state in _ORDER if state in present]


def _render_without(mark: Mark) -> Markup:
    """Return a sentence on what areas without a symbol mean, where another layer fills the areas and hides patterns.

    Empty if each area has a symbol.
    """
    states = [mark.words[state] for state in _list_present(mark)]
    if not states:
        return Markup("")
    sentence = _("Areas without a symbol: {states}.", states=", ".join(states))
    if len(states) > 1:
        sentence = f"{sentence} {_('Point at an area to see which.')}"
    return html("<p class=without>{}</p>", sentence)
