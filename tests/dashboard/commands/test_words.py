"""The words of commands about workspaces, releases and boundaries."""

from __future__ import annotations

import errno
import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from shapely.geometry import box

from dashboard.commands import areas, output, release, undo
from dashboard.commands import serve as serving
from dashboard.commands.people import LOCAL
from data.release import BLOCKED
from data.restricted.vault import Undone
from data.workspace import Workspace, files
from geo.boundaries import UNNAMED


@pytest.fixture
def practice(tact, tmp_path: Path) -> Path:
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    return folder


@pytest.fixture
def square(tmp_path: Path) -> Path:
    """Return a boundary file with one rough square for one municipality."""
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"name": ["Tiranë"]}, geometry=[box(19.7, 41.2, 20.0, 41.5)], crs=4326)
    frame.to_file(tmp_path / "square.gpkg")
    return tmp_path / "square.gpkg"


def test_boundaries_of_real_records_need_a_source(tact, square, tmp_path):
    real = tmp_path / "real"
    tact("--workspace", real, "init")
    for credit in ((), ("--credit", "  ")):
        refused = tact("--workspace", real, "areas", "import", square, *credit, "--json")
        assert (refused.code, refused.json["error"]) == (2, "InputError")
        assert "--credit 'Source, year, licence'" in refused.json["message"]
    assert not list((real / "areas").iterdir())
    assert tact("--workspace", real, "areas", "import", square, "--credit", "Us, 2009, CC-BY").code == 0


@pytest.mark.slow
def test_where_no_source_is_named_it_is_said_and_the_areas_are_counted(tact, practice, square):
    from geo.areas import load_areas

    output = tact("--workspace", practice, "areas", "import", square).out
    assert UNNAMED in output
    assert UNNAMED in load_areas(practice / "areas").source
    (note,) = (line for line in output.splitlines() if line.startswith("Keep their earlier shape: "))
    assert " areas, " in note
    assert " more." in note
    assert note.count("(") == 10


def test_few_areas_are_all_listed():
    assert areas._list_areas("Kept", ("a", "b"), str.upper) == ["Kept: 2 areas, A, B."]
    assert areas._list_areas("Kept", (), str) == []


@pytest.mark.parametrize(
    ("kind", "demo", "words"),
    [
        ("real", False, "the workspace {folder}"),
        ("invented", False, "your practice workspace {folder}"),
        ("invented", True, "the demo with invented data"),
    ],
)
def test_serve_names_what_it_shows(tmp_path, kind, demo, words):
    workspace = Workspace.create(tmp_path / "w", kind, demo=demo)
    assert serving._describe(workspace) == words.format(folder=workspace.path)


@pytest.mark.parametrize(
    ("name", "port", "address", "option"),
    [
        (None, 8642, "http://127.0.0.1:8642", ""),
        (None, 8643, "http://127.0.0.1:8643", " --at http://127.0.0.1:8643"),
        ("map.example.org", 8642, "https://map.example.org", " --at https://map.example.org"),
    ],
)
def test_serve_says_how_an_invitation_names_its_address(name, port, address, option):
    (line,) = serving._explain_entry("partner", name, f"http://127.0.0.1:{port}", people=True)
    assert line.endswith(f"sign in at {address}. Invite them: tact people invite NAME --role ROLE{option}")


@pytest.mark.parametrize("has_terminal", [True, False])
def test_enter_is_named_where_there_is_a_terminal_to_press_it_in(monkeypatch, has_terminal):
    monkeypatch.setattr(serving, "can_ask", lambda: has_terminal)
    (line,) = serving._explain_entry("partner", None, LOCAL, people=False)
    assert ("Press Enter" in line) is has_terminal


def test_releases_are_listed_below_headings(tact, practice):
    for _ in range(2):
        tact("--workspace", practice, "release", "--figures-only")
    head, newest, oldest = tact("--workspace", practice, "releases").out.splitlines()
    assert head.split() == ["release", "created", "(UTC)", "tiers", "state"]
    assert newest.endswith("current")
    assert oldest.endswith("public")
    assert head.index("created") == newest.index("20", 8)


@pytest.mark.parametrize("day", ["2008-13-31", "31.12.2008"])
def test_a_wrong_day_is_answered_with_how_a_day_is_written(tact, practice, day):
    answer = tact("--workspace", practice, "release", "--day", day)
    assert answer.code == 2
    assert f"'{day}' is not a day. Write a day as 2008-12-31." in answer.err
    assert "%Y" not in answer.err


def test_cells_that_are_withheld_are_counted_by_tier():
    assert list(release._word_withheld({"partner": 1034, "public": 0})) == [
        "Tier partner: 1,034 cells with numbers of children are withheld to protect others."
    ]


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Undone(249, 0, 0), "removes 249 records"),
        (Undone(1, 2, 0), "removes 1 record and leaves 2 records as other imports say"),
        (Undone(0, 0, 3), "keeps 3 records corrected or sent again since"),
        (Undone(0, 0, 0), "removes no records"),
    ],
)
def test_an_undo_says_only_what_happens(effect, words):
    assert undo._word_effect(effect, "removes", "leaves", "keeps") == words


def test_the_bar_of_a_release_names_its_steps(monkeypatch, tact, practice):
    screen = io.StringIO()
    monkeypatch.setattr(output, "console", Console(file=screen, force_terminal=True, width=200))
    assert tact("--workspace", practice, "release", "--figures-only").code == 0
    assert "Publishing" in screen.getvalue()


def test_a_bar_shows_the_share_that_is_done_and_no_number_without_a_word(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(output, "console", Console(file=screen, force_terminal=True, width=200, color_system=None))
    with output.progress("Reading posts and need"):
        pass
    assert re.search(r"Reading posts and need \S+ +0:00:0", screen.getvalue())
    with output.progress("Releasing") as tick:
        tick(8, 16, "Publishing")
    assert re.search(r"Publishing \S+ +50% 0:00:0", screen.getvalue())


def test_a_full_disk_is_said_once_and_decisions_of_governance_count_again_afterwards(practice, monkeypatch, capsys):
    workspace, steps = Workspace.open(practice), iter([True, True, False])
    blocked = workspace.releases / BLOCKED
    blocked.unlink(missing_ok=True)

    def write(_path):
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")

    def wait(_seconds):
        nonlocal is_full
        is_full = next(steps)

    is_full = False
    monkeypatch.setattr(files, "fsync_file", write)
    monkeypatch.setattr(serving.time, "sleep", wait)
    with pytest.raises(StopIteration):  # the end of the steps, not of the disk
        serving._follow_governance(workspace)
    assert blocked.is_file()
    assert capsys.readouterr().err.count("The map does not know what governance.toml says") == 1
