"""Write the target group of the programme, beside the children reached, as a CSV file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from data.message import mark
from data.release import Release
from data.release.targets import read_targets
from data.tables.periods import Period
from geo.export import write_csv
from geo.layers.output import terms

GROUP_NAMES = {
    "at_risk": mark("Children at risk"),
    "victims": mark("Current or former victims"),
    "families": mark("Families"),
    "household_children": mark("Children with a household number"),
}
COUNTED = mark(
    "Each child counts once, by its first encounter: at risk, or at any later stage. Both countries together."
)


def build_targets(release: Release, rows: pd.DataFrame, translate: Callable[[str], str] = str) -> pd.DataFrame:
    """Return the rows of `read_targets` with their words and what each row is; `translate` translates the words."""
    labels = rows["group"].map({group: translate(words) for group, words in GROUP_NAMES.items()})
    rows = rows.copy()
    rows.insert(1, "label", labels)
    return rows.assign(
        period_label=[Period.parse(period).label for period in rows["period"]],
        counted=translate(COUNTED),
        data="invented" if release.invented else "programme",
        tier=release.tier,
        release=release.name,
    )


def write_targets(release: Release, folder: Path, translate: Callable[[str], str] = str) -> list[Path]:
    """Write the target group into a folder and return the file in a list; empty if the release has no targets."""
    rows = read_targets(release)
    if rows.empty:
        return []
    path = folder / f"{terms.name_files(release, invented=release.invented)}-targets.csv"
    write_csv(path, build_targets(release, rows, translate))
    return [path]
