"""The sequence attack: what the releases of a tier reveal together that the last one alone does not.

A number that was published twice with different noise can show that a child was added, removed, moved or corrected
between the releases. So the noise of every number is drawn once. Only a provisional quarter is drawn a second time,
when its year is final, and then in all of its cells, changed or not. The attack looks for a number that changed in any
other way. It also joins all releases into one, so that the membership attack uses everything that was ever published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from data.disclosure.attacks.bounds import Finding, Published, list_findings
from data.message import Message
from data.tables.spec import TableSpec
from data.tables.states import BELOW

_HIDDEN = -1  # the value of a cell that is below the threshold
_NO_PROGRAMME = -2  # the value of a cell that is zero because the programme does not work there
_REASON = Message("a number that was published before has changed: the two together can tell of one child")


def join_releases(releases: Sequence[Published]) -> Published:
    """Join the releases of a tier (the first is the oldest) into one.

    For each cell it has the last row that is not withheld, or the last one if all are withheld. A number stays known
    where a later release hides it by a higher threshold. Of each table of estimates it has the last one.
    """
    tables = {}
    k_before = {
        (spec, period): release.k
        for release in sorted(releases, key=lambda release: -release.k)
        if release.k < releases[-1].k
        for spec, rows in release.tables.items()
        for period in rows["period"].unique().to_pylist()
    }
    for spec in dict.fromkeys(spec for release in releases for spec in release.tables):
        parts = [release.tables[spec] for release in releases if spec in release.tables]
        if all(part.equals(parts[-1]) for part in parts):  # nothing changed, as in most tables
            tables[spec] = parts[-1]
            continue
        rows, keys = (
            pd.concat([part.to_pandas() for part in parts], ignore_index=True),
            ["area", "period", *spec.breakdown],
        )
        before = rows["value"].where(rows["state"] == "number").groupby([rows[key] for key in keys]).ffill()
        raised = rows["state"].isin(BELOW) & (before < releases[-1].find_knowledge(spec).threshold)
        # What is withheld now may have been shown before, and what is hidden now may have been a number.
        known = np.select([rows["state"] == "withheld", raised], [0, 1], 2)
        rows = rows.iloc[np.argsort(known, kind="stable")]
        last = rows.drop_duplicates(keys, keep="last").sort_index()
        tables[spec] = pa.Table.from_pandas(last, preserve_index=False)
    estimates = {spec: table for release in releases for spec, table in release.estimates.items()}
    return replace(releases[-1], tables=tables, estimates=estimates, k_before=k_before)


def attack(releases: Sequence[Published]) -> tuple[list[Finding], dict[str, float]]:
    """Compare the last of the releases (the first is the oldest) with all before; return findings and statistics.

    Statistics: the number of releases, and that of cells that were drawn a second time when they became final.
    """
    *earlier, after = releases
    findings, redrawn = list[Finding](), 0
    before = join_releases(earlier) if earlier else replace(after, tables={})
    for spec in after.tables:
        if spec in before.tables:
            changed = _find_changed(spec, before, after)
            last = next(release for release in reversed(earlier) if spec in release.tables)
            was_provisional = {period: last.is_provisional(period) for period in changed["period"].unique()}
            again = np.array([was_provisional[p] and not after.is_provisional(p) for p in changed["period"]], bool)
            redrawn += int(again.sum())
            cells = changed.loc[~again, ["area", "period", *spec.breakdown]]
            findings += list_findings("sequence", spec.name, cells, _REASON)
    return findings, {"releases": len(releases), "drawn_twice": redrawn}


def _find_changed(spec: TableSpec, before: Published, after: Published) -> pd.DataFrame:
    """Return the cells of a table that show a different number than before, or that are hidden in only one of the two.

    A number that is now hidden only by a higher threshold is not a change, because that follows from the number. Areas
    without a programme are named by the policy, but none may take the place of a number.
    """
    keys = ["area", "period", *spec.breakdown]
    was, now = (release.tables[spec].select([*keys, "value", "state"]) for release in (before, after))
    threshold = after.find_knowledge(spec).threshold
    if was.equals(now):
        return pd.DataFrame(columns=keys)
    both = _read_numbers(was, keys).merge(_read_numbers(now, keys), on=keys)
    number, again = both["number_x"], both["number_y"]
    raised = (again == _HIDDEN) & (number < threshold)
    zero = (number == _NO_PROGRAMME) | ((again == _NO_PROGRAMME) & (number <= 0))
    return pd.DataFrame(both[(number != again) & ~raised & ~zero])


def _read_numbers(table: pa.Table, keys: Sequence[str]) -> pd.DataFrame:
    """Return the cells that say something about a count: their number, _HIDDEN where it is below the threshold.

    Areas without a programme have _NO_PROGRAMME.
    """
    frame = pd.DataFrame(table.to_pandas())
    number = np.select(
        [frame["state"] == "number", frame["state"].isin(BELOW), frame["state"] == "structural_zero"],
        [frame["value"].fillna(0), _HIDDEN, _NO_PROGRAMME],
        np.nan,
    )
    return frame[keys].assign(number=number).dropna(subset="number")
