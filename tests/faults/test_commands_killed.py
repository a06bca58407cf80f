"""kill -9 of the real commands at seeded moments: `tact import` and `tact release`, twenty times each with `make long`.

A moment is a share of the time for which the command works on the workspace, or one of the steps in which it
opens or changes a file there (an audit hook counts the steps and can stop at one).
"""

from __future__ import annotations

import csv
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from data.release import Release, current_name, names
from data.restricted.keys import load
from data.restricted.vault import Vault
from data.tables.spec import TIERS
from data.workspace import Workspace
from tests.helpers.prepared import start
from tests.helpers.repetitions import vary

KEYS = {"TACT_VAULT_KEY": "a1" * 32, "TACT_IDENTIFIER_KEY": "b2" * 32}
MOMENTS = 10
ALWAYS = (4, 11, 15, 16)  # one by time, one at any step, two at the last ones
PROGRAM = """
import os, signal, sys
inside, last, told, null = sys.argv[1], int(sys.argv[2]), os.dup(1), os.open(os.devnull, os.O_WRONLY)
steps = 0
def hook(event, arguments):
    global steps
    if event.partition(".")[0] in ("open", "os", "shutil") and any(inside in str(a) for a in arguments):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(told, b".")
os.dup2(null, 1)
os.dup2(null, 2)
sys.argv = ["tact", "--workspace", inside, *sys.argv[3:]]
sys.addaudithook(hook)
from dashboard.cli import main
main()
"""
# A few tables of both tiers: forty releases, and a kill among the steps that count rather than among tables.
POLICY = """
[[partner]]
measures = ["children", "encounters", "effort"]
levels = ["region"]
periods = ["year", "whole"]

[[public]]
measures = ["children"]
levels = ["region"]
periods = ["year", "whole"]
"""
MUNICIPALITIES = ("Tiranë", "Durrës", "Fier", "Elbasan", "Korçë")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")]


@pytest.fixture(autouse=True)
def own_keys(monkeypatch, own_home):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module", autouse=True)
def module_keys():
    """Set the keys also for what is made once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield


@dataclass(frozen=True)
class Ran:
    """The run of a command: its exit code, seconds of work on the workspace, and number of steps."""

    code: int
    seconds: float
    steps: int


def run(workspace, *words, after=None, step=0):
    """Run a command; kill it some time after its first step in the workspace, or at a given step."""
    process = start("-c", PROGRAM, workspace, step, *words)
    steps = process.stdout.read(1)
    assert steps, "the command ended before it came to the workspace"
    began = time.monotonic()
    if after is not None:
        time.sleep(after)
        process.kill()
    rest, _ = process.communicate()
    return Ran(process.wait(), time.monotonic() - began, len(steps + rest))


def moments(seed, whole):
    """Draw moments to kill at, half by time and half by step, from a run without a kill."""
    random = np.random.default_rng(seed)
    times = random.uniform(0, whole.seconds, MOMENTS)
    # Half of them among the last steps, which rename, replace and clean up.
    early = random.integers(2, whole.steps + 1, MOMENTS // 2)
    late = random.integers(max(2, whole.steps - 30), whole.steps + 1, MOMENTS // 2)
    return [{"after": float(t)} for t in times] + [{"step": int(s)} for s in (*early, *late)]


def rows(count, first=0):
    row = {"stage": "identified", "pathway": "internal", "form": "begging", "axis": "protection"}
    return [
        row
        | {
            "date": f"2008-03-{1 + i % 28:02d}",
            "municipality": MUNICIPALITIES[i % 5],
            "child_id": f"K-{i // 2}",
            "record_number": f"R-{i}" if i % 3 else "",
            "found": "reported" if i % 2 else "discovered",
            "partner": "ARSIS",
        }
        for i in range(first, first + count)
    ]


def write(path, records):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return path


def identities(workspace):
    opened = Workspace.open(workspace)
    with Vault.open(opened.vault, load(opened.id)) as vault:
        return sorted(i.as_py() for part in vault.read("encounter", ["identity"]) for i in part["identity"])


def copied(workspace, tmp_path):
    return Path(shutil.copytree(workspace, tmp_path / "workspace"))


def assert_healthy(tact, workspace):
    """Check that `doctor` repairs what was interrupted, so that nobody has to do anything by hand."""
    doctor = tact("--workspace", workspace, "doctor", "--json")
    assert (doctor.code, doctor.json) == (0, {"healthy": True, "problems": []})


def practice(folder, *files):
    """Make a workspace with some records."""
    assert run(folder, "init", "--practice").code == 0
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    assert run(folder, "import", *files).code == 0
    return folder


# -- import ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return [write(folder / f"{i}.csv", rows(600, first=500 + 600 * i)) for i in range(3)]


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Return a workspace that has some of the records already."""
    folder = tmp_path_factory.mktemp("before")
    return practice(folder / "workspace", write(folder / "few.csv", rows(700)))


