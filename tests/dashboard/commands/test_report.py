"""`tact report`: the tables of a standard, written for the public and for a receiver."""

import pytest


@pytest.mark.slow
def test_the_tables_of_a_standard_are_written_in_a_language(tact, demo_world, tmp_path):
    words = ("--standard", "eurostat", "--to", tmp_path, "--language", "el", "--json")
    answer = tact("--workspace", demo_world, "report", *words)
    assert answer.code == 0, answer.err
    assert (answer.json["standard"], answer.json["tier"], answer.json["for"]) == ("eurostat", "public", None)
    assert sorted(answer.json["files"]) == sorted(map(str, tmp_path.iterdir()))
    readme = next(tmp_path.glob("*-README.txt")).read_text(encoding="utf-8")
    assert "Μην αθροίζετε γραμμές" in readme
    assert "Do not" not in readme


def test_a_wrong_standard_or_language_names_those_that_there_are(tact, tmp_path):
    answer = tact("report", "--standard", "icstip", "--to", tmp_path)
    assert answer.code == 2
    assert "eurostat, ctdc, htcds, sdg" in answer.err
    answer = tact("report", "--standard", "sdg", "--to", tmp_path, "--language", "de")
    assert answer.code == 2
    assert "en, sq, el" in answer.err


def test_a_release_that_was_taken_back_is_written_by_no_command_and_a_wrong_name_is_named(tact, tmp_path):
    practice = tmp_path / "practice"
    assert tact("--workspace", practice, "init", "--practice").code == 0
    name = tact("--workspace", practice, "release", "--figures-only", "--json").json["release"]
    (practice / "releases" / "withdrawn").write_text(f"{name}\n2008-05-0001\n", encoding="utf-8")
    for words in (
        ("export", "--format", "csv", "--to", tmp_path / "out"),
        ("report", "--standard", "sdg", "--to", tmp_path / "out"),
        ("ledger", "export", "--to", tmp_path / "out", "--for", "Invented Partner"),
        ("plan", "open", "x", "--briefing", tmp_path / "out"),
        ("plan", "draft", tmp_path / "out"),
    ):
        answer = tact("--workspace", practice, *words, "--release", name)
        assert (answer.code, "was taken back" in answer.err) == (5, True), words
    assert not (tmp_path / "out").exists()
    row = tact("--workspace", practice, "releases", "--json").json[0]
    assert (row["current"], row["withdrawn"]) == (False, True)
    problems = tact("--workspace", practice, "doctor", "--json").json["problems"]
    assert [p for p in problems if "2008-05-0001" in p and "withdrawn" in p]
