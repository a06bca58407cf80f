"""Read a public release, map it, use its margins, and fit a small model through the noise of its counts.

    python read_release.py FOLDER OUTPUT

FOLDER is a workspace, or the folder of one release. OUTPUT gets two figures: map.svg and margins.svg. Four things here
are easy to get wrong, and are marked with WHY.
"""

from __future__ import annotations

import sys
from pathlib import Path

import altair as alt
import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import nbinom

import tact


def read_counts(release: tact.Release) -> gpd.GeoDataFrame:
    """Return the children identified or met in the last year by region, with people and 95 % intervals."""
    # WHY: the channel is that of one draw. The whole programme is a sum of years, each drawn once.
    year = [period for period in release.periods("encounters") if period.endswith("/P1Y")][-1]
    counts = release.layer("encounters", level="region", period=year)
    people = release.layer("population", level="region")["value"]
    # WHY: a cell that is withheld says nothing of the count. It is left out, never set to zero.
    counts = counts[counts["state"].isin(["number", "few"])].assign(people=people).dropna(subset="people")
    channel = release.channel("children")
    # WHY: the noise is that of the published number, `noisy`. `value` is adjusted, so that parts add up to totals.
    # A number below k is hidden (`few`): that too says something of the count.
    published = [None if state == "few" else int(noisy) for state, noisy in counts[["state", "noisy"]].to_numpy()]
    ends = [channel.interval(number, 0.95) for number in published]
    return counts.assign(low=[low for low, _ in ends], high=[high for _, high in ends])


def tabulate_noise(counts: pd.DataFrame, channel: tact.Channel) -> NDArray[np.float64]:
    """Return P(what is published of an area | true count), (areas, counts from 0)."""
    # WHY: the true count is not known, so each one that may stand behind the published number will be summed over.
    true = np.arange(int(counts["noisy"].max()) + channel.largest + 1)
    shown = channel.likelihood(counts["noisy"].fillna(0).to_numpy()[:, None], true)
    return np.where((counts["state"] == "few").to_numpy()[:, None], channel.likelihood(None, true), shown)


def compute_log_likelihood(
    parameters: NDArray[np.float64], place: NDArray[np.int64], people: NDArray[np.float64], noise: NDArray[np.float64]
) -> float:
    """Return the log likelihood of a rate for each country and a common overdispersion.

        published ~ channel(count),   count ~ NegBin(mean = rate of the country * people, overdispersion)

    parameters : logarithms of the rates for 100,000 people, and of the overdispersion. place : position of the country
    of each area. people : of each area. noise : from `tabulate_noise`.
    """
    means, kappa = np.exp(parameters[place]) * people / 100_000, np.exp(parameters[-1])
    chance = nbinom.pmf(np.arange(noise.shape[1]), 1 / kappa, 1 / (1 + kappa * means[:, None]))
    return float(np.log((chance * noise).sum(axis=1)).sum())


def fit_rates(release: tact.Release, counts: pd.DataFrame) -> pd.DataFrame:
    """Return the rate of each country for 100,000 people with its 95 % interval, beside the naive one."""
    noise = tabulate_noise(counts, release.channel("children"))
    countries, place = np.unique(counts["country"].to_numpy(dtype=str), return_inverse=True)
    people = counts["people"].to_numpy(dtype=float)
    # WHY: this is what comes out where hidden numbers count as zero, and each area as if it had no noise.
    naive = np.bincount(place, counts["noisy"].fillna(0)) / np.bincount(place, people) * 100_000

    def lose(parameters: NDArray[np.float64]) -> float:
        return -compute_log_likelihood(parameters, place, people, noise)

    best = minimize(lose, np.append(np.log(naive), -1.0), method="Nelder-Mead", options={"maxiter": 2000}).x
    errors = np.sqrt(np.diag(np.linalg.inv(compute_curvature(lose, best))))[:-1]
    ends = {name: np.exp(best[:-1] + z * errors) for name, z in (("rate", 0.0), ("low", -1.96), ("high", 1.96))}
    return pd.DataFrame({**ends, "naive": naive}, index=countries)


def compute_curvature(lose, place: NDArray[np.float64], step: float = 1e-3) -> NDArray[np.float64]:  # noqa: ANN001
    """Return the matrix of second derivatives of a function at a place, by differences."""
    moves = np.eye(len(place)) * step

    def differ(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
        signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
        return sum(a * b * lose(place + a * first + b * second) for a, b in signs) / (4 * step**2)

    return np.array([[differ(first, second) for second in moves] for first in moves])


def draw_map(counts: gpd.GeoDataFrame, every: gpd.GeoDataFrame) -> alt.LayerChart:
    """Return a map of published numbers; areas without one have a colour of their own, never that of a zero."""
    project = {"type": "identity", "reflectY": True}
    base = alt.Chart(every[["geometry"]]).mark_geoshape(fill="#e5e5e5", stroke="white").project(**project)
    shown = counts[counts["state"] == "number"][["name", "noisy", "geometry"]]
    numbers = (
        alt.Chart(shown)
        .mark_geoshape(stroke="white")
        .encode(color=alt.Color("noisy:Q", title=["children", "(grey: no number)"], scale={"scheme": "blues"}))
        .project(**project)
    )
    return (base + numbers).properties(width=320, height=420, title="Children identified or met by outreach")


def draw_margins(counts: pd.DataFrame, title: str) -> alt.LayerChart:
    """Return the published numbers with the 95 % interval of the true count; a hidden number has an interval alone."""
    plain = pd.DataFrame(counts[["name", "noisy", "low", "high"]])
    order = alt.Y("name:N", sort=list(plain.sort_values("high", ascending=False)["name"]), title=None)
    rules = alt.Chart(plain).mark_rule(strokeWidth=3, color="#9bb8d3").encode(y=order, x="low:Q", x2="high:Q")
    points = alt.Chart(plain[plain["noisy"].notna()]).mark_point(filled=True, color="#1f4e79")
    dots = points.encode(y=order, x=alt.X("noisy:Q", title="children: published number and 95 % interval"))
    return (rules + dots).properties(width=360, title=title)


def main(source: str, target: str) -> pd.DataFrame:
    """Write both figures and return the rates."""
    release, folder = tact.open_release(source, tier="public"), Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    counts = read_counts(release)
    draw_map(counts, release.layer("encounters", level="region")).save(folder / "map.svg")
    title = f"{'Invented data. ' if release.invented else ''}{release.citation}"
    draw_margins(counts, title).save(folder / "margins.svg")
    return fit_rates(release, counts)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(main(*sys.argv[1:3]).round(2))
