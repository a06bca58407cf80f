"""How the plan was made and who may read the briefing, in a box that fits under everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dashboard.briefing.situation import PATHWAYS
from dashboard.briefing.speech import Speech
from data.release import Release
from risk.planning import LEAST_CHANCE, LEAST_GAIN

Told = Mapping[str, Any]
_LARGEST_NOISE = 5


def method(t: Speech, told: Told, release: Release) -> list[tuple[str, str]]:
    """Give the paragraphs of the box, each with its heading."""
    return [
        (t("Method"), _how(t)),
        (t("Limits of this plan"), t.joined(_limits(t, told.get("parameters") or {})) or t("None.")),
        (t("Data protection"), _protection(t, release)),
        (t("Who may read it"), _reading(t, release)),
    ]


def _how(t: Speech) -> str:
    return t(
        "Need is estimated by the risk model from protected counts, outreach and population. A solver "
        "looks for the posts that meet most of it; half of the draws choose, the other half judge, so "
        "that chance is not taken for gain. Moves are advised only where a gain of more than {least} of "
        "the need met today is at least {enough} sure. Communities raise neither risk nor search.",
        least=t.percent(LEAST_GAIN),
        enough=t.percent(LEAST_CHANCE),
    )


def _limits(t: Speech, given: Told) -> Iterator[str]:
    """Say what the plan had to keep and what it was to weigh; only what was given."""
    if given.get("moves") is not None:
        yield t.several("at most {count} unit moves", "at most {count} units move", int(given["moves"]))
    if given.get("budget") is not None:
        yield t(
            "at most {budget} hours of travel between old and new posts", budget=t.number(given["budget"])
        )
    if given.get("pathway") in PATHWAYS:
        yield t("need counted: {pathway}", pathway=t(PATHWAYS[given["pathway"]]))
    shares = {
        "floor": t("every area keeps at least {share} of what reaches it today"),
        "services_floor": t(
            "areas with Roma and Egyptian communities have at least {share} of the services that the one "
            "with least has today"
        ),
        "exploration": t("{share} of outreach goes to areas where too little was looked"),
        "equity": t("weight of the worst-off areas {share}"),
        "cost": t("weight of travel {share}"),
        "robustness": t("weight of bad cases {share}"),
    }
    for name, words in shares.items():
        if given.get(name):
            yield words.format(share=t.percent(float(given[name])))


def _protection(t: Speech, release: Release) -> str:
    parameters = release.manifest["tact"].get("parameters") or {}
    told = [
        t(
            "Made from a release of protected counts; the records of children were not opened. Counts "
            "carry noise of at most {largest}, up or down. Nothing here is about a single child, a "
            "settlement or a community.",
            largest=t.number(parameters.get("largest", _LARGEST_NOISE)),
        )
    ]
    if release.tier == "partner":
        told.append(t("Protected, not anonymous: small numbers are shown with their margin."))
    else:
        told.append(t("Counts of fewer than {k} children are not shown.", k=release.k))
    if parameters.get("frozen", True):
        told.append(
            t("A published number stands until {k} different children behind it have changed.", k=release.k)
        )
    return " ".join(told)


def _reading(t: Speech, release: Release) -> str:
    if release.tier == "partner":
        return t(
            "Partners under their agreement, for planning alone. It must not be published, passed on, or "
            "used against a person or a community."
        )
    return t("Anybody. It must not be used against a person or a community.")


def readers(t: Speech, release: Release) -> str:
    """Say in the footer who the briefing is for."""
    if release.tier == "partner":
        return t("Partner tier: for partners under their agreement")
    return t("Public tier")


def tier_name(t: Speech, release: Release) -> str:
    """Name the tier."""
    return t("Partner tier") if release.tier == "partner" else t("Public tier")
