"""Functions that browser tests share: for the real server in a separate process, and for actions on a page."""

from __future__ import annotations

import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.entry import enter, list_cookies

# Elements that a page has while the server works for it.
WORKING = "[data-testid=stSpinner], [data-testid=stApp][data-test-script-state=running]"
_HERE = re.compile(r"(http|ws)s?://(127\.0\.0\.1|localhost):|data:|blob:")
HOSTILE = "<img src=x onerror=alert(1)>"

# Records every file of a vault or of the other tier that the web process opens, and every import of a module
# that could open one.
WATCHED = """
import sys
seen = open(sys.argv.pop(1), "a", buffering=1)
def hook(event, arguments):
    told = str(arguments[0]) if arguments else ""
    if event == "open" and (".db" in told or "/vault" in told or sys.argv[1] in told):
        seen.write(f"open {told}\\n")
    if event == "import" and told.startswith(("sqlcipher3", "keyring", "data.restricted")):
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


def wait_for(process: subprocess.Popen[bytes]) -> str:
    """Wait until a web process answers; return its address, to which the clients of the tests then have access."""
    return enter(read_address(process))


def read_address(process: subprocess.Popen[bytes]) -> str:
    """Wait until a web process answers, and return the address that it printed.

    The test fails if the process ends, or does not answer within a minute.
    """
    assert process.stdout is not None
    address = process.stdout.readline().decode().strip()
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"the server ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(address.partition("/?")[0] + "/health", timeout=1):
                return address
        except urllib.error.HTTPError as error:
            error.close()
            return address
        except (urllib.error.URLError, TimeoutError, ValueError):
            time.sleep(0.1)
    pytest.fail("the server did not start within a minute")


@dataclass
class Watch:
    """Requests, errors and other events of a page that a test must know about."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    received: int = 0
    silent: int = -1  # `received` when the server had last sent nothing for a second
    frames: int = 0

    def asked(self, request: Any) -> None:
        if not _HERE.match(request.url):
            self.outside.append(request.url)

    def note_error(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def answered(self, response: Any) -> None:
        if response.status >= 400:
            self.missing.append(f"{response.status} {response.url}")

    def opened(self, connection: Any) -> None:
        self.sockets.append(connection.url)
        if not _HERE.match(connection.url):
            self.outside.append(connection.url)
        connection.on("framereceived", self.counted)

    def counted(self, data: Any) -> None:
        self.received += len(data)

    def loaded(self, frame: Any) -> None:
        self.frames += frame.parent_frame is not None

    @property
    def clean(self) -> bool:
        return not (self.outside or self.errors or self.missing)


def watch(context: Any, page: Any) -> Watch:
    """Return a Watch that from now on records what a page does.

    It records requests to other hosts, errors, answers with status 400 or higher, websockets and inner frames.
    """
    seen = Watch()
    context.on("request", seen.asked)
    page.on("console", seen.note_error)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("response", seen.answered)
    page.on("websocket", seen.opened)
    page.on("framenavigated", seen.loaded)
    return seen


def forget_reader(page: Any) -> None:
    """Make the browser forget earlier readers: cookies, permissions and the data that pages stored."""
    page.context.clear_cookies()
    page.context.clear_permissions()
    session = page.context.new_cdp_session(page)
    for server in {cookie["url"] for cookie in list_cookies()}:
        session.send("Storage.clearDataForOrigin", {"origin": server, "storageTypes": "all"})
    session.detach()


def map_frame(page: Any) -> Any:
    return page.frame_locator("iframe[title='streamlit_folium.st_folium']")


def shown(page: Any) -> str:
    return str(map_frame(page).locator("#map_div").get_attribute("data-shown"))


def wait_for_map(page: Any) -> None:
    map_frame(page).locator("#map_div[data-shown]").wait_for(timeout=60_000)
    page.locator(".panel h2, .st-key-empty h2").first.wait_for(state="attached", timeout=30_000)
    until(page, lambda: not page.locator(WORKING).count())  # the parts that are drawn last make the map smaller


def wait_for_bar(page: Any, language: str = "") -> None:
    """Wait until the bar of a page is there, in a language if one is given."""
    bar = f".topbar[lang={language}]" if language else ".topbar"
    page.locator(f"{bar} nav a[aria-current=page]").wait_for(state="attached", timeout=60_000)


def is_newer_said(page: Any) -> bool:
    """Make a page ask for the newest release, as it does every half minute; return whether it says there is one."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(700)
    return bool(page.locator(".topbar .fresh:not([hidden])").count())


def wait_for_silence(page: Any) -> None:
    """Wait until the server has sent nothing and done nothing for the page for a second, at most 15 s.

    So the messages after one action are not counted as those of the next.
    """
    received, silent = page.watch.silent, 3 if page.watch.silent == page.watch.received else 0
    for _ in range(60):
        is_silent = page.watch.received == received and not page.locator(WORKING).count()
        silent = silent + 1 if is_silent else 0
        if silent == 4:
            page.watch.silent = received
            return
        received = page.watch.received
        page.wait_for_timeout(250)


def changed(page: Any, act: Callable[[], object]) -> int:
    """Run an action, wait until the map shows its effect, and return the number of bytes received; fail after 30 s."""
    wait_for_silence(page)
    before, received = shown(page), page.watch.received
    act()
    for _ in range(600):
        if shown(page) != before:
            wait_for_silence(page)
            return int(page.watch.received - received)
        page.wait_for_timeout(50)
    pytest.fail("the map did not change")


def until(page: Any, condition: Callable[[], bool]) -> None:
    """Wait until a condition is true; raise AssertionError after 30 s. (Pages that forbid eval allow nothing else.)"""
    for _ in range(300):
        if condition():
            return
        page.wait_for_timeout(100)
    assert condition()


def settle(page: Any) -> None:
    """Wait until the address has stayed the same and nothing has been drawn for half a second, at most 30 s."""
    seen, calm = page.url, 0
    for _ in range(300):
        page.wait_for_timeout(100)
        is_calm = page.url == seen and not page.locator(WORKING).count()
        seen, calm = page.url, calm + 100 if is_calm else 0
        if calm >= 500:
            return


def resize(page: Any, size: tuple[int, int]) -> None:
    """Set the size of an open page in pixels, and wait 0.7 s for it to be drawn again."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_timeout(700)


def area_point(page: Any, code: str, level: str) -> dict[str, float]:
    """Wait until the map stands still; return the position of an area's centre in its frame: x and y in pixels."""
    script = """async ([code, level]) => {
      const loaded = performance.getEntriesByType('resource').map(e => e.name);
      const base = loaded.find(name => name.includes('/region.json'));
      const shapes = await (await fetch(base.replace('region.json', level + '.json'))).json();
      const [x, y] = shapes.features.find(f => f.properties.code === code).properties.centre;
      const point = window.map.latLngToContainerPoint([y, x]);
      return {x: point.x, y: point.y};
    }"""
    frame = next(f for f in page.frames if f.parent_frame is not None)
    before: dict[str, float] = {}
    point = dict(frame.evaluate(script, [code, level]))
    while point != before:
        page.wait_for_timeout(100)
        before, point = point, dict(frame.evaluate(script, [code, level]))
    return point


def wait_for_whole_countries(page: Any) -> list[str]:
    """Wait at most five seconds until `list_hidden` lists nothing; return its last list."""
    hidden: list[str] = []
    for _ in range(25):
        page.wait_for_timeout(200)
        if not (hidden := list_hidden(page)):
            break
    return hidden


def list_hidden(page: Any) -> list[str]:
    """List the codes of areas at the ends of both countries that are outside the map or behind an element on it."""
    frame = page.locator("iframe").bounding_box()
    hidden: list[str] = []
    covers = ".legend, .st-key-panel, :is(.st-key-controls, .st-key-mapbox) [role=radiogroup]"
    boxes = [part.bounding_box() for part in page.locator(covers).all()]
    for code in ("AL-10", "AL-07", "AL-12", "GR-A", "GR-M", "GR-L", "GR-F"):
        point = area_point(page, code, "region")
        x, y = frame["x"] + point["x"], frame["y"] + point["y"]
        is_inside = 0 <= point["x"] <= frame["width"] and 0 <= point["y"] <= frame["height"]
        is_behind = any(b["x"] <= x <= b["x"] + b["width"] and b["y"] <= y <= b["y"] + b["height"] for b in boxes)
        if not is_inside or is_behind:
            hidden.append(code)
    return hidden


def click_area(page: Any, code: str, level: str = "region") -> None:
    map_frame(page).locator("#map_div").click(position=area_point(page, code, level))


def list_serious(frame: Any) -> list[tuple[str, str]]:
    """List the serious and critical violations that axe finds in a page or a frame: rule and first element."""
    axe = pytest.importorskip("axe_playwright_python")
    # The page's own policy does not apply to this, as for a developer's console.
    frame.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    answer = frame.evaluate("axe.run({ iframes: false })")
    serious = [violation for violation in answer["violations"] if violation["impact"] in ("serious", "critical")]
    return [(violation["id"], violation["nodes"][0]["html"][:160]) for violation in serious]


def unfold(page: Any) -> None:
    """Open all fold-outs of a page."""
    folds = page.locator("[data-testid=stExpander] details:not([open]) > summary")
    while folds.count():
        folds.first.click()
        page.wait_for_timeout(100)
