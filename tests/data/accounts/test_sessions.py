"""Signing in: both proofs, each code once, waits after failures, and sessions that end."""

import sqlite3
from contextlib import closing, contextmanager
from itertools import pairwise

import pytest

from data.accounts import attempts, people, sessions
from data.accounts.database import Accounts
from data.accounts.log import Event, read_log
from data.accounts.people import make_key
from data.accounts.rights import Role
from data.accounts.sessions import (
    Refusal,
    find_open,
    find_person,
    sign_in,
    sign_in_from_provider,
    sign_out,
    start_session,
)
from data.accounts.tokens import make_token
from data.errors import InputError
from tests.helpers.accounts import PASSPHRASE, take_in


@pytest.fixture
def member(accounts, now):
    taken_in = take_in(accounts)
    now[0] += 60
    return taken_in


@pytest.fixture
def enter(accounts, now, member):
    """Return a function that signs the member in with the code of a new moment."""

    def sign(name="Elira Hoxha", passphrase=PASSPHRASE, code=None, address=""):
        now[0] += 60
        return sign_in(accounts, name, passphrase, member.make_code(now[0]) if code is None else code, address)

    return sign


def test_both_proofs_let_in_by_a_name_typed_in_any_way(accounts, enter):
    session = enter("  elira   HOXHA ")
    assert find_person(accounts, session).name == "Elira Hoxha"
    assert session.encode() not in accounts.path.read_bytes()
    assert [entry.content["event"] for entry in read_log(accounts)][-1] == Event.SIGNED_IN


@pytest.mark.parametrize(
    "wrong", [{"name": "Elira"}, {"passphrase": PASSPHRASE + "x"}, {"code": "000000"}, {"name": "\ud800"}]
)
def test_one_wrong_thing_is_refused_and_not_told_apart(enter, wrong):
    assert enter(**wrong) == Refusal()


def test_a_code_counts_once_and_none_before_it(accounts, now, member):
    earlier, code = member.make_code(now[0] - 30), member.make_code(now[0])
    assert isinstance(sign_in(accounts, member.name, PASSPHRASE, code), str)
    assert sign_in(accounts, member.name, PASSPHRASE, code) == Refusal()
    assert sign_in(accounts, member.name, PASSPHRASE, earlier) == Refusal()


def test_the_code_of_the_invitation_is_spent(accounts, now):
    other = take_in(accounts, "Nikos")
    assert sign_in(accounts, "Nikos", PASSPHRASE, other.make_code(now[0])) == Refusal()


