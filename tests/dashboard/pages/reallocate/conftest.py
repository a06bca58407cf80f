"""The Reallocate page on the demo world, with a copy of its results in which tests save plans."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages.reallocate import planner
from dashboard.site import Site, current_release
from tests.helpers.reallocate_page import page


@pytest.fixture(scope="package")
def derived(scored, tmp_path_factory):
    """Return a copy of the derived results in which tests save plans; each plan is computed once for all of them."""
    return shutil.copytree(scored.derived, tmp_path_factory.mktemp("kept") / "derived")


@pytest.fixture(autouse=True)
def nothing_kept(derived):
    yield
    for folder in derived.glob("*/plan-*"):
        shutil.rmtree(folder)


@pytest.fixture(scope="package")
def current(scored, derived):
    return current_release.open_current_release(Site(scored.releases, "partner", derived=derived))


@pytest.fixture
def no_frontier(monkeypatch):
    """Compute no gains for other numbers of moves, for tests that save a plan and do not look at them."""
    monkeypatch.setattr(planner, "compute_frontier", lambda *_: ())


@pytest.fixture
def run(monkeypatch, scored, derived):
    def opened(tier="partner", state=None, **address):
        monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
        monkeypatch.setenv("TACT_TIER", tier)
        monkeypatch.setenv("TACT_DERIVED", str(derived))
        test = AppTest.from_function(page, default_timeout=120)
        test.query_params.update(address)
        for name, value in (state or {}).items():
            test.session_state[name] = value
        test.run()
        assert not test.exception
        return test

    return opened
