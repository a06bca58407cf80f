"""The loss of accuracy of a release through protection, and what one number still reveals, both from the release.

True counts are never read. The distance of a shown number from the truth follows from the channel, P(shown | true), in
the manifest: all true counts have the same prior probability, so the posterior probability of each is proportional to
P(shown | true). The number of children in hidden cells follows from the numbers of their country and the numbers shown
for its parts. The result has the tier of the release, because everything is computed from the release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel
from data.release import Release
from data.tables.periods import GRAINS
from data.tables.spec import LEVELS, TableSpec
from data.workspace.types import Floats

COLUMNS = (
    *("tier", "country", "level", "grain", "cells", "shown"),
    *("hidden", "hidden_low", "hidden_high", "error", "relative"),
)
_NORMAL = 1.96  # standard deviations to the ends of an interval of 95 %
# Other cells without a number hold none or almost none, or nobody looked there: protection hides no child.
_HIDDEN = ("few", "withheld")
_UNKNOWN = (np.nan, np.nan, np.nan)

Tables = Mapping[TableSpec, pd.DataFrame]


def compute_cost(release: Release) -> pd.DataFrame:
    """Return the loss of accuracy of the tables of children without breakdown: a row per country, level and grain.

    Columns: tier; country, its code; level; grain; cells, the number of cells; shown, the share of cells with a number;
    hidden, hidden_low, hidden_high, see `estimate_hidden_share`, 0 if no cell is hidden; error, the expected distance
    of a shown number from the true one, in children, averaged over the shown numbers; relative, the median, over the
    shown numbers above zero, of that distance divided by the number. Shares are 0 to 1.

    hidden is missing if the tier has no threshold, or if cells are hidden and the number of all children is not known
    or zero. error and relative are missing if there is no such number. A release without such tables gives no rows.
    Raises InputError for a release of an earlier version that was protected in another way.
    """
    tables = _read_tables(release)
    mechanism, k = CellKey.from_manifest(release.manifest["tact"]), _threshold(release)
    rows = [
        (
            release.tier,
            country,
            spec.level,
            spec.grain,
            *_compute_row(of_country[spec], _find_total(of_country), mechanism, k),
        )
        for country, of_country in _split_by_country(release, tables)
        for spec in of_country
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compute_expected_errors(
    values: npt.ArrayLike, mechanism: CellKey, k: int | None = None, scale: int = 1
) -> tuple[Floats, Floats]:
    """Compute E|shown - true| and E(shown - true)^2 for shown values; two arrays of the shape of `values`.

    The expectation is over true counts that are equally likely beforehand. `k` is the threshold below which numbers are
    hidden, `scale` the most that one child adds to a cell. The result is NaN for a value that is never shown.
    """
    numbers = np.asarray(values, np.int64)
    channel, steady = _steady_channel(mechanism, k, scale)
    distinct, place = np.unique(np.minimum(numbers, steady), return_inverse=True)
    errors = np.array([_error_of_value(channel, int(v)) for v in distinct], np.float64).reshape(-1, 2)
    absolute, squared = (column[place].reshape(numbers.shape) for column in errors.T)
    return absolute, squared


def estimate_hidden_share(
    total: npt.ArrayLike, shown: npt.ArrayLike, mechanism: CellKey, k: int | None
) -> tuple[float, float, float]:
    """Estimate the share of children in cells that show no number; return it and the ends of its 95 % interval.

    All three are from 0 to 1; NaN if the sum of `total` is not above zero. `total` holds the published numbers of a
    country that add up to all of its children, `shown` the numbers shown in the table; the difference of their sums is
    hidden. The noise of each number is assumed to be independent of all others. The interval covers this noise alone.
    Small counts are shown more often when their noise is positive, which lowers the estimate by the variance times the
    number of cells that have the same count near the threshold.
    """
    totals, parts = np.asarray(total, np.int64).ravel(), np.asarray(shown, np.int64).ravel()
    everybody = totals.sum()
    if everybody <= 0:
        return _UNKNOWN
    _, squared = compute_expected_errors(np.concatenate([totals, parts]), mechanism, k)
    spread = _NORMAL * np.sqrt(squared.sum())
    rest = everybody - parts.sum() + np.array([0.0, -spread, spread])
    share, low, high = np.clip(rest / everybody, 0.0, 1.0)
    return float(share), float(low), float(high)


def compute_most_of_one_number(release: Release) -> float:
    """Compute the most that one number reveals about a child to a person who knows all other children of the cell.

    This is the largest total variation distance between what is published with and without the child: 0 is guessing,
    1 is knowing. Raises InputError for a release of an earlier version that was protected in another way.
    """
    channel, _ = _steady_channel(CellKey.from_manifest(release.manifest["tact"]), _threshold(release))
    return float(channel.total_variation().max())


def _steady_channel(mechanism: CellKey, k: int | None, scale: int = 1) -> tuple[Channel, int]:
    """Return a channel, and a shown value from which on the noise no longer depends on the count."""
    reach, none = mechanism.knowledge(scale, k).largest, mechanism.channel(0, scale, k)
    steady = max(2 * reach, none.steady + reach, none.k or 0)
    return mechanism.channel(steady + reach + 1, scale, k), steady


def _error_of_value(channel: Channel, value: int) -> tuple[float, float]:
    """Return E|shown - true| and E(shown - true)^2 for one shown value, over equally likely true counts.

    Both are NaN for a value that is never shown.
    """
    chance = channel.shown(value)
    if not chance.any():
        return np.nan, np.nan
    distance = np.abs(np.arange(len(chance)) - value)
    return float(np.average(distance, weights=chance)), float(np.average(distance**2, weights=chance))


def _threshold(release: Release) -> int | None:
    return release.k if release.tier == "public" else None


def _read_tables(release: Release) -> dict[TableSpec, pd.DataFrame]:
    """Read the tables of children without breakdown, the largest areas first."""
    tables = {}
    for resource in release.manifest["resources"]:
        about = resource.get("tact") or {}
        if about.get("measure") == "children" and about.get("breakdown") == []:
            spec = TableSpec("children", about["level"], about["grain"])
            tables[spec] = release.table(resource["name"])[["area", "value", "state"]]
    return dict(sorted(tables.items(), key=lambda t: (LEVELS.index(t[0].level), GRAINS.index(t[0].grain))))


def _split_by_country(release: Release, tables: Tables) -> Iterator[tuple[str, dict[TableSpec, pd.DataFrame]]]:
    """Yield each country's code and the tables that have rows for it, with these rows, in the order of the codes."""
    areas = pq.read_table(release.areas_file, columns=["code", "country"])
    country = dict(zip(*(areas[name].to_pylist() for name in ("code", "country")), strict=True))
    for code in sorted(set(country.values())):
        inside = {spec: rows[rows["area"].map(country) == code] for spec, rows in tables.items()}
        yield code, {spec: rows for spec, rows in inside.items() if len(rows)}


