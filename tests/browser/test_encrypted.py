"""Behind a proxy that encrypts: three ways to sign in, and a meeting of three people in three languages, whole."""

import importlib.util
import json
import re
import shutil
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
from tests.helpers.browser import free_port, is_newer_said, settle, until, wait_for_bar, watch
from tests.helpers.manifests import LATER, publish_later
from tests.helpers.meeting_pages import add_view, decide, go, open_room, read_paper, say
from tests.helpers.provider import ACCESS, write_access
from tests.helpers.tls import run_proxy

pytestmark = pytest.mark.browser(seconds=25)
PERSON = {"sub": "drita@example.org", "name": "Drita Marku", "groups": ["tact managers"]}
WITHOUT_GROUP = {"sub": "nikos@example.org", "name": "Nikos"}
DECISIONS = ("Two more days a week", "Ask the school")


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
def folder(releases, tmp_path_factory):
    """Copy the releases: the meeting takes over a later one."""
    return shutil.copytree(releases, tmp_path_factory.mktemp("later") / "releases")


@pytest.fixture(scope="module")
def url(serve, folder, accounts, issuer):
    """Serve the map behind a proxy that encrypts; return its address."""
    port = free_port()
    access = write_access(accounts.path.parent, issuer, ACCESS)
    name = f"localhost:{port}"
    served = serve(folder, "--accounts", str(accounts.path), "--access", str(access), "--name", name)
    with run_proxy(port, int(served.url.rpartition(":")[2]), "localhost"):
        yield f"https://{name}"


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_page(address, size=(1366, 768)):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en")
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


def arrive(page, language):
    """Wait until the map is open; what the provider's own page asked for, and the door's 403, count no more."""
    wait_for_bar(page, language)
    for seen in (page.watch.outside, page.watch.errors, page.watch.missing):
        seen.clear()


def accept_here(page, accounts, invitation):
    _person, factor = people.find_invited(accounts, invitation)
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    page.locator("[name=again]").fill(PASSPHRASE)
    page.locator("[name=code]").fill(make_code(factor, time.time()))
    page.locator("form button:not([type])").click()


def wait_for_item(page, view, place):
    """Wait until a window shows a view of the agenda and says its place on it."""
    page.locator(".agendastrip", has_text=place).wait_for()
    until(page, lambda: view in page.url)


def step(page, key, place):
    """Go through the agenda by a key."""
    settle(page)
    page.keyboard.press(key)
    page.locator(".agendastrip", has_text=place).wait_for()


