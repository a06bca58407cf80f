"""A partner's file in memory, which is read like a file on a disk and is never written to a disk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any, TypeAlias

from data.restricted.intake.start import Grid
from data.restricted.intake.table import RawTable

_KEPT = 100  # letters of a name


class MemoryFile:
    """The content of a file, with the methods of a path that are needed to read it.

    `grids` and `table` store what was read, so that the file is read only once (data/restricted/intake/csv_rows.py).
    """

    def __init__(self, name: str, content: bytes) -> None:
        # A browser sends only the name; a sender of a path must not choose a folder here.
        self.name = Path(name.replace("\\", "/")).name[-_KEPT:] or "file"
        self.suffix = Path(self.name).suffix
        self._content = content
        self.grids: list[Grid] | None = None
        self.table: RawTable | None = None

    def __repr__(self) -> str:
        return "MemoryFile()"

    def __str__(self) -> str:
        return self.name

    def open(self, mode: str = "r", *, encoding: str | None = None, newline: str | None = None) -> IO[Any]:
        """Open the content for reading, as bytes or as text."""
        content = io.BytesIO(self._content)
        return content if "b" in mode else io.TextIOWrapper(content, encoding=encoding, newline=newline)


InputFile: TypeAlias = Path | MemoryFile
