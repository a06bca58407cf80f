"""Shared parts of the processes of the map and the desk: Streamlit's settings, static files, and how to run them."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any, TextIO

import uvicorn
from starlette.staticfiles import StaticFiles
from streamlit.web import bootstrap

from dashboard.web.gate import Entry
from dashboard.web.limits import LARGEST_MESSAGE, shorten_log
from dashboard.web.streamlit_seams import ask_nobody_outside

SCRIPT = Path(__file__).resolve().parent / "script"  # what Streamlit runs, and its settings


class Assets(StaticFiles):
    """Static files. A browser may keep them for a day."""

    def file_response(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return the file with a header that says how long it may be kept."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response


def apply_settings(host: str, port: int, changes: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Set Streamlit's settings. It will ask no outside service for its own address.

    changes : settings that replace those of config.toml.
    """
    ask_nobody_outside()
    text = (SCRIPT / "config.toml").read_text(encoding="utf-8")
    options = _flatten(tomllib.loads(text))
    # A collection after each run costs more than the run; the interpreter collects by itself.
    options["runner.postScriptGC"] = False
    options["server.address"] = host
    options["server.port"] = port
    options["browser.serverAddress"] = host
    bootstrap.load_config_options({**options, **changes})


def _flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            options.update(_flatten(value, f"{prefix}{name}."))
        else:
            options[f"{prefix}{name}"] = value
    return options


def take_output() -> TextIO:
    """Return standard output, which from then on is only for addresses.

    Everything else that the program or a library prints goes to standard error.
    """
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def print_address(output: TextIO, url: str, entry: Entry | None) -> None:
    """Print the address of the process; with an entry, the address lets one browser in."""
    output.write(f"{url if entry is None else entry.make_address(url)}\n")


def follow_input(output: TextIO, url: str, entry: Entry | None) -> None:
    """Print the address again for each line of standard input, and end this process when the input ends."""
    Thread(target=_print_at_each_line, args=(output, url, entry), daemon=True).start()


def _print_at_each_line(output: TextIO, url: str, entry: Entry | None) -> None:
    try:
        # Not through Python's own buffer, whose lock would delay the end of the process.
        while os.read(sys.stdin.fileno(), 4096):
            print_address(output, url, entry)
    finally:
        os._exit(0)  # the process at the other end has ended, or was killed


def run_application(application: Any, host: str, port: int) -> None:  # noqa: ANN401
    """Serve an application until the process is stopped. No request is logged."""
    shorten_log()
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
