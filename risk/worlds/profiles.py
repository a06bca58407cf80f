"""Features of invented children, partners and flows: tables of weights, and draws from them.

Every number here is invented for plausibility; none is an estimate of anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.tables.spec import CATEGORIES
from data.workspace.types import Floats, Ints
from risk.worlds.ground import Ground, choose
from risk.worlds.meeting import MeetingTable
from risk.worlds.parameters import WorldParameters

PARTNERS = ("Terre des hommes", "ARSIS", "BKTF", "Amaro Drom")
NUMBERED = {0: 1, 1: 2}  # the partners that number their records, and the first digit they use
OUTREACH = ("street_outreach", "community_visit", "school_visit", "border_post", "other")
COMMUNITIES = ("roma", "egyptian", "other", "unknown")

# Stage at the first meeting, by pathway.
FIRST_STAGE = np.array(
    [
        [0.0, 0.22, 0.46, 0.22, 0.02, 0.08],
        [0.0, 0.18, 0.44, 0.22, 0.10, 0.06],
        [0.0, 0.20, 0.30, 0.28, 0.14, 0.08],
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)
AXIS_BY_STAGE = np.array(
    [
        [0.92, 0.04, 0.00, 0.00, 0.04],
        [0.35, 0.60, 0.00, 0.00, 0.05],
        [0.04, 0.90, 0.00, 0.00, 0.06],
        [0.00, 0.88, 0.06, 0.00, 0.06],
        [0.00, 0.12, 0.82, 0.00, 0.06],
        [0.04, 0.04, 0.00, 0.88, 0.04],
    ]
)
_FORM_BY_PATHWAY = np.array(
    [
        [0.46, 0.26, 0.12, 0.08, 0.05, 0.03],
        [0.50, 0.26, 0.06, 0.10, 0.05, 0.03],
        [0.32, 0.14, 0.26, 0.12, 0.11, 0.05],
        [0.42, 0.34, 0.03, 0.10, 0.03, 0.08],
    ]
)
# Weights by age band (4) and form; sexual exploitation of the youngest is left out of the demo.
_FORM_BY_AGE = np.array(
    [
        [1.6, 0.4, 0.0, 0.05, 0.02, 1.0],
        [1.2, 1.0, 0.1, 0.3, 0.4, 1.0],
        [1.0, 1.2, 0.8, 1.0, 1.2, 1.0],
        [0.5, 0.9, 2.4, 1.8, 1.6, 1.0],
    ]
)
_FORM_BY_SEX = np.array(
    [[1.0, 0.8, 1.6, 0.7, 0.6, 1.0], [1.0, 1.2, 0.35, 1.3, 1.4, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]
)
_SEX = np.array([[0.46, 0.50, 0.04], [0.41, 0.55, 0.04], [0.50, 0.45, 0.05], [0.47, 0.49, 0.04]])
_AGE_WEIGHT = np.array([4, 4, 5, 5, 6, 6, 7, 8, 9, 9, 9, 8, 8, 7, 7, 6, 5, 4], dtype=float)
_BAND_OF_AGE = np.array([0] * 6 + [1] * 4 + [2] * 4 + [3] * 4)
_AGE_UNKNOWN = 0.06
_COMMUNITY = np.array([[0.20, 0.09, 0.17, 0.54], [0.17, 0.03, 0.20, 0.60]])
_PARTNERS_BY_COUNTRY = {"AL": (0.42, 0.06, 0.34, 0.18), "GR": (0.14, 0.86, 0.0, 0.0)}
_OUTREACH_WEIGHT = np.array([0.55, 0.27, 0.11, 0.05, 0.02])


def compute_partner_shares(land: Ground) -> Floats:
    """Return each partner's share (0 to 1) of the work in each region, (R, partners)."""
    default = (0.25, 0.25, 0.25, 0.25)
    by_country = [_PARTNERS_BY_COUNTRY.get(code, default) for code in land.countries]
    shares = np.array(by_country)[land.country_of]
    # The partners divided the counties among themselves: a fixed pattern, not a random one.
    lead = np.arange(len(land.regions)) % 3
    tilt = np.ones_like(shares)
    tilt[lead == 1, 2] = 2.5
    tilt[lead == 2, 3] = 2.0
    shares = shares * tilt
    normal: Floats = shares / shares.sum(axis=1, keepdims=True)
    return normal


