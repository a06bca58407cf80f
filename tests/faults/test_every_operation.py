"""Each operation under a wrong clock, on a full or read-only disk, beside a second writer: whole, or refused.

Two faults run only with `make long`. What a clock that stands ahead may not delete is in
tests/dashboard/commands/test_retention.py too, and a read-only disk refuses as the full disk here does.
"""

import json
import os
import subprocess
import sys

import pytest

from scripts.random_kills.rounds import OPERATIONS
from tests.helpers.every_operation import AFTERWARDS, CLOCKS, DISKS, FAULTS
from tests.helpers.paths import ROOT
from tests.helpers.repetitions import vary

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX")]
# A saved plan waits for the one before it; a restore elsewhere writes into a new folder; a clock may end an invitation.
DONE = {"a second writer": {"plan", "restore elsewhere"}}
REFUSED = {"a clock that stands back": {"release"}, "a clock that jumps": {"accept"}}


@pytest.fixture(scope="module")
def answers_by_fault(request, tmp_path_factory):
    """Return the exit code and words of each operation by fault: those of this run, without disks if none mounts."""
    faults = {item.callspec.params["fault"] for item in request.session.items if item.path == request.path}
    folder = tmp_path_factory.mktemp("faults")
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        disk.rmdir()
    try:
        command = [sys.executable, "-m", "tests.helpers.every_operation", folder, *sorted(faults)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        if disk.exists():
            subprocess.run(["umount", "-l", disk], check=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.slow(seconds=14)
@vary("fault", FAULTS, "a clock that stands back", "a clock that jumps", "a second writer", "a full disk")
def test_every_operation_is_whole_or_refused_in_words(answers_by_fault, fault):
    if fault in DISKS and fault not in answers_by_fault:
        pytest.skip("mounting a small disk needs root on Linux")
    answers = answers_by_fault[fault]
    code, words = answers.pop(AFTERWARDS)
    assert code == 0 or any(line.startswith("The last backup is of ") for line in words.splitlines())
    assert len(answers) == len(OPERATIONS)
    for operation, (code, words) in answers.items():
        assert code in (0, 2, 3, 4), (operation, words)
        assert code == 0 or operation == "accept" or words.strip(), operation
    refused = {operation for operation, (code, _) in answers.items() if code}
    assert refused == (REFUSED.get(fault, set()) if fault in CLOCKS else answers.keys() - DONE.get(fault, set()))
