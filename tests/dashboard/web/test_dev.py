"""`tact serve --dev`: changed modules are imported again, with those that use them. See also tests/browser."""

import importlib
import sys

import pytest

from dashboard.web import dev


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a wing of `dashboard` with a module that has a name of another one; return its folder."""
    (tmp_path / "words.py").write_text("WORD = 'before'\n")
    (tmp_path / "page.py").write_text("from dashboard.wing.words import WORD\n")
    wing = sys.modules["dashboard.wing"] = type(sys)("dashboard.wing")
    wing.__path__ = [str(tmp_path)]
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    # The modules of the product stay as they are: other tests have their names.
    monkeypatch.setattr(dev, "_is_watched", lambda name, _module: name.startswith("dashboard.wing."))
    importlib.import_module("dashboard.wing.page")
    yield tmp_path
    for name in ("words", "page"):
        sys.modules.pop(f"dashboard.wing.{name}")
    del sys.modules["dashboard.wing"]


def test_what_has_changed_and_what_uses_it_is_imported_again_once(package):
    watch, page = dev.Watch(), sys.modules["dashboard.wing.page"]
    assert (watch.look(), watch.look(), page.WORD) == (0, 0, "before")
    (package / "words.py").write_text("WORD = 'after it'\n")
    assert (watch.look(), watch.look(), page.WORD) == (1, 1, "after it")


def test_a_fault_is_named_until_it_is_mended(package):
    watch = dev.Watch()
    (package / "words.py").write_text("WORD = (\n")
    assert watch.look() == 1
    assert "SyntaxError" in watch.error
    assert "words.py" in watch.error
    (package / "words.py").write_text("WORD = 'mended'\n")
    assert (watch.look(), watch.error, sys.modules["dashboard.wing.page"].WORD) == (2, "", "mended")


def test_without_the_option_nothing_is_watched():
    assert dev.look() == 0


def test_it_is_for_this_machine_alone(tact):
    answer = tact("serve", "--dev", "--address", "0.0.0.0", "--tier", "public")
    assert (answer.code, "--dev is for this machine alone" in answer.err) == (2, True)
