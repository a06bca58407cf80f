"""What is open follows what is shown: no part of a page and no file is of a release that was taken back."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from dashboard import pages
from dashboard.site import current_release, read_site
from dashboard.site.file_places import PLACES
from dashboard.web import agenda
from dashboard.widgets import page_frame
from data.errors import ReleaseError, TactError
from data.release import WITHDRAWN
from tests.helpers import small_release

OLD, NEW = "2008-05-001", "2008-05-002"


class PageAnew(Exception):
    pass


@pytest.fixture
def releases(monkeypatch, tmp_path):
    """Return a folder of two releases, of which a reader has the older one open."""
    for number, name in enumerate((OLD, NEW), start=1):
        small_release.make(tmp_path, name=name, sequence=number)
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    monkeypatch.setenv("TACT_TIER", "partner")
    monkeypatch.setattr("dashboard.site._asked", [lambda: OLD])
    return tmp_path


def withhold_communities(releases):
    (releases / "blocked").write_text("communities\n")


def withdraw(releases):
    (releases / WITHDRAWN).write_text(f"{OLD}\n")


@pytest.mark.parametrize("change", [withhold_communities, withdraw])
def test_an_open_part_of_a_page_draws_the_page_anew_once_its_release_is_not_shown_as_it_was(
    releases, monkeypatch, change
):
    parts, drawn = [], []

    def draw_anew():
        raise PageAnew

    monkeypatch.setattr("streamlit.fragment", lambda part, run_every: parts.append((part, run_every)) or part)
    monkeypatch.setattr("streamlit.rerun", draw_anew)
    current = current_release.open_current_release(read_site())
    page_frame.show_part(lambda *shown: drawn.append(shown), current, "periods", every=4.0)
    ((part, every),) = parts
    part()
    assert (drawn, every) == ([(current, "periods")] * 2, 4.0)
    change(releases)
    with pytest.raises(PageAnew):
        part()
    assert len(drawn) == 2


@pytest.mark.parametrize("change", [withhold_communities, withdraw])
def test_a_file_is_made_as_long_as_its_release_is_shown_as_it_was(releases, change):
    make = page_frame.follow_shown(lambda: b"file", current_release.open_current_release(read_site()))
    assert make() == b"file"
    small_release.make(releases, name="2008-05-003", sequence=3)
    assert make() == b"file", "a newer release takes nothing back"
    change(releases)
    with pytest.raises(ReleaseError, match="not shown any more"):
        make()


def test_who_asks_for_a_file_while_four_wait_is_asked_to_come_again_and_a_fault_keeps_no_place(releases):
    current = current_release.open_current_release(read_site())
    make = page_frame.follow_shown(lambda: b"file", current)
    with ExitStack() as waiting:
        for _ in range(4):
            waiting.enter_context(PLACES)
        with pytest.raises(TactError, match="Try again in some seconds"):
            make()
    fail = page_frame.follow_shown(lambda: {}["file"], current)
    for _ in range(5):
        with pytest.raises(KeyError):
            fail()
    assert make() == b"file"


def list_modules():
    """Return the modules of pages, those of the agenda among them."""
    return [path for folder in (pages, agenda) for path in Path(folder.__file__).parent.rglob("*.py")]


def test_every_part_of_a_page_follows_the_shown_release():
    fragments = [path for path in list_modules() if "st.fragment" in path.read_text("utf-8")]
    assert [path.parent.name for path in fragments] == ["situation"], "it opens the release anew itself"


def test_every_file_that_is_made_when_asked_for_follows_the_shown_release():
    by_hand = [path for path in list_modules() if "st.download_button" in path.read_text("utf-8")]
    names = sorted(path.stem for path in by_hand)
    assert names == ["forms", "handover"], "they offer tables that are made when the page is drawn"
