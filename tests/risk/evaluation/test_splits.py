"""What an evaluation relies on: no test looks back, no test has its neighbours among what was fitted."""

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import cross_validate

from data.errors import InputError
from risk.evaluation.splits import RollingOrigin, SpatialBlocks, hops


def grid(width, height, islands=0):
    at = np.arange(width * height).reshape(height, width)
    pairs = [
        np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], 1),
        np.stack([at[:-1].ravel(), at[1:].ravel()], 1),
    ]
    return np.concatenate(pairs), width * height + islands


def test_rolling_origins_fit_before_and_test_after_up_to_four_ahead():
    quarter = np.tile(np.arange(8), 3)
    splits = list(RollingOrigin(5, 4).split(quarter, groups=quarter))
    assert len(splits) == 3 == RollingOrigin(5, 4).get_n_splits(groups=quarter)
    for origin, (fit, test) in zip((5, 6, 7), splits, strict=True):
        assert set(quarter[fit]) == set(range(origin))
        assert set(quarter[test]) == set(range(origin, min(origin + 4, 8)))
    with pytest.raises(InputError, match="more than 8"):
        RollingOrigin(8).get_n_splits(groups=quarter)


@pytest.mark.parametrize("islands", [0, 3])
@pytest.mark.parametrize("blocks", [2, 5, 9])
def test_blocks_are_contiguous_even_and_cover_every_area_once(blocks, islands):
    edges, size = grid(10, 8, islands)
    labels = SpatialBlocks(edges, size, blocks).labels()
    counts = np.bincount(labels, minlength=blocks)
    assert counts.sum() == size
    assert counts.min() >= size / blocks / 3
    for block in range(blocks):
        inside = np.flatnonzero(labels[:80] == block)
        own = edges[np.isin(edges, inside).all(axis=1)]
        place = {area: i for i, area in enumerate(inside)}
        renumbered = np.array([[place[a], place[b]] for a, b in own]).reshape(-1, 2)
        assert np.isfinite(hops(renumbered, len(inside))).all()


def test_a_ring_of_neighbours_is_left_out():
    edges, size = grid(10, 8)
    apart = hops(edges, size)
    tested = []
    for fit, test in SpatialBlocks(edges, size, 5, ring=1).folds():
        assert apart[np.ix_(fit, test)].min() == 2
        left = np.setdiff1d(np.arange(size), np.concatenate([fit, test]))
        assert len(left)
        assert apart[np.ix_(test, left)].min(axis=0).max() == 1
        tested += test.tolist()
    assert sorted(tested) == list(range(size))


def test_several_parts_of_a_map_are_all_tested():
    first, size = grid(4, 4)
    edges = np.concatenate([first, first + size])
    labels = SpatialBlocks(edges, 2 * size, 2).labels()
    assert len(set(labels[:size])) == len(set(labels[size:])) == 1
    assert labels[0] != labels[size]


def test_both_splitters_work_in_cross_validate():
    edges, size = grid(5, 5)
    rng = np.random.default_rng(0)
    area, quarter = (axis.ravel() for axis in np.indices((size, 10)))
    x = rng.normal(size=(250, 2))
    y = rng.poisson(np.exp(0.5 * x[:, 0]))
    for cv, groups, count in (
        (RollingOrigin(6, 2), quarter, 4),
        (SpatialBlocks(edges, size, 5), area, 5),
    ):
        found = cross_validate(PoissonRegressor(), x, y, groups=groups, cv=cv)
        assert len(found["test_score"]) == count
        assert found["test_score"].mean() > 0.0


def test_what_cannot_be_split_is_refused():
    edges, size = grid(3, 3)
    with pytest.raises(InputError, match="2 to 9 blocks"):
        SpatialBlocks(edges, size, 10)
    with pytest.raises(InputError, match="groups"):
        next(RollingOrigin(2).split(np.ones(4)))
    with pytest.raises(InputError, match="from 1"):
        RollingOrigin(0)
