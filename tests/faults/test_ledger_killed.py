"""kill -9 in the middle of adding to a ledger: it is whole, with the new entry or without it."""

import os
import signal
import sys

import numpy as np
import pytest

from data.workspace.hash_chain import append_entries, read_chain
from tests.helpers.killing import END, kill, mark, run_through

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")]
BEFORE, ADDED, KILLS = 3, 4, 4
ENTRY = {"kind": "forecast", "values": {"risk model": [[0, 1000]] * 500}}


def command(path):
    return __file__, path


def new(folder):
    for _ in range(BEFORE):
        append_entries(folder / "l.jsonl", [ENTRY])
    return folder / "l.jsonl"


def test_a_ledger_is_whole_wherever_its_process_is_killed(tmp_path_factory):
    steps = run_through(*command(new(tmp_path_factory.mktemp("whole"))))
    lengths = set()
    for moment in np.linspace(1, steps - 1, KILLS).astype(int):
        path = new(tmp_path_factory.mktemp("killed"))
        kill(*command(path), marks=int(moment))
        chain = read_chain(path)
        assert chain.problems == ()
        lengths.add(len(chain.entries))
        after = append_entries(path, [ENTRY])
        assert read_chain(path).head == after.head, "and the next entry can be added"
    assert len(lengths) > 1, "the kills fell between the entries"
    assert min(lengths) >= BEFORE


if __name__ == "__main__":

    def watch(event, arguments):
        if event.partition(".")[0] in ("open", "os") and any("l.jsonl" in str(a) for a in arguments):
            mark()

    from pathlib import Path

    sys.addaudithook(watch)
    for _ in range(ADDED):
        append_entries(Path(sys.argv[1]), [ENTRY])
    os.write(1, END)
