"""Municipalities inside their regions: how a region's children in need are divided among its municipalities.

Cells of municipalities are far smaller than 1 on average, so a separate model could not estimate their level and
trend. Both are those of the region, read from the region's own table; the municipal table says how the region's need is
divided among its municipalities, docs/risk-model.md eq. (74) to (78). So the results of municipalities add up to those
of their region, and a municipality about which nothing is known gets its region's average.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from data.errors import ReleaseError
from data.workspace.threads import on_one_thread
from data.workspace.types import Bools, Floats, Ints, Progress
from risk.laplace.fields import Beta, HalfNormal, Hyper
from risk.laplace.hyperparameters import integrate
from risk.model.detection import draw_yearly_need
from risk.model.fit import Fit
from risk.model.layout import Effects, build_layout
from risk.model.observations import Observations

_COURSE_DRAWS = 1000
_LEAST_LEARNT = 0.1  # share of the variance below which a municipality is only its region's average
_LEVEL_SD = 1.0  # of a region's level around that of its own fit
_SMOOTH = 0.5  # share of the variance that is smooth over neighbours: hardly identified, so fixed
_NO_WALK = Hyper("none")


@dataclass(frozen=True, eq=False)
class MunicipalFit:
    """The fit of municipalities inside the regions of another fit. A municipalities, P pathways.

    regions : the fit of the regions. inside : the fit of the municipalities, given their regions' rates over time.
    """

    regions: Fit
    inside: Fit

    @property
    def observations(self) -> Observations:
        """The observations of the municipalities."""
        return self.inside.observations

    @property
    def region_position(self) -> Ints:
        """Position of each municipality's region in the observations of the regions, (A,).

        Raises ReleaseError if a region was not fitted.
        """
        return _find_regions(self.regions.observations, self.observations)

    def draw_log_detection(self, size: int, seed: int) -> Floats:
        """Draw log detection of each municipality, around that of its region, (size, A)."""
        return self.inside.draw_area_effects(size, seed)[1]

    @lru_cache(maxsize=1)  # noqa: B019
    def log_share(self, size: int, seed: int) -> Floats:
        """Draw the log ratio of each municipality's need per child to that of its region, eq. (76), (size, A, P).

        Detection differs between the municipalities of a region as it does between regions, eq. (133). The rate of a
        region is the mean of its municipalities' rates, weighted by children.
        """
        effects, detection = self.inside.draw_area_effects(size, seed)
        members, region_of = self.observations.region_members, self.observations.region_of
        log_rate = effects - detection[:, :, None]
        mean = np.einsum("ra,dap->drp", members * self._weights, np.exp(log_rate))
        return np.asarray(log_rate - np.log(mean)[:, region_of])

    def log_need(self, size: int, seed: int) -> Floats:
        """Draw the log ratio of need per child to that of the country, for the whole time, eq. (39), (size, A, P)."""
        region = self.regions.log_need(size, seed)[:, self.region_position]
        return np.asarray(region + self.log_share(size, seed))

    def draw_yearly_need(self, size: int, seed: int) -> Floats:
        """Draw the children newly in need per quarter, on average over the last year, eq. (77), (size, A, P).

        The numbers of a region's municipalities add up to the number that `detection.draw_yearly_need` draws for it.
        """
        regions = draw_yearly_need(self.regions.draws(size, seed), self.regions.observations, seed)
        share = np.exp(self.log_share(size, seed)) * self._weights[:, None]
        return np.asarray(regions[:, self.region_position] * share)

    @cached_property
    @on_one_thread
    def learnt(self) -> Floats:
        """The share of the prior variance of each area effect that the data remove, eq. (78), (A, P).

        This is also the expected squared distance of the estimate from the region's average, relative to that variance.
        """
        posterior = self.inside.posterior
        position = [hyper.name for hyper in posterior.model.hypers].index("area_sd")
        graph = posterior.model.fields[0].structure
        marginal = _SMOOTH * ((graph.vectors**2) @ graph.variances) + 1.0 - _SMOOTH
        prior = marginal * sum(node.weight * np.exp(2.0 * node.theta[position]) for node in posterior.nodes)
        variance = posterior.moments()[1][self.inside.layout.area] ** 2
        return np.asarray(1.0 - variance.reshape(len(prior), -1) / prior[:, None])

    @property
    def region_only(self) -> Bools:
        """Whether a municipality only has its region's average, because the data say little more about it, (A, P)."""
        return np.asarray(self.learnt < _LEAST_LEARNT)

    @property
    def _weights(self) -> Floats:
        """Share of a region's children who live in each municipality, from 0 to 1, (A,)."""
        observations = self.observations
        living = observations.living
        return np.asarray(living / (observations.region_members @ living)[observations.region_of])


@on_one_thread
def fit_municipalities(regions: Fit, observations: Observations, progress: Progress | None = None) -> MunicipalFit:
    """Fit municipalities inside the regions of a fit, eq. (75); `observations` are those of the municipalities.

    Raises ReleaseError where a municipality's region was not fitted, and NoMode where the posterior has no proper mode.
    """
    region_of = _find_regions(regions.observations, observations)
    course = regions.draws(_COURSE_DRAWS, 0).log_rate_as_counted(regions.observations).mean(axis=0)[region_of]
    gamma, gamma_sd = regions.gamma_prior
    effects = Effects(
        area=(
            Hyper("area_sd", HalfNormal(1.0), np.log(0.6)),
            Hyper("structured", fixed=_SMOOTH),
            Hyper("common", Beta(1.0, 1.0), -0.4),
        ),
        time=_NO_WALK,
        local=None,
        kappa=Hyper("kappa", HalfNormal(0.5), np.log(0.2)),
        gamma=gamma,
        gamma_sd=gamma_sd,
        intercept_sd=_LEVEL_SD,
        gap_sd=1.0,
        covariate_sd=1.0,
        scaled=True,
    )
    layout = build_layout(observations, effects, course)
    return MunicipalFit(regions, Fit(observations, layout, integrate(layout.model, progress), regions.gamma_prior))


def _find_regions(regions: Observations, observations: Observations) -> Ints:
    """Return the position of each municipality's region in `regions`, (A,); raise ReleaseError if one is missing."""
    position = {code: i for i, code in enumerate(regions.areas)}
    try:
        return np.array([position[code] for code in observations.regions or ()], np.int64)
    except KeyError as missing:
        raise ReleaseError(f"Municipalities name a region without a fit: {missing}.") from None
