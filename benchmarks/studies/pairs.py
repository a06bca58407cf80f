"""Two worlds that differ in one child: what differs in their releases, and in all that is made from a release.

For each world a child is chosen at random. Two workspaces with the same keys get the records of the world, one with the
child and one without, and each makes its release. Rows may differ only where the child was: in the areas of the child's
encounters, origins and destinations and in those that contain them; with a household, also in those of its other
children. Anything else that differs (a state, the order of the rows, a file, an entry of the manifest) is a fault.

Then everything that readers get is made from the first release twice: beside the records with the child, and beside
those without. This is the risk model with the usual plan, exports, atlases, reports, pictures, features, synthetic
records and targets. They must be the same, byte for byte: nothing that is made from a release needs a record. Last,
`tact reproduce` computes the results again, beside the records without the child.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.worlds import WorldParameters, simulate_default_areas
from dashboard.commands.demo import import_records
from dashboard.commands.risk import score
from dashboard.web.reader_files import write_reader_files
from data.disclosure.policy import DEFAULT_POLICY
from data.reference import area_table
from data.release import current_name
from data.restricted import governance, keys
from data.restricted.publication import release_workspace
from data.restricted.vault import Vault
from data.tables.periods import add_months
from data.workspace import Workspace
from data.workspace.types import Progress
from geo.areas import pack_areas
from risk.planning.reproduction import reproduce_release

SIZES = (1400, 750, 140, 30)  # children of the worlds, in turn
DAY = add_months(DEFAULT_POLICY.last, DEFAULT_POLICY.lag + 1)  # all years are final
_EVERY = 13  # what is made from a release is compared for one pair of so many
_PLACES = ("municipality", "origin", "destination")
# The time of a run; sums and sizes of files whose content is compared; shares of states, counted from published rows.
_ALLOWED = ("created", "citation", "hash", "bytes", "sha256", "states", "suppressed")
_RESULT_KEY = re.compile(
    "(?<=-)[0-9a-f]{16}(?=/)"
)  # of a folder of results; it follows from the ledger, with its times


@dataclass(frozen=True)
class Pair:
    """The differences of two worlds with and without one child.

    rows : how many rows differ in the areas of the child. faults : what differs elsewhere. files : how many files
    were made from a release twice, beside either records; 0 if this pair was not asked.
    """

    seed: int
    children: int
    rows: int
    faults: tuple[str, ...]
    files: int


@dataclass(frozen=True)
class Pairs:
    """The results of all pairs."""

    pairs: tuple[Pair, ...]

    def summary(self) -> dict[str, Any]:
        """Return totals over all pairs."""
        return {
            "pairs": len(self.pairs),
            "rows": sum(pair.rows for pair in self.pairs),
            "pairs_that_differ": sum(pair.rows > 0 for pair in self.pairs),
            "faults": [f"seed {pair.seed}: {fault}" for pair in self.pairs for fault in pair.faults],
            "files": sum(pair.files for pair in self.pairs),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return all results as plain values."""
        return {"summary": self.summary(), "pairs": [asdict(pair) for pair in self.pairs]}


def study(
    worlds: int, first_seed: int = 0, processes: int = 1, cluster: str = "", progress: Progress | None = None
) -> Pairs:
    """Compare `worlds` pairs."""
    cases = [(first_seed + n, SIZES[n % len(SIZES)], n % _EVERY == 0) for n in range(worlds)]
    pairs = map_seeds(_compare_case, cases, "Pairs", processes=processes, cluster=cluster, progress=progress)
    return Pairs(tuple(pairs))


def _compare_case(case: tuple[int, int, bool]) -> Pair:
    return compare_pair(*case)


def compare_pair(seed: int, children: int, make_files: bool = False, day: date = DAY) -> Pair:
    """Release a world with and without one child; return what differs."""
    records = dict(simulate_default_areas(WorldParameters(seed=seed, children=children)).records)
    encounters = records["encounter"].astype("str")
    child = _name_children(encounters)
    chosen = np.random.default_rng([seed, 11]).choice(sorted(set(child)))
    with tempfile.TemporaryDirectory() as folder:
        first = _release(Path(folder) / "with", seed, records, day)
        second = _release(Path(folder) / "without", seed, records | {"encounter": encounters[child != chosen]}, day)
        child_areas = list_child_areas(encounters, child == chosen)
        rows, faults = compare_releases(first.releases, second.releases, child_areas)
        files = 0
        if make_files:
            files, more = _compare_files(first, second, Path(folder))
            faults += more
    return Pair(seed, children, rows, tuple(faults), files)


def _name_children(encounters: pd.DataFrame) -> pd.Series:
    """Return the child of each encounter; children are linked as the programme does."""
    shared = encounters["programme_number"]
    return shared.where(shared != "", encounters["partner"] + "|" + encounters["child_id"])


def list_child_areas(encounters: pd.DataFrame, is_chosen: pd.Series) -> set[str]:
    """Return the codes of all areas in which the records of a child, or of its household, may be counted."""
    household = encounters["partner"] + "|" + encounters["household_number"]
    families = household[is_chosen & (encounters["household_number"] != "")]
    some = encounters[is_chosen | household.isin(families)]
    table = area_table()
    codes = {code for name in _PLACES for code in some[name].astype(str)} - {""}
    above = codes | {parent for code in codes for parent in _list_above(table, code)}
    successors = {new for code in above if code in table.index for new in table["succeeded_by"][code].split(";")}
    return above | successors


