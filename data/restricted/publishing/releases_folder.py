"""The folder of releases: its lock, the names that were used, and the repair after an interrupted release.

A name is the last month of the release and a counter, "2009-05-001"; without records, the last year of its figures,
"2009-figures-001". A name is never used twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import pandas as pd

from data.errors import ReleaseError
from data.message import Message
from data.release import WITHDRAWN, Release, current_name, names, read_withdrawn
from data.restricted.vault import Vault
from data.tables.periods import Period
from data.tables.spec import TIERS
from data.workspace import files

TEMPORARY = ".tmp-"
_LOCK, _USED = ".lock", ".names"


@contextmanager
def lock_releases(releases: Path) -> Iterator[None]:
    """Hold the lock of a folder of releases; raise ReleaseError while another release is being made."""
    lock = filelock.FileLock(releases / _LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        msg = Message(
            "Another release is being made in {releases}. Wait until it is done and try again.", releases=releases
        )
        raise ReleaseError(msg) from None
    try:
        yield
    finally:
        lock.release()


def recover(vault: Vault | None, releases: Path, drop_approval: Callable[[str], None] | None = None) -> None:
    """Finish or undo a release whose run was killed; raise ReleaseError while another run is active."""
    if releases.is_dir():
        with lock_releases(releases):
            settle_interrupted(vault, releases, drop_approval)


def settle_interrupted(vault: Vault | None, releases: Path, drop_approval: Callable[[str], None] | None = None) -> None:
    """Remove unfinished files, and confirm or discard the staged blocks of the vault; the lock must be held.

    If `current` names no release, it then names the newest one that was not withdrawn. `drop_approval` removes the
    approval of a release that is discarded.
    """
    for path in releases.glob(f"{TEMPORARY}*"):
        shutil.rmtree(path)
    for path in releases.glob(".*.part"):
        path.unlink()
    staged = vault.staged_publication() if vault is not None else None
    if vault is not None and staged is not None:
        if (releases / staged).is_dir():
            point_at(releases, staged)
            vault.confirm_publication(staged)
        else:
            if drop_approval is not None:
                drop_approval(staged)
            vault.discard_publication(staged)
    complete = names(releases)
    withdrawn = read_withdrawn(releases)
    newest = next((name for name in complete if name not in withdrawn), None)
    if newest is not None and current_name(releases) not in complete:
        point_at(releases, newest)


def compute_sequence(releases: Path) -> int:
    """Return the number of the next release: one more than the highest ever used here."""
    complete = names(releases)
    newest = Release.open(releases, TIERS[0], complete[0]).manifest["tact"]["sequence"] if complete else 0
    return max(int(newest), len(_used_names(releases))) + 1


def make_name(releases: Path, span: Period | None, figures: pd.DataFrame) -> str:
    """Return an unused name with the last month of `span`; if it is None, with the last year of the figures, if any."""
    if span is not None:
        label = span.end.strftime("%Y-%m")
    else:
        years = figures["year"].dropna()
        label = f"{int(years.max())}-figures" if len(years) else "figures"
    used = _used_names(releases)
    count = 1
    while f"{label}-{count:03d}" in used:
        count += 1
    return f"{label}-{count:03d}"


def remember_name(releases: Path, name: str) -> None:
    """Write down that a name is used, so that it is never used again, even if its release is removed."""
    files.write_text(releases / _USED, "\n".join(sorted(_used_names(releases) | {name})) + "\n")


def point_at(releases: Path, name: str) -> None:
    """Make a release the current one, which readers see."""
    files.write_text(releases / "current", f"{name}\n")


def withdraw_newer(releases: Path) -> None:
    """Write down that the releases newer than the current one were taken back, so that they are never shown again.

    Earlier entries are kept.
    """
    listed, current = names(releases), current_name(releases)
    newer = listed[: listed.index(current)] if current in listed else []
    withdrawn = read_withdrawn(releases)
    if not withdrawn.issuperset(newer):
        files.write_text(releases / WITHDRAWN, "".join(f"{name}\n" for name in sorted(withdrawn.union(newer))))


def _used_names(releases: Path) -> set[str]:
    """Return the names of all present and former releases."""
    try:
        noted = set((releases / _USED).read_text(encoding="utf-8").split())
    except FileNotFoundError:
        noted = set()
    return noted | set(names(releases))
