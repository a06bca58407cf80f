"""The attack on the intervals of the dark figure: it finds one that is not allowed, too fine or changed.

An interval follows from noisy counts of capture histories. So it gives no bound of a count, and it reveals about one
child at most as much as one noisy number, if it is drawn once and its ends are on coarse steps (docs/disclosure.md,
"Dark figure"). The membership attack includes it with the other numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.capture import REASONS, STEPS
from data.disclosure.attacks.bounds import Finding, Published, list_findings
from data.message import Message
from data.tables.spec import MAY_HOLD, Tier

_WHERE = ["area", "period"]
_ANSWER = ["state", "low", "high", "reason"]
_FORBIDDEN = Message("an estimate that this tier must not hold for this area or period")
_FINE = Message(
    "an estimate that is neither an interval on the coarse steps nor a reason: finer ends say more of one child"
)
_CHANGED = Message("an interval that was published before has changed: the two together can tell of one child")


def attack(releases: Sequence[Published], tier: Tier) -> list[Finding]:
    """Attack the intervals of the last release; return findings. `releases` are those of a tier, oldest first."""
    *earlier, last = releases
    findings: list[Finding] = []
    for spec, table in last.estimates.items():
        rows = pd.DataFrame(table.to_pandas())
        allowed = MAY_HOLD[tier].get(spec.measure)
        expected = allowed is not None and (
            spec.breakdown in allowed.breakdowns
            and spec.level in allowed.find_levels(spec.breakdown)
            and spec.grain in allowed.periods
        )
        wrong = rows["period"].map(last.is_provisional).to_numpy(bool) | (not expected)
        findings += list_findings("dark_figure", spec.name, rows.loc[wrong, _WHERE], _FORBIDDEN)
        findings += list_findings("dark_figure", spec.name, rows.loc[~_is_interval_or_reason(rows), _WHERE], _FINE)
        for release in (r for r in earlier if spec in r.estimates):
            before = pd.DataFrame(release.estimates[spec].to_pandas())
            pairs = rows.merge(before, on=_WHERE, suffixes=("", "_before"))
            same = [_equals(pairs[name], pairs[f"{name}_before"]) for name in _ANSWER]
            changed = pairs.loc[~np.logical_and.reduce(same), _WHERE]
            findings += list_findings("dark_figure", spec.name, changed, _CHANGED)
    return findings


def _is_interval_or_reason(rows: pd.DataFrame) -> np.ndarray:
    """Return a mask of the rows that have only an interval with ends on the steps, or only a reason."""
    low, high = (rows[name].to_numpy(float, na_value=np.nan) for name in ("low", "high"))
    plain = rows[["value", "margin"]].isna().all(axis=1).to_numpy(bool)
    interval = np.isin(low, STEPS) & np.isin(high, STEPS) & (low < high) & (rows["reason"] == "").to_numpy(bool)
    silent = np.isnan(low) & np.isnan(high) & rows["reason"].isin(REASONS).to_numpy(bool)
    state = rows["state"].to_numpy()
    return plain & np.where(state == "class", interval, (state == "cannot_tell") & silent)


def _equals(now: pd.Series, before: pd.Series) -> np.ndarray:
    return ((now == before) | (now.isna() & before.isna())).to_numpy(bool)
