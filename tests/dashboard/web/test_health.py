"""What is answered about the health of the process: whether the release can be read whole, and nothing else."""

import shutil
from pathlib import Path

import pytest

from dashboard.site import Site
from dashboard.web import health
from dashboard.web.health import find_problem, make_health


@pytest.fixture
def site(demo_world, tmp_path):
    return Site(Path(shutil.copytree(demo_world / "releases", tmp_path / "releases")), "public")


def test_a_whole_release_is_well_and_so_is_a_folder_without_one(site, tmp_path):
    assert find_problem(site) == ""
    (tmp_path / "new").mkdir()
    assert find_problem(Site(tmp_path / "new", "partner")) == ""


def test_what_cannot_be_shown_is_a_problem(site):
    folder = site.release().folder
    table = next(folder.glob("children*.parquet"))
    whole = table.read_bytes()
    table.write_bytes(whole[:-1])
    assert f"{table} is damaged" in find_problem(site)
    table.write_bytes(whole)
    (folder / "datapackage.json").write_text("{")
    assert "datapackage.json is damaged" in find_problem(site)
    shutil.rmtree(folder)
    assert "No release" in find_problem(site)
    shutil.rmtree(site.releases)
    assert "is gone" in find_problem(site)


def test_the_answer_holds_for_some_seconds_names_no_file_and_turns_well_again(site, monkeypatch, caplog):
    now = [100.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: now[0])
    answer, away = make_health(site), site.releases.with_name("away")
    assert (answer(None).status_code, answer(None).body) == (200, b'{"status":"ok"}')
    site.releases.rename(away)
    assert answer(None).status_code == 200
    for _ in range(3):
        now[0] += 6
        assert (answer(None).status_code, answer(None).body) == (503, b'{"status":"failing"}')
    assert [record.message for record in caplog.records] == [f"{site.releases} is gone."], "it is said once"
    away.rename(site.releases)
    now[0] += 6
    assert answer(None).status_code == 200
