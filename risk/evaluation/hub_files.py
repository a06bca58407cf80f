"""Registered forecasts as files in the format of forecast hubs (hubverse), to be scored by others' tools.

    model-output/tact-MODEL/ORIGIN-tact-MODEL.csv
    target-data/time-series.csv

The columns are task identifiers (origin_date, target, horizon, target_end_date, location, pathway) and output_type,
output_type_id and value. A late entry is left out; a reconstructed one has a model of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.tables.periods import Period
from data.workspace import files
from data.workspace.hash_chain import Chain
from risk.evaluation.forecast_ledger import list_forecasts, read_complete_panel, read_draws
from risk.evaluation.scores import QUANTILES
from risk.model.observations import Observations

TARGET = "children published"


def write_hub(chain: Chain, observations: Observations, folder: Path) -> list[Path]:
    """Write the forecasts of a ledger and the published counts of a release; return the files."""
    written = []
    for entry in list_forecasts(chain):
        for name in entry.content["values"]:
            model = _name_model(name, reconstructed=entry.content["reconstructed"])
            path = folder / "model-output" / model / f"{entry.content['origin']}-{model}.csv"
            written.append(_write(path, _tabulate_quantiles(entry.content, name)))
    observed = pd.DataFrame(list(_list_observed(observations)))
    return [*written, _write(folder / "target-data" / "time-series.csv", observed)]


def _name_model(name: str, *, reconstructed: bool) -> str:
    """Return the identifier of a model: team and model, each of letters, digits and low lines."""
    plain = re.sub(r"\W+", "_", name.lower())
    return f"tact-{plain}{'_reconstructed' if reconstructed else ''}"


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


def _list_observed(observations: Observations) -> Iterator[dict[str, Any]]:
    panel = read_complete_panel(observations)
    for a, area in enumerate(panel.areas):
        for t, quarter in enumerate(panel.quarters):
            for p, pathway in enumerate(panel.pathways):
                if not np.isnan(panel.counts[a, t, p]):
                    yield {
                        "target_end_date": Period.parse(quarter).end.isoformat(),
                        "target": TARGET,
                        "location": area,
                        "pathway": pathway,
                        "observation": int(panel.counts[a, t, p]),
                    }


def _write(path: Path, table: pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, table.to_csv(index=False, lineterminator="\n"))
    return path
