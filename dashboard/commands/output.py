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
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from typer.exceptions import TyperException

from data.errors import TactError

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON value on standard output.")]


class Tick(Protocol):
    """A callback for progress: work done, total if known, and the name of the current step."""

    def __call__(self, done: int, total: int | None = None, step: str = "") -> None:
        """Show the progress."""


console = Console(stderr=True, highlight=False)
# The library's words for a wrong use of a command, and ours.
_PLAIN = (
    (r"No such option: (\S+)", r"There is no option \1"),
    (r"No such option: (\S+) \(Possible options: (.+)\)", r"There is no option \1. Perhaps you mean: \2"),
    (r"No such command ('.+?')\.(.*)", r"There is no command \1.\2"),
    (r"Got unexpected extra argument(?:\(s\)|s)? \((.+)\)", r"The command takes no more words, and there is: \1"),
    (r"Option '(.+)' requires an argument\.", r"\1 needs a value after it"),
    (r"Option '(.+)' does not take a value\.", r"\1 takes no value"),
)
_NEEDS = {
    **dict.fromkeys(("int_parsing", "int_from_float", "int_type"), "It must be a whole number"),
    **dict.fromkeys(("float_parsing", "float_type"), "It must be a number"),
    "greater_than_equal": "It must be {ge:g} or more",
    "less_than_equal": "It must be {le:g} or less",
}
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
    wrong = _word_wrong_use(error)
    if not wrong:
        return ""
    context, takes = getattr(error, "ctx", None), getattr(getattr(error, "param", None), "help", None)
    help_command = f"See: {context.command_path} --help" if context is not None else ""
    return " ".join(_end_sentence(part) for part in (wrong, takes) if part) + f" {help_command}".rstrip()


def _word_wrong_use(error: TyperException) -> str:
    """Return in plain words what is wrong: an option, a command, or the value of an option or argument."""
    wrong, param = error.format_message(), getattr(error, "param", None)
    if param is None:
        matches = ((re.fullmatch(pattern, wrong), plain) for pattern, plain in _PLAIN)
        return next((match.expand(plain) for match, plain in matches if match), wrong)
    name = param.name.upper() if param.param_type_name == "argument" else param.opts[0]
    faults: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    if not faults:
        return f"{name} is missing" if wrong.startswith("Missing") else wrong
    limits = faults[0].get("ctx", {})
    needs = _NEEDS.get(faults[0]["type"], str(limits.get("error", faults[0]["msg"])))
    return f"{name} is {faults[0]['input']!r}. {needs.format(**limits)}"


def _end_sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text.rstrip('.')}."


def format_table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows as lines with aligned columns. All rows must have the same number of cells (ValueError)."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


@contextmanager
def progress(what: str) -> Iterator[Tick]:
    """Show a progress bar on a terminal, with the share that is done where it is known; yield its function.

    A share is shown, and no number: steps, rows and cells are counted, and nobody could tell what a number counts.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(_plain(what)), total=None)

        def tick(done: int, total: int | None = None, step: str = "") -> None:
            bar.update(task, completed=done, total=total, description=escape(_plain(step or what)))

        yield tick
