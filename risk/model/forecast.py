"""Forecast counts of the next quarters."""

from __future__ import annotations

import numpy as np

from data.disclosure.channel import Channel
from data.errors import InputError
from data.workspace.types import Floats, Ints
from risk.laplace.likelihood import HIDDEN
from risk.model.draws import Draws
from risk.model.observations import Observations


def forecast_counts(draws: Draws, observations: Observations, effort: Floats, *, seed: int, published: bool) -> Ints:
    """Draw counts of the quarters after the observed ones, docs/risk-model.md eq. (37).

    The result has shape (D, A, horizon, P, W). `effort` are days of outreach, (A, horizon). With `published` the counts
    pass through the channel, and are HIDDEN where it hides them. Raises InputError where `effort` has another shape.
    """
    if effort.ndim != 2 or len(effort) != len(observations.areas):
        areas = len(observations.areas)
        raise InputError(f"effort has shape {effort.shape}; give days for {areas} areas x quarters ahead.")
    rng = np.random.default_rng([seed, 2])
    log_rate = _extend_log_rate(draws, observations, effort.shape[1], rng)
    living = np.broadcast_to(observations.expected[:, -1:], effort.shape)  # people stay as in the last quarter
    return _draw_all_ways(draws, observations, log_rate, living, effort, rng, published=published)


def replicate_counts(draws: Draws, observations: Observations, rng: np.random.Generator) -> Ints:
    """Draw what would be published of the observed quarters if the model were true, (D, A, T, P, W), eq. (143)."""
    log_rate, living = draws.log_rate_as_counted(observations), observations.expected
    return _draw_all_ways(draws, observations, log_rate, living, observations.effort, rng, published=True)


def _draw_all_ways(
    draws: Draws, observations: Observations, log_rate: Floats, living: Floats, effort: Floats,
    rng: np.random.Generator, *, published: bool,
) -> Ints:  # fmt: skip
    """Draw counts, (D, A, T, P, W), from log rates, (D, A, T, P), children living there and days, (A, T); eq. (4)."""
    # What each way of finding adds to the log rate in eq. (4), (D, A, horizon, 1, W).
    unit = observations.usual_effort
    log_effort = np.log(np.where(effort > 0, effort, unit) / unit)
    outreach = draws.gamma[:, None, None] * log_effort
    gap = np.broadcast_to(draws.gap[:, observations.country_of, None], outreach.shape)
    added = {"reported": gap, "discovered": outreach, "all": outreach}
    mean = np.exp(log_rate[..., None] + np.stack([added[way] for way in observations.ways], axis=-1)[:, :, :, None])
    mean *= living[:, :, None, None]
    counts = draw_counts(mean, draws.kappa, rng)
    if "discovered" in observations.ways:  # without outreach nobody is discovered
        counts[..., observations.ways.index("discovered")] *= (effort > 0)[:, :, None]
    if published and observations.channel is not None:
        return publish_counts(observations.channel, counts, rng)
    return counts


def _extend_log_rate(draws: Draws, observations: Observations, horizon: int, rng: np.random.Generator) -> Floats:
    """Draw the next steps of the random walks, eq. (36); return log rates, (D, A, horizon, P)."""
    last = draws.log_rate[:, :, -1:]
    size, areas, _, pathways = last.shape
    common = rng.standard_normal((size, len(observations.country_names), horizon, pathways))
    common = np.cumsum(draws.time_sd[:, None, None, None] * common, axis=2)[:, observations.country_of]
    local = draws.local_sd[:, None, None, None] * rng.standard_normal((size, areas, horizon, pathways))
    return np.asarray(last + common + np.cumsum(local, axis=2))


def draw_counts(mean: Floats, kappa: Floats, rng: np.random.Generator) -> Ints:
    """Draw negative binomial counts in the shape of `mean`, (D, ...), eq. (5); Poisson counts where kappa, (D,), is 0.

    They are drawn as Poisson counts with gamma frailty.
    """
    shape = (-1, *[1] * (mean.ndim - 1))
    size = 1.0 / np.maximum(kappa, 1e-4).reshape(shape) ** 2
    frailty = rng.gamma(np.broadcast_to(size, mean.shape)) / size
    return np.asarray(rng.poisson(np.where(kappa.reshape(shape) > 0, frailty, 1.0) * mean), np.int64)


def publish_counts(channel: Channel, counts: Ints, rng: np.random.Generator) -> Ints:
    """Draw published counts from the channel; counts too large for its matrix get the noise of its last row."""
    cumulative = np.cumsum(channel.matrix, axis=1)
    flat = counts.ravel()
    row = np.minimum(flat, channel.n_max)
    out = np.empty_like(flat)
    for true in np.unique(row):
        cells = row == true
        out[cells] = np.searchsorted(cumulative[true], rng.random(int(cells.sum())), side="right")
    out = np.minimum(out, channel.matrix.shape[1] - 1) + flat - row
    if channel.k is not None:
        out[out < channel.k] = HIDDEN
    return np.asarray(out.reshape(counts.shape), np.int64)