def test_after_five_failures_each_wait_is_twice_as_long_and_fifteen_minutes_at_most(accounts, now, member):
    def fail():
        return sign_in(accounts, member.name, PASSPHRASE, "000000").wait

    assert [fail() for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(8):
        waits.append(fail())
        assert sign_in(accounts, member.name, PASSPHRASE, member.make_code(now[0])).wait == waits[-1], (
            "the right one too"
        )
        now[0] += waits[-1]
        assert fail() == 0
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_who_gets_in_has_no_failures_left(accounts, now, enter):
    for _ in range(4):
        enter(code="000000")
    assert isinstance(enter(), str)
    assert [enter(code="000000").wait for _ in range(4)] == [0] * 4


def test_a_wait_is_for_one_name_known_or_not_and_for_one_address(accounts, now, enter):
    for i in range(19):
        sign_in(accounts, "nobody" if i < 5 else f"nobody {i}", "x", "000000", "10.0.0.1")
    assert sign_in(accounts, "nobody", "x", "000000").wait > 0
    now[0] -= 59
    assert isinstance(enter(address="10.0.0.1"), str), "nineteen failures so far"
    sign_in(accounts, "somebody", "x", "000000", "10.0.0.1")
    assert sign_in(accounts, "somebody else", "x", "000000", "10.0.0.1").wait > 0
    assert isinstance(enter(address="10.0.0.2"), str)


def test_after_an_hour_without_a_failure_all_are_forgotten(accounts, now, member):
    waits = [sign_in(accounts, member.name, "x", "000000").wait for _ in range(6)]
    assert waits == [0] * 5 + [30]
    now[0] += 3601
    assert [sign_in(accounts, member.name, "x", "000000").wait for _ in range(6)] == waits


def test_whoever_is_revoked_opens_nothing_though_their_provider_knows_them_still(accounts):
    identity = people.Identity("https://login.example.org", "5", "Drita Marku")
    secret = sign_in_from_provider(accounts, identity, Role.RESEARCHER)
    person = find_person(accounts, secret)
    people.revoke(accounts, person.name)
    late = start_session(accounts, person)  # of a request that was on its way
    assert [find_person(accounts, session) for session in (secret, late)] == [None, None]
    assert find_open(accounts, [secret, late]) == set()
    with pytest.raises(InputError, match="no longer signed in"):
        make_token(accounts, person.name, "QGIS")


def test_failures_under_a_clock_that_was_ahead_keep_nobody_out_afterwards(accounts, now, member, enter):
    now[0] += 86_400
    for _ in range(6):
        sign_in(accounts, member.name, PASSPHRASE, "000000")
    now[0] -= 86_400
    assert enter(code="000000") == Refusal(), "the wait is over"
    assert sign_in(accounts, member.name, PASSPHRASE, "000000").wait > 0, "but the failures still count"
    now[0] += 900
    assert isinstance(enter(), str)


def test_attempts_at_the_same_time_wait_in_whichever_order_they_are_counted(accounts, now, member):
    for _ in range(6):
        sign_in(accounts, member.name, PASSPHRASE, "000000")
    now[0] -= 10  # the time at which another process began, and waited for the file
    assert sign_in(accounts, member.name, PASSPHRASE, "000000").wait > 0


def test_names_that_nobody_has_fill_neither_the_table_nor_the_log(accounts, now, enter, monkeypatch):
    monkeypatch.setattr(attempts, "_MOST", 20)
    before = len(read_log(accounts))
    for i in range(60):
        sign_in(accounts, f"passphrase {i}", "x", "000000")
    with accounts.read() as connection:
        keys = [row["key"] for row in connection.execute("SELECT key FROM attempts ORDER BY key")]
    assert ([key.partition(" ")[0] for key in keys]) == ["name"] * 20 + ["unknown"]
    rows = read_log(accounts)[before:]
    assert [entry.content for entry in rows] == [{"event": "failed to sign in", "person": ""}]


def test_a_session_ends_after_twelve_hours_of_use_or_one_without(accounts, now, enter):
    used, idle = enter(), enter()
    for _ in range(14):
        now[0] += 3000
        assert find_person(accounts, used) is not None
    assert find_person(accounts, idle) is None
    now[0] += 1200
    assert find_person(accounts, used) is None


def test_a_use_that_another_request_notes_meanwhile_ends_no_session(accounts, now, enter, monkeypatch):
    session, find = enter(), sessions._find_sessions

    def find_while_another_notes(connection, secrets):
        now[0] += 1
        with accounts.write() as other:
            other.execute("UPDATE sessions SET seen = ?", (now[0],))
        return find(connection, secrets)

    monkeypatch.setattr(sessions, "_find_sessions", find_while_another_notes)
    assert find_person(accounts, session) is not None
    assert find_open(accounts, [session]) == {session}


def test_a_look_keeps_no_session_open_and_a_clock_set_back_opens_none(accounts, now, enter):
    session = enter()
    for _ in range(3):
        now[0] += 1190
        assert find_open(accounts, [session])
    now[0] += 60
    assert not find_open(accounts, [session])
    now[0] -= 100_000
    assert find_person(accounts, session) is None


def test_signing_out_ends_one_session_alone(accounts, enter):
    first, second = enter(), enter()
    sign_out(accounts, first)
    sign_out(accounts, "nonsense")
    assert find_open(accounts, [first, second, "x"]) == {second}
    assert [entry.content["event"] for entry in read_log(accounts)].count(Event.SIGNED_OUT) == 1


def test_an_unknown_name_is_compared_as_long(accounts, now, enter, monkeypatch):
    asked = []
    monkeypatch.setattr(sessions, "is_passphrase", lambda text, stored: bool(asked.append(stored)))
    enter("nobody")
    enter()
    assert asked[0] is None
    assert asked[1].startswith("$argon2id")


def test_a_name_that_nobody_has_waits_as_often_for_the_disk(accounts, now, enter, monkeypatch):
    write, versions = Accounts.write, []
    with closing(sqlite3.connect(accounts.path)) as other:

        def look():
            versions.append(other.execute("PRAGMA data_version").fetchone()[0])

        @contextmanager
        def write_and_look(accounts):
            with write(accounts) as connection:
                yield connection
            look()

        def count_commits(name):
            now[0] -= 60
            versions.clear()
            look()
            assert enter(name, passphrase="x") == Refusal()
            return sum(before != after for before, after in pairwise(versions))

        monkeypatch.setattr(Accounts, "write", write_and_look)
        enter("nobody")
        before = len(read_log(accounts))
        assert [count_commits(name) for name in ("Elira Hoxha", "somebody", "another")] == [2] * 3
    assert len(read_log(accounts)) == before + 1


def test_names_are_known_by_their_letters():
    assert make_key(" ΕΛΕΝΗ  Παππά") == make_key("ελενη παππά")
