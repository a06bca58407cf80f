"""Whether the words for certainty are right on invented worlds: how many of the statements called likely are true.

Each world is fitted on protected counts of twelve quarters. The model's statements on rates, burden, the first five
areas and changes of areas and countries are compared with the truth: docs/risk-model.md eq. (79) to (82). Worlds may
follow a law that the model does not know (benchmarks/worlds/laws.py), or have no differences in risk at all ("quiet").
The counts of each world are saved in a file of their own. So a study can be stopped, resumed, and run in ranges of
seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.studies.model import GAMMAS
from benchmarks.studies.observe import OWN, QUIET, observe_release, read_need, set_up_world
from benchmarks.worlds import LAWS, simulate_default_areas
from data.workspace.types import Floats
from risk.model import RiskModel
from risk.model.burden import TOP, judge_burden
from risk.model.detection import draw_yearly_need, judge_need
from risk.model.observations import Observations
from risk.model.statements import Statements, name_certainty
from risk.report.change import find_changes, pool_countries

Counts = dict[str, tuple[int, int]]  # "kind/certainty/claim": how often it was stated, how often that was true
NAMES = (OWN, QUIET, *LAWS)
KINDS = {
    "rate": "rate of an area",
    "burden": "burden of an area",
    "top": "among the five or not",
    "change": "change of an area",
    "country": "change of a country",
}
_DRAWS, _YEAR = 2000, 4
_PAST = 1.0 + 1e-9
_SURE = {"very_likely": "very_likely", "likely": "likely", "very_likely_not": "very_likely", "likely_not": "likely"}


def study_world(law: str, seed: int) -> Counts:
    """Return how often each statement was made about one world, and how often it was true; keys as in Counts."""
    world = simulate_default_areas(set_up_world(seed, law, GAMMAS[seed % len(GAMMAS)]))
    observations = observe_release(world)
    fit = RiskModel().fit(observations).fit_
    draws, need = fit.draws(_DRAWS, seed), read_need(world, observations)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    rate = judge_need(fit.log_need(_DRAWS, seed), observations).statements
    _count(counts, "rate", rate, np.exp(world.truth.log_risk(observations.areas, observations.pathways)))
    yearly = need[:, -_YEAR:].mean(axis=1)[None]
    burden, true = (
        judge_burden(draw_yearly_need(draws, observations, seed), observations.country_of),
        judge_burden(yearly, observations.country_of),
    )
    _count_burden(counts, burden.statements, true.rank[1], observations)
    for word, inside in zip(np.ravel(name_certainty(burden.top)), np.ravel(true.rank[1] <= TOP), strict=True):
        certainty, negated = _SURE.get(str(word), "cannot_tell"), str(word).endswith("_not")
        _add(counts, "top", certainty, "not" if negated else "top", inside != negated)
    log_true = np.log(need / observations.expected[:, :, None])[None]
    for kind, pool in (("change", False), ("country", True)):
        alone = draws.log_rate, observations.effort, observations.before_breaks
        log_rate, effort, breaks = pool_countries(draws.log_rate, observations) if pool else alone
        truth = pool_countries(log_true, observations)[0] if pool else log_true
        changes = find_changes(log_rate, effort, breaks, _YEAR)
        _count(counts, kind, changes.statements, find_changes(truth, effort, breaks, _YEAR).ratio[1])
    return {name: (number, right) for name, (number, right) in counts.items()}


def _count(counts: dict[str, list[int]], kind: str, statements: Statements, true: Floats) -> None:
    """Count the statements, and those whose bounds contain the true value; arrays of one shape."""
    columns = {name: np.ravel(values) for name, values in statements.as_columns().items()}
    high = np.where(np.isnan(columns["high"]), np.inf, columns["high"])
    # A truth on a bound, such as the average itself where no area differs, makes neither side true.
    right = (columns["low"] * _PAST < np.ravel(true)) & (np.ravel(true) * _PAST < high)
    for certainty, code, holds in zip(columns["certainty"], columns["statement"], right, strict=True):
        _add(counts, kind, str(certainty), str(code), holds)


def _count_burden(
    counts: dict[str, list[int]], statements: Statements, rank: Floats, observations: Observations
) -> None:
    columns = statements.as_columns()
    half = np.bincount(observations.country_of)[observations.country_of][:, None] / 2
    truths = {"top": rank <= TOP, "not_top": rank > TOP, "upper_half": rank <= half, "lower_half": rank > half}
    for i in np.ndindex(rank.shape):
        code = str(columns["statement"][i])
        _add(counts, "burden", str(columns["certainty"][i]), code, bool(code) and truths[code][i])


def _add(counts: dict[str, list[int]], kind: str, certainty: str, code: str, holds: object) -> None:
    cell = counts[f"{kind}/{certainty}/{code}"]
    cell[0] += 1
    cell[1] += bool(holds)


def summarise(worlds: Iterable[Counts]) -> dict[str, dict[str, float]]:
    """Return shares (0 to 1) for each kind of statement.

    cannot_tell : where nothing is stated. likely, very_likely : where this is stated. likely_true, very_likely_true :
    how many of these statements are true; NaN if there are none.
    """
    total: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for counts in worlds:
        for name, (number, right) in counts.items():
            kind, certainty, _code = name.split("/")
            total[kind, certainty][0] += number
            total[kind, certainty][1] += right
    summary = {}
    for kind in KINDS:
        every = sum(number for (name, _certainty), (number, _right) in total.items() if name == kind)
        row: dict[str, float] = {"cannot_tell": total[kind, "cannot_tell"][0] / max(every, 1)}
        for word in ("likely", "very_likely"):
            number, right = total[kind, word]
            row |= {word: number / max(every, 1), f"{word}_true": right / number if number else float("nan")}
        summary[kind] = {name: round(value, 3) for name, value in row.items()}
    return summary


def main() -> None:
    """Study worlds that have no file yet, and print a summary for each law."""
    parser = argparse.ArgumentParser(description="Do the words for certainty hold? (about five seconds a world)")
    parser.add_argument("worlds", type=int, help="number of invented worlds of each law")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first world (default: 0)")
    parser.add_argument("--law", action="append", choices=NAMES, help="default: all of them")
    parser.add_argument("--folder", type=Path, required=True, help="where each world is stored")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[Counts]] = {law: [] for law in options.law or NAMES}
    for seed in range(options.seed, options.seed + options.worlds):
        for law, worlds in results.items():
            file = options.folder / f"{law}-{seed}.json"
            if not file.exists():
                file.write_text(json.dumps(study_world(law, seed)), encoding="utf-8")
                print(f"{law}, world {seed}", file=sys.stderr)
            worlds.append(json.loads(file.read_text(encoding="utf-8")))
    summaries: dict[str, Any] = {law: summarise(worlds) for law, worlds in results.items()}
    summaries["all"] = summarise(counts for worlds in results.values() for counts in worlds)
    print(json.dumps(summaries, indent=2) if options.json else "\n".join(_describe(summaries, options.worlds)))


def _describe(summaries: dict[str, Any], worlds: int) -> Iterable[str]:
    yield f"{worlds} invented worlds of each law. No record was read."
    for law, summary in summaries.items():
        yield f"\n{law:<24}cannot tell   likely (true)   very likely (true)"
        for kind, words in KINDS.items():
            row = summary[kind]
            yield (
                f"{words:<24}{row['cannot_tell']:>11.2f}   {row['likely']:.2f} ({row['likely_true']:.2f})"
                f"     {row['very_likely']:.2f} ({row['very_likely_true']:.2f})"
            )


if __name__ == "__main__":
    main()
