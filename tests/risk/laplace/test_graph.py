"""Fields over neighbours are scaled, sum to zero, and are unique."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.laplace import graph
from tests.helpers.nonempty import nonempty
from tests.helpers.reference import read_scotland_edges


def test_the_published_scale_of_the_scottish_districts():
    edges = read_scotland_edges("carlin")
    plain, scaled = (np.sort(graph.build_structure(56, edges, scaled=s).variances)[1:] for s in (False, True))
    np.testing.assert_allclose(plain / scaled, 0.485318, atol=1e-5)


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 12))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda p: p[0] != p[1])
    edges = {tuple(sorted(pair)) for pair in draw(st.lists(pairs, max_size=20))}
    return size, np.array(sorted(edges), dtype=np.int64).reshape(-1, 2)


@pytest.mark.slow
@settings(max_examples=30)
@given(graphs())
def test_each_part_has_variance_one_on_the_geometric_mean_and_sums_to_zero(size_and_edges):
    size, edges = size_and_edges
    field = graph.build_structure(size, edges)
    covariance = field.product(field.variances)
    for part in nonempty(range(field.labels.max() + 1)):
        inside = np.flatnonzero(field.labels == part)
        part_covariance = covariance[np.ix_(inside, inside)]
        assert np.exp(np.log(np.diag(part_covariance)).mean()) == pytest.approx(1.0)
        if len(inside) > 1:
            np.testing.assert_allclose(part_covariance.sum(axis=0), 0.0, atol=1e-9)
    apart = field.labels[:, None] != field.labels
    np.testing.assert_allclose(covariance[apart], 0.0, atol=1e-12)


@pytest.mark.slow
@settings(max_examples=30)
@given(graphs())
def test_the_root_is_symmetric_and_its_square_is_the_covariance(size_and_edges):
    field = graph.build_structure(*size_and_edges)
    root = field.root()
    np.testing.assert_allclose(root, root.T, atol=1e-9)
    np.testing.assert_allclose(root @ root, field.product(field.variances), atol=1e-8)


def test_the_numbers_of_areas_do_not_matter():
    edges = np.array([(0, 1), (1, 2), (2, 3), (3, 0), (1, 3), (3, 4)])
    order = np.array([3, 0, 4, 1, 2])
    field, reordered = graph.build_structure(5, edges), graph.build_structure(5, np.sort(order[edges], axis=1))
    np.testing.assert_allclose(
        reordered.product(reordered.variances)[np.ix_(order, order)], field.product(field.variances), atol=1e-9
    )


def test_a_walk_has_steps_of_variance_one_and_sums_to_zero():
    walk = graph.build_chain(7)
    walk = walk.product(walk.variances)
    steps = np.diff(np.eye(7), axis=0)
    np.testing.assert_allclose(steps @ walk @ steps.T, np.eye(6), atol=1e-9)
    np.testing.assert_allclose(walk.sum(axis=0), 0.0, atol=1e-9)


def test_edges_keep_known_areas_once():
    pairs = [("b", "a"), ("a", "b"), ("b", "c"), ("c", "elsewhere"), ("c", "c")]
    np.testing.assert_array_equal(graph.find_edges(["a", "b", "c"], pairs), [(0, 1), (1, 2)])
    assert graph.find_edges(["a"], []).shape == (0, 2)
