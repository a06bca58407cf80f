"""`tact completion`: what a shell needs to complete the words of `tact`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer
from typer.core import TyperGroup

COMPLETE = "_TACT_COMPLETE"  # by this variable a shell asks for completions
Shell = StrEnum("Shell", ["bash", "zsh", "fish"])


def completion(context: typer.Context, shell: Annotated[Shell, typer.Argument(help="The shell.")]) -> None:
    """Print the script by which a shell completes commands and options of tact."""
    _know_shells()
    command = context.find_root().command
    assert isinstance(command, TyperGroup)
    os.environ[COMPLETE] = f"source_{shell.value}"
    try:
        command.main([], prog_name="tact", complete_var=COMPLETE)
    finally:
        del os.environ[COMPLETE]


def _know_shells() -> None:
    """Let Typer know the shells: it does so by itself only for programs that install their own completion."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()


def read_asked_words() -> list[str] | None:
    """Return the words after `tact` that a shell asks to complete; None if no shell asks."""
    if COMPLETE not in os.environ:
        return None
    _know_shells()
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return line.split()[1:]
