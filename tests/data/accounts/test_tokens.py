"""Tokens for programs: shown once, of one person, until they end."""

import pytest

from data.accounts import people, tokens
from data.accounts.database import Accounts
from data.accounts.log import read_log
from data.accounts.tokens import DAYS, LONGEST, MOST, end_token, find_holder, list_tokens, make_token
from data.errors import InputError
from tests.helpers.accounts import make_token_as, take_in

DAY = 86_400


@pytest.fixture
def ilir(accounts):
    return take_in(accounts, "Ilir", "researcher").name


def list_events(accounts):
    return [entry.content for entry in read_log(accounts) if "token" in entry.content]


def test_a_token_is_known_and_only_its_hash_is_stored(accounts, ilir, now):
    secret = make_token(accounts, ilir, "  QGIS   at home ")
    assert secret.startswith("tact-")
    assert len(secret) > 40
    holder = find_holder(accounts, secret)
    assert (holder.name, holder.role) == (ilir, "researcher")
    (token,) = list_tokens(accounts, "ILIR")
    assert (token.title, token.since, token.end, token.seen) == ("QGIS at home", now[0], now[0] + DAYS * DAY, now[0])
    stored = accounts.path.read_bytes()
    assert secret.encode() not in stored
    assert secret.removeprefix("tact-").encode() not in stored


@pytest.mark.parametrize("secret", ["", "tact-", "x", "tact-" + "A" * 43, "\ud800", "' OR 1=1 --"])
def test_another_secret_is_nobodys(accounts, ilir, secret):
    make_token(accounts, ilir, "QGIS")
    assert find_holder(accounts, secret) is None


def test_a_token_ends_by_itself_and_no_clock_makes_it_young_again(accounts, ilir, now):
    secret = make_token(accounts, ilir, "QGIS")
    now[0] += DAYS * DAY - 1
    assert find_holder(accounts, secret)
    now[0] += 1
    assert find_holder(accounts, secret) is None
    assert list_tokens(accounts, ilir) == []
    now[0] -= DAYS * DAY + 1
    assert find_holder(accounts, secret) is None


def test_a_person_ends_their_own_token_and_no_other_one(accounts, ilir):
    other = take_in(accounts, "Zana", "researcher").name
    first, second = (make_token(accounts, name, "R") for name in (ilir, other))
    numbers = [token.number for name in (ilir, other) for token in list_tokens(accounts, name)]
    end_token(accounts, other, numbers[0])
    assert find_holder(accounts, first)
    end_token(accounts, ilir, numbers[0])
    assert find_holder(accounts, first) is None
    assert find_holder(accounts, second).name == other


@pytest.mark.parametrize("end", [people.revoke, lambda accounts, name: people.invite(accounts, name, "guest")])
def test_tokens_end_with_all_else_that_a_person_has_open(accounts, ilir, end):
    secret = make_token(accounts, ilir, "QGIS")
    end(accounts, ilir)
    assert find_holder(accounts, secret) is None
    with pytest.raises(InputError, match="no longer signed in"):
        make_token(accounts, ilir, "QGIS")
    end_token(accounts, ilir, 1)
    assert "ended a token" not in [event["event"] for event in list_events(accounts)], "nothing happens"
    take_in(accounts, ilir, "researcher")
    assert find_holder(accounts, secret) is None


@pytest.mark.parametrize("role", ["guest", "partner", "manager", "officer"])
def test_a_role_that_takes_no_files_has_no_token(accounts, role):
    take_in(accounts, "Zana", role)
    with pytest.raises(InputError, match="Your role"):
        make_token(accounts, "Zana", "QGIS")


@pytest.mark.parametrize("title", ["", "  ", "x" * (LONGEST + 1), "a\0b", "a\u202eb"])
def test_a_token_needs_a_name(accounts, ilir, title):
    with pytest.raises(InputError, match="Name the token"):
        make_token(accounts, ilir, title)


def test_nobody_has_more_than_a_few_and_what_has_ended_does_not_count(accounts, ilir, now):
    for number in range(MOST):
        make_token(accounts, ilir, f"R {number}")
    with pytest.raises(InputError, match=f"more than {MOST}"):
        make_token(accounts, ilir, "one more")
    now[0] += DAYS * DAY
    assert make_token(accounts, ilir, "a new one")


def test_the_log_tells_of_making_use_and_end_by_number_and_of_use_once_a_day(accounts, ilir, now):
    now[0] = 1_700_000_000.0 // DAY * DAY + 100
    secret = make_token(accounts, ilir, "for the child of the mayor")
    for moment in (0, 60, DAY - 200, DAY, DAY + 60):
        now[0] = 1_700_000_000.0 // DAY * DAY + 100 + moment
        find_holder(accounts, secret)
    end_token(accounts, ilir, list_tokens(accounts, ilir)[0].number)
    rows = list_events(accounts)
    assert [row["event"] for row in rows] == ["made a token", *["read layers by a token"] * 2, "ended a token"]
    assert {(row["person"], row["token"]) for row in rows} == {(ilir, "1")}
    assert "mayor" not in str(read_log(accounts))


def test_the_right_is_asked_at_each_use(accounts):
    holder = find_holder(accounts, make_token_as(accounts, "Zana", "guest"))
    assert holder.role == "guest"


def test_a_backup_has_no_tokens(accounts, ilir, tmp_path):
    secret = make_token(accounts, ilir, "QGIS")
    (tmp_path / "copy.sqlite").write_bytes(accounts.copy())
    copy = Accounts.open(tmp_path / "copy.sqlite", clock=accounts.clock)
    assert find_holder(copy, secret) is None
    assert tokens.list_tokens(copy, ilir) == []
