"""The policy file of a workspace: how releases are protected, and all tables that they may contain.

`tact init` writes `policy.toml` with the safe defaults and an explanation of each line. The threshold k and the number
of operators may only be raised, and the plan may only contain what MAY_HOLD in data/tables/spec.py allows. A file with
a fault is not used at all: the error lists every fault with its place and what is allowed.
"""

from __future__ import annotations

import datetime as dt
import json
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.errors import InputError
from data.message import Message, join_messages
from data.reference import area_table
from data.tables.periods import GRAINS
from data.tables.spec import (
    CATEGORIES,
    DEFAULT_BLOCKS,
    DEFAULT_PLAN,
    LEVELS,
    MAY_HOLD,
    TIERS,
    Block,
    Plan,
    TableSpec,
    Tier,
)
from data.workspace.toml_text import parse_toml

FILE = "policy.toml"
_NONE, _AND = "none", " and "
KEYS = ("measures", "levels", "periods", "breakdowns")
_WIDTH = 110
_REMOVED = Message(
    "this version protects counts by noise alone (the cell key method); the mechanisms 'threshold' and 'dp' "
    "and their settings are gone. Delete the line. What was released with one of them cannot be continued: "
    "import the records into a new workspace and release them there."
)
_REMEDY = Message("Correct it, or move it away and let `tact doctor` write the default.")

# Each value that may be set: its section, name and kind, and what a data officer should know.
_VALUES: tuple[tuple[str, str, str, str], ...] = (
    ("protection", "k", "whole", "A public count of children below it is not shown. It may only be raised."),
    (
        "protection",
        "k_municipal",
        "whole",
        "Partners see no count of a municipality below it. It may only be raised; 1 shows all from 1 on.",
    ),
    ("protection", "variance", "number", "How much the noise on a count of children varies."),
    (
        "protection",
        "variance_near_k",
        "number",
        "The same for counts of 7 to 15; it lets k be 11 (see `tact policy compare`).",
    ),
    ("protection", "largest", "whole", "The most that noise ever adds or takes away."),
    ("counting", "cap", "whole", "How many encounters with one child are counted in an area and period, at most."),
    (
        "counting",
        "operators",
        "whole",
        "Smallest number of operators for which services for protection, return and reintegration show.",
    ),
    ("counting", "first", "day", "First day of the programme. Its whole quarter is counted, and nothing before that."),
    (
        "counting",
        "last",
        "day",
        "Last day of the programme. Its whole quarter is counted. Before it the whole programme has no number.",
    ),
    ("counting", "lag", "whole", "Months after the end of a year until its numbers are final (1 to 24)."),
    ("counting", "no_programme", "codes", "Areas where the programme does not work; they show a zero."),
    ("targets", "target_at_risk", "whole", "Children at risk to reach, in both countries together; 0 for no target."),
    ("targets", "target_victims", "whole", "Current or former victims to reach, likewise."),
    ("targets", "target_source", "text or none", "Where these targets stand."),
    ("licence", "partner_licence", "text", "Licence text in partner files."),
    ("licence", "public_licence", "text", "Licence text in public files."),
    ("catalogue", "publisher", "text or none", "Who publishes the releases, for catalogues and citations."),
    ("catalogue", "doi", "text or none", "DOI of the public releases, such as 10.5281/zenodo.1234567."),
)
_HEAD = """\
# Protection policy: how the releases of this workspace are protected, and all tables that they may hold.
# `tact release` reads it, `tact doctor` checks it, and `tact policy compare` shows what other values would
# change. Lines that you leave out have their default.
# The noise (variance, variance_near_k, largest, cap) cannot be changed once something was released: a
# published number is repeated, and a second draw of it could be averaged with the first.
# The days of the programme are yours to set before the first release: nothing follows from the records' days.
# Years run from June to May, and quarters begin in June, September, December and March, whatever the first day is.
"""
# Lines of [protection] that earlier versions wrote, with the values that mean what holds now.
_FORMER = {"mechanism": "cell_key", "zeros_shown": False, "epsilon": 1.0, "cells": 80, "budget": 80.0}
_PLAN_HEAD = """\
# Release plan. Each block stands for all combinations of what it lists; "none" is the number without a
# breakdown.
"""


@dataclass(frozen=True)
class Rules:
    """The content of a policy file: the policy, and the plan of tables."""

    policy: Policy
    plan: Plan


