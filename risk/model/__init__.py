"""The risk model: where more children are found than their number and the effort explain.

    published ~ channel(count)
    discovered count ~ NegBin(E effort^gamma exp(eta))     reported count ~ NegBin(E exp(eta + gap_country))
    eta = country + covariates + area (BYM2, one part for all pathways and one of each) + country's random
        walk + area's own walk

Both kinds of count share eta, without weights. The fit is deterministic: a nested Laplace approximation with
the mean correction of van Niekerk and Rue, see risk/laplace/mode.py. It scores areas and periods, never a person,
a settlement or a community; ethnicity and communities are never covariates.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from sklearn.base import BaseEstimator

from data.errors import InputError
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Progress
from risk.laplace.fields import Beta, HalfNormal, Hyper, PenalisedComplexity, Prior
from risk.laplace.hyperparameters import integrate
from risk.laplace.mode import NoMode
from risk.model.draws import Draws, Summary
from risk.model.fit import Fit
from risk.model.layout import Effects, lay_out
from risk.model.observations import ALL, Observations

__all__ = ["Draws", "Fit", "NoMode", "RiskModel", "Summary"]


_GAMMA, _GAMMA_SD = 0.8, 0.2
# Where ways are not told apart, outreach finds about half of the children.
_OUTREACH_SHARE = 0.5
_LIKELIHOODS = ("poisson", "negative_binomial")
_COURSES = ("walk", "independent", "none")


class RiskModel(BaseEstimator):  # type: ignore[misc]
    """A scikit-learn estimator of relative risk; X are `Observations`.

    likelihood : "negative_binomial" or "poisson".
    area_time : how an area departs from its country in time: by a random walk ("walk"), independently in
        each quarter ("independent"), or not at all ("none").
    gamma : exponent of effort if it is to be fixed, as in a sensitivity run at 1; None: estimated, with
        prior N(0.8, 0.2^2).
    area_sd : upper scale of the areas' standard deviation: half-normal of that scale, or, where `area_tail`
        is given, P(sd > area_sd) = area_tail (penalised complexity).
    structured : share of that variance that is smooth over neighbours, if fixed (1: intrinsic); None:
        Beta(1/2, 1/2).
    scaled : whether the smooth part is scaled.
    time_sd, local_sd, kappa_sd : scales of the half-normal priors of a country's step, an area's step and the
        overdispersion.
    intercept_sd, gap_sd, covariate_sd : of normal priors.
    draws, random_state : behind the summaries.
    """

    def __init__(
        self,
        likelihood: Literal["negative_binomial", "poisson"] = "negative_binomial",
        *,
        area_time: Literal["walk", "independent", "none"] = "walk",
        gamma: float | None = None,
        area_sd: float = 1.0,
        area_tail: float | None = None,
        structured: float | None = None,
        scaled: bool = True,
        time_sd: float = 0.3,
        local_sd: float = 0.3,
        kappa_sd: float = 0.5,
        intercept_sd: float = 5.0,
        gap_sd: float = 1.0,
        covariate_sd: float = 1.0,
        draws: int = 2000,
        random_state: int = 0,
    ) -> None:
        self.likelihood = likelihood
        self.area_time = area_time
        self.gamma = gamma
        self.area_sd = area_sd
        self.area_tail = area_tail
        self.structured = structured
        self.scaled = scaled
        self.time_sd = time_sd
        self.local_sd = local_sd
        self.kappa_sd = kappa_sd
        self.intercept_sd = intercept_sd
        self.gap_sd = gap_sd
        self.covariate_sd = covariate_sd
        self.draws = draws
        self.random_state = random_state

    @on_one_thread
    def fit(self, X: Observations, y: None = None, progress: Progress | None = None) -> Self:  # noqa: ARG002, N803
        """Fit; the result is `fit_`, a `Fit`. Raises InputError for a word that is not known, and NoMode."""
        effects = self._effects(X)
        layout = lay_out(X, effects)
        posterior = integrate(layout.model, progress)
        prior = (effects.gamma, effects.gamma_sd)
        self.fit_ = Fit(X, layout, posterior, prior, self.area_time == "walk", self.draws, self.random_state)
        return self

    def predict(self, X: Observations | None = None) -> Floats:  # noqa: ARG002, N803
        """Give the median relative risk over the whole time of the fitted areas, (areas, pathways)."""
        risk = self.fit_.whole
        median: Floats = np.exp(risk.quantiles[risk.levels.index(0.5)])
        return median

    def _effects(self, seen: Observations) -> Effects:
        for name, allowed in (("likelihood", _LIKELIHOODS), ("area_time", _COURSES)):
            if getattr(self, name) not in allowed:
                msg = f"There is no {name} {getattr(self, name)!r}. There are: {', '.join(allowed)}."
                raise InputError(msg)
        share = _OUTREACH_SHARE if seen.ways == ALL else 1.0
        counts = self.likelihood == "negative_binomial"
        return Effects(
            area=self._area(),
            time=Hyper("time_sd", HalfNormal(self.time_sd), np.log(0.1)),
            local=None if self.area_time == "none" else self._own_course(),
            walks=self.area_time == "walk",
            kappa=Hyper("kappa", HalfNormal(self.kappa_sd), np.log(0.2)) if counts else Hyper("kappa"),
            gamma=share * (_GAMMA if self.gamma is None else self.gamma),
            gamma_sd=_GAMMA_SD if self.gamma is None else 0.0,
            intercept_sd=self.intercept_sd,
            gap_sd=self.gap_sd,
            covariate_sd=self.covariate_sd,
            scaled=self.scaled,
        )

    def _own_course(self) -> Hyper:
        return Hyper("local_sd", HalfNormal(self.local_sd), np.log(0.1))

    def _area(self) -> tuple[Hyper, Hyper, Hyper]:
        tail = self.area_tail
        prior: Prior = HalfNormal(self.area_sd) if tail is None else PenalisedComplexity(self.area_sd, tail)
        if self.structured is None:
            structured = Hyper("structured", Beta(), 0.0)
        else:
            structured = Hyper("structured", fixed=self.structured)
        return Hyper("area_sd", prior, np.log(0.6)), structured, Hyper("common", Beta(1.0, 1.0), -0.4)
