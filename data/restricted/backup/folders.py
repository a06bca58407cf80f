"""The folders in a backup: releases, so that published numbers can be repeated, saved plans, ledgers and breaks.

Other results can be computed again from a release, and are left out. An existing folder is never changed, and each
path in a backup is checked, so that no file is written outside the folders.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from data.release import names
from data.restricted.vault.sqlcipher import Connection
from data.workspace import files
from data.workspace.small_tables import BREAKS

_LISTS = (".names", "current")
_PLANS = "plan-"
_LEDGERS = "ledger-*.jsonl"


def iter_releases(releases: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path (below `releases`) and content of each file of each release, and of the two name lists."""
    for name in names(releases):
        yield from _iter_files(releases, f"{name}/**/*")
    for name in _LISTS:
        yield from _iter_files(releases, name)


def iter_plans(derived: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path (below `derived`) and content of each file of saved plans, of ledgers and of accepted breaks."""
    yield from _iter_files(derived, f"*/{_PLANS}*/*")
    yield from _iter_files(derived, _LEDGERS)
    yield from _iter_files(derived, BREAKS)


def restore_releases(connection: Connection, releases: Path) -> list[str]:
    """Write the releases of a backup that are missing and return their names."""
    releases.mkdir(parents=True, exist_ok=True)
    paths = _list_paths(connection, "backup_release")
    written = []
    for release in sorted({parts[0] for parts in map(_split, paths) if parts} - set(names(releases))):
        within = [path for path in paths if _split(path)[:1] == (release,)]
        # The next release clears this folder away, should the restore be interrupted.
        _write_folder(connection, "backup_release", releases / release, 1, within)
        written.append(release)
    for name in _LISTS:
        if name in paths and not (releases / name).exists():
            files.write_bytes(releases / name, _read_content(connection, "backup_release", name))
    return written


def restore_plans(connection: Connection, derived: Path) -> int:
    """Write the plans, ledgers and breaks of a backup that are missing; return the number of plans."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'backup_plan'"
    if connection.execute(query).fetchone() is None:
        return 0  # a backup from before plans existed
    paths = [path for path in _list_paths(connection, "backup_plan") if _is_plan(_split(path))]
    folders = sorted({_split(path)[:2] for path in paths})
    missing = [folder for folder in folders if not derived.joinpath(*folder).exists()]
    for folder in missing:
        within = [path for path in paths if _split(path)[:2] == folder]
        _write_folder(connection, "backup_plan", derived.joinpath(*folder), 2, within)
    for name in _list_paths(connection, "backup_plan"):
        # One that is there may have entries that the backup does not have.
        plain = "/" not in name and "\\" not in name
        if plain and (name == BREAKS or fnmatch(name, _LEDGERS)) and not (derived / name).exists():
            files.write_bytes(derived / name, _read_content(connection, "backup_plan", name))
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


def _is_plan(parts: tuple[str, ...]) -> bool:
    return bool(parts) and parts[1].startswith(_PLANS)


def _list_paths(connection: Connection, table: str) -> list[str]:
    return [name for (name,) in connection.execute(f"SELECT name FROM {table} ORDER BY name")]  # noqa: S608


def _write_folder(connection: Connection, table: str, target: Path, depth: int, paths: list[str]) -> None:
    """Write one folder under a temporary name and rename it when it is complete; `depth` is that of `target`."""
    aside = target.with_name(f".tmp-{target.name}-restored")
    files.remove_folder(aside)
    for path in paths:
        file = aside.joinpath(*PurePosixPath(path).parts[depth:])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_read_content(connection, table, path))
    files.publish_folder(aside, target)


def _read_content(connection: Connection, table: str, name: str) -> bytes:
    row = connection.execute(f"SELECT content FROM {table} WHERE name = ?", (name,)).fetchone()  # noqa: S608
    content: bytes = row[0]
    return content
