"""Sentences on what has changed in an area since an earlier release."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard.narrative.area import word_claim
from dashboard.narrative.judgement import judge_area
from dashboard.narrative.speech import PATHWAYS, Speech
from dashboard.site.current_release import CurrentRelease, load_areas, read_profile
from dashboard.site.text import translate
from data.message import mark
from geo.layers.risk import RATES


def word_since(t: Speech, area: str, then: CurrentRelease, now: CurrentRelease) -> list[str]:
    """Return sentences on what differs in an area between two releases: children met, rates, gaps in services.

    If both are the same release, or one does not have the area, a single sentence says so.
    """
    if then.checksum == now.checksum:
        return [t("No newer release since.")]
    if any(area not in load_areas(release.release).table.index for release in (then, now)):
        return [t("The area is not in both releases.")]
    return [*_word_number(t, area, then, now), *_word_rates(t, area, then, now), *_word_gaps(t, area, then, now)]


def _word_number(t: Speech, area: str, then: CurrentRelease, now: CurrentRelease) -> Iterator[str]:
    """Yield a sentence with the latest published number of children met in each release."""
    before, after = (read_profile(release, area, "").facts[0] for release in (then, now))
    words = {
        name: f"{translate(fact.text)} {translate(fact.margin)}".strip()
        for name, fact in (("then", before), ("now", after))
    }
    if (words["then"], before.period) == (words["now"], after.period):
        yield t("Children identified or met, {when}: {now}, as before.", when=after.period, now=words["now"])
    else:
        yield t(
            "Children identified or met: then {then} ({before}), now {now} ({after}).",
            before=before.period,
            after=after.period,
            **words,
        )


def _word_rates(t: Speech, area: str, then: CurrentRelease, now: CurrentRelease) -> Iterator[str]:
    before, after = judge_area(then, area), judge_area(now, area)
    for pathway in PATHWAYS:
        rates = [judged.rates.get(pathway) if judged else None for judged in (before, after)]
        if rates[0] is None or rates[1] is None:
            continue
        was, is_now = (word_claim(t, rate, RATES) for rate in rates if rate)
        name = t.name_pathway(pathway)
        if was == is_now:
            yield t("Rate of {pathway}: {now}, as before.", pathway=name, now=is_now)
        else:
            yield t("Rate of {pathway}: then {then}, now {now}.", pathway=name, then=was, now=is_now)


def _word_gaps(t: Speech, area: str, then: CurrentRelease, now: CurrentRelease) -> Iterator[str]:
    """Yield a sentence on the axes of work where a gap began, and one on those where a gap ended.

    An axis is left out if one release does not tell whether it has a gap.
    """
    before, after = judge_area(then, area), judge_area(now, area)
    if before is None or after is None:
        return
    pairs = {axis: (before.gaps.get(axis), answer) for axis, answer in after.gaps.items()}
    for change, sentence in (
        (("none", "gap"), mark("New gap: {axes}.")),
        (("gap", "none"), mark("No gap any more: {axes}.")),
    ):
        axes = [t.name_kind(axis) for axis, pair in pairs.items() if pair == change]
        if axes:
            yield t(sentence, axes=t.join_and(axes))