@pytest.mark.long  # its parts: the two tests below, test_sign_in.py, test_meeting.py with an agenda, test_news.py
def test_two_ngos_and_a_guest_meet_from_the_invitation_to_the_next_meeting(url, folder, accounts, open_page):
    presenter = open_page(f"{url}/coverage?area=AL-02")
    sign_in_there(presenter, PERSON)
    arrive(presenter, "en")
    assert presenter.url.startswith(f"{url}/coverage?area=AL-02"), "the page that was asked for, without the code"
    assert presenter.locator(".topbar .person:visible").inner_text().strip() == PERSON["name"]
    cookies = {cookie["name"]: cookie for cookie in presenter.context.cookies()}
    session = cookies["__Host-tact-session"]
    assert (session["secure"], session["httpOnly"], session["sameSite"]) == (True, True, "Strict")
    assert "__Host-tact-beginning" not in cookies
    # Two views are put on the agenda, the second one for partners alone; then the others come, each in their own way.
    add_view(presenter, "Who works in Durrës?", title="Coordination")
    go(presenter, 3)
    add_view(presenter, "Where do they go?")
    link = f"https://{open_room(presenter)}"
    assert re.fullmatch(rf"{re.escape(url)}/meeting/[\w-]+", link)
    invitation = people.invite(accounts, "Elira Hoxha", "partner", "ARSIS")
    partner = open_page(f"{url}/invitation?invitation={invitation}&lang=sq")
    accept_here(partner, accounts, invitation)
    arrive(partner, "sq")
    partner.goto(f"{link}?lang=sq")
    guest = open_page(f"{link}?lang=el", (390, 844))
    sign_in_here(guest, take_in(accounts, "Eleni Guest", "guest"))
    arrive(guest, "el")
    until(presenter, lambda: say(presenter) == "You present. Following: 2")
    # The agenda is played. What the guest may not see does not reach them.
    presenter.get_by_role("link", name="Show the agenda").click()
    presenter.locator(".agendastrip", has_text="1 of 2").wait_for()
    wait_for_item(partner, "/coverage?area=AL-02", "1 nga 2")
    wait_for_item(guest, "/coverage?area=AL-02", "1 από 2")
    assert guest.evaluate("document.documentElement.scrollWidth") <= 390
    step(presenter, "ArrowRight", "2 of 2")
    wait_for_item(partner, "/flows", "2 nga 2")
    closed = "Όποιος παρουσιάζει δείχνει μια προβολή που ο ρόλος σας δεν περιλαμβάνει."
    until(guest, lambda: say(guest) == closed)
    assert "/coverage" in guest.url
    # One looks around and comes back.
    go(partner, 5)
    until(partner, lambda: say(partner) == "Ju i shikoni faqet vetë.")
    step(presenter, "ArrowLeft", "1 of 2")
    until(guest, lambda: say(guest) == "Ακολουθείτε όποιον παρουσιάζει.")
    assert "/trends" in partner.url
    partner.get_by_role("button", name="Kthehu te prezantuesi").click()
    wait_for_item(partner, "/coverage", "1 nga 2")
    # One leaves and comes again, while two decisions are minuted; the guest sees the first.
    presenter.locator(".agendadecide").click()
    decide(presenter, DECISIONS[0], "Municipality of Tirana")
    for page in (partner, guest):
        page.locator(".st-key-decide li", has_text=DECISIONS[0]).wait_for()
    partner.get_by_role("button", name="Dil", exact=True).click()
    until(presenter, lambda: say(presenter) == "You present. Following: 1")
    presenter.locator(".agendanext").click()
    presenter.locator(".agendastrip", has_text="2 of 2").wait_for()
    settle(presenter)
    presenter.locator(".agendadecide").click()
    decide(presenter, DECISIONS[1], "Office of the county")
    partner.goto(f"{link}?lang=sq")
    wait_for_item(partner, "/flows", "2 nga 2")
    partner.locator(".st-key-decide li", has_text=DECISIONS[1]).wait_for()
    presenter.get_by_role("link", name="Whole agenda").click()
    presenter.get_by_role("button", name="Minutes (PDF, English)").wait_for()
    for language, title in (("English", "Decisions"), ("Shqip", "Vendimet"), ("Ελληνικά", "Αποφάσεις")):
        minutes = presenter.get_by_role("button", name=f"Minutes (PDF, {language})")
        text = read_paper(presenter, minutes, pages=1)
        assert all(words in text for words in (title, *DECISIONS))
    # The presenter takes over a later release for everybody.
    go(presenter, 4)
    presenter.get_by_label("Area", exact=True).select_option("AL-02")
    publish_later(folder)
    until(presenter, lambda: is_newer_said(presenter))
    presenter.locator(".topbar .fresh button").click()
    for page, tier in ((presenter, "partner"), (partner, "partner"), (guest, "public")):
        page.locator(f".topbar .chip.{tier} summary", has_text=LATER).wait_for(state="attached")
        until(page, lambda page=page: "/coverage" in page.url and "area=AL-02" in page.url)
    # The next meeting opens with what was decided, and with what has changed since.
    add_view(presenter, "What now?", title="Follow-up")
    presenter.get_by_role("link", name="Show the agenda").click()
    for page, place, change in ((partner, "Hapja", "si më parë"), (guest, "Έναρξη", "όπως πριν")):
        wait_for_item(page, "/agenda", place)
        page.locator(".agendabefore", has_text=DECISIONS[0]).get_by_text(change).first.wait_for()
    assert DECISIONS[1] in partner.locator(".agendabefore").inner_text()
    assert DECISIONS[1] not in guest.locator("body").inner_text()
    for page in (presenter, partner, guest):
        assert page.watch.clean, vars(page.watch)
        assert page.watch.sockets
        assert all(socket.startswith("wss://") for socket in page.watch.sockets)
    events = [(entry.content["event"], entry.content["person"]) for entry in read_log(accounts)]
    assert {("admitted", PERSON["name"]), ("accepted", "Elira Hoxha"), ("signed in", "Eleni Guest")} <= set(events)
    assert {"Example NGO", "ARSIS"} <= {person.organisation for person in people.list_people(accounts)}


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
    arrive(page, "en")
    page.context.clear_cookies()
    page.goto(f"{url}/coverage?area=AL-02")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("[name=name]").fill("Zana Leka")
    page.locator("[name=passphrase]").fill(PASSPHRASE)
    with_passkey.click()
    arrive(page, "en")
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
