"""How often the statements on internal trafficking in Durrës and Tirana are right, on counts with a known share.

Each world has three years; the statements are made after the second and after the third. In every quarter a city meets
a negative binomial number of children of each kind. Outreach, which is common to both kinds, grows by half each year.
The yearly numbers get the noise of the release. Shares are 20 % in the first year; the laws differ in the shares of the
last year.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.studies.command import map_seeds, round_mean, run_study
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel
from data.disclosure.policy import DEFAULT_POLICY
from data.workspace.types import Floats, Ints, Progress
from risk.numbers import stream
from risk.report.shift import WATCHED, AreaShift, estimate_power, list_shifts, sample_shares

# Share of internal trafficking in the last year: Durrës, Tirana.
LAWS = {
    "no change": (0.2, 0.2),
    "both rise by 20": (0.4, 0.4),
    "both rise by 40": (0.6, 0.6),
    "only Tirana rises by 40": (0.2, 0.6),
    "only Durrës rises by 40": (0.6, 0.2),
}
_BEFORE = 0.2
_MET = np.array([15.0, 60.0])  # children of the first year
_GROWTH = 1.5  # of outreach, each year
_KAPPA = 0.2  # overdispersion of a quarter's count
_YEARS, _QUARTERS = 3, 4
_BORDER = (0.85, 0.15)  # to Greece, other
_GROUPS = ("both", "Durrës", "Tirana")


@dataclass(frozen=True)
class Outcome:
    """One world under one law: verdicts on both cities together, on Durrës and on Tirana, and whether they are right.

    verdicts : those after the third year. ever : whether any verdict was "rose". covered : whether the 95 % interval
    after the third year contains the true difference. power : in per cent, as stated after the third year in the first
    worlds of a study, else empty.
    """

    seed: int
    law: str
    verdicts: tuple[str, ...]
    ever: tuple[bool, ...]
    covered: tuple[bool, ...]
    power: tuple[float, ...] = ()


@dataclass(frozen=True)
class Study:
    """The outcomes of all worlds."""

    outcomes: tuple[Outcome, ...]

    def summary(self) -> dict[str, Any]:
        """Return shares of worlds by law, for both cities together, for Durrës and for Tirana.

        `power_stated` is the mean of the stated power, from 0 to 1; empty if none was stated.
        """
        laws: dict[str, Any] = {}
        for law in LAWS:
            mine = [outcome for outcome in self.outcomes if outcome.law == law]
            stated = [outcome.power for outcome in mine if outcome.power]
            laws[law] = {
                "rose": round_mean([[verdict == "rose" for verdict in outcome.verdicts] for outcome in mine]),
                "fell": round_mean([[verdict == "fell" for verdict in outcome.verdicts] for outcome in mine]),
                "rose_ever": round_mean([outcome.ever for outcome in mine]),
                "covered": round_mean([outcome.covered for outcome in mine]),
                "power_stated": (np.round(np.mean(stated, axis=0)) / 100.0).tolist() if stated else [],
            }
        return {"worlds": len(self.outcomes) // len(LAWS), "laws": laws}

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "outcomes": [asdict(o) for o in self.outcomes]}


def study(
    worlds: int,
    *,
    first_seed: int = 0,
    stated: int = 10,
    processes: int = 1,
    cluster: str = "",
    progress: Progress | None = None,
) -> Study:
    """Judge `worlds` worlds under each law; for the first `stated` of them the power is estimated, too."""
    cases = [(first_seed + number, 100 if number < stated else 0) for number in range(worlds)]
    judged = map_seeds(
        _judge_laws, cases, "Judging invented worlds", processes=processes, cluster=cluster, progress=progress
    )
    return Study(tuple(outcome for outcomes in judged for outcome in outcomes))


def _judge_laws(case: tuple[int, int]) -> list[Outcome]:
    seed, trials = case
    return [_judge_world(seed, law, _load_channel(), trials) for law in LAWS]


def find_shifts(
    areas: Sequence[str],
    published: Ints,
    channel: Channel,
    size: float,
    *,
    looks: int = 1,
    seed: int = 0,
    trials: int = 200,
) -> list[AreaShift]:
    """Judge areas from published counts of two years, (areas, 2, parts): all areas together first, then each.

    size : of the negative binomial of a year's count. looks : number of this look, see `SharePosterior.judge`. trials :
    number of simulated cases for the power; 0 for no power.
    """
    posterior = sample_shares(published, channel, size, 8000, stream(seed, "shift"))
    power = estimate_power(published, posterior, channel, size, looks, trials, seed)
    return list_shifts(areas, posterior, looks, power)


@cache
def _load_channel() -> Channel:
    return CellKey.from_policy(DEFAULT_POLICY).channel(600)


def _judge_world(seed: int, law: str, channel: Channel, trials: int) -> Outcome:
    rng = stream(seed, law)
    shares = np.linspace([_BEFORE] * len(WATCHED), LAWS[law], _YEARS).T  # (areas, years)
    published = _publish(_draw_years(shares, rng), channel, rng)
    size = _QUARTERS / _KAPPA**2
    looks = [
        find_shifts(
            WATCHED, published[:, [0, year]], channel, size, looks=year, seed=seed, trials=trials * (year == _YEARS - 1)
        )
        for year in range(1, _YEARS)
    ]
    children = published[:, [0, -1]].sum(axis=(1, 2)) + 1.0
    rises = 100.0 * (shares[:, -1] - shares[:, 0])
    true = (float(rises @ children / children.sum()), *map(float, rises))
    last = looks[-1]
    return Outcome(
        seed,
        law,
        tuple(shift.verdict for shift in last),
        tuple(any(look[i].verdict == "rose" for look in looks) for i in range(len(_GROUPS))),
        tuple(shift.low <= value <= shift.high for shift, value in zip(last, true, strict=True)),
        tuple(shift.power for shift in last if shift.power is not None),
    )


def _draw_years(shares: Floats, rng: np.random.Generator) -> Ints:
    """Draw true counts, (areas, years, parts), as sums of four quarters.

    shares : share of internal trafficking, (areas, years).
    """
    level = _MET[:, None] * _GROWTH ** np.arange(shares.shape[1])
    parts = np.stack([shares, *((1.0 - shares) * part for part in _BORDER)], axis=2)
    # Counts of one kind vary together; both parts of cross-border trafficking are one count of the model.
    kinds = rng.gamma(_KAPPA**-2, _KAPPA**2, (_QUARTERS, *shares.shape, 2))
    varied = np.concatenate([kinds, kinds[..., 1:]], axis=3)
    counts = rng.poisson(level[..., None] / _QUARTERS * parts * varied).sum(axis=0)
    return np.asarray(counts, np.int64)


def _publish(exact: Ints, channel: Channel, rng: np.random.Generator) -> Ints:
    cumulative = np.cumsum(channel.matrix, axis=1)[exact]
    counts = (cumulative < rng.random((*exact.shape, 1))).sum(axis=-1)
    return np.asarray(np.minimum(counts, channel.n_max), np.int64)


def describe(summary: dict[str, Any], seed: int) -> Iterable[str]:
    """Return a summary in plain lines, for the terminal."""
    yield f"{summary['worlds']} invented worlds under each law (seeds from {seed}). No record was read."
    yield f"Three numbers: {', '.join(_GROUPS)}."
    for law, shares in summary["laws"].items():
        yield f"{law}:"
        for name, values in shares.items():
            if values:
                yield f"  {name.replace('_', ' '):<14}" + "  ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    run_study(
        study, describe, "Judge the statements on internal trafficking (two minutes for 1,000 worlds).", spread=True
    )
