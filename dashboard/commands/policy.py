"""`tact policy compare`: the accuracy that policies cost readers, and what attackers can still learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands import policy_words
from dashboard.commands.output import Json, Tick, emit, progress
from data.disclosure import policy_file
from data.disclosure.attacks import membership
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.reference import area_table
from data.restricted import keys
from data.restricted.comparison import PolicyResult, summarize_trials
from data.restricted.comparison.invented import count_world
from data.restricted.comparison.trial import try_policy
from data.restricted.counting.encounters import CountedTables
from data.tables.spec import Plan
from data.workspace import default_path, files
from risk import worlds as simulate

# The policies compared with the current one, as values of _NOISE: the usual threshold with the same noise everywhere; a
# higher threshold; the default; more noise.
_OTHERS = ((11, 2.0, 2.0, 5), (15, 2.0, 2.0, 5), (11, 2.0, 6.0, 5), (12, 5.0, 5.0, 8))
_NOISE = ("k", "variance", "variance_near_k", "largest")
# The parts of a policy that are compared. Days and areas of the programme mean nothing in an invented world.
_COMPARED = (*_NOISE, "cap")
_CHILDREN = 1400
_NAME = "policy-compare"


@dataclass(frozen=True)
class _Worlds:
    """The invented worlds on which policies are tested: `number` worlds with consecutive seeds, from `seed` on.

    children : their approximate number in each world. plan : the tables that are counted.
    """

    number: int
    children: int
    seed: int
    plan: Plan

    def count(self, place: int, policy: Policy) -> CountedTables:
        """Simulate the world at position `place`, and return its counted tables."""
        seed = self.seed + place
        world = simulate.simulate_default_areas(simulate.WorldParameters(seed=seed, children=self.children))
        hasher = keys.IdentifierHasher(keys.create_from_seed(seed).identifier)
        return count_world(world.records["encounter"], hasher, area_table(), self.plan, policy)


app = typer.Typer(help="The protection policy, and what it costs.", no_args_is_help=True)


@app.command("compare")
def compare(
    context: typer.Context,
    k: Annotated[
        int | None, typer.Option(help="Threshold of your own policy: smaller public numbers are not shown.")
    ] = None,
    variance: Annotated[float | None, typer.Option(help="Variance of the noise in your own policy.")] = None,
    variance_near_k: Annotated[
        float | None, typer.Option(help="Variance of the noise for counts of 7 to 15, near the threshold.")
    ] = None,
    largest: Annotated[int | None, typer.Option(help="Largest noise in your own policy.")] = None,
    worlds: Annotated[int, typer.Option(min=1, help="Number of invented data sets for the test.")] = 5,
    children: Annotated[
        int,
        typer.Option(min=1, help="Approximate number of children: as many as your programme has identified or met."),
    ] = _CHILDREN,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same answer.")] = 1,
    folder: Annotated[
        Path | None, typer.Option("--to", help="Write the table (CSV) and the picture (SVG, PNG) into this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare protection policies: what readers lose and what attackers gain.

    Everything is calculated on invented data. No record is read, and nothing is published or changed. Values
    that you do not give are those of the current policy.
    """
    rules = policy_file.read(context.obj or default_path())
    current = replace(DEFAULT_POLICY, **{name: getattr(rules.policy, name) for name in _COMPARED})
    candidates = _list_candidates(current, (k, variance, variance_near_k, largest))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    results = _measure(candidates, _Worlds(worlds, children, seed, rules.plan))
    comparison = policy_words.Comparison(results, candidates.index(current), worlds, children, seed)
    written = _write_files(comparison, folder) if folder is not None else []
    emit(
        {**comparison.as_dict(), "files": written},
        as_json,
        *comparison.format_lines(),
        *(f"Written: {path}" for path in written),
    )


def _list_candidates(current: Policy, asked: Sequence[float | None]) -> list[Policy]:
    """Return the policies to compare, each once: the current policy first, the requested policy last.

    asked : the values of _NOISE that the user gave; None for the value of the current policy.
    """
    requested = (getattr(current, name) if value is None else value for name, value in zip(_NOISE, asked, strict=True))
    others = [
        replace(current, k=int(k), variance=variance, variance_near_k=near, largest=int(largest))
        for k, variance, near, largest in (*_OTHERS, tuple(requested))
    ]
    return list(dict.fromkeys([current, *others]))


def _measure(candidates: Sequence[Policy], worlds: _Worlds) -> list[PolicyResult]:
    """Try every policy on every world, and return one result for each policy, in their order."""
    total = worlds.number * (1 + len(candidates))
    with progress("Comparing policies on invented data") as tick:
        tick(0, total)
        counted = []
        for place in range(worlds.number):
            counted.append(worlds.count(place, candidates[0]))
            tick(place + 1, total)
        return [
            _try_policy(policy, counted, tick, worlds.number * (1 + place), total)
            for place, policy in enumerate(candidates)
        ]


def _try_policy(policy: Policy, counted: Sequence[CountedTables], tick: Tick, done: int, total: int) -> PolicyResult:
    mechanism = CellKey.from_policy(policy)
    trials = []
    for number, world in enumerate(counted, 1):
        trials.append(try_policy(world, policy, mechanism, membership.WORLDS))
        tick(done + number, total)
    return summarize_trials(policy, mechanism, trials)


def _write_files(comparison: policy_words.Comparison, folder: Path) -> list[str]:
    contents = {"csv": comparison.to_csv().encode(), **comparison.render_pictures()}
    for kind, content in contents.items():
        files.write_bytes(folder / f"{_NAME}.{kind}", content)
    return [str(folder / f"{_NAME}.{kind}") for kind in contents]
