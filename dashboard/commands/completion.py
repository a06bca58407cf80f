"""`tact completion`: what a shell needs to complete the words of `tact`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

COMPLETE = "_TACT_COMPLETE"  # by this variable a shell asks for completions
Shell = StrEnum("Shell", ["bash", "zsh", "fish"])


def completion(shell: Annotated[Shell, typer.Argument(help="The shell.")]) -> None:
    """Print the script by which a shell completes commands and options of tact."""
    from typer.completion import get_completion_script

    typer.echo(get_completion_script(prog_name="tact", complete_var=COMPLETE, shell=shell.value))


def read_asked_words() -> list[str] | None:
    """Return the words after `tact` that a shell asks to complete; None if no shell asks."""
    if COMPLETE not in os.environ:
        return None
    from typer.completion import completion_init

    completion_init()
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return line.split()[1:]
