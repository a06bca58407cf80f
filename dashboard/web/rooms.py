"""The rooms of meetings, in the memory of this process: who presents, what they show, who follows.

A room shows one complete view, the last one sent. It is the address of a page without its host and without each
reader's own choices (language, theme, projector). A room holds no other text, and nothing of it is written to a file.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from dashboard.site.reader import Reader
from data.accounts.proof import hash_secret

MOST_ROOMS, MOST_LINES = 100, 60  # rooms of a process; connections of a room
_MOST_OF_ADDRESS = 10  # rooms that one network address has open
_SECONDS = 12 * 60 * 60.0  # seconds without news after which a room ends
_EMPTY = 10 * 60.0  # seconds without any line after which a room ends; to load the page again takes less
_AWAY = 60.0  # seconds without the presenter after which another member may present
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none of them looks like another
_GROUPS, _GROUP = 4, 4  # 31 ** 16 codes, 79 bits
_OWN = frozenset({"lang", "theme", "projector", "token", "meeting"})
_LONGEST, _LONGEST_VALUE, _MOST_NAMES = 2000, 300, 60
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_SECRET = re.compile(r"[0-9a-f]{32}")


def clean_view(text: object, pages: Collection[str]) -> str | None:
    """Return an address relative to the product, such as `map?area=AL-02`, without each reader's own choices.

    None if `text` is anything else: an address of another site or of no page, one that is too long, or one with
    parameters that no page has. pages : the addresses of the pages, without a slash; that of the first page is empty.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        asked = urlsplit(text)
        pairs = parse_qsl(asked.query, keep_blank_values=True, max_num_fields=_MOST_NAMES)
    except ValueError:
        return None
    if asked.scheme or asked.netloc or asked.fragment or asked.path not in pages:
        return None
    if any(not _NAME.fullmatch(name) or len(value) > _LONGEST_VALUE for name, value in pairs):
        return None
    query = urlencode([(name, value) for name, value in pairs if name not in _OWN])
    return f"{asked.path}?{query}" if query else asked.path


def clean_pointer(place: object) -> tuple[float, float] | None:
    """Return the latitude and longitude at which the presenter points, in degrees, to four decimals.

    None if `place` is not a list of two such numbers, as when the presenter points at nothing.
    """
    if not isinstance(place, list) or len(place) != 2:
        return None
    # Compared before it is made a float, which a number of 400 digits cannot be; nan is not smaller than anything.
    limits = zip(place, (90, 180), strict=True)
    if not all(type(value) in (int, float) and abs(value) <= most for value, most in limits):
        return None
    return round(float(place[0]), 4), round(float(place[1]), 4)


def identify_window(secret: object) -> str | None:
    """Return the identity of a member's browser window from its secret; None if the text is no such secret."""
    known = isinstance(secret, str) and _SECRET.fullmatch(secret)
    return hash_secret(str(secret)) if known else None


@dataclass(eq=False)
class Line:
    """A connection of a member of a meeting.

    member : the identity of the member's window. may_present : whether the member may present. news : set when there is
    something new to send.
    """

    member: str
    reader: Reader
    may_present: bool
    news: asyncio.Event = field(default_factory=asyncio.Event)
    allowed: tuple[str | None, bool] = (None, False)  # the last view, and whether they may see it: meeting.py


