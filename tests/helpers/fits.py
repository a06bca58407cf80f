"""Compute results of a fit that only tests need."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from risk.laplace.fields import HalfNormal


def log_means(posterior):
    """Return mean and standard deviation of the log mean of every observation, (B, m) each."""
    model = posterior.model
    first, second = np.zeros(model.offset.shape), np.zeros(model.offset.shape)
    for node in posterior.nodes:
        mean = model.log_mean(node.core, node.local)
        first += node.weight * mean
        second += node.weight * (model.variances(node.factor(model)) + mean**2)
    return first, np.sqrt(second - first**2)


def mean_risk(fit):
    """Return the posterior mean of the log relative risk over the whole time, (A, P)."""
    return fit.log_risk(2000, 0).mean(axis=0)


def true_counts(counts):
    """Return the possible true counts of each cell and log P(published | true count), (most, cells) each."""
    size = np.arange(len(counts.log_chances))[:, None]
    return counts.least[counts.kind] + size, counts.log_chances[:, counts.kind]


@dataclass(frozen=True)
class GammaPrecision(HalfNormal):
    """The prior of a standard deviation whose inverse square has a gamma distribution, as published examples use it."""

    shape: float = 0.5
    rate: float = 0.0005

    def log_density(self, theta):
        precision = np.exp(-2.0 * theta)
        constant = self.shape * np.log(self.rate) - gammaln(self.shape) + np.log(2.0)
        density = constant - 2.0 * self.shape * theta - self.rate * precision
        return float(density), float(2.0 * (self.rate * precision - self.shape))
