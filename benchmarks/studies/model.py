"""How accurate the risk model is on invented worlds, where the truth is known.

For each seed a world with a signal is fitted on exact counts and on protected ones: rank correlation with
the true relative risk, coverage of its intervals, and with which release the planted shift to internal
trafficking is found. A second world of the same seed has no signal at all: there every flag, a risk that is very
likely high or a rate that very likely rose, is a false alarm.
The model is fitted to each quarter's release, as users do. In a third world a hotspot moves between areas:
how well does the ranking of each quarter follow? In all of them outreach goes where children were found earlier, and
many children are never reported (docs/risk-model.md section 17).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.studies.command import map_seeds, round_mean, run_study
from benchmarks.studies.observe import QUIET, count_children, observe_release, observe_world, read_need, set_up_world
from benchmarks.studies.shift import find_shifts
from benchmarks.worlds import World, WorldParameters, simulate_default_areas
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel
from data.disclosure.policy import DEFAULT_POLICY
from data.workspace.types import Bools, Floats, Progress
from geo import areas as geography
from risk.model import RiskModel
from risk.model.detection import judge_need
from risk.model.draws import subtract_national_rate
from risk.model.fit import Fit
from risk.model.observations import Observations
from risk.model.statements import Statements
from risk.report.change import find_changes
from risk.report.shift import WATCHED, AreaShift

GAMMAS = (0.6, 0.8, 1.0)  # true exponents of effort, in turn
_DRAWS = 2000
_YEAR = 4
_KAPPA = 0.2  # overdispersion of a quarter, for the test of the shift
_LEVELS = (0.5, 0.8, 0.95)
_HOTSPOT = 1.0  # added to the log rate
_FIRST_LOOK = 4  # quarters of the first release that is evaluated


@dataclass(frozen=True)
class SignalResults:
    """The results of one world that has a signal, from one kind of counts: "exact" or "protected".

    gamma, gamma_fitted : true and fitted exponent of effort. correlation : rank correlation with the truth by pathway.
    covered : share of true log relative risks in intervals of 50, 80 and 95 %. shift_found : the quarter (counted from
    1) whose release first shows the shift, for Durrës and Tirana together, for Durrës and for Tirana; 0 if none does.
    """

    seed: int
    counts: str
    gamma: float
    gamma_fitted: float
    correlation: tuple[float, ...]
    covered: tuple[float, ...]
    shift_found: tuple[int, ...]


@dataclass(frozen=True)
class Alarms:
    """The false alarms in one world without a signal, as shares of the pairs of area and pathway.

    high, rising : for each release, the share with a very likely high or very high risk, and the share with a very
    likely rise over a year. ever : the share with either at any release. unwarned : how often, over all releases, a
    pair is called rising (also if only likely) without a warning, although its effort at least doubled.
    """

    seed: int
    high: tuple[float, ...]
    rising: tuple[float, ...]
    ever: float
    unwarned: int


@dataclass(frozen=True)
class Followed:
    """The results of one world with a moving hotspot: mean rank correlation with each quarter's true risk, by pathway.

    moving : for a separate ranking of each quarter. still : for a single ranking of the whole time.
    """

    seed: int
    moving: tuple[float, ...]
    still: tuple[float, ...]


@dataclass(frozen=True)
class Study:
    """The results of all worlds of a study."""

    signals: tuple[SignalResults, ...]
    alarms: tuple[Alarms, ...]
    followed: tuple[Followed, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return a summary over all worlds."""
        out: dict[str, Any] = {"worlds": len(self.alarms)}
        for kind in ("exact", "protected"):
            mine = [f for f in self.signals if f.counts == kind]
            out[kind] = {
                "correlation": round_mean([f.correlation for f in mine]),
                "correlation_least": [round(float(v), 3) for v in np.min([f.correlation for f in mine], axis=0)],
                "covered": round_mean([f.covered for f in mine]),
                "gamma_off": round_mean([f.gamma_fitted - f.gamma for f in mine]),
                "shift_by_eighth": round_mean([[0 < quarter <= 2 * _YEAR for quarter in f.shift_found] for f in mine]),
                "shift_ever": round_mean([[quarter > 0 for quarter in f.shift_found] for f in mine]),
            }
        high, rising = (np.array([getattr(a, name) for a in self.alarms]) for name in ("high", "rising"))
        out["no_signal"] = {
            "flagged_at_a_release_high": round_mean(high),
            "flagged_at_a_release_rising": round_mean(rising),
            "flagged_ever": round_mean([a.ever for a in self.alarms]),
            "without_a_warning": sum(a.unwarned for a in self.alarms),
        }
        if self.followed:
            out["moving_hotspot"] = {
                name: round_mean([getattr(f, name) for f in self.followed]) for name in ("moving", "still")
            }
        out["cost_of_the_wall"] = [
            round(e - p, 3) for e, p in zip(out["exact"]["correlation"], out["protected"]["correlation"], strict=True)
        ]
        return out

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {
            "invented": True,
            "summary": self.summary(),
            "signals": [asdict(f) for f in self.signals],
            "alarms": [asdict(a) for a in self.alarms],
            "followed": [asdict(f) for f in self.followed],
        }


