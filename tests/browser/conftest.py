"""The real server on a free port, and a browser that may speak to nobody else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

CHROMIUM = "/usr/bin/chromium"
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<img src=x onerror=alert(1)>"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Writes down every file that the web process opens in a vault, of the other tier, and every import of
# what could open one.
WATCHED = """
import sys
seen = open(sys.argv.pop(1), "a", buffering=1)
def hook(event, arguments):
    told = str(arguments[0]) if arguments else ""
    if event == "open" and (".db" in told or "/vault" in told or sys.argv[1] in told):
        seen.write(f"open {told}\\n")
    if event == "import" and told in {"sqlcipher3", "keyring", "data.vault", "data.keys", "data.intake"}:
        seen.write(f"import {told}\\n")
unwanted = sys.argv[1]
sys.addaudithook(hook)
sys.argv.pop(1)
from dashboard.server import main
main()
"""


@dataclass(frozen=True)
class Served:
    """A running server: its address, its process, and the file in which the audit hook writes."""

    url: str
    process: subprocess.Popen[bytes]
    seen: Path

    def audit(self) -> list[str]:
        return self.seen.read_text(encoding="utf-8").splitlines()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"the server ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(url + "/health", timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail("the server did not start within a minute")


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Start servers as `tact serve` does: releases only, a clean environment, a process of its own."""
    from dashboard.access import clean_environment

    running: list[subprocess.Popen[bytes]] = []

    def start(releases: Path, *arguments: str, unwanted: str = "//never") -> Served:
        port = free_port()
        seen = tmp_path_factory.mktemp("audit") / "seen"
        seen.touch()
        command = [sys.executable, "-c", WATCHED, str(seen), unwanted, "--releases", str(releases)]
        environment = clean_environment({**os.environ, "TACT_VAULT_KEY": "00" * 32})
        process = subprocess.Popen(
            [*command, "--port", str(port), *arguments], cwd=ROOT, env=environment
        )
        running.append(process)
        served = Served(f"http://127.0.0.1:{port}", process, seen)
        _wait(served.url, process)
        return served

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def releases(demo_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the demo's releases away from its vault, so that nothing else can be read."""
    return Path(shutil.copytree(demo_world / "releases", tmp_path_factory.mktemp("shown") / "releases"))


@pytest.fixture(scope="session")
def partner(serve: Callable[..., Served], releases: Path) -> Served:
    return serve(releases)


@pytest.fixture(scope="session")
def public(serve: Callable[..., Served], releases: Path) -> Served:
    return serve(releases, "--tier", "public", unwanted="/partner")


@pytest.fixture(scope="session")
def hostile(serve: Callable[..., Served], releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Serve a release whose every text from outside is markup."""
    folder = Path(shutil.copytree(releases, tmp_path_factory.mktemp("hostile") / "releases"))
    for tier in folder.glob("*/*/datapackage.json"):
        _spoil(tier)
    return serve(folder)


def _spoil(manifest: Path) -> None:
    areas = gpd.read_parquet(manifest.parent / "areas.parquet")
    regions = areas["level"] == "region"
    areas.loc[regions, ["name_en", "name_local"]] = HOSTILE
    areas["boundaries"] = areas["boundaries"].where(areas["boundaries"] == "", HOSTILE)
    areas.to_parquet(manifest.parent / "areas.parquet")
    figures = pd.read_parquet(manifest.parent / "figures.parquet")
    figures[["source", "note"]] = HOSTILE
    figures.to_parquet(manifest.parent / "figures.parquet")
    package = json.loads(manifest.read_text(encoding="utf-8"))
    for resource in package["resources"]:
        if resource["name"] in {"areas", "figures"}:
            content = (manifest.parent / resource["path"]).read_bytes()
            resource["hash"] = hashlib.sha256(content).hexdigest()
    manifest.write_text(json.dumps(package), encoding="utf-8")


@dataclass
class Watch:
    """What a page did besides what it shows."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    received: int = 0
    frames: int = 0

    @property
    def clean(self) -> bool:
        return not (self.outside or self.errors or self.missing)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM}")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def look(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page at a size; everything but 127.0.0.1 is blocked and counted."""
    contexts = []

    def open_page(url: str, size: tuple[int, int] = (1366, 768), *, ready: bool = True) -> Any:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        page.watch = _watch(context, page)
        page.goto(url)
        if ready:
            wait_for_map(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def _watch(context: Any, page: Any) -> Watch:
    watch = Watch()

    def gate(route: Any) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
            return
        watch.outside.append(route.request.url)
        route.abort()

    def told(message: Any) -> None:
        if message.type == "error":
            watch.errors.append(message.text)

    def answered(response: Any) -> None:
        if response.status >= 400:
            watch.missing.append(f"{response.status} {response.url}")

    def count(data: Any) -> None:
        watch.received += len(data)

    def socket_opened(opened: Any) -> None:
        if not opened.url.startswith("ws://127.0.0.1:"):
            watch.outside.append(opened.url)
        opened.on("framereceived", count)

    def frame_loaded(frame: Any) -> None:
        watch.frames += frame.parent_frame is not None

    context.route("**/*", gate)
    page.on("console", told)
    page.on("pageerror", lambda error: watch.errors.append(str(error)))
    page.on("response", answered)
    page.on("websocket", socket_opened)
    page.on("framenavigated", frame_loaded)
    return watch


def map_frame(page: Any) -> Any:
    return page.frame_locator("iframe[title='streamlit_folium.st_folium']")


def shown(page: Any) -> str:
    return str(map_frame(page).locator("#map_div").get_attribute("data-shown"))


def wait_for_map(page: Any) -> None:
    map_frame(page).locator("#map_div[data-shown]").wait_for(timeout=60_000)
    page.locator(".panel h2, .st-key-empty h2").first.wait_for(timeout=30_000)


def changed(page: Any, act: Callable[[], object]) -> int:
    """Do something, wait until the map shows it, and give the bytes that came over the line."""
    page.wait_for_timeout(400)
    before, received = shown(page), page.watch.received
    act()
    for _ in range(600):
        if shown(page) != before:
            page.wait_for_timeout(500)
            return int(page.watch.received - received)
        page.wait_for_timeout(50)
    pytest.fail("the map did not change")


def until(page: Any, holds: Callable[[], bool]) -> None:
    """Wait until something holds; half a minute at most. (A page that forbids eval has no other way.)"""
    for _ in range(300):
        if holds():
            return
        page.wait_for_timeout(100)
    assert holds()


def area_point(page: Any, code: str, level: str) -> dict[str, float]:
    """Give where on the map's frame the middle of an area lies."""
    script = """async ([code, level]) => {
      const base = performance.getEntriesByType('resource').map(e => e.name).find(n => n.includes('/region.json'));
      const shapes = await (await fetch(base.replace('region.json', level + '.json'))).json();
      const [x, y] = shapes.features.find(f => f.properties.code === code).properties.centre;
      const point = window.map.latLngToContainerPoint([y, x]);
      return {x: point.x, y: point.y};
    }"""
    frame = next(f for f in page.frames if f.parent_frame is not None)
    return dict(frame.evaluate(script, [code, level]))


def click_area(page: Any, code: str, level: str = "region") -> None:
    map_frame(page).locator("#map_div").click(position=area_point(page, code, level))
