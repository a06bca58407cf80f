"""Many small positive definite matrices, each tridiagonal plus a few products of vectors: factor and inverse.

    A = tridiagonal(diagonal, beside) + sum over r of weight_r u_r u_r'

A random walk with independent counts has a tridiagonal precision; that the walk sums to zero is one such
product, a total of the counts another. What is left once the first numbers are eliminated has the same form,

    tridiagonal + U C U' + e (U b)' + (U b) e'

with e the first number that is left, so that the factor of T numbers takes T steps and not T^3, and the whole
inverse T^2 (the recursion of Takahashi, Fagan and Chin 1973). All matrices are worked on at once. It is the
factor of Cholesky, stored otherwise, and as stable.

Axes: B matrices, T numbers, R vectors; B comes last, so that each step runs over what lies side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tridiagonal", "parts"]

Floats = NDArray[np.float64]

_SAME = 1e-9  # of the largest entry


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """The factor A = L D L', with ones on the diagonal of L.

    Below it column t of L holds `vectors` times `all_later`, and `next_one` besides in row t + 1.

    pivots : the diagonal of D, (T, B). next_one : (T - 1, B). all_later, vectors : (T, R, B).
    """

    pivots: Floats
    next_one: Floats
    all_later: Floats
    vectors: Floats

    @classmethod
    def of(cls, diagonal: Floats, beside: Floats, weights: Floats, vectors: Floats) -> Tridiagonal:
        """Factorise; shapes (T, B), (T - 1,), (R,) and (T, R, B).

        Raises LinAlgError where a matrix is not positive definite.
        """
        pivots, all_later = np.empty(diagonal.shape), np.empty(vectors.shape)
        next_one = np.empty((len(beside), diagonal.shape[1]))
        among = weights[:, None, None] * np.eye(len(weights))[:, :, None] * np.ones(diagonal.shape[1])
        own, first = diagonal[0], np.zeros(vectors.shape[1:])
        for t, vector in enumerate(vectors):
            column = (among * vector).sum(axis=1) + first
            pivots[t] = own + (vector * (column + first)).sum(axis=0)
            if not (pivots[t] > 0).all():
                msg = "A block is not positive definite."
                raise np.linalg.LinAlgError(msg)
            all_later[t] = column / pivots[t]
            among -= column[:, None] * all_later[t]
            if t < len(beside):
                next_one[t] = beside[t] / pivots[t]
                own, first = diagonal[t + 1] - beside[t] * next_one[t], -column * next_one[t]
        return cls(pivots, next_one, all_later, vectors)

    @property
    def log_det(self) -> float:
        """The log determinants of all matrices, added up."""
        return float(np.log(self.pivots).sum())

    def inverse(self) -> Floats:
        """Give the inverse of each matrix, (T, T, B)."""
        periods, _, blocks = self.vectors.shape
        out, sums = np.empty((periods, periods, blocks)), np.zeros(self.vectors.shape)
        out[-1, -1] = 1.0 / self.pivots[-1]
        sums[-1] = self.vectors[-1] * out[-1, -1]
        for t in reversed(range(periods - 1)):
            later = slice(t + 1, periods)
            row = out[t, later]
            np.multiply(-self.next_one[t], out[t + 1, later], out=row)
            for r, share in enumerate(self.all_later[t]):
                row -= share * sums[later, r]
            out[later, t] = row
            below = np.einsum("trb,tb->rb", self.vectors[later], row)
            out[t, t] = (
                1.0 / self.pivots[t] - self.next_one[t] * row[0] - (self.all_later[t] * below).sum(axis=0)
            )
            for r, vector in enumerate(self.vectors[t]):
                sums[later, r] += vector * row
            sums[t] = below + self.vectors[t] * out[t, t]
        return out

    def draw(self, plain: Floats) -> Floats:
        """Turn independent standard normal numbers, (T, B, d), into draws with the inverse as covariance."""
        out, sums = np.empty(plain.shape), np.zeros((self.vectors.shape[1], *plain.shape[1:]))
        scaled = plain / np.sqrt(self.pivots)[..., None]
        for t in reversed(range(len(out))):
            out[t] = scaled[t] - (self.all_later[t][..., None] * sums).sum(axis=0)
            if t + 1 < len(out):
                out[t] -= self.next_one[t][:, None] * out[t + 1]
            sums += self.vectors[t][..., None] * out[t]
        return out


def parts(matrix: Floats) -> tuple[Floats, Floats, float]:
    """Split a symmetric matrix (T, T) into a tridiagonal one and a constant: diagonal, beside, constant.

    Raises ValueError where it is not such a sum.
    """
    constant = float(matrix[0, -1]) if len(matrix) > 2 else 0.0
    rest = matrix - constant
    if np.abs(np.triu(rest, 2)).max(initial=0.0) > _SAME * np.abs(matrix).max():
        msg = "The precision of a course in time must be tridiagonal, but for a constant."
        raise ValueError(msg)
    return np.diagonal(rest).copy(), np.diagonal(rest, 1).copy(), constant
