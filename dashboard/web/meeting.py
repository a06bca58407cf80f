"""Meetings: one member presents a view, and the others follow it, each in their own language, theme and tier.

A browser window in a meeting (dashboard/static/meeting.js) has one websocket to the server, behind the gate or the
door, which carries only the view of the presenter. The presenter is the window whose secret the room knows. The window
makes the secret itself, and no address contains it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import segno
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.site import Site
from dashboard.site.reader import find_accounts, read_header
from dashboard.site.text import _, speak
from dashboard.web.limits import find_address
from dashboard.web.rooms import Line, Room, Rooms, identify_window
from dashboard.web.views import ADDRESSES, may_see
from data.accounts.rights import Right

PRESENTING = Right.SEE_PARTNER  # the right to open a room and to present; everybody who sees the map may follow
_MOST_LINES, _MOST_OF_ADDRESS = 500, 60  # connections of the process; those of one network address
_LONGEST, _LONGEST_HOST = 4096, 260  # characters of a message, and of the name and port of a server
# Seconds: in which the first message must arrive; after which the state is sent again; between two messages read.
_HELLO, _BEAT, _PAUSE = 10.0, 15.0, 0.05


def make_routes(site: Site, rooms: Rooms | None = None) -> list[BaseRoute]:
    """Return the routes of meetings: their words, the websocket of a member, and the short address of each room."""
    meetings = Meetings(site, rooms or Rooms())
    return [
        Route("/meeting/words.json", answer_words),
        WebSocketRoute("/meeting/line", meetings.hold_line),
        Route("/meeting/{code}", meetings.lead_in),
    ]


def answer_words(request: Request) -> Response:
    """Return the words of `make_words` as JSON, in the language that the request names."""
    with speak(request.query_params.get("lang", "")):
        return JSONResponse(make_words())


def make_words() -> dict[str, str]:
    """Return the texts that a member of a meeting reads, by the names that meeting.js uses, in the current language."""
    return {
        "meeting": _("Meeting"),
        "presents": _("You present. Following: {number}"),
        "follows": _("You follow the presenter."),
        "around": _("You look around by yourself."),
        "old": _("No connection. This is the last view; it may be old. Trying again."),
        "away": _("The presenter is away. This is their last view."),
        "closed": _("The presenter shows a view that your role does not include."),
        "waits": _("The presenter has not shown anything yet."),
        "ended": _("This meeting has ended."),
        "full": _("There are too many meetings or members just now. Try again later."),
        "refused": _("Your role does not include opening a meeting. Ask somebody who sees the partner tier."),
        "look": _("Look around"),
        "back": _("Back to the presenter"),
        "take": _("Present"),
        "leave": _("Leave"),
        "close": _("Close"),
        "end": _("End the meeting"),
        "invite": _("Invite"),
        "join": _("Whoever opens this address sees what the presenter shows, in their own language."),
        "local": _word_local(),
        "copy": _("Copy the address"),
        "copied": _("Copied"),
        "code": _("QR code of the address"),
        "members": _("Members"),
        "member": _("Member {number}"),
        "you": _("You are member {number}."),
        "alone": _("Nobody has joined yet."),
        "hand_over": _("Hand over"),
        "hand_over_to": _("Hand over to {name}"),
    }


def _word_local() -> str:
    """Return what others need to join a meeting, for a member who has opened the map at an address of this computer."""
    if find_accounts() is None:
        return _(
            "This map runs for this computer alone: only its own browsers can join. For others, an administrator must "
            "run it on a server."
        )
    return _(
        "People sign in here, but only browsers of this computer reach this address. For others, an administrator must "
        "put a proxy before the map."
    )


class Meetings:
    """The meetings of a web process. Only the event loop reads and changes the rooms."""

    def __init__(self, site: Site, rooms: Rooms) -> None:
        self._site, self._rooms = site, rooms
        self._lines: Counter[str] = Counter()  # how many each network address has open

    async def lead_in(self, request: Request) -> Response:
        """Redirect from the short address of a room to its present view, in the reader's language.

        If there is no such room or view, or the reader may not see the view, the first page is opened.
        """
        code = request.path_params["code"]
        room = self._rooms.find(code)
        reader = read_header(request.headers)
        view = room.view if room else None
        if view is None or not await asyncio.to_thread(may_see, self._site, reader, view):
            view = ""
        page, _mark, query = view.partition("?")
        choices = [(name, value) for name in ("lang", "theme") if (value := request.query_params.get(name))]
        parameters = "&".join(filter(None, [query, urlencode([*choices, ("meeting", code)])]))
        # The path is that of a page, and is relative, so that it is right under any base path.
        return RedirectResponse(f"../{page}?{parameters}", 303, headers={"Cache-Control": "no-store"})

    async def hold_line(self, socket: WebSocket) -> None:
        """Run the websocket of a member's window, from its first message until the websocket or the meeting ends.

        It is refused (code 1008) from another origin, and if there are too many websockets.
        """
        address = find_address(socket)
        if not _is_own_origin(socket) or not self._has_place(address):
            await socket.close(1008)
            return
        self._lines[address] += 1
        try:
            await socket.accept()
            await self._converse(socket)
        except (WebSocketDisconnect, TimeoutError):
            pass
        finally:
            self._lines -= Counter([address])  # and forgets those that have none any more

    def _has_place(self, address: str) -> bool:
        is_counted = address != ""  # this machine itself may be a proxy, with the lines of everybody
        return self._lines.total() < _MOST_LINES and not (is_counted and self._lines[address] >= _MOST_OF_ADDRESS)

    async def _converse(self, socket: WebSocket) -> None:
        async with asyncio.timeout(_HELLO):
            hello = await _receive(socket)
        reader = read_header(socket.headers)
        member = identify_window(hello.get("secret"))
        if member is None:
            await socket.close(1008)
            return
        line = Line(member, reader, PRESENTING in reader.rights)
        room = self._find_room(line, hello, socket)
        if isinstance(room, str) or not room.join(line):
            await _say(socket, {room if isinstance(room, str) else "full": True})
            await socket.close(1000)
            return
        try:
            await _say(socket, {"code": room.code, **await asyncio.to_thread(_draw_address, socket, room)})
            await _run_until_one_ends(self._send(socket, room, line), self._hear(socket, room, line))
        finally:
            room.leave(line)

    def _find_room(self, line: Line, hello: Mapping[str, Any], socket: WebSocket) -> Room | str:
        """Return the room that a member opens or joins; else the reason why there is none: refused, full or ended."""
        if hello.get("open") is True:
            if not line.may_present:
                return "refused"
            return self._rooms.open(line.member, find_address(socket)) or "full"
        return self._rooms.find(hello.get("code")) or "ended"

    async def _send(self, socket: WebSocket, room: Room, line: Line) -> None:
        """Send the newest state whenever something is new, until the meeting ends.

        The state is also sent after `_BEAT` seconds without news, so that a broken line is noticed.
        """
        while True:
            line.news.clear()
            # In a thread, because layers are read from files, and the event loop must not wait for files.
            while (view := room.view) is not None and line.allowed[0] != view:
                line.allowed = (view, await asyncio.to_thread(may_see, self._site, line.reader, view))
            state = room.describe(line)
            await _say(socket, state)
            if "ended" in state:
                await socket.close(1000)
                return
            try:
                async with asyncio.timeout(_BEAT):
                    await line.news.wait()
            except TimeoutError:
                continue

    async def _hear(self, socket: WebSocket, room: Room, line: Line) -> None:
        while True:
            room.hear(line, await _receive(socket), ADDRESSES)
            await asyncio.sleep(_PAUSE)


async def _run_until_one_ends(*parts: Any) -> None:  # noqa: ANN401
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        ended, _waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _say(socket: WebSocket, state: Mapping[str, Any]) -> None:
    try:
        await socket.send_text(json.dumps(state))
    except RuntimeError as error:  # it was closed meanwhile
        raise WebSocketDisconnect from error


async def _receive(socket: WebSocket) -> dict[str, Any]:
    """Return the next message. Raises WebSocketDisconnect for a message that no window of the product sends."""
    message = await socket.receive()
    text = message.get("text")
    if message["type"] != "websocket.receive" or not isinstance(text, str) or len(text) > _LONGEST:
        raise WebSocketDisconnect
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WebSocketDisconnect from error
    if not isinstance(content, dict):
        raise WebSocketDisconnect
    return content


def _is_own_origin(connection: HTTPConnection) -> bool:
    """Return whether the request comes from a page of this host. A gate or a door, if there is one, checks more."""
    origins, hosts = connection.headers.getlist("origin"), connection.headers.getlist("host")
    if len(hosts) != 1 or len(origins) != 1 or len(hosts[0]) > _LONGEST_HOST:
        return False
    return origins[0] in (f"http://{hosts[0]}", f"https://{hosts[0]}")


def _draw_address(socket: WebSocket, room: Room) -> dict[str, str]:
    """Return the short address of a room as the member's browser knows this server, and its QR code."""
    start = socket.scope["path"].removesuffix("/meeting/line")
    address = f"{socket.headers['origin']}{start}/meeting/{room.code}"
    return {"address": address, "drawing": _draw_code(address)}


@lru_cache(maxsize=128)
def _draw_code(address: str) -> str:
    """Draw an address as a QR code, once for all members."""
    return str(segno.make(address, error="m").svg_data_uri(border=3, scale=4, light="#ffffff", dark="#1d2433"))
