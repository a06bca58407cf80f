"""Signing in at the provider of an organisation, through the door: sessions, roles, log and revocation are the same."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from dashboard.web.openid import Provider
from dashboard.web.organisation import Beginning
from data.accounts import people, sessions
from data.accounts.log import read_log
from data.accounts.provider import read_provider
from data.errors import InputError
from tests.helpers.accounts import hash_cheaply, make_accounts, take_in
from tests.helpers.door import HOST, ORIGIN, OWN, Browser
from tests.helpers.provider import write_access

SESSION, BEGINNING = "__Host-tact-session", "__Host-tact-beginning"


@pytest.fixture
def now(monkeypatch):
    hash_cheaply(monkeypatch)
    return [1_700_000_000.0]


@pytest.fixture
def accounts(tmp_path, now):
    return make_accounts(tmp_path, now)


@pytest.fixture
def make_browser(accounts, provider, tmp_path):
    access = read_provider(write_access(tmp_path, provider.issuer))
    return lambda: Browser(accounts, provider=Provider(access, f"{ORIGIN}/sign-in/answer"))


@pytest.fixture
def browser(make_browser):
    return make_browser()


def find_link(page):
    return unescape(re.search(r'class="lead" href="([^"]*)"', page)[1])


def begin(browser, path="/map"):
    """Press the button of the page to sign in; return the address at the provider."""
    browser.cookies.pop(SESSION, None)
    answer = browser.ask(find_link(browser.ask(path).text))
    assert answer.status == 303
    return answer.headers["location"]


def come_back(browser, answer):
    return browser.ask(f"/sign-in/answer?{urlencode(answer)}")


def sign_in(browser, provider, path="/map"):
    return come_back(browser, provider.let_in(begin(browser, path)))


def see_inside(browser):
    return browser.ask("/map").text


def list_events(accounts):
    return [(entry.content["event"], entry.content["person"]) for entry in read_log(accounts)]


def test_who_signs_in_there_gets_a_session_as_all_others_and_the_page_that_was_asked_for(browser, provider, accounts):
    answer = sign_in(browser, provider, "/map?area=AL-11&lang=sq")
    assert answer.status == 200
    assert 'content="0;url=/map?area=AL-11&amp;lang=sq"' in answer.text
    cookie = next(text for text in answer.headers.getlist("set-cookie") if "session" in text)
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert see_inside(browser) == 'inside [\'["Drita Marku", "manager", []]\']'
    assert list_events(accounts) == [("admitted", "Drita Marku"), ("signed in", "Drita Marku")]
    assert [person.organisation for person in people.list_people(accounts)] == ["Example NGO"]
    assert provider.claims["sub"] not in accounts.path.read_bytes().decode("latin-1")


def test_the_cookie_of_a_beginning_comes_back_from_another_site_and_goes_with_the_answer(browser, provider):
    page = browser.ask("/map").text
    answer = browser.ask(find_link(page))
    cookie = next(text for text in answer.headers.getlist("set-cookie") if "beginning" in text)
    assert {"Secure", "HttpOnly", "SameSite=lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert browser.cookies[BEGINNING].partition(".")[0] not in answer.headers["location"]
    assert browser.cookies[BEGINNING]
    come_back(browser, provider.let_in(answer.headers["location"]))
    assert browser.cookies[BEGINNING] in ("", '""')


def test_an_answer_counts_once_and_for_the_browser_that_began(browser, provider, make_browser):
    answer = provider.let_in(begin(browser))
    other = make_browser()
    begin(other)
    assert "Begin again" in come_back(other, answer).text
    cookie = browser.cookies[BEGINNING]
    assert come_back(browser, answer).status == 200
    assert come_back(browser, answer).status == 403, "without the cookie"
    browser.cookies = {BEGINNING: cookie}
    provider.asked.clear()
    again = come_back(browser, provider.let_in(begin_with(provider, answer)))
    assert (again.status, provider.asked) == (403, [])
    assert "Begin again" in again.text
    assert SESSION not in browser.cookies


def begin_with(provider, answer):
    """Return an address at the provider as another one with the same state would be."""
    asked = {"response_type": "code", "client_id": "tact-map", "code_challenge_method": "S256", **answer}
    return f"{provider.issuer}/authorize?{urlencode(asked)}"


@pytest.mark.parametrize("answer", [{}, {"code": "x"}, {"code": "x", "state": "y"}, {"state": "\u00eb"}])
def test_an_answer_that_nobody_began_asks_nothing_of_the_provider(browser, provider, answer):
    begin(browser)
    provider.asked.clear()
    assert come_back(browser, answer).status == 403
    assert provider.asked == []
    browser.cookies[BEGINNING] = "nonsense"
    assert come_back(browser, answer).status == 403


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example/", "/\\evil.example", "/" + "a" * 2000])
def test_no_beginning_leads_elsewhere(browser, provider, to):
    answer = browser.ask(f"/sign-in/provider?{urlencode({'to': to})}")
    assert urlsplit(answer.headers["location"]).netloc == urlsplit(provider.issuer).netloc
    answer = come_back(browser, provider.let_in(answer.headers["location"]))
    assert 'content="0;url=/"' in answer.text
    browser.cookies = {BEGINNING: Beginning("s" * 43, "en", "//evil.example").write()}
    assert "evil" not in come_back(browser, {"code": "x"}).text


def test_the_provider_sends_back_to_the_fixed_address_whatever_host_asks(browser, accounts, provider, tmp_path):
    assert dict(parse_qsl(urlsplit(begin(browser)).query))["redirect_uri"] == f"{ORIGIN}/sign-in/answer"
    browser.host = "evil.example"
    assert browser.ask("/sign-in/provider").status == 421
    here = Browser(accounts, is_encrypted=False, host=OWN)
    access = read_provider(write_access(tmp_path, provider.issuer))
    here.door._provider = Provider(access, "http://127.0.0.1:8642/sign-in/answer")
    local = Browser(accounts, is_encrypted=False, host=OWN, provider=here.door._provider)
    local.door._hosts = frozenset([OWN, "localhost:8642"])
    local.host = "localhost:8642"
    assert local.ask("/sign-in/provider?to=/map").headers["location"] == f"http://{OWN}/sign-in/provider?to=/map"


def test_without_a_group_that_has_a_role_nobody_is_let_in_and_what_is_open_ends(
    browser, make_browser, provider, accounts
):
    sign_in(browser, provider)
    provider.claims["groups"] = ["others", 5]
    for claims in (provider.claims, {"sub": "new", "name": "Nikos"}, {"sub": "new", "groups": {"a": 1}}):
        provider.claims = claims
        other = make_browser()
        answer = sign_in(other, provider)
        assert answer.status == 403
        assert "Ask your administrator" in answer.text
        assert SESSION not in other.cookies
    assert "inside" not in see_inside(browser)
    assert [person.name for person in people.list_people(accounts)] == ["Drita Marku"]
    assert list_events(accounts)[2:] == [("failed to sign in", "Drita Marku"), ("failed to sign in", "")]


def test_the_first_group_of_the_file_counts_and_the_role_follows_the_groups(browser, provider, accounts):
    provider.claims["groups"] = ["tact partners", "tact managers"]
    sign_in(browser, provider)
    assert '"manager"' in see_inside(browser)
    provider.claims["groups"] = "tact partners"
    provider.claims["name"] = "Drita Renamed"
    sign_in(browser, provider)
    assert '"Drita Marku", "partner"' in see_inside(browser)
    assert list_events(accounts)[2:] == [("admitted", "Drita Marku"), ("signed in", "Drita Marku")]


def test_who_is_revoked_is_out_at_once_and_stays_out_until_they_are_admitted(browser, provider, accounts):
    sign_in(browser, provider)
    assert people.revoke(accounts, "Drita Marku") == 1
    assert "inside" not in see_inside(browser)
    assert "may no longer sign in" in sign_in(browser, provider).text
    with pytest.raises(InputError, match="tact people admit"):
        people.invite(accounts, "drita  marku", "officer")
    people.admit(accounts, "Drita Marku")
    assert sign_in(browser, provider).status == 200
    with pytest.raises(InputError, match="was not revoked"):
        people.admit(accounts, "Drita Marku")


def test_nobody_becomes_another_person_by_their_name(browser, make_browser, provider, accounts):
    take_in(accounts, "Drita Marku", "officer")
    sign_in(browser, provider)
    assert '"Drita Marku 2", "manager"' in see_inside(browser)
    provider.claims |= {"sub": "another", "name": " Drita\u200b  MARKU\n"}
    other = make_browser()
    sign_in(other, provider)
    assert '"Drita MARKU 3"' in see_inside(other)
    # And who signs in there has no passphrase by which the form lets them in.
    assert sessions.sign_in(accounts, "Drita Marku 2", "", "000000") == sessions.Refusal()


def test_sessions_end_as_those_of_accounts_do_and_signing_out_ends_them(browser, provider, accounts, now):
    sign_in(browser, provider)
    now[0] += sessions.IDLE + 1
    assert "inside" not in see_inside(browser)
    sign_in(browser, provider)
    browser.ask("/account")
    assert "Drita Marku" in browser.page
    assert "signed out" in browser.send("/sign-out").text
    assert "inside" not in see_inside(browser)


WORDS = {
    "en": ("does not answer just now", "did not sign you in", "could not be verified"),
    "sq": ("nuk përgjigjet tani", "nuk e pranoi hyrjen", "nuk u vërtetua"),
    "el": ("δεν απαντά", "δεν δέχτηκε", "δεν επαληθεύτηκε"),
}


@pytest.mark.parametrize("language", WORDS)
def test_each_fault_of_the_provider_has_a_page_in_the_readers_language(browser, provider, language, caplog):
    down, refused, unbelieved = WORDS[language]
    path = f"/map?lang={language}"
    provider.pages["/.well-known/openid-configuration"] = (500, b"Drita Marku")
    answer = browser.ask(find_link(browser.ask(path).text))
    assert answer.status == 503
    assert down in answer.text
    provider.pages.clear()
    answer = come_back(browser, provider.let_in(begin(browser, path)) | {"error": "access_denied"})
    assert (answer.status, refused in answer.text) == (403, True)
    provider.change = lambda claims: claims.update(nonce="another")
    answer = sign_in(browser, provider, path)
    assert (answer.status, unbelieved in answer.text) == (503, True)
    assert f'<html lang="{language}">' in answer.text
    assert 'href="/sign-in?lang=' in answer.text
    assert "Drita" not in caplog.text
    assert "invalid_claim nonce" in caplog.text


def test_answers_that_fail_make_an_address_of_the_network_wait(browser, provider, monkeypatch):
    monkeypatch.setattr(sessions, "_FREE_OF_ADDRESS", 3)
    for _ in range(4):
        assert sign_in(browser, provider).status == 200, "who signs in is no failure"
    provider.change = lambda claims: claims.update(nonce="another")
    for _ in range(3):
        assert sign_in(browser, provider).status == 503
    provider.asked.clear()
    assert sign_in(browser, provider).status == 429
    assert provider.asked == []


def test_without_a_provider_its_addresses_are_no_pages(accounts):
    browser = Browser(accounts)
    page = browser.ask("/map").text
    assert 'class="lead"' not in page
    for path in ("/sign-in/provider", "/sign-in/answer?code=x"):
        assert browser.ask(path).status == 403
    assert browser.host == HOST
