"""Meetings at the server: who is let in, what goes to whom, and where a short address leads."""

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dashboard.site import Site
from dashboard.site.reader import EVERYBODY, NOBODY, PEOPLE, Reader
from dashboard.site.text import speak
from dashboard.web import meeting
from dashboard.web.rooms import Rooms
from dashboard.web.views import may_see
from data.accounts.rights import ROLES, Role
from tests.helpers.browser import free_port
from tests.helpers.meetings import join


class WatchedRooms(Rooms):
    """Rooms that note the threads in which they are touched."""

    def __init__(self):
        super().__init__()
        self.threads = set()

    def _forget_over(self):
        self.threads.add(threading.get_ident())
        super()._forget_over()


@pytest.fixture(scope="module")
def rooms():
    return WatchedRooms()


@pytest.fixture(scope="module")
def url(tmp_path_factory, rooms):
    """Serve the routes of meetings alone."""
    port = free_port()
    application = Starlette(routes=meeting.make_routes(Site(tmp_path_factory.mktemp("none"), "partner"), rooms))
    server = uvicorn.Server(
        uvicorn.Config(application, port=port, ws="websockets-sansio", log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


class Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments):
        return None


def find_location(address):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.build_opener(Still).open(address, timeout=10)
    error.value.close()
    assert error.value.status == 303
    return error.value.headers["location"]


def test_members_follow_the_presenter_and_who_comes_late_starts_at_the_present_view(url):
    with join(url, 1) as presenter:
        opened = presenter.hear()
        assert opened["address"] == f"{url}/meeting/{opened['code']}"
        presenter.say(view="map?area=AL-02&lang=sq")
        with join(url, 2, opened["code"]) as member:
            member.hear_until(lambda message: message.get("view") == "map?area=AL-02")
            presenter.say(view="risk?area=AL-02", pointer=[41, 20])
            message = member.hear_until(lambda message: message.get("view") == "risk?area=AL-02")
            assert (message["pointer"], message["presents"], message["here"]) == ([41, 20], False, True)
            assert "members" not in message
            # A member's word does not count.
            member.say(view="map")
            presenter.say(hand_over=2)
            assert member.hear_until(lambda message: message["presents"])["view"] == "risk?area=AL-02"
        assert find_location(f"{url}/meeting/{opened['code']}?lang=el") == (
            f"../risk?area=AL-02&lang=el&meeting={opened['code']}"
        )


def test_a_meeting_that_is_not_there_or_has_ended_says_so(url):
    with join(url, 1, "abcd-abcd-abcd-abcd") as member:
        assert member.hear() == {"ended": True}
    assert find_location(f"{url}/meeting/nothing").endswith("../?meeting=nothing")
    with join(url, 1) as presenter, join(url, 2, presenter.hear()["code"]) as member:
        presenter.say(end=True)
        member.hear_until(lambda message: message.get("ended"))


@pytest.mark.parametrize("text", ["[" * 4096, "[1]", "{", '{"secret": 1}'])
def test_what_no_window_sends_ends_its_line_and_writes_nothing_into_the_log(url, caplog, monkeypatch, text):
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "handlers", [caplog.handler])
    with connect(f"ws{url[4:]}/meeting/line", origin=url, proxy=None) as line:
        line.send(text)
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=30)
    assert not caplog.records


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("https://map.example.org", "map.example.org", True),
        ("http://127.0.0.1:8642", "127.0.0.1:8642", True),
        ("https://map.example.org/path", "map.example.org", False),
        ("https://other.example.org", "map.example.org", False),
        (f"https://{'a' * 2000}", "a" * 2000, False),
    ],
)
def test_a_page_of_this_host_alone_gets_a_line(origin, host, is_own):
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    assert meeting._is_own_origin(HTTPConnection({"type": "http", "headers": headers})) is is_own


def test_rooms_are_touched_in_the_event_loop_alone(url, rooms):
    with join(url, 1) as presenter:
        find_location(f"{url}/meeting/{presenter.hear()['code']}")
    assert len(rooms.threads) == 1


