"""Output of commands: one JSON value for scripts, sentences for people, progress on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn, Protocol

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from typer.exceptions import TyperException

from data.errors import TactError

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON value on standard output.")]


class Tick(Protocol):
    """A callback for progress: work done, total if known, and the name of the current step."""

    def __call__(self, done: int, total: int | None = None, step: str = "") -> None:
        """Show the progress."""


console = Console(stderr=True, highlight=False)
# Names of files, columns and areas come from outside, and a terminal obeys these characters.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def emit(answer: Any, as_json: bool, *lines: str) -> None:  # noqa: ANN401
    """Print `answer` as JSON for scripts if `as_json`, otherwise `lines` for people."""
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2, default=str) + "\n")
        return
    for line in lines:
        sys.stdout.write(_plain(line) + "\n")


def say(text: str) -> None:
    """Print a message for people on standard error, beside the answer."""
    console.print(_plain(text), markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    return _CONTROLS.sub("\ufffd", text)


def fail(error: TactError | TyperException, *, as_json: bool) -> NoReturn:
    """Print an error and leave with its exit code."""
    message = format_error(error)
    if as_json:
        emit({"error": type(error).__name__, "message": message}, True)
    else:
        say(message)
    raise SystemExit(error.exit_code)


def format_error(error: TactError | TyperException) -> str:
    """Return the message of an error; for a wrong option also its help, and the command that explains more.

    Empty if a subcommand is missing, because then the help was already printed.
    """
    if isinstance(error, TactError):
        return str(error)
    wrong = error.format_message()
    if not wrong:
        return ""
    context, takes = getattr(error, "ctx", None), getattr(getattr(error, "param", None), "help", None)
    help_command = f"See: {context.command_path} --help" if context is not None else ""
    sentence = wrong.rstrip(".")
    return " ".join(filter(None, (sentence if sentence.endswith("?") else f"{sentence}.", takes, help_command)))


def format_table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows as lines with aligned columns. All rows must have the same number of cells (ValueError)."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


@contextmanager
def progress(what: str) -> Iterator[Tick]:
    """Show a progress bar on a terminal and yield the function that updates it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(_plain(what)), total=None)

        def tick(done: int, total: int | None = None, step: str = "") -> None:
            bar.update(task, completed=done, total=total, description=escape(_plain(step or what)))

        yield tick