def compute_outreach_shares(land: Ground) -> Floats:
    """Return the weight of each kind of outreach in each region, (R, kinds).

    Border posts have a weight only in regions that touch another country.
    """
    table = np.tile(_OUTREACH_WEIGHT, (len(land.regions), 1))
    border = np.zeros(len(land.regions), dtype=bool)
    for a, b in land.region_edges:
        if land.country_of[a] != land.country_of[b]:
            border[[a, b]] = True
    table[~border, OUTREACH.index("border_post")] = 0.0
    return table


@dataclass(frozen=True)
class People:
    """Features of each child that do not change; ages follow from the dates.

    years : age in years at the first meeting. first_date : day of the first meeting, in days since 1970. sex, form,
    community : positions in CATEGORIES and COMMUNITIES.
    """

    sex: Ints
    years: Floats
    age_known: np.ndarray
    form: Ints
    community: Ints
    first_date: Ints

    def age_band(self, every: MeetingTable) -> Ints:
        """Return the position in the age bands at each meeting; a child who comes of age stays in the band "14-17"."""
        since = (every.date - self.first_date[every.child]) / 365.25
        age = np.minimum(np.floor(self.years[every.child] + since), 17).astype(np.int64)
        band: Ints = np.where(self.age_known[every.child], _BAND_OF_AGE[age], len(CATEGORIES["age_band"]) - 1)
        return band


def draw_people(rng: np.random.Generator, land: Ground, every: MeetingTable, size: int) -> People:
    """Draw sex, age, form of trafficking and community affiliation of each of `size` children."""
    first = every.take(every.step == 0)
    first = first.take(np.argsort(first.child))
    u = rng.random((6, size))
    sex = choose(u[0], _SEX, first.pathway)
    years = choose(u[1], _AGE_WEIGHT).astype(float)
    table = _FORM_BY_PATHWAY[:, None, None, :] * _FORM_BY_AGE[None, :, None] * _FORM_BY_SEX[None, None]
    row = (first.pathway * 4 + _BAND_OF_AGE[years.astype(int)]) * 3 + sex
    form = choose(u[2], table.reshape(-1, len(CATEGORIES["form"])), row)
    country = np.minimum(land.country_of_municipality[first.municipality], 1)
    community = choose(u[3], _COMMUNITY, country)
    return People(sex, years + u[4], u[5] >= _AGE_UNKNOWN, form, community, first.date)


@dataclass(frozen=True)
class Flow:
    """Weights of the municipalities from which children come, and to which they are brought."""

    origin: Floats  # (countries, M) within a country
    target: Floats  # (countries, T, M) within a country
    abroad: Floats  # (1, M) in Greece
    albanian: Floats  # (1, M) in Albania
    city: np.ndarray  # (M,) whether it is one of the cities of the shift
    greece: int


def build_flow(land: Ground, parameters: WorldParameters, share: Floats) -> Flow:
    """Build the weights of the flows; `share`, (T,), is the planted share of internal trafficking.

    The cities of the shift attract a third of the internal flow at the start, and three quarters at the end; without
    `signal`, a third throughout.
    """
    where = land.country_of_municipality
    inside = where == np.arange(len(land.countries))[:, None]
    weight = inside * (land.people + 1.0)
    city = np.isin(land.municipalities, parameters.shift_cities)
    origin = weight * np.where(city, 0.15, 1.0)
    greece = land.countries.index("GR") if "GR" in land.countries else -1
    albania = land.countries.index("AL") if "AL" in land.countries else 0
    span = parameters.internal_after - parameters.internal_before
    ramp = (share - parameters.internal_before) / span if parameters.signal and span else np.zeros_like(share)
    pull = 0.33 + 0.42 * np.clip(ramp, 0.0, 1.0)
    target = np.repeat(weight[:, None, :], parameters.quarters, axis=1)
    for country in range(len(land.countries)):
        here = city & inside[country]
        if here.any():
            total = weight[country, ~here].sum()
            odds = (pull / (1.0 - pull)) * total / weight[country, here].sum()
            target[country][:, here] *= odds[:, None]
    abroad = (weight[[greece]] + 1e-9) ** 1.3
    return Flow(origin, target, abroad, origin[[albania]], city, greece)
