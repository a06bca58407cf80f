"""Writing files so that a crash leaves the old content or the new one, never a mixture.

The order is always the same: write aside in the same folder, fsync the file, rename over the name,
fsync the folder. A rename without the first fsync can survive a power cut as an empty file; without
the second the rename itself can be lost.
"""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from data.errors import DiskFull, ReleaseError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_bytes(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace a file's content as one step.

    The mode is that of a new file and is narrowed by the umask; give 0o600 for secrets. Raises
    DiskFull when there is no room, with the old file untouched.
    """
    with replacing(path, mode=mode) as part, part.open("r+b") as file:
        file.write(data)


def write_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Replace a text file's content as one step: UTF-8, line ends as given."""
    write_bytes(path, text.encode("utf-8"), mode=mode)


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o666) -> Iterator[Path]:
    """Yield an empty file aside; when the block ends well it takes the place of `path`.

    When the block raises, the file aside is removed and `path` stays as it was. For content that is
    too large to hold, or that a library writes by itself.
    """
    path = Path(path)
    part = aside(path)
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
    """Name a hidden neighbour of a path, never used before, to build in before the rename."""
    path = Path(path)
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")


def publish_folder(tmp: Path, final: Path) -> None:
    """Rename a finished folder to a name that was never used, after everything in it is on disk.

    Both must be on the same file system. Raises ReleaseError when the name is taken, with both
    folders untouched: what was published is never replaced.
    """
    tmp, final = Path(tmp), Path(final)
    # Looked up first because POSIX renames a folder over an empty one without a word.
    if os.path.lexists(final):
        raise _taken(final)
    with no_room_means_disk_full(final):
        _fsync_tree(tmp)
        try:
            tmp.rename(final)
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise _taken(final) from error
            raise
        fsync_folder(final.parent)
        if tmp.parent != final.parent:
            fsync_folder(tmp.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder so that a crash never leaves half of it under its own name."""
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
    """Turn the operating system's "no space" into DiskFull, which names the file and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        msg = (
            f"The disk is full, so {path} was not written; nothing was changed. Free some space and run the "
            "command again."
        )
        raise DiskFull(msg) from error


def _fsync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            fsync_file(Path(parent, name))
        fsync_folder(Path(parent))


def _taken(final: Path) -> ReleaseError:
    msg = f"{final} already exists, and a release is never replaced. Choose a new name."
    return ReleaseError(msg)
