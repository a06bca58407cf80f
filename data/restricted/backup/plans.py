"""The plans in a backup: what people decided on them stands nowhere else.

What else was worked out from a release can be worked out again, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from data.restricted.vault import sqlcipher as sql
from data.workspace import files

__all__ = ["CREATE", "put", "rows"]

CREATE = "CREATE TABLE copy.backup_plan (name TEXT PRIMARY KEY, content BLOB NOT NULL)"
_PLANS = "*/plan-*/*"


def rows(derived: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file of each plan that was kept, by its path below the folder of derived results."""
    for path in sorted(derived.glob(_PLANS)):
        if path.is_file():
            yield path.relative_to(derived).as_posix(), path.read_bytes()


def put(connection: sql.Connection, derived: Path) -> int:
    """Write the plans that are not there, each as a whole; one that is there is never changed.

    Returns how many were written.
    """
    found = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'backup_plan'"
    if connection.execute(found).fetchone() is None:
        return 0  # made before there were plans
    folders: dict[str, dict[str, bytes]] = {}
    for name, content in connection.execute("SELECT name, content FROM backup_plan ORDER BY name"):
        if plain := _parts(name):
            release, plan, file = plain
            folders.setdefault(f"{release}/{plan}", {})[file] = content
    missing = {folder: held for folder, held in folders.items() if not (derived / folder).exists()}
    for folder, held in missing.items():
        _write(derived / folder, held)
    return len(missing)


def _parts(path: str) -> tuple[str, ...]:
    """Take a path apart; nothing for one that no backup writes, so that none leads elsewhere."""
    parts = PurePosixPath(path).parts
    plain = len(parts) == 3 and not any(part.startswith((".", "/")) or "\\" in part for part in parts)
    return parts if plain and parts[1].startswith("plan-") else ()


def _write(final: Path, held: dict[str, bytes]) -> None:
    aside = final.with_name(f".tmp-{final.name}-restored")
    files.remove_folder(aside)
    aside.mkdir(parents=True)
    for name, content in held.items():
        (aside / name).write_bytes(content)
    files.publish_folder(aside, final)
