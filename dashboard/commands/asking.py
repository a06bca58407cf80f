"""How commands ask a person: without echo, by typing a name again, and only where somebody can answer."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from data.errors import InputError


def can_ask() -> bool:
    """Tell whether there is a terminal on which somebody can answer."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def typed(question: str) -> str:
    """Ask on the terminal; what is typed shows."""
    return _prompt(question, hide=False)


def hidden(question: str) -> str:
    """Ask without echo; where there is no terminal, read a line of standard input.

    Raises InputError where standard input has no line either.
    """
    if can_ask():
        return _prompt(question, hide=True)
    line = "" if sys.stdin is None or sys.stdin.closed else sys.stdin.readline()
    if not line:
        msg = (
            f"There is no terminal to ask on, and standard input holds no line for this: {question}. Nothing "
            "was changed. Run it on a terminal, or give a line for each question on standard input."
        )
        raise InputError(msg)
    return line.rstrip("\r\n")


def choose(question: str, check: Callable[[str], object]) -> str:
    """Have somebody choose a passphrase: `check` raises for a bad one at once, before it is typed again."""
    chosen = hidden(question)
    check(chosen)
    if hidden("The same again") != chosen:
        msg = "The two are different. Nothing was changed."
        raise InputError(msg)
    return chosen


def _prompt(question: str, *, hide: bool) -> str:
    try:
        return str(typer.prompt(question, default="", hide_input=hide, show_default=False, err=True))
    except typer.Abort:  # Ctrl+C and Ctrl+D at a question stop the command as they do anywhere else
        raise KeyboardInterrupt from None
