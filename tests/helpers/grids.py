"""A country that is a square of areas, for tests of the risk model that need no real areas."""

import numpy as np

from data.disclosure.cell_key import CellKey
from risk.model.observations import Observations, build_channel

QUARTERS = 8
CHANNEL = build_channel(CellKey(), np.array([10**6]), None)


def draw_grid(side):
    """Return one country: a square of areas with the same rate."""
    places = np.arange(side**2).reshape(side, side)
    edges = [(places[:, :-1].ravel(), places[:, 1:].ravel()), (places[:-1].ravel(), places[1:].ravel())]
    areas = tuple(f"AL-{i:02}" for i in range(side**2))
    shape = (side**2, QUARTERS, 2, 2)
    return Observations(
        areas,
        ("AL",) * side**2,
        np.full(shape[:2], 20_000.0),
        tuple(f"2020-{i:02}" for i in range(QUARTERS)),
        ("internal", "cross_border"),
        ("reported", "discovered"),
        np.full(shape, 4),
        10.0 * 2.0 ** (np.add.outer(np.arange(side**2), np.arange(QUARTERS)) % 4 - 1.5),
        np.concatenate([np.column_stack(pair) for pair in edges]),
        CHANNEL,
        "partner",
    )
