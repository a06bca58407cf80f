"""Logs of a workspace that a person can read: who approved which release, who received which files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from data.workspace import files
from data.workspace.safe_text import escape_formula

APPROVALS, EXPORTS = "approvals.csv", "exports.csv"


def append_line(path: Path, columns: Sequence[str], line: Sequence[str]) -> None:
    """Add a line to a log in one step, so that after a crash it is complete or absent; a new log gets its headings."""
    text = io.StringIO(path.read_text(encoding="utf-8") if path.exists() else "", newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\n")
    if not text.tell():
        writer.writerow(columns)
    writer.writerow([escape_formula(value) for value in line])
    files.write_text(path, text.getvalue(), mode=0o600)


def remove_lines(path: Path, column: str, value: str) -> None:
    """Remove the lines that have a value in a column, in one step; if no line has it, the file is not changed."""
    if not path.exists():
        return
    head, *lines = [*csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))] or [[]]
    others = [line for line in lines if dict(zip(head, line, strict=False)).get(column) != value]
    if len(others) < len(lines):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([head, *others])
        files.write_text(path, text.getvalue(), mode=0o600)
