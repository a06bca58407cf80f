"""Passkeys: one signature for one browser, origin and purpose, once; and they go with the person."""

import pytest
from webauthn.helpers import verify_signature

from data.accounts import attempts, passkeys, people
from data.accounts.passkeys import SECONDS, SIGN_IN, Passkeys, name_addition, name_invitation, read_new
from data.accounts.proof import make_code
from data.accounts.sessions import Reason, Refusal, confirm_passphrase, find_person, sign_in
from tests.helpers.accounts import PASSPHRASE, take_in
from tests.helpers.passkey import SoftPasskey

ORIGIN = "https://map.example.org"
WRONG = Refusal(reason=Reason.PASSKEY)


@pytest.fixture
def desk(accounts):
    return Passkeys(accounts, ORIGIN)


def invite(accounts, desk, name="Elira Hoxha", soft=None):
    """Invite a person who accepts by a passkey; return the person and the passkey."""
    secret, soft = people.invite(accounts, name, "partner"), soft or SoftPasskey(ORIGIN)
    person, _ = people.renew_factor(accounts, secret)
    passkey = make(desk.ask("browser", name_invitation(secret)), soft, desk.make_handle(person.id))
    return people.accept(accounts, secret, PASSPHRASE, "", passkey), soft


def make(challenge, soft, handle="AAAA"):
    """Return the use of a passkey that is made for a challenge."""
    return read_new(challenge, soft.make(challenge.write_options((handle, "A name"))))


def enter(accounts, desk, soft, name="Elira Hoxha", passphrase=PASSPHRASE, browser="browser", **change):
    challenge = desk.ask("browser", SIGN_IN)
    answer = soft.sign(challenge.write_options(), **change)
    open_challenge = desk.find(browser, SIGN_IN, challenge.moment)
    return sign_in(accounts, name, passphrase, "", passkey=(open_challenge, answer))


@pytest.mark.parametrize("counter", [0, None])
def test_a_passkey_signs_in_in_place_of_the_code(accounts, desk, now, counter):
    person, soft = invite(accounts, desk, soft=SoftPasskey(ORIGIN, counter))
    for _ in range(2):
        now[0] += 5
        assert find_person(accounts, enter(accounts, desk, soft)).id == person.id
    assert enter(accounts, desk, soft, passphrase="another passphrase") == WRONG
    assert sign_in(accounts, person.name, PASSPHRASE, make_code(bytes(20), now[0])) == Refusal(), "no code opens it"


@pytest.mark.parametrize(
    ("name", "passphrase", "is_known"),
    [
        ("Nobody Here", PASSPHRASE, True),
        ("Elira Hoxha", "another passphrase", True),
        ("Elira Hoxha", PASSPHRASE, False),
        ("Elira Hoxha", PASSPHRASE, True),
    ],
)
def test_a_signature_is_checked_once_whoever_asks(accounts, desk, monkeypatch, name, passphrase, is_known):
    _, soft = invite(accounts, desk, soft=SoftPasskey(ORIGIN, None))
    checked = []

    def check(**parts):
        checked.append(parts)
        verify_signature(**parts)

    place = "webauthn.authentication.verify_authentication_response.verify_signature"
    monkeypatch.setattr(place, check)
    is_right = is_known and (name, passphrase) == ("Elira Hoxha", PASSPHRASE)
    session = enter(accounts, desk, soft if is_known else SoftPasskey(ORIGIN, None), name, passphrase)
    assert isinstance(session, str) == is_right
    assert len(checked) == 1


def test_a_signature_counts_once(accounts, desk, now):
    _, soft = invite(accounts, desk, soft=SoftPasskey(ORIGIN, None))
    challenge = desk.ask("browser", SIGN_IN)
    answer = (challenge, soft.sign(challenge.write_options()))
    assert isinstance(sign_in(accounts, "Elira Hoxha", PASSPHRASE, "", passkey=answer), str)
    now[0] += SECONDS - 1
    assert desk.find("browser", SIGN_IN, challenge.moment) == challenge
    assert sign_in(accounts, "Elira Hoxha", PASSPHRASE, "", passkey=answer) == WRONG
    now[0] += 1
    assert desk.find("browser", SIGN_IN, challenge.moment) is None
    assert desk.find("browser", SIGN_IN, "nan") is desk.find("browser", SIGN_IN, "x") is None
    assert desk.find("browser", SIGN_IN, f"{now[0] + 60}") is None, "none is made ahead"


@pytest.mark.parametrize(
    "change",
    [{"origin": "https://map.example.org.evil.example"}, {"challenge": "AAAA"}, {"type": "webauthn.create"}],
    ids=["another origin", "another challenge", "another ceremony"],
)
def test_what_was_signed_for_something_else_is_refused(accounts, desk, change):
    _, soft = invite(accounts, desk)
    assert enter(accounts, desk, soft, **change) == WRONG
    assert isinstance(enter(accounts, desk, soft), str)


def test_a_challenge_is_of_one_browser_purpose_and_host(accounts, desk):
    person, soft = invite(accounts, desk)
    assert enter(accounts, desk, soft, browser="another browser") == WRONG
    challenge = desk.ask("browser", name_addition(person.id))
    signed = soft.sign(desk.ask("browser", SIGN_IN).write_options())
    assert sign_in(accounts, person.name, PASSPHRASE, "", passkey=(challenge, signed)) == WRONG
    other = Passkeys(accounts, "https://other.example.org").ask("browser", SIGN_IN)
    assert sign_in(accounts, person.name, PASSPHRASE, "", passkey=(other, soft.sign(other.write_options()))) == WRONG
    again = Passkeys(accounts, ORIGIN).ask("browser", SIGN_IN)
    assert again == desk.ask("browser", SIGN_IN), "another process of the same file knows it"


