"""The picture of the Risk page: its first sentences, and its map of rates with their certainty."""

from __future__ import annotations

from dashboard.briefing.sheet import LegendPart, LegendRow, Sheet, fill_state
from dashboard.briefing.view_sheet import draw_marks, make_key_part, read_source
from dashboard.narrative.evaluation import warn_of_model
from dashboard.narrative.risk import name_certainty, name_pathways, read_public_classes
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.risk import rates, summary
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, read_risk_manifest
from dashboard.site.text import _
from dashboard.widgets import address
from dashboard.widgets.picture import fade_colour
from geo.layers.core import palette


def make_sheet(_site: Site, current: CurrentRelease) -> Sheet | None:
    """Return the sheet for the pathway and certainty in the address; None if the page has no map."""
    manifest = read_risk_manifest(current)
    if manifest is None:
        return None
    if current.tier == "public":
        period, classes = read_public_classes(current)
        if not classes:
            return None
        marks = rates.make_public_marks(speak_to_reader(current), classes)
        part = make_key_part(rates.make_public_key(period, classes), [read_source(current, "risk")])
        return Sheet([draw_marks(current, marks)], [part], current.release.invented, _("Risk"), rates.explain_classes())
    pathway = address.read_pathway(list(name_pathways()))
    least, area = address.read_choice("sure", list(rates.name_steps())), summary.find_area(current, pathway)
    return Sheet(
        [draw_marks(current, rates.make_marks(current, pathway, least, area))],
        _make_legend(current, pathway, least),
        current.release.invented,
        f"{_('Risk')} · {name_pathways()[pathway]}",
        [*filter(None, [warn_of_model(manifest.evaluation)]), summary.word_answer(current, pathway)],
    )


def _make_legend(current: CurrentRelease, pathway: str, least: str) -> list[LegendPart]:
    """Return the two parts of the legend: the classes of the estimate, and the strengths of the colour."""
    classes = [LegendRow(*row) for row in rates.name_classes().items()]
    strengths = [
        LegendRow(fade_colour(palette.RISKS[-1], strength), name_certainty(code) or _("cannot tell"))
        for code, strength in rates.STRENGTHS.items()
    ]
    hidden = rates.word_hidden(current, pathway, least)
    unit = _("{pathway}, whole time", pathway=name_pathways()[pathway])
    strengths += [LegendRow(fill_state("cannot_tell"), hidden)] if hidden else []
    return [
        LegendPart(_("Rate, times the national average"), unit, classes),
        LegendPart(_("How sure"), _("the paler, the less sure"), strengths, [read_source(current, "risk")]),
    ]
