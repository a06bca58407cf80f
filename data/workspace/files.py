"""Write files so that after a crash the content is the old or the new one, never a mixture.

The order is always the same: write a temporary file in the same folder, fsync it, rename it, fsync the folder. Without
the first fsync a renamed file can be empty after a power cut; without the second the rename itself can be lost.
"""

import contextlib
import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import filelock

from data.errors import DiskFull, ReleaseError, TactError, WorkspaceError
from data.message import Message

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LEAST = 1 << 20


def write_bytes(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace a file's content in one step, or write a new file.

    `mode` is the mode of the file afterwards and is restricted by the umask; use 0o600 for secrets. Raises DiskFull if
    there is no room, and leaves the old file unchanged.
    """
    with replacing(path, mode=mode) as part, part.open("r+b") as file:
        file.write(data)


def write_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Replace a text file's content in one step, as `write_bytes` does: UTF-8, line ends unchanged."""
    write_bytes(path, text.encode("utf-8"), mode=mode)


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o666, part: Path | None = None) -> Iterator[Path]:
    """Yield the path of an empty temporary file; when the block ends without an error, the file replaces `path`.

    If the block raises, the temporary file is removed and `path` stays as it was. This is for content that is too large
    for memory, or that a library writes itself. `mode`: see `write_bytes`. `part` is a path for the temporary file, in
    the same folder, that does not exist. Raises DiskFull if there is no room.
    """
    path = Path(path)
    part = part or aside(path)
    with no_room_means_disk_full(path):
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            yield part
            fsync_file(part)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def aside(path: Path) -> Path:
    """Return a hidden, unused path in the same folder, for a temporary file or folder."""
    path = Path(path)
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")


@contextlib.contextmanager
def private_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder of mode 700 for files that must not outlive the block, and remove it at the end.

    What a killed process left there is removed first. Raises WorkspaceError while another process uses the folder, and
    DiskFull if there is no room.
    """
    lock = filelock.FileLock(folder.with_name(f"{folder.name}.lock"), timeout=0, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise WorkspaceError(
            Message("Another process uses {folder}. Wait until it is done, and try again.", folder=folder)
        ) from None
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        with no_room_means_disk_full(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


@contextlib.contextmanager
def fill_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; when the block ends without an error, its files move into `folder`, over older ones.

    If the block raises, the files in `folder` stay as they were. Raises DiskFull if there is no room.
    """
    with no_room_means_disk_full(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tact-", dir=folder) as part:
            yield Path(part)
            for path in sorted(Path(part).rglob("*")):
                if path.is_file():
                    final = folder / path.relative_to(part)
                    final.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(final)


def publish_folder(tmp: Path, final: Path) -> None:
    """Rename a finished folder to a name that was never used, after its content is on disk.

    Both must be on the same file system. Raises ReleaseError if the name exists, and leaves both folders unchanged: a
    published folder is never replaced. Raises DiskFull if there is no room.
    """
    tmp, final = Path(tmp), Path(final)
    # Looked up first because POSIX renames a folder over an empty one without an error.
    if os.path.lexists(final):
        raise _name_taken(final)
    with no_room_means_disk_full(final):
        for parent, _, names in os.walk(tmp):
            for name in names:
                fsync_file(Path(parent, name))
            fsync_folder(Path(parent))
        try:
            tmp.rename(final)
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise _name_taken(final) from error
            raise
        fsync_folder(final.parent)
        if tmp.parent != final.parent:
            fsync_folder(tmp.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder, if it exists, so that a crash never leaves a part of it under its name."""
    folder = Path(folder)
    if not folder.exists():
        return
    doomed = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.gone")
    folder.rename(doomed)
    fsync_folder(folder.parent)
    shutil.rmtree(doomed)


def fsync_file(path: Path) -> None:
    """Make sure that a file's content is on disk."""
    # Windows flushes only handles that may write.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(folder: Path) -> None:
    """Make sure that a folder's entries (new, renamed, removed names) are on disk."""
    if os.name == "nt":  # Windows has no handle for a folder that could be flushed.
        return
    fsync_file(folder)


@contextlib.contextmanager
def no_room_means_disk_full(path: Path) -> Iterator[None]:
    """Raise DiskFull, which names the file and the remedy, in place of an error in the block if the disk is full."""
    try:
        yield
    except TactError:
        raise
    except Exception as error:
        # Libraries that write files raise errors of their own for it.
        if not (isinstance(error, OSError) and error.errno in NO_ROOM) and not has_no_room(path):
            raise
        raise DiskFull(
            Message(
                "The disk is full, so {path} was not written; nothing was changed. Free some space and run "
                "the command again.",
                path=path,
            )
        ) from error


def has_no_room(path: Path) -> bool:
    """Return whether the disk of a file or folder, which need not exist yet, has less than a megabyte left."""
    there = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free < _LEAST


def _name_taken(final: Path) -> ReleaseError:
    msg = Message("{final} already exists, and a release is never replaced. Choose a new name.", final=final)
    return ReleaseError(msg)
