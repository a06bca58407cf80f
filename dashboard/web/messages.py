"""The messages of browsers that pages send. Streamlit accepts more from anybody: to empty caches, to name git files."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

_KNOWN = ("rerun_script", "stop_script", "app_heartbeat", "backend_operation_request", "file_urls_request")
_MOST_FILES = 20  # in one request for addresses of files; half a million would fit into a message


class KnownMessages:
    """Middleware that passes on only such messages of a websocket as pages send."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the connection on, without messages that no page sends."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return

        async def receive_known() -> Message:
            while not is_known(message := await receive()):
                pass
            return message

        await self._app(scope, receive_known, send)


def is_known(message: Message) -> bool:
    """Return whether a page sends such a message. What is no message of Streamlit is for Streamlit to refuse."""
    content = message.get("bytes") if message["type"] == "websocket.receive" else None
    if content is None:
        return True
    try:
        sent = BackMsg.FromString(content)
    except Exception:  # noqa: BLE001 (of protobuf, which is no dependency of ours; Streamlit says what is wrong)
        return True
    return sent.WhichOneof("type") in _KNOWN and len(sent.file_urls_request.file_names) <= _MOST_FILES
