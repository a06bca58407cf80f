"""Meetings: the agenda, which consists of views that are fixed to a release, and the decisions beside each view.

A view with a decision cannot be removed, and neither can its meeting, until the decision is removed. Texts are checked
before they are stored (data/personal/free_text.py). If people sign in, each change is a row of the audit log; the
argument `person` is the name in this row, and empty without sign-in.
"""

from __future__ import annotations

import datetime as dt
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from data.accounts.database import Accounts
from data.accounts.log import Event, add_row
from data.errors import InputError
from data.message import Message

MOST_ITEMS, MOST_DECISIONS = 60, 60  # of a meeting


@dataclass(frozen=True)
class Decision:
    """A decision: what is to be done, by whom (an office or organisation), by when (ISO day), for an area or a plan.

    area, plan : the code of an area and the address of a plan; empty for none. id : 0 for a decision not yet stored.
    """

    what: str
    who: str
    due: str
    area: str = ""
    plan: str = ""
    id: int = 0


@dataclass(frozen=True)
class Item:
    """A view on the agenda: its address without the release, the release it shows, a sentence, and its decisions.

    id : 0 for a view not yet stored.
    """

    view: str
    release: str
    sentence: str
    decisions: tuple[Decision, ...] = ()
    id: int = 0


@dataclass(frozen=True)
class Meeting:
    """A meeting: the key by which addresses name it, its title, its day (ISO), and its agenda in order."""

    key: str
    title: str
    day: str
    items: tuple[Item, ...] = ()


def find_local_file(derived: Path) -> Path:
    """Return the file of meetings of a map without sign-in. It is beside the saved plans, and may not exist yet."""
    return derived / "meetings.sqlite"


def list_meetings(accounts: Accounts) -> list[Meeting]:
    """List all meetings with their agendas and decisions, the newest first."""
    with accounts.read() as connection:
        connection.execute("BEGIN")  # all queries see one state, while others write
        decisions: dict[int, list[Decision]] = {}
        for row in connection.execute("SELECT item, what, who, due, area, plan, id FROM decisions ORDER BY id"):
            decisions.setdefault(row["item"], []).append(Decision(*tuple(row)[1:]))
        items: dict[int, list[Item]] = {}
        for row in connection.execute("SELECT * FROM agenda_items ORDER BY place"):
            beside = tuple(decisions.get(row["id"], ()))
            item = Item(row["view"], row["release"], row["sentence"], beside, row["id"])
            items.setdefault(row["meeting"], []).append(item)
        return [
            Meeting(row["key"], row["title"], row["day"], tuple(items.get(row["id"], ())))
            for row in connection.execute("SELECT * FROM meetings ORDER BY day DESC, id DESC")
        ]


def create_meeting(accounts: Accounts, title: str, day: str, person: str = "", first: Item | None = None) -> str:
    """Create a meeting on a day (ISO), together with the first view of its agenda if there is one; return its key.

    Raises InputError if `day` is no day.
    """
    _check_day(day)
    key = secrets.token_hex(8)
    with accounts.write() as connection:
        connection.execute("INSERT INTO meetings (key, title, day) VALUES (?, ?, ?)", (key, title, day))
        _note(connection, accounts, person, "meeting", key)
        if first is not None:
            _add_item(connection, accounts, key, first, person)
    return key


def add_item(accounts: Accounts, key: str, item: Item, person: str = "") -> None:
    """Add a view at the end of an agenda. Raises InputError if the meeting does not exist or its agenda is full."""
    with accounts.write() as connection:
        _add_item(connection, accounts, key, item, person)


def _add_item(connection: sqlite3.Connection, accounts: Accounts, key: str, item: Item, person: str) -> None:
    meeting = _find_meeting(connection, key)
    count, last = connection.execute(
        "SELECT count(*), coalesce(max(place), 0) FROM agenda_items WHERE meeting = ?", (meeting,)
    ).fetchone()
    if count >= MOST_ITEMS:
        raise InputError(Message("An agenda has at most {most} views. Remove one first.", most=MOST_ITEMS))
    connection.execute(
        "INSERT INTO agenda_items (meeting, place, view, release, sentence) VALUES (?, ?, ?, ?, ?)",
        (meeting, last + 1, item.view, item.release, item.sentence),
    )
    _note(connection, accounts, person, "agenda", key)


def move_item(accounts: Accounts, key: str, item: int, step: int, person: str = "") -> None:
    """Exchange a view with the view before it (step -1) or after it (1); nothing happens if one of them is missing.

    Raises InputError if the meeting does not exist.
    """
    with accounts.write() as connection:
        rows = connection.execute(
            "SELECT id, place FROM agenda_items WHERE meeting = ? ORDER BY place", (_find_meeting(connection, key),)
        ).fetchall()
        index = next((position for position, row in enumerate(rows) if row["id"] == item), None)
        if index is None or not 0 <= index + step < len(rows):
            return
        for row, place in ((rows[index], rows[index + step]["place"]), (rows[index + step], rows[index]["place"])):
            connection.execute("UPDATE agenda_items SET place = ? WHERE id = ?", (place, row["id"]))
        _note(connection, accounts, person, "agenda", key)


