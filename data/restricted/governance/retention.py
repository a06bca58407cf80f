"""Retention: the records that are kept longer than the governance file allows, and the consent to delete them.

A wrong clock or a mistyped `months` makes all records look old. So a person must confirm the number of records before
they are deleted, if the clock is before the last import or release, or long after it, or if a large part of the records
would be deleted. The day of the last import or release is a note in the vault. If the clock is in doubt, its day is
noted only after a person has confirmed it, so that later days are not compared with a wrong one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from data.errors import InputError
from data.message import Message, join_messages
from data.restricted import governance
from data.restricted.vault import Vault, forget_log
from data.workspace import Workspace

MAX_DAYS = 92  # between two imports or releases; as long as the longest quarter
MAX_PERCENT = 10  # per cent of the records of encounters
_NOTE = "clock"


@dataclass(frozen=True)
class Overdue:
    """The records of children without an encounter since a day, and doubts about deleting them.

    count: the number of these records. total: the number of all encounters. since: the day; None if all are kept.
    """

    count: int
    total: int
    since: dt.date | None
    today: dt.date
    doubts: tuple[str, ...]

    @property
    def to_confirm(self) -> int | None:
        """The number that a person must confirm before records are deleted; None if it is 0 or nothing is in doubt."""
        return self.count if self.count and self.doubts else None

    def require_consent(self, confirmed: int | None) -> None:
        """Raise InputError if a person must confirm the number of records before they are deleted, and nobody did.

        A wrong number is an error too, so that no script can confirm a number that nobody has seen.
        """
        if confirmed in (self.to_confirm, self.count):
            return
        lines: list[str] = [
            Message("governance.toml deletes no record, because it has no months of retention.")
            if self.since is None
            else Message(
                "{count:,} of {total:,} records are about children without an encounter since {since}.",
                count=self.count,
                total=self.total,
                since=self.since,
            )
        ]
        if confirmed is not None:
            lines.append(
                Message(
                    "--delete-overdue says {count}. It must name exactly the records that would be deleted.",
                    count=confirmed,
                )
            )
        lines += [*self.doubts, Message("Nothing was changed: no record was deleted, imported or released.")]
        if self.count:
            lines.append(
                Message(
                    "If all of them shall be deleted, add to the same command: --delete-overdue {count}",
                    count=self.count,
                )
            )
        raise InputError(join_messages(lines, "\n"))


def find_overdue(workspace: Workspace, vault: Vault) -> Overdue:
    """Count the records that the next import or release deletes, and list why a person must confirm it first."""
    today = dt.date.fromisoformat(forget_log.today())
    since = governance.read(workspace).kept_since(today)
    count, total = (vault.count_overdue(since) if since else 0), vault.count("encounter")
    # Vaults of earlier versions know only the last import.
    day = vault.read_note(_NOTE) or next((batch["at"][:10] for batch in reversed(vault.list_imports())), None)
    doubts = [*_doubt_clock(today, dt.date.fromisoformat(day) if day else None), *_doubt_number(count, total)]
    return Overdue(count, total, since, today, tuple(doubts))


def delete_overdue(vault: Vault, overdue: Overdue) -> int:
    """Delete the overdue records and note the day; return the number of deleted records.

    If nothing is in doubt, entries on such children that are only in the history of records are deleted too, but not
    counted. The caller must have called `require_consent`, and hold the writer's lock since the records were counted.
    """
    sure = overdue.count or not overdue.doubts
    deleted = vault.expire(overdue.since) if overdue.since and sure else 0
    today = overdue.today.isoformat()
    if sure and vault.read_note(_NOTE) != today:
        vault.write_note(_NOTE, today)
    return deleted


def _doubt_clock(today: dt.date, last: dt.date | None) -> list[str]:
    if last is None or 0 <= (today - last).days <= MAX_DAYS:
        return []
    if today < last:
        when = Message("That is before the last import or release, on {last}.", last=last)
    else:
        when = Message(
            "That is more than {days} days after the last import or release, on {last}.", days=MAX_DAYS, last=last
        )
    clock = Message("The clock of this machine says {today}.", today=today)
    return [join_messages([clock, when, Message("If it is wrong, set the clock.")])]


def _doubt_number(count: int, total: int) -> list[str]:
    if count * 100 <= total * MAX_PERCENT:
        return []
    return [
        Message(
            "That is more than {percent} % of the records. If months in governance.toml is wrong, correct it.",
            percent=MAX_PERCENT,
        )
    ]
