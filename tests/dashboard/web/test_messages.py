"""Messages of browsers: only those that pages send reach Streamlit."""

import asyncio

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard.web.messages import KnownMessages

OF_PAGES = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"}


def pass_on(*contents):
    """Return the contents that an application behind the filter receives until the connection closes."""
    coming = iter(
        [{"type": "websocket.receive", **content} for content in contents] + [{"type": "websocket.disconnect"}]
    )
    reached = []

    async def application(_scope, receive, _send):
        while (message := await receive())["type"] != "websocket.disconnect":
            reached.append(message.get("bytes") or message.get("text"))

    async def receive():
        return next(coming)

    asyncio.run(KnownMessages(application)({"type": "websocket"}, receive, None))
    return reached


@pytest.mark.parametrize("kind", [field.name for field in BackMsg.DESCRIPTOR.fields])
def test_a_message_that_no_page_sends_is_passed_over(kind):
    message = BackMsg()
    if BackMsg.DESCRIPTOR.fields_by_name[kind].message_type:
        getattr(message, kind).SetInParent()
    else:
        setattr(message, kind, True)
    sent = message.SerializeToString()
    last = BackMsg()
    last.rerun_script.query_string = "last"
    following = last.SerializeToString()
    assert pass_on({"bytes": sent}, {"bytes": following}) == [sent] * (kind in OF_PAGES) + [following]


@pytest.mark.parametrize(("files", "is_passed"), [(20, True), (21, False)])
def test_a_message_may_ask_for_places_of_a_few_files(files, is_passed):
    message = BackMsg()
    message.file_urls_request.file_names[:] = [""] * files
    sent = message.SerializeToString()
    assert pass_on({"bytes": sent}) == [sent] * is_passed


def test_what_is_no_message_of_streamlit_is_for_streamlit_to_refuse():
    assert pass_on({"bytes": b"\xff\xff"}, {"text": "words"}) == [b"\xff\xff", "words"]