def study(
    worlds: int,
    *,
    first_seed: int = 0,
    model: RiskModel | None = None,
    processes: int = 2,
    cluster: str = "",
    progress: Progress | None = None,
) -> Study:
    """Run the study on `worlds` invented worlds; ten take some minutes. The same seeds give the same result."""
    study_world = partial(_study_world, model=model or RiskModel())
    seeds = range(first_seed, first_seed + worlds)
    results = map_seeds(
        study_world, seeds, "Studying invented worlds", processes=processes, cluster=cluster, progress=progress
    )
    pairs, alarms, followed = zip(*results, strict=True)
    return Study(tuple(result for pair in pairs for result in pair), alarms, followed)


def _study_world(seed: int, model: RiskModel) -> tuple[list[SignalResults], Alarms, Followed]:
    world = simulate_default_areas(set_up_world(seed, gamma=GAMMAS[seed % len(GAMMAS)]))
    kinds = (("exact", None), ("protected", CellKey.from_policy(DEFAULT_POLICY)))
    signals = [_evaluate_world(world, kind, mechanism, model) for kind, mechanism in kinds]
    quiet = simulate_default_areas(set_up_world(seed, QUIET))
    alarms = _count_alarms(observe_release(quiet), seed, model)
    moving = simulate_default_areas(WorldParameters(seed=seed, hotspot=_HOTSPOT))
    return signals, alarms, _follow_hotspot(moving, model)


def _evaluate_world(world: World, kind: str, mechanism: CellKey | None, model: RiskModel) -> SignalResults:
    parameters = world.parameters
    observations = observe_world(world, geography.load_areas().neighbours("region"), mechanism)
    fit = model.fit(observations).fit_
    true = world.truth.log_risk(observations.areas, observations.pathways)
    risk, draws = draw_risk(fit, parameters.seed)
    inside = tuple(covered(draws, true, level) for level in _LEVELS)
    ranks = correlate_ranks(risk, true)
    return SignalResults(
        parameters.seed, kind, parameters.gamma, fit.gamma[0], ranks, inside, _when_shifted(world, mechanism)
    )


def draw_risk(fit: Fit, seed: int) -> tuple[Floats, Floats]:
    """Return the mean log relative risk, (A, P), and draws of it over the detection range, (d, A, P)."""
    draws = fit.log_risk(_DRAWS, seed)
    return draws.mean(axis=0), fit.log_need(_DRAWS, seed)


def correlate_ranks(risk: Floats, true: Floats) -> tuple[float, ...]:
    """Return the rank correlation of fitted with true log risks, both (A, P), by pathway."""
    return tuple(float(spearmanr(risk[:, p], true[:, p]).statistic) for p in range(true.shape[1]))


def covered(draws: Floats, true: Floats, level: float = 0.95) -> float:
    """Return the share of true values, any shape, in the central intervals of draws, (d, ...)."""
    low, high = _find_ends(draws, level)
    return float(((low <= true) & (true <= high)).mean())


def measure_width(draws: Floats, level: float = 0.95) -> float:
    """Return the mean width of the central intervals of draws, (d, ...)."""
    low, high = _find_ends(draws, level)
    return float((high - low).mean())


def _find_ends(draws: Floats, level: float) -> tuple[Floats, Floats]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _follow_hotspot(world: World, model: RiskModel) -> Followed:
    """Return how well the model's ranking of each quarter agrees with the true ranking."""
    observations = observe_release(world)
    fit = model.fit(observations).fit_
    rate = read_need(world, observations) / observations.expected[:, :, None]
    true = subtract_national_rate(np.log(rate)[None], observations)[0]
    risk = fit.log_risk(_DRAWS, 0).mean(axis=0)
    quarterly = subtract_national_rate(fit.draws(_DRAWS, 0).log_rate, observations).mean(axis=0)
    still = np.repeat(risk[:, None], len(observations.quarters), axis=1)
    moving, fixed = (
        tuple(
            float(np.mean([spearmanr(ranking[:, q, p], true[:, q, p]).statistic for q in range(true.shape[1])]))
            for p in range(true.shape[2])
        )
        for ranking in (quarterly, still)
    )
    return Followed(world.parameters.seed, moving, fixed)


