"""Measure how fast a meeting is followed: seconds from a change of view by the presenter until followers have it.

The real server runs on the public tier. Many followers are bare websockets, and one is a browser that draws the page:

    .venv/bin/python -m benchmarks.meeting WORKSPACE [--followers 20] [--views 200] [--drawn 40] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

import numpy as np
from playwright.async_api import async_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from benchmarks.serving import serve

CHROMIUM = "/usr/bin/chromium"
_PORT = 8653
_PAGES = ("map", "risk", "coverage", "trends")


async def _join(number: int, code: str) -> ClientConnection:
    host = f"127.0.0.1:{_PORT}"
    line = await connect(f"ws://{host}/meeting/line", origin=Origin(f"http://{host}"), proxy=None)
    hello = {"code": code} if code else {"open": True}
    await line.send(json.dumps({"secret": f"{number:032x}", **hello}))
    return line


async def _wait(line: ClientConnection, view: str) -> float:
    """Wait for a view; return the time at which it arrived, in seconds of `time.perf_counter`."""
    while json.loads(await line.recv()).get("view") != view:
        pass
    return time.perf_counter()


async def _listen(line: ClientConnection) -> None:
    async for _news in line:
        pass


async def measure(followers: int, views: int, page_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Measure seconds: until each view reached each follower, and until a browser among them had drawn each page.

    Returns two arrays of the shapes (views, followers) and (drawn,).
    """
    presenter = await _join(0, "")
    code = json.loads(await presenter.recv())["code"]
    lines = [await _join(number, code) for number in range(1, followers + 1)]
    listening = asyncio.create_task(_listen(presenter))
    seconds = [await _show(presenter, lines, number) for number in range(views)]
    pages = await _measure_browser(presenter, lines, code, page_count)
    listening.cancel()
    for line in (presenter, *lines):
        await line.close()
    return np.array(seconds), np.array(pages)


async def _show(presenter: ClientConnection, lines: list[ClientConnection], number: int) -> list[float]:
    """Show a view and return the seconds until each follower has it."""
    view = f"{_PAGES[number % len(_PAGES)]}?area=AL-{number % 12 + 1:02d}&n={number}"
    waiting = [asyncio.create_task(_wait(line, view)) for line in lines]
    start = time.perf_counter()
    await presenter.send(json.dumps({"view": view, "pointer": [41, 20]}))
    seconds = [then - start for then in await asyncio.gather(*waiting)]
    await asyncio.sleep(0.1)
    return seconds


async def _measure_browser(
    presenter: ClientConnection, lines: list[ClientConnection], code: str, page_count: int
) -> list[float]:
    """Return the seconds until a browser that follows shows the bar of each page, while `lines` follow too."""
    if not page_count:
        return []
    seconds = []
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1366, "height": 768})
        await page.goto(f"http://127.0.0.1:{_PORT}/meeting/{code}")
        await page.locator(".meetingline").wait_for(timeout=60_000)
        for number in range(page_count):
            bar = page.locator(f'.topbar nav a[aria-current=page][href*="{_PAGES[number % len(_PAGES)]}"]')
            start = time.perf_counter()
            await asyncio.gather(_show(presenter, lines, number), bar.wait_for(state="attached", timeout=30_000))
            seconds.append(time.perf_counter() - start)
            await asyncio.sleep(1.5)
        await browser.close()
    return seconds


def main() -> None:
    """Serve a workspace, measure, and print the percentiles in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--followers", type=int, default=20)
    parser.add_argument("--views", type=int, default=200)
    parser.add_argument("--drawn", type=int, default=40, help="Views of which a browser draws the page; 0 needs none.")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with serve(arguments.workspace, "public", _PORT):
        measured = asyncio.run(measure(arguments.followers, arguments.views, arguments.drawn))
    percentiles = {
        name: {f"p{share}": round(float(np.percentile(seconds, share)) * 1000, 1) for share in (50, 95, 99, 100)}
        for name, seconds in zip(("news", "page"), measured, strict=True)
        if seconds.size
    }
    sys.stdout.write(f"{json.dumps(percentiles)}\n" if arguments.json else f"milliseconds: {percentiles}\n")


if __name__ == "__main__":
    main()
