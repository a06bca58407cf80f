"""Many small positive definite matrices, each tridiagonal plus a few products of vectors: factor and inverse.

    A = tridiagonal(diagonal, beside) + sum over r of weight_r u_r u_r'

This is docs/risk-model.md eq. (24). A random walk with independent counts has a tridiagonal precision;
its sum-to-zero constraint adds one product of vectors, and a total of the counts adds another. After the
first numbers are eliminated, the rest has the same form,

    tridiagonal + U C U' + e (U b)' + (U b) e'

with e the first number that remains. So the factor of T numbers takes T steps and not T^3, and the whole
inverse T^2 (the recursion of Takahashi, Fagan and Chin 1973). All matrices are processed together. The
result is the Cholesky factor in another form, and is as stable.

Axes: B matrices, T numbers, R vectors; B comes last, so that each step runs over numbers that are adjacent in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats

_SAME = 1e-9  # of the largest entry


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """The factor A = L D L', with ones on the diagonal of L.

    Below the diagonal, column t of L has column[t, 0] in row t + 1, plus column[t, 1:] times `vectors` in all rows.

    pivots : the diagonal of D, (T, B). column : (T, 1 + R, B). vectors : (T, R, B).
    """

    pivots: Floats
    column: Floats
    vectors: Floats

    @classmethod
    def factorise(cls, diagonal: Floats, beside: Floats, weights: Floats, vectors: Floats) -> Tridiagonal:
        """Factorise the matrices A of the module's first equation.

        diagonal : (T, B). beside : (T - 1,). weights : (R,). vectors : (T, R, B).

        Raises LinAlgError where a matrix is not positive definite.
        """
        periods, each, blocks = vectors.shape
        pivots, column = np.empty((periods, blocks)), np.zeros((periods, 1 + each, blocks))
        among = np.diag(weights)[..., None] * np.ones(blocks)
        schur, first = diagonal[0], np.zeros((each, blocks))
        for t, vector in enumerate(vectors):
            bound = np.einsum("rsb,sb->rb", among, vector) + first
            pivots[t] = schur + np.einsum("rb,rb->b", vector, bound + first)
            if not pivots[t].min() > 0:
                raise np.linalg.LinAlgError("A block is not positive definite.")
            column[t, 1:] = bound / pivots[t]
            among -= bound[:, None] * column[t, 1:]
            if t < periods - 1:
                column[t, 0] = beside[t] / pivots[t]
                schur, first = diagonal[t + 1] - beside[t] * column[t, 0], -bound * column[t, 0]
        return cls(pivots, column, vectors)

    @property
    def log_det(self) -> float:
        """The sum of the log determinants of all matrices."""
        return float(np.log(self.pivots).sum())

    def inverse(self) -> Floats:
        """Return the inverse of each matrix, (T, T, B), computed from the last row upwards.

        `below` keeps two things for the next row: the row computed last, and the products of `vectors` with all rows
        computed so far.
        """
        periods, each, blocks = self.vectors.shape
        out, below = np.empty((periods, periods, blocks)), np.zeros((periods, 1 + each, blocks))
        for t in reversed(range(periods)):
            later = slice(t + 1, periods)
            row = out[t, later]
            np.einsum("rb,jrb->jb", -self.column[t], below[later], out=row)
            out[later, t] = row
            if len(row):
                below[t, 0] = row[0]
                np.einsum("jrb,jb->rb", self.vectors[later], row, out=below[t, 1:])
            out[t, t] = 1.0 / self.pivots[t] - np.einsum("rb,rb->b", self.column[t], below[t])
            below[t:, 0] = out[t, t:]
            below[later, 1:] += self.vectors[t] * row[:, None]
            below[t, 1:] += self.vectors[t] * out[t, t]
        return out

    def draw(self, plain: Floats) -> Floats:
        """Return draws, (T, B, d), whose covariance is the inverse of each matrix.

        plain : independent standard normal numbers, (T, B, d).
        """
        out, below = np.empty(plain.shape), np.zeros((*self.column.shape[1:], plain.shape[2]))
        for t in reversed(range(len(out))):
            out[t] = plain[t] / np.sqrt(self.pivots[t])[:, None]
            out[t] -= np.einsum("rb,rbd->bd", self.column[t], below)
            below[0] = out[t]
            below[1:] += self.vectors[t][..., None] * out[t]
        return out


def split_constant(matrix: Floats) -> tuple[Floats, Floats, float]:
    """Split a symmetric matrix, (T, T), into a tridiagonal matrix and a constant.

    Returns the diagonal, (T,), the off-diagonal, (T - 1,), and the constant. Raises ValueError if the matrix
    is not such a sum.
    """
    constant = float(matrix[0, -1]) if len(matrix) > 2 else 0.0
    rest = matrix - constant
    if np.abs(np.triu(rest, 2)).max(initial=0.0) > _SAME * np.abs(matrix).max():
        raise ValueError("The precision of a course in time must be tridiagonal, but for a constant.")
    return np.diagonal(rest).copy(), np.diagonal(rest, 1).copy(), constant
