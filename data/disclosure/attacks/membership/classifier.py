"""The classifier of the membership attack: it learns to distinguish two kinds of worlds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats

_RIDGE = 1.0
_STEPS = 12
_CONVERGED = 1e-6  # Newton: the next step would be below 1e-12


@dataclass(frozen=True, eq=False)
class Classifier:
    """Logistic regression with a ridge, on standardised features.

    centre, scale: mean and standard deviation of each feature, (features,); the scale is infinite for a feature that
    never varies. weights: the intercept, then a weight for each feature, (1 + features,). cut: the attacker claims
    that the child is there if the weighted sum is above it.
    """

    centre: Floats
    scale: Floats
    weights: Floats
    cut: float

    @classmethod
    def fit(cls, without_child: Floats, with_child: Floats) -> Classifier:
        """Return a classifier fitted on worlds without and with the child; features have shape (worlds, features).

        A feature that never varies gets no weight.
        """
        features = np.concatenate([without_child, with_child])
        label = np.repeat([0.0, 1.0], [len(without_child), len(with_child)])
        centre, scale = features.mean(axis=0), features.std(axis=0)
        varies = scale > 0
        scale[~varies] = np.inf
        x = np.column_stack([np.ones(len(label)), ((features - centre) / scale)[:, varies]])
        weights = np.zeros(x.shape[1])
        ridge = np.full(x.shape[1], _RIDGE)
        for _ in range(_STEPS):  # Newton
            chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
            spread = np.maximum(chance * (1 - chance), 1e-9)
            slope = x.T @ (chance - label) + ridge * weights
            step = np.linalg.solve((x * spread[:, None]).T @ x + np.diag(ridge), slope)
            weights -= step
            if np.abs(step).max() < _CONVERGED:
                break
        every = np.zeros(1 + len(varies))
        every[np.flatnonzero([True, *varies])] = weights
        uncut = cls(centre, scale, every, 0.0)
        return cls(centre, scale, every, _find_cut(uncut.score(without_child), uncut.score(with_child)))

    def score(self, features: Floats) -> Floats:
        """Return the score of each world, (worlds,); above 0 the attacker claims that the child is there."""
        weighted = ((features - self.centre) / self.scale) @ self.weights[1:]
        return np.asarray(weighted + self.weights[0] - self.cut)


def _find_cut(without_child: Floats, with_child: Floats) -> float:
    """Find the score at which the rate of true alarms exceeds the rate of false alarms most."""
    cuts = np.quantile(np.concatenate([without_child, with_child]), np.linspace(0.02, 0.98, 97))
    gain = [float((with_child > c).mean() - (without_child > c).mean()) for c in cuts]
    return float(cuts[int(np.argmax(gain))])
