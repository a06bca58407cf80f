"""The panel: its parts fit together, a history ends at its origin, and countries stay separate."""

import numpy as np
import pytest

from data.errors import InputError
from risk.evaluation.panel import Panel


def panel(**changed):
    parts = {
        "areas": ("a", "b", "c", "d"),
        "countries": ("AL", "GR", "AL", "AL"),
        "expected": np.tile([[1.0], [2.0], [3.0], [4.0]], 3),
        "quarters": ("2006-06-01/P3M", "2006-09-01/P3M", "2006-12-01/P3M"),
        "pathways": ("internal", "cross_border"),
        "counts": np.arange(24.0).reshape(4, 3, 2),
        "effort": np.ones((4, 3)),
        "edges": np.array([[0, 1], [0, 2], [2, 3]]),
    }
    return Panel(**{**parts, **changed})


def test_a_history_ends_before_its_origin():
    early = panel().until(2)
    assert early.quarters == ("2006-06-01/P3M", "2006-09-01/P3M")
    np.testing.assert_array_equal(early.counts, panel().counts[:, :2])
    assert early.effort.shape == early.expected.shape == (4, 2)


def test_hidden_areas_are_unknown_and_the_panel_itself_is_not_changed():
    whole = panel()
    hidden = whole.hiding(np.array([1]))
    assert np.isnan(hidden.counts[1]).all()
    assert not np.isnan(whole.counts).any()
    np.testing.assert_array_equal(hidden.counts[[0, 2, 3]], whole.counts[[0, 2, 3]])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("counts", np.zeros((4, 2, 2))),
        ("counts", np.full((4, 3, 2), -1.0)),
        ("effort", np.full((4, 3), np.nan)),
        ("expected", np.zeros((4, 3))),
        ("edges", np.array([[0, 4]])),
        ("countries", ("AL",)),
    ],
)
def test_what_does_not_fit_is_named(name, value):
    with pytest.raises(InputError, match=name):
        panel(**{name: value})
