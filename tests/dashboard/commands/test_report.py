"""`tact report`: the tables of a standard, written for the public and for a receiver."""


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
