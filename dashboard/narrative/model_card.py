"""The model's card and its safeguards in words, for the Risk page and the Method page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.narrative.risk import name_pathways
from dashboard.site.current_release import CurrentRelease, read_country_names
from dashboard.site.text import _
from data.tables.periods import Period

__all__ = ["audited", "facts", "feedback", "limits", "proxy", "proxy_words"]

_USED = {
    "counts of children": "counts of children, as published",
    "outreach days": "outreach days",
    "population": "population",
    "which areas touch": "which areas touch",
}
_NEVER = {
    "layers of communities": "layers of communities",
    "ethnicity": "ethnicity",
    "single children": "single children",
    "places below a county": "places below a county or region",
}


def facts(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the few values that describe the fit: words and value."""
    card = told["card"]
    first, last = (Period.parse(str(card[end])) for end in ("first", "last"))
    mean, spread = (float(value) for value in card["gamma"])
    return [
        (_("Areas"), str(card["areas"])),
        (_("Records of"), Period(first.start, last.end, "whole").label),
        (_("Children found as outreach doubles"), _gain(mean, spread)),
        (_("Made"), str(told.get("created", ""))[:10]),
    ]


def _gain(mean: float, spread: float) -> str:
    """Say by which factor finds grow with twice the outreach, with an interval of two standard deviations."""
    low, mid, high = (2.0 ** (mean + z * spread) for z in (-2, 0, 2))
    return _("{mid} times ({low} to {high})", mid=f"{mid:.1f}", low=f"{low:.1f}", high=f"{high:.1f}")


def limits(told: Mapping[str, Any]) -> list[str]:
    """Say what the model reads, what it never reads, and what it must not be taken for."""
    card = told["card"]
    used = ", ".join(_(_USED.get(one, one)) for one in card["used"])
    never = ", ".join(_(_NEVER.get(one, one)) for one in card["never_used"])
    return [
        _("It reads: {used}. All of it from the release that is shown.", used=used),
        _("It never reads: {never}. Without the layers of communities it says the same.", never=never),
        _(
            "Children expected are people times the country's share of children, which is provisional until "
            "child populations are imported."
        ),
        _(
            "Which share of the children in need is found, nobody knows. A share that is the same everywhere "
            "changes nothing here; one that differs between areas does, and a spread of it is part of how "
            "sure each class is."
        ),
        *_sensitivity(card),
        _("Areas are compared within their country only: there is no ranking across both."),
        _("It is no reason to search, stop or watch anybody, and never one to search a community more."),
    ]


def _sensitivity(card: Mapping[str, Any]) -> list[str]:
    told = card.get("sensitivity")
    if not told:
        return []
    return [
        _(
            "How much more is found with more outreach is estimated. If finds grew as fast as outreach, "
            "{changed} of {all} classes would be others, and the order of areas would go together with this "
            "one by {rank} (1 is the same).",
            changed=told["classes_changed"],
            all=told["classes"],
            rank=f"{min(told['rank_correlation']):.2f}",
        )
    ]


def audited(told: Mapping[str, Any]) -> bool:
    """Say whether the safeguards were checked: on the partner tier alone, which holds communities by area."""
    return bool(told.get("safeguards"))


def proxy_words(told: Mapping[str, Any]) -> str:
    """Say whether the ranking of risk could be guessed from where communities live."""
    checks = (told.get("safeguards") or {}).get("proxy") or []
    if not checks:
        return _("It could not be checked: the release holds too few estimates of communities.")
    clear = [one for one in checks if one["low"] > 0 or one["high"] < 0]
    if not clear:
        return _(
            "Could the order of areas by risk be guessed from where communities live? No: in none of {all} "
            "checks does the order of both go together more than chance allows.",
            all=len(checks),
        )
    return _(
        "In {clear} of {all} checks the order of areas by risk goes together with that of communities by "
        "more than chance. The model does not read it; think of who else lives there before you act on it.",
        clear=len(clear),
        all=len(checks),
    )


def proxy(current: CurrentRelease, told: Mapping[str, Any]) -> pd.DataFrame:
    """List the checks: correlation of ranks with its 95 % interval, by country and pathway."""
    named = name_pathways()
    rows = [
        (
            read_country_names(current).get(str(one["country"]), str(one["country"])),
            named.get(str(one["pathway"]), str(one["pathway"])),
            str(one["areas"]),
            f"{one['correlation']:+.2f}",
            _("{low} to {high}", low=f"{one['low']:+.2f}", high=f"{one['high']:+.2f}"),
        )
        for one in (told.get("safeguards") or {}).get("proxy") or []
    ]
    head = [_("Country"), _("Pathway"), _("Areas"), _("Correlation of ranks"), _("95 % interval")]
    return pd.DataFrame(rows, columns=head)


def feedback(told: Mapping[str, Any]) -> list[str]:
    """Say how far a search that believes its own finds would drift, and what holds it."""
    drift = (told.get("safeguards") or {}).get("feedback") or {}
    if not drift:
        return []
    return [
        _("Searching where most was found, again and again (simulated): {words}", words=drift["finds_alone"]),
        _("Weighing each find by how much others were searched: {words}", words=drift["corrected"]),
    ]
