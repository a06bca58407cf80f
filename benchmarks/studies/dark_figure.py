"""How often the interval of multiple systems estimation contains the true number of people, on invented lists.

Each table of capture histories is estimated twice: exact, and with the noise of the default policy, as `tact estimate`
does. Run: .venv/bin/python -m benchmarks.studies.dark_figure N [--seed N] [--json], N tables of each law.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.studies.command import run_study
from data.capture import FEWEST_LISTS, MOST_LISTS, PopulationEstimate, estimate_population
from data.capture.models import build_design
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.workspace.types import Floats, Ints, Progress

Generator = np.random.Generator
_PEOPLE = (300, 5000)
_SHARE = (0.03, 0.3)  # of the people on each list


@dataclass(frozen=True)
class Answer:
    """The true number of people of one set of lists, and the estimate from exact or noisy counts."""

    law: str
    lists: int
    noisy: bool
    truth: int
    seen: int
    estimate: PopulationEstimate

    @property
    def covered(self) -> bool:
        """Whether there is an interval, and it contains the true number."""
        low, high = self.estimate.low, self.estimate.high
        return low is not None and high is not None and low <= self.truth <= high


@dataclass(frozen=True)
class DarkFigureStudy:
    """All answers of a study."""

    answers: tuple[Answer, ...]

    def summary(self) -> dict[str, Any]:
        """Return a summary of the answers by law and over all laws, for exact and for noisy counts."""
        parts = {}
        for noisy in (False, True):
            answers = [a for a in self.answers if a.noisy == noisy]
            laws = {law: [a for a in answers if a.law == law] for law in LAWS} | {"all": answers}
            parts |= {f"{'noisy' if noisy else 'exact'}, {law}": _summarise(part) for law, part in laws.items()}
        return parts

    def as_dict(self) -> dict[str, Any]:
        """Return all answers as plain values."""
        return {"summary": self.summary(), "answers": [asdict(a) for a in self.answers]}


def _summarise(answers: list[Answer]) -> dict[str, Any]:
    """Return the number of tables and of intervals, coverage, median ratio and width, and how often each reason occurs.

    ratio : estimate / truth. width : upper / lower end. Means and medians are NaN without an interval.
    """
    sure = [a for a in answers if a.estimate.estimate and a.estimate.low and a.estimate.high]
    ratios = [(a.estimate.estimate or 0.0) / a.truth for a in sure]
    widths = [(a.estimate.high or 0.0) / (a.estimate.low or 1.0) for a in sure]
    return {
        "tables": len(answers),
        "estimated": len(sure),
        "coverage": float(np.mean([a.covered for a in sure])) if sure else float("nan"),
        "ratio": float(np.median(ratios)) if sure else float("nan"),
        "width": float(np.median(widths)) if sure else float("nan"),
        "cannot_tell": dict(Counter(a.estimate.reason for a in answers if a.estimate.reason)),
    }


def _draw_from(rng: Generator, people: int, main: Floats, pair: Floats) -> Ints:
    """Draw how many of `people` have each history (the lists that they are on), (histories,), by a log-linear model.

    People on no list are left out. main : main effect of each list. pair : interaction of each pair of lists; minus
    infinity if nobody is on both.
    """
    design = build_design(len(main))
    with np.errstate(invalid="ignore"):
        terms = np.where(design.both > 0, pair, 0.0)
    log_odds = design.matrix[:, 1 : 1 + len(main)] @ main + terms.sum(axis=1)
    odds = np.append(1.0, np.exp(log_odds))
    return rng.multinomial(people, odds / odds.sum())[1:].astype(np.int64)


def _draw_independent(rng: Generator, people: int, main: Floats) -> Ints:
    return _draw_from(rng, people, main, np.zeros(len(build_design(len(main)).pairs)))


def _draw_pairs(rng: Generator, people: int, main: Floats) -> Ints:
    """Draw a table in which some pairs of lists share people more often, or less often, than chance."""
    size = len(build_design(len(main)).pairs)
    return _draw_from(rng, people, main, np.where(rng.random(size) < 1 / 3, rng.normal(0.0, 1.0, size), 0.0))


def _draw_referral(rng: Generator, people: int, main: Floats) -> Ints:
    """Draw a table in which one list sends its people to another."""
    size = len(build_design(len(main)).pairs)
    return _draw_from(rng, people, main, np.where(np.arange(size) == rng.integers(size), 2.0, 0.0))


def _draw_apart(rng: Generator, people: int, main: Floats) -> Ints:
    """Draw a table in which two lists never share anybody: the partners divided the country."""
    size = len(build_design(len(main)).pairs)
    return _draw_from(rng, people, main, np.where(np.arange(size) == rng.integers(size), -np.inf, 0.0))


def _draw_hard_to_find(rng: Generator, people: int, main: Floats) -> Ints:
    """Draw a table in which half of the people have a third of the others' odds of being on any list.

    No model with interactions of pairs alone is exactly true for it.
    """
    half = people // 2
    return _draw_independent(rng, half, main) + _draw_independent(rng, people - half, main - np.log(3.0))


LAWS: dict[str, Callable[[Generator, int, Floats], Ints]] = {
    "independent": _draw_independent,
    "pairs": _draw_pairs,
    "referral": _draw_referral,
    "apart": _draw_apart,
    "hard_to_find": _draw_hard_to_find,
}


def study_dark_figure(worlds: int, first_seed: int = 0, progress: Progress | None = None) -> DarkFigureStudy:
    """Estimate the number of people of `worlds` invented tables of each law, from exact and from noisy counts."""
    answers, mechanism = [], CellKey.from_policy(DEFAULT_POLICY)
    for seed in range(first_seed, first_seed + worlds):
        for law, draw in LAWS.items():
            rng = np.random.default_rng([seed, *law.encode()])
            lists = int(rng.integers(FEWEST_LISTS, MOST_LISTS + 1))
            people = round(float(np.exp(rng.uniform(*np.log(_PEOPLE)))))
            share = np.exp(rng.uniform(*np.log(_SHARE), lists))
            exact = draw(rng, people, np.log(share / (1 - share)))
            noisy = mechanism.publish(exact, rng.integers(0, mechanism.key_range, len(exact)))
            for counts in (exact, noisy):
                answer = estimate_population(counts, seed)
                answers.append(Answer(law, lists, counts is noisy, people, int(counts.sum()), answer))
        if progress is not None:
            progress(seed - first_seed + 1, worlds, "Tables of each law")
    return DarkFigureStudy(tuple(answers))


def describe(summary: dict[str, Any], seed: int) -> Iterator[str]:
    """Yield the lines for the terminal."""
    yield f"Invented tables of capture histories from seed {seed}. No record was read."
    for name, row in summary.items():
        yield (
            f"{name}: {row['estimated']} of {row['tables']} estimated, coverage {row['coverage']:.3f}; "
            f"estimate / truth {row['ratio']:.2f}, upper / lower end {row['width']:.2f}; "
            f"cannot tell: {row['cannot_tell']}"
        )


if __name__ == "__main__":
    run_study(study_dark_figure, describe, "Try multiple systems estimation on invented lists (some seconds a table).")
