"""`tact count`: a file of exact counts for its owner alone, what was refused, and columns that are refused."""

import stat
import sys

import pytest

RECORDS = "lon,lat,kind\n23.73,37.98,a\n23.73,37.98,a\n19.82,41.33,=b\n41.33,19.82,b\n,,b\n"


@pytest.fixture
def count(tact, tmp_path, monkeypatch):
    (tmp_path / "records.csv").write_text(RECORDS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return lambda *words: tact("count", "records.csv", "--longitude", "lon", "--latitude", "lat", *words)


def test_counts_are_written_for_their_owner_alone(count, tmp_path):
    answer = count("--by", "kind", "--to", "counts.csv")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[:3] == [
        "Counted: 3, in counts.csv.",
        "Not counted, longitude and latitude seem to be exchanged: 1.",
        "Not counted, no place is given: 1.",
    ]
    assert "do not publish them" in answer.out
    written = tmp_path / "counts.csv"
    heading, *rows = written.read_text(encoding="utf-8").splitlines()
    assert heading == "area,kind,records"
    assert set(rows) == {"9186,a,2", "10944420,'=b,1"}  # no spreadsheet runs it as a formula
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert count("--to", "counts.csv", "--json").json["refused"] == {"swapped": 1, "missing": 1}


def test_records_are_never_written_over(count, tmp_path):
    for target in ("records.csv", str(tmp_path / "records.csv"), "."):
        answer = count("--to", target)
        assert answer.code == 2
        assert answer.err.startswith(f"{target} is a folder, or a file that is to be counted.")
    assert (tmp_path / "records.csv").read_text(encoding="utf-8") == RECORDS


def test_records_are_not_counted_by_a_personal_column(count, tmp_path):
    answer = count("--by", "Date of birth", "--to", "counts.csv")
    assert answer.code == 2
    assert "seems to hold dates of birth" in answer.err
    assert not (tmp_path / "counts.csv").exists()


@pytest.mark.parametrize(
    ("values", "sort"),
    [
        (("Blerta Hoxha", "Besa L.", "other one"), "names"),
        (("+355 69 123 4567", "kind one", "kind two"), "phone numbers"),
        (("37.98131", "41.33009", ""), "coordinates"),
    ],
)
def test_records_are_not_counted_by_personal_values_under_any_heading(count, tmp_path, values, sort):
    rows = "".join(f"23.73,37.98,{value}\n" for value in values)
    (tmp_path / "records.csv").write_text(f"lon,lat,kind\n{rows}", encoding="utf-8")
    answer = count("--by", "kind", "--to", "counts.csv")
    assert answer.code == 2
    assert answer.err.startswith(f"Records are not counted by 'kind', which seems to hold {sort}.")
    assert not any(value and value in answer.err for value in values)
    assert not (tmp_path / "counts.csv").exists()


def test_records_are_not_counted_by_the_coordinates_of_their_points(tact, tmp_path):
    (tmp_path / "points.csv").write_text("east,north\n23.7,38\n", encoding="utf-8")
    columns = ("--longitude", "east", "--latitude", "north", "--by", "east")
    answer = tact("count", tmp_path / "points.csv", *columns, "--to", tmp_path / "counts.csv")
    assert answer.code == 2
    assert "'east', which seems to hold coordinates" in answer.err


def test_a_column_is_counted_by_once_and_is_not_named_as_one_of_the_result(count, tmp_path):
    assert count("--by", "kind", "--by", "kind", "--to", "counts.csv").code == 0
    assert (tmp_path / "counts.csv").read_text(encoding="utf-8").startswith("area,kind,records\n")
    answer = count("--by", "records", "--to", "counts.csv")
    assert answer.code == 2
    assert answer.err.startswith("The result has a column 'records' of its own.")


def test_a_cluster_that_is_not_installed_is_named_with_the_command_that_brings_it(count, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    answer = count("--to", "counts.csv", "--cluster", "local")
    assert answer.code == 2
    assert "pip install '.[cluster]'" in answer.err
