"""Find a partner by its name, and list partners with similar names.

Each operator of a service counts as a partner, so there are hundreds: a message lists those that are spelt similarly
and those with encounters, never more than ten.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from data.errors import InputError
from data.message import Message, join_messages, shorten
from data.workspace.folding import normalize_partner

MOST = 10
_BEGINNING = 3  # letters with which a name may begin as another
_NEAR = 0.75  # the share of letters that two names have in common, in the same order


def find(name: str, all_partners: Iterable[str], active: Iterable[str]) -> str:
    """Return the known spelling of a partner's name; raise InputError if it is unknown."""
    all_partners = list(all_partners)
    by_spelling = {normalize_partner(partner): partner for partner in sorted(all_partners)}
    partner = by_spelling.get(normalize_partner(name))
    if partner is None:
        unknown = Message("No partner {name!r} has records here. Nothing was changed.", name=name)
        raise InputError(join_messages([list_similar(name, all_partners, active), unknown], "\n"))
    return partner


def find_similar(name: str, all_partners: Iterable[str]) -> str:
    """Return the known partner whose name is most similar; empty if `name` is known, or if none is similar.

    A name of four letters is similar to one in which two neighbouring letters are exchanged or one letter is another. A
    name is also similar to one that begins with it, and to one that has all its words (ARSIS and ARSIS NGO).
    """
    by_spelling = {normalize_partner(partner): partner for partner in sorted(all_partners)}
    spelling = normalize_partner(name)
    if spelling in by_spelling:
        return ""
    longer = [other for other in by_spelling if len(spelling) >= _BEGINNING and other.startswith(spelling)]
    words = set(spelling.split())
    longer += [other for other in by_spelling if words <= set(other.split()) or set(other.split()) <= words]
    matches = difflib.get_close_matches(spelling, by_spelling, 1, _NEAR) or longer
    return by_spelling[matches[0]] if matches else ""


def list_similar(name: str, all_partners: Iterable[str], active: Iterable[str]) -> Message:
    """Return a sentence that lists partners with a similar name, then those with encounters (`active`), at most ten."""
    by_spelling = {normalize_partner(partner): partner for partner in sorted(all_partners)}
    matches = difflib.get_close_matches(normalize_partner(name), by_spelling, MOST)
    similar = [by_spelling[match] for match in matches]
    partners = [*similar, *sorted(set(active) - set(similar))]
    names = shorten(partners, MOST) or Message("none")
    return Message("Partners with a similar name or with encounters here: {names}.", names=names)
