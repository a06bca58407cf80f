"""The real server with people who sign in: each sees what their role allows, and is out when they are revoked."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

import pyogrio
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dashboard.server import main
from dashboard.web.admission import CLOSED
from dashboard.web.meeting import PRESENTING
from dashboard.web.page_list import PAGES
from data.accounts import people
from data.accounts.database import Accounts
from data.accounts.log import read_log, verify_log
from data.accounts.rights import ROLES, Right, Role
from tests.helpers.accounts import hash_cheaply, make_token_as, sign_in_cookie
from tests.helpers.addresses import ADDRESSES, DOOR, WEBSOCKETS
from tests.helpers.browser import WATCHED, Served, free_port, wait_for
from tests.helpers.conversation import converse, open_page
from tests.helpers.entry import cookie_headers, keep_cookie
from tests.helpers.meetings import join
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.slow(seconds=30)


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        hash_cheaply(patch)
        yield Accounts.open_or_create(tmp_path_factory.mktemp("accounts") / "accounts.sqlite")


@pytest.fixture(scope="module")
def served(demo_world, accounts, tmp_path_factory):
    running = start(demo_world, accounts, tmp_path_factory.mktemp("web"))
    yield running
    stop(running)


def stop(running):
    running.process.terminate()
    running.process.communicate(timeout=10)


def start(demo_world, accounts, folder, *arguments):
    port = free_port()
    for name in ("releases", "derived"):
        shutil.copytree(demo_world / name, folder / name)
    (seen := folder / "seen").touch()
    command = [sys.executable, "-c", WATCHED, str(seen), "//never", "--port", str(port)]
    command += ["--releases", str(folder / "releases"), "--derived", str(folder / "derived")]
    environment = {**os.environ, "TACT_VAULT_KEY": "00" * 32}
    process = subprocess.Popen(
        [*command, "--accounts", str(accounts.path), *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    return Served(wait_for(process), process, seen)


@pytest.fixture
def enter(served, accounts):
    """Return a function that lets every client of the server be a person of a role; without one, nobody."""

    def sign(role="", name=""):
        port = int(served.url.rpartition(":")[2])
        keep_cookie(served.url, sign_in_cookie(accounts, role, port, name) if role else "x=y")

    return sign


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_ASKING = urllib.request.build_opener(_Stay)


def ask(url, method="GET", **headers):
    request = urllib.request.Request(url, headers=cookie_headers(url) | headers, method=method)
    try:
        with _ASKING.open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode("utf-8", "replace")


def test_without_signing_in_there_is_a_page_to_sign_in_and_nothing_else(served, enter):
    enter()
    status, headers, page = ask(f"{served.url}/map", Accept="text/html")
    assert (status, "Sign in" in page) == (403, True)
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    with pytest.raises(InvalidStatus) as error:
        open_page(served.url)
    assert error.value.response.status_code == 403


@pytest.mark.parametrize(("role", "tier"), [("partner", "Partner tier"), ("public", "Public tier")])
def test_each_role_sees_its_tier_and_its_name(served, enter, role, tier):
    enter(role)
    shown = open_page(served.url)
    assert shown.errors == []
    assert tier in shown.text
    assert f"Person {role}" in shown.text
    assert "account" in shown.text
    assert open_page(served.url, "flows").errors == []


def test_a_page_says_so_to_whoever_lacks_its_right(served, enter):
    enter("partner")
    assert "Your role does not include this page" in "".join(open_page(served.url, "download").errors)
    assert "download" not in open_page(served.url).text
    enter("researcher")
    assert open_page(served.url, "download").errors == []


def test_only_who_plans_can_save_a_plan(served, enter):
    enter("researcher")
    assert "Your role does not save plans" in open_page(served.url, "reallocate").text
    enter("manager")
    assert "Save this plan" in open_page(served.url, "reallocate").text


def test_members_of_a_meeting_have_names_and_a_guest_opens_none_and_sees_what_their_role_includes(served, enter):
    enter("guest")
    with join(served.url, 1) as guest:
        assert guest.hear() == {"refused": True}
    enter("partner", "Zana")
    with join(served.url, 2) as presenter:
        code = presenter.hear()["code"]
        presenter.say(view="flows?area=AL-02")
        enter("guest", "Ana")
        with join(served.url, 3, code) as guest:
            state = guest.hear_until(lambda message: "closed" in message)
            assert (state["view"], state["closed"]) == (None, True)
            members = presenter.hear_until(lambda message: message.get("members"))["members"]
            assert members == [{"number": 2, "name": "Ana", "may_present": False}]
            presenter.say(view="coverage?area=AL-02")
            assert guest.hear_until(lambda message: not message["closed"])["view"] == "coverage?area=AL-02"
    enter()
    with pytest.raises(InvalidStatus), join(served.url, 4, code):
        pass


def test_an_open_conversation_ends_within_seconds_after_the_person_was_revoked(served, enter, accounts):
    enter("partner", "Zana")
    address = f"ws{served.url.removeprefix('http')}/_stcore/stream"
    with connect(
        address,
        origin=served.url,
        additional_headers=cookie_headers(served.url),
        subprotocols=["streamlit"],
        proxy=None,
    ) as line:
        people.revoke(accounts, "Zana")
        start = time.monotonic()
        with suppress(ConnectionClosed):
            while time.monotonic() - start < 10:
                line.recv(timeout=10)
        assert time.monotonic() - start < 8
    assert ask(f"{served.url}/map")[0] == 403


COOKIE = "__Host-tact-session"
NAMED = {"Host": "map.example.org", "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


def open_line(url, path="/_stcore/stream", **headers):
    address = f"ws{url.removeprefix('http')}{path}"
    return connect(address, origin=url, additional_headers=cookie_headers(url) | headers, proxy=None)


def read_to_the_end(line):
    while True:
        line.recv(timeout=10)


def is_open(url, path):
    try:
        with open_line(url, path):
            return True
    except InvalidStatus:
        return False


@pytest.mark.parametrize("role", ["", *Role])
def test_each_role_reaches_what_its_rights_allow_and_nothing_else(served, enter, role):
    enter(role)
    rights = ROLES[Role(role)] if role else frozenset()
    answers = {path: ask(served.url + path, Accept="*/*")[0] for path in ADDRESSES}
    for path, right in ADDRESSES.items():
        if not role:
            assert answers[path] == (404 if path.startswith(CLOSED) else 403), path
        elif right is None:
            assert answers[path] == 404, path
        else:
            assert (answers[path] != 403) == (right in rights), path
            assert answers[path] < 500, path
    assert [is_open(served.url, path) for path in WEBSOCKETS] == [bool(role)] * len(WEBSOCKETS)
    refused = "Your role does not include this" in ask(f"{served.url}/_stcore/upload_file/x/y", "PUT")[2]
    assert refused == bool(role and Right.UPLOAD not in rights)


@pytest.mark.parametrize("role", ["", *Role])
def test_the_door_answers_each_role_itself_and_lets_nobody_in_or_out_without_its_form(served, enter, role):
    enter(role)
    for (method, path), answers in DOOR.items():
        assert ask(served.url + path, method, Accept="*/*")[0] == answers[bool(role)], path
    assert ask(f"{served.url}/map")[0] == (200 if role else 403)
    page = ask(f"{served.url}/account", Accept="text/html")[2]
    assert ("What the log says of you" in page) == bool(role)
    assert ("The audit log of everybody" in page) == (bool(role) and Right.READ_LOG in ROLES[role])


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_the_partner_tier_opens_a_meeting_and_nobody_else(served, enter, role):
    enter(role)
    with join(served.url, 1) as window:
        message = window.hear()
    assert (message == {"refused": True}, "code" in message) == (
        PRESENTING not in ROLES[role],
        PRESENTING in ROLES[role],
    )


@pytest.mark.parametrize("role", list(Role))
def test_a_token_reads_layers_as_its_role_and_reaches_nothing_else(served, enter, accounts, role):
    enter()
    sent = {"Accept": "*/*", "Authorization": f"Bearer {make_token_as(accounts, f'Reader {role}', role)}"}
    for path in ["/account", *(path for path in ADDRESSES if not path.startswith("/features"))]:
        assert ask(served.url + path, **sent)[0] == (404 if path.startswith(CLOSED) else 403), path
    for method in ("POST", "PUT", "DELETE"):
        assert ask(f"{served.url}/features", method, **sent)[0] == 403
    for path in ("/features", "/features/api", "/features/collections/encounters_region/items?limit=1"):
        assert ask(served.url + path, **sent)[0] == (200 if Right.EXPORT in ROLES[role] else 403), path
    people.revoke(accounts, f"Reader {role}")
    assert ask(f"{served.url}/features", **sent)[0] == 401
    stream = f"ws{served.url.removeprefix('http')}/_stcore/stream"
    with pytest.raises(InvalidStatus), connect(stream, origin=served.url, additional_headers=sent, proxy=None):
        pass


def test_gdal_reads_layers_with_a_token_within_the_limit_of_its_person(served, enter, accounts):
    enter()
    token = make_token_as(accounts, "Besa", "researcher")
    with accounts.write() as connection:
        connection.execute("UPDATE people SET countries = 'AL' WHERE name = 'Besa'")
    sent = {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token}
    pyogrio.set_gdal_config_options(sent)
    try:
        frame = pyogrio.read_dataframe(f"OAPIF:{served.url}/features", layer="effort_region", use_arrow=False)
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(sent))
    assert set(frame["country"]) == {"AL"}
    with pytest.raises(pyogrio.errors.DataSourceError):
        pyogrio.list_layers(f"OAPIF:{served.url}/features")


@pytest.mark.always("guest", "manager")
@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_the_pages_of_its_rights_in_its_tier_in_the_conversation(served, enter, role):
    enter(role)
    rights = ROLES[role]
    for page in PAGES:
        shown = open_page(served.url, page.address)
        refused = "Your role does not include this page" in "".join(shown.errors)
        assert refused == (page.right not in rights), page
        assert ("Partner tier" in shown.text) == (Right.SEE_PARTNER in rights), page
        assert ("Public tier" in shown.text) == (Right.SEE_PARTNER not in rights), page
        assert ("Save this plan" in shown.text) == (page.module == "reallocate" and Right.PLAN in rights), page
        needs_more = page.module == "reallocate" and Right.SEE_PARTNER not in rights
        assert ("Plans need the partner tier" in shown.text) == needs_more, page


def test_a_file_is_given_to_the_reader_to_whom_a_page_offered_it_and_to_nobody_who_has_its_address(
    served, enter, accounts
):
    enter("researcher", "Arta")
    with converse(served.url) as conversation:
        shown = conversation.open("download")
        button = shown.files["Download the citation for reference lists and catalogues"]
        for presses in (1, 2):
            path = conversation.take(shown, button)
            assert path.startswith("/media/")
            for _ in ("look whether it is there", "take it"):
                status, headers, _ = ask(served.url + path)
                assert (status, headers["Cache-Control"]) == (200, "no-store")
            events = [entry.content["event"] for entry in read_log(accounts, "Arta")]
            assert events.count("exported") == presses
        enter("public")
        open_page(served.url, "map", f"area={path}")
        for role, name in (("public", ""), ("guest", ""), ("manager", ""), ("researcher", "Ilir")):
            enter(role, name)
            assert ask(served.url + path)[0] == 404, role
        enter()
        assert ask(served.url + path)[0] == 403


def test_who_takes_up_the_session_of_another_reader_gets_one_of_their_own(served, enter):
    enter("partner")
    with converse(served.url) as conversation:
        session = conversation.open().session
        enter("public")
        with converse(served.url, session) as other:
            seen = other.open()
        assert seen.session != session
        assert "Partner tier" in conversation.open("method").text
    assert "Partner tier" not in seen.text
    with converse(served.url, session) as other:
        left = other.open()
    assert left.session != session
    enter("partner")
    with converse(served.url, session) as again:
        assert again.open().session == session, "its reader goes on after a break"


def test_the_log_says_which_page_and_area_was_seen_on_the_partner_tier_and_what_left(served, enter, accounts):
    enter("researcher", "Ilir")
    open_page(served.url, "map", "area=AL-11")
    open_page(served.url, "risk", "area=%3Cscript%3E")
    status, headers, _ = ask(f"{served.url}/picture/overview.svg")
    assert status == 200
    enter("public", "Anybody")
    open_page(served.url, "map", "area=AL-11")
    rows = [dict(entry.content) for entry in read_log(accounts, "Ilir")][-3:]
    assert rows[:2] == [
        {"event": "saw", "person": "Ilir", "page": "situation", "area": "AL-11"},
        {"event": "saw", "person": "Ilir", "page": "risk"},
    ]
    assert rows[2] | {"file": ""} == {"event": "exported", "person": "Ilir", "file": ""}
    assert rows[2]["file"] in headers["Content-Disposition"]
    assert rows[2]["file"].startswith("tact-")
    assert "saw" not in [entry.content["event"] for entry in read_log(accounts, "Anybody")]
    assert verify_log(accounts).problem == ""


def test_who_does_not_export_is_offered_no_briefing(served, enter):
    enter("manager")
    assert "Briefing (PDF)" not in open_page(served.url, "reallocate").text
    enter("researcher")
    assert "Briefing (PDF)" in open_page(served.url, "reallocate").text


def test_the_server_has_no_way_to_the_vault(served, enter):
    enter("officer")
    open_page(served.url)
    assert served.audit() == []


@pytest.fixture(scope="module")
def named(demo_world, accounts, tmp_path_factory):
    """A second process of the same accounts, behind a proxy that encrypts."""
    running = start(demo_world, accounts, tmp_path_factory.mktemp("named"), "--name", "map.example.org")
    yield running
    stop(running)


def open_named(named, origin="https://map.example.org", **headers):
    line = socket.create_connection(("127.0.0.1", int(named.url.rpartition(":")[2])), timeout=20)
    address = "ws://map.example.org/_stcore/stream"
    return connect(address, origin=origin, sock=line, additional_headers=headers, proxy=None)


def test_behind_a_proxy_that_encrypts_people_sign_in_by_its_name_alone(named, accounts):
    cookie = sign_in_cookie(accounts, "partner", 0).replace("tact-session-0", COOKIE)
    assert ask(f"{named.url}/map", Cookie=cookie, **NAMED)[0] == 200
    assert ask(f"{named.url}/map", Cookie=cookie)[0] == 421
    assert ask(f"{named.url}/health")[0] == 200
    assert "__Host-tact-form" in ask(f"{named.url}/sign-in", Accept="text/html", **NAMED)[1]["Set-Cookie"]
    with open_named(named, Cookie=cookie):
        pass
    with pytest.raises(InvalidStatus), open_named(named, "http://map.example.org", Cookie=cookie):
        pass


def test_two_processes_know_a_session_and_neither_does_after_its_person_was_revoked(served, named, accounts):
    port = int(served.url.rpartition(":")[2])
    cookie = sign_in_cookie(accounts, "partner", port, "Drita")
    at_named = cookie.replace(f"tact-session-{port}", COOKIE)

    def ask_both():
        first = ask(f"{served.url}/map", Cookie=cookie)
        return first[0], ask(f"{named.url}/map", Cookie=at_named, **NAMED)[0]

    assert ask_both() == (200, 200)
    with open_line(served.url, Cookie=cookie) as first, open_named(named, Cookie=at_named) as second:
        people.revoke(accounts, "Drita")
        assert ask_both() == (403, 403)
        for line in (first, second):
            with pytest.raises(ConnectionClosed):
                read_to_the_end(line)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tier", "public"], "People sign in to the partner tier"),
        (["--host", "0.0.0.0"], "People sign in to the partner tier"),
        (["--name", "https://x"], "not the name of a host"),
        (["--accounts", "/nowhere"], "no file of accounts at"),
    ],
)
def test_a_server_of_another_tier_or_without_the_file_does_not_start(tmp_path, accounts, capsys, arguments, words):
    with pytest.raises(SystemExit) as ended:
        main(["--releases", str(tmp_path), "--accounts", str(accounts.path), *arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
