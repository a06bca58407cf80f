"""The true need of an invented world, as arrays.

Axes: R regions, M municipalities, P pathways (as in CATEGORIES) and T quarters. See docs/risk-model.md section 17
for the distributions and the reasons for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats
from risk.numbers import CHILD_SHARE, USUAL_SHARE, stream
from risk.worlds.ground import Ground, draw_bym2
from risk.worlds.parameters import WorldParameters

SURFACE = np.array([0, 1, 1, 2])  # the two cross-border pathways share one surface
_TREND = (0.045, 0.010, 0.030)  # quarterly drift of the log rate: internal, cross-border, at risk

_NEED_SHARE = {"AL": 0.57, "GR": 0.43}
_INTERNAL_SHARE = {"AL": 0.42, "GR": 0.35}  # of the children on a known pathway, before the shift
_OTHER_SHARE = {"AL": 0.22, "GR": 0.12}  # of the cross-border ones
SMALL = 1e-300


@dataclass(frozen=True)
class Need:
    """The true need: expected children newly in need, by region and by municipality."""

    region: Floats  # (R, P, T)
    municipality: Floats  # (M, P, T)
    children: Floats  # (M,) children living there
    detection: Floats  # (R,) factor of the region around the common detection
    reporting: Floats  # (R, T) factor of the children who are reported


def look_up_by_country(land: Ground, values: dict[str, float], default: float) -> Floats:
    """Return the value of each country of the world, (countries,); `default` for a country without a value."""
    return np.array([values.get(code, default) for code in land.countries])


def _draw_surfaces(land: Ground, parameters: WorldParameters) -> tuple[Floats, Floats]:
    """Draw the log relative risk by region, (R, 3), and its local part by municipality, (M, 3), for each surface."""
    names = ("surface", "local")
    sizes = (len(land.regions), len(land.municipalities))
    edges = (land.region_edges, land.edges)
    scale = (parameters.log_sd, parameters.local_log_sd) if parameters.signal else (0.0, 0.0)
    out = []
    for name, size, pairs, sd in zip(names, sizes, edges, scale, strict=True):
        draw = draw_bym2(stream(parameters.seed, name), size, pairs, parameters.structured, 4)
        common, specific = np.sqrt(parameters.shared), np.sqrt(1.0 - parameters.shared)
        out.append(sd * (common * draw[:, :1] + specific * draw[:, 1:]))
    planted = np.isin(land.regions, parameters.shift_regions)[land.region_of]
    # Inside the planted counties all pathways spread alike, so that the share is the same everywhere.
    out[1][planted] = out[1][planted][:, :1]
    return out[0], out[1]


def compute_internal_share(parameters: WorldParameters) -> Floats:
    """Return the planted share (0 to 1) of internal trafficking in each quarter, (T,)."""
    quarter = np.arange(1, parameters.quarters + 1)
    progress = (quarter - parameters.shift_begins) / (parameters.shift_complete - parameters.shift_begins)
    progress = np.clip(progress, 0.0, 1.0)
    share: Floats = parameters.internal_before + (parameters.internal_after - parameters.internal_before) * progress
    return share


def draw_need(land: Ground, parameters: WorldParameters) -> Need:
    """Draw the true need; its sum over regions, pathways and quarters is children / detection."""
    theta, local = _draw_surfaces(land, parameters)
    where = land.country_of
    children = land.people * look_up_by_country(land, CHILD_SHARE, USUAL_SHARE)[land.country_of_municipality]
    living = land.sum_by_region(children)
    # A centred random walk with drift for each country and surface, (countries, 3, T); zero without `signal`.
    steps = stream(parameters.seed, "time").standard_normal((len(land.countries), 3, parameters.quarters))
    drift = np.array(_TREND)[None, :, None]
    walk = np.cumsum(drift + parameters.time_log_sd * steps, axis=2)
    walk -= walk.mean(axis=2, keepdims=True)
    rate = np.exp(theta[:, :, None] + (walk if parameters.signal else np.zeros_like(walk))[where])
    rate *= living[:, None, None]
    for country in range(len(land.countries)):
        inside = where == country
        rate[inside] /= np.maximum(rate[inside].sum(axis=(0, 2), keepdims=True), SMALL)
    parts = _split_by_pathway(land, parameters, rate)
    parts *= parameters.children / parameters.detection / parts.sum()
    spread = np.exp(local)[:, SURFACE] * children[:, None]
    inside_region = land.sum_by_region(spread)[land.region_of]
    spread = np.divide(spread, inside_region, where=inside_region > 0, out=np.zeros_like(spread))
    around = stream(parameters.seed, "detection").standard_normal(len(where))
    detection: Floats = np.exp(parameters.detection_log_sd * around).round(9)
    reporting = np.ones((len(where), parameters.quarters))
    return Need(parts, spread[:, :, None] * parts[land.region_of], children, detection, reporting)


def _pathway_mix(land: Ground, parameters: WorldParameters) -> Floats:
    """Return the shares of internal, cross-border and at risk by country before the shift, (countries, 3)."""
    internal = look_up_by_country(land, _INTERNAL_SHARE, 0.25)
    remainder = 1.0 - parameters.at_risk_share
    at_risk = np.full_like(internal, parameters.at_risk_share)
    return np.column_stack([remainder * internal, remainder * (1.0 - internal), at_risk])


def _split_by_pathway(land: Ground, parameters: WorldParameters, share: Floats) -> Floats:
    """Return need by pathway, up to a factor, (R, P, T), with the planted shift and both cross-border pathways.

    share : each region's and quarter's share of its country, by surface, (R, 3, T).
    """
    where = land.country_of
    weight = look_up_by_country(land, _NEED_SHARE, 1.0)
    amounts = share * (weight[:, None] * _pathway_mix(land, parameters))[where][:, :, None]
    if parameters.signal:
        planted = np.isin(land.regions, parameters.shift_regions)
        both = amounts[planted, :2].sum(axis=1)
        amounts[planted, 0] = both * compute_internal_share(parameters)
        amounts[planted, 1] = both * (1.0 - compute_internal_share(parameters))
    other = look_up_by_country(land, _OTHER_SHARE, 0.2)[where][:, None]
    internal, cross, at_risk = amounts[:, 0], amounts[:, 1], amounts[:, 2]
    return np.stack([internal, cross * (1.0 - other), cross * other, at_risk], axis=1)
