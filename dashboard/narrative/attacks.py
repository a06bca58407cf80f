"""The attacks on a release and their results in words, for the terminal and the Method page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from dashboard.site.text import _, capitalise
from data.disclosure.attacks.membership import STRONGER
from data.disclosure.channel import Knowledge
from data.disclosure.cost import compute_most_of_one_number
from data.message import mark
from data.release import Release
from data.release.audits import AuditReport

TRIED = {
    "checksums": mark("unchanged files: find a file that is not as it was published"),
    "threshold": mark("threshold: find a count of children below the threshold"),
    "indicators": mark("indicators: find a number of people without noise, or one that must be withheld"),
    "completeness": mark("completeness: find a number of children of one partner, or a partner that must not be named"),
    "bounds": mark("bounds and differencing: calculate hidden numbers from sums, differences and earlier releases"),
    "homogeneity": mark("homogeneity: find areas where nearly all children are of one category"),
    "averaging": mark("averaging: remove the noise"),
    "sequence": mark(
        "sequence: find out from all releases whether a child was moved, corrected, forgotten or withdrawn"
    ),
    "dark_figure": mark("dark figure: find an interval that is too fine or has changed"),
    "membership": mark("membership: find out from all releases whether one certain child was counted, or is new"),
    "surface": mark("files: find numbers that are not in the release"),
}
_NOT_BOUNDED = {("membership", "partner")}
_RESULTS = {"held": mark("Held"), "succeeded": mark("Succeeded"), "measured": mark("Measured")}


def judge_attack(check: Mapping[str, Any]) -> str:
    """Return the result of an attack: "held", "succeeded", or "measured" if the tier has no limit for this attack.

    `check` has the keys attack, tier and passed.
    """
    if (str(check.get("attack")), str(check.get("tier"))) in _NOT_BOUNDED:
        return "measured"
    return "held" if check.get("passed") is True else "succeeded"


def describe_one_number(release: Release) -> list[str]:
    """Return sentences on what one published number of children reveals, with the figures of this release.

    Empty if its manifest does not describe the noise. Raises InputError for a release of an earlier version that was
    protected in another way.
    """
    about = release.manifest["tact"].get("knowledge", {}).get("children")
    if not about:
        return []
    known, sentences = Knowledge.from_manifest(about), []
    sentences.append(
        _("A number of children shows that the true number is at most {largest} away from it.", largest=known.largest)
    )
    if release.tier == "public":
        sentences.append(
            _(
                "Who sees “fewer than {k}, possibly none” knows that at most {most} children were met there, "
                "and not whether any was.",
                k=release.k,
                most=known.hidden_to,
            )
        )
    sentences.append(
        _(
            "Somebody who already knows of every child but one that was met in an area and time, and guesses "
            "from its number whether this one was counted too, is right at most {right} times in 100. By "
            "tossing a coin it would be 50 times.",
            right=_count_right(compute_most_of_one_number(release)),
        )
    )
    return sentences


def describe_guess(report: AuditReport) -> list[str]:
    """Return sentences on how much better than chance an attacker guesses by combining all numbers.

    The second is on attackers who know more, or look for siblings. Empty if the audit did not compute this.
    """
    check = report.check("membership")
    public = report.tier == "public"
    advantage = check.get("all_numbers_high" if public else "all_numbers")
    if not isinstance(advantage, int | float):
        return []
    right = _count_right(float(advantage))
    template = _PUBLIC if public else _PARTNER
    sentences = [_(template, more=right - 50, right=right)]
    stronger = {who: check[f"all_numbers_{who}"] for who in STRONGER if f"all_numbers_{who}" in check}
    if stronger:
        sentences.append(_(_STRONGER, **{who: _count_right(float(value)) for who, value in stronger.items()}))
    return sentences


_PUBLIC = mark(
    "Somebody who knows about how many children are met where, but not who they are, may put all numbers "
    "together and guess whether a certain child was counted. For the child that is easiest to find, the "
    "guess is right at most about {more} times in 100 more often than by tossing a coin: {right} times "
    "instead of 50."
)
_PARTNER = mark(
    "Somebody who knows about how many children are met where, but not who they are, may put the numbers of "
    "counties, regions and countries together and guess whether a certain child was counted. For the child "
    "that is easiest to find, the guess is right about {more} times in 100 more often than by tossing a "
    "coin: {right} times instead of 50. With the numbers of municipalities it may be more. So this tier is "
    "for partners under their agreement alone."
)

_STRONGER = mark(
    "That is so for one child, and for somebody who knows none of the other children. Somebody who looks for two "
    "siblings is right about {two_siblings} times in 100; for three siblings, {three_siblings} times. Somebody who "
    "knows half of the other children of the area is right about {half_known} times; with all of them known, "
    "{all_others_known} times. No limit is set to these."
)


def _count_right(advantage: float) -> int:
    """Return how many of 100 guesses are right: 50 plus 50 times the advantage (0 to 1), rounded up."""
    return math.ceil(round(50 + 50 * min(max(advantage, 0.0), 1.0), 6))


def describe_audit(report: AuditReport) -> list[str]:
    """Return a text with the date and the result of the audit, then sentences on its findings."""
    sentence = _("The data officer attacked this release as below on {day}.", day=report.created[:10])
    reasons = dict.fromkeys(reason for _attack, reason in report.reasons)
    findings = [_("Found: {reason}.", reason=_(reason)) for reason in reasons]
    places = [_("The data officer's report names the places.")] if findings else []
    return [f"{sentence} {_format_end(report.checks, passed=report.passed)}", *findings, *places]


def describe_check(release: Release) -> list[str]:
    """Return a text with the result of the check before the release was published; empty if there was none."""
    checks = read_own_checks(release)
    sentence = _("The product attacked this release as below before it was published.")
    passed = all(judge_attack(check) != "succeeded" for check in checks)
    return [f"{sentence} {_format_end(checks, passed=passed)}"] if checks else []


def read_own_checks(release: Release) -> list[Mapping[str, Any]]:
    """Read the attacks that were run before the release was published, from its manifest; empty if there are none.

    Each has the keys attack, tier and passed, as in an audit.
    """
    audit = release.manifest["tact"].get("audit")
    listed = audit.get("checks") if isinstance(audit, dict) else None
    return [
        {"attack": check.get("name"), "tier": release.tier, "passed": check.get("passed")}
        for check in (listed if isinstance(listed, list) else [])
        if isinstance(check, dict)
    ]


def tabulate_results(checks: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table of the attacks and their results: a row for each attack, with titles in the reader's language."""
    rows = [(capitalise(_name_attack(check)), _(_RESULTS[judge_attack(check)])) for check in checks]
    return pd.DataFrame(rows, columns=[_("Attack"), _("Result")])


def _format_end(checks: Iterable[Mapping[str, Any]], *, passed: bool) -> str:
    if not passed:
        return _("An attack succeeded: do not give this release or its files to anybody.")
    sentence = _("No attack succeeded; the protection held.")
    if any(judge_attack(check) == "measured" for check in checks):
        sentence += " " + _(
            "“Measured” means that this tier has no limit for this attack; the result is described above."
        )
    return sentence


def _name_attack(check: Mapping[str, Any]) -> str:
    name = str(check.get("attack", ""))
    return _(TRIED.get(name, name))
