"""What the web processes share: the address goes out alone, and a browser gets all messages of a page's parts."""

import gc
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import uvicorn
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import Runtime, app_session, media_file_manager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.state import session_state
from streamlit.runtime.state.common import WidgetMetadata

from dashboard.web import process
from dashboard.web.process import apply_settings, keep_made_files, run_application
from tests.helpers.paths import ROOT

PROGRAM = """
from dashboard.web.process import print_address, take_output
output = take_output()
print_address(output, "http://127.0.0.1:8642", None)
print("a traceback that a library prints")
print_address(output, "http://127.0.0.1:8642", None)
"""


@pytest.mark.long
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
    [together] = queue.flush()
    assert [id(message) for message in together] == [id(dialog), id(content), id(again)]


def test_a_page_that_is_drawn_again_sends_its_content_once():
    apply_settings("127.0.0.1", 0)
    queue = app_session.ForwardMsgQueue()
    queue.enqueue(_make_block("map", 2, 0))
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.is_empty()


def test_the_messages_of_a_page_leave_in_one_turn_of_the_server_and_thousands_in_several():
    """Between two turns all other connections have theirs, also the one that must take the messages: 500 may wait."""
    apply_settings("127.0.0.1", 0)
    sent, queue = [], app_session.ForwardMsgQueue()
    session = SimpleNamespace(client=SimpleNamespace(write_forward_msg=sent.append), script_run_count=0)
    for count, turns in ((0, 0), (24, 1), (1000, 10)):
        messages = [_make_block("map", 2, number) for number in range(count)]
        for message in messages:
            queue.enqueue(message)
        bundles = queue.flush()
        assert len(bundles) == turns
        assert all(len(bundle) <= 100 for bundle in bundles)
        for bundle in bundles:
            Runtime._send_message(None, session, bundle)
        assert sent == messages
        assert queue.is_empty()
        sent.clear()


@pytest.mark.parametrize("section", ["theme", "theme.light", "theme.dark", "theme.sidebar"])
def test_each_part_of_the_theme_is_looked_up_once_and_is_what_streamlit_says(section):
    apply_settings("127.0.0.1", 0)
    asked, again = CustomThemeConfig(), CustomThemeConfig()
    with patch.object(config, "get_options_for_section", wraps=config.get_options_for_section) as look_up:
        app_session._populate_theme_msg(asked, section)
        app_session._populate_theme_msg(again, section)
    assert look_up.call_count == 1
    plain = CustomThemeConfig()
    process._populate_theme(plain, section)
    assert asked == again == plain


def test_a_part_of_the_theme_without_settings_stays_absent():
    apply_settings("127.0.0.1", 0)
    message = CustomThemeConfig()
    app_session._populate_theme_msg(message.dark.sidebar, "theme.dark.sidebar")
    assert not message.HasField("dark")


@pytest.mark.parametrize("kind", [field.name for field in BackMsg.DESCRIPTOR.fields])
def test_a_message_that_no_page_sends_is_passed_over(kind, monkeypatch):
    handled, message = [], BackMsg()
    monkeypatch.setattr(process, "_handle_message", lambda _, message: handled.append(message.WhichOneof("type")))
    apply_settings("127.0.0.1", 0)
    if BackMsg.DESCRIPTOR.fields_by_name[kind].message_type:
        getattr(message, kind).SetInParent()
    else:
        setattr(message, kind, True)
    app_session.AppSession.handle_backmsg(None, message)
    of_pages = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"}
    assert handled == ([kind] if kind in of_pages else [])


@pytest.mark.parametrize(("files", "is_taken"), [(20, True), (21, False)])
def test_a_message_may_ask_for_places_of_a_few_files(files, is_taken, monkeypatch):
    handled, message = [], BackMsg()
    monkeypatch.setattr(process, "_handle_message", lambda *arguments: handled.append(arguments))
    apply_settings("127.0.0.1", 0)
    message.file_urls_request.file_names[:] = [""] * files
    app_session.AppSession.handle_backmsg(None, message)
    assert handled == ([(None, message)] if is_taken else [])


def test_a_session_forgets_the_widgets_that_it_no_longer_has(monkeypatch):
    run = SimpleNamespace(fragment_ids_this_run=None, page_script_hash="")
    for module in (process, session_state):
        monkeypatch.setattr(module, "get_script_run_ctx", lambda: run)
    apply_settings("127.0.0.1", 0)
    state = session_state.SessionState()
    for count in range(5):
        shown = {f"$$ID-{key}": key for key in (f"new-{count}", "same")}
        for name, key in shown.items():
            state._set_widget_metadata(WidgetMetadata(name, lambda value: value, lambda value: value, "int_value"))
            state._set_key_widget_mapping(name, key)
            state._new_widget_state.set_from_value(name, count)
        state._remove_stale_widgets(frozenset(shown))
        assert dict(state._key_id_mapper.id_key_mapping) == shown
        assert state._new_widget_state.widget_metadata.keys() == shown.keys()
        assert [state[key] for key in shown.values()] == [count, count]


def test_a_file_that_was_made_stays_until_its_reader_has_asked_for_it(monkeypatch):
    """Streamlit takes it away once two pages were drawn, of whomever: on a full server within the tenth of a second."""
    now = [0.0]
    monkeypatch.setattr(process, "monotonic", lambda: now[0])
    monkeypatch.setattr(media_file_manager, "MediaFileMetadata", media_file_manager.MediaFileMetadata)
    keep_made_files()
    storage = MemoryMediaFileStorage("/media")
    manager = media_file_manager.MediaFileManager(storage)
    pressed = manager.add_deferred(lambda: b"minutes", "application/pdf", "minutes.pdf", "1.(0).2")
    file_id = manager.execute_deferred(pressed).removeprefix("/media/")
    for _ in range(100):
        manager.remove_orphaned_files()
        now[0] += 0.19
    assert storage.get_file(file_id).content == b"minutes"
    now[0] += 2
    manager.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError):
        storage.get_file(file_id)


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
        uvicorn.Server,
        "run",
        lambda _: seen.append((gc.get_threshold(), gc.get_freeze_count(), sys.getswitchinterval())),
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
