"""The desk locks by itself, and what is locked is forgotten."""

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
from streamlit.runtime.fragment import MemoryFragmentStorage

from dashboard.desk.hand import FileInHand, Hand
from dashboard.desk.state import LOCKS_AFTER, Locked
from data.errors import VaultBusy, WrongKey
from data.restricted import keys
from data.restricted.vault.rotation import rotate_vault_key
from tests.dashboard.desk.test_pages import drop, words_on
from tests.helpers.desk import make_desk, open_section
from tests.helpers.memory import look_into_memory
from tests.helpers.partner_files import ROW, text_of, write


@pytest.mark.parametrize("clock", [0, 1], ids=["one that stands still in sleep", "one that may be set"])
def test_it_locks_after_the_time_on_either_clock_and_forgets_keys_and_files(tmp_path, clock):
    desk, clocks = make_desk(tmp_path)
    desk.in_hand["files"] = ["a file"]
    clocks.times[clock] += LOCKS_AFTER - 1
    assert not desk.is_locked
    desk.touch()
    clocks.times[clock] += LOCKS_AFTER - 1
    assert not desk.is_locked
    clocks.times[clock] += 1
    assert desk.is_locked
    assert desk.in_hand == {}
    # Of its keys there is no object any more, but for those that the test reads again.
    mine = keys.load(desk.workspace.key_id)
    gc.collect()
    assert [copy for copy in gc.get_objects() if isinstance(copy, keys.Keys) and copy == mine] == [mine]
    with pytest.raises(Locked), desk.open_vault():
        pass


def test_a_use_after_the_time_does_not_open_it_again(tmp_path):
    desk, clocks = make_desk(tmp_path)
    clocks.times[0] += LOCKS_AFTER
    desk.touch()
    assert desk.is_locked


def test_it_does_not_lock_in_the_middle_of_work_and_counts_from_its_end(tmp_path):
    desk, clocks = make_desk(tmp_path)
    with desk.open_vault() as (vault, _):
        clocks.times[0] += 2 * LOCKS_AFTER
        assert not desk.is_locked
        assert vault.list_imports() == []
    clocks.times[0] += LOCKS_AFTER - 1
    assert not desk.is_locked
    clocks.times[0] += 1
    assert desk.is_locked


def test_it_locks_where_the_vault_key_was_changed_and_opens_again_with_the_new_one(tmp_path):
    desk, _clocks = make_desk(tmp_path)
    with desk.open_vault(), pytest.raises(VaultBusy):
        rotate_vault_key(desk.workspace, [])
    rotate_vault_key(desk.workspace, [])
    with pytest.raises(Locked), desk.open_vault():
        pass
    assert desk.is_locked
    desk.unlock(keys.load(desk.workspace.key_id))
    with desk.open_vault() as (vault, _):
        assert vault.list_imports() == []


def test_a_vault_is_open_once_in_a_thread_and_closed_at_the_end(tmp_path):
    desk, _clocks = make_desk(tmp_path)

    def open_again():
        with desk.open_vault() as (again, _):
            return again.list_imports(), again is vault

    with desk.open_vault() as (vault, _), ThreadPoolExecutor(1) as pool:
        assert open_again() == ([], True)
        assert open_again() == ([], True)
        assert pool.submit(open_again).result() == ([], False)
    with desk.open_vault() as (later, _):
        assert later is not vault


def test_only_the_keys_of_the_vault_open_it(tmp_path):
    desk, _clocks = make_desk(tmp_path)
    desk.lock()
    with pytest.raises(WrongKey):
        desk.unlock(keys.Keys.random())
    assert desk.is_locked
    stored = keys.load(desk.workspace.key_id)
    with pytest.raises(WrongKey):
        desk.unlock(keys.Keys(stored.vault, keys.Keys.random().identifier))
    assert desk.is_locked
    desk.unlock(keys.parse(**keys.format_keys(stored)))
    assert not desk.is_locked


NAME = "Xhevgjyzel"


@pytest.mark.slow
def test_what_stands_in_a_file_is_in_no_memory_after_the_lock(tmp_path, monkeypatch):
    fragments, register = [], MemoryFragmentStorage.register

    def keep(self, key, fragment, **more):
        fragments.append(fragment)
        register(self, key, fragment, **more)

    monkeypatch.setattr(MemoryFragmentStorage, "register", keep)
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Qendra"])
    desk, _clocks = make_desk(tmp_path)
    # As a heading, as a place and as a remark.
    rows = [{**ROW, "partner": "", "municipality": NAME, NAME: "", "remark": NAME}]
    page = drop(open_section(desk), write(tmp_path, text_of(rows)))
    page.run()
    assert not page.exception
    assert "Encounters with children" in words_on(page)
    texts, files = look_into_memory(FileInHand)
    assert [text for text in texts if NAME in text]
    assert files
    del files
    desk.lock()
    texts, files = look_into_memory(FileInHand)
    assert not [text for text in texts if NAME.casefold() in text.casefold()]
    assert fragments
    assert not files
