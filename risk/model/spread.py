"""How much the share of children who are found differs between areas, and how much of a fitted effect it may explain.

A fitted area effect contains both: more children in need, and teams who find more of them. The counts cannot separate
the two. What is known is that detection belongs to an area, not to its neighbours, and is common to all pathways; so it
can explain no more than that part of an effect: docs/risk-model.md eq. (130) to (134).
"""

from __future__ import annotations

import numpy as np

from data.workspace.types import Floats
from risk.laplace.graph import Structure

SPREAD = 0.35  # scale of the half-normal prior of the standard deviation of log detection between areas
ALONE = 0.5  # prior chance that detection alone explains the differences that are an area's own
SPREADS = (0.1, 0.2, 0.35, 0.5)  # for which a sensitivity run judges again
_LEAST = 1e-6  # smallest variance of the field, as in its precision
_ANGLES = (np.arange(400) + 0.5) / 400 * np.pi / 2


def draw_spreads(size: int, rng: np.random.Generator, largest: float) -> Floats:
    """Draw the spread given the one at which detection alone explains the areas' own differences: eq. (131), (size,).

    The variance of these differences is the sum of those of detection and of risk, so the two deviations are on a
    quarter of a circle. Either risk has no such part, with prior chance ALONE, or its deviation has a half-normal prior
    of scale 1.
    """
    spreads = largest * np.sin(_ANGLES)
    both = _half_normal(spreads, SPREAD) * _half_normal(largest * np.cos(_ANGLES), 1.0) * (np.pi / 2 / len(_ANGLES))
    alone = _half_normal(largest, SPREAD) / max(largest, _LEAST)
    chances = np.cumsum([*(1.0 - ALONE) * both, ALONE * alone])
    drawn: Floats = np.append(spreads, largest)[np.searchsorted(chances, chances[-1] * rng.random(size))]
    return drawn


def draw_log_detection(
    effects: Floats,
    graph: Structure,
    hypers: tuple[float, float, float],
    rng: np.random.Generator,
    spread: float | None = None,
) -> tuple[Floats, Floats]:
    """Draw log detection of each area, around its mean, given draws of the area effects; and its spread: (D, A), (D,).

    effects : draws of the field, (D, A, P). hypers : its standard deviation, smooth share and common share. spread : if
    it is taken as known; more than the field's own part, eq. (132), counts as that part. Eq. (133).
    """
    size, _, pathways = effects.shape
    sd, structured, common = hypers
    mean_variance = sd**2 * (1.0 + (pathways - 1) * common) / pathways  # of the mean effect over pathways
    largest = float(np.sqrt(mean_variance * (1.0 - structured)))
    spreads = draw_spreads(size, rng, largest) if spread is None else np.full(size, min(spread, largest))
    variance = mean_variance * np.maximum(structured * graph.variances + 1.0 - structured, _LEAST)
    share = np.minimum(spreads[:, None] ** 2 / variance, 1.0)  # of each part of the mean effect that is detection
    # Numbers are drawn by area, since eigenvectors are not unique.
    mean, normal = (by_area @ graph.vectors for by_area in (effects.mean(axis=2), rng.standard_normal(share.shape)))
    parts = share * mean + spreads[:, None] * np.sqrt(1.0 - share) * normal
    return np.asarray(parts @ graph.vectors.T), spreads


def draw_course(walks: Floats, chain: Structure, sd: float, rng: np.random.Generator) -> Floats:
    """Draw how log detection changed over time in each country, around its mean, given its walks: eq. (134), (D, C, T).

    walks : draws of the walks, (D, C, P, T). sd : standard deviation of their steps. A walk that all pathways share may
    be detection as well as need: both are half-normal, or need stayed as it was, with prior chance ALONE.
    """
    size, countries, pathways, _ = walks.shape
    share = np.sin(np.pi / 2 * rng.random((size, countries, 1))) ** 2
    share[rng.random(share.shape) < ALONE] = 1.0
    apart = sd * np.sqrt(share * (1.0 - share) / pathways)
    normal = rng.standard_normal((size, countries, chain.size))
    return np.asarray(share * walks.mean(axis=2) + apart * (normal @ chain.root()))


def _half_normal(value: Floats | float, scale: float) -> Floats:
    return np.asarray(np.sqrt(2.0 / np.pi) / scale * np.exp(-0.5 * (value / scale) ** 2))
