"""Invitations: a link works once within 72 hours, and again means a new passphrase and factor."""

import pytest

from data.accounts import people, sessions
from data.accounts.log import Event, read_log
from data.accounts.proof import make_code
from data.accounts.rights import ROLES, Right, Role
from data.errors import InputError
from tests.helpers.accounts import PASSPHRASE, take_in


def state(accounts):
    return {person.name: person.state for person in people.list_people(accounts)}


def test_a_link_works_once(accounts, now):
    secret = people.invite(accounts, "Elira Hoxha", "manager", "ARSIS")
    assert state(accounts) == {"Elira Hoxha": "invited"}
    assert people.find_invited(accounts, secret) is None, "no second factor was shown yet"
    assert people.accept(accounts, secret, PASSPHRASE, "000000") is None
    person, factor = people.renew_factor(accounts, secret)
    assert people.find_invited(accounts, secret) == (person, factor)
    assert (person.name, person.organisation, person.role) == ("Elira Hoxha", "ARSIS", "manager")
    code = make_code(factor, now[0])
    assert people.accept(accounts, secret, PASSPHRASE, code).state == "active"
    assert state(accounts) == {"Elira Hoxha": "active"}
    now[0] += 60
    assert people.accept(accounts, secret, PASSPHRASE, make_code(factor, now[0])) is None
    assert people.renew_factor(accounts, secret) is None


def test_who_is_invited_again_stays_with_the_organisation_unless_another_is_given(accounts):
    for organisation, shown in (("ARSIS", "ARSIS"), ("", "ARSIS"), ("Different & Equal", "Different & Equal")):
        people.invite(accounts, "Elira Hoxha", "manager", organisation)
        assert people.list_people(accounts)[0].organisation == shown


def test_a_link_ends_after_72_hours_and_its_secret_is_not_stored(accounts, now):
    secret = people.invite(accounts, "Elira", "partner")
    assert all(secret.encode() not in path.read_bytes() for path in accounts.path.parent.iterdir())
    now[0] += 72 * 3600 - 1
    assert people.renew_factor(accounts, secret) is not None
    now[0] += 1
    assert people.renew_factor(accounts, secret) is None
    assert state(accounts) == {"Elira": "expired"}
    now[0] -= 200 * 3600  # the clock is set back
    assert people.renew_factor(accounts, secret) is None


@pytest.mark.parametrize(
    ("passphrase", "words"), [("hunter2 hunte", "14 characters"), ("password passphrase 2026", "everybody tries")]
)
def test_a_weak_passphrase_leaves_the_link_as_it_was(accounts, now, passphrase, words):
    secret = people.invite(accounts, "Elira", "partner")
    _, factor = people.renew_factor(accounts, secret)
    with pytest.raises(InputError, match=words):
        people.accept(accounts, secret, passphrase, make_code(factor, now[0]))
    assert people.accept(accounts, secret, PASSPHRASE, make_code(factor, now[0])) is not None


def test_the_code_of_an_earlier_look_at_the_link_does_not_count(accounts, now):
    secret = people.invite(accounts, "Elira", "partner")
    _, seen = people.renew_factor(accounts, secret)
    _, factor = people.renew_factor(accounts, secret)
    assert people.accept(accounts, secret, PASSPHRASE, make_code(seen, now[0])) is None
    assert people.accept(accounts, secret, PASSPHRASE, make_code(factor, now[0])) is not None


def test_an_invitation_again_ends_all_that_was_before(accounts, now):
    member = take_in(accounts, "Elira")
    now[0] += 60
    session = sessions.sign_in(accounts, "Elira", PASSPHRASE, member.make_code(now[0]))
    assert sessions.find_open(accounts, [session])
    first = people.invite(accounts, "ELIRA", "manager")
    second = people.invite(accounts, "Elira", "officer")
    assert not sessions.find_open(accounts, [session])
    now[0] += 60
    assert sessions.sign_in(accounts, "Elira", PASSPHRASE, member.make_code(now[0])) == sessions.Refusal()
    assert people.renew_factor(accounts, first) is None
    assert people.renew_factor(accounts, second)[0].role == "officer"
    assert len(people.list_people(accounts)) == 1


def test_who_is_invited_again_in_another_spelling_keeps_the_rows_of_the_log(accounts):
    take_in(accounts, "Elira Hoxha")
    take_in(accounts, "elira  HOXHA")
    (person,) = people.list_people(accounts)
    assert person.name == "Elira Hoxha"
    events = [entry.content["event"] for entry in read_log(accounts, person.name)]
    assert events == [Event.INVITED, Event.ACCEPTED] * 2


