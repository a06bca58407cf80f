"""The stored results of a release, computed again from it and compared with what was stored, to the last bit.

Everything is computed in memory: nothing is written anywhere, and nothing is registered in the ledger. The inputs are
the release and the settings that each result stores: parameters, entered travel times, accepted breaks, posts and
decisions. The evaluation of the model is taken as it is stored, because it needs earlier releases. For each tier, the
newest result of each kind is computed (the one that readers see), and every saved plan.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import ReleaseDamaged, ReleaseError, TactError
from data.release import MANIFEST, Release, derived, shown_name
from data.release.completeness import read_questions
from data.release.result import Result, Table, list_manifests, read_manifest, sort_newest
from data.release.whole_file import read_whole
from data.tables.spec import TIERS, Level, Tier
from data.workspace.types import Progress
from data.workspace.version import code_version, library_versions
from geo import areas as geography
from risk.access.tables import Times
from risk.model import RiskModel
from risk.planning import advice, saved
from risk.planning.inputs import PlanInputs, make_frontier, make_plan
from risk.planning.posts import parse_posts
from risk.planning.summary import PlanSummary, summarise_plan
from risk.report import KIND as RISK
from risk.report import Assessment, compute_result
from risk.report.tables import DRAWS, REPLICATES, SEED
from risk.report.trends import Trends

_KINDS = (RISK, advice.KIND, saved.KIND)
# Keys of a manifest that describe the result itself and the ledger.
_NOT_COMPUTED = frozenset(
    {
        *("kind", "format", "release", "tier", "release_sha256", "code_version", "libraries"),
        *("resources", "created", "after", "ledger", "track_record", "ledger_problem"),
    }
)
_SAMPLING = {"draws": DRAWS, "seed": SEED, "replicates": REPLICATES}


@dataclass(frozen=True)
class Difference:
    """A table that differs, or a value of the manifest (named by its path) that differs.

    cells : how many values differ; 0 if only one of the results has the table, or if its columns differ. largest : the
    largest difference between two finite numbers; None if no two such numbers differ.
    """

    name: str
    cells: int
    largest: float | None = None


@dataclass(frozen=True)
class Comparison:
    """A stored result, compared with a new computation.

    tables : how many tables were compared. causes : sentences that say why the result differs, may differ, or could not
    be compared. settings : those that are not the defaults of this version.
    """

    tier: str
    kind: str
    result: str
    tables: int = 0
    differences: tuple[Difference, ...] = ()
    causes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    equal: bool = False


@dataclass(frozen=True)
class _Content:
    """The tables of a result, and the values of its manifest."""

    tables: tuple[Table, ...]
    about: Mapping[str, Any]


@dataclass
class _Tier:
    """A tier of a release with its results, and those that were computed again so far."""

    release: Release
    folder: Path
    risks: list[Result]
    tell: Progress
    assessments: dict[Path, Assessment] = field(default_factory=dict)
    inputs: dict[tuple[Path | None, Level], PlanInputs] = field(default_factory=dict)

    def compute(self, result: Result) -> _Content:
        """Compute a result again; raise TactError if that is not possible."""
        if result.manifest["kind"] == RISK:
            assessment = self.assess(result)
            return _Content(assessment.tables, assessment.about)
        basis = self.find_basis(result)
        if result.manifest["kind"] == saved.KIND:
            return _Content((), {**saved.write_plan(self.plan(result, basis)), "invented": self.release.invented})
        if basis is None:
            raise ReleaseError("The risk result that it was computed with is missing.")
        again = advice.compute_advice(self.open(basis), self.assess(basis).judged.fit, self.find_reviewed(result))
        if again is None:
            raise ReleaseError("The release has nothing to plan with.")
        return _Content((again.unmet,), again.about)

    def assess(self, result: Result) -> Assessment:
        if result.folder not in self.assessments:
            manifest = result.manifest
            statements = manifest.get("statements") or {}
            self.assessments[result.folder] = compute_result(
                self.release,
                model=RiskModel(**_read_model_settings(manifest)),
                evaluation=manifest.get("evaluation"),
                times=Times.read(manifest),
                breaks=Trends.read(statements.get("trends") or {}).breaks,
                questions=read_questions(self.open(result)),
                progress=self.tell,
            )
        return self.assessments[result.folder]

    def plan(self, result: Result, basis: Result | None) -> PlanSummary:
        stored = saved.read_saved_plan(result.folder, result.manifest).summary
        self.tell(0, None, f"Planning: {stored.title}")
        setting, release = stored.setting, self.open(basis)
        ground = self.read_inputs(basis, setting.level)
        if not stored.posts_drafted:
            ground = ground.with_posts(parse_posts("posts", stored.posts, ground.table.areas))
        decisions = [authored.decision for authored in stored.decisions]
        codes = [str(code) for code in geography.read_areas(release.areas_file).frame("region").index]
        handed_over = stored.handover_tables.hand_over(release, codes)
        return summarise_plan(
            ground,
            setting,
            make_plan(ground, setting, decisions, self.tell),
            stored.author,
            title=stored.title,
            note=stored.note,
            decisions=stored.decisions,
            frontier=make_frontier(ground, setting, decisions, self.tell) if stored.frontier else (),
            handed_over=None if handed_over is None else (stored.handover_tables, handed_over),
            follows=stored.follows,
        )

    def read_inputs(self, basis: Result | None, level: Level) -> PlanInputs:
        key = None if basis is None else basis.folder, level
        if key not in self.inputs:
            self.inputs[key] = PlanInputs.read(self.open(basis), level)
        return self.inputs[key]

    def open(self, basis: Result | None) -> Release:
        """Return the release with `basis` as its only result; with no result if it is None."""
        release = self.release
        return Release(release.folder, release.name, release.tier, release.without, () if basis is None else (basis,))

    def find_basis(self, result: Result) -> Result | None:
        """Return the risk result that was the newest when another result was made; None if there was none."""
        return next((risk for risk in self.risks if risk.manifest["created"] <= result.manifest["created"]), None)

    def find_reviewed(self, result: Result) -> saved.SavedPlan | None:
        """Return the plan of an earlier release that the advice in `result` judges again; None if it judges none.

        Raises ReleaseError if this plan, which is stored outside the release, no longer exists.
        """
        review = result.manifest.get("review")
        if not review:
            return None
        for plan in saved.list_all_saved_plans([self.folder], "partner").plans:
            if plan.name == review.get("plan"):
                return plan
        raise ReleaseError(
            f"The plan {review.get('plan')} of an earlier release, which it judges again, is missing: it lies outside "
            "this release."
        )


def reproduce_release(
    releases: Path, folder: Path, name: str | None = None, without: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> list[Comparison]:  # fmt: skip
    """Compute the results of a release again (by default the shown one), and compare them with the stored results.

    folder : that of derived results. without : measures that governance does not approve now. Raises ReleaseError if
    there is no such release, or if it has no results. A result that cannot be computed again has a comparison with the
    causes.
    """
    release_name = name or shown_name(releases) or ""
    there: list[Tier] = [tier for tier in TIERS if (releases / release_name / tier / MANIFEST).is_file()]
    opened = [Release.open(releases, tier, name, without) for tier in there or TIERS]
    tell = progress or (lambda *_: None)
    comparisons = [comparison for release in opened for comparison in _reproduce_tier(release, folder, tell)]
    if not comparisons:
        raise ReleaseError("Nothing is stored of this release that could be computed again. Compute it: tact risk")
    return comparisons


def _reproduce_tier(release: Release, folder: Path, tell: Progress) -> Iterator[Comparison]:
    """Yield the comparisons of a tier; nothing is computed for a damaged release."""
    damaged = release.check()
    results: dict[str, list[Result]] = {}
    for kind in _KINDS:
        kind_results = []
        for path in list_manifests(folder, release.name, release.tier, kind):
            try:
                kind_results.append(Result(path.parent, _read_result(path)))
            except (ReleaseDamaged, ReleaseError) as error:
                yield Comparison(release.tier, kind, path.parent.name, causes=(str(error),))
        results[kind] = sort_newest(kind_results)
    tier = _Tier(release, folder, results[RISK], tell)
    for kind in _KINDS:
        for result in results[kind] if kind == saved.KIND else results[kind][:1]:
            if damaged:
                yield Comparison(release.tier, kind, result.folder.name, causes=tuple(damaged))
            else:
                yield _compare_result(tier, result)


def _read_result(path: Path) -> Mapping[str, Any]:
    """Read a manifest; raise ReleaseDamaged if it was changed, and ReleaseError if it has another layout."""
    manifest = read_manifest(path)
    if not manifest:
        raise ReleaseError(f"{path} has the layout of another version of the product.")
    return manifest


def _compare_result(tier: _Tier, result: Result) -> Comparison:
    """Compute a result again, and return the comparison with the stored one, also if it cannot be computed."""
    release, manifest = tier.release, result.manifest
    kind, name, settings = str(manifest["kind"]), result.folder.name, tuple(_list_settings(manifest))
    if manifest["release_sha256"] != release.checksum:
        why = "It was made from a release of this name with other content: the checksum in its manifest is another."
        return Comparison(release.tier, kind, name, causes=(why,), settings=settings)
    stored, damaged = _read_tables(result)
    try:
        content = tier.compute(result)
    except TactError as error:
        causes = (*damaged, f"It could not be computed again. {error}", *_list_causes(release, result))
        return Comparison(release.tier, kind, name, causes=causes, settings=settings)
    differences = (*_compare_tables(stored, content.tables, manifest), *_compare_about(manifest, content.about))
    equal = not differences and not damaged and derived.is_unchanged(result)
    causes = () if equal else (*damaged, *_list_causes(release, result))
    if not equal and not causes:
        causes = ("Nothing that the result says of itself explains it: the code was changed without a new version.",)
    return Comparison(release.tier, kind, name, len(content.tables), differences, causes, settings, equal)


def _read_tables(result: Result) -> tuple[dict[str, bytes], list[str]]:
    """Read the files of a result's tables, by name; the second value has a sentence on each damaged or missing file."""
    stored, damaged = dict[str, bytes](), []
    for resource in result.resources:
        path = Path(resource["path"])
        raw = read_whole(path, str(resource["hash"]))
        if raw is not None:
            stored[str(resource["name"])] = raw
        else:
            damaged.append(str(ReleaseDamaged.of_file(path, "It is not the file that the manifest names.")))
    return stored, damaged