def _when_shifted(world: World, mechanism: CellKey | None) -> tuple[int, ...]:
    """Return the quarter whose release first shows the shift: for both watched areas together, then for each area.

    Quarters are counted from 1; 0 if no release shows it.
    """
    first = [0] * (len(WATCHED) + 1)
    for look, shifts in enumerate(judge_shifts(world, mechanism), 1):
        for place, shift in enumerate(shifts):
            if not first[place] and shift.verdict == "rose":
                first[place] = _YEAR * (look + 1)
    return tuple(first)


def judge_shifts(world: World, mechanism: CellKey | None) -> list[list[AreaShift]]:
    """Return the shifts of both watched areas together, and of each, at each look.

    A look compares a year with the first one. Counts are exact if `mechanism` is None.
    """
    exact = count_children(world, list(WATCHED)).sum(axis=3)
    years = exact.reshape(len(WATCHED), -1, _YEAR, exact.shape[2]).sum(axis=2)
    most = int(years.sum(axis=2).max())
    channel, published = Channel(np.eye(most + 1), 0), years
    if mechanism is not None:
        keys = np.random.default_rng([world.parameters.seed, 1]).integers(0, mechanism.key_range, years.shape)
        channel = mechanism.channel(most + 3 * mechanism.largest)
        published = mechanism.publish(years, keys)
    size = _YEAR / _KAPPA**2
    return [
        find_shifts(WATCHED, published[:, [0, look]], channel, size, looks=look, trials=0)
        for look in range(1, years.shape[1])
    ]


def _says_surely(statements: Statements, *codes: str) -> Bools:
    """Return whether the first very likely claim has one of these codes, in the shape of one draw."""
    return replace(statements, position=statements.sure).says(*codes)


def _count_alarms(observations: Observations, seed: int, model: RiskModel) -> Alarms:
    """Compute the false alarms in each quarter's release of a world without a signal."""
    high, rising, unwarned = [], [], 0
    ever = np.zeros((len(observations.areas), len(observations.pathways)), bool)
    for quarters in range(_FIRST_LOOK, len(observations.quarters) + 1):
        past = replace(observations.up_to(quarters), totals=None)
        fit = model.fit(past).fit_
        above = _says_surely(judge_need(fit.log_need(_DRAWS, seed), past).statements, "high", "very_high")
        rose = np.zeros(above.shape, bool)
        if quarters >= 2 * _YEAR:
            changes = find_changes(fit.draws(_DRAWS, seed).log_rate, past.effort, past.before_breaks, _YEAR)
            rose = _says_surely(changes.statements, "rising", "more")[:, -1]
            called = changes.statements.says("rising", "more")[:, -1]
            doubled = (changes.effort_ratio[:, -1] >= 2.0)[:, None]  # also where there was none before
            unwarned += int((called & doubled & ~changes.effort_warning[:, -1]).sum())
        high.append(float(above.mean()))
        rising.append(float(rose.mean()))
        ever |= above | rose
    return Alarms(seed, tuple(high), tuple(rising), float(ever.mean()), unwarned)


def describe(summary: dict[str, Any], seed: int) -> list[str]:
    """Return a summary in plain lines, for the terminal."""
    exact, protected, quiet = summary["exact"], summary["protected"], summary["no_signal"]
    last, moving = seed + summary["worlds"] - 1, summary["moving_hotspot"]
    measures = (
        ("rank correlation with the true risk: internal, cross-border", "correlation"),
        ("the least of any world", "correlation_least"),
        ("share of true risks in intervals of 50, 80, 95 %", "covered"),
        ("shift found by the eighth quarter: both, Durrës, Tirana", "shift_by_eighth"),
        ("exponent of effort, less the true one", "gamma_off"),
    )
    rows = [("", "exact counts", "protected counts")]
    rows += [(words, _numbers(exact[name]), _numbers(protected[name])) for words, name in measures]
    high, rising = (max(quiet[f"flagged_at_a_release_{name}"]) for name in ("high", "rising"))
    return [
        f"{summary['worlds']} invented worlds (seeds {seed} to {last}). No record was read.",
        "",
        *(f"{words:<62}{first:<26}{second}".rstrip() for words, first, second in rows),
        "",
        "In worlds without any signal, looked at each quarter, flagged (very likely) of 100 areas on a pathway:",
        f"  as high at one release {100 * high:.1f} at most, as rising {100 * rising:.1f} at most; "
        f"ever {100 * quiet['flagged_ever']:.1f}.",
        f"  Where a hotspot moves, rank correlation by quarter: {_numbers(moving['moving'])}"
        f" (of a ranking that never moves: {_numbers(moving['still'])}).",
        f"  Called rising without a warning though effort doubled: {quiet['without_a_warning']} areas.",
    ]


def _numbers(values: float | list[float]) -> str:
    return "  ".join(f"{value:.3f}" for value in (values if isinstance(values, list) else [values]))


if __name__ == "__main__":
    run_study(study, describe, "Try the risk model on invented worlds (a minute for four).", spread=True)
