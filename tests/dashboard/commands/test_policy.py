"""`tact policy compare`: the answer, the words, the files, and the errors for wrong options."""

import csv
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from dashboard.commands import policy
from data.disclosure.attacks import membership
from data.disclosure.policy import DEFAULT_POLICY
from data.tables.spec import TableSpec

SMALL_PLAN = {
    "partner": (TableSpec("children", "municipality", "quarter"),),
    "public": (TableSpec("children", "region", "year"), TableSpec("children", "region", "whole", ("pathway",))),
}
ASKED = ("policy", "compare", "--worlds", "1", "--children", "300", "--seed", "4")


@pytest.fixture
def quick(monkeypatch):
    """Use a small plan, and few worlds for the membership attack, because these tests are about the command."""
    monkeypatch.setattr(membership, "WORLDS", (200,))
    real = policy.policy_file.read
    small = lambda path: policy.policy_file.Rules(real(path).policy, SMALL_PLAN)  # noqa: E731
    monkeypatch.setattr(policy.policy_file, "read", small)


@pytest.mark.slow
def test_the_current_policy_is_that_of_the_workspace(quick, tact, tmp_path, monkeypatch):
    monkeypatch.setattr(policy, "_OTHERS", ())
    folder = tmp_path / "w"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    path = folder / "policy.toml"
    path.write_text(path.read_text().replace("k = 11", "k = 19"))
    answer = tact("--workspace", folder, *ASKED, "--json").json
    assert [candidate["k"] for candidate in answer["candidates"] if candidate["current"]] == [19]
    path.write_text(path.read_text().replace("k = 19", 'k = 19\nmechanism = "threshold"'))
    refused = tact("--workspace", folder, *ASKED, "--json")
    assert (refused.code, refused.json["error"]) == (2, "InputError")
    assert "Delete the line" in refused.json["message"]


@pytest.mark.long
def test_the_answer_holds_every_policy_once_and_the_same_seed_gives_the_same(quick, tact, tmp_path):
    numbers = ("--k", "20", "--variance", "4", "--largest", "9")
    first = tact(*ASKED, *numbers, "--to", tmp_path / "new" / "here", "--json")
    assert first.code == 0
    answer = first.json
    assert (answer["invented"], answer["worlds"], answer["children"], answer["seed"]) == (True, 1, 300, 4)
    assert answer["limits"] == {"one_number": 0.1, "all_numbers": 0.25}
    rows = [(r["k"], r["variance"], r["variance_near_k"], r["largest"]) for r in answer["candidates"]]
    assert len(set(rows)) == len(rows)
    others = {(11, 2.0, 2.0, 5), (15, 2.0, 2.0, 5), (12, 5.0, 5.0, 8), (20, 4.0, 6.0, 9)}
    assert {(11, 2.0, 6.0, 5), *others} == set(rows)
    current = [r for r in answer["candidates"] if r["current"]]
    assert [(r["k"], r["variance"]) for r in current] == [(DEFAULT_POLICY.k, DEFAULT_POLICY.variance)]
    flat = {r["k"]: r for r in answer["candidates"] if r["variance_near_k"] == r["variance"] == 2.0}
    assert flat[11]["fails"] == ["one_number"]
    assert flat[15]["readers"]["both"]["hidden_children"] >= flat[11]["readers"]["both"]["hidden_children"]
    assert set(flat[11]["readers"]) == {"AL", "GR", "both"}

    table, picture, image = map(str, answer["files"])
    assert Path(image).read_bytes().startswith(b"\x89PNG")
    with Path(table).open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [int(r["k"]) for r in written] == [r["k"] for r in answer["candidates"]]
    assert float(written[0]["readers_AL_hidden_children"]) == current[0]["readers"]["AL"]["hidden_children"]
    words = "".join(ET.parse(picture).getroot().itertext())
    for expected in ("(current policy)", "limit of 0.10", "limit of 0.25", "fails", "invented"):
        assert expected in words

    again = tact(*ASKED, *numbers, "--json").json
    assert again["candidates"] == answer["candidates"]
    assert again["files"] == []


@pytest.mark.slow
def test_people_read_which_policy_is_in_use_and_which_fails_what(quick, tact, monkeypatch):
    monkeypatch.setattr(policy, "_OTHERS", policy._OTHERS[:1])
    out = tact(*ASKED).out
    assert "No record was read" in out
    assert "Written" not in out
    assert f"k {DEFAULT_POLICY.k}, variance 2 (near k 6), largest 5 (current policy): keeps both limits." in out
    flat = "k 11, variance 2 (near k 2), largest 5"
    assert f"{flat}: fails, membership advantage from one public number 0.115, limit 0.10." in out
    assert "Albania" in out
    assert max(map(len, out.splitlines())) < 200


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--k", "5", "at least 11"),
        ("--variance", "0", "between 0 and largest"),
        ("--variance", "5", "between 0 and largest"),
        ("--variance", "nan", "between 0 and largest"),
        ("--variance-near-k", "1", "between variance and twice largest"),
        ("--largest", "15", "less than k = 11"),
        ("--worlds", "0", "1 or more"),
        ("--children", "0", "1 or more"),
        ("--children", "99000000", "1 to 10,000,000"),
        ("--seed", "-1", "0 or more"),
        ("--k", "many", "a whole number"),
    ],
)
def test_a_wrong_option_is_refused_and_says_what_is_allowed(tact, option, value, allowed):
    answer = tact("policy", "compare", "--worlds", "1", option, value, "--json")
    assert answer.code == 2
    assert allowed in answer.json["message"]


def test_a_folder_that_is_a_file_is_refused_before_anything_is_worked_out(tact, tmp_path):
    (tmp_path / "taken").write_text("")
    answer = tact(*ASKED, "--to", tmp_path / "taken", "--json")
    assert answer.code == 2
    assert "taken" in answer.json["message"]


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_it_can_be_stopped_and_leaves_nothing(tmp_path, stoppable):
    command = [sys.executable, "-m", "dashboard.cli", "policy", "compare", "--to", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 120
        while not (tmp_path / "out").exists() and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert list((tmp_path / "out").iterdir()) == []
