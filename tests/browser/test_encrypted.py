"""Behind a proxy that encrypts: two ways to sign in, and a meeting of three people in three languages."""

import importlib.util
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from data.accounts import people
from data.accounts.database import Accounts
from data.accounts.log import read_log
from data.accounts.proof import make_code
from tests.helpers.accounts import PASSPHRASE, take_in
from tests.helpers.browser import free_port, until, watch
from tests.helpers.provider import ACCESS, write_access
from tests.helpers.tls import run_proxy

pytestmark = pytest.mark.browser
PERSON = {"sub": "drita@example.org", "name": "Drita Marku", "groups": ["tact managers"]}
WITHOUT_GROUP = {"sub": "nikos@example.org", "name": "Nikos"}


@pytest.fixture(scope="module")
def issuer():
    """Run a provider of a registry, as a process of its own; return its address."""
    if importlib.util.find_spec("oidc_provider_mock") is None:
        pytest.skip("no oidc-provider-mock")
    port = free_port()
    people = [word for claims in (PERSON, WITHOUT_GROUP) for word in ("--user-claims", json.dumps(claims))]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        "true",
    ]
    process = subprocess.Popen([*command, *people], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/.well-known/openid-configuration", timeout=1).close()
            break
        except (urllib.error.URLError, TimeoutError):
            assert process.poll() is None
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    return Accounts.open_or_create(tmp_path_factory.mktemp("accounts") / "accounts.sqlite")


@pytest.fixture(scope="module")
def url(serve, releases, accounts, issuer):
    """Serve the map behind a proxy that encrypts; return its address."""
    port = free_port()
    access = write_access(accounts.path.parent, issuer, ACCESS)
    name = f"localhost:{port}"
    served = serve(releases, "--accounts", str(accounts.path), "--access", str(access), "--name", name)
    with run_proxy(port, int(served.url.rpartition(":")[2]), "localhost"):
        yield f"https://{name}"


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_page(address, size=(1366, 768)):
        context = browser.new_context(
            ignore_https_errors=True, viewport={"width": size[0], "height": size[1]}, locale="en"
        )
        contexts.append(context)
        page = context.new_page()
        page.watch = watch(context, page)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def sign_in_there(page, person):
    page.locator("a.lead").click()
    page.get_by_role("button", name=person["sub"]).click()


def sign_in_here(page, member):
    page.locator("[name=name]").fill(member.name)
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    # The code of this moment was spent by the invitation; the one of the next step counts already.
    page.locator("[name=code]").fill(make_code(member.factor, time.time() + 30))
    page.locator("form button:not([type])").click()


def wait_for_bar(page, language):
    """Wait until the map is open; what the provider's own page asked for, and the door's 403, count no more."""
    page.locator(f".topbar[lang={language}] nav a[aria-current=page]").wait_for(state="attached", timeout=60_000)
    for seen in (page.watch.outside, page.watch.errors, page.watch.missing):
        seen.clear()


def test_two_people_and_a_guest_sign_in_each_in_their_way_and_follow_a_presenter(url, accounts, open_page):
    partner, guest = take_in(accounts, "Elira Hoxha", "partner"), take_in(accounts, "Eleni Guest", "guest")
    presenter = open_page(f"{url}/coverage")
    sign_in_there(presenter, PERSON)
    wait_for_bar(presenter, "en")
    assert presenter.url.startswith(f"{url}/coverage"), "the page that was asked for, without the code"
    assert presenter.locator(".topbar .person:visible").inner_text().strip() == PERSON["name"]
    cookies = {cookie["name"]: cookie for cookie in presenter.context.cookies()}
    kept = cookies["__Host-tact-session"]
    assert (kept["secure"], kept["httpOnly"], kept["sameSite"]) == (True, True, "Strict")
    assert "__Host-tact-beginning" not in cookies
    presenter.get_by_role("button", name="Meeting").click()
    address = presenter.locator(".meetingpanel .address")
    address.wait_for()
    link = f"https://{address.inner_text()}"
    assert re.fullmatch(rf"{re.escape(url)}/meeting/[\w-]+", link)
    presenter.keyboard.press("Escape")
    pages = {"sq": open_page(f"{link}?lang=sq"), "el": open_page(f"{link}?lang=el", (390, 844))}
    for (language, page), member in zip(pages.items(), (partner, guest), strict=True):
        sign_in_here(page, member)
        wait_for_bar(page, language)
        page.locator(".meetingline").wait_for()
    presenter.get_by_label("Area", exact=True).select_option("AL-02")
    for language, page in pages.items():
        until(page, lambda page=page: "/coverage" in page.url and "area=AL-02" in page.url)
        assert f"lang={language}" in page.url
    for page in (presenter, *pages.values()):
        assert page.watch.clean, vars(page.watch)
        assert page.watch.sockets
        assert all(socket.startswith("wss://") for socket in page.watch.sockets)
    events = [(entry.content["event"], entry.content["person"]) for entry in read_log(accounts)]
    assert ("admitted", PERSON["name"]) in events
    assert ("signed in", guest.name) in events


def test_a_passkey_is_made_with_an_invitation_and_signs_in_again(url, accounts, open_page):
    page = open_page(f"{url}/invitation?invitation={people.invite(accounts, 'Zana Leka', 'partner')}", (390, 844))
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    with_passkey = page.locator("button.other")
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    page.locator("[name=again]").fill("another passphrase")
    with_passkey.click()
    assert "/invitation" in page.url, "the two are different, so no passkey is made"
    page.locator("[name=again]").fill(PASSPHRASE)
    with_passkey.click()
    wait_for_bar(page, "en")
    page.context.clear_cookies()
    page.goto(f"{url}/coverage?area=AL-02")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("[name=name]").fill("Zana Leka")
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    with_passkey.click()
    wait_for_bar(page, "en")
    assert page.url.startswith(f"{url}/coverage?area=AL-02")
    assert page.watch.clean, vars(page.watch)
    page.goto(f"{url}/account")
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**device, "transport": "usb"}})
    with_passkey.click()
    page.get_by_text("added a passkey").wait_for()
    people.revoke(accounts, "Zana Leka")
    page.goto(f"{url}/coverage")
    page.locator("[name=name]").fill("Zana Leka")
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    with_passkey.click()
    page.get_by_role("alert").get_by_text("passkey is wrong").wait_for()


def test_who_is_in_no_group_is_told_whom_to_ask(url, open_page):
    page = open_page(f"{url}/map?lang=el", (390, 844))
    sign_in_there(page, WITHOUT_GROUP)
    page.get_by_role("alert").get_by_text("τις ομάδες σας").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("header nav a").first.click()
    page.locator("form [name=passphrase]").wait_for()
    assert "/sign-in?lang=" in page.url
