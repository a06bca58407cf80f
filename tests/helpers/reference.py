"""Read published results and data for tests: see tests/reference/README.md."""

import csv

import numpy as np
import pandas as pd

from tests.helpers.paths import ROOT

FOLDER = ROOT / "tests" / "reference"


def read_rows(name: str) -> list[dict[str, str]]:
    """Read a table as strings, one dictionary for each row."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_scotland() -> pd.DataFrame:
    """Read the 56 districts of the lip cancer data: district, cases, expected, aff (share in outdoor work, 0 to 1)."""
    return pd.read_csv(FOLDER / "scotland.csv")


def read_scotland_edges(source: str) -> np.ndarray:
    """Read pairs of neighbours, shape (pairs, 2), numbered from 0; three areas have none in the source `poly2nb`."""
    return pd.read_csv(FOLDER / f"scotland_edges_{source}.csv").to_numpy()


def read_example(name: str, *columns: str) -> list[np.ndarray]:
    """Read columns of numbers of `sids2` or `stl`."""
    table = pd.read_csv(FOLDER / f"{name}.csv")
    return [table[column].to_numpy(float) for column in columns]


def read_example_edges(name: str) -> np.ndarray:
    """Read pairs of neighbours of `sids2` or `stl`, shape (pairs, 2), numbered from 0."""
    return pd.read_csv(FOLDER / f"{name}_edges.csv").to_numpy()


def read_capture_histories(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a table of capture histories: the lists of each history, (n, L), and the number of people with it, (n,)."""
    table = pd.read_csv(FOLDER / "capture_histories" / f"{name}.csv")
    return table.iloc[:, :-1].to_numpy(bool), table["count"].to_numpy(np.int64)


def read_published_totals(name: str) -> list:
    """Read what was published from a table of capture histories: model, estimate (0 if none) and interval.

    The fields of a row are lists, model, estimate, low and high.
    """
    table = pd.read_csv(FOLDER / "capture_histories" / "published.csv").fillna(0)
    return list(table[table["lists"] == name].itertuples(index=False))