def _compare_tables(
    stored: Mapping[str, bytes], tables: tuple[Table, ...], manifest: Mapping[str, Any]
) -> Iterator[Difference]:
    """Yield the tables that differ, or that only one of both results has; damaged files are left out."""
    named = {str(resource["name"]) for resource in manifest["resources"]}
    computed = {table.name: derived.format_table(table) for table in tables}
    for name in sorted(named ^ computed.keys()):
        yield Difference(name, 0)
    for name in sorted(stored.keys() & computed.keys()):
        if stored[name] != computed[name]:
            difference = compare_rows(
                name, *(pq.read_table(pa.BufferReader(raw)) for raw in (stored[name], computed[name]))
            )
            if difference is not None:
                yield difference


def compare_rows(name: str, stored: pa.Table, computed: pa.Table) -> Difference | None:
    """Compare two tables cell by cell, to the last bit; None if they are equal."""
    if stored.schema.names != computed.schema.names or stored.schema.types != computed.schema.types:
        return Difference(name, 0)
    if stored.num_rows != computed.num_rows:
        return Difference(name, abs(stored.num_rows - computed.num_rows) * stored.num_columns)
    cells, distances = 0, list[float]()
    for before, now in zip(stored.columns, computed.columns, strict=True):
        pairs = zip(before.to_pylist(), now.to_pylist(), strict=True)
        unequal = [(first, second) for first, second in pairs if not _is_same(first, second)]
        cells += len(unequal)
        distances += [distance for distance in (_measure(*pair) for pair in unequal) if distance is not None]
    return Difference(name, cells, max(distances, default=None)) if cells else None


