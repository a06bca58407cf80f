"""`tact desk` as a process: where the keys are, who may speak to it, and how it ends."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from data.restricted import keys
from tests.helpers.desk import make_desk, start_desk
from tests.helpers.entry import cookie_headers, enter
from tests.helpers.guarding import Command, ask, install_spy
from tests.helpers.paths import ROOT

WEBSOCKET = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def practice(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("desk")
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        desk, _clocks = make_desk(folder)
        secrets = keys.format_keys(keys.load(desk.workspace.key_id))
        return desk.workspace.path, {"XDG_CONFIG_HOME": str(folder / "config")}, secrets


@pytest.fixture(scope="module")
def spy(tmp_path_factory):
    return install_spy(tmp_path_factory.mktemp("spy"))


@pytest.fixture(scope="module")
def started(practice, spy):
    workspace, environment, _secrets = practice
    with start_desk(workspace, environment=environment | spy) as running:
        enter(running.address)
        yield running


def as_command(started):
    return Command(started.url, started.command, started.web, Path())


def status(started, *lines, path="/", known=True, host=None):
    port = started.url.rpartition(":")[2]
    return ask(as_command(started), path, headers=[f"Host: {host or f'127.0.0.1:{port}'}", *lines], known=known)[0]


def test_the_keys_are_in_no_argument_or_environment_and_their_files_are_not_read(started, practice, spy):
    _workspace, _environment, secrets = practice
    proc = Path(f"/proc/{started.web}")
    for text in ((proc / "cmdline").read_bytes(), (proc / "environ").read_bytes()):
        assert not [key for key in secrets.values() if key.encode() in text]
        assert b"TACT_VAULT" not in text
    opened = replace(as_command(started), seen=Path(spy["SEEN_BY_TEST"])).did("open")
    assert [name for name in opened if name.endswith("config.toml")], "the process must have been heard"
    assert not [name for name in opened if name.endswith(".key")]


def test_keys_of_the_environment_are_not_handed_on_and_the_pages_end_when_the_command_is_killed(practice, tmp_path):
    workspace, _environment, secrets = practice
    variables = {"TACT_VAULT_KEY": secrets["vault"], "TACT_IDENTIFIER_KEY": secrets["identifier"]}
    with start_desk(workspace, environment={"XDG_CONFIG_HOME": str(tmp_path), **variables}) as running:
        assert secrets["vault"].encode() not in Path(f"/proc/{running.web}/environ").read_bytes()
        running.command.send_signal(signal.SIGKILL)
        psutil.wait_procs([psutil.Process(running.web)], timeout=20)
        assert not psutil.pid_exists(running.web) or psutil.Process(running.web).status() == psutil.STATUS_ZOMBIE


def test_it_listens_on_this_machine_alone(started):
    addresses = {line.laddr.ip for line in psutil.Process(started.web).net_connections() if line.status == "LISTEN"}
    assert addresses == {"127.0.0.1"}


def test_a_page_of_another_origin_cannot_call_it(started):
    port = started.url.rpartition(":")[2]
    assert status(started) == 200
    for origin in (f"http://127.0.0.1:{int(port) + 1}", "http://evil.example", "null", f"https://127.0.0.1:{port}"):
        assert status(started, f"Origin: {origin}") == 403
        assert status(started, f"Origin: {origin}", *WEBSOCKET, path="/_stcore/stream") == 403
    assert status(started, *WEBSOCKET, path="/_stcore/stream") == 403
    assert status(started, f"Origin: http://127.0.0.1:{port}", *WEBSOCKET, path="/_stcore/stream") == 101
    assert status(started, host=f"desk.example:{port}") == 421


@pytest.mark.parametrize("path", ["/", "/imports", "/_stcore/upload_file/a/b", "/media/x", "/assets/theme.css"])
def test_who_did_not_open_the_address_sees_nothing(started, path):
    assert status(started, path=path, known=False) == 403
    used = started.address.partition("/?")[2]
    assert status(started, path=f"/?{used}", known=False) == 403


@pytest.mark.long
def test_its_secret_dies_with_it(practice):
    workspace, environment, _secrets = practice
    port = "18671"
    with start_desk(workspace, "--port", port, environment=environment) as first:
        enter(first.address)
        assert status(first) == 200
        old = cookie_headers(first.url)["Cookie"]
    with start_desk(workspace, "--port", port, environment=environment) as second:
        assert status(second, f"Cookie: {old}", known=False) == 403
        assert status(second, path=f"/?{first.address.partition('/?')[2]}", known=False) == 403


def test_without_a_key_it_does_not_start_and_says_why(practice, tact):
    workspace, _environment, _secrets = practice
    refused = tact("--workspace", workspace, "desk", "--json")
    assert refused.code == 4
    assert "vault key was not found" in refused.json["message"]


UPLOAD = """
import asyncio, resource
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from dashboard.desk.server import keep_in_memory

head = b'--b\\r\\nContent-Disposition: form-data; name="f"; filename="list.csv"\\r\\n\\r\\n'
body = head + b"K-0412\\n" * 500_000 + b"\\r\\n--b--\\r\\n"

async def stream():
    yield body

async def upload():
    headers = Headers({"content-type": "multipart/form-data; boundary=b"})
    form = await MultiPartParser(headers, stream()).parse()
    return form["f"].file._rolled

print(asyncio.run(upload()))
keep_in_memory()
print(asyncio.run(upload()), resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_an_upload_of_any_size_stays_in_memory_and_no_crash_writes_it():
    done = subprocess.run([sys.executable, "-c", UPLOAD], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True", "False (0, 0)"], "the first upload must reach the disk"


FAULT = """
import logging
import uvicorn
from streamlit import error_util
from dashboard.desk.server import silence_errors
from dashboard.web.process import apply_settings

CHILD = "K-" + "0412"

def fail():
    uvicorn.Config(None, log_level="warning")  # sets up all logging, as the server does when it starts
    error_util.handle_uncaught_app_exception(ValueError(CHILD))
    logging.getLogger("streamlit.anything").error("This row: %s", CHILD)
    try:
        raise ValueError(CHILD)
    except ValueError:
        logging.getLogger("asyncio").exception("A task failed")

apply_settings("127.0.0.1", 8662)
fail()
silence_errors()
fail()
"""


def test_the_server_writes_nothing_of_an_error_that_no_page_catches():
    done = subprocess.run([sys.executable, "-c", FAULT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout + done.stderr).count("K-0412") == 3, "the first errors alone, which show that there is a log"
    assert (done.stdout + done.stderr).count("An error in <string>, line") == 2


@pytest.mark.long
def test_enter_in_its_terminal_prints_another_address(practice):
    workspace, environment, _secrets = practice
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "dashboard.cli", "--workspace", str(workspace), "desk", "--port", "18673"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while "is at http" not in (line := process.stdout.readline()):
            assert process.poll() is None
        first = line.split()[-1]
        os.write(ours, b"\n")
        second = process.stderr.readline().split()[-1]
        # The address before is worth nothing any more.
        assert second != first
        with pytest.raises(AssertionError, match="403"):
            enter(first)
        assert enter(second) == "http://127.0.0.1:18673"
    finally:
        process.terminate()
        process.communicate(timeout=20)
        os.close(ours)
        os.close(theirs)
