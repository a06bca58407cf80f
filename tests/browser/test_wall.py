"""Pages can be reached only through app.py, and the web process never opens the vault."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.helpers.browser import forget_reader
from tests.helpers.entry import cookie_headers
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser


def answer(url):
    try:
        asked = urllib.request.Request(url, headers=cookie_headers(url))
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, ""


@pytest.mark.parametrize(
    "path",
    [
        "dashboard/pages/situation/__init__.py",
        "dashboard/pages/situation",
        "pages/situation.py",
        "dashboard/pages",
        "dashboard/web/script/app.py",
        "dashboard/web/script/config.toml",
        "app/static/theme.css",
        "assets/../server.py",
        "assets/%2e%2e/web/script/app.py",
        "geometry/../../etc/passwd",
    ],
)
def test_no_source_is_served(partner, path):
    status, body = answer(f"{partner.url}/{path}")
    if status in {400, 404}:
        return
    # Streamlit answers any other path with its empty page, which runs app.py and nothing else.
    assert "<title>TACT Map</title>" in body
    assert "import streamlit" not in body


@pytest.mark.long
@pytest.mark.parametrize("path", ["dashboard/pages/method/__init__.py", "dashboard/pages/situation", "pages/method"])
def test_an_address_inside_the_source_shows_nothing(partner, look, path):
    page = look(f"{partner.url}/{path}", ready=False)
    page.wait_for_load_state("networkidle")  # nothing follows: the page runs no script
    assert page.locator("main").inner_text().startswith("TACT Map\n\nThere is no page at this address")
    assert page.locator("main p, main h1").count() == 3


@vary("url", ["http://example.org/", "http://192.0.2.1/", "http://localhost/"])
def test_these_tests_reach_no_other_host_and_count_each_request_to_one(partner, look, url):
    page = look(f"{partner.url}/health", ready=False)
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto(url)
    assert page.watch.outside == [url]


def test_who_opens_a_page_is_not_the_reader_of_the_test_before(partner, look):
    page = look(f"{partner.url}/health", ready=False)
    keep = "localStorage.length + (localStorage.setItem('kept', '1') || 0)"
    assert page.evaluate(keep) == 0
    page.context.add_cookies([{"url": partner.url, "name": "kept", "value": "1"}])
    forget_reader(page)
    assert page.evaluate("localStorage.length") == 0
    assert not [cookie for cookie in page.context.cookies() if cookie["name"] == "kept"]


def test_the_web_process_never_opens_a_vault(partner, look):
    look(f"{partner.url}/map")
    assert partner.audit() == []
    maps = Path(f"/proc/{partner.process.pid}/maps")
    if maps.exists():
        assert "sqlcipher" not in maps.read_text(encoding="utf-8")
        environment = Path(f"/proc/{partner.process.pid}/environ").read_bytes()
        assert b"TACT_VAULT_KEY" not in environment
