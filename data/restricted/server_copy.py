"""The copy of releases and their results for a server, signed, without anything else of the workspace.

The folder has `releases` and `derived` as in a workspace, with the files of the public tier or, for a server of
partners, of both tiers, and the signed `lists` that a server accepts (data/release/signed_list.py). Only files that are
missing or different are written. The list is written last, and then files that no list names any more are removed. If
the process is killed at any moment, the folder shows either the earlier or the new publication.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from filelock import FileLock, Timeout

from data.errors import InputError, ReleaseError, WorkspaceError
from data.release import MANIFEST, Release, audits, list_earlier, read_blocked, shown_name
from data.release.result import KINDS, list_manifests, read_manifest
from data.release.signed_list import DECISIONS, LISTS, Publisher, SignedList
from data.restricted.keys import Secret
from data.tables.spec import Tier
from data.workspace import Workspace, files

_SHOWN = 2  # releases: the current one, and the one that "what is new" compares it with
_KEPT = 2  # lists: while files arrive at the server, it accepts those of the list before too
_PATIENCE = 60.0  # seconds that one process waits for another
_OWN = ("releases", "derived", LISTS)  # what the folder holds


@dataclass(frozen=True)
class ServerCopy:
    """What was published.

    number: that of the signed list. key: the public key that the server needs, in hexadecimal. written and removed:
    numbers of files. size: bytes written.
    """

    release: str
    tier: Tier
    number: int
    key: str
    written: int
    removed: int
    size: int


def publish_copy(workspace: Workspace, tier: Tier, target: Path, secret: Secret) -> ServerCopy:
    """Write what a server needs for a tier of the current release into a folder, signed; return what was published.

    A file that is there already with the same content is not written again. Raises ReleaseError if there is no release,
    ReleaseDamaged for a file that was changed, InputError for a folder that has other files or a copy of another tier,
    and WorkspaceError while another process publishes to it.
    """
    target = target.absolute()
    name = shown_name(workspace.releases)
    if name is None:
        raise ReleaseError("There is no release to publish yet. Make one with: tact release")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.with_name(f".{target.name}.lock"), timeout=_PATIENCE):
            return _publish(workspace, tier, target, secret, name)
    except Timeout:
        raise WorkspaceError(f"Another tact publish writes to {target}. Wait until it is done.") from None


def _publish(workspace: Workspace, tier: Tier, target: Path, secret: Secret, name: str) -> ServerCopy:
    signer = Ed25519PrivateKey.from_private_bytes(secret.reveal())
    key = signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    lists = Publisher(target, key, tier).read_lists()
    blocked = read_blocked(workspace.releases)
    earlier = list_earlier(workspace.releases, name)
    releases = [name, *earlier][:_SHOWN]
    sources = {
        path.relative_to(workspace.path).as_posix(): path for path in _list_files(workspace, tier, releases, blocked)
    }
    _check_target(workspace, target, sources, lists)
    sent = {place: path.read_bytes() for place, path in sources.items()}
    new = SignedList(
        # Later than any list of this key in another folder, which a server may have beside this one.
        number=max([int(time.time()), *(signed_list.number + 1 for signed_list in lists)]),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        tier=tier,
        current=name,
        blocked=blocked,
        files={place: hashlib.sha256(raw).hexdigest() for place, raw in sent.items()},
    )
    changes = [place for place, raw in sent.items() if _write(target / place, raw)]
    (target / LISTS).mkdir(exist_ok=True)
    files.write_bytes(target / LISTS / new.file_name, new.format(signer))
    removed = _remove_others(target, [new, *lists][:_KEPT], earlier)
    return ServerCopy(name, tier, new.number, key, len(changes), removed, sum(len(sent[place]) for place in changes))


def _check_target(workspace: Workspace, target: Path, places: Collection[str], lists: list[SignedList]) -> None:
    """Raise InputError if `target` is in the workspace or is not a folder, or if it has files of something else.

    Allowed are the files of an earlier copy of the same workspace, tier and key, and those of this copy, `places`.
    """
    if target.is_relative_to(workspace.path):
        raise InputError(f"{target} lies in the workspace. Give a folder of its own.")
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is no folder. Give a new folder, or one of an earlier tact publish.")
    others = [path.name for path in sorted(target.glob("*")) if path.name not in _OWN]
    if others:
        raise InputError(f"{target} has other files ({', '.join(others[:3])}). Give a folder of its own.")
    there = (
        path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file() and path.name[0] != "."
    )
    if not lists and not set(places).issuperset(there):
        raise InputError(
            f"{target} has a copy of another workspace, tier or signing key."
            " Give a new folder, or the --tier of that copy."
        )


def _list_files(workspace: Workspace, tier: Tier, releases: Iterable[str], blocked: frozenset[str]) -> Iterator[Path]:
    """Yield the files of the `releases` and of their results; of risk results and audits only the newest.

    For partners these are the files of both tiers, because a guest of their server sees the public tier. Raises
    ReleaseDamaged for a changed file.
    """
    tiers: tuple[Tier, ...] = ("partner", "public") if tier == "partner" else ("public",)
    for name in releases:
        for part in tiers:
            yield from _list_tier(workspace, part, name, blocked)
    of_tier = DECISIONS if tier == "partner" else DECISIONS[:1]  # the others are for partners
    yield from filter(Path.is_file, (workspace.derived / name for name in of_tier))


def _list_tier(workspace: Workspace, tier: Tier, name: str, blocked: frozenset[str]) -> Iterator[Path]:
    release = Release.open(workspace.releases, tier, name, blocked, workspace.derived)
    # Not even the file of a measure that governance does not approve is copied.
    for damaged in release.list_damaged().values():
        raise damaged
    yield release.folder / MANIFEST
    yield from (release.folder / resource["path"] for resource in release.manifest["resources"])
    read = {result.folder for result in release.added}  # the newest of each kind that is read with a release
    for manifest in list_manifests(workspace.derived, name, tier, "*"):
        described = read_manifest(manifest)
        is_old = described.get("kind") in KINDS and manifest.parent not in read
        if described.get("release_sha256") == release.checksum and not is_old:
            yield manifest
            yield from (
                manifest.parent / resource["path"]
                for resource in described["resources"]
                if resource["tact"]["measure"] not in blocked
            )
    if report := audits.find_newest(workspace.derived, name, tier, release.checksum):
        yield report


def _write(path: Path, raw: bytes) -> bool:
    """Write a file if it is missing or different; return whether it was written."""
    if path.is_file() and path.read_bytes() == raw:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(path, raw)
    return True


def _name_release(place: str) -> str:
    """Return the second part of a path: the name of a release; for the table of breaks its own name."""
    return place.split("/")[1]


def _remove_others(target: Path, lists: list[SignedList], earlier: Collection[str]) -> int:
    """Remove older lists and all files that no list names; return the number of removed files of releases and results.

    `lists` are the lists to keep, the new one first; `earlier` are the releases before the one that is shown.
    """
    new = lists[0]
    present = {_name_release(place) for place in new.files}
    # While files arrive, a server shows the release before. Nothing else stays: neither a later release, which was
    # taken back, nor other files of a release in the new list, which are of a measure that is no longer approved.
    before = set(earlier) - present
    older = {place for signed_list in lists[1:] for place in signed_list.files if _name_release(place) in before}
    named = {target / place for place in (*new.files, *older)}
    names = {signed_list.file_name for signed_list in lists}
    for path in (target / LISTS).iterdir():
        if path.name not in names:
            path.unlink()
    removed = 0
    for part in _OWN[:2]:
        for path in sorted((target / part).rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in named:
                path.unlink()
                removed += 1
    return removed
