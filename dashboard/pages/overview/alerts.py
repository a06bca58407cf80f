"""What is new since the earlier release, as the last row of the Overview page: up to four alerts, each with a link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.narrative.digest import (
    describe_news,
    find_gaps,
    find_new_rises,
    find_newly_unsearched,
    find_rises,
    find_unsearched,
)
from dashboard.narrative.judgement import AreaJudgement, judge_areas, read_plan_review
from dashboard.narrative.plan import ANSWERS, name_answer
from dashboard.narrative.risk import list_warnings, name_certainty, name_claim, name_pathways
from dashboard.narrative.speech import Speech, make_legible
from dashboard.site import NEWS, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, html, join_markup
from risk.planning.saved import list_saved_plans

_MOST, _NAMED = 4, 2


@dataclass(frozen=True)
class Alert:
    """An alert. title : what is new. link : address of a page that says more. calm : whether nothing has to be done."""

    title: str
    detail: str
    link: str
    calm: bool = False


def list_alerts(t: Speech, current: CurrentRelease, earlier: CurrentRelease | None) -> list[Alert]:
    """Return at most four alerts, the most important first; without an earlier release all rises and gaps count as new.

    The last one leads to all that is new, or says that there is nothing to compare with.
    """
    areas, before = judge_areas(current), (judge_areas(earlier) if earlier else {}) or None
    alerts = [
        *_list_plan_alerts(t, current),
        *_list_rises(t, areas, before),
        *_list_unsearched(t, areas, current, earlier),
        *_list_gaps(t, areas, before),
    ]
    if earlier is None or before is None:
        title = _("First release: nothing to compare with yet")
        detail = _("from the next release on, new rises and gaps stand here")
        if earlier is not None:
            title = _("No risk of release {name} to compare with", name=earlier.release.name)
            detail = _("tact risk was not run for it")
        return [*alerts[: _MOST - 1], Alert(title, detail, "trends", calm=True)]
    return [*alerts[: _MOST - 1], lead_to_news(current, earlier, alone=not alerts)]


def _list_plan_alerts(t: Speech, current: CurrentRelease) -> Iterator[Alert]:
    """Yield alerts on a plan of an earlier release that no longer holds, and on the newest saved plan of this release.

    Nothing is yielded for a plan that does not exist.
    """
    review = read_plan_review(current)
    if review is not None and not review.holds:
        now = t(ANSWERS[review.now]) if review.now in ANSWERS else _("its rules cannot be kept any more")
        yield Alert(
            _("The plan “{title}” no longer holds", title=make_legible(review.title)),
            _("release {release}: {then}; now: {now}", release=review.release, then=t(ANSWERS[review.then]), now=now),
            "reallocate",
        )
    for plan in list_saved_plans(read_site().plan_folders, current.release).plans[:1]:
        summary, title = plan.summary, make_legible(plan.summary.title)
        facts = name_answer(t, summary), t.format_day(summary.author.date)
        yield Alert(
            _("Saved plan: “{title}”", title=title),
            t.join_parts(fact for fact in facts if fact.casefold() not in title.casefold()),
            f"reallocate?plan={plan.address}&pathway={summary.setting.pathway}",
        )


def _list_rises(
    t: Speech, areas: Mapping[str, AreaJudgement], before: Mapping[str, AreaJudgement] | None
) -> Iterator[Alert]:
    """Yield an alert for each rise of the last year's rate that the earlier release did not show.

    before : the judgement of the earlier release; with None, every rise gives an alert.
    """
    rises = find_rises(areas) if before is None else find_new_rises(areas, before)
    for (code, pathway), change in rises.items():
        detail = _(
            "{pathway}: {claim}, {likely}, {ratio} times the year before",
            pathway=name_pathways()[pathway],
            claim=name_claim(change.claim, change=True),
            likely=name_certainty(change.certainty),
            ratio=t.format_number(change.value, 2),
        )
        warnings = list_warnings(t, change.effort_ratio, effort=change.effort_warning, ways=change.ways_warning)
        title = _("The rate rose in {area}", area=t.name_area(code))
        yield Alert(
            title,
            ". ".join([detail, " ".join(warnings)]) if warnings else detail,
            f"trends?area={code}&pathway={pathway}",
        )


def _list_unsearched(
    t: Speech, areas: Mapping[str, AreaJudgement], current: CurrentRelease, earlier: CurrentRelease | None
) -> Iterator[Alert]:
    """Yield an alert on the areas without outreach in the last two quarters, if the earlier release had them with it.

    Without an earlier release, the alert is on all areas without outreach in the last two quarters.
    """
    silent = find_newly_unsearched(current, earlier) if earlier else find_unsearched(current)
    codes = [code for code in areas if code in silent]
    if codes:
        yield Alert(
            _("{areas}: not searched for two quarters", areas=t.list_areas(codes, _NAMED)),
            _("no outreach is recorded there"),
            f"map?layer=effort&area={codes[0]}",
        )


def _list_gaps(
    t: Speech, areas: Mapping[str, AreaJudgement], before: Mapping[str, AreaJudgement] | None
) -> Iterator[Alert]:
    """Yield an alert for each axis of work with gaps that the earlier release did not show.

    before : the judgement of the earlier release; with None, every axis with gaps gives an alert.
    """
    # What was withheld, or could not be told, is not new.
    gaps = find_gaps(areas) if before is None else find_gaps(areas) & find_gaps(before, "none")
    areas_by_axis: dict[str, list[str]] = {}
    for code in sorted(areas, key=lambda code: -_count_unmet(areas[code])):
        for axis in areas[code].gaps:
            if (code, axis) in gaps:
                areas_by_axis.setdefault(axis, []).append(code)
    title = _("Gap, {axis}: {areas}") if before is None else _("New gap, {axis}: {areas}")
    for axis, codes in sorted(areas_by_axis.items(), key=lambda item: -len(item[1])):
        yield Alert(
            title.format(axis=t.name_kind(axis), areas=t.list_areas(codes, _NAMED)),
            _("reach is under half of the national average"),
            f"coverage?show=gap&services=axis-{axis}",
        )


def _count_unmet(judged: AreaJudgement) -> float:
    return judged.unmet.amount.value if judged.unmet else 0.0


def lead_to_news(current: CurrentRelease, earlier: CurrentRelease, *, alone: bool = True) -> Alert:
    """Return the alert that links to all that is new since the earlier release, or that says that nothing is new.

    alone : whether it is the only alert. Raises InputError for releases of different tiers.
    """
    name = earlier.release.name
    if not describe_news(current, earlier):
        title = _("Nothing new") if alone else _("Nothing else is new")
        return Alert(title, _("nothing beyond the noise since release {name}", name=name), NEWS, calm=True)
    return Alert(_("What is new"), _("all changes since release {name}", name=name), NEWS, calm=True)


def render_alerts(alerts: list[Alert]) -> Markup:
    """Return the alerts side by side; each is a link."""
    cards = join_markup(
        html(
            '<a class="{}" href="{}" target="_self"><b>{}</b><span>{}</span></a>',
            "calm" if alert.calm else "new",
            alert.link,
            alert.title,
            alert.detail,
        )
        for alert in alerts
    )
    return html('<nav class="alerts" aria-label="{}">{}</nav>', _("New since the last release"), cards)
