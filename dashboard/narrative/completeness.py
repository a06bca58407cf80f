"""What is missing in a release, in words: said first by each page, command and file whose answer depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from dashboard.narrative.speech import Speech, make_legible, speak_to_reader
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, cache_by_language, format_period, speak
from data.message import mark
from data.release.completeness import Finding, Questions, read_questions
from data.tables.periods import Period
from risk.report.late import Nowcast, read_nowcasts

_MOST = 3  # gaps in a sentence
_FINDINGS = {
    "no_days": mark("{partner} sent cases from {country}, but no outreach days: {when}"),
    "nothing_yet": mark("{partner} has sent nothing from {country} for the last quarter yet: {when}"),
    "stopped": mark("{partner} stopped in {country}: nothing since {start}"),
    "began": mark("{partner} began in {country}: nothing before {start}"),
}
ANSWERS = {
    "none": mark("There was no outreach in these quarters"),
    "right": mark("The numbers are complete as they are"),
    "closed": mark("The partner has closed there"),
    "later": mark("The file comes later"),
}


def word_finding(t: Speech, finding: Finding) -> str:
    """Return a finding in words, without a full stop."""
    first, last = Period.parse(finding.first), Period.parse(finding.last)
    with speak(t.language):
        start = format_period(finding.first)
        when = start if first == last else format_period(Period(first.start, last.end, "whole").id)
    return t(
        _FINDINGS[finding.state],
        partner=make_legible(finding.partner),
        country=t.name_area(finding.country),
        start=start,
        when=when,
    )


def word_gaps(t: Speech, questions: Questions) -> list[str]:
    """Return what is missing and what follows, each as a sentence; empty if nothing is missing that matters."""
    sentences = []
    if questions.outdated:
        sentences.append(t("These results come from an earlier version. A data officer can renew them: tact risk"))
    if questions.waiting and not (questions.open or questions.late):  # the public tier does not know more
        countries = t.join_and([t.name_area(code) for code in questions.waiting])
        sentences.append(t("Preliminary for {countries}: records of a partner are missing there.", countries=countries))
    if questions.open:
        if questions.blocked == "open":
            follows = t("Need, risk and moves depend on it: no moves are advised until it is answered.")
        else:
            follows = t("With and without these quarters the answers are the same.")
        next_step = t("The data officer says why, at the desk (Release) or with tact gaps.")
        sentences += [f"{_join(t, questions.open)}.", follows, next_step]
    if questions.late:
        sentences.append(t("A file comes later: {gaps}.", gaps=_join(t, questions.late)))
        sentences.append(t("Until then, children discovered in these quarters are left out of need and risk."))
        if questions.blocked == "late":
            sentences.append(t("No moves are advised, because it is not known where teams are today."))
    return sentences


def _join(t: Speech, gaps: Iterable[Finding]) -> str:
    words = [word_finding(t, gap) for gap in gaps]
    more = t.format_plural("and {count} more", "and {count} more", len(words) - _MOST) if len(words) > _MOST else ""
    return "; ".join([*words[:_MOST], *filter(None, [more])])


def word_late(t: Speech, nowcasts: Sequence[Nowcast]) -> list[str]:
    """Return sentences on the last quarter, country by country, if its records are still coming; else nothing.

    Where earlier quarters do not say how late records come, there is no number.
    """
    if not nowcasts:
        return []
    with speak(t.language):
        quarter = format_period(nowcasts[0].period)
    numbers = [
        t(
            "{country} {published} so far, {low} to {high} once all records have come (95 % interval)",
            country=t.name_area(entry.area),
            published=t.format_number(entry.published),
            low=t.format_number(entry.low),
            high=t.format_number(entry.high),
        )
        for entry in nowcasts
        if entry.middle is not None
    ]
    unknown = [t.name_area(entry.area) for entry in nowcasts if entry.middle is None]
    sentences = [f"{t('{quarter} is not complete yet', quarter=quarter)}{': ' if numbers else ''}{'; '.join(numbers)}."]
    if unknown:
        why = t(
            "For {countries} it cannot be told how many records are still to come: too few earlier quarters show it.",
            countries=t.join_and(unknown),
        )
        sentences.append(why)
    return sentences


@cache_by_language(maxsize=16)
def read_late(current: CurrentRelease) -> list[str]:
    """Return what `word_late` says of the countries of a release, in the reader's language."""
    return word_late(speak_to_reader(current), read_nowcasts(current.release))


@cache_once(maxsize=16)
def find_late_quarter(current: CurrentRelease) -> str:
    """Return the identifier of the last quarter if its records are still coming, else an empty text."""
    return next((entry.period for entry in read_nowcasts(current.release)), "")


def name_period(period: str, late: str) -> str:
    """Return the name of a period, and that it is not complete yet if it is that of `find_late_quarter`."""
    return format_period(period) + (f" ({_('not complete yet')})" if period == late else "")


@cache_by_language(maxsize=16)
def read_gaps(current: CurrentRelease) -> list[str]:
    """Return what `word_gaps` says of a release, in the reader's language."""
    return word_gaps(speak_to_reader(current), read_questions(current.release))


def tabulate_findings(t: Speech, questions: Questions) -> pd.DataFrame:
    """Return a table of all findings: what was found, and whether it needs an answer."""
    kinds = (
        (questions.open, t("needs an answer")),
        (questions.late, t("the file comes later")),
        (questions.answered, t("known")),
    )
    rows = [(word_finding(t, finding), word) for findings, word in kinds for finding in findings]
    return pd.DataFrame(rows, columns=[t("What was found"), t("State")])
