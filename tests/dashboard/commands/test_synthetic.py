"""`tact synthetic`: it needs a release and nothing else, and an import keeps its rows away from real ones."""

import shutil

import pytest


@pytest.fixture(scope="module")
def release_alone(demo_world, tmp_path_factory):
    """Return the public tier of the demo's release in a folder without anything else."""
    name = (demo_world / "releases" / "current").read_text(encoding="utf-8").strip()
    folder = tmp_path_factory.mktemp("release") / name
    shutil.copytree(demo_world / "releases" / name / "public", folder / "public")
    return folder


@pytest.fixture
def records(tact, release_alone, tmp_path):
    answer = tact("synthetic", release_alone, "--to", tmp_path / "out", "--seed", "5", "--json")
    assert answer.code == 0, answer.err
    return answer.json


@pytest.mark.slow
def test_a_release_alone_is_enough_and_the_workspace_adds_nothing(tact, demo_world, records, tmp_path, monkeypatch):
    def refuse(*_words, **_options):
        pytest.fail("the vault was opened")

    monkeypatch.setattr("data.restricted.vault.Vault.open", refuse)
    answer = tact("--workspace", demo_world, "synthetic", "--to", tmp_path / "same", "--seed", "5", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["sha256"] == records["sha256"]
    assert len(answer.json["files"]) == 3


@pytest.mark.long
def test_an_import_takes_its_rows_for_practice_alone(tact, records, tmp_path):
    [file, *_] = records["files"]
    assert tact("--workspace", tmp_path / "real", "init").code == 0
    refused = tact("--workspace", tmp_path / "real", "import", file)
    assert refused.code == 3
    assert "these records are invented" in refused.err
    assert tact("--workspace", tmp_path / "practice", "init", "--practice").code == 0
    answer = tact("--workspace", tmp_path / "practice", "import", file, "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["accepted"], answer.json["rejected"]) == (records["rows"], 0)


def test_what_is_no_release_is_named(tact, tmp_path):
    (tmp_path / "out").mkdir()
    answer = tact("synthetic", tmp_path / "none", "--to", tmp_path / "out")
    assert answer.code == 5
    assert "releases/NAME" in answer.err
    assert "out" not in answer.err.replace(str(tmp_path), "")  # other folders are no releases
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert tact("synthetic", tmp_path, "--to", tmp_path / "file").code == 2
