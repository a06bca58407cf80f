"""The attack on the table of completeness: it finds rows that say more than a state of children, or on a wrong tier."""

from __future__ import annotations

from itertools import chain

import numpy as np

from data.disclosure.attacks import reading
from data.disclosure.attacks.bounds import Finding, list_findings
from data.message import Message
from data.release import Release
from data.release.completeness import NAME, OUTREACH
from data.tables.spec import CATEGORIES

_FORBIDDEN = Message("a row of a partner that this tier must not hold for this area")
_STATE = Message("a state that the kind of record does not allow")
_NUMBER = Message("a number of children of one partner, or a limit that is not the threshold")


def attack(release: Release) -> list[Finding]:
    """Check the table of completeness by the rules of docs/disclosure.md, Completeness; return the findings.

    There are none if the release has no such table.
    """
    if NAME not in release.tables:
        return []
    rows, levels = release.table(NAME), reading.read_areas(release)["level"]
    value, low = (rows[name].to_numpy(float, na_value=np.nan) for name in ("value", "low"))
    state, outreach = rows["state"], rows["record"] == OUTREACH
    children = rows["record"].isin(CATEGORIES["found"])
    days = np.isnan(low) & (np.isnan(value) == (state == "not_searched"))
    limit = np.isnan(value) & np.where(state == "class", low == release.k, np.isnan(low))
    rules = {
        _FORBIDDEN: (rows["area"].map(levels) == "country") & (release.tier == "partner"),
        _STATE: (outreach & state.isin(["number", "not_searched"])) | (children & state.isin(["class", "few"])),
        _NUMBER: np.where(outreach, days, limit),
    }
    cells = rows[["area", "period", "partner", "record"]]
    findings = (list_findings(NAME, NAME, cells[~np.asarray(holds, bool)], why) for why, holds in rules.items())
    return [*chain.from_iterable(findings)]