class Room:
    """A meeting: its presenter, the view that is shown, the point on the map, and the lines of all members."""

    def __init__(self, code: str, presenter: str, opener: str, clock: Callable[[], float]) -> None:
        self.code, self.opener, self._clock = code, opener, clock
        self.presenter = presenter
        self.view: str | None = None
        self.pointer: tuple[float, float] | None = None
        self.lines: list[Line] = []
        self.has_ended = False
        self._numbers: dict[str, int] = {}
        self._news = self._left = self._last_line = clock()

    def is_over(self) -> bool:
        """Return whether the meeting is over.

        It is over if the presenter has ended it, if nothing new came for 12 hours, or if nobody was there for 10
        minutes.
        """
        is_deserted = not self.lines and self._clock() - self._last_line > _EMPTY
        return self.has_ended or is_deserted or self._clock() - self._news > _SECONDS

    def join(self, line: Line) -> bool:
        """Add the line of a member and return True; return False if the room is full."""
        if len(self.lines) >= MOST_LINES:
            return False
        # A window keeps its number when its line breaks. If there are many, those of absent windows are forgotten.
        if line.member not in self._numbers:
            self._numbers[line.member] = max(self._numbers.values(), default=0) + 1
        self.lines.append(line)
        self._tell()
        return True

    def leave(self, line: Line) -> None:
        """Remove a line that broke or was closed."""
        self.lines.remove(line)
        self._last_line = self._clock()
        if self._is_presenting(line) and not self._has_presenter():
            self._left, self.pointer = self._clock(), None
        present = {other.member for other in self.lines} | {self.presenter}
        if len(self._numbers) > 2 * MOST_LINES:
            self._numbers = {member: number for member, number in self._numbers.items() if member in present}
        self._tell()

    def hear(self, line: Line, message: Mapping[str, Any], pages: Collection[str]) -> None:
        """Handle a message: the presenter shows, hands over or ends; a member may replace an absent presenter."""
        if not self._is_presenting(line):
            if message.get("take") is True and line.may_present and self._is_presenter_gone():
                self._appoint(line.member)
            return
        view = clean_view(message.get("view"), pages)
        if view is not None:
            self.view, self.pointer = view, clean_pointer(message.get("pointer"))
            self._news = self._clock()
            self._tell()
        if message.get("end") is True:
            self.has_ended = True
            self._tell()
        number = message.get("hand_over")
        for other in self.lines:
            if type(number) is int and self._numbers[other.member] == number and other.may_present:
                self._appoint(other.member)
                break

    def describe(self, line: Line) -> dict[str, Any]:
        """Return the state of the room for a member, as values for JSON; only `ended` if the meeting is over.

        View and pointer are None if `line.allowed` does not permit the view. The presenter gets no pointer, and is the
        only one who gets the list of members.
        """
        if self.is_over():
            return {"ended": True}
        presents = self._is_presenting(line)
        is_open = self.view is None or line.allowed == (self.view, True)
        state = {
            "view": self.view if is_open else None,
            "pointer": self.pointer if is_open and not presents else None,
            "closed": not is_open,
            "presents": presents,
            "you": self._numbers[line.member],
            "here": self._has_presenter(),
            "may_take": line.may_present and self._is_presenter_gone(),
        }
        return {**state, "members": self._list_members()} if presents else state

    def _list_members(self) -> list[dict[str, Any]]:
        """List the members who follow: number, name if they have signed in, and whether they may present."""
        members = {line.member: line for line in self.lines if not self._is_presenting(line)}
        return [
            {"number": self._numbers[member], "name": line.reader.name, "may_present": line.may_present}
            for member, line in members.items()
        ]

    def _appoint(self, member: str) -> None:
        self.presenter, self.pointer = member, None
        self._news = self._clock()
        self._tell()

    def _is_presenting(self, line: Line) -> bool:
        # The window alone is not enough: its person may have signed out, and a person who may not present signed in.
        return line.member == self.presenter and line.may_present

    def _has_presenter(self) -> bool:
        return any(self._is_presenting(line) for line in self.lines)

    def _is_presenter_gone(self) -> bool:
        return not self._has_presenter() and self._clock() - self._left > _AWAY

    def _tell(self) -> None:
        for line in self.lines:
            line.news.set()


class Rooms:
    """The rooms of a process, by their codes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rooms: dict[str, Room] = {}

    def open(self, presenter: str, opener: str) -> Room | None:
        """Open a room and return it; None if `opener` has too many, or if there are too many and all have members.

        opener : the network address; empty for this machine itself. If there are too many rooms, the oldest one without
        members is closed.
        """
        self._forget_over()
        if opener and sum(room.opener == opener for room in self._rooms.values()) >= _MOST_OF_ADDRESS:
            return None
        if len(self._rooms) >= MOST_ROOMS:
            empty = next((code for code, room in self._rooms.items() if not room.lines), None)
            if empty is None:
                return None
            del self._rooms[empty]
        code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        self._rooms[code] = Room(code, presenter, opener, self._clock)
        return self._rooms[code]

    def find(self, code: object) -> Room | None:
        """Return the room with a code that somebody opened or typed; None if there is none, or it is over."""
        self._forget_over()
        return self._rooms.get(code.strip().lower()) if isinstance(code, str) else None

    def _forget_over(self) -> None:
        self._rooms = {code: room for code, room in self._rooms.items() if not room.is_over()}
