"""Signing in with a browser: the forms of the door, who is shown in the bar, and the door again after a revocation."""

import time

import pytest

from data.accounts import people
from data.accounts.database import Accounts
from data.accounts.proof import make_code
from tests.helpers.accounts import PASSPHRASE, sign_in_cookie, take_in
from tests.helpers.browser import list_serious
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser(seconds=25)
SIZES = [(1366, 768), (390, 844)]


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    return Accounts.open_or_create(tmp_path_factory.mktemp("accounts") / "accounts.sqlite")


@pytest.fixture(scope="module")
def served(serve, releases, accounts):
    return serve(releases, "--accounts", str(accounts.path))


def check_page(page):
    """Check that a page of the door fits the window, asks nothing outside, and has nothing serious for axe."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.watch.outside == []
    assert list_serious(page) == []


def fill(page, member, code):
    page.get_by_label("Name").fill(member.name)
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_label("Code that the app").fill(code)
    page.get_by_role("button", name="Sign in").click()


@vary("size", reversed(SIZES))
def test_somebody_signs_in_sees_their_name_and_signs_out(served, accounts, look, size):
    member = take_in(accounts, f"Elira {size[0]}", "partner", "ARSIS")
    page = look(f"{served.url}/risk?area=AL-02", size, ready=False, dark=size[0] < 500)
    check_page(page)
    fill(page, member, "000000")
    page.get_by_role("alert").get_by_text("Name, passphrase or code is wrong").wait_for()
    check_page(page)
    # The code of this moment was spent by the invitation; the one of the next step counts already.
    fill(page, member, make_code(member.factor, time.time() + 30))
    page.locator(".topbar").wait_for(timeout=60_000)
    assert page.url.startswith(f"{served.url}/risk?area=AL-02")
    assert "session" not in page.evaluate("document.cookie")
    if page.get_by_role("button", name="Pages").is_visible():
        page.get_by_role("button", name="Pages").click()
    page.locator(".topbar .person:visible").click()
    page.get_by_role("heading", name=member.name).wait_for()
    check_page(page)
    assert "risk" in page.locator("table").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out").wait_for()
    page.goto(f"{served.url}/map")
    page.get_by_label("Passphrase").wait_for()


def test_an_open_map_shows_the_door_when_its_person_is_revoked(served, accounts, look):
    port = int(served.url.rpartition(":")[2])
    name, _, value = sign_in_cookie(accounts, "partner", port, "Zana").partition("=")
    page = look("about:blank", ready=False)
    page.context.add_cookies([{"url": served.url, "name": name, "value": value}])
    page.goto(f"{served.url}/risk")
    page.locator(".topbar .person:visible").wait_for(timeout=60_000)
    people.revoke(accounts, "Zana")
    page.get_by_label("Passphrase").wait_for(timeout=30_000)
    assert page.locator(".topbar").count() == 0


@vary("size", SIZES)
def test_an_invited_person_chooses_a_passphrase_and_connects_a_phone(served, accounts, look, size):
    secret = people.invite(accounts, f"Nikos {size[0]}", "manager")
    page = look(f"{served.url}/invitation?invitation={secret}", size, ready=False)
    page.get_by_role("img", name="QR code").wait_for()
    check_page(page)
    _, factor = people.find_invited(accounts, secret)
    page.get_by_label("New passphrase").fill(PASSPHRASE)
    page.get_by_label("The same again").fill(PASSPHRASE)
    page.get_by_label("Code that the app").fill(make_code(factor, time.time()))
    page.get_by_role("button", name="Finish").click()
    page.locator(".topbar").wait_for(timeout=60_000)
    assert "invitation" not in page.url
