"""The typed-in data are complete: their sums equal published totals."""

import numpy as np
import pandas as pd
import pytest

from tests.helpers.nonempty import nonempty
from tests.helpers.reference import FOLDER, read_scotland, read_scotland_edges


def test_the_scottish_districts_are_whole():
    table = read_scotland()
    assert (len(table), table["cases"].sum()) == (56, 536)
    for source, islands in (("carlin", 0), ("poly2nb", 3)):
        edges = read_scotland_edges(source)
        assert (edges[:, 0] < edges[:, 1]).all()
        assert 56 - len(np.unique(edges)) == islands


@pytest.mark.parametrize(
    ("name", "people"), [("uk_2013_six_lists", 2744), ("uk_2013_five_lists", 2744), ("western_united_states", 345)]
)
def test_the_capture_histories_are_whole(name, people):
    table = pd.read_csv(FOLDER / "capture_histories" / f"{name}.csv")
    assert table["count"].sum() == people
    assert not table.drop(columns="count").duplicated().any()


def test_every_file_is_named_in_the_list_of_sources():
    words = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in nonempty(FOLDER.rglob("*.csv")):
        assert path.name in words
