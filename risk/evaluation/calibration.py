"""Simulation-based calibration (Talts et al. 2018): whether the truth has the same chance of each rank among the draws.

Parameters are drawn from the prior, data from the parameters, through the noise of the release; the model is fitted.
The rank of the truth among the posterior draws is uniform if the fit is right, docs/risk-model.md eq. (144). Uniformity
is tested by the ranks' distribution function (Säilynoja, Bürkner and Vehtari 2022), eq. (145).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from data.workspace.types import Floats, Ints, Progress
from risk.laplace.latent import Latent
from risk.laplace.likelihood import Counts
from risk.laplace.mode import NoMode
from risk.laplace.response import Totals
from risk.model import RiskModel
from risk.model.draws import Draws, subtract_national_rate
from risk.model.forecast import draw_counts, publish_counts
from risk.model.observations import Observations
from risk.numbers import stream

_DRAWS, _SIMULATIONS, _LEVEL, _YEAR = 99, 2000, 0.05, 4
# The prior of the levels is too wide to draw from: most data would have no child, or millions.
_LEVEL_SD = 0.5


@dataclass(frozen=True)
class Calibration:
    """The result: `worlds` invented data sets, those without a fit left out, and the p value of each quantity."""

    worlds: int
    without_fit: int
    p: Mapping[str, float]

    @property
    def failed(self) -> list[str]:
        """The quantities whose ranks are not uniform: over all of them one false alarm in 20 (Bonferroni)."""
        return [name for name, p in self.p.items() if p * len(self.p) < _LEVEL]


def calibrate(
    observations: Observations, worlds: int, seed: int, progress: Progress, *, truth: RiskModel | None = None,
    model: RiskModel | None = None,
) -> Calibration:  # fmt: skip
    """Draw data sets with areas, effort and noise as observed from the model `truth`, and fit `model` to each.

    Both default to the risk model; only where they are the same are ranks uniform. The channel of the observations must
    hold any count.
    """
    truth, model = (RiskModel(**(m or RiskModel()).get_params() | {"intercept_sd": _LEVEL_SD}) for m in (truth, model))
    origin = replace(observations, breaks=())
    source, layout, ranks = truth.build_layout(origin), model.build_layout(origin), dict[str, list[int]]()
    without_fit = 0
    for world in range(worlds):
        progress(world, worlds, "Fitting invented data")
        rng = stream(seed, f"world {world}")
        theta, core, local = source.model.draw_prior(rng)
        data = _draw_data(source.model, origin, theta, core, local, rng)
        filled = replace(layout, model=replace(layout.model, counts=data[0], totals=data[1]))
        place = int(rng.integers(len(origin.areas))), int(rng.integers(len(origin.pathways)))
        try:
            fit = model.fit_layout(origin, filled)
            drawn = _list_quantities(fit.draws(_DRAWS, int(rng.integers(2**31))), origin, *place)
        except NoMode:
            without_fit += 1
            continue
        equal = np.zeros((1, len(origin.areas), 1)), np.zeros(1)  # detection, which no quantity contains
        truths = replace(fit, layout=source).read_draws(theta, core[None], local[None], equal)
        known = _list_quantities(truths, origin, *place)
        for name, values in drawn.items():
            ranks.setdefault(name, []).append(int((values < known[name]).sum()))
    tested = {name: measure_uniformity(np.array(r), _DRAWS, stream(seed, name)) for name, r in ranks.items()}
    return Calibration(worlds, without_fit, tested)


def _draw_data(
    latent: Latent, observations: Observations, theta: Floats, core: Floats, local: Floats, rng: np.random.Generator
) -> tuple[Counts, Totals | None]:
    """Draw published counts and, where the model has them, totals, from latent numbers."""
    kappa, _ = latent.kappa.natural(theta[-1] if len(theta) else 0.0)
    mean = np.exp(latent.log_mean(core, local).ravel()[latent.cells])
    true = draw_counts(mean[None], np.array([kappa]), rng)[0]
    channel, totals = observations.channel, latent.totals
    published = true if channel is None else publish_counts(channel, true, rng)
    if totals is not None:
        sums = np.bincount(latent.cells // latent.offset.shape[1], true, len(latent.offset))
        noise = np.sqrt(totals.noise) * rng.standard_normal(len(sums))
        totals = replace(totals, value=np.where(np.isnan(totals.value), np.nan, sums + noise))
    return Counts.from_published(published, channel), totals


def _list_quantities(draws: Draws, observations: Observations, area: int, pathway: int) -> dict[str, Floats]:
    """Return what is ranked, (D,) each: parameters, and what is said of one area."""
    rate, country = np.exp(draws.log_rate), observations.country_of[area]
    mean = np.log(rate.mean(axis=2, keepdims=True))
    relative = subtract_national_rate(mean, observations)
    quantities = {
        "rate": relative[:, area, 0, pathway],
        "level": (mean - relative)[:, area, 0, pathway],
        "gamma": draws.gamma,
        "gap": draws.gap[:, country],
    }
    if len(observations.quarters) >= 2 * _YEAR:
        years = [rate[:, area, part, pathway].sum(axis=1) for part in (slice(-2 * _YEAR, -_YEAR), slice(-_YEAR, None))]
        quantities["change"] = np.log(years[1] / years[0])
    return quantities


def measure_uniformity(ranks: Ints, draws: int, rng: np.random.Generator) -> float:
    """Return the p value of ranks, (N,), from 0 to `draws`, being uniform: eq. (145), by simulation."""
    from scipy.stats import binom  # takes half a second to load

    steps, every = np.arange(1, draws + 1), len(ranks)
    below_or_as = binom.cdf(np.arange(-1, every + 1)[:, None], every, steps / (draws + 1))

    def measure(some: Ints) -> Floats:
        below = (some[:, :, None] < steps).sum(axis=1)
        tails = np.minimum(below_or_as[below + 1, steps - 1], 1.0 - below_or_as[below, steps - 1])
        return np.asarray(tails.min(axis=1))

    usual = np.concatenate([measure(rng.integers(0, draws + 1, (100, every))) for _ in range(_SIMULATIONS // 100)])
    return float((1 + (usual <= measure(ranks[None])[0] + 1e-12).sum()) / (_SIMULATIONS + 1))
