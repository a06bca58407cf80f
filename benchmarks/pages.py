"""Measure the first visit to pages of the map in a browser, compared with an empty Streamlit page.

    python benchmarks/pages.py WORKSPACE [--slow] [--repeats 5] [--page overview --page map]

For each page: kilobytes over the wire, requests, and seconds until the first words, the bar and the picture (a map or
a table) are there; medians of the repeats, each with an empty cache. `--slow` is a slow third-generation network and a
processor four times as slow (500 kbit/s, two seconds for each answer), as browsers emulate it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from playwright.sync_api import Browser, Error, StorageState, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
SLOW = {"offline": False, "latency": 2000, "downloadThroughput": 62_500, "uploadThroughput": 62_500}
SLOWER = 4  # of the processor
PATIENCE = 240_000  # milliseconds
PORT, EMPTY_PORT = 8657, 8658
EMPTY = "import streamlit as st\nst.title('Empty')\n"
# Words in the page; the bar of the product, or a title; a picture in the page or in a frame of it.
WORDS = "document.body && document.body.innerText.trim().length > 3"
BAR = ".topbar, h1"
PICTURE = "canvas, svg.map, .stPlotlyChart, table"


@dataclass(frozen=True)
class Visit:
    """A first visit: kilobytes, requests, and seconds until words, bar and picture are there (nan: no picture)."""

    kilobytes: float
    requests: int
    words: float
    bar: float
    picture: float


def enter(browser: Browser, address: str) -> StorageState:
    """Open the address that the product printed, and return the cookie by which it recognises a browser."""
    context = browser.new_context()
    context.request.get(address)
    state = context.storage_state()
    context.close()
    return state


def visit_page(browser: Browser, address: str, state: StorageState, *, slow: bool, picture: bool) -> Visit:
    """Open a page with an empty cache and measure the visit.

    slow : with a slow network and processor. picture : whether to wait for a map or a table. Raises Playwright's
    TimeoutError if the words, the bar or the picture do not appear within PATIENCE.
    """
    context = browser.new_context(viewport={"width": 1366, "height": 768}, storage_state=state)
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    if slow:
        protocol.send("Network.emulateNetworkConditions", SLOW)
        protocol.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    sizes: list[float] = []
    protocol.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    start, seconds = time.monotonic(), []
    page.goto(address, wait_until="commit", timeout=PATIENCE)
    page.wait_for_function(WORDS, timeout=PATIENCE, polling=50)
    seconds.append(time.monotonic() - start)
    page.wait_for_selector(BAR, timeout=PATIENCE)
    seconds.append(time.monotonic() - start)
    if picture:
        _wait_for_picture(page)
    seconds.append(time.monotonic() - start if picture else float("nan"))
    page.wait_for_timeout(3000)
    context.close()
    return Visit(sum(sizes) / 1000, len(sizes), *seconds)


def _wait_for_picture(page) -> None:  # noqa: ANN001
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until:
        for frame in page.frames:
            try:
                if frame.query_selector(PICTURE):
                    return
            except Error:  # the frame is being replaced
                continue
        page.wait_for_timeout(50)
    msg = "No map and no table came."
    raise TooLate(msg)


@contextmanager
def serve(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a server, wait 20 seconds, and yield its process; stop it at the end."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        time.sleep(20)
        yield server
    finally:
        server.terminate()
        server.communicate()


def take_medians(visits: Sequence[Visit]) -> list[float]:
    """Return the median of each field of the visits, in the order of Visit."""
    return [statistics.median(values) for values in zip(*map(astuple, visits), strict=True)]


def main() -> None:
    """Measure and print a line for each page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--slow", action="store_true", help="a slow network and a slow processor")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--page", action="append", help="default: overview and map")
    options = parser.parse_args()
    tact = [sys.executable, "-m", "dashboard.cli", "--workspace", str(options.workspace), "serve", "--json"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = Path(folder, "empty.py")
        script.write_text(EMPTY, encoding="utf-8")
        flags = ("--server.headless=true", f"--server.port={EMPTY_PORT}", "--browser.gatherUsageStats=false")
        empty = [sys.executable, "-m", "streamlit", "run", str(script), *flags]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        print(f"{'page':<12}{'kB':>8}{'requests':>10}{'words s':>9}{'bar s':>8}{'picture s':>11}")
        with serve(empty), serve([*tact, "--port", str(PORT)]) as product:
            printed = "".join(iter(product.stdout.readline, "}\n"))
            state = enter(browser, json.loads(printed + "}")["url"])
            pages = {name: f"http://127.0.0.1:{PORT}/{name}" for name in options.page or ("overview", "map")}
            for name, address in {"empty": f"http://127.0.0.1:{EMPTY_PORT}", **pages}.items():
                picture = name != "empty"
                visits = [
                    visit_page(browser, address, state, slow=options.slow, picture=picture)
                    for _ in range(options.repeats)
                ]
                kilobytes, requests, *seconds = take_medians(visits)
                line = "".join(f"{value:>9.1f}" for value in seconds)
                print(f"{name:<12}{kilobytes:>8.0f}{requests:>10.0f}{line}", flush=True)


if __name__ == "__main__":
    main()
