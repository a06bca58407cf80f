"""The door of a local page: a token works once, a cookie lets its browser in, and everything else stays outside."""

import asyncio
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from dashboard.web.gate import Entry, Gate, list_own_hosts, make_door_page

PORT = 8642
HOST = f"127.0.0.1:{PORT}"
URL = f"http://{HOST}"


@pytest.fixture
def now():
    return [1_000_000.0]


@pytest.fixture
def entry(now):
    return Entry("tact-map", PORT, lambda: now[0])


@pytest.fixture
def ask(entry):
    """Return a function that sends a request to a gate; it returns status, headers and body."""
    application = Gate(PlainTextResponse("inside"), list_own_hosts(["127.0.0.1", "::1"], PORT), entry)

    def send_request(address="/", cookie="", *, kind="http", method="GET", **headers):
        sent, asked = [], urlsplit(address if address.startswith("/") else address.removeprefix(URL))
        listed = {"host": HOST, **({"cookie": cookie} if cookie else {}), **headers}

        async def run():
            async def send(message):
                sent.append(message)

            scope = {"type": kind, "scheme": {"http": "http", "websocket": "ws"}[kind], "method": method}
            scope |= {"path": asked.path, "query_string": asked.query.encode()}
            raw = [(name.encode(), value.encode("latin-1")) for name, value in listed.items()]
            await application(scope | {"headers": raw}, None, send)

        asyncio.run(run())
        if "status" not in sent[0]:
            return sent[0]["type"], None, b""
        return sent[0]["status"], Headers(raw=sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent)

    return send_request


def test_a_browser_is_known_for_twelve_hours_and_each_has_a_secret_of_its_own(now, entry, ask):
    first = ask(entry.make_address(URL))[1]["set-cookie"].partition(";")[0]
    now[0] += 6 * 3600
    second = ask(entry.make_address(URL))[1]["set-cookie"].partition(";")[0]
    assert first != second
    assert [ask("/", cookie)[0] for cookie in (first, second)] == [200, 200]
    now[0] += 6 * 3600
    assert [ask("/", cookie)[0] for cookie in (first, second)] == [403, 200]
    now[0] -= 7 * 3600  # the clock is set back
    assert ask("/", second)[0] == 403


@pytest.fixture
def cookie(entry, ask):
    return ask(entry.make_address(URL))[1]["set-cookie"].partition(";")[0]


def test_a_token_gives_a_cookie_once_and_leads_to_the_address_without_it(entry, ask):
    address = entry.make_address(URL)
    status, headers, body = ask(address)
    assert (status, headers["location"], body) == (303, f"{URL}/", b"")
    assert headers["cache-control"] == "no-store"
    cookie, *rules = headers["set-cookie"].split("; ")
    assert cookie.startswith(f"tact-map-{PORT}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(rules)
    assert address.partition("token=")[2] not in cookie
    assert ask("/", cookie)[0] == 200
    again, headers, _ = ask(address)
    assert (again, "set-cookie" in headers) == (403, False)


def test_a_known_browser_gets_in_with_a_spent_address_and_spends_a_new_one(entry, ask, cookie):
    address = entry.make_address(URL)
    status, headers, _ = ask(address, cookie)
    assert (status, "set-cookie" in headers) == (303, False)
    assert ask(address)[0] == 403, "no other browser can use it"
    assert ask(address, cookie)[0] == 303
    assert ask(f"{URL}/map?token=nonsense&area=AL-11", cookie)[1]["location"] == f"{URL}/map?area=AL-11"


def test_a_new_address_ends_the_one_before(entry, ask):
    first, second = entry.make_address(URL), entry.make_address(URL)
    assert [ask(address)[0] for address in (first, second)] == [403, 303]


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_looking_whether_an_address_is_there_spends_nothing(entry, ask, method):
    address = entry.make_address(URL)
    assert ask(address, method=method)[0] == 403
    assert ask(address)[0] == 303


@pytest.mark.parametrize("token", ["", "x", "ë", "\ud800"])
def test_no_other_token_opens(entry, ask, token):
    assert not entry.spend_token(token)
    entry.make_address(URL)
    assert not entry.spend_token(token)
    assert ask("/?token=")[0] == 403


def test_the_secret_of_another_process_opens_nothing(ask):
    other = Entry("tact-map", PORT).make_cookie().partition(";")[0]
    for cookie in (other, f"tact-map-{PORT}=", f"tact-map-{PORT}=ë", "tact-map-8643=" + other.partition("=")[2]):
        assert ask("/", cookie)[0] == 403


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "/mapë"])
def test_a_path_leads_to_no_other_host(entry, ask, path):
    location = ask(f"{path}?{urlsplit(entry.make_address(URL)).query}")[1]["location"]
    assert urlsplit(location).netloc == HOST


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8643", "evil.example:8642", "", "localhost:8642", "[::1]"])
def test_another_host_or_port_is_refused_with_the_cookie_too(ask, cookie, host):
    assert ask("/", cookie, host=host)[0] == 421
    assert ask("/health", host=host)[0] == 421
    assert ask("/", cookie, kind="websocket", host=host, origin=f"http://{host}")[0] == "websocket.close"


