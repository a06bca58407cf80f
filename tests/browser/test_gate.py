"""The door in a browser: the printed address opens the map once, and what is shared holds no token."""

import subprocess
import sys

import pytest

from tests.helpers.browser import free_port, read_address
from tests.helpers.paths import ROOT
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser


@pytest.fixture
def address(releases):
    command = [sys.executable, "-m", "dashboard.server", "--releases", str(releases), "--port", str(free_port())]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        yield read_address(process)
        process.terminate()


@vary("size", [(390, 844), (1366, 768)])
def test_the_printed_address_opens_the_map_in_one_browser_and_is_not_shared(address, look, size):
    page = look(address, size, ready=False)
    page.locator(".topbar").wait_for(timeout=60_000)
    assert "token" not in page.url
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".share summary").click()
    page.locator(".share button.copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert "token" not in page.evaluate("navigator.clipboard.readText()")
    assert page.evaluate("document.cookie").find("tact-map") == -1, "no script reads the secret"
    again = page.request.get(address)  # the same browser, a second time
    assert (again.status, "token" in again.url) == (200, False)

    other = look(address, size, ready=False, apart=True)
    assert other.locator("section").count() == 3
    assert "It works once" in other.locator("section").first.inner_text()
    assert other.evaluate("document.documentElement.scrollWidth <= innerWidth")
    other.get_by_role("link").first.click()
    assert other.locator("section").count() == 3
    assert other.watch.outside == []
