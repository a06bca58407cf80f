"""The short answers of the Method page, one or two sentences each; the long text is in summary.py."""

from __future__ import annotations

from dashboard.narrative import attacks
from dashboard.narrative.detection import word_spread
from dashboard.pages.method.summary import read_parameters
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from data.release import Release
from geo.layers.output import terms


def answer_recognised(current: CurrentRelease) -> str:
    """Return a text on how children are protected from being recognised; a warning if an attack succeeded.

    Raises ReleaseDamaged if the report of the newest audit was changed.
    """
    report = current_release.read_newest_audit(read_site(), current)
    checks = attacks.read_own_checks(current.release) if report is None else report.checks
    broken = any(attacks.judge_attack(check) == "succeeded" for check in checks) or bool(report and not report.passed)
    if broken:
        return _("An attack succeeded: do not give this release or its files to anybody.")
    if current.tier == "public":
        return _("No name and no exact place is stored. Counts of children have noise, and small ones are not shown.")
    return _(
        "No name and no exact place is stored, and counts of children have noise. Small ones are shown: protected, not "
        "anonymous."
    )


def answer_noise(release: Release) -> str:
    """Return a text on why numbers are not exact, with the largest noise of the release in children."""
    largest = read_parameters(release).get("largest", 5)
    words = _(
        "So that no child is recognised: a published count of children is at most {largest} too high or too low, and "
        "exact on average.",
        largest=largest,
    )
    if not terms.has_reconciled_numbers(release):
        return words
    return f"{words} {_('An adjusted one may be farther away: see its margin.')}"


def explain_certainty() -> list[str]:
    """Return sentences on the words for certainty, each with its probability."""
    return [
        _("Very likely: at least 90 in 100."),
        _("Likely: at least 66 in 100. Of ten likely statements about two were wrong in invented worlds."),
        _("As likely as not: 34 to 66 in 100."),
        _("Cannot tell: nothing narrower can be said. It does not mean that nothing happens there."),
        word_spread(),
    ]


def answer_where(release: Release) -> str:
    """Return a text on the areas and periods that have numbers; it also says if boundaries are approximate."""
    places = _("Counties, regions and municipalities, by quarter and year.")
    return f"{places} {_('Boundaries are approximate.')}" if terms.has_approximate_boundaries(release) else places
