"""Partners by their names: which one is meant, and whom to name where none is.

Each operator of a service counts as a partner, which makes hundreds: a message names those that are spelt
alike and those who brought encounters, and never more than ten.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from data.errors import InputError
from data.workspace.folding import normal_identifier

__all__ = ["MOST", "find", "listed", "same"]

MOST = 10


def find(name: str, known: Iterable[str], main: Iterable[str]) -> str:
    """Give the known spelling of a partner's name; raise InputError, the message last, where none is."""
    known = list(known)
    spelt = {normal_identifier(one): one for one in sorted(known)}
    meant = spelt.get(normal_identifier(name))
    if meant is None:
        msg = f"{listed(name, known, main)}\nNo partner {name!r} has records here. Nothing was changed."
        raise InputError(msg)
    return meant


def same(one: str, other: str) -> bool:
    """Tell whether two spellings are one partner's."""
    return normal_identifier(one) == normal_identifier(other)


def listed(name: str, known: Iterable[str], main: Iterable[str]) -> str:
    """Name the partners that may be meant: those spelt alike, then those who brought encounters."""
    spelt = {normal_identifier(one): one for one in sorted(known)}
    alike = [spelt[n] for n in difflib.get_close_matches(normal_identifier(name), spelt, MOST)]
    others = sorted(set(main) - set(alike))
    named = [*alike, *others]
    more = f" and {len(named) - MOST} more" if len(named) > MOST else ""
    return f"Partners spelt alike or with encounters here: {', '.join(named[:MOST]) or 'none'}{more}."
