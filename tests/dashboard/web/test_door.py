"""The door of people: forms from this door alone, proofs, default deny, and conversations that end with the session."""

import asyncio
import os
import re
import sqlite3
import threading
from contextlib import closing
from html import unescape
from types import SimpleNamespace

import pytest
from markupsafe import Markup
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.web import conversations, door, sign_in
from dashboard.web.conversations import Conversations
from dashboard.web.door import _BusyError
from data.accounts import people, sessions, tokens
from data.accounts.database import Accounts
from data.accounts.log import read_log
from data.accounts.passkeys import SECONDS
from data.accounts.proof import make_code
from data.accounts.rights import ROLES, Right
from data.errors import WorkspaceError
from tests.helpers.accounts import PASSPHRASE, hash_cheaply, make_accounts, make_token_as, take_in
from tests.helpers.asgi import ask_inside
from tests.helpers.door import HOST, ORIGIN, OWN, Browser
from tests.helpers.passkey import SoftPasskey


@pytest.fixture
def now(monkeypatch):
    hash_cheaply(monkeypatch)
    monkeypatch.setattr(sign_in, "draw_code", lambda link: Markup("<svg></svg>"))
    return [1_700_000_000.0]


@pytest.fixture
def accounts(tmp_path, now):
    return make_accounts(tmp_path, now)


@pytest.fixture
def browser(accounts):
    return Browser(accounts)


@pytest.fixture
def member(accounts, now):
    return take_in(accounts, "Elira Hoxha", "manager", "ARSIS")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/release.json", "http"),
        ("/_stcore/health", "http"),
        ("/_stcore/host-config", "http"),
        ("/_stcore/stream", "websocket"),
        ("/meeting/line", "websocket"),
    ],
)
def test_what_an_open_page_asks_by_itself_keeps_nobody_signed_in(browser, member, now, path, kind):
    browser.ask("/sign-in")
    browser.sign_in(member, now)
    for _ in range(3):
        assert browser.ask(path, kind=kind, origin=ORIGIN).status != 403
        now[0] += 1190
    assert browser.ask("/release.json").status == 200
    now[0] += 60
    assert browser.ask("/release.json", accept="*/*").status == 403


def test_who_has_not_signed_in_gets_the_page_to_sign_in_and_nothing_else(browser):
    answer = browser.ask("/map?area=AL-11")
    assert answer.status == 403
    assert "inside" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "http" not in re.sub(r"http-equiv", "", answer.text), "nothing is asked from outside"
    for path in ("/_stcore/health", "/assets/theme.css", "/geometry/land.json", "/picture/overview.png", "/media/x"):
        assert (browser.ask(path, accept="*/*").status, browser.ask(path, accept="*/*").text) == (
            403,
            "Sign in first.\n",
        )
        assert browser.ask(path, "POST").status == 403
        assert browser.ask(path, "PUT", accept="*/*").status == 403
    assert browser.ask("/_stcore/stream", kind="websocket", origin=ORIGIN).status == "websocket.close"


def test_health_is_told_to_this_machine_too_and_to_no_other_host(browser):
    assert browser.ask("/health").text.startswith("inside")
    browser.host = OWN
    assert browser.ask("/health").text == "inside []"
    assert browser.ask("/").status == 421
    browser.host = "evil.example"
    assert browser.ask("/health").status == 421