def read(workspace: Path) -> Rules:
    """Read a workspace's policy, or return the defaults if it has none.

    Raises InputError if the file cannot be read, or if it has faults, and then lists all of them.
    """
    path = workspace / FILE
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Rules(DEFAULT_POLICY, DEFAULT_PLAN)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path | str, error: Exception) -> InputError:
    fault = Message("{path} cannot be read: {why}", path=path, why=f"{error}.")
    return InputError(join_messages([fault, _REMEDY]))


def default_text() -> str:
    """Return the text of a policy file with the defaults, each explained."""
    parts = [_HEAD]
    for section in dict.fromkeys(section for section, *_ in _VALUES):
        parts.append(f"[{section}]")
        parts += [_write_line(name, kind, words) for place, name, kind, words in _VALUES if place == section]
        parts.append("")
    parts.append(_PLAN_HEAD)
    parts += [_write_block(tier, block) for tier in TIERS for block in DEFAULT_BLOCKS[tier]]
    return "\n".join(parts)


def _write_line(name: str, kind: str, words: str) -> str:
    value = getattr(DEFAULT_POLICY, name)
    text = value.isoformat() if kind == "day" else json.dumps(sorted(value) if kind == "codes" else value)
    return f"# {words}\n{name} = {text}"


def _write_block(tier: Tier, block: Block) -> str:
    names = [_AND.join(b) or _NONE for b in block.breakdowns]
    values = zip(KEYS, (block.measures, block.levels, block.periods, names), strict=True)
    why = textwrap.wrap(block.why, _WIDTH - 2)
    lines = [f"[[{tier}]]", *(f"# {line}" for line in why)]
    return "\n".join([*lines, *(f"{key} = {json.dumps(list(value))}" for key, value in values), ""])


def parse(text: str) -> Rules:
    """Read the text of a policy file.

    Raises InputError that lists every fault, its place and what is allowed; of a text that is not TOML only the first.
    """
    try:
        content = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(FILE, error) from None
    faults: list[str] = list(_find_unknown_names(content))
    values = dict(_read_values(content, faults))
    policy = DEFAULT_POLICY
    try:
        policy = Policy(**values)
    except InputError as error:
        faults.append(error.message)
    nowhere = sorted(policy.no_programme - set(area_table().index))
    faults += [
        Message("[counting] no_programme: {code!r} is no area. Write codes, such as GR-69.", code=code)
        for code in nowhere
    ]
    plan = {tier: tuple(_read_tables(tier, content, faults)) for tier in TIERS}
    faults += _find_unmatched(plan)
    if faults:
        raise InputError(join_messages([Message("{file} cannot be used:", file=FILE), *faults], "\n  "))
    return Rules(policy, plan)


