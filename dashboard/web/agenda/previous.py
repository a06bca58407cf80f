"""The opening of a meeting: the decisions of the meeting before, and what has changed since, by the same measures."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from dashboard.narrative.judgement import read_plan_review
from dashboard.narrative.since import word_since
from dashboard.narrative.speech import Speech, make_legible
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, open_current_release
from dashboard.site.reader import find_reader
from dashboard.site.text import _, html, join_markup
from dashboard.web.agenda.decisions import name_plans, word_details
from dashboard.web.agenda.state import list_numbers
from data.accounts.meetings import Decision, Meeting
from data.personal.free_text import LONGEST


def render_previous(t: Speech, current: CurrentRelease, meeting: Meeting) -> Markup:
    """Return the decisions of a meeting, each with the changes up to the newest release.

    Empty if nothing was decided beside the views that the reader may see. current : used if no newest release can be
    opened.
    """
    current = open_current_release(replace(read_site(), asked="")) or current
    items = [meeting.items[number - 1] for number in list_numbers(meeting, find_reader())]
    pairs = [(item.release, decision) for item in items for decision in item.decisions]
    if not pairs:
        return Markup("")
    plans = name_plans(current, [decision for _release, decision in pairs])
    before = {release: open_current_release(replace(read_site(), asked=release)) for release, _decision in pairs}
    rows = join_markup(
        html(
            "<li><b>{}</b><span>{}</span><ul>{}</ul></li>",
            make_legible(decision.what, LONGEST),
            word_details(t, decision, plans),
            join_markup(
                html("<li>{}</li>", sentence)
                for sentence in _list_changes(t, current, release, before[release], decision)
            ),
        )
        for release, decision in pairs
    )
    head = _("Decided on {day}, and what has changed since", day=t.format_day(meeting.day))
    return html('<section class="agendabefore"><h2>{}</h2><ol>{}</ol></section>', head, rows)


def _list_changes(
    t: Speech, current: CurrentRelease, release: str, then: CurrentRelease | None, decision: Decision
) -> list[str]:
    """Return what has changed for the plan and the area of a decision since `release`, which the meeting saw.

    `then` is the release that was opened by this name. If that release is not here any more, it is another one or None.
    """
    plan = _word_plan(t, current, decision.plan)
    if not decision.area:
        return plan
    if then is None or then.release.name != release:
        gone = _("Release {name} is not here any more, so nothing can be compared.", name=release)
        return [*plan, gone]
    return [*plan, *word_since(t, decision.area, then, current)]


def _word_plan(t: Speech, current: CurrentRelease, plan: str) -> list[str]:
    """Return a sentence that says whether a saved plan still holds.

    Empty without a plan, or if the newest release has no review of this plan.
    """
    review = read_plan_review(current)
    if not plan or review is None or not review.plan.endswith(f"-{plan}"):
        return []
    return [t("The plan still holds.") if review.holds else t("The plan no longer holds.")]
