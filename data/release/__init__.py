"""Releases: folders of protected tables with a manifest, opened for reading.

A release is `releases/<name>/<tier>/`: one Parquet file for each table, `areas.parquet` (GeoParquet, not read here) and
`datapackage.json` (Frictionless Data Package). `releases/current` is a text file with the name of the release to show.
A release never changes; data/restricted/publishing/__init__.py writes it behind the wall.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.errors import ReleaseDamaged, ReleaseError
from data.message import Message
from data.release.result import KINDS, REMEDY, Result, newest
from data.release.signed_list import NEED_APPROVAL
from data.release.stamp import read_checksum, read_stamped
from data.release.whole_file import is_whole, read_whole
from data.tables.periods import Period
from data.tables.spec import TIERS, Tier, find_knowledge

__all__ = ["MANIFEST", "Release", "current_name", "names", "read_blocked"]

MANIFEST = "datapackage.json"
BLOCKED = "blocked"  # the file that says which measures governance does not approve now
WITHDRAWN = "withdrawn"  # the file that names the releases that were taken back, one a line
# Entries of a manifest that are computed from all areas together: a release with a limit has none of them.
OF_ALL_AREAS = frozenset({"suppressed", "plan", "states", "no_programme"})
_REMEDY = Message("A release is never edited: put the file back from a copy, or take another release.")
_LOCK = threading.Lock()
_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []  # for limited areas; the last one is in use
# Whole numbers stay whole where some are missing.
_TYPES: dict[pa.DataType, Any] = {pa.int64(): pd.Int64Dtype()}


def current_name(releases: Path) -> str | None:
    """Return the name in `releases/current`, of the newest release or an earlier one; None if there is no name yet."""
    try:
        # A damaged name is the name of no release.
        return (releases / "current").read_text(encoding="utf-8", errors="replace").strip() or None
    except FileNotFoundError:
        return None


def read_blocked(releases: Path) -> frozenset[str]:
    """Return the measures that governance does not approve now, for all releases.

    Commands that read governance.toml write them into `releases/blocked`, which is part of every copy of the releases.
    If this file cannot be read, all measures that need approval are blocked.
    """
    try:
        return frozenset((releases / BLOCKED).read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return frozenset(NEED_APPROVAL)


def read_withdrawn(releases: Path) -> frozenset[str]:
    """Return the names of the releases that were taken back; empty if the file does not exist."""
    try:
        return frozenset((releases / WITHDRAWN).read_text(encoding="utf-8", errors="replace").split())
    except FileNotFoundError:
        return frozenset()


def find_release(path: Path) -> tuple[Path, str]:
    """Return the folder of releases, and the name of the release, that a path means.

    path : the folder of a release, `releases/NAME`; or a folder that contains `releases`, for the release that is shown
    there. Raises ReleaseError if it is neither, or if no release is shown there.
    """
    folder = Path(os.path.normpath(path.absolute()))
    if any((folder / tier / MANIFEST).is_file() for tier in TIERS):
        return folder.parent, folder.name
    name = shown_name(folder / "releases")
    if name is None:
        raise ReleaseError(
            Message(
                "No release in {folder}. Give the folder of one (releases/NAME), or the folder in which releases is.",
                folder=folder,
            )
        )
    return folder / "releases", name


def shown_name(releases: Path) -> str | None:
    """Return the name of the release that is shown: the current one, or an earlier one if it was taken back.

    Returns None if there is none.
    """
    name = current_name(releases)
    taken_back = name is not None and name in read_withdrawn(releases)
    return next(iter(list_earlier(releases, str(name))), None) if taken_back else name


def names(releases: Path) -> list[str]:
    """List the releases, newest first; damaged ones come last. Temporary folders (with a dot) are left out."""
    return list(_read_ages(releases))


def list_earlier(releases: Path, name: str) -> list[str]:
    """List the releases before a given one that may be shown, newest first; empty if the given one does not exist.

    Releases that were taken back are left out. They stay published, so code that protects numbers reads all `names`.
    The age of a damaged release is unknown: no release is before it, and it is before no release.
    """
    listed = [other for other, age in _read_ages(releases).items() if any(age[:2])]
    before = listed[listed.index(name) + 1 :] if name in listed else []
    withdrawn = read_withdrawn(releases)
    return [other for other in before if other not in withdrawn]


def _read_ages(releases: Path) -> dict[str, tuple[int, str, str]]:
    """Return the sort key of each release by its name, in the order of `names`."""
    if not releases.is_dir():
        return {}
    ages = {p.name: _age(p) for p in releases.iterdir() if p.is_dir() and p.name[0] != "."}
    return dict(sorted(ages.items(), key=lambda item: item[1], reverse=True))


def _age(folder: Path) -> tuple[int, str, str]:
    """Return the sort key of a release: its running number, its time and its name; 0, "" and its name if damaged.

    The running number does not depend on a clock.
    """
    # The public one first: a process of the public tier opens nothing of the other.
    for tier in reversed(TIERS):
        manifest = folder / tier / MANIFEST
        if manifest.is_file():
            try:
                described = read_stamped(manifest, _REMEDY)
            except ReleaseDamaged:
                break
            about = described.get("tact", {})
            created = str(described.get("created") or about.get("created") or "")
            return int(about.get("sequence") or 0), created, folder.name
    return 0, "", folder.name


@dataclass(frozen=True)
class Release:
    """One tier of one release, read only, without the tables of the measures in `without`.

    `added` are results made from the release (data/release/derived.py); their tables are read in the same way.
    `countries` limits the release to areas of these countries: it has no row, shape or name of any other area. Empty is
    no limit.
    """

    folder: Path
    name: str
    tier: Tier
    without: frozenset[str] = frozenset()
    added: tuple[Result, ...] = ()
    countries: frozenset[str] = frozenset()

    @classmethod
    def open(
        cls,
        releases: Path,
        tier: Tier,
        name: str | None = None,
        without: Iterable[str] = (),
        derived: Path | None = None,
    ) -> Release:
        """Open a release by name, by default the one that is shown; raise ReleaseError if it does not exist.

        With the folder `derived`, the newest result of each kind is read with it. Raises ReleaseDamaged if the manifest
        of the release or of such a result was changed. The tables are checked when they are read.
        """
        release_name = name or shown_name(releases)
        if release_name is None:
            raise ReleaseError(Message("No release in {releases} yet. Make one with: tact release", releases=releases))
        folder = releases / release_name / tier
        # In another spelling, such as NAME/ (or NAME. on Windows), one that was taken back would not be known as such.
        if release_name not in {path.name for path in releases.glob("*")} or not (folder / MANIFEST).is_file():
            msg = Message(
                "No release {chosen!r} of tier {tier!r}. There are: {listed}.",
                chosen=release_name,
                tier=tier,
                listed=", ".join(names(releases)) or Message("none"),
            )
            raise ReleaseError(msg)
        read_stamped(folder / MANIFEST, _REMEDY)
        alone = cls(folder, release_name, tier, frozenset(without))
        kinds = KINDS if derived is not None else ()
        results = (newest(derived, release_name, tier, alone.checksum, kind) for kind in kinds)
        return replace(alone, added=tuple(result for result in results if result is not None))

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the manifest (which contains the checksums of all tables), and of the limit if there is one."""
        return self._mix_limit(read_checksum(self.folder / MANIFEST, _REMEDY))

    def _mix_limit(self, checksum: str) -> str:
        """Return another checksum for a release with a limit, so that caches do not mix it with the whole release."""
        limit = " ".join(sorted(self.countries))
        return hashlib.sha256(f"{checksum} {limit}".encode()).hexdigest() if limit else checksum

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The Data Package descriptor, with the results that were added and without blocked measures.

        Raises ReleaseDamaged if the manifest was changed.
        """
        described = read_stamped(self.folder / MANIFEST, _REMEDY)
        resources = [*described["resources"], *(resource for result in self.added for resource in result.resources)]
        open_resources = [r for r in resources if r.get("tact", {}).get("measure") not in self.without]
        if not self.countries:
            return {**described, "resources": open_resources}
        about = _drop(_drop(described, "tact")["tact"], "parameters")
        return {**described, "resources": [_drop(r, "tact") for r in open_resources], "tact": about}

    @property
    def invented(self) -> bool:
        """Whether the numbers are invented."""
        return bool(self.manifest["tact"]["invented"])

    @property
    def k(self) -> int:
        """The threshold of the policy: public numbers below it are hidden."""
        return int(self.manifest["tact"]["k"])

    @property
    def largest(self) -> float:
        """The largest noise on a count of children; 0 for a release without counts."""
        return float((self.manifest["tact"].get("parameters") or {}).get("largest", 0.0))

    def find_reach(self, level: str, grain: str, measure: str = "children") -> float:
        """Return the largest true count that may stand behind a cell without a number, at a level and for a grain.

        The cell is below the threshold: a published zero or, on the public tier, "few". 0 for a release without counts.
        """
        known = self._find_knowledge(level, grain, measure)
        return float(known.get("hidden_to", self.find_threshold(level) - 1 + self.largest))

    def find_threshold(self, level: str) -> int:
        """Return the smallest number of children that the release shows at a level."""
        highest_hidden = self.k - 1 if self.tier == "public" else 0
        return int(self._find_knowledge(level, "year", "children").get("open_to", highest_hidden)) + 1

    def _find_knowledge(self, level: str, grain: str, measure: str) -> Mapping[str, int]:
        knowledge: Mapping[str, Mapping[str, int]] = self.manifest["tact"].get("knowledge") or {}
        return find_knowledge(knowledge, measure, level, grain) or {}

    def is_provisional(self, period: str) -> bool:
        """Return whether the counts of a period (its identifier) are provisional: its year is not final yet."""
        final = self.manifest["tact"].get("final")
        return bool(final) and Period.parse(period).end.isoformat() > final

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables, without the areas."""
        return tuple(r["name"] for r in self.manifest["resources"] if r["name"] != "areas")

    def table(self, name: str) -> pd.DataFrame:
        """Read a table, with a limit only its rows inside the limit.

        Raises ReleaseError if the release does not have it, and ReleaseDamaged if its file is missing or was changed.
        """
        if name not in self.tables:
            raise ReleaseError(
                Message(
                    "Release {release!r}, tier {tier!r}, has no table {name!r}.",
                    release=self.name,
                    tier=self.tier,
                    name=name,
                )
            )
        table = pd.DataFrame(pq.read_table(pa.BufferReader(self._read_file(name))).to_pandas(types_mapper=_TYPES.get))
        if not self.countries:
            return table
        # Wherever a code stands: as the area, an origin, a destination.
        outside = table.isin(self.outside).any(axis=1)
        return table[~outside].reset_index(drop=True)

    @cached_property
    def outside(self) -> frozenset[str]:
        """The codes of the areas outside the countries to which the release is limited; empty without a limit.

        Raises ReleaseDamaged if the file of areas is missing or was changed.
        """
        areas = pq.read_table(pa.BufferReader(self._read_file("areas")), columns=["code", "country"]).to_pylist()
        return frozenset(row["code"] for row in areas if self.countries and row["country"] not in self.countries)

    def result(self, kind: str) -> Result | None:
        """Return the result of a kind, such as "risk", that this release was opened with; None if there is none."""
        return next((result for result in self.added if result.manifest["kind"] == kind), None)

    @property
    def areas_file(self) -> Path:
        """The GeoParquet file of areas (geo/areas.py reads it); with a limit, a temporary copy of the areas inside it.

        Raises ReleaseDamaged if the file is missing or was changed.
        """
        path = self.folder / "areas.parquet"
        if not is_whole(path, self._areas_hash):
            raise ReleaseDamaged.of_file(path, _REMEDY)
        return _write_limited(path, self.areas_checksum, self.countries) if self.countries else path

    @property
    def areas_checksum(self) -> str:
        """SHA-256 of the areas and of the limit, part of the address of the map's geometry."""
        return self._mix_limit(self._areas_hash)

    @property
    def _areas_hash(self) -> str:
        return next(str(r["hash"]) for r in self.manifest["resources"] if r["name"] == "areas")

    def check(self) -> list[str]:
        """List, in words, the files that are missing or were changed; empty if there is none."""
        return [str(error) for error in self.list_damaged().values()]

    def list_damaged(self) -> dict[str, ReleaseDamaged]:
        """Return the error of each table (or "areas") whose file is missing or was changed, by the table's name."""
        damaged = {}
        for resource in self.manifest["resources"]:
            try:
                self._read_file(resource["name"])
            except ReleaseDamaged as error:
                damaged[str(resource["name"])] = error
        return damaged

    def _read_file(self, name: str) -> bytes:
        """Read the file of a table, or of the areas. Raises ReleaseDamaged if it is not the one in the manifest."""
        resource = next(r for r in self.manifest["resources"] if r["name"] == name)
        path = self.folder / resource["path"]
        raw = read_whole(path, resource["hash"])
        if raw is None:
            raise ReleaseDamaged.of_file(path, _REMEDY if path.parent == self.folder else REMEDY)
        return raw


