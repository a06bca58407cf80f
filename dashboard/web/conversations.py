"""The open websockets of people who have signed in. Each is closed within seconds after its session has ended.

Requests that a page sends by itself, such as for the list of decisions or right after a broken line is back, do not
count as use of the session. The accounts are read every two seconds, once for all websockets. A file that a page offers
is only for that session, and is noted once in the log: the browser asks for it twice, first to see that it is there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.web.threads import look_up
from data.accounts import sessions
from data.accounts.database import Accounts
from data.errors import WorkspaceError

MEDIA = "/media/"  # where Streamlit serves the files that pages offer, to whoever has the address
_LOOK, _TOUCH = 2.0, 60.0  # seconds between two checks whether sessions are open, and between two notes of their use
_BEGINNING = 10.0  # seconds of a websocket in which a page asks by itself for what it shows
_MOST_FILES = 10_000  # offers that are remembered, of all sessions; a page that is opened again offers its files again
_LOG = logging.getLogger(__name__)


class Conversations:
    """The open websockets, by the secret of their session. `seconds` : the time between two checks."""

    def __init__(self, accounts: Accounts, seconds: float = _LOOK) -> None:
        self._accounts, self._seconds = accounts, seconds
        self._ends: dict[str, list[asyncio.Event]] = {}
        self._watching: asyncio.Task[None] | None = None
        # By session and path, in the order of the offers: the note in the log; None until the file is asked for.
        self._files: dict[tuple[str, str], asyncio.Future[None] | None] = {}

    def has_offered(self, secret: str, path: str) -> bool:
        """Return whether a page has offered the file at a path to this session."""
        return (secret, path) in self._files

    async def note_once(self, secret: str, path: str, note: Callable[[], Awaitable[None]]) -> None:
        """Call `note` when an offered file is requested for the first time, and wait until it has ended.

        Other requests for the file wait too, so no part of it is sent before. An error of `note` is raised; then the
        next request calls `note` again.
        """
        noting = self._files.get((secret, path))
        if noting is None or (noting.done() and noting.exception()):
            noting = self._files[secret, path] = asyncio.ensure_future(note())
        await asyncio.shield(noting)

    async def hold(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, secret: str) -> None:
        """Run a websocket until it is closed or its session has ended.

        After the end of the session nothing more is sent, and the application gets a disconnect message.
        """
        ended, is_closed, next_use = asyncio.Event(), False, time.monotonic() + _BEGINNING

        async def receive_while_open() -> Message:
            nonlocal is_closed, next_use
            coming = asyncio.ensure_future(receive())
            await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ended.is_set():
                coming.cancel()
                if not is_closed:
                    is_closed = True
                    await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            message: MutableMapping[str, Any] = coming.result()
            if time.monotonic() > next_use and _is_use(message):
                next_use = time.monotonic() + _TOUCH
                await look_up(sessions.find_person, self._accounts, secret)
            return message

        async def send_while_open(message: Message) -> None:
            if not ended.is_set():
                if path := _find_file(message):
                    self._remember(secret, path)
                await send(message)

        ending = asyncio.create_task(ended.wait())
        self._ends.setdefault(secret, []).append(ended)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            await app(scope, receive_while_open, send_while_open)
        finally:
            ending.cancel()
            self._ends[secret].remove(ended)
            if not self._ends[secret]:
                del self._ends[secret]

    def _remember(self, secret: str, path: str) -> None:
        self._files.pop((secret, path), None)
        self._files[secret, path] = None
        if len(self._files) > _MOST_FILES:
            del self._files[next(iter(self._files))]

    async def _watch(self) -> None:
        """Close the websockets of sessions that have ended, and all websockets if the accounts cannot be read."""
        while self._ends:
            asked = list(self._ends)
            try:
                still_open = await look_up(sessions.find_open, self._accounts, asked)
            except WorkspaceError as error:
                _LOG.error("%s", error)
                still_open = set()
            for secret in set(asked) - still_open:
                for ended in self._ends.get(secret, ()):
                    ended.set()
            await asyncio.sleep(self._seconds)


def _is_use(message: MutableMapping[str, Any]) -> bool:
    """Return whether a message comes from a person, not from an open page that asks by itself every few seconds."""
    if message["type"] != "websocket.receive":
        return False
    try:
        asked = BackMsg.FromString(message.get("bytes") or b"")
    except Exception:  # noqa: BLE001 (of protobuf, which is no dependency of ours; Streamlit says what is wrong)
        return True
    return not asked.rerun_script.is_auto_rerun


def _find_file(message: MutableMapping[str, Any]) -> str:
    """Return the path of the file in a message, of a download button or made after a press; empty for other messages.

    A path in a text does not count, because readers type texts.
    """
    content = message.get("bytes") or b""
    if MEDIA.encode() not in content:
        return ""
    sent = ForwardMsg.FromString(content)
    button = sent.delta.new_element.download_button.url
    return str(button or sent.backend_operation_response.deferred_file.url)
