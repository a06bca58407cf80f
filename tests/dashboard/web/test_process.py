"""What the web processes share: the address goes out alone, and a browser gets all messages of a page's parts."""

import gc
import subprocess
import sys

import pytest
import uvicorn
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session

from dashboard.web.process import apply_settings, run_application
from tests.helpers.paths import ROOT

PROGRAM = """
from dashboard.web.process import print_address, take_output
output = take_output()
print_address(output, "http://127.0.0.1:8642", None)
print("a traceback that a library prints")
print_address(output, "http://127.0.0.1:8642", None)
"""


@pytest.mark.slow
def test_standard_output_is_for_addresses_alone():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "http://127.0.0.1:8642\n" * 2
    assert "a traceback" in done.stderr


def test_a_part_that_is_drawn_again_takes_nothing_back():
    """Else a press on *Table* is lost, or the page becomes empty, when the map is drawn again right after it."""
    apply_settings("127.0.0.1", 0)
    queue = app_session.ForwardMsgQueue()
    dialog, again = _make_block("map", 2, 0), _make_block("map", 2, 0)
    content = _make_block("dialog", 2, 0, 0)
    queue.enqueue(dialog)
    queue.enqueue(content)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["map"])
    queue.enqueue(again)
    assert [id(message) for message in queue.flush()] == [id(dialog), id(content), id(again)]


def test_a_page_that_is_drawn_again_sends_its_content_once():
    apply_settings("127.0.0.1", 0)
    queue = app_session.ForwardMsgQueue()
    queue.enqueue(_make_block("map", 2, 0))
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.is_empty()


def _make_block(part, *path):
    message = ForwardMsg()
    message.metadata.delta_path[:] = path
    message.delta.fragment_id = part
    message.delta.add_block.allow_empty = True
    return message


def test_a_process_looks_for_garbage_less_often_not_among_what_was_imported_and_its_pages_give_way_soon(monkeypatch):
    before, interval = gc.get_threshold(), sys.getswitchinterval()
    monkeypatch.setattr("dashboard.web.process.shorten_log", lambda: None)
    monkeypatch.setattr("dashboard.web.process.raise_file_limit", lambda: 1024)
    seen = []
    monkeypatch.setattr(
        uvicorn,
        "run",
        lambda *_, **__: seen.append((gc.get_threshold(), gc.get_freeze_count(), sys.getswitchinterval())),
    )
    try:
        run_application(None, "127.0.0.1", 0)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        sys.setswitchinterval(interval)
    [(threshold, frozen, soon)] = seen
    assert threshold[0] > before[0]
    assert frozen > 10_000
    assert soon <= interval / 5