def test_a_challenge_that_was_used_is_not_pushed_out_by_made_up_names(accounts, desk, now, monkeypatch):
    monkeypatch.setattr(attempts, "_MOST", 5)
    person, soft = invite(accounts, desk, soft=SoftPasskey(ORIGIN, None))
    challenge = desk.ask("browser", SIGN_IN)
    answer = (challenge, soft.sign(challenge.write_options()))
    assert isinstance(sign_in(accounts, person.name, PASSPHRASE, "", passkey=answer), str)
    with accounts.write() as connection:
        for number in range(20):
            attempts.count_failure(connection, f"name {number}", now[0] + number)
        assert connection.execute("SELECT count(*) FROM attempts WHERE key GLOB 'name *'").fetchone()[0] == 5
    assert sign_in(accounts, person.name, PASSPHRASE, "", passkey=answer) == WRONG


def test_the_passkey_of_another_person_opens_nothing(accounts, desk):
    invite(accounts, desk)
    _, other = invite(accounts, desk, "Nikos")
    assert enter(accounts, desk, other) == WRONG
    soft = SoftPasskey(ORIGIN)
    soft.id = other.id
    assert enter(accounts, desk, soft, "Nikos") == WRONG, "the id alone is public"
    with accounts.write() as connection:
        taken = passkeys.Passkey(connection.execute("SELECT id FROM passkeys").fetchone()[0], b"", 0)
        use = passkeys.Use(desk.ask("browser", name_addition(1)), taken, 0)
        assert not passkeys.add_passkey(connection, 1, use, 0.0), "one passkey is of one person"


def test_a_counter_that_stands_still_is_that_of_a_copy(accounts, desk, now):
    _, soft = invite(accounts, desk)
    assert isinstance(enter(accounts, desk, soft), str)
    soft.counter, now[0] = soft.counter - 1, now[0] + 1
    assert enter(accounts, desk, soft) == WRONG
    assert isinstance(enter(accounts, desk, soft), str)


def test_passkeys_end_with_a_revocation_and_with_a_new_invitation(accounts, desk, now):
    for end in (people.revoke, lambda accounts, name: people.invite(accounts, name, "partner")):
        person, soft = invite(accounts, desk)
        end(accounts, person.name)
        with accounts.read() as connection:
            assert connection.execute("SELECT count(*) FROM passkeys").fetchone()[0] == 0
        assert enter(accounts, desk, soft) == WRONG
        now[0] += 3600


def test_a_person_adds_passkeys_and_keeps_the_code(accounts, desk, now):
    member = take_in(accounts)
    (person,) = people.list_people(accounts)
    softs = [SoftPasskey(ORIGIN) for _ in range(passkeys.MOST + 1)]
    uses = [make(desk.ask(f"browser {n}", name_addition(person.id)), soft) for n, soft in enumerate(softs)]
    assert [people.add_own_passkey(accounts, person, use) for use in uses] == [True] * passkeys.MOST + [False]
    assert isinstance(enter(accounts, desk, softs[1]), str)
    now[0] += 60
    assert isinstance(sign_in(accounts, member.name, PASSPHRASE, member.make_code(now[0])), str)


def test_a_challenge_by_which_a_passkey_was_made_makes_no_other_and_signs_nobody_in(accounts, desk, now):
    secret, soft = people.invite(accounts, "Zana", "partner"), SoftPasskey(ORIGIN)
    people.renew_factor(accounts, secret)
    challenge = desk.ask("browser", name_invitation(secret))
    person = people.accept(accounts, secret, PASSPHRASE, "", make(challenge, soft))
    assert person
    signed = (challenge, soft.sign(challenge.write_options()))
    assert sign_in(accounts, "Zana", PASSPHRASE, "", passkey=signed) == WRONG
    now[0] += SECONDS - 1
    adding = desk.ask("browser", name_addition(person.id))
    for used, expected in ((challenge, False), (adding, True), (adding, False)):
        assert people.add_own_passkey(accounts, person, make(used, SoftPasskey(ORIGIN))) == expected


def test_what_is_no_answer_of_a_passkey_is_refused(accounts, desk):
    _, soft = invite(accounts, desk)
    challenge = desk.ask("browser", SIGN_IN)
    good = soft.sign(challenge.write_options())
    for text in ("", "{}", "[]", "null", "[" * 4000, good.replace('"signature": "', '"signature": "AAAA'), good[:-9]):
        assert sign_in(accounts, "Elira Hoxha", PASSPHRASE, "", passkey=(challenge, text)).reason == Reason.PASSKEY
        assert read_new(challenge, text) is None
        with accounts.write() as connection:
            connection.execute("DELETE FROM attempts")


def test_a_passphrase_that_is_asked_again_has_its_attempts_counted(accounts, now):
    take_in(accounts)
    (person,) = people.list_people(accounts)
    assert confirm_passphrase(accounts, person, PASSPHRASE) is None
    refusals = [confirm_passphrase(accounts, person, "x") for _ in range(6)]
    assert refusals[:5] == [Refusal(reason=Reason.UNCONFIRMED)] * 5
    assert refusals[5].wait > 0
    assert confirm_passphrase(accounts, person, PASSPHRASE).wait > 0
