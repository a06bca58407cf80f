"""The content of the cells of the Trends page (changes and small pictures of areas), and the page's first sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard.narrative import risk as narrative
from dashboard.narrative.judgement import judge_areas
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.trends import breaks, multiples, summary
from dashboard.pages.trends.multiples import AreaCell, Badge
from dashboard.site.current_release import CurrentRelease, load_areas, name_regions, read_area_names
from dashboard.site.text import _, cache_by_language, format_number
from risk.model.breaks import Break

_UP, _DOWN, _NAMED = "up", "down", 3


def judge_changes(current: CurrentRelease, accepted: Sequence[Break], pathway: str) -> dict[str, Badge]:
    """Return a badge on the change in each area over the last year, by code.

    It is the change of the rate; if `pathway` stands for all pathways, it is the change of the counts.

    An area without a change has "cannot tell". An area whose breaks were accepted or removed after the model ran has
    "not compared". Empty if no area has a change.
    """
    if pathway == summary.EVERY:
        badges = {
            change.area: Badge(
                narrative.name_count_verdict(change), {"rise": _UP, "fall": _DOWN}.get(change.verdict, "")
            )
            for change in summary.read_trends(current).changes
            if change.pathway == pathway
        }
    else:
        sides = {**dict.fromkeys(narrative.RISING, _UP), **dict.fromkeys(narrative.FALLING, _DOWN)}
        badges = {
            code: Badge(
                narrative.name_claim(change.claim, change=True),
                sides.get(change.claim, change.claim and "same"),
                narrative.name_certainty(change.certainty) if change.claim else "",
                bool(change.claim) and change.certainty == "very_likely",
            )
            for code, judged in judge_areas(current).items()
            if (change := judged.changes.get(pathway)) is not None
        }
    if badges:
        badges |= {code: Badge(_("cannot tell"), "") for code in judge_areas(current) if code not in badges}
    outdated = {code for code in badges if summary.is_outdated(current, accepted, code)}
    return {code: Badge(_("not compared"), "") if code in outdated else badge for code, badge in badges.items()}


def find_answer(current: CurrentRelease, badges: Mapping[str, Badge]) -> str:
    """Return sentences on the areas that are up or down on the year before, and on the number of unknown ones.

    Empty without badges.
    """
    if not any(badge.side for badge in badges.values()):
        return _("No area is clearly up or down on the year before.") if badges else ""
    t = speak_to_reader(current)
    sentences = [
        template.format(areas=t.list_areas([code for code, badge in badges.items() if badge.side == side], _NAMED))
        for side, template in ((_UP, _("Up on the year before: {areas}.")), (_DOWN, _("Down: {areas}.")))
        if any(badge.side == side for badge in badges.values())
    ]
    unknown = sum(not badge.side for badge in badges.values())
    sentences = sentences or [_("No area is known to be up or down on the year before.")]
    if unknown:
        sentences.append(_("Of {n} of {all} areas it cannot be told.", n=unknown, all=len(badges)))
    return " ".join(sentences)


def list_multiples(
    current: CurrentRelease, accepted: Sequence[Break], badges: Mapping[str, Badge], pathway: str, measure: str
) -> list[AreaCell]:
    """Return the cells of all areas for a measure (see `summary.name_measures`) and a pathway.

    Breaks are marked on the partner tier.
    """
    return _list_share_cells(current) if measure == summary.SHARE else _list_cells(current, accepted, badges, pathway)


def word_scales(current: CurrentRelease, measure: str) -> str:
    """Return a sentence on the scales of the cells for a measure.

    Shares have one scale. Numbers have a scale for each cell, because those of most areas would be flat on that of the
    largest one.
    """
    if measure == summary.SHARE:
        return _("All charts have the same scale, 0 to 100 %.")
    if current.tier == "public":
        return _("Each chart has its own scale, given above it.")
    return _("Each chart has its own scales; that of the children is given above it.")


def _list_cells(
    current: CurrentRelease, accepted: Sequence[Break], badges: Mapping[str, Badge], pathway: str
) -> list[AreaCell]:
    cells = []
    for code, country, name in _list_areas_of(current):
        quarters = breaks.name_breaks(current, accepted, code, pathway) if current.tier == "partner" else ()
        drawn = _draw_counts(current, code, pathway, tuple(quarters))
        cells.append(AreaCell(code, country, name, badges.get(code, Badge("", "")), *drawn))
    return cells


@cache_by_language(maxsize=1024)
def _draw_counts(current: CurrentRelease, code: str, pathway: str, breaks: tuple[str, ...]) -> tuple[str, str, str]:
    """Return the small picture of an area as SVG, its scale, and the picture in words."""
    met, days = summary.read_met(current, code, pathway), summary.read_effort(current, code)
    days = days if current.tier == "partner" else days.head(0)
    scale = f"0–{format_number(round(multiples.find_top(met)))}" if met["value"].notna().any() else ""
    return multiples.draw_counts(met, days, breaks), scale, multiples.describe_counts(met)


def _list_share_cells(current: CurrentRelease) -> list[AreaCell]:
    """Return the cells of the share of internal trafficking, each with its last value in words."""
    cells = []
    for code, country, name in _list_areas_of(current):
        shares = summary.read_share(current, code)
        words = f"{shares['words'].iloc[-1]} %" if len(shares) else _("no number")
        cells.append(
            AreaCell(
                code,
                country,
                name,
                Badge(words, ""),
                multiples.draw_share(shares),
                "0–100" if len(shares) else "",
                words,
            )
        )
    return cells


def _list_areas_of(current: CurrentRelease) -> list[tuple[str, str, str]]:
    """Return the code, the code of the country, and the name of each county and region."""
    names, countries = read_area_names(current), load_areas(current.release).table["country"]
    return [(code, str(countries[code]), str(names[code])) for code in name_regions(current)]
