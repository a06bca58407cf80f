"""The real server on a free port, and a browser that can reach no other host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from tests.helpers.browser import HOSTILE, WATCHED, Served, free_port, wait_for, wait_for_map, watch
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
]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Yield a function that starts a server like `tact serve`: a new process that gets only releases."""
    from dashboard.site import clean_environment

    running: list[subprocess.Popen[bytes]] = []

    def start(releases: Path, *arguments: str, unwanted: str = "//never") -> Served:
        port = free_port()
        seen = tmp_path_factory.mktemp("audit") / "seen"
        seen.touch()
        command = [sys.executable, "-c", WATCHED, str(seen), unwanted, "--releases", str(releases)]
        environment = clean_environment({**os.environ, "TACT_VAULT_KEY": "00" * 32})
        process = subprocess.Popen(
            [*command, "--port", str(port), *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE
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
    """Yield a function that opens a page at a window size; requests to other hosts are blocked and counted."""
    contexts = []

    def open_page(url: str, size: tuple[int, int] = (1366, 768), *, ready: bool = True, dark: bool = False) -> Any:
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        contexts.append(context)
        context.add_cookies(list_cookies())
        page = context.new_page()
        page.watch = watch(context, page)
        page.goto(url)
        if ready:
            wait_for_map(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
