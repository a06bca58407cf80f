"""What a series of public releases gives away: twelve quarterly releases of invented worlds, and one after the end.

Between the releases records come late, are corrected, move, and are forgotten; in every second world a partner
withdraws. In every third world the tables with a breakdown are added with the seventh release. The releases are made as
`tact release` makes them, with the tables of the public tier alone. Then an attacker reads all of them. For each world:

- one number: the largest membership advantage from one number, data.disclosure.attacks.membership.one_number;
- all numbers: the membership advantage from the last number of each cell that was ever published, for the child at most
  risk, with its 95 % interval. This child may be new: then no earlier number counts the child, as in a single release;
- stronger: the same two advantages for those who know more (membership.STRONGER): two or three children who come and go
  together, and an attacker who knows half of the other children, or all;
- changed: how many numbers later showed another value. A child who was corrected, moved, forgotten or withdrawn after a
  year became final can be seen only in a changed number.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.disclosure.attacks import membership, reading, sequence
from data.disclosure.attacks.membership.one_number import compute_advantage
from data.disclosure.attacks.membership.rates import read_rates
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.errors import ReleaseRefused
from data.reference import area_table, figures
from data.release import Release
from data.restricted import keys
from data.restricted.comparison.invented import hash_encounters
from data.restricted.publishing import make_release
from data.tables.periods import Calendar, add_months
from data.tables.spec import DEFAULT_PLAN, Plan
from data.workspace.types import Progress
from geo import areas as geography

SIZES = (1400, 750, 1400, 140, 30)  # children of the worlds, in turn
_COUNTS = tuple(spec for spec in DEFAULT_PLAN["public"] if spec.counted)
_PLAN: Plan = {"partner": _COUNTS, "public": _COUNTS}
_TOTALS = tuple(spec for spec in _COUNTS if not spec.breakdown)
_FIRST_PLAN: Plan = {"partner": _TOTALS, "public": _TOTALS}
_FIRST_RELEASES = 6  # that are made with the first plan, where tables are added
_MEAN_DELAY, _LONGEST_DELAY = 45, 400  # days from an encounter to its import
_WORLDS = 64_000  # of the last estimate for the worst-placed child
_CORRECTED, _MOVED, _FORGOTTEN = 0.03, 0.02, 0.02  # shares of encounters, and of children


@dataclass(frozen=True)
class Series:
    """The results of the attacks on thirteen releases of one world, and the losses of readers.

    one_number, all_numbers : membership advantages. low, high : 95 % interval of all_numbers. stronger : one_number and
    all_numbers for attackers who know more. changed : how many numbers changed. hidden : share of children in hidden
    county-years. error : median relative error of shown county-years. refused : number of releases that were refused
    after an attack.
    """

    seed: int
    children: int
    one_number: float
    all_numbers: float
    low: float
    high: float
    stronger: Mapping[str, float]
    changed: int
    hidden: float
    error: float
    refused: int


@dataclass(frozen=True)
class Sequences:
    """The results of all worlds."""

    worlds: tuple[Series, ...]

    def summary(self) -> dict[str, Any]:
        """Return the worst result of each attack, the mean losses of readers, and totals (changed, refused)."""
        return {
            "worlds": len(self.worlds),
            "one_number": max(w.one_number for w in self.worlds),
            "all_numbers": max(w.all_numbers for w in self.worlds),
            "all_numbers_high": max(w.high for w in self.worlds),
            "stronger": {
                name: max(w.stronger.get(name, 0.0) for w in self.worlds)
                for name in dict.fromkeys(name for w in self.worlds for name in w.stronger)
            },
            "changed": sum(w.changed for w in self.worlds),
            "refused": sum(w.refused for w in self.worlds),
            "hidden": float(np.mean([w.hidden for w in self.worlds])),
            "error": float(np.nanmean([w.error for w in self.worlds])),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return all results as plain values."""
        return {"summary": self.summary(), "worlds": [asdict(world) for world in self.worlds]}


