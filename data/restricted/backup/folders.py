"""The folders in a backup: releases, so that published numbers can be repeated, saved plans, the ledger and decisions.

Other results can be computed again from a release, and are left out. An existing folder is never changed, and each
path in a backup is checked, so that no file is written outside the folders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from data.release import WITHDRAWN, names
from data.release.derived import LEDGER
from data.release.signed_list import DECISIONS
from data.restricted.vault.sqlcipher import Connection
from data.workspace import files

_LISTS = (".names", WITHDRAWN, "current")
_PLANS = "plan-"
_FILES = (LEDGER, *DECISIONS)


def iter_releases(releases: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path (below `releases`) and content of each file of each release, and of the lists beside them."""
    for name in names(releases):
        yield from _iter_files(releases, f"{name}/**/*")
    for name in _LISTS:
        yield from _iter_files(releases, name)


def iter_plans(derived: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path (below `derived`) and content of each file of saved plans, of the ledger and of decisions."""
    yield from _iter_files(derived, f"*/{_PLANS}*/*")
    for name in _FILES:
        yield from _iter_files(derived, name)


def restore_releases(connection: Connection, releases: Path) -> list[str]:
    """Write the missing releases of a backup, and the lists beside them; return the names of the written releases."""
    releases.mkdir(parents=True, exist_ok=True)
    paths = _list_paths(connection, "backup_release")
    restored_releases = []
    for release in sorted({parts[0] for parts in map(_split, paths) if parts} - set(names(releases))):
        within = [path for path in paths if _split(path)[:1] == (release,)]
        # If the restore is interrupted, the next release removes the unfinished folder.
        _write_folder(connection, "backup_release", releases / release, 1, within)
        restored_releases.append(release)
    _write_files(connection, "backup_release", releases, _LISTS)
    return restored_releases


def restore_plans(connection: Connection, derived: Path) -> int:
    """Write the plans, the ledger and the breaks of a backup that are missing; return the number of these plans."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'backup_plan'"
    if connection.execute(query).fetchone() is None:
        return 0  # a backup from before plans existed
    paths = [p for p in _list_paths(connection, "backup_plan") if (parts := _split(p)) and parts[1].startswith(_PLANS)]
    folders = sorted({_split(path)[:2] for path in paths})
    missing = [folder for folder in folders if not derived.joinpath(*folder).exists()]
    for folder in missing:
        within = [path for path in paths if _split(path)[:2] == folder]
        _write_folder(connection, "backup_plan", derived.joinpath(*folder), 2, within)
    _write_files(connection, "backup_plan", derived, _FILES)
    return len(missing)


def _iter_files(folder: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob(pattern)):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _split(path: str) -> tuple[str, ...]:
    """Return the three parts of a path in a backup, or no parts if no backup writes such a path."""
    parts = PurePosixPath(path).parts
    plain = len(parts) == 3 and not any(part.startswith((".", "/")) or "\\" in part for part in parts)
    return parts if plain else ()


def _list_paths(connection: Connection, table: str) -> list[str]:
    return [name for (name,) in connection.execute(f"SELECT name FROM {table} ORDER BY name")]  # noqa: S608


def _write_folder(connection: Connection, table: str, target: Path, depth: int, paths: list[str]) -> None:
    """Write one folder under a temporary name and rename it when it is complete; `depth` is the depth of `target`."""
    aside = target.with_name(f".tmp-{target.name}-restored")
    files.remove_folder(aside)
    for path in paths:
        file = aside.joinpath(*PurePosixPath(path).parts[depth:])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_read_content(connection, table, path))
    files.publish_folder(aside, target)


def _write_files(connection: Connection, table: str, folder: Path, listed: Iterable[str]) -> None:
    """Write the files of a backup that are missing; an existing file may contain more than the backup."""
    paths = _list_paths(connection, table)
    for name in listed:
        if name in paths and not (folder / name).exists():
            files.write_bytes(folder / name, _read_content(connection, table, name))


def _read_content(connection: Connection, table: str, name: str) -> bytes:
    row = connection.execute(f"SELECT content FROM {table} WHERE name = ?", (name,)).fetchone()  # noqa: S608
    content: bytes = row[0]
    return content