def _list_above(table: pd.DataFrame, code: str) -> Iterator[str]:
    while code in table.index and (code := table["parent"][code]):
        yield code


def _release(path: Path, seed: int, records: Mapping[str, pd.DataFrame], day: date) -> Workspace:
    """Import the records of a world into a new workspace, and release it."""
    workspace, secrets = Workspace.create(path, "invented", demo=True), keys.create_from_seed(seed)
    governance.write_missing(workspace)
    with Vault.create(workspace.vault, secrets) as vault:
        import_records(workspace, vault, secrets, records)
        release_workspace(workspace, vault, secrets, pack_areas(workspace.areas), day=day)
    return workspace


def compare_releases(first: Path, second: Path, child_areas: set[str]) -> tuple[int, list[str]]:
    """Return how many rows differ in the child's own areas, and all other differences of two folders of releases."""
    rows, faults = 0, []
    names = [{path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()} for top in (first, second)]
    faults += [f"only one has {name}" for name in sorted(names[0] ^ names[1])]
    for name in sorted(names[0] & names[1]):
        if name.endswith(".parquet"):
            differing, elsewhere = _compare_tables(first / name, second / name, child_areas)
            rows += differing
            faults += [f"{name}: {what}" for what in elsewhere]
        elif name.endswith((".json", ".jsonl")):
            documents = [_read_json(top / name) for top in (first, second)]
            faults += [f"{name}: {path}" for path in _compare_json(*documents)]
        elif (first / name).read_bytes() != (second / name).read_bytes():
            faults.append(f"{name} differs")
    return rows, faults


def _compare_tables(first: Path, second: Path, child_areas: set[str]) -> tuple[int, list[str]]:
    tables = [pq.read_table(path).to_pandas() for path in (first, second)]
    if list(tables[0]) != list(tables[1]) or len(tables[0]) != len(tables[1]):
        return 0, [f"{len(tables[0])} and {len(tables[1])} rows, columns {set(tables[0]) ^ set(tables[1])}"]
    if "area" not in tables[0]:
        return 0, [] if first.read_bytes() == second.read_bytes() else ["differs"]
    published = [name for name in tables[0] if name not in ("reconciled", "margin")]  # made from the published numbers
    left, right = (table[published] for table in tables)
    differs = ((left != right) & ~(left.isna() & right.isna())).any(axis=1)
    elsewhere = sorted({area for table in (left, right) for area in table["area"][differs]} - child_areas)
    return int(differs.sum()), [f"rows of {', '.join(elsewhere)}"] if elsewhere else []


def _read_json(path: Path) -> Any:  # noqa: ANN401
    text = path.read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)


def _compare_json(first: Any, second: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401
    """Yield the path of each entry that differs and may not."""
    if path.rpartition("/")[2] in _ALLOWED or first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        for name in first:
            yield from _compare_json(first[name], second[name], f"{path}/{name}")
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, pair in enumerate(zip(first, second, strict=True)):
            yield from _compare_json(*pair, f"{path}/{number}")
    else:
        yield f"{path}: {first!r} and {second!r}"[:300]


def _compare_files(first: Workspace, second: Workspace, folder: Path) -> tuple[int, list[str]]:
    """Make all files of readers from the first release, beside either records; return their number, and differences."""
    shutil.rmtree(second.releases)
    shutil.copytree(first.releases, second.releases)
    faults, paths = [], []
    for workspace in (first, second):
        score(workspace, lambda *_: None)
        to = folder / f"files of {workspace.path.name}"
        to.mkdir()
        write_reader_files(workspace, to)
        listed = [(top, path) for top in (to, workspace.derived) for path in top.rglob("*") if path.is_file()]
        paths.append({_RESULT_KEY.sub("", path.relative_to(top).as_posix()): path for top, path in listed})
    faults += [f"only one made {name}" for name in sorted(paths[0].keys() ^ paths[1].keys())]
    for name in sorted(paths[0].keys() & paths[1].keys()):
        left, right = (files[name] for files in paths)
        if left.read_bytes() != right.read_bytes():
            is_json = name.endswith((".json", ".jsonl"))
            faults += _compare_json(_read_json(left), _read_json(right), name) if is_json else [f"{name} differs"]
    shutil.rmtree(second.derived)
    shutil.copytree(first.derived, second.derived)
    shown = current_name(second.releases) or ""
    again = reproduce_release(second.releases, second.derived, shown, frozenset(), lambda *_: None)
    faults += [f"not reproduced: {comparison.tier} {comparison.kind}" for comparison in again if not comparison.equal]
    return len(paths[0]) + len(again), faults


def describe(summary: dict[str, Any], first_seed: int) -> list[str]:
    """Return the summary in plain lines, for the terminal."""
    return [
        f"{summary['pairs']} pairs of worlds that differ in one child, seeds from {first_seed}",
        f"rows that differ in the areas of the child: {summary['rows']}, in {summary['pairs_that_differ']} pairs",
        f"files and results made from a release beside either records: {summary['files']}",
        f"faults: {len(summary['faults'])}",
        *summary["faults"],
    ]


if __name__ == "__main__":
    run_study(study, describe, __doc__ or "", spread=True)
