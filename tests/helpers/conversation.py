"""A client without a browser that runs a page of a real server over its websocket.

A Streamlit page sends one message to start the script and receives many; the last one says that the run
is over. What a page draws is in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

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

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def open_page(url: str, page: str = "", query: str = "", timeout: float = 60) -> Shown:
    """Run a page once in a new session."""
    address = f"ws{url.removeprefix('http')}/_stcore/stream"
    asked = BackMsg()
    asked.rerun_script.query_string = query
    asked.rerun_script.page_name = page
    shown = Shown()
    with connect(
        address,
        origin=url,
        additional_headers=cookie_headers(url),
        subprotocols=["streamlit"],
        max_size=MOST,
        proxy=None,
        open_timeout=timeout,
    ) as line:
        line.send(asked.SerializeToString())
        while not shown.ended:
            message = ForwardMsg()
            message.ParseFromString(line.recv(timeout=timeout))
            _note(shown, message)
    return shown


def _note(shown: Shown, message: ForwardMsg) -> None:
    kind = message.WhichOneof("type")
    if kind == "script_finished":
        shown.ended = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
    elif kind == "page_not_found":
        shown.not_found = True
    elif kind == "page_config_changed":
        shown.title = message.page_config_changed.title
    elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
        element = message.delta.new_element
        drawn = element.WhichOneof("type")
        (shown.errors if drawn in ("exception", "alert") else shown.texts).append(str(getattr(element, drawn)))
