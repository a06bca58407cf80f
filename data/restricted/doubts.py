"""Questions about a whole file, asked when its records are compared with those that are stored.

An import stores nothing until they are answered. The command line and the desk ask the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from data.errors import FileRefused
from data.message import Message, join_messages
from data.reference import area_table
from data.restricted.intake.identity import Crowd
from data.restricted.intake.shape import name_first
from data.restricted.vault.earlier import Corrections, Overlap

REPLACES, NEW, NO_FAMILY = ("period", "replaces"), ("numbers", "new"), ("families", "none")
# For records that were entered by hand.
NOTHING_ASKED = {"period": "adds", "numbers": "correct", "changes": "right", "families": "right"}

_SHOWN = 3  # household numbers


@dataclass(frozen=True)
class Doubt:
    """A question about a file: its name, its text, what it rests on, and the meaning of each allowed answer.

    sample : places and months of records, stored and in the file, side by side. Only an officer at the desk may see
    them; the output of a command may be stored.
    """

    name: str
    text: Message
    facts: tuple[Message, ...]
    answers: Mapping[str, Message]
    sample: tuple[Message, ...] = ()


class DoubtfulFile(FileRefused):
    """A file has open questions; no row of it was imported."""

    def __init__(self, message: str, doubts: Sequence[Doubt]) -> None:
        super().__init__(message)
        self.doubts = tuple(doubts)


def raise_open(file: str, doubts: Iterable[Doubt], answers: Mapping[str, str]) -> None:
    """Raise DoubtfulFile if a question has no allowed answer."""
    if doubtful := [doubt for doubt in doubts if answers.get(doubt.name) not in doubt.answers]:
        message = join_messages([Message("{file}: no row was imported yet.", file=file), *_ask(doubtful)])
        raise DoubtfulFile(message, doubtful)


def doubt_corrections(corrections: Corrections | None) -> Iterator[Doubt]:
    """Yield the question whether record numbers begin again, if most corrections are about another child, day or place.

    One row in which all three are different is enough: that is no correction.
    """
    if corrections is None or not (corrections.all or 2 * corrections.some >= corrections.rows):
        return
    names = area_table()["name_en"]
    sample = [
        Message(
            "{count:,} times, stored: {old_place}, {old_month}; in this file: {place}, {month}.",
            count=count,
            old_place=names.get(old_place, old_place),
            old_month=old_month,
            place=names.get(place, place),
            month=month,
        )
        for old_place, old_month, place, month, count in corrections.pairs
    ]
    yield Doubt(
        "numbers",
        Message(
            "{count:,} of {rows:,} rows with a known record number have another child, place or day than is stored. "
            "Are they corrections, or do the numbers begin again in each file?",
            count=corrections.some,
            rows=corrections.rows,
        ),
        (Message("Another child in {count:,} of {rows:,} rows.", count=corrections.child, rows=corrections.rows),),
        {
            "new": Message("The numbers begin again: the rows are new records"),
            "correct": Message("They are corrections of the same records"),
        },
        tuple(sample),
    )


def doubt_period(overlap: Overlap | None) -> Iterator[Doubt]:
    """Yield the question whether a file takes the place of an earlier one."""
    if overlap is None:
        return
    yield Doubt(
        "period",
        Message(
            "The file seems to be another version of import {numbers}. Does it take its place, or add to it?",
            numbers=", ".join(map(str, overlap.imports)),
        ),
        (
            Message(
                "{same:,} rows are the same, {new:,} rows are new or corrected, and {gone:,} rows of the earlier "
                "import, of the same months, are not in this file.",
                same=overlap.same,
                new=overlap.new,
                gone=overlap.gone,
            ),
        ),
        {
            "replaces": Message("It takes its place: the rows that are not in this file go away"),
            "adds": Message("It adds to it: all rows stay"),
        },
    )


def doubt_changes(changes: Iterable[Message]) -> Iterator[Doubt]:
    """Yield the question whether a file is read rightly, if it differs from the last one of the partner."""
    if changes := tuple(changes):
        yield Doubt(
            "changes",
            Message(
                "The file differs from the last one of this partner, or a column may not be what it seems. "
                "Is it read rightly?"
            ),
            changes,
            {"right": Message("Yes, import it so")},
        )


def doubt_families(crowds: Iterable[Crowd]) -> Iterator[Doubt]:
    """Yield the question whether household numbers with very many children are families."""
    if crowds := tuple(crowds):
        yield Doubt(
            "families",
            Message("A household number stands for more children than a family usually has. Is it one family?"),
            tuple(
                Message(
                    "{count:,} children have the same household number, in lines {lines}.",
                    count=crowd.children,
                    lines=name_first(crowd.lines),
                )
                for crowd in crowds[:_SHOWN]
            ),
            {
                "none": Message("No, it means that there is no number, or a shelter or village: they are in no family"),
                "right": Message("Yes, they are one family"),
            },
        )


def _ask(doubts: Iterable[Doubt]) -> Iterator[Message]:
    for doubt in doubts:
        yield doubt.text
        yield from doubt.facts
        if doubt.sample:
            yield Message("The desk shows old and new side by side.")
        for code, meaning in doubt.answers.items():
            yield Message("{meaning}: --answer {name}={code}.", meaning=meaning, name=doubt.name, code=code)
