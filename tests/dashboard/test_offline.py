"""The commands and the map work without a network, in a namespace that has no connection.

That none of the pages asks for a name or an address outside is seen in tests/dashboard/test_wall.py, by a hook in its
process.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT

# Runs in the namespace: turns on its own address, shows that no other can be reached, and goes the whole way.
PROGRAM = """
import contextlib, fcntl, io, socket, struct, sys
from pathlib import Path
workspace, folder = map(Path, sys.argv[1:])
with socket.socket() as line:
    up = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
    fcntl.ioctl(line, 0x8914, up)  # SIOCSIFFLAGS
    line.settimeout(3)
    try:
        line.connect(("192.0.2.1", 80))
    except OSError as error:
        print("closed:", error.strerror)
sys.path.insert(0, str(Path.cwd()))
import pytest
from tests.helpers import conversation, guarding, quick, small_policy
from dashboard.cli import main
quick.use_few_worlds(pytest.MonkeyPatch())
def tact(*words):
    sys.argv[1:] = ["--workspace", str(folder / "new"), *map(str, words)]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            main()
    except SystemExit as end:
        assert not end.code, words
tact("init", "--practice")
small_policy.write_small_policy(folder / "new")
tact("demo", "--files", folder / "files", "--children", "50")
tact("import", *(folder / "files").glob("*terre*"))
tact("release")
tact("export", "--to", folder / "out", "--format", "gpkg")
command = guarding.serve(workspace, folder / "spy")
try:
    for page in ("", "map"):
        shown = conversation.open_page(command.url, page)
        assert (shown.ended, shown.errors) == ("FINISHED_SUCCESSFULLY", []), (page, shown.errors)
        assert "TACT Map" in shown.text
        print("shown:", page)
    for path in ("/", "/geometry/land.json", "/assets/leaflet/leaflet.js", "/assets/theme.css"):
        assert guarding.ask(command, path)[0] == 200, path
finally:
    command.stop()
"""


def namespace() -> list[str]:
    """Return the words that run a program in a separate network namespace; skip if this is not allowed."""
    if shutil.which("unshare"):
        for words in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
    pytest.skip("no network namespaces here")


@pytest.mark.slow
def test_the_whole_way_works_with_the_cable_out(demo_world, tmp_path):
    workspace = shutil.copytree(demo_world, tmp_path / "workspace")
    done = subprocess.run(
        [*namespace(), sys.executable, "-c", PROGRAM, workspace, tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["closed: Network is unreachable", "shown: ", "shown: map"]
