"""The model's card and its safeguards in words, for the Risk page and the Method page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.narrative.detection import word_spread
from dashboard.narrative.evaluation import describe_checks
from dashboard.narrative.risk import name_pathways
from dashboard.narrative.sensitivity import describe_sensitivity
from dashboard.narrative.speech import Speech
from dashboard.site.current_release import CurrentRelease, read_country_names
from dashboard.site.text import _, format_period, translate
from data.message import mark
from data.tables.periods import Period
from risk.report.manifest import ModelCard, RiskManifest
from risk.report.safeguards import Drift, ProxyCheck

_USED = {
    "counts of children": mark("counts of children, as published"),
    "outreach days": mark("outreach days"),
    "population": mark("population"),
    "which areas touch": mark("which areas touch"),
}
_NEVER = {
    "layers of communities": mark("layers of communities"),
    "ethnicity": mark("ethnicity"),
    "single children": mark("single children"),
    "places below a county": mark("places below a county or region"),
    "places below a municipality": mark("places below a municipality"),
}


def list_facts(manifest: RiskManifest) -> list[tuple[str, str]]:
    """Return pairs (label, value) that describe the fitted model."""
    card = manifest.card
    first, last = Period.parse(card.first), Period.parse(card.last)
    mean, deviation = card.gamma  # of the exponent of outreach; the interval has two deviations on each side
    low, mid, high = (translate(f"{2.0 ** (mean + z * deviation):.1f}") for z in (-2, 0, 2))
    gain = _("{mid} times ({low} to {high})", mid=mid, low=low, high=high)
    return [
        (_("Counties and regions in the model"), str(card.areas)),
        (_("Records of"), format_period(Period(first.start, last.end, "whole").id)),
        (_("Children identified or met when outreach doubles"), gain),
        (_("Made"), manifest.created[:10]),
    ]


def list_limits(t: Speech, card: ModelCard) -> list[str]:
    """Return sentences on the data that the model reads and never reads, and on how its results must not be used."""
    used = t.join_and(_(_USED.get(name, name)) for name in card.used)
    never = t.join_and(_(_NEVER.get(name, name)) for name in card.never_used)
    return [
        _("It uses: {used}, all from this release.", used=used),
        _("It never uses: {never}. Without the community layers the result is the same.", never=never),
        _(
            "The number of children is estimated: population multiplied by the national share of "
            "children (provisional)."
        ),
        _("Population between two censuses is interpolated; outside them it is that of the nearest census.")
        if card.interpolated
        else _("Population is that of the census nearest to these quarters."),
        _(
            "Nobody knows which share of the children in need is identified. If the share is the same everywhere, it "
            "changes nothing here. Where areas differ, counts cannot tell it from risk: so a part of each difference "
            "is taken to be how well teams find, the more the smaller it is."
        ),
        word_spread(),
        *describe_sensitivity(t, card.sensitivity),
        _("Areas are compared within their country only: there is no ranking across both."),
        _(
            "It is never a reason to search, stop or watch a person, and never a reason for more "
            "outreach because of a community."
        ),
    ]


def list_safeguards(t: Speech, manifest: RiskManifest) -> list[str]:
    """Return sentences on both safeguards, the proxy audit and the feedback test, and on the checks of the fit."""
    sentences = [_format_checks(manifest.checks or ())]
    if manifest.finds_alone and manifest.corrected:
        sentences += [
            _(
                "Simulation, if outreach always goes where most children were identified or met: {words}",
                words=_format_drift(manifest.finds_alone),
            ),
            _(
                "Simulation, if the amount of outreach is taken into account: {words}",
                words=_format_drift(manifest.corrected),
            ),
        ]
    return sentences + describe_checks(t, manifest.model_checks, manifest.calibration)


def _format_checks(checks: Sequence[ProxyCheck]) -> str:
    """Return a text that says whether the ranking of risk could be guessed from where communities live."""
    if not checks:
        return _("It could not be checked: the release holds too few estimates of communities.")
    clear = [check for check in checks if check.low > 0 or check.high < 0]
    if not clear:
        return _(
            "Could the order of areas by risk be guessed from where communities live? No: in none of "
            "{all} checks do the two orders agree more than by luck.",
            all=len(checks),
        )
    return _(
        "In {clear} of {all} checks the order of areas by risk agrees with the order by community "
        "size, or with its reverse, more than by luck. The model does not use community layers; think of "
        "other reasons before you act on it.",
        clear=len(clear),
        all=len(checks),
    )


def _format_drift(drift: Drift) -> str:
    """Return a sentence on how far visits drift from the true rates in the simulation, in per cent of all visits."""
    return _(
        "An area with {truth} % of the true rates ends with {low} to {high} % of the visits: {end}.",
        truth=f"{100 * drift.truth:.0f}",
        low=f"{100 * drift.low:.0f}",
        high=f"{100 * drift.high:.0f}",
        end=_("the picture moves away from the truth") if drift.drifts else _("the picture stays near the truth"),
    )


def tabulate_checks(current: CurrentRelease, checks: Sequence[ProxyCheck]) -> pd.DataFrame:
    """Return the proxy audit as a table with a row for each check: correlation of ranks and its 95 % interval."""
    pathways, countries = name_pathways(), read_country_names(current)
    rows = [
        (
            countries.get(check.country, check.country),
            pathways.get(check.pathway, check.pathway),
            str(check.areas),
            f"{check.correlation:+.2f}",
            _("{low} to {high}", low=f"{check.low:+.2f}", high=f"{check.high:+.2f}"),
        )
        for check in checks
    ]
    head = [_("Country"), _("Pathway"), _("Areas compared"), _("Correlation of ranks"), _("95 % interval")]
    return pd.DataFrame(rows, columns=head)
