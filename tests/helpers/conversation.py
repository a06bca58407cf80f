"""A client without a browser that runs a page of a real server over its websocket.

The client sends one message to start the script and receives many. The last of them says that the run is over; those
before it have the content of the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from tests.helpers.entry import cookie_headers

MOST = 64 * 2**20


@dataclass
class Shown:
    """The messages that one run of the script sent."""

    page: str = ""
    ended: str = ""
    title: str = ""
    not_found: bool = False
    texts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    session: str = ""
    files: dict[str, str] = field(default_factory=dict)  # by the labels of their buttons

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


class Conversation:
    """An open connection to a server, like that of a window of a browser."""

    def __init__(self, line: ClientConnection, timeout: float) -> None:
        self._line, self._timeout = line, timeout

    def open(self, page: str = "", query: str = "") -> Shown:
        """Run a page once, and return what it sent."""
        asked = BackMsg()
        asked.rerun_script.query_string = query
        asked.rerun_script.page_name = page
        self._line.send(asked.SerializeToString())
        shown = Shown()
        while not shown.ended:
            _note(shown, self._hear())
        return shown

    def take(self, shown: Shown, file: str) -> str:
        """Press a button whose file is made only then, by the identifier `file`; return the path of the file."""
        asked = BackMsg()
        asked.backend_operation_request.session_id = shown.session
        asked.backend_operation_request.deferred_file.file_id = file
        self._line.send(asked.SerializeToString())
        while (message := self._hear()).WhichOneof("type") != "backend_operation_response":
            pass
        return str(message.backend_operation_response.deferred_file.url)

    def _hear(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(self._line.recv(timeout=self._timeout))
        return message


@contextmanager
def converse(url: str, session: str = "", timeout: float = 60) -> Iterator[Conversation]:
    """Yield a new conversation or, with the identifier of a session, continue it, as a browser does after a break."""
    with connect(
        f"ws{url.removeprefix('http')}/_stcore/stream",
        origin=url,
        additional_headers=cookie_headers(url),
        subprotocols=["streamlit", *(["none", session] if session else [])],
        max_size=MOST,
        proxy=None,
        open_timeout=timeout,
    ) as line:
        yield Conversation(line, timeout)


def open_page(url: str, page: str = "", query: str = "", timeout: float = 60) -> Shown:
    """Run a page once in a new session, and return what it sent."""
    with converse(url, timeout=timeout) as conversation:
        return conversation.open(page, query)


def _note(shown: Shown, message: ForwardMsg) -> None:
    kind = message.WhichOneof("type")
    if kind == "new_session":
        shown.session = message.new_session.initialize.session_id
    elif kind == "script_finished":
        shown.ended = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
    elif kind == "page_not_found":
        shown.not_found = True
    elif kind == "page_config_changed":
        shown.title = message.page_config_changed.title
    elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
        element = message.delta.new_element
        drawn = element.WhichOneof("type")
        (shown.errors if drawn in ("exception", "alert") else shown.texts).append(str(getattr(element, drawn)))
        if drawn == "download_button":
            button = element.download_button
            shown.files[button.label] = button.url or button.deferred_file_id