def test_whether_a_view_may_be_seen_is_looked_up_outside_the_event_loop(url, rooms, monkeypatch):
    threads = []
    monkeypatch.setattr(meeting, "may_see", lambda *_: threads.append(threading.get_ident()))
    with join(url, 1) as presenter:
        presenter.say(view="map?area=AL-02")
        assert presenter.hear_until(lambda message: message.get("closed"))["view"] is None
    assert threads
    assert not rooms.threads & set(threads)


def test_one_network_address_has_so_many_lines_at_most(url, monkeypatch):
    monkeypatch.setattr(meeting, "_MOST_OF_ADDRESS", 2)
    with join(url, 1, peer="2001:db8::1") as presenter:
        code = presenter.hear()["code"]
        with join(url, 2, code, "2001:db8::2") as member:
            member.hear()
            with pytest.raises(InvalidStatus), join(url, 3, code, "2001:db8::3"):
                pass
            # Another subscriber, and this machine itself, have their own places.
            with join(url, 4, code, "2001:db8:0:1::1") as other, join(url, 5, code) as local:
                assert (other.hear()["code"], local.hear()["code"]) == (code, code)
        # A place is free again once its line has ended.
        presenter.hear_until(lambda message: message.get("members") == [])
        with join(url, 6, code, "2001:db8::4") as late:
            assert late.hear()["code"] == code


def test_the_rooms_of_an_address_of_ipv6_are_those_of_its_subscriber(url):
    with ExitStack() as lines:
        for number in range(10):
            assert "code" in lines.enter_context(join(url, number, peer=f"2001:db8:0:2::{number}")).hear()
        assert lines.enter_context(join(url, 10, peer="2001:db8:0:2::a")).hear() == {"full": True}


def test_a_page_of_another_origin_is_not_answered(url):
    address = f"ws{url.removeprefix('http')}/meeting/line"
    for origin in ("http://127.0.0.1:1", "https://evil.example", None):
        with pytest.raises(InvalidStatus):
            connect(address, origin=origin, proxy=None)


@pytest.mark.parametrize("text", ["", "[]", "x" * 5000, json.dumps({"open": True}), json.dumps({"secret": "x"})])
def test_a_window_that_says_nothing_that_is_known_is_sent_away(url, text):
    address = f"ws{url.removeprefix('http')}/meeting/line"
    with connect(address, origin=url, proxy=None) as line:
        line.send(text)
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=10)


def test_words_are_in_the_language_that_is_asked_for(url):
    for language in ("en", "sq", "el", "xx"):
        with urllib.request.urlopen(f"{url}/meeting/words.json?lang={language}", timeout=10) as answer:
            words = json.loads(answer.read())
        with speak(language):
            assert words == meeting.make_words()
    assert words["meeting"] == "Meeting"


def test_the_panel_says_what_others_need_also_where_people_sign_in(monkeypatch, tmp_path):
    monkeypatch.delenv(PEOPLE, raising=False)
    assert "run it on a server" in meeting.make_words()["local"]
    monkeypatch.setenv(PEOPLE, str(tmp_path / "accounts.sqlite"))
    assert "put a proxy before the map" in meeting.make_words()["local"]


@pytest.mark.parametrize(
    ("view", "guest", "public"),
    [
        ("map?layer=encounters&level=region", True, True),
        ("map?layer=encounters&level=municipality", False, False),
        ("map?layer=population&over=encounters&level=municipality", False, False),
        ("map?layer=risk", False, False),
        ("flows", False, False),
        ("reallocate?moves=5", False, False),
        ("coverage?area=AL-02", True, True),
        ("download", False, True),
        ("agenda?add=coverage%3Farea%3DAL-02", True, True),
        ("agenda?add=flows%3Farea%3DAL-02", False, False),
        ("", True, True),
    ],
)
def test_a_follower_gets_no_address_of_what_their_role_does_not_include(demo_world, view, guest, public):
    site = Site(demo_world / "releases", "partner")
    assert may_see(site, EVERYBODY, view)
    assert may_see(site, Reader("A", ROLES[Role.GUEST]), view) == guest
    assert may_see(site, Reader("B", ROLES[Role.PUBLIC]), view) == public
    assert not may_see(site, NOBODY, view)
