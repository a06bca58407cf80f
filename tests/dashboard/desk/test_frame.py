"""The frame of the desk: the lock, the languages, and errors that say nothing of a record."""

import logging

import pytest

from dashboard.desk import frame
from dashboard.desk.state import LOCKS_AFTER
from data.errors import InputError
from data.restricted import keys
from data.workspace.toml_text import parse_toml
from tests.helpers.desk import make_desk, open_section

NAME = "Mirela Shpikur"


def texts(page):
    return " ".join(str(element.value) for kind in ("markdown", "error", "warning") for element in page.get(kind))


@pytest.fixture
def desk(tmp_path):
    return make_desk(tmp_path)[0]


@pytest.fixture
def broken(desk, monkeypatch):
    """Return a function that lets a page fail with an error."""

    def fail_with(error):
        def show(_desk):
            raise error

        show.__module__ = "dashboard.desk.files"
        monkeypatch.setattr(frame, "_load_show", lambda module: show)
        return open_section(desk)

    return fail_with


def test_an_error_of_the_program_says_nothing_of_a_record(broken, caplog):
    with caplog.at_level(logging.DEBUG):
        page = broken(KeyError(NAME))
    assert not page.exception
    assert "Something went wrong" in texts(page)
    assert "Look at Imports" in texts(page)
    assert "Nothing was" not in texts(page)
    assert NAME not in texts(page)
    assert "KeyError in" in caplog.text
    assert NAME not in caplog.text


def test_the_log_names_the_place_in_the_product_and_no_library(desk, monkeypatch, caplog):
    def show(_desk):
        parse_toml(None)

    show.__module__ = "dashboard.desk.files"
    monkeypatch.setattr(frame, "_load_show", lambda module: show)
    open_section(desk)
    assert "data/workspace/toml_text.py, line" in caplog.text
    assert "tomllib" not in caplog.text


def test_an_error_for_the_officer_is_shown_as_it_is(broken):
    assert "Give another" in texts(broken(InputError("Give another file.")))


def test_a_locked_desk_shows_the_lock_alone_and_opens_with_both_keys(tmp_path):
    desk, clocks = make_desk(tmp_path)
    clocks.times[0] += LOCKS_AFTER
    page = open_section(desk)
    assert [field.label for field in page.text_input] == ["Vault key", "Identifier key"]
    assert not page.get("file_uploader")
    secrets = keys.format_keys(keys.load(desk.workspace.key_id))
    page.text_input[0].input("5ec7e7")
    page.text_input[1].input(secrets["identifier"])
    page.button[0].click().run()
    assert desk.is_locked
    assert "64 hexadecimal digits" in texts(page)
    assert "5ec7e7" not in texts(page)
    page.text_input[0].input(secrets["vault"])
    page.text_input[1].input(secrets["identifier"])
    page.button[0].click().run()
    assert not desk.is_locked
    assert [button.label for button in page.button][:1] == ["Lock the desk"]


def test_one_button_locks(desk):
    page = open_section(desk)
    page.button(key="lock").click().run()
    assert desk.is_locked
    assert [field.label for field in page.text_input] == ["Vault key", "Identifier key"]


@pytest.mark.parametrize("language", ["sq", "el"])
def test_the_frame_speaks_the_language_of_the_address(desk, language):
    desk.lock()
    labels = [field.label for field in open_section(desk, language=language).text_input]
    assert "Vault key" not in labels
    assert all(labels)
