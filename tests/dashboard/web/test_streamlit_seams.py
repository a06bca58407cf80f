"""The two seams into Streamlit: what each mends, and that the start stops where Streamlit has changed."""

import subprocess
import sys

import pytest
from streamlit import net_util
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from dashboard.web import streamlit_seams
from dashboard.web.streamlit_seams import SeamLost, ask_nobody_outside, keep_made_files
from tests.helpers.paths import ROOT

SEAMS = {
    "ask_nobody_outside": ("streamlit.net_util", "get_external_ip", ask_nobody_outside),
    "keep_made_files": ("streamlit.runtime.media_file_manager", "MediaFileMetadata", keep_made_files),
}


@pytest.fixture(autouse=True)
def unchanged(monkeypatch):
    """Leave Streamlit as it was."""
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    monkeypatch.setattr(media_file_manager, "MediaFileMetadata", media_file_manager.MediaFileMetadata)


def test_no_service_outside_is_asked_for_the_address_of_this_machine(monkeypatch):
    monkeypatch.setattr(net_util, "get_external_ip", lambda: "203.0.113.1")
    ask_nobody_outside()
    assert net_util.get_external_ip() is None


def test_a_file_that_was_made_stays_until_its_reader_has_asked_for_it(monkeypatch):
    """Streamlit takes it away once two pages were drawn, of whomever: on a full server within the tenth of a second."""
    now = [0.0]
    monkeypatch.setattr(streamlit_seams, "monotonic", lambda: now[0])
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


def _need_word(word):
    return word


class _WithoutMark:
    kind = is_marked_for_delete = None


class _WithProperty(_WithoutMark):
    mark_for_delete = True


class _WithWord(media_file_manager.MediaFileMetadata):
    def __init__(self, word):
        super().__init__(word)


@pytest.mark.parametrize(
    ("seam", "changed"),
    [
        ("ask_nobody_outside", _need_word),
        ("ask_nobody_outside", None),
        ("keep_made_files", _WithoutMark),
        ("keep_made_files", _WithProperty),
        ("keep_made_files", _WithWord),
        ("keep_made_files", None),
    ],
)
def test_a_part_that_has_changed_is_named_with_the_version_to_install(seam, changed, monkeypatch):
    module, name, use = SEAMS[seam]
    monkeypatch.setattr(sys.modules[module], name, changed)
    with pytest.raises(SeamLost, match=rf"{name}.*Install Streamlit {streamlit_seams.TRIED}"):
        use()


START = """
import sys
import {module} as module
del module.{name}
{main}
"""
MAIN = {
    "map": 'from dashboard.server import main; main(["--releases", "{folder}", "--tier", "public"])',
    "desk": 'from dashboard.desk.server import main; main(["--workspace", "{folder}", "--port", "1"])',
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seam", "process"), [("ask_nobody_outside", "map"), ("ask_nobody_outside", "desk"), ("keep_made_files", "map")]
)
def test_without_its_part_of_streamlit_no_process_starts(seam, process, tmp_path):
    module, name, _ = SEAMS[seam]
    main = MAIN[process].format(folder=tmp_path)
    program = START.format(module=module, name=name, main=main)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert f"{name}. Install Streamlit {streamlit_seams.TRIED}" in done.stderr
    assert "Traceback" not in done.stderr