def _find_total(tables: Tables) -> npt.NDArray[np.int64] | None:
    """Return the fewest published numbers that add up to all children of a country, (n,); None if there are none.

    They are those of the longest periods for which every cell of the country shows a number. Fewer numbers have less
    noise together.
    """
    for grain in reversed(GRAINS):
        rows = tables.get(TableSpec("children", "country", grain))
        if rows is not None and (rows["state"] == "number").all():
            return rows["value"].to_numpy(np.int64)
    return None


def _compute_row(
    rows: pd.DataFrame, total: npt.NDArray[np.int64] | None, mechanism: CellKey, k: int | None
) -> tuple[float, ...]:
    """Return the values of one row of `compute_cost`, from the column "cells" onwards."""
    values = rows.loc[rows["state"] == "number", "value"].to_numpy(np.int64)
    absolute, _ = compute_expected_errors(values, mechanism, k)
    counted = values > 0
    return (
        len(rows),
        len(values) / len(rows),
        *_estimate_hidden(rows, values, total, mechanism, k),
        float(absolute.mean()) if len(values) else np.nan,
        float(np.median(absolute[counted] / values[counted])) if counted.any() else np.nan,
    )


def _estimate_hidden(
    rows: pd.DataFrame,
    values: npt.NDArray[np.int64],
    total: npt.NDArray[np.int64] | None,
    mechanism: CellKey,
    k: int | None,
) -> tuple[float, float, float]:
    if not mechanism.channel(0, 1, k).k:
        return _UNKNOWN
    if not rows["state"].isin(_HIDDEN).any():
        return 0.0, 0.0, 0.0
    return _UNKNOWN if total is None else estimate_hidden_share(total, values, mechanism, k)
