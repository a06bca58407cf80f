"""The attack on indicators: it finds rows that the tier, the state or the kind of the indicator does not allow."""

from __future__ import annotations

from itertools import chain

import numpy as np

from data.disclosure.attacks import reading
from data.disclosure.attacks.bounds import Finding, list_findings
from data.message import Message
from data.release import Release
from data.tables.spec import OPEN_AXES

NAME = "indicators"
_FORBIDDEN = Message("an indicator that this tier must not hold for this area")
_STATE = Message("an indicator whose state and value contradict each other")
_PEOPLE = Message("a number of people that is not whole or has not the margin of its noise")
_EXACT = Message("a margin on a number that has no noise")
_SERVICES = Message("a number or a target of services that must be withheld on this axis")


def attack(release: Release) -> list[Finding]:
    """Check the indicators of a release by the rules of docs/disclosure.md, Indicators; return the findings.

    There are none if the release has no indicators.
    """
    if NAME not in release.tables:
        return []
    rows, levels = release.table(NAME), reading.read_areas(release)["level"]
    value, margin = (rows[name].to_numpy(float, na_value=np.nan) for name in ("value", "margin"))
    state, shown, people = rows["state"], ~np.isnan(value), rows["counts"] == "people"
    is_open = rows["axis"].isin(OPEN_AXES)
    level = rows["area"].map(levels)
    placed = (level == "country") | ((level == "region") & is_open)
    known = (state == "number") | ((state == "almost_none") & people) | (state == "withheld")
    noisy = (value > 0) & (value % 1 == 0) & (margin == release.largest)
    rules = {
        _FORBIDDEN: placed & (release.tier == "partner"),
        _STATE: known & (shown == (state == "number")),
        _PEOPLE: ~people | ~shown | noisy,
        _EXACT: np.isnan(margin) | (people & shown),
        _SERVICES: (rows["counts"] != "services") | is_open | (~shown & rows["target"].isna()),
    }
    cells = rows[["area", "period", "indicator"]]
    findings = (list_findings(NAME, NAME, cells[~holds], reason) for reason, holds in rules.items())
    return [*chain.from_iterable(findings)]
