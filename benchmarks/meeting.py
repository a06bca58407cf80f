"""How fast a meeting is followed: seconds from the presenter's word to the news at each of many followers.

The real server on the public tier, followers as conversations without a browser, each in a thread of its own:

    .venv/bin/python benchmarks/meeting.py WORKSPACE [--followers 20] [--views 200] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from dashboard.site import Site, clean_environment, make_serve_command

_PORT = 8653
_PAGES = ("map", "risk", "coverage", "trends")


async def _join(number: int, code: str) -> ClientConnection:
    host = f"127.0.0.1:{_PORT}"
    line = await connect(f"ws://{host}/meeting/line", origin=Origin(f"http://{host}"), proxy=None)
    hello = {"code": code} if code else {"open": True}
    await line.send(json.dumps({"secret": f"{number:032x}", **hello}))
    return line


async def _wait(line: ClientConnection, view: str) -> float:
    """Return when a view has come."""
    while json.loads(await line.recv()).get("view") != view:
        pass
    return time.perf_counter()


async def measure(followers: int, views: int) -> np.ndarray:
    """Return the seconds until each view was at each follower, shape (views, followers)."""
    presenter = await _join(0, "")
    code = json.loads(await presenter.recv())["code"]
    lines = [await _join(number, code) for number in range(1, followers + 1)]
    seconds = []
    for number in range(views):
        view = f"{_PAGES[number % len(_PAGES)]}?area=AL-{number % 12 + 1:02d}&n={number}"
        waiting = [asyncio.create_task(_wait(line, view)) for line in lines]
        start = time.perf_counter()
        await presenter.send(json.dumps({"view": view, "pointer": [41, 20]}))
        seconds.append([then - start for then in await asyncio.gather(*waiting)])
        await asyncio.sleep(0.1)
    for line in (presenter, *lines):
        await line.close()
    return np.array(seconds)


def _wait_for_server() -> None:
    for _attempt in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", _PORT), timeout=1):
            return
        time.sleep(0.1)


def main() -> None:
    """Serve a workspace, measure, and print the percentiles in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--followers", type=int, default=20)
    parser.add_argument("--views", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    site = Site(asked.workspace / "releases", "public", asked.workspace / "derived")
    command = make_serve_command(site, "127.0.0.1", _PORT)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=clean_environment(os.environ))
    try:
        _wait_for_server()
        seconds = asyncio.run(measure(asked.followers, asked.views))
    finally:
        process.terminate()
    found = {f"p{share}": round(float(np.percentile(seconds, share)) * 1000, 1) for share in (50, 95, 99, 100)}
    sys.stdout.write(f"{json.dumps(found)}\n" if asked.json else f"milliseconds to each follower: {found}\n")


if __name__ == "__main__":
    main()
