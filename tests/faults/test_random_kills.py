"""A few of the kills at random moments of scripts/random_kills, which does a thousand of them."""

import json
import signal
import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.repetitions import vary

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")]
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