def _compare_about(manifest: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the values of a manifest that differ, by their path, such as `card.gamma[0]`."""
    computed = json.loads(json.dumps(dict(about)))
    for name in sorted((manifest.keys() | computed.keys()) - _NOT_COMPUTED):
        yield from _compare_values(name, manifest.get(name), computed.get(name))


def _compare_values(path: str, stored: object, computed: object) -> Iterator[Difference]:
    if isinstance(stored, dict) and isinstance(computed, dict):
        for key in sorted(stored.keys() | computed.keys()):
            yield from _compare_values(f"{path}.{key}", stored.get(key), computed.get(key))
    elif isinstance(stored, list) and isinstance(computed, list) and len(stored) == len(computed):
        for position, pair in enumerate(zip(stored, computed, strict=True)):
            yield from _compare_values(f"{path}[{position}]", *pair)
    elif not _is_same(stored, computed):
        yield Difference(path, 1, _measure(stored, computed))


def _is_same(first: object, second: object) -> bool:
    """Return whether two values are the same to the last bit; NaN equals NaN."""
    if isinstance(first, float) and isinstance(second, float):
        return bool(np.float64(first).view(np.int64) == np.float64(second).view(np.int64)) or (
            math.isnan(first) and math.isnan(second)
        )
    return type(first) is type(second) and first == second


def _measure(first: object, second: object) -> float | None:
    """Return the distance between two numbers; None if one value is no number or is not finite."""
    for value in (first, second):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
    return abs(float(first) - float(second))  # type: ignore[arg-type]


def _list_causes(release: Release, result: Result) -> Iterator[str]:
    """Yield the possible causes of a difference that the result and its release show, each a sentence."""
    manifest = result.manifest
    if not derived.is_unchanged(result):
        yield "Its manifest was changed after it was written: the content no longer fits the name of its folder."
    if manifest["code_version"] != code_version():
        yield f"Made by version {manifest['code_version']} of TACT Map; this is {code_version()}."
    libraries = manifest.get("libraries")
    if not libraries:
        yield "It does not say which versions of the libraries it was computed with."
    else:
        now = library_versions()
        changed = (
            f"{name} {libraries.get(name)}, now {version}"
            for name, version in now.items()
            if libraries.get(name) != version
        )
        if words := "; ".join(changed):
            yield f"Computed with other libraries or on another machine: {words}."
    parameters = manifest.get("parameters") or {}
    for name, usual in _SAMPLING.items() if manifest["kind"] == RISK else ():
        if parameters.get(name) != usual:
            yield f"Computed with {name} {parameters.get(name)}; this version always takes {usual}."
    if manifest["kind"] == RISK and release.tier == "partner" and not manifest.get("travel"):
        yield "The travel times that people entered are missing: its manifest does not hold them."
    if release.without:
        yield f"Governance does not approve this now, so it was left out: {', '.join(sorted(release.without))}."
    if not (manifest.get("plan") or {}).get("proven", True):
        yield "The time was up before the plan was proven to be the best; another run may find another one."


def _read_model_settings(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the model that a result stores; missing settings get their defaults."""
    stored = manifest.get("parameters") or {}
    return {name: stored.get(name, usual) for name, usual in RiskModel().get_params().items()}


def _list_settings(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings of the model that differ from the defaults."""
    if manifest["kind"] == RISK:
        for name, usual in RiskModel().get_params().items():
            value = _read_model_settings(manifest)[name]
            if value != usual:
                yield f"{name} is {value!r}, usually {usual!r}"
