"""The target group of the programme, beside the children whom the release says were reached.

Targets come from the policy (data/disclosure/policy.py). The numbers reached are sums of published numbers of both
countries, so they say nothing that the release does not say.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.release import Release
from data.tables.periods import Period
from data.tables.shown import choose_numbers
from data.tables.spec import CATEGORIES, FAMILIES, table_name
from data.tables.states import BELOW

# The stages of a first encounter that each group of the target has.
GROUPS = {"at_risk": ("at_risk",), "victims": tuple(s for s in CATEGORIES["stage"] if s != "at_risk")}
COLUMNS = ("group", "target", "value", "margin", "state", "period", "target_source")


def read_targets(release: Release) -> pd.DataFrame:
    """Return a row for each group that has a target, and for families, of both countries together.

    The row of a group has its target and the children reached. Those of FAMILIES have no target; there are none if
    the release has no such tables, or no household number in them.

    Columns as COLUMNS. Children count once, at the stage of their first encounter, in the whole programme or, before it
    has ended, in its final years. The true number lies within value ± margin: margins of parts are added up, and a part
    below the threshold k counts as 0 to k - 1, plus the largest noise. state: "number", or "withheld" if a part is
    withheld. Without rows if there is no target, if the release has no children by stage, or if it is limited to a
    country.
    """
    parameters = release.manifest["tact"].get("parameters") or {}
    rows = pd.DataFrame() if release.countries else _read_final(release, "children", "stage")
    targets = {group: parameters.get(f"target_{group}", 0) for group in GROUPS}
    if rows.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows["group"] = rows["stage"].map({stage: group for group, stages in GROUPS.items() for stage in stages})
    families = pd.concat([_read_final(release, measure).assign(group=measure) for measure in FAMILIES])
    if len(families) and families["value"].notna().any():
        rows = pd.concat([rows, families], ignore_index=True)
        targets |= dict.fromkeys(FAMILIES, 0)
    numbers = choose_numbers(rows, rows["reach"].to_numpy())
    reach = rows["reach"].where(rows["state"].isin(BELOW), 0.0)
    rows = rows.assign(value=numbers["value"].fillna(0.0), margin=numbers["margin"].fillna(reach))
    rows["withheld"] = rows["state"].isin(["withheld", "no_data"])
    ends = [Period.parse(period) for period in rows["period"].unique()]
    period = f"{min(p.start for p in ends)}/{max(p.end for p in ends)}"
    source = str(parameters.get("target_source", ""))
    listed = []
    for group, target in targets.items():
        part = rows[rows["group"] == group]
        state = "withheld" if part["withheld"].any() else "number"
        value, margin = (part["value"].sum(), part["margin"].sum()) if state == "number" else (np.nan, np.nan)
        listed += (
            [(group, int(target) or None, value, margin, state, period, source)] if target or group in FAMILIES else []
        )
    return pd.DataFrame(listed, columns=list(COLUMNS)).astype({"target": "Int64"})


def _read_final(release: Release, measure: str, *breakdown: str) -> pd.DataFrame:
    """Read a table of countries: of the whole programme if it has ended, else of its final years."""
    for grain in ("whole", "year"):
        name = table_name(measure, "country", grain, *breakdown)
        table = release.table(name) if name in release.tables else pd.DataFrame()
        if len(table):
            final = table[[not release.is_provisional(period) for period in table["period"]]].reset_index(drop=True)
            return final.assign(reach=release.find_reach("country", grain, measure))
    return pd.DataFrame()