@pytest.fixture(scope="module")
def imported(before, files, tmp_path_factory):
    """Import without a kill; return its measures, and the vault's content before and after it."""
    workspace = copied(before, tmp_path_factory.mktemp("whole"))
    few = identities(workspace)
    whole = run(workspace, "import", *files)
    assert whole.code == 0
    return whole, few, identities(workspace)


@pytest.mark.always("15")
@vary("i", range(2 * MOMENTS), *ALWAYS)
def test_a_killed_import_loses_nothing_and_doubles_nothing(tact, before, files, imported, tmp_path, i):
    whole, few, everything = imported
    workspace, moment = copied(before, tmp_path), moments(41, whole)[i]
    ran = run(workspace, "import", *files, **moment)
    assert ran.code in ((-signal.SIGKILL, 0) if "after" in moment else (-signal.SIGKILL,))
    assert_healthy(tact, workspace)
    stored = identities(workspace)
    assert set(few) <= set(stored) <= set(everything)
    assert len(stored) == len(set(stored))
    # A file is in or it is not: 200 of the first were there before.
    assert len(stored) in (700, 1100, 1700, 2300)
    again = tact("--workspace", workspace, "import", *files, "--json").json
    assert again["accepted"] == len(everything) - len(stored)
    assert (again["rejected"], again["changed"]) == (0, 0)
    assert identities(workspace) == everything
    assert_healthy(tact, workspace)


# -- release --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Return a workspace with a release and newer records, and the measures of its next release."""
    folder = tmp_path_factory.mktemp("released")
    workspace = practice(folder / "workspace", write(folder / "few.csv", rows(400)))
    first = run(workspace, "release")
    more = run(workspace, "import", write(folder / "more.csv", rows(300, first=400)))
    next_one = run(copied(workspace, tmp_path_factory.mktemp("whole")), "release")
    assert (first.code, more.code, next_one.code) == (0, 0, 0)
    return workspace, next_one


def assert_whole(releases, name):
    for tier in TIERS:
        release = Release.open(releases, tier, name)
        assert release.check() == []
        assert all(len(release.table(table).columns) for table in release.tables)
        assert release.manifest["tact"]["audit"]["passed"]


@pytest.mark.always("15")
@vary("i", range(2 * MOMENTS), *ALWAYS)
def test_a_killed_release_is_whole_or_is_not_there(tact, released, tmp_path, i):
    base, whole = released
    workspace, moment = copied(base, tmp_path), moments(43, whole)[i]
    releases = workspace / "releases"
    run(workspace, "release", **moment)
    assert_healthy(tact, workspace)
    listed = [row["release"] for row in tact("--workspace", workspace, "releases", "--json").json]
    assert len(listed) in (1, 2)
    for name in listed:
        assert_whole(releases, name)
    assert current_name(releases) in listed
    answer = tact("--workspace", workspace, "release", "--json")
    assert answer.code == 0
    release = answer.json["release"]
    assert release not in listed
    assert current_name(releases) == release == names(releases)[0]
    assert_whole(releases, release)
    assert sorted(path.name for path in releases.glob(".*")) == [".lock", ".names"]
    assert_healthy(tact, workspace)
