"""The risk model: in which areas more children are found than the child population and the outreach explain.

    published ~ channel(count)
    discovered count ~ NegBin(E effort^gamma exp(eta))     reported count ~ NegBin(E exp(eta + gap_country))
    eta = country + covariates + area (BYM2, a part common to all pathways and a part for each)
        + random walk of the country + random walk of the area

E is the number of children who live in the area. These are docs/risk-model.md eq. (4), (5), (6) and (12). Both kinds of
count share eta. The fit is deterministic: a nested Laplace approximation with the mean correction of van Niekerk and
Rue (risk/laplace/mode.py). The model scores areas and periods, never a person, a settlement or a community; ethnicity
and communities are never covariates.
"""

from __future__ import annotations

from inspect import signature
from typing import Any, Literal, Self

import numpy as np

from data.errors import InputError
from data.workspace.threads import on_one_thread
from data.workspace.types import Progress
from risk.laplace.fields import Beta, HalfNormal, Hyper
from risk.laplace.hyperparameters import integrate
from risk.laplace.mode import NoMode
from risk.model.draws import Draws
from risk.model.fit import Fit
from risk.model.layout import Effects, Layout, build_layout
from risk.model.observations import ALL, Observations

__all__ = ["Draws", "Fit", "NoMode", "RiskModel"]

_GAMMA, _GAMMA_SD = 0.8, 0.2
# Where the ways of finding are not distinguished, outreach finds about half of the children.
_OUTREACH_SHARE = 0.5
_LIKELIHOODS = ("poisson", "negative_binomial")


class RiskModel:
    """A scikit-learn estimator of relative risk; X are `Observations`.

    likelihood : "negative_binomial" or "poisson".
    gamma : exponent of effort if it is fixed, as in a sensitivity run at 1; None: estimated, with the prior
        N(0.8, 0.2^2).
    area_sd : scale of the half-normal prior of the areas' standard deviation, eq. (18).
    structured : share of that variance that is smooth over neighbours, if fixed (1: intrinsic field); None:
        estimated, with the prior Beta(1/2, 1/2), eq. (19).
    scaled : whether the smooth part is scaled, eq. (14).
    time_sd, local_sd, kappa_sd : scales of the half-normal priors of three standard deviations: that of a country's
        step in a quarter, that of an area's step, and the overdispersion.
    intercept_sd, gap_sd, covariate_sd : standard deviations of the normal priors of intercepts, of the log ratio of
        reported to discovered children, and of the effects of covariates.
    """

    def __init__(
        self,
        likelihood: Literal["negative_binomial", "poisson"] = "negative_binomial",
        *,
        gamma: float | None = None,
        area_sd: float = 1.0,
        structured: float | None = None,
        scaled: bool = True,
        time_sd: float = 0.3,
        local_sd: float = 0.3,
        kappa_sd: float = 0.5,
        intercept_sd: float = 5.0,
        gap_sd: float = 1.0,
        covariate_sd: float = 1.0,
    ) -> None:
        self.likelihood = likelihood
        self.gamma = gamma
        self.area_sd = area_sd
        self.structured = structured
        self.scaled = scaled
        self.time_sd = time_sd
        self.local_sd = local_sd
        self.kappa_sd = kappa_sd
        self.intercept_sd = intercept_sd
        self.gap_sd = gap_sd
        self.covariate_sd = covariate_sd

    # What a scikit-learn estimator has, without its base class: that takes longer to import than any command may start.
    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the settings by name, as scikit-learn expects; `deep` changes nothing."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    @on_one_thread
    def fit(self, X: Observations, y: None = None, progress: Progress | None = None) -> Self:  # noqa: ARG002, N803
        """Fit the model; the result is `fit_`, a `Fit`.

        Raises InputError for an unknown likelihood and for municipalities, which are fitted inside their regions (see
        risk/model/municipalities.py), and NoMode where the posterior has no proper mode.
        """
        if X.regions is not None:
            raise InputError("Municipalities are fitted inside their regions: fit the regions first.")
        self.fit_ = self.fit_layout(X, self.build_layout(X), progress)
        return self

    def build_layout(self, observations: Observations) -> Layout:
        """Return the latent model of the observations; raise InputError for an unknown likelihood."""
        return build_layout(observations, self._build_effects(observations))

    def fit_layout(self, observations: Observations, layout: Layout, progress: Progress | None = None) -> Fit:
        """Fit a latent model of the observations; raise NoMode where the posterior has no proper mode."""
        effects = self._build_effects(observations)
        return Fit(observations, layout, integrate(layout.model, progress), (effects.gamma, effects.gamma_sd))

    def _build_effects(self, observations: Observations) -> Effects:
        """Return the effects of the model with their priors; raise InputError for an unknown likelihood."""
        if self.likelihood not in _LIKELIHOODS:
            raise InputError(f"There is no likelihood {self.likelihood!r}. There are: {', '.join(_LIKELIHOODS)}.")
        share = _OUTREACH_SHARE if observations.ways == ALL else 1.0
        overdispersed = self.likelihood == "negative_binomial"
        return Effects(
            area=self._build_area_hypers(),
            time=Hyper("time_sd", HalfNormal(self.time_sd), np.log(0.1)),
            local=Hyper("local_sd", HalfNormal(self.local_sd), np.log(0.1)),
            kappa=Hyper("kappa", HalfNormal(self.kappa_sd), np.log(0.2)) if overdispersed else Hyper("kappa"),
            gamma=share * (_GAMMA if self.gamma is None else self.gamma),
            gamma_sd=_GAMMA_SD if self.gamma is None else 0.0,
            intercept_sd=self.intercept_sd,
            gap_sd=self.gap_sd,
            covariate_sd=self.covariate_sd,
            scaled=self.scaled,
        )

    def _build_area_hypers(self) -> tuple[Hyper, Hyper, Hyper]:
        """Return the hyperparameters of the area field: standard deviation, smooth share, common share."""
        if self.structured is None:
            structured = Hyper("structured", Beta(), 0.0)
        else:
            structured = Hyper("structured", fixed=self.structured)
        area_sd = Hyper("area_sd", HalfNormal(self.area_sd), np.log(0.6))
        return area_sd, structured, Hyper("common", Beta(1.0, 1.0), -0.4)
