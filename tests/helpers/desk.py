"""Make a desk in this process for tests of its pages, or start one with `tact desk`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from streamlit.testing.v1 import AppTest

from dashboard.desk import state
from data.restricted import keys
from data.restricted.vault import Vault
from data.workspace import Workspace
from tests.helpers.paths import ROOT


class Clocks:
    """Two clocks that stand still until a test moves them."""

    def __init__(self) -> None:
        self.times = [0.0, 1_000_000.0]

    def __call__(self) -> tuple[float, float]:
        return self.times[0], self.times[1]


def make_desk(folder: Path, kind: str = "invented") -> tuple[state.Desk, Clocks]:
    """Return the unlocked desk of a new workspace of a kind, and its clocks; the keys are in files as usual."""
    workspace = Workspace.create(folder / "practice", kind)
    secrets = keys.create(workspace.key_id)
    Vault.create(workspace.vault, secrets).close()
    clocks = Clocks()
    desk = state.Desk(workspace, clocks)
    desk.unlock(secrets)
    return desk, clocks


# A page under test cannot go to another page, so the wanted page is the only one.
_SCRIPT = """
from dashboard.desk import frame
frame.PAGES = (frame.Section({module!r}, "Files", ""),)
frame.run_page()
"""


def open_section(desk: state.Desk, module: str = "files", language: str = "en") -> AppTest:
    """Run a page of the desk and return it."""
    state._desks[:] = [desk]
    page = AppTest.from_string(_SCRIPT.format(module=module), default_timeout=60)
    page.query_params["lang"] = language
    return page.run()


@dataclass(frozen=True)
class Started:
    """A running `tact desk`: its address, the process of the command, the id of that of the pages, and the log."""

    address: str
    command: subprocess.Popen[str]
    web: int
    log: IO[str]

    def read_log(self) -> str:
        self.log.seek(0)
        return self.log.read()

    @property
    def url(self) -> str:
        return self.address.partition("/?")[0]


@contextmanager
def start_desk(workspace: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Started]:
    """Start `tact desk` as a user does, and stop it at the end."""
    import psutil

    command = [sys.executable, "-m", "dashboard.cli", "--workspace", str(workspace), "desk", "--json", *arguments]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        answer = ""
        while not answer.endswith("}\n"):
            line = process.stdout.readline()
            assert line, f"the command ended with exit code {process.wait()}: {answer}"
            answer += line
        (web,) = psutil.Process(process.pid).children()
        try:
            yield Started(json.loads(answer)["url"], process, web.pid, log)
        finally:
            process.terminate()
            process.wait(20)
            process.stdin.close()
            process.stdout.close()
