"""A few of the kills at random moments of scripts/random_kills, which does a thousand of them."""

import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from scripts.random_kills import __main__ as program
from tests.helpers.paths import ROOT
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
# Those that no other test kills.
ALONE = ("publish", "plan", "invite", "accept", "revoke", "meeting", "shorten", "withdraw")


@pytest.mark.slow(seconds=10)
@pytest.mark.timeout(1200)
@vary("number, operations", [(8, ALONE), (100, ())], ids=["eight", "a hundred"])
def test_nothing_is_lost_and_nothing_is_half_after_random_kills(number, operations):
    chosen = [f"--only={operation}" for operation in operations]
    command = [sys.executable, "-m", "scripts.random_kills", "--number", str(number), "--seed", "4", *chosen]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    answer = json.loads(run.stdout)
    assert answer["failures"] == []
    assert answer["kills"] == number
    assert len(answer["killed"]) >= min(2 * number // 5, 10)


def test_progress_counts_the_command_that_has_just_ended(tmp_path, monkeypatch):
    outcomes = iter(["ended", "killed", "passed over", "killed"])

    def make_world(path):
        return SimpleNamespace(path=path, enter=lambda: None)

    def make_round(_base, _world, _chance, _model, _seen):
        model = SimpleNamespace(list_records=lambda _base: [])
        return SimpleNamespace(model=model, kill_one=lambda *_: next(outcomes))

    monkeypatch.setattr(program, "build_base", lambda folder: SimpleNamespace(world=make_world(folder / "base")))
    monkeypatch.setattr(program, "look", lambda _world: SimpleNamespace(records=[]))
    monkeypatch.setattr(program, "World", make_world)
    monkeypatch.setattr(program, "Round", make_round)
    (tmp_path / "base").mkdir()
    seen = [(s.ended.total(), s.kills.total()) for s in program.run_kills(2, 1, tmp_path)]
    assert seen == [(1, 0), (1, 1), (1, 1), (1, 2)]
