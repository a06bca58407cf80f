"""Questions about a whole file, asked when its records are compared with those that are stored.

An import stores nothing until they are answered. The command line and the desk ask the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from data.errors import FileRefused
from data.message import Message, join_messages
from data.reference import area_table
from data.restricted.intake.identity import Crowd, Restarts
from data.restricted.intake.shape import name_first
from data.restricted.vault.earlier import Corrections, Overlap

REPLACES, INSIDE = ("period", "replaces"), ("period", "days")
NEW, NO_FAMILY = ("numbers", "new"), ("families", "none")
# For records that were entered by hand.
NOTHING_ASKED = {"period": "adds", "numbers": "correct", "changes": "right", "families": "right"}

_SHOWN = 3  # household numbers, or reasons
_BEGIN_AGAIN = Message("The numbers begin again: they are not read, and rows are compared by all their other cells")


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

    def split(self) -> tuple[list[Doubt], list[Doubt]]:
        """Return the question on record numbers, if it is open, and the others."""
        numbers = [doubt for doubt in self.doubts if doubt.name == NEW[0]]
        return numbers, [doubt for doubt in self.doubts if doubt not in numbers]


def raise_open(file: str, doubts: Iterable[Doubt], answers: Mapping[str, str]) -> None:
    """Raise DoubtfulFile if a question has no allowed answer."""
    if doubtful := [doubt for doubt in doubts if answers.get(doubt.name) not in doubt.answers]:
        raise word_doubts(file, doubtful)


def word_doubts(file: str, doubts: Sequence[Doubt]) -> DoubtfulFile:
    """Return the error for open questions."""
    return DoubtfulFile(join_messages([Message("{file}: no row was imported yet.", file=file), *_ask(doubts)]), doubts)


def doubt_numbers(corrections: Corrections | None, restarts: Restarts | None) -> Iterator[Doubt]:
    """Yield the question whether record numbers begin again, in the file or from file to file.

    They do if most corrections are about another child, day or place. One row in which all three are different is
    enough: that is no correction.
    """
    if corrections and not (corrections.all or 2 * corrections.some >= corrections.rows):
        corrections = None
    if restarts:
        yield Doubt(
            NEW[0],
            Message(
                "{count:,} of {rows:,} rows have a record number that another row of the file has too, with another "
                "child, place or day. Do the numbers begin again, for example in each month or sheet?",
                count=restarts.repeated,
                rows=restarts.rows,
            ),
            (),
            {"new": _BEGIN_AGAIN, "correct": Message("Each number is one record: rows that share one are rejected")},
        )
        return
    if corrections is None:
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
        NEW[0],
        Message(
            "{count:,} of {rows:,} rows with a known record number have another child, place or day than is stored. "
            "Are they corrections, or do the numbers begin again in each file?",
            count=corrections.some,
            rows=corrections.rows,
        ),
        (Message("Another child in {count:,} of {rows:,} rows.", count=corrections.child, rows=corrections.rows),),
        {"new": _BEGIN_AGAIN, "correct": Message("They are corrections of the same records")},
        tuple(sample),
    )


def doubt_period(overlap: Overlap | None, rejected: Sequence[Message]) -> Iterator[Doubt]:
    """Yield the question whether a file takes the place of an earlier one.

    rejected : why rows are rejected. It cannot take its place while one of them may be a row that is not in the file.
    """
    if overlap is None:
        return
    answers = {"replaces": Message("It takes its place: the rows that are not in this file go away")}
    facts = [
        Message(
            "{same:,} rows are the same, {new:,} rows are new or corrected, and {gone:,} rows of the earlier "
            "import, of the same months, are not in this file.",
            same=overlap.same,
            new=overlap.new,
            gone=overlap.gone,
        )
    ]
    if overlap.outside:
        facts.append(
            Message(
                "{count:,} of the rows that are not in this file are of days before its first or after its last day.",
                count=overlap.outside,
            )
        )
        answers["days"] = Message("It takes its place from its first to its last day: rows of other days stay")
    if not overlap.is_sure:
        answers = {}
        facts += [
            Message(
                "Rows of this file are rejected, and nobody can say which rows of the earlier import they are. So the "
                "file cannot take its place yet. Correct or delete these rows, then import the file again."
            ),
            *rejected[:_SHOWN],
        ]
    yield Doubt(
        "period",
        Message(
            "The file seems to be another version of import {numbers}. Does it take its place, or add to it?",
            numbers=", ".join(map(str, overlap.imports)),
        ),
        tuple(facts),
        {**answers, "adds": Message("It adds to it: all rows stay")},
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
