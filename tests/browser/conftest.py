"""Fixtures for browser tests: the real server on a free port, and a browser that can reach no other host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import geopandas as gpd
import pandas as pd
import pytest

from tests.conftest import Scored
from tests.helpers.browser import HOSTILE, WATCHED, Served, forget_reader, free_port, wait_for, wait_for_map, watch
from tests.helpers.entry import list_cookies
from tests.helpers.manifests import edit_manifest
from tests.helpers.paths import ROOT

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages of the servers share a process that has the scripts compiled, as long as one of them is open.
    "--process-per-site",
    # The proxy of test_encrypted.py has a certificate of its own. Playwright's setting for that does not reach
    # downloads: a download that needs a new connection breaks off.
    "--ignore-certificate-errors",
    # Any other host has no address. (To stop each request instead would switch the browser's cache off.)
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Yield a function that starts a server like `tact serve`: a new process that gets only releases."""
    from dashboard.site import clean_environment

    running: list[subprocess.Popen[bytes]] = []

    def start(releases: Path, *arguments: str, unwanted: str = "//never", code: Path = ROOT) -> Served:
        port = free_port()
        seen = tmp_path_factory.mktemp("audit") / "seen"
        seen.touch()
        command = [sys.executable, "-c", WATCHED, str(seen), unwanted, "--releases", str(releases)]
        environment = clean_environment({**os.environ, "TACT_VAULT_KEY": "00" * 32})
        process = subprocess.Popen(
            [*command, "--port", str(port), *arguments], cwd=code, env=environment, stdout=subprocess.PIPE
        )
        running.append(process)
        return Served(wait_for(process), process, seen)

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="session")
def releases(demo_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the demo's releases away from its vault, so that nothing else can be read."""
    return Path(shutil.copytree(demo_world / "releases", tmp_path_factory.mktemp("shown") / "releases"))


@pytest.fixture(scope="session")
def partner(serve: Callable[..., Served], releases: Path) -> Served:
    return serve(releases)


@pytest.fixture(scope="session")
def served(serve: Callable[..., Served], scored: Scored, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Start a server for the demo's releases with a copy of the derived results, to which it may add files."""
    derived = shutil.copytree(scored.derived, tmp_path_factory.mktemp("derived") / "derived")
    return serve(scored.releases, "--derived", str(derived))


@pytest.fixture(scope="session")
def public(serve: Callable[..., Served], releases: Path) -> Served:
    return serve(releases, "--tier", "public", unwanted="/partner")


@pytest.fixture(scope="session")
def hostile(serve: Callable[..., Served], releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Start a server for a release in which every text from outside contains markup."""
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
    with edit_manifest(manifest):
        pass


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM}")
    with playwright.sync_playwright() as started:
        yield started.chromium


@pytest.fixture(scope="session")
def browser(chromium: Any) -> Iterator[Any]:
    opened = chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def profile(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield a browser that keeps the compiled scripts of the pages; without them, a page takes twice as much work."""
    folder = tmp_path_factory.mktemp("profile")
    context = chromium.launch_persistent_context(folder, executable_path=CHROMIUM, args=FLAGS)
    yield context
    context.close()


@pytest.fixture
def look(profile: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Yield a function that opens a page at a window size; requests to other hosts fail and are counted.

    When the first page of a test opens, the browser has forgotten all earlier readers. Further pages are tabs of the
    same browser, as if other people used them: a tab keeps its own meeting, language and colours. ready : whether to
    wait for the map. apart : open the page in another browser, which has to compile all scripts again.
    """
    tabs: list[Any] = []
    others: list[Any] = []

    def open_page(
        url: str, size: tuple[int, int] = (1366, 768), *, ready: bool = True, dark: bool = False, apart: bool = False
    ) -> Any:
        context = request.getfixturevalue("browser").new_context() if apart else profile
        if profile.pages[0].url == "about:blank" and url.startswith("http"):
            profile.pages[0].goto(urljoin(url, "/health"))
        page = context.new_page()
        if apart:
            others.append(context)
        else:
            if not tabs:
                forget_reader(page)
            tabs.append(page)
        context.add_cookies(list_cookies())
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.watch = watch(context, page)
        page.goto(url)
        if ready:
            wait_for_map(page)
        return page

    yield open_page
    for context in others:
        context.close()
    for page in tabs:
        profile.remove_listener("request", page.watch.asked)
    for opened in profile.pages[1:]:  # without any page the browser would end
        opened.close()