def test_signing_in_leads_to_the_page_that_was_asked_for(browser, member, now):
    browser.ask("/map?area=AL-11&lang=sq")
    answer = browser.sign_in(member, now)
    assert (answer.status, answer.headers["location"]) == (303, "/map?area=AL-11&lang=sq")
    cookie = next(text for text in answer.headers.getlist("set-cookie") if "session" in text)
    assert cookie.startswith("__Host-tact-session=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    inside = browser.ask("/map")
    assert (inside.status, inside.text) == (200, 'inside [\'["Elira Hoxha", "manager", []]\']')


def test_the_map_opens_in_the_language_in_which_somebody_signed_in(browser, member, now):
    browser.languages = "sq-AL,sq;q=0.9,en;q=0.8"
    browser.ask("/map?area=AL-11")
    assert "Hyr" in browser.page
    assert browser.sign_in(member, now).headers["location"] == "/map?area=AL-11&lang=sq"
    browser.ask("/map?lang=el")
    browser.cookies.clear()
    browser.ask("/map?lang=el")
    assert browser.sign_in(member, now).headers["location"] == "/map?lang=el"
    browser.cookies.clear()
    browser.ask("/")
    assert browser.sign_in(member, now).headers["location"] == "/?lang=sq"


@pytest.mark.parametrize("to", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb"])
def test_nothing_leads_elsewhere(browser, member, now, to):
    browser.ask("/")
    assert browser.sign_in(member, now, to=to).headers["location"] == "/"


@pytest.mark.parametrize("path", ["//evil.example/sign-in", "//evil.example/map?area=AL-11", "///evil.example"])
def test_no_page_of_the_door_links_elsewhere(browser, member, now, path):
    page = browser.ask(path).text
    assert "Sign in" in page
    assert "evil.example" not in page
    assert 'href="/"' in page
    assert 'href="/?' in page
    page = browser.sign_in(member, now, to=path, passphrase="x").text
    assert "passphrase or code is wrong" in page
    assert "evil.example" not in page
    browser.languages = "sq"
    assert browser.sign_in(member, now, to=path).headers["location"] == "/?lang=sq"


def test_a_link_to_another_language_keeps_the_path(browser):
    assert 'href="/a%20b?lang=sq"' in browser.ask("/a b").text


def test_without_a_proxy_the_cookie_has_the_port_in_its_name_and_http_is_enough(accounts, member, now):
    browser = Browser(accounts, is_encrypted=False, host=OWN)
    browser.ask("/")
    cookie = browser.sign_in(member, now).headers.getlist("set-cookie")[-1]
    assert cookie.startswith("tact-session-8642=")
    assert "Secure" not in cookie
    assert browser.ask("/").status == 200


@pytest.mark.parametrize(
    "wrong", [{"passphrase": "x"}, {"code": "000000"}, {"name": "Nobody"}, {"name": ""}, {"code": "\u0661" * 6}]
)
def test_what_is_wrong_is_not_told_apart(browser, member, now, wrong):
    browser.ask("/map")
    answer = browser.sign_in(member, now, **wrong)
    assert answer.status == 403
    assert "Name, passphrase or code is wrong" in answer.text
    assert PASSPHRASE not in answer.text
    assert not any("session" in name for name in browser.cookies)
    assert browser.sign_in(member, now).headers["location"] == "/map", "the page is still known"


def test_too_many_failures_from_one_address_have_to_wait(browser, accounts, member, now):
    browser.ask("/")
    for i in range(20):
        browser.sign_in(member, now, name=f"Nobody {i}")
    now[0] -= 60
    answer = browser.sign_in(member, now)
    assert answer.status == 429
    assert re.search(r"Wait \d+ seconds", answer.text)
    assert "inside" in browser.ask("/health").text


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", f"http://{HOST}", f"{ORIGIN}:444"])
def test_a_form_from_elsewhere_is_not_taken(browser, member, now, origin):
    browser.ask("/")
    now[0] += 60
    fields = {"name": member.name, "passphrase": PASSPHRASE, "code": member.make_code(now[0])}
    assert browser.send("/sign-in", origin, **fields).status == 403
    assert "__Host-tact-session" not in browser.cookies


def test_a_form_without_the_cookie_or_with_another_token_is_not_taken(browser, accounts, member, now):
    browser.ask("/")
    assert browser.sign_in(member, now, token="0" * 64).status == 403
    cookies, browser.cookies = browser.cookies, {}
    assert browser.sign_in(member, now).status == 403
    browser.cookies = {name: value + "x" for name, value in cookies.items()}
    page = browser.page
    assert browser.sign_in(member, now).status == 403
    browser.page = page
    browser.cookies = {}
    browser.ask("/")
    assert browser.sign_in(member, now).status == 303


def test_a_form_that_is_too_long_is_not_read(browser, member, now):
    browser.ask("/")
    assert browser.sign_in(member, now, to="/" + "x" * 9000).status == 403


def test_a_form_with_too_many_fields_is_not_taken(browser, member, now):
    browser.ask("/")
    assert browser.sign_in(member, now, **{f"more{i}": "x" for i in range(10)}).status == 403


def test_a_form_that_breaks_off_is_not_taken(browser, member, now):
    browser.ask("/")
    browser.is_gone = True
    assert browser.sign_in(member, now).status == 403
    assert "__Host-tact-session" not in browser.cookies


def test_signing_out_needs_the_form_and_ends_the_session(browser, accounts, member, now):
    browser.ask("/")
    browser.sign_in(member, now)
    session = browser.cookies["__Host-tact-session"]
    account = browser.ask("/account").text
    for words in ("Elira Hoxha", "Manager", "ARSIS", "accepted the invitation", "signed in"):
        assert words in account
    assert browser.ask("/sign-out", accept="*/*").status == 404, "a link signs nobody out"
    assert browser.send("/sign-out", "https://evil.example").status == 403
    assert sessions.find_open(accounts, [session])
    browser.ask("/account")
    assert "You are signed out" in browser.send("/sign-out").text
    assert not sessions.find_open(accounts, [session])
    browser.cookies["__Host-tact-session"] = session
    assert browser.ask("/").status == 403


def test_an_invitation_is_accepted_once(browser, accounts, now):
    secret = people.invite(accounts, "Nikos <b>", "researcher")
    page = browser.ask(f"/invitation?invitation={secret}").text
    assert "Nikos &lt;b&gt;" in page
    key = re.search(r'class="key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    assert f"secret={key}&amp;issuer=TACT%20Map" in page
    _, factor = people.find_invited(accounts, secret)
    good = {"passphrase": PASSPHRASE, "again": PASSPHRASE, "code": make_code(factor, now[0])}
    for wrong, words in (
        ({"passphrase": "short", "again": "short"}, "at least 14"),
        ({"passphrase": "password passphrase 1", "again": "password passphrase 1"}, "everybody tries first"),
        ({"again": PASSPHRASE + "x"}, "are different"),
        ({"code": "000000"}, "delete an older entry of TACT Map"),
    ):
        answer = browser.send("/invitation", **(good | wrong))
        assert (answer.status, words in answer.text) == (403, True)
        assert PASSPHRASE not in answer.text
    assert browser.send("/invitation", **good).status == 303
    assert browser.ask("/").text == 'inside [\'["Nikos <b>", "researcher", []]\']'
    assert "no longer works" in browser.ask(f"/invitation?invitation={secret}").text
    assert "no longer works" in browser.ask("/invitation").text


def test_an_invitation_is_accepted_and_signed_in_by_a_passkey(browser, accounts, now):
    soft = SoftPasskey(ORIGIN)

    def read_options():
        return unescape(re.search(r'data-options="([^"]*)"', browser.page)[1])

    secret = people.invite(accounts, "Nikos", "researcher")
    page = browser.ask(f"/invitation?invitation={secret}")
    assert f"script-src {ORIGIN}/passkey.js" in page.headers["content-security-policy"]
    good = {"passphrase": PASSPHRASE, "again": PASSPHRASE}
    assert browser.send("/invitation", **good, passkey="{}").status == 403
    assert browser.send("/invitation", **good, passkey=soft.make(read_options())).status == 303
    for name in ("form", "session"):
        browser.cookies.pop(f"__Host-tact-{name}")
    browser.ask("/map")
    answer = {"name": "Nikos", "passphrase": PASSPHRASE, "code": "", "passkey": soft.sign(read_options())}
    hidden = browser.page
    now[0] += SECONDS
    late = browser.send("/sign-in", **answer)
    assert (late.status, "open for too long" in late.text) == (403, True)
    now[0] -= SECONDS
    browser.page = hidden
    assert browser.send("/sign-in", **answer).headers["location"] == "/map"
    browser.page = hidden
    assert browser.send("/sign-in", **answer).status == 403, "once"
    browser.ask("/account")
    other = SoftPasskey(ORIGIN)
    credential = other.make(read_options())
    refused = browser.send("/account/passkey", passphrase="x", passkey=credential)
    assert (refused.status, "That is not your passphrase" in refused.text) == (403, True)
    assert browser.send("/account/passkey", passphrase=PASSPHRASE, passkey=credential).headers["location"] == "/account"
    assert "added a passkey" in browser.ask("/account").text
    assert browser.send("/account/passkey", passphrase=PASSPHRASE, passkey=credential).status == 403


@pytest.mark.parametrize(("host", "is_encrypted"), [(OWN, False), ("192.0.2.1", True)])
def test_without_https_and_a_name_no_passkey_is_asked_for(accounts, now, host, is_encrypted, monkeypatch):
    monkeypatch.setattr("tests.helpers.door.HOST", host)
    browser = Browser(accounts, is_encrypted=is_encrypted, host=host)
    page = browser.ask("/sign-in")
    assert (page.status, "passkey" in page.text) == (200, False)
    assert "script-src" not in page.headers["content-security-policy"]
    assert browser.ask("/passkey.js", accept="*/*").status == 403


def test_the_answer_to_a_form_is_in_the_language_of_its_page(browser, accounts):
    secret = people.invite(accounts, "Nikos", "researcher")
    browser.languages = "el"
    for path in ("/map?lang=sq", f"/invitation?invitation={secret}&lang=sq", "/map?lang=en"):
        page = browser.ask(path).text
        language = re.search('<html lang="(..)"', page)[1]
        assert f"lang={language}" in path
        action = re.search('<form method=post action="([^"]*)"', page)[1]
        answer = browser.send(action, passphrase="short", again="short")
        assert (answer.status, f'<html lang="{language}"' in answer.text) == (403, True)


def test_the_pages_are_in_the_readers_language(browser, accounts):
    assert '<html lang="el">' in browser.ask("/", accept_language="el-GR,en;q=0.5").text
    page = browser.ask("/map?lang=sq&area=AL-11", accept_language="el").text
    assert '<html lang="sq">' in page
    assert 'href="/map?area=AL-11&amp;lang=el"' in page


def test_a_header_from_outside_is_taken_away(browser, member, now):
    browser.ask("/")
    browser.sign_in(member, now)
    assert "officer" not in browser.ask("/", x_tact_reader='["x", "officer"]').text
    assert browser.ask("/health", x_tact_reader='["x", "officer"]').text == "inside []"


def test_a_revoked_person_is_out_with_the_next_request(browser, accounts, member, now):
    browser.ask("/")
    browser.sign_in(member, now)
    assert browser.ask("/").status == 200
    people.revoke(accounts, "Elira Hoxha")
    assert browser.ask("/").status == 403


def test_when_the_file_cannot_be_used_nobody_gets_in(browser, accounts, member, now):
    browser.ask("/")
    browser.sign_in(member, now)
    accounts.path.rename(accounts.path.with_name("elsewhere"))
    assert browser.ask("/").status == 503


def test_no_more_than_a_few_wait_for_a_passphrase_to_be_compared(browser, member, now, monkeypatch):
    """Twenty wait, and the next one is told so; all twenty leave again, also one whose work fails."""
    work, may_go = browser.door._work, threading.Event()

    async def crowd():
        waiting = [asyncio.create_task(work(may_go.wait)) for _ in range(19)]
        waiting.append(asyncio.create_task(work(int, "none")))
        await asyncio.sleep(0)
        with pytest.raises(_BusyError):
            await work(may_go.wait)
        may_go.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert results[:19] == [True] * 19
        assert [await work(int, "1") for _ in range(25)] == [1] * 25

    asyncio.run(crowd())
    browser.ask("/")
    with monkeypatch.context() as patch:
        patch.setattr(door, "_WAITING", 0)
        answer = browser.sign_in(member, now)
    assert (answer.status, "Many people sign in" in answer.text) == (503, True)
    assert browser.sign_in(member, now).status == 303


def test_a_conversation_ends_soon_after_its_session(accounts, member, now):
    now[0] += 60
    secret = sessions.sign_in(accounts, member.name, PASSPHRASE, member.make_code(now[0]))
    sent, seen = [], []

    async def talk():
        coming = asyncio.Queue()

        async def application(scope, receive, send):
            while (message := await receive())["type"] != "websocket.disconnect":
                seen.append(message)
                await send({"type": "websocket.send", "text": "number"})
            seen.append(message)
            await send({"type": "websocket.send", "text": "too late"})

        async def send(message):
            sent.append(message)

        running = asyncio.create_task(
            Conversations(accounts, seconds=0.02).hold(application, {}, coming.get, send, secret)
        )
        await coming.put({"type": "websocket.receive", "text": "hello"})
        await asyncio.sleep(0.2)
        assert not running.done()
        people.revoke(accounts, member.name)
        await asyncio.wait_for(running, 5)

    asyncio.run(talk())
    assert [message["type"] for message in seen] == ["websocket.receive", "websocket.disconnect"]
    assert sent == [{"type": "websocket.send", "text": "number"}, {"type": "websocket.close", "code": 1008}]


def test_who_waits_for_a_file_or_a_passphrase_holds_up_neither_the_door_nor_the_end_of_a_session(
    browser, accounts, member, now
):
    browser.ask("/map")
    browser.sign_in(member, now)
    secret, may_go = browser.cookies["__Host-tact-session"], threading.Event()

    async def wait_for_end(scope, receive, send):
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def send(_message):
        pass

    async def ask_in_a_crowd():
        files = [asyncio.to_thread(may_go.wait) for _ in range(min(32, (os.cpu_count() or 1) + 4))]
        waiting = asyncio.gather(browser.door._work(may_go.wait), *files)
        line = Conversations(accounts, 0.01).hold(wait_for_end, {}, asyncio.Queue().get, send, secret)
        conversation = asyncio.create_task(line)
        await asyncio.sleep(0)
        try:
            asked = ask_inside(browser.door, f"{ORIGIN}/map", cookie=f"__Host-tact-session={secret}")
            answer = await asyncio.wait_for(asked, 2)
            people.revoke(accounts, member.name)
            await asyncio.wait_for(conversation, 2)
        finally:
            may_go.set()
            await waiting
        return answer.status

    assert asyncio.run(ask_in_a_crowd()) == 200


def test_a_session_is_known_to_every_process_of_a_file_and_ends_in_all_of_them(browser, accounts, member, now):
    other = Browser(Accounts.open(accounts.path, clock=accounts.clock))
    browser.ask("/map")
    other.cookies, other.page = browser.cookies, browser.page
    assert other.sign_in(member, now).status == 303, "a form of one is taken by the other"
    assert [door.ask("/map").text for door in (browser, other)] == ['inside [\'["Elira Hoxha", "manager", []]\']'] * 2
    ended = []

    async def follow(door):
        async def inside(scope, receive, send):
            while (await receive())["type"] != "websocket.disconnect":
                pass

        async def hear():
            await asyncio.sleep(60)

        async def say(message):
            ended.append(message["code"])

        secret = browser.cookies["__Host-tact-session"]
        await Conversations(door, 0.01).hold(inside, {"type": "websocket"}, hear, say, secret)

    async def follow_both():
        lines = [asyncio.create_task(follow(Accounts(accounts.path, accounts.clock))) for _ in range(2)]
        await asyncio.sleep(0.1)
        people.revoke(accounts, member.name)
        await asyncio.wait_for(asyncio.gather(*lines), 10)

    asyncio.run(follow_both())
    assert ended == [1008, 1008]
    assert [door.ask("/map").status for door in (browser, other)] == [403, 403]


def test_what_a_page_asks_by_itself_is_no_use_of_a_session(accounts, monkeypatch):
    used, seen, by_itself, by_hand, time = [], [], BackMsg(), BackMsg(), [0.0]
    by_itself.rerun_script.is_auto_rerun, by_hand.rerun_script.query_string = True, "area=AL-11"
    monkeypatch.setattr(conversations, "time", SimpleNamespace(monotonic=lambda: time[0]))
    monkeypatch.setattr(sessions, "find_person", lambda *_: used.append(1))
    monkeypatch.setattr(sessions, "find_open", lambda _accounts, asked: set(asked))
    alone, hand = by_itself.SerializeToString(), by_hand.SerializeToString()
    # A page also asks as if by hand when its line is new.
    messages = {1: hand, 11: alone, 12: hand, 60: hand, 73: b"\xff", 200: alone}

    async def application(scope, receive, send):
        for time[0] in messages:
            await receive()
            seen.append(len(used))

    async def talk():
        coming = asyncio.Queue()
        for message in messages.values():
            coming.put_nowait({"type": "websocket.receive", "bytes": message})
        await asyncio.wait_for(Conversations(accounts).hold(application, {}, coming.get, None, "secret"), 5)

    asyncio.run(talk())
    assert seen == [0, 0, 1, 1, 2, 2]


def test_one_look_is_for_all_conversations(accounts, now, monkeypatch):
    going, staying = (take_in(accounts, name) for name in ("Elira Hoxha", "Nikos"))
    people_of = {person.name: person for person in people.list_people(accounts)}
    secrets = [sessions.start_session(accounts, people_of[member.name]) for member in (going, going, staying)]
    looks, find_open = [], sessions.find_open
    monkeypatch.setattr(sessions, "find_open", lambda *asked: looks.append(asked[1]) or find_open(*asked))

    async def wait_for_end(scope, receive, send):
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def send(_message):
        pass

    async def talk():
        conversations = Conversations(accounts, seconds=0.05)
        running = [
            asyncio.create_task(conversations.hold(wait_for_end, {}, asyncio.Queue().get, send, secret))
            for secret in secrets
        ]
        await asyncio.sleep(0.3)
        assert len(looks) < 8
        assert sorted(looks[-1]) == sorted(secrets)
        people.revoke(accounts, going.name)
        await asyncio.wait_for(asyncio.gather(*running[:2]), 5)
        assert not running[2].done()
        accounts.path.unlink()
        await asyncio.wait_for(running[2], 5)

    asyncio.run(talk())


def test_a_file_is_for_the_session_to_which_a_page_offers_it_and_the_oldest_offers_are_forgotten(accounts, monkeypatch):
    monkeypatch.setattr(conversations, "_MOST_FILES", 2)
    shown, deferred, typed, other = ForwardMsg(), ForwardMsg(), ForwardMsg(), ForwardMsg()
    shown.delta.new_element.download_button.url = "/media/shown.csv"
    deferred.backend_operation_response.deferred_file.url = "/media/made.csv"
    typed.delta.new_element.markdown.body = "/media/typed.csv"
    other.delta.new_element.download_button.url = "/media/other.csv"
    talking = Conversations(accounts)

    def list_offered(*messages, secret="mine"):
        async def show(_scope, _receive, send):
            for message in messages:
                await send({"type": "websocket.send", "bytes": message.SerializeToString()})

        async def send(_message):
            pass

        asyncio.run(talking.hold(show, {}, None, send, secret))
        names = ("shown", "made", "typed", "other")
        return [name for name in names if talking.has_offered(secret, f"/media/{name}.csv")]

    assert list_offered(shown, deferred, typed) == ["shown", "made"]
    assert list_offered(secret="another") == []
    assert list_offered(shown, other) == ["shown", "other"]


def test_nothing_of_a_file_leaves_before_its_one_note_and_a_note_that_failed_is_tried_again(accounts):
    talking, notes = Conversations(accounts), []

    async def note():
        notes.append("begun")
        await asyncio.sleep(0.01)
        if len(notes) == 1:
            raise WorkspaceError("the disk is full")
        notes.append("written")

    async def take(_request):
        await talking.note_once("mine", "/media/x.csv", note)
        return notes[-1]

    async def take_twice():
        return await asyncio.gather(*map(take, range(2)), return_exceptions=True)

    async def take_all():
        return [*await take_twice(), *await take_twice(), *await take_twice()]

    failed, also_failed, *others = asyncio.run(take_all())
    assert {type(failed), type(also_failed)} == {WorkspaceError}
    assert others == ["written"] * 4
    assert notes == ["begun", "begun", "written"]


def test_the_log_tells_of_failures_without_what_was_typed(browser, accounts, member, now):
    browser.ask("/")
    browser.sign_in(member, now, name="my secret passphrase")
    browser.sign_in(member, now, passphrase="wrong one")
    rows = [entry.content for entry in read_log(accounts)][-2:]
    assert rows == [
        {"event": "failed to sign in", "person": ""},
        {"event": "failed to sign in", "person": "Elira Hoxha"},
    ]


def test_the_log_tells_which_layer_another_program_took(browser, accounts, now):
    researcher = take_in(accounts, "Ilir", "researcher")
    browser.ask("/")
    browser.sign_in(researcher, now)
    assert browser.ask("/features/collections/children-region/items?limit=5").status == 200
    assert browser.ask("/features/api").status == 200
    assert read_log(accounts)[-1].content == {
        "event": "exported",
        "person": "Ilir",
        "file": "/features/collections/children-region/items",
    }


LAYER = "/features/collections/children-region/items?limit=5"


@pytest.fixture
def program(browser, accounts):
    """Return a function that asks with a token, of a new researcher if no other one is given."""
    default_token = make_token_as(accounts, "Ilir", "researcher")

    def ask(path=LAYER, method="GET", token=default_token, kind="http", **headers):
        asked = {"accept": "*/*", "authorization": f"Bearer {token}", **headers}
        return browser.ask(path, method, kind=kind, **asked)

    ask.token = default_token
    return ask


def test_a_program_with_a_token_reads_layers_as_its_person(program, accounts):
    with accounts.write() as connection:
        connection.execute("UPDATE people SET countries = 'AL' WHERE name = 'Ilir'")
    for path in ("/features", "/features/", "/features/api", LAYER):
        assert program(path).text == """inside ['["Ilir", "researcher", ["AL"]]']"""
    assert program(method="HEAD").status == 200
    assert program(authorization=f"bearer  {program.token}").status == 200
    events = [entry.content["event"] for entry in read_log(accounts) if entry.content["person"] == "Ilir"]
    assert events[-2:] == ["made a token", "read layers by a token"]


@pytest.mark.parametrize(
    "path", ["/", "/map", "/download", "/account", "/picture/overview.png", "/media/x", "/featuresx"]
)
def test_a_token_opens_no_page_and_no_other_file(program, path):
    answer = program(path)
    assert (answer.status, "inside" in answer.text) == (403, False)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_token_changes_nothing(program, method):
    assert program(method=method).status == 403
    assert program("/_stcore/upload_file/x/y", method=method).status == 403


def test_a_token_opens_no_conversation(program):
    for path in ("/_stcore/stream", "/features/api"):
        assert program(path, kind="websocket", origin=ORIGIN).status == "websocket.close"


@pytest.mark.parametrize("role", [role for role, rights in ROLES.items() if Right.EXPORT not in rights])
def test_a_token_of_a_role_without_files_reads_nothing(program, accounts, role):
    answer = program(token=make_token_as(accounts, "Zana", role))
    assert (answer.status, answer.text) == (403, "Your role does not include this.\n")


def test_a_token_that_has_ended_is_refused_and_no_session_helps_it(program, browser, accounts, now):
    browser.ask("/")
    browser.sign_in(take_in(accounts, "Zana", "researcher"), now)
    assert browser.ask(LAYER).status == 200
    assert program(token="tact-" + "x" * 43).status == 401
    assert program().status == 200
    people.revoke(accounts, "Ilir")
    answer = program()
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert program.token not in answer.text


def test_a_token_that_has_grown_old_is_refused(program, now):
    now[0] += 30 * 86_400
    assert program().status == 401


@pytest.mark.parametrize(
    "sent", [{"path": f"{LAYER}&token={{token}}"}, {"authorization": "Basic {token}"}, {"authorization": "{token}"}]
)
def test_a_token_counts_in_its_header_alone(program, sent):
    asked = {"authorization": None, **{name: value.format(token=program.token) for name, value in sent.items()}}
    assert program(**asked).status == 403


def test_a_token_counts_for_our_own_host_alone_and_not_from_pages_of_others(program):
    assert program(host="elsewhere.example").status == 421
    assert program(origin="https://elsewhere.example").status == 403


def test_a_use_that_the_log_cannot_tell_of_is_no_use(program, accounts, monkeypatch):
    def refuse(*_arguments, **_details):
        raise WorkspaceError("full")

    monkeypatch.setattr(tokens, "add_row", refuse)
    answer = program()
    assert (answer.status, "inside" in answer.text) == (503, False)


def test_a_file_that_the_log_cannot_tell_of_is_not_sent(browser, accounts, now, monkeypatch):
    browser.ask("/")
    browser.sign_in(take_in(accounts, "Ilir", "researcher"), now)
    path = "/features/collections/children-region/items"

    def refuse(*_arguments, **_details):
        raise WorkspaceError("full")

    with monkeypatch.context() as patch:
        patch.setattr(door, "note", refuse)
        answer = browser.ask(path)
        assert browser.ask("/features/api").status == 200, "what is no file needs no row"
    assert (answer.status, "inside" in answer.text) == (503, False)
    assert "inside" in browser.ask(path).text


def test_a_qr_code_is_drawn_of_the_key():
    drawing = sign_in.draw_code("otpauth://totp/TACT%20Map:Elira?secret=GEZDGNBV&issuer=TACT%20Map")
    assert drawing.startswith("<svg")
    assert "http" not in drawing.replace("http://www.w3.org", "")


def test_an_officer_reads_the_log_of_everybody_and_whether_it_is_whole(browser, accounts, member, now):
    officer = take_in(accounts, "Zana", "officer")
    for person, sees in ((member, False), (officer, True)):
        browser.cookies = {}
        browser.ask("/")
        browser.sign_in(person, now)
        page = browser.ask("/account").text
        assert ("rows are as they were written" in page) == sees
        assert ("Elira Hoxha · signed in" in page) == sees
    with closing(sqlite3.connect(accounts.path)) as connection:
        connection.executescript("DROP TRIGGER log_keeps_rows; DELETE FROM log WHERE number = 3;")
    assert "was changed after row 2" in browser.ask("/account").text
    for content in ("{", "{}"):
        with closing(sqlite3.connect(accounts.path)) as connection:
            connection.executescript(f"""
                DROP TRIGGER IF EXISTS log_keeps_words; UPDATE log SET content = '{content}' WHERE number = 2;
            """)
        assert "was changed after row 1" in browser.ask("/account").text
