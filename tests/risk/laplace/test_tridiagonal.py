"""The fast elimination of an area's random walk gives the same results as dense algebra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.laplace.fields import Field, HalfNormal, Hyper
from risk.laplace.graph import build_chain, build_structure
from risk.laplace.tridiagonal import Tridiagonal, split_constant

SEEDS = st.integers(0, 10_000)


def precision(graph, sd, smooth):
    """Return the prior precision of a random walk, (T, T)."""
    hypers = Hyper("sd", HalfNormal()), Hyper("smooth", fixed=smooth), Hyper("none")
    return Field(graph, 1, *hypers).precision([np.log(sd)]).matrix


def blocks(seed, periods, vectors, level=0.0):
    """Return random positive definite matrices of this form: their parts, and the dense matrices, (B, T, T)."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 6))
    beside = rng.normal(size=periods - 1)
    # Each row outweighs its neighbours.
    diagonal = rng.gamma(1.0, size=(periods, size)) + 0.1
    diagonal[:-1] += np.abs(beside)[:, None]
    diagonal[1:] += np.abs(beside)[:, None]
    weights = np.array([level, *rng.gamma(1.0, size=vectors)])
    columns = np.concatenate([np.ones((periods, 1, size)), rng.normal(size=(periods, vectors, size))], axis=1)
    dense = np.einsum("tb,tu->btu", diagonal, np.eye(periods)) + np.diag(beside, 1) + np.diag(beside, -1)
    dense = dense + np.einsum("r,trb,urb->btu", weights, columns, columns)
    return (diagonal, beside, weights, columns), dense


@given(SEEDS, st.integers(1, 14), st.integers(0, 2), st.sampled_from([0.0, 1.0, 1e4]))
def test_the_inverse_and_the_determinant_are_those_of_dense_matrices(seed, periods, vectors, level):
    given_parts, dense = blocks(seed, periods, vectors, level)
    factor = Tridiagonal.factorise(*given_parts)
    inverse = np.moveaxis(factor.inverse(), 2, 0)
    np.testing.assert_allclose(inverse, np.linalg.inv(dense), rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(inverse, np.swapaxes(inverse, 1, 2))
    assert factor.log_det == pytest.approx(np.linalg.slogdet(dense)[1].sum(), rel=1e-9, abs=1e-9)


@given(SEEDS, st.integers(1, 14), st.integers(0, 2))
def test_draws_are_those_of_choleskys_factor(seed, periods, vectors):
    given_parts, dense = blocks(seed, periods, vectors, 1.0)
    plain = np.random.default_rng(seed + 1).normal(size=(periods, len(dense), 3))
    draws = np.moveaxis(Tridiagonal.factorise(*given_parts).draw(plain), 1, 0)
    upper = np.swapaxes(np.linalg.cholesky(dense), 1, 2)
    np.testing.assert_allclose(draws, np.linalg.solve(upper, np.moveaxis(plain, 1, 0)), rtol=1e-8, atol=1e-9)


@given(SEEDS, st.integers(2, 14), st.floats(-3.0, 3.0))
def test_a_matrix_is_refused_exactly_when_it_is_not_positive_definite(seed, periods, away):
    """The smallest eigenvalue is `away`; the tridiagonal part alone may have negative eigenvalues."""
    (diagonal, beside, weights, columns), dense = blocks(seed, periods, 1, 1.0)
    least = np.linalg.eigvalsh(dense[0])[0]
    if abs(away) < 1e-6:
        return
    alone = (diagonal[:, :1] + away - least, beside, weights, columns[:, :, :1])
    if away > 0:
        assert np.isfinite(Tridiagonal.factorise(*alone).inverse()).all()
    else:
        with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
            Tridiagonal.factorise(*alone)


def test_what_is_not_a_number_is_refused():
    diagonal = np.array([[1.0], [np.nan]])
    with pytest.raises(np.linalg.LinAlgError):
        Tridiagonal.factorise(diagonal, np.zeros(1), np.zeros(1), np.ones((2, 1, 1)))


@pytest.mark.parametrize("periods", [2, 3, 12, 40])
@pytest.mark.parametrize("sd", [0.02, 0.3])
def test_a_walk_is_tridiagonal_but_for_its_level(periods, sd):
    """An area without counts keeps its prior: the covariance of a walk that sums to zero."""
    walk = build_chain(periods)
    diagonal, beside, level = split_constant(precision(walk, sd, 1.0))
    whole = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1) + level
    np.testing.assert_allclose(whole, precision(walk, sd, 1.0), rtol=1e-12)
    factor = Tridiagonal.factorise(diagonal[:, None], beside, np.array([level]), np.ones((periods, 1, 1)))
    covariance = sd**2 * (walk.product(walk.variances) + 1e-6 / periods)
    np.testing.assert_allclose(factor.inverse()[:, :, 0], covariance, rtol=1e-7, atol=1e-8 * sd**2)


def test_independent_quarters_have_no_level():
    unconnected = build_structure(5, np.zeros((0, 2), np.int64))
    diagonal, beside, level = split_constant(precision(unconnected, 0.5, 0.0))
    np.testing.assert_allclose(diagonal, 4.0)
    assert not beside.any()
    assert level == 0.0


def test_another_graph_is_refused():
    ring = build_structure(6, np.array([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)]))
    with pytest.raises(ValueError, match="tridiagonal"):
        split_constant(precision(ring, 0.5, 1.0))
    with pytest.raises(ValueError, match="tridiagonal"):
        split_constant(precision(build_chain(6), 0.5, 0.5))
