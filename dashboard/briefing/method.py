"""A box at the end of the briefing: how the plan was made, and who may read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dashboard.narrative.plan import word_rule
from dashboard.narrative.speech import PATHWAYS, Speech
from data.release import Release
from risk.planning.summary import PlanSummary

_LARGEST_NOISE = 5


def list_paragraphs(t: Speech, plan: PlanSummary, release: Release) -> list[tuple[str, str]]:
    """Return the paragraphs of the box as pairs (heading, text)."""
    return [
        (t("Method"), _how(t)),
        (t("Limits of this plan"), f"{t.join_parts(_list_limits(t, plan))}."),
        (t("Data protection"), _protection(t, release)),
        (t("Who may read it"), _reading(t, release)),
    ]


def _how(t: Speech) -> str:
    return t(
        "The risk model estimates need from protected counts, outreach and population. A "
        "program searches for the posts that meet the most need. One half of the simulations "
        "chooses the moves and the other half checks them, so that luck is not mistaken for "
        "gain. {rule} Communities change neither risk nor outreach.",
        rule=word_rule(t),
    )


def _list_limits(t: Speech, plan: PlanSummary) -> Iterator[str]:
    """Yield the limits and the weights of a plan in words. A budget of None and shares of 0 are left out.

    So is the share of outreach for areas with too little outreach, if the plan explores none.
    """
    setting = plan.setting if plan.verdict.explored else replace(plan.setting, exploration=0.0)
    yield t.format_plural("at most {count} unit moves", "at most {count} units move", setting.moves)
    if setting.budget is not None:
        yield t(
            ("at most {budget} hours of travel between old and new posts, all moves together"),
            budget=t.format_number(setting.budget),
        )
    if setting.pathway in PATHWAYS:
        yield t("need counted: {pathway}", pathway=t.name_pathway(setting.pathway))
    if setting.country:
        yield t("units move only within {area}", area=t.name_area(setting.country))
    for area, units in setting.keep:
        yield t("{area} keeps at least {count} teams", area=t.name_area(area), count=units)
    for area, units in setting.at_most:
        yield t("{area} has at most {count} teams", area=t.name_area(area), count=units)
    shares = {
        "floor": t("each county or region keeps at least {share} of the outreach and services that reach it today"),
        "services_floor": t(
            "each area with Roma and Egyptian communities has at least {share} of the "
            "services that the worst-served of them has today"
        ),
        "exploration": t("{share} of outreach goes to areas with too little outreach"),
        "equity": t("weight of the worst-served areas {share}"),
        "cost": t("weight of travel {share}"),
        "robustness": t("weight of the worst cases {share}"),
    }
    for name, words in shares.items():
        if share := getattr(setting, name):
            yield words.format(share=t.format_percent(share))


def _protection(t: Speech, release: Release) -> str:
    parameters = release.manifest["tact"].get("parameters") or {}
    sentences = [
        t(
            "Made from protected counts; no record of a child was opened. Because of noise a "
            "published count can be up to {largest} too high or too low. Nothing here is about a single "
            "child, a settlement or a community.",
            largest=t.format_number(parameters.get("largest", _LARGEST_NOISE)),
        )
    ]
    if release.tier == "partner":
        sentences.append(t("Protected, not anonymous: small numbers are shown with their margin."))
    else:
        sentences.append(t("Counts of fewer than {k} children are not shown.", k=release.k))
    sentences.append(t("The numbers of a year that is final are never changed."))
    return " ".join(sentences)


def _reading(t: Speech, release: Release) -> str:
    if release.tier == "partner":
        return t(
            "Only partners who signed the agreement, and only for planning. It must not be "
            "published, passed on or used against a person or a community."
        )
    return t("Everybody. It must not be used against a person or a community.")