def test_a_revoked_person_is_out_at_once_and_may_be_invited_again(accounts, now):
    member = take_in(accounts, "Elira")
    now[0] += 60
    session = sessions.sign_in(accounts, "Elira", PASSPHRASE, member.make_code(now[0]))
    assert people.revoke(accounts, "elira") == 1
    assert not sessions.find_open(accounts, [session])
    now[0] += 60
    assert sessions.sign_in(accounts, "Elira", PASSPHRASE, member.make_code(now[0])) == sessions.Refusal()
    assert state(accounts) == {"Elira": "revoked"}
    take_in(accounts, "Elira")
    assert state(accounts) == {"Elira": "active"}
    events = [entry.content["event"] for entry in read_log(accounts, "Elira")]
    assert [events.count(event) for event in (Event.INVITED, Event.ACCEPTED, Event.REVOKED)] == [2, 2, 1]


def test_after_the_last_day_nobody_is_in_and_a_later_day_is_another_invitation(accounts, now):
    member = take_in(accounts, "Elira", last_day="2023-11-16")  # it is the fourteenth
    day_after = 1_700_179_200.0  # 2023-11-17, 00:00 UTC
    now[0] = day_after - 600
    session = sessions.sign_in(accounts, "Elira", PASSPHRASE, member.make_code(now[0]))
    now[0] = day_after - 1
    assert sessions.find_open(accounts, [session])
    assert state(accounts) == {"Elira": "active"}
    now[0] = day_after
    assert not sessions.find_open(accounts, [session])
    assert sessions.find_person(accounts, session) is None
    assert state(accounts) == {"Elira": "ended"}
    assert sessions.sign_in(accounts, "Elira", PASSPHRASE, member.make_code(now[0])) == sessions.Refusal()
    with pytest.raises(InputError, match=r"is over: 2023-11-16.*--until"):
        people.invite(accounts, "Elira", "partner")
    people.invite(accounts, "Elira", "partner", last_day="2023-11-17")
    assert state(accounts) == {"Elira": "invited"}
    people.invite(accounts, "Elira", "partner", last_day="")
    assert people.list_people(accounts)[0].last_day == ""


def test_an_invitation_does_not_outlast_the_last_day(accounts, now):
    secret = people.invite(accounts, "Elira", "partner", last_day="2023-11-15")
    _, factor = people.renew_factor(accounts, secret)
    now[0] += 36 * 3600
    assert people.accept(accounts, secret, PASSPHRASE, make_code(factor, now[0])) is None
    assert people.renew_factor(accounts, secret) is None


def test_the_account_of_a_guest_ends_by_itself(accounts):
    def invite(role, last_day=None):
        people.invite(accounts, "Zana", role, last_day=last_day)
        return people.list_people(accounts)[0].last_day

    assert invite("guest") == "2023-12-14", "30 days after 2023-11-14"
    assert invite("guest", "2023-11-20") == "2023-11-20"
    assert invite("partner") == "2023-11-20", "a limit stays until it is lifted"
    assert invite("partner", "") == ""
    assert invite("partner") == ""
    rows = [entry.content.get("until") for entry in read_log(accounts)]
    assert rows == ["2023-12-14", "2023-11-20", "2023-11-20", None, None]


@pytest.mark.parametrize("name", ["", "  ", "a\nb\x07", "x" * 101, "\u202eevil"])
def test_what_is_no_name_is_refused(accounts, name):
    with pytest.raises(InputError):
        people.invite(accounts, name, "partner")


def test_an_unknown_role_or_person_is_named_with_the_remedy(accounts):
    with pytest.raises(InputError, match="public, guest, partner, manager, researcher, officer"):
        people.invite(accounts, "Elira", "director")
    with pytest.raises(InputError, match="tact people list"):
        people.revoke(accounts, "Elira")


def test_each_role_has_its_rights_and_no_other():
    assert set(ROLES) == set(Role)
    assert {role for role, rights in ROLES.items() if Right.SEE_PARTNER not in rights} == {Role.PUBLIC, Role.GUEST}
    holders = {right: [role for role in Role if right in ROLES[role]] for right in Right}
    assert holders[Right.PLAN] == [Role.MANAGER]
    assert holders[Right.READ_LOG] == [Role.OFFICER]
    assert holders[Right.EXPORT] == [Role.PUBLIC, Role.RESEARCHER]
    assert holders[Right.SEE_PUBLIC] == list(Role)
