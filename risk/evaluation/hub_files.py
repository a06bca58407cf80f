"""Registered forecasts as files in the format of forecast hubs (hubverse), to be scored by others' tools.

    tact-RELEASE-partner-README.txt
    model-output/tact-MODEL_partner/ORIGIN-tact-MODEL_partner.csv
    target-data/time-series/tact-RELEASE-partner.csv

With invented data, all names say so. The columns of model-output are those that hubs allow: task identifiers
(origin_date, target, horizon, target_end_date, location, pathway) and output_type, output_type_id and value. Late
entries are left out; reconstructed entries are written as separate models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.release import Release
from data.tables.periods import Period
from data.tables.shown import sum_ways
from data.tables.states import MEANINGS
from data.workspace import files
from data.workspace.hash_chain import Chain
from geo.layers.output import terms
from risk.evaluation.forecast_ledger import COUNTS, list_forecasts, read_draws
from risk.evaluation.scores import QUANTILES

TARGET = "children published"
_NOT_HERE = ("published_figures", "sums", "boundaries")  # descriptions that do not concern a hub's files
_EXPLANATION = """\
model-output holds what was forecast, target-data what release {release} shows: children identified or met by county or
region, quarter and pathway, both ways of finding together, with the noise of the release. Every cell has a row; where
its state has no number, observation is empty. To score as `tact ledger list` does, read almost_none and not_searched
as 0, and leave other cells without a number out.
"""


def list_releases(chain: Chain) -> list[str]:
    """List the names of the releases whose forecasts `write_hub` writes, each once, in the order of their entries."""
    return list(dict.fromkeys(entry.content["release"] for entry in list_forecasts(chain)))


def write_hub(chain: Chain, release: Release, observed: pd.DataFrame, folder: Path) -> list[Path]:
    """Write the forecasts of a ledger and the published counts of a release into a folder; return the files.

    `observed` is the result of `tabulate_observed`.
    """
    paths = [_write_readme(chain, release, observed, folder), write_target(release, observed, folder)]
    for content in (entry.content for entry in list_forecasts(chain)):
        for name in content["values"]:
            # The identifier of a model has only letters, digits and underscores.
            marks = (content["tier"], *(mark for mark in ("invented", "reconstructed") if content[mark]))
            model = "tact-" + "_".join((re.sub(r"\W+", "_", name.lower()), *marks))
            path = folder / "model-output" / model / f"{content['origin']}-{model}.csv"
            paths.append(_write(path, _tabulate_quantiles(content, name)))
    return paths


def write_target(release: Release, observed: pd.DataFrame, folder: Path) -> Path:
    """Write the published counts of a release, from `tabulate_observed`; return the file."""
    name = f"{terms.name_files(release, invented=release.invented)}.csv"
    return _write(folder / "target-data" / "time-series" / name, observed)


def _write_readme(chain: Chain, release: Release, observed: pd.DataFrame, folder: Path) -> Path:
    about = {key: text for key, text in terms.describe_file(release, ()).items() if key not in _NOT_HERE}
    about["forecasts_of"] = ", ".join(list_releases(chain)) or "none yet"
    lines = [f"{key.replace('_', ' ')}: {text}" for key, text in about.items()]
    states = [f"{state}: {MEANINGS[state]}" for state in sorted(observed["state"].unique())]
    path = folder / f"{terms.name_files(release, invented=release.invented)}-README.txt"
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(path, "\n".join([*lines, "", _EXPLANATION.format(release=release.name), *states, ""]))
    return path


def _tabulate_quantiles(content: Mapping[str, Any], name: str) -> pd.DataFrame:
    draws = read_draws(content, name)
    ends = np.quantile(draws, QUANTILES, axis=0, method="inverted_cdf").astype(np.int64)
    level, area, step, pathway = (axis.ravel() for axis in np.indices(ends.shape))
    last = np.array([Period.parse(target).end.isoformat() for target in content["targets"]])
    return pd.DataFrame({
        "origin_date": content["origin"],
        "target": TARGET,
        "horizon": step + 1,
        "target_end_date": last[step],
        "location": np.array(content["areas"])[area],
        "pathway": np.array(content["pathways"])[pathway],
        "output_type": "quantile",
        "output_type_id": np.array(QUANTILES)[level],
        "value": ends.ravel(),
    })  # fmt: skip


def tabulate_observed(release: Release) -> pd.DataFrame:
    """Return the published counts of a release, one row for each area, quarter and pathway.

    Raises ReleaseError for a release without counts.
    """
    sums = sum_ways(release.table(COUNTS))
    return pd.DataFrame({
        "target_end_date": sums["period"].map(lambda period: Period.parse(period).end.isoformat()),
        "target": TARGET,
        "location": sums["area"],
        "pathway": sums["crossing"],
        "observation": sums["value"].astype("Int64"),
        "state": sums["state"],
        "period": sums["period"],
        "data": "invented" if release.invented else "programme",
        "tier": release.tier,
        "release": release.name,
    })  # fmt: skip


def _write(path: Path, table: pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, table.to_csv(index=False, lineterminator="\n"))
    return path