def remove_item(accounts: Accounts, key: str, item: int, person: str = "") -> None:
    """Remove a view from an agenda. Raises InputError if it has a decision, or the meeting does not exist."""
    with accounts.write() as connection:
        meeting = _find_meeting(connection, key)
        if connection.execute("SELECT 1 FROM decisions WHERE item = ?", (item,)).fetchone():
            raise InputError(Message("Something was decided beside this view, so it stays on the agenda."))
        cursor = connection.execute("DELETE FROM agenda_items WHERE id = ? AND meeting = ?", (item, meeting))
        if cursor.rowcount:
            _note(connection, accounts, person, "agenda", key)


def add_decision(accounts: Accounts, key: str, item: int, decision: Decision, person: str = "") -> None:
    """Add a decision beside a view.

    Raises InputError if the meeting or the view does not exist, if the meeting has MOST_DECISIONS decisions, or if the
    decision is due on no day.
    """
    _check_day(decision.due)
    with accounts.write() as connection:
        meeting = _find_meeting(connection, key)
        if not connection.execute(
            "SELECT 1 FROM agenda_items WHERE (id, meeting) = (?, ?)", (item, meeting)
        ).fetchone():
            raise InputError(Message("This view is no longer on the agenda. Open the agenda again."))
        count = connection.execute(
            "SELECT count(*) FROM decisions JOIN agenda_items ON agenda_items.id = item WHERE meeting = ?", (meeting,)
        ).fetchone()[0]
        if count >= MOST_DECISIONS:
            raise InputError(Message("A meeting has at most {most} decisions.", most=MOST_DECISIONS))
        connection.execute(
            "INSERT INTO decisions (item, what, who, due, area, plan) VALUES (?, ?, ?, ?, ?, ?)",
            (item, decision.what, decision.who, decision.due, decision.area, decision.plan),
        )
        _note(connection, accounts, person, "decision", key)


def remove_decision(accounts: Accounts, key: str, decision: int, person: str = "") -> None:
    """Remove a decision from a meeting, for example one with a wrong word.

    Nothing happens if the meeting has no such decision. Raises InputError if the meeting does not exist.
    """
    with accounts.write() as connection:
        cursor = connection.execute(
            "DELETE FROM decisions WHERE id = ? AND item IN (SELECT id FROM agenda_items WHERE meeting = ?)",
            (decision, _find_meeting(connection, key)),
        )
        if cursor.rowcount:
            _note(connection, accounts, person, "decision removed", key)


def remove_meeting(accounts: Accounts, key: str, person: str = "") -> None:
    """Remove a meeting and its agenda. Raises InputError if it has a decision or does not exist."""
    with accounts.write() as connection:
        meeting = _find_meeting(connection, key)
        inside = "SELECT 1 FROM decisions JOIN agenda_items ON agenda_items.id = item WHERE meeting = ?"
        if connection.execute(inside, (meeting,)).fetchone():
            raise InputError(Message("Something was decided in this meeting, so its minutes stay."))
        connection.execute("DELETE FROM agenda_items WHERE meeting = ?", (meeting,))
        connection.execute("DELETE FROM meetings WHERE id = ?", (meeting,))
        _note(connection, accounts, person, "meeting removed", key)


def count_old_meetings(accounts: Accounts, before: dt.date) -> int:
    """Count the meetings that took place before a day."""
    with accounts.read() as connection:
        return len(_find_old(connection, before))


def remove_old_meetings(accounts: Accounts, before: dt.date, confirmed: int, user: str) -> None:
    """Remove the meetings before a day with their agendas and decisions, and add a row to the log.

    confirmed : the number of these meetings, which a person has seen; raises InputError if it is different now. If
    there are none, nothing happens. user : the user of the operating system, whom the row of the log names.
    """
    with accounts.write() as connection:
        old = _find_old(connection, before)
        if len(old) != confirmed:
            raise InputError(f"{len(old)} meetings are older than {before}, not {confirmed}. Nothing was removed.")
        if not old:
            return
        items = "SELECT id FROM agenda_items WHERE meeting = ?"
        connection.executemany(f"DELETE FROM decisions WHERE item IN ({items})", old)  # noqa: S608
        connection.executemany("DELETE FROM agenda_items WHERE meeting = ?", old)
        connection.executemany("DELETE FROM meetings WHERE id = ?", old)
        details = {"what": "old meetings removed", "before": f"{before}", "number": f"{len(old)}", "user": user}
        add_row(connection, accounts.clock(), Event.PLANNED, **details)


def _find_old(connection: sqlite3.Connection, before: dt.date) -> list[tuple[int]]:
    return [tuple(row) for row in connection.execute("SELECT id FROM meetings WHERE day < ?", (f"{before}",))]


def find_previous(meetings: list[Meeting], meeting: Meeting) -> Meeting | None:
    """Return the newest meeting before the given one that has a decision; None if there is none.

    `meetings` begins with the newest.
    """
    earlier = meetings[meetings.index(meeting) + 1 :] if meeting in meetings else []
    return next((other for other in earlier if any(item.decisions for item in other.items)), None)


def _check_day(text: str) -> None:
    """Raise InputError for a text that is no ISO day. A browser may send an empty day from a form."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(Message("Choose a day.")) from None


def _find_meeting(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute("SELECT id FROM meetings WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise InputError(Message("There is no such meeting. Open the agenda again."))
    return int(row["id"])


def _note(connection: sqlite3.Connection, accounts: Accounts, person: str, what: str, key: str) -> None:
    """Write the change and the person into the log, if people sign in."""
    if person:
        add_row(connection, accounts.clock(), Event.PLANNED, person, what=what, name=key)
