"""Splits: no test looks into the future, and no area is tested beside an area that was fitted."""

import numpy as np
import pytest

from data.errors import InputError
from risk.evaluation.splits import SpatialBlocks, count_borders, list_origins


def grid(width, height, islands=0):
    cells = np.arange(width * height).reshape(height, width)
    pairs = [
        np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()], 1),
        np.stack([cells[:-1].ravel(), cells[1:].ravel()], 1),
    ]
    return np.concatenate(pairs), width * height + islands


def test_origins_begin_after_the_first_and_end_with_the_last_quarter():
    assert list(list_origins(5, 8)) == [5, 6, 7]
    with pytest.raises(InputError, match="more than 8"):
        list_origins(8, 8)
    with pytest.raises(InputError, match="earlier quarter"):
        list_origins(0, 8)


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
        inner_edges = edges[np.isin(edges, inside).all(axis=1)]
        place = {area: i for i, area in enumerate(inside)}
        renumbered = np.array([[place[a], place[b]] for a, b in inner_edges]).reshape(-1, 2)
        assert np.isfinite(count_borders(renumbered, len(inside))).all()


def test_a_ring_of_neighbours_is_left_out():
    edges, size = grid(10, 8)
    apart = count_borders(edges, size)
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


def test_what_cannot_be_split_is_refused():
    edges, size = grid(3, 3)
    with pytest.raises(InputError, match="2 to 9 blocks"):
        SpatialBlocks(edges, size, 10)