@pytest.mark.parametrize("origin", ["null", "", "http://127.0.0.1", "https://127.0.0.1:8642", "http://[::1]:8642"])
def test_another_origin_is_refused_with_the_cookie_too(ask, cookie, origin):
    assert ask("/", cookie, origin=origin)[0] == 403
    assert ask("/", cookie, kind="websocket", origin=origin)[0] == "websocket.close"
    assert ask("/", cookie, origin=URL)[0] == 200


def test_a_websocket_needs_the_cookie_and_an_origin(ask, cookie):
    assert ask("/", cookie, kind="websocket")[0] == "websocket.close"
    assert ask("/", kind="websocket", origin=URL)[0] == "websocket.close"
    assert ask("/", cookie, kind="websocket", origin=URL)[0] == 200  # passed on; what is inside is a text


def test_health_is_told_to_anybody_here_and_paths_beside_it_are_not(ask):
    assert ask("/health")[2] == b"inside"
    assert [ask(path)[0] for path in ("/health/", "/health/x", "//health", "/Health")] == [403] * 4


def test_a_person_gets_a_page_in_each_language_that_keeps_the_view_and_drops_the_token(ask):
    status, headers, body = ask("/map?area=AL-11&token=spent&x=%22%3E", accept="text/html,*/*")
    page = body.decode()
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert [f'<section lang="{language}">' in page for language in ("en", "sq", "el")] == [True] * 3
    assert page.count('href="?area=AL-11&amp;x=%22%3E"') == 3
    assert "spent" not in page
    assert not {"src=", "<link", "<script"} & set(page.split())


def test_the_page_of_the_door_says_it_in_three_languages():
    sections = make_door_page("?").split("<section")[1:]
    headings = {section.partition("<h2>")[2].partition("</h2>")[0] for section in sections}
    assert len(sections) == len(headings) == 3


def test_without_an_entry_any_browser_of_this_machine_may_ask():
    gate = Gate(PlainTextResponse("inside"), list_own_hosts(["127.0.0.1"], 80))
    sent = []

    async def run(host):
        async def send(message):
            sent.append(message)

        scope = {"type": "http", "scheme": "http", "method": "GET", "path": "/", "query_string": b""}
        await gate(scope | {"headers": [(b"host", host)]}, None, send)

    for host in (b"127.0.0.1", b"127.0.0.1:80", b"evil.example"):
        asyncio.run(run(host))
    assert [message["status"] for message in sent if "status" in message] == [200, 200, 421]


@pytest.mark.parametrize(
    ("host", "origin", "passes"),
    [
        ("map.example.org", "https://map.example.org", True),  # the proxy encrypts, and asks by http
        ("map.example.org", "http://map.example.org", True),
        ("map.example.org", "https://map.example.org:8443", False),
        ("map.example.org", "https://evil.example", False),
        ("map.example.org", None, False),
        ("evil.example", "https://evil.example", False),
        ("map.example.org:80", "http://map.example.org:80", False),
    ],
)
def test_behind_a_proxy_the_public_tier_speaks_to_pages_of_its_own_name_alone(host, origin, passes):
    gate = Gate(PlainTextResponse("inside"), {"map.example.org"})
    sent, headers = [], [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]

    async def run():
        async def send(message):
            sent.append(message)

        scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": "/_stcore/stream",
            "query_string": b"",
            "headers": headers,
        }
        await gate(scope, None, send)

    asyncio.run(run())
    assert (sent[0]["type"] != "websocket.close") == passes
