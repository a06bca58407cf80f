"""Counts of the quarters to come."""

from __future__ import annotations

import numpy as np

from data.disclosure.channel import Channel
from data.errors import InputError
from data.workspace.types import Floats, Ints
from risk.laplace.likelihood import HIDDEN
from risk.model.draws import Draws
from risk.model.observations import Observations


def forecast_counts(
    draws: Draws, seen: Observations, effort: Floats, *, walks: bool, seed: int, published: bool
) -> Ints:
    """Draw counts of the quarters after the observed ones, (d, areas, horizon, pathways, ways).

    docs/risk-model.md eq. (36) and (37). `effort` are days of outreach, (areas, horizon). `walks`: whether
    the areas follow random walks of their own. `published`: pass the counts through the channel.
    """
    if effort.ndim != 2 or len(effort) != len(seen.areas):
        msg = f"effort has shape {effort.shape}; give days for {len(seen.areas)} areas x quarters ahead."
        raise InputError(msg)
    rng = np.random.default_rng([seed, 2])
    rate = _log_rates_ahead(draws, seen, effort.shape[1], rng, walks=walks)
    mean = np.exp(rate[..., None] + _effects_of_ways(draws, seen, effort))
    mean *= seen.expected[:, None, None, None]
    counts = _draw_counts(mean, draws.kappa, rng)
    if "discovered" in seen.ways:
        way = seen.ways.index("discovered")
        counts[..., way] *= (effort > 0)[:, :, None]
    return _publish(seen.channel, counts, rng) if published and seen.channel is not None else counts


def _log_rates_ahead(
    draws: Draws, seen: Observations, horizon: int, rng: np.random.Generator, *, walks: bool
) -> Floats:
    """Let the log rates walk on, (d, areas, horizon, pathways)."""
    last = draws.log_rate[:, :, -1:]
    size, areas, _, pathways = last.shape
    common = rng.standard_normal((size, len(seen.country_names), horizon, pathways))
    common = np.cumsum(draws.time_sd[:, None, None, None] * common, axis=2)[:, seen.country_of]
    own = draws.local_sd[:, None, None, None] * rng.standard_normal((size, areas, horizon, pathways))
    if walks:
        return np.asarray(last + common + np.cumsum(own, axis=2))
    # Effects that are independent from quarter to quarter do not last: a new one around the area's mean.
    level = draws.log_rate.mean(axis=2, keepdims=True) - draws.log_rate.mean(axis=(1, 2), keepdims=True)
    level = level + last.mean(axis=1, keepdims=True)
    return np.asarray(level + common + own)


def _effects_of_ways(draws: Draws, seen: Observations, effort: Floats) -> Floats:
    """Give what is added to the log rate for each way, (d, areas, horizon, 1, ways)."""
    unit = seen.usual_effort
    reach = np.log(np.where(effort > 0, effort, unit) / unit)
    found = draws.gamma[:, None, None] * reach
    gap = np.broadcast_to(draws.gap[:, seen.country_of, None], found.shape)
    added = {"reported": gap, "discovered": found, "all": found}
    return np.stack([added[way] for way in seen.ways], axis=-1)[:, :, :, None]


def _draw_counts(mean: Floats, kappa: Floats, rng: np.random.Generator) -> Ints:
    shape = (-1, *[1] * (mean.ndim - 1))
    size = 1.0 / np.maximum(kappa, 1e-4).reshape(shape) ** 2
    frailty = rng.gamma(np.broadcast_to(size, mean.shape)) / size
    return np.asarray(rng.poisson(np.where(kappa.reshape(shape) > 0, frailty, 1.0) * mean), np.int64)


def _publish(channel: Channel, counts: Ints, rng: np.random.Generator) -> Ints:
    """Publish counts by the channel; beyond its matrix the noise is that of its last row."""
    most = channel.n_max
    edges = np.cumsum(channel.matrix, axis=1)
    flat = counts.ravel()
    row = np.minimum(flat, most)
    out = np.empty_like(flat)
    for true in np.unique(row):
        at = row == true
        out[at] = np.searchsorted(edges[true], rng.random(int(at.sum())), side="right")
    out = np.minimum(out, channel.matrix.shape[1] - 1) + flat - row
    if channel.k is not None:
        out[out < channel.k] = HIDDEN
    return np.asarray(out.reshape(counts.shape), np.int64)