class _Records:
    """A vault in memory: the records that are known on a day, and the published numbers."""

    def __init__(self) -> None:
        self.encounters = pa.RecordBatch.from_pydict({})
        self.published: dict[str, bytes] = {}
        self._staged: tuple[str, Mapping[str, bytes]] | None = None
        self._release = ""

    def read(self, kind: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        if kind == "encounter":
            yield self.encounters.select(list(columns or self.encounters.schema.names))

    def partners(self, kind: str | None = None) -> list[str]:  # noqa: ARG002 (as the vault's)
        return []

    def list_imports(self) -> list[dict[str, Any]]:
        return []

    def published_blocks(self) -> Mapping[str, Any]:
        return {name: SimpleNamespace(members=blob, release=self._release) for name, blob in self.published.items()}

    def staged_publication(self) -> str | None:
        return self._staged[0] if self._staged else None

    def stage_publication(self, release: str, blocks: Mapping[str, bytes]) -> None:
        self._staged = release, blocks

    def confirm_publication(self, release: str) -> None:
        assert self._staged is not None
        self.published.update(self._staged[1])
        self._release, self._staged = release, None

    def discard_publication(self, release: str) -> None:  # noqa: ARG002 (as the vault's)
        self._staged = None


def study(
    worlds: int, first_seed: int = 0, processes: int = 1, cluster: str = "", progress: Progress | None = None
) -> Sequences:
    """Release each of `worlds` invented worlds thirteen times, and attack each series."""
    cases = [(first_seed + number, SIZES[number % len(SIZES)]) for number in range(worlds)]
    series = map_seeds(_attack_case, cases, "Worlds", processes=processes, cluster=cluster, progress=progress)
    return Sequences(tuple(series))


def _attack_case(case: tuple[int, int]) -> Series:
    return attack_series(*case)


def attack_series(seed: int, children: int = SIZES[0]) -> Series:
    """Release one world thirteen times while its records change; return what all releases together disclose."""
    world = simulate_default_areas(WorldParameters(seed=seed, children=children))
    history = RecordHistory(world.records["encounter"], np.random.default_rng([seed, 7]), withdraws=seed % 2 == 1)
    hasher, vault, refused = keys.IdentifierHasher(keys.create_from_seed(seed).identifier), _Records(), 0
    with tempfile.TemporaryDirectory() as folder:
        areas = Path(folder) / "areas.parquet"
        geography.load_areas().write(areas)
        releases: list[Release] = []
        for number, day in enumerate(list_days()):
            encounters = history.known_on(day)
            if encounters.empty:
                continue
            hashed = hash_encounters(encounters, hasher)
            hashed = hashed.append_column("batch", pa.array(np.ones(len(encounters), np.int64)))
            vault.encounters = hashed.append_column("partner", pa.array([""] * len(encounters)))
            try:
                new = make_release(
                    vault,
                    Path(folder) / "releases",
                    areas_geoparquet=areas.read_bytes(),
                    area_table=area_table(),
                    figures=figures(),
                    invented=True,
                    record_keys=hasher.record_keys,
                    plan=_FIRST_PLAN if seed % 3 == 0 and number < _FIRST_RELEASES else _PLAN,
                    day=day,
                )
                releases.append(Release.open(Path(folder) / "releases", "public", new.name))
            except ReleaseRefused:
                refused += 1
        return _attack(seed, children, releases, world.records["encounter"], refused)


def list_days() -> list[date]:
    """List the days of the releases: fifteen days after each quarter, and one day when all years are final."""
    first, last = DEFAULT_POLICY.first, DEFAULT_POLICY.last
    quarters = Calendar(first.month).between(first, last, "quarter")
    return [*(q.end + timedelta(days=15) for q in quarters), add_months(last, DEFAULT_POLICY.lag + 1)]


class RecordHistory:
    """The encounters of a world as they are known from day to day."""

    def __init__(self, encounters: pd.DataFrame, rng: np.random.Generator, *, withdraws: bool) -> None:
        self.records = encounters.astype("str").reset_index(drop=True)
        day = pd.to_datetime(self.records["date"])
        delay = np.minimum(rng.exponential(_MEAN_DELAY, len(day)), _LONGEST_DELAY)
        self.known = day + pd.to_timedelta(delay.astype(int), "D")
        later = day + pd.to_timedelta(rng.integers(30, 700, len(day)), "D")
        self.corrected = later.where(rng.random(len(day)) < _CORRECTED)
        self.moved = later.where(rng.random(len(day)) < _MOVED)
        names = self.records["partner"] + "|" + self.records["child_id"]
        gone = {name: rng.random() < _FORGOTTEN for name in sorted(set(names))}
        self.forgotten = later.groupby(names).transform("max").where(names.map(gone))
        if withdraws:
            partner = self.records["partner"].value_counts().index[-1]
            self.forgotten = self.forgotten.mask(self.records["partner"] == partner, pd.Timestamp("2008-07-01"))
        self.other_stage = rng.permutation(self.records["stage"].to_numpy())
        self.other_place = rng.permutation(self.records["municipality"].to_numpy())

    def known_on(self, day: date) -> pd.DataFrame:
        """Return the records that are known on a day, with their content on that day."""
        now = pd.Timestamp(day)
        records = self.records.assign(
            stage=self.records["stage"].where(~(self.corrected <= now), self.other_stage),
            municipality=self.records["municipality"].where(~(self.moved <= now), self.other_place),
        )
        return records[(self.known <= now) & ~(self.forgotten <= now)].reset_index(drop=True)


def list_first_encounters(encounters: pd.DataFrame) -> pd.DataFrame:
    """Return the first encounter of each child, with child and region; children are linked as the programme does."""
    first = encounters.assign(child=encounters["partner"].astype(str) + encounters["child_id"].astype(str))
    shared = encounters["programme_number"].astype(str)
    first["child"] = first["child"].where(shared == "", shared)
    first = first.sort_values("date", kind="stable").drop_duplicates("child")
    municipality = first["municipality"].astype(str)
    is_region = municipality.map(area_table()["level"]) == "region"
    return first.assign(region=municipality.where(is_region, municipality.map(area_table()["parent"])))


def _attack(seed: int, children: int, releases: Sequence[Release], encounters: pd.DataFrame, refused: int) -> Series:
    published = [reading.read_published(release) for release in releases]
    everything = sequence.join_releases(published)
    changed = sum(len(sequence.attack(published[: number + 1])[0]) for number in range(1, len(published)))
    areas, k = reading.read_areas(releases[-1]), DEFAULT_POLICY.k
    mechanism = CellKey.from_policy(DEFAULT_POLICY)
    rates = read_rates(everything, areas)
    if rates is None:
        return Series(seed, children, 0.0, 0.0, 0.0, 0.0, {}, changed, 1.0, np.nan, refused)
    first = membership.survey(everything, areas, mechanism, k)
    region = max(first, key=lambda code: first[code].value)
    _, measured = membership.attack(everything, areas, mechanism, k)
    stronger = {name: value for name, value in measured.items() if name.endswith(tuple(membership.STRONGER))}
    # The largest of many estimates is too large by chance, so it is estimated again, with other and more worlds.
    again = membership.survey(everything, areas, mechanism, k, regions=[region], worlds=[_WORLDS], seed=len(first))
    worst = again[region]
    one_number = float(compute_advantage(rates.children, mechanism, k).max())
    hidden, error = _measure_readers(releases[-1], encounters)
    return Series(
        seed, children, one_number, worst.value, worst.low, worst.high, stronger, changed, hidden, error, refused
    )


def _measure_readers(release: Release, encounters: pd.DataFrame) -> tuple[float, float]:
    """Return the share of children in hidden county-years, and the median relative error of shown ones; NaN if none."""
    table = release.table("children_region_year")
    first = list_first_encounters(encounters)
    year = pd.to_datetime(first["date"].astype(str)).dt.to_period("Y-MAY").dt.start_time.dt.strftime("%Y-%m-%d/P1Y")
    true = pd.Series(1, index=[first["region"], year]).groupby(level=[0, 1]).sum()
    count = np.array([true.get(key, 0) for key in zip(table["area"], table["period"], strict=True)], float)
    shown = (table["state"] == "number").to_numpy()
    value = table["value"].astype(float).to_numpy()
    off = np.abs(value - count)[shown & (count > 0)] / count[shown & (count > 0)]
    return float(1 - count[shown].sum() / max(count.sum(), 1)), float(np.median(off)) if len(off) else np.nan


def describe(summary: dict[str, Any], first_seed: int) -> list[str]:
    """Return the summary in plain lines, for the terminal."""
    return [
        f"{summary['worlds']} worlds of 13 releases each, seeds from {first_seed}",
        f"one number, worst: {summary['one_number']:.4f} (limit 0.10)",
        f"all numbers, worst-placed child: {summary['all_numbers']:.3f}, upper end {summary['all_numbers_high']:.3f} "
        "(limit 0.25)",
        *(f"{name}, worst: {value:.3f}" for name, value in summary["stronger"].items()),
        f"published numbers that changed: {summary['changed']}",
        f"releases refused: {summary['refused']}",
        f"children in hidden county-years: {summary['hidden']:.1%}; median error of shown ones: {summary['error']:.1%}",
    ]


if __name__ == "__main__":
    run_study(study, describe, __doc__ or "", spread=True)
