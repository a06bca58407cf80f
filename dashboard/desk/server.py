"""The process of the desk: Streamlit with the desk's pages, a gate in front, and the keys only in its memory.

`tact desk` starts it and writes a line with both keys to its standard input, at the start and whenever somebody presses
Enter in that terminal. Each line unlocks the desk. The answer to it is an address that lets one browser in, once. When
the input ends, `tact desk` has ended, and this process ends too.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from streamlit import App

from dashboard.desk.frame import OPENING, PAGES
from dashboard.desk.state import Desk, announce_desk
from dashboard.site import HEALTH, clean_environment, make_url
from dashboard.site.assets import ASSETS
from dashboard.web.gate import Entry, Gate, list_own_hosts
from dashboard.web.headers import SecurityHeaders
from dashboard.web.messages import KnownMessages
from dashboard.web.process import Assets, apply_settings, print_address, run_application, take_output
from dashboard.web.start_page import StartPage
from data.accounts.addresses import LOOPBACK
from data.errors import TactError
from data.restricted import keys
from data.workspace import Workspace

HOST = "127.0.0.1"
_SCRIPT = Path(__file__).parent / "script" / "app.py"
_MOST_MEGABYTES = 200  # of a file
_MEGABYTE = 1024 * 1024


def build_application(port: int, entry: Entry) -> App:
    """Build the ASGI application of the desk."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    middleware = [
        Middleware(SecurityHeaders, uploads=True),
        Middleware(Gate, hosts=list_own_hosts(LOOPBACK, port), entry=entry),
        Middleware(StartPage, pages=[(page.address, page.title) for page in PAGES], opening=OPENING),
        Middleware(KnownMessages),
    ]
    routes = [Route(HEALTH, health), Mount("/assets", Assets(directory=ASSETS))]
    return App(_SCRIPT, routes=routes, middleware=middleware)


def keep_in_memory() -> None:
    """Keep files and keys off the disk: write no part of an upload, and no memory image if the process crashes.

    On Windows a memory image cannot be prevented here.
    """
    MultiPartParser.spool_max_size = 2 * _MOST_MEGABYTES * _MEGABYTE
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def silence_errors() -> None:
    """Log no traceback and no words of an error: they may hold values of a record. This holds for every logger."""
    make = logging.getLogRecordFactory()

    def make_without_values(*arguments: Any, **more: Any) -> logging.LogRecord:  # noqa: ANN401
        record = make(*arguments, **more)
        if record.exc_info or record.name.startswith("streamlit"):
            record.msg, record.args = "An error in %s, line %s.", (record.module, record.lineno)
            record.exc_info = record.exc_text = record.stack_info = None
        return record

    logging.setLogRecordFactory(make_without_values)


def _unlock_at_each_line(desk: Desk, entry: Entry, url: str, output: TextIO) -> None:
    try:
        for line in sys.stdin:
            try:
                desk.unlock(keys.parse(**json.loads(line)))
            except (TactError, OSError) as error:
                sys.stderr.write(f"{error}\n")
            print_address(output, url, entry)
    finally:
        # `tact desk` has ended, or this thread failed and nobody could unlock the desk again.
        os._exit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped, or until standard input ends."""
    parser = argparse.ArgumentParser(prog="dashboard.desk.server", description="Serve the desk of a workspace.")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args(arguments)
    for name in set(os.environ) - set(clean_environment(os.environ)):
        del os.environ[name]
    keep_in_memory()
    silence_errors()
    try:
        apply_settings(HOST, asked.port, {"server.maxUploadSize": _MOST_MEGABYTES})
    except TactError as error:
        parser.error(str(error))
    desk, entry = Desk(Workspace.open(asked.workspace)), Entry("tact-desk", asked.port)
    announce_desk(desk)
    Thread(
        target=_unlock_at_each_line, args=(desk, entry, make_url(HOST, asked.port), take_output()), daemon=True
    ).start()
    run_application(build_application(asked.port, entry), HOST, asked.port)


if __name__ == "__main__":
    main()
