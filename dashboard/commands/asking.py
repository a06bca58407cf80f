"""Questions to the user of a terminal, with hidden or visible input."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from data.errors import InputError


def can_ask() -> bool:
    """Return whether there is a terminal on which a person can answer."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def ask(question: str) -> str:
    """Ask on the terminal and return the answer; the input is visible. Ctrl+C raises KeyboardInterrupt."""
    return _prompt(question, hide=False)


def ask_hidden(question: str) -> str:
    """Ask on the terminal with hidden input and return the answer; without a terminal, read a line of standard input.

    Raises InputError if standard input has no line left.
    """
    if can_ask():
        return _prompt(question, hide=True)
    line = "" if sys.stdin is None or sys.stdin.closed else sys.stdin.readline()
    if not line:
        raise InputError(
            f"Cannot ask “{question}”: this is not a terminal, and standard input has no line left. Nothing "
            "was changed. Run the command on a terminal, or give one line for each question."
        )
    return line.rstrip("\r\n")


def require_person(what: str, remedy: str, *, as_json: bool) -> None:
    """Raise InputError if nobody can confirm `what` a command would do; `remedy` : the option that needs no answer."""
    if as_json or not can_ask():
        why = "With --json nothing is asked" if as_json else "This is not a terminal"
        raise InputError(f"{what} {why}, so nothing was changed. {remedy}: --yes")


def require_yes(question: str) -> None:
    """Ask on the terminal; raise InputError if the answer is not yes."""
    if ask(question).strip().casefold() != "yes":
        raise InputError("Nothing was changed.")


def choose_passphrase(question: str, check: Callable[[str], object]) -> str:
    """Ask for a new passphrase twice and return it. Raises InputError if the two are different.

    check : is called with the first, before the second is asked for, and raises an error for a bad passphrase.
    """
    passphrase = ask_hidden(question)
    check(passphrase)
    if ask_hidden("The same again") != passphrase:
        raise InputError("The two are different. Nothing was changed.")
    return passphrase


def _prompt(question: str, *, hide: bool) -> str:
    try:
        return str(typer.prompt(question, default="", hide_input=hide, show_default=False, err=True))
    except typer.Abort:  # Ctrl+C and Ctrl+D at a question stop the command as they do anywhere else
        raise KeyboardInterrupt from None
