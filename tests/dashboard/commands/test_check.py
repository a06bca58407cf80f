"""`tact check`: the answer in words and as JSON, for whom it is, and its exit code."""

import pytest

from tests.helpers import checked_release

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return checked_release.make(tmp_path_factory.mktemp("releases"))


@pytest.fixture
def check(tact, releases, tmp_path):
    def run(text, *words):
        table = tmp_path / "table.csv"
        table.write_text(text, encoding="utf-8")
        return tact("check", table, "--releases", releases, *words)

    return run


def test_a_harmless_table_may_be_published(check):
    answer = check("area,2006/07\nAL-02,48\nAL-04,24\nAL-01,few\n")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("You may publish this table.")


def test_partners_may_have_what_everyone_may_not(check):
    table = "area,2006/07\nAL-02,48\nAL-04,24\nAL-01,6\nAL-11,90\n"
    answer = check(table, "--json")
    assert answer.code == 5
    assert answer.json["audience"] == "partners"
    (finding, *_) = answer.json["findings"]
    assert (finding["rule"], finding["column"], finding["rows"]) == ("hidden", "2006/07", [4])
    assert "fewer than 11" in finding["instead"]
    assert check(table, "--tier", "partner").code == 0


def test_the_answer_comes_in_the_language_that_is_asked_for(check):
    answer = check("area,2006/07\nAL-02,48\nAL-01,0\n", "--language", "el")
    assert answer.code == 5
    assert "Μη δημοσιεύσετε" in answer.out
    assert "Στήλη «2006/07», γραμμή 3" in answer.out


def test_wrong_words_name_those_that_there_are(tact, check, tmp_path):
    assert "en, sq, el" in check("a,b\n1,2\n", "--language", "de").err
    assert "partner, public" in check("a,b\n", "--tier", "all").err
    assert "no folder of releases" in tact("check", tmp_path / "table.csv", "--releases", tmp_path / "no").err
    missing = tact("check", tmp_path / "no.csv", "--releases", tmp_path)
    assert missing.code == 2
    assert "no.csv" in missing.err


def test_a_file_of_records_is_not_checked_and_the_commands_that_were_meant_are_named(check):
    answer = check("date,municipality,child_id,stage\n2008-03-04,Durrës,K-1,at_risk\n")
    assert answer.code not in (0, 5)
    assert "tact mapping draft" in answer.err
    assert "--dry-run" in answer.err