def _drop(described: dict[str, Any], part: str) -> dict[str, Any]:
    """Remove values that are computed from all areas together from a part of a description; return the new one."""
    shared = {name: value for name, value in (described.get(part) or {}).items() if name not in OF_ALL_AREAS}
    return {**described, part: shared} if part in described else described


def _is_own(folder: Path) -> bool:
    return folder.is_dir() and (os.name == "nt" or folder.stat().st_uid == os.geteuid())


def _find_folder() -> Path:
    """Return this process's folder for limited areas. If the system has removed it, a new one is made.

    A folder of another user with the name of the removed one is not used.
    """
    with _LOCK:
        if not _FOLDERS or not _is_own(Path(_FOLDERS[-1].name)):
            _FOLDERS.append(tempfile.TemporaryDirectory(prefix="tact-areas-"))
        return Path(_FOLDERS[-1].name)


def _write_limited(path: Path, checksum: str, countries: frozenset[str]) -> Path:
    """Write only the areas of the given countries to a file, once in a process, and return its path."""
    file = _find_folder() / f"{checksum}.parquet"
    if not file.is_file():
        areas = pq.read_table(path)
        rows = areas.filter(pc.is_in(areas["country"], pa.array(sorted(countries))))
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as part:
            pq.write_table(rows, part)
        Path(part.name).replace(file)
    return file