def _find_unknown_names(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each section or setting that does not exist or no longer exists.

    A setting that no longer exists is accepted if it has its value in `_FORMER`, which means what holds now.
    """
    sections = {section: [name for place, name, *_ in _VALUES if place == section] for section, *_ in _VALUES}
    for name, value in content.items():
        if name in TIERS:
            continue
        if name not in sections or not isinstance(value, dict):
            listed_names = ", ".join((*sections, *TIERS))
            yield Message("{name}: there is no such section. There are: {known}.", name=name, known=listed_names)
            continue
        for key in sorted(value.keys() - set(sections[name])):
            if name == "protection" and key in _FORMER:
                if value[key] != _FORMER[key]:
                    yield join_messages([f"[{name}] {key} = {value[key]!r}", _REMOVED], ": ")
                continue
            listed_names = ", ".join(sections[name])
            yield Message(
                "[{name}] {key}: there is no such value. There are: {known}.", name=name, key=key, known=listed_names
            )


def _read_values(content: Mapping[str, Any], faults: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of each setting in the file; add a fault for each that cannot be used."""
    for section, name, kind, _ in _VALUES:
        settings = content.get(section)
        if not isinstance(settings, dict) or name not in settings:
            continue
        fits, words, convert = _KINDS[kind]
        if fits(settings[name]):
            yield name, convert(settings[name])
        else:
            line = f"[{section}] {name} = {settings[name]!r}"
            faults.append(Message("{line}: write {words}.", line=line, words=words))


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_day(value: object) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _is_list(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


_KINDS: Mapping[str, tuple[Callable[[Any], bool], str, Callable[[Any], Any]]] = {
    "whole": (_is_whole, Message("a whole number"), int),
    "number": (lambda value: _is_whole(value) or isinstance(value, float), Message("a number"), float),
    "day": (_is_day, Message("a day without quotes, such as 2006-06-01"), lambda day: day),
    "codes": (_is_list, Message('a list of area codes, such as ["GR-69"]'), frozenset),
    "text": (lambda value: isinstance(value, str) and bool(value.strip()), Message("a text in quotes"), str),
    "text or none": (lambda value: isinstance(value, str), Message("a text in quotes"), str.strip),
}


def _read_tables(tier: Tier, content: Mapping[str, Any], faults: list[str]) -> Iterator[TableSpec]:
    """Yield the tables of a tier, each once; the default tables if the file lists none for either tier.

    A message for each fault is added to `faults`.
    """
    if not any(name in content for name in TIERS):
        yield from DEFAULT_PLAN[tier]
        return
    blocks = content.get(tier, [])
    if not isinstance(blocks, list) or not all(isinstance(b, dict) for b in blocks):
        faults.append(Message("{tier}: write blocks, each under [[{tier}]].", tier=tier))
        return
    earlier: set[TableSpec] = set()
    for number, block in enumerate(blocks, start=1):
        where = Message("[[{tier}]] block {number}", tier=tier, number=number)
        wrong = list(_find_wrong_words(block, tier))
        specs = [] if wrong else _read_block(block).specs
        wrong += [words for spec in specs if (words := _describe_forbidden(spec, tier))]
        faults += [join_messages([where, words], ", ") for words in dict.fromkeys(wrong)]
        if not wrong:
            yield from (spec for spec in specs if spec not in earlier)
            earlier.update(specs)


def _list_breakdowns() -> list[str]:
    """List the names of all breakdowns that are allowed for any table."""
    allowed = {b for measures in MAY_HOLD.values() for a in measures.values() for b in a.breakdowns}
    order = ("", *CATEGORIES, "origin")
    return [_AND.join(b) or _NONE for b in sorted(allowed, key=lambda b: order.index(b[0] if b else ""))]


def _find_wrong_words(block: Mapping[str, Any], tier: Tier) -> Iterator[str]:
    """Yield a message for each key or value of a block that is not allowed on its tier."""
    allowed_words: tuple[Sequence[str], ...] = (tuple(MAY_HOLD[tier]), LEVELS, GRAINS, _list_breakdowns())
    for key in block.keys() - set(KEYS):
        yield Message("{key}: there is no such line. There are: {known}.", key=key, known=", ".join(KEYS))
    for key, words in zip(KEYS, allowed_words, strict=True):
        value = block.get(key, [_NONE] if key == "breakdowns" else None)
        if not _is_list(value) or not value:
            yield Message("{key}: write a list, of {words}.", key=key, words=", ".join(words))
            continue
        for word in value:
            if word not in words:
                allowed = ", ".join(words)
                yield Message(
                    "{key}: {word!r} is not allowed. Allowed: {allowed}.", key=key, word=word, allowed=allowed
                )


def _read_block(block: Mapping[str, Any]) -> Block:
    names = block.get("breakdowns", [_NONE])
    breakdowns = tuple(() if name == _NONE else tuple(name.split(_AND)) for name in names)
    return Block(tuple(block["measures"]), tuple(block["levels"]), tuple(block["periods"]), breakdowns)


def _describe_forbidden(spec: TableSpec, tier: Tier) -> str:
    """Return a message on the first part of a table that is forbidden on its tier; empty if none is."""
    may = MAY_HOLD[tier][spec.measure]
    names = [_AND.join(b) or _NONE for b in may.breakdowns]
    parts: tuple[tuple[str, str, Iterable[str]], ...] = (
        ("levels", spec.level, may.find_levels(spec.breakdown)),
        ("periods", spec.grain, may.find_periods(spec.breakdown)),
        ("breakdowns", _AND.join(spec.breakdown) or _NONE, names),
    )
    for key, word, words in parts:
        if word not in words:
            return Message(
                "{key}: {measure} by {word!r} is not allowed here. Allowed: {allowed}.",
                key=key,
                measure=spec.measure,
                word=word,
                allowed=", ".join(words),
            )
    return ""


def _find_unmatched(plan: Plan) -> Iterator[str]:
    """Yield a message for each public table of counts that is not a table of the partner tier too, as it must be."""
    for spec in plan["public"]:
        if spec.counted and spec not in plan["partner"]:
            yield Message(
                "[[public]]: {table} must be a partner table too. Add it to a [[partner]] block.", table=spec.name
            )
