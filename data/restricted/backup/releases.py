"""The releases in a backup: without them a restored vault could not repeat what was published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from data.release import names
from data.restricted.vault import sqlcipher as sql
from data.workspace import files

__all__ = ["CREATE", "put", "rows"]

CREATE = "CREATE TABLE copy.backup_release (name TEXT PRIMARY KEY, content BLOB NOT NULL)"
_LISTS = (".names", "current")


def rows(releases: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file of each release by its path below the folder, and the two lists of names."""
    for name in names(releases):
        for path in sorted((releases / name).rglob("*")):
            if path.is_file():
                yield path.relative_to(releases).as_posix(), path.read_bytes()
    for name in _LISTS:
        if (releases / name).is_file():
            yield name, (releases / name).read_bytes()


def put(connection: sql.Connection, releases: Path) -> list[str]:
    """Write the releases that are not there, each as a whole; one that is there is never changed.

    Returns the names of those that were written.
    """
    releases.mkdir(parents=True, exist_ok=True)
    listed = [name for (name,) in connection.execute("SELECT name FROM backup_release ORDER BY name")]
    found = {name: _release_of(name) for name in listed}
    written = []
    for release in sorted({name for name in found.values() if name} - set(names(releases))):
        _write(connection, releases, release, [path for path, of in found.items() if of == release])
        written.append(release)
    for name in _LISTS:
        if name in found and not (releases / name).exists():
            files.write_bytes(releases / name, _content(connection, name))
    return written


def _release_of(path: str) -> str | None:
    """Name the release of a file; None for a path that no backup writes, so that none leads elsewhere."""
    parts = PurePosixPath(path).parts
    plain = len(parts) == 3 and not any(part.startswith((".", "/")) or "\\" in part for part in parts)
    return parts[0] if plain else None


def _write(connection: sql.Connection, releases: Path, release: str, paths: list[str]) -> None:
    # A name that the next release clears away, should this be interrupted.
    aside = releases / f".tmp-{release}-restored"
    files.remove_folder(aside)
    for path in paths:
        target = aside.joinpath(*PurePosixPath(path).parts[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_content(connection, path))
    files.publish_folder(aside, releases / release)


def _content(connection: sql.Connection, name: str) -> bytes:
    query = "SELECT content FROM backup_release WHERE name = ?"
    content: bytes = connection.execute(query, (name,)).fetchone()[0]
    return content
