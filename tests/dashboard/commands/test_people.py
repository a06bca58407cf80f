"""`tact people` and `tact log`: invite, list, revoke, and a log that is shown and checked."""

import os
import sqlite3
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest

from data.accounts import people
from data.accounts.database import Accounts
from data.accounts.log import read_log
from data.accounts.meetings import Decision, Item, add_decision, create_meeting, find_local_file, list_meetings
from data.accounts.rights import Role
from data.accounts.sessions import Reason, Refusal, find_open, find_person, sign_in_from_provider
from data.errors import InputError
from data.workspace import Workspace
from tests.helpers.provider import write_access


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "programme", "invented")


def test_a_person_is_invited_listed_and_revoked(tact, workspace):
    invited = tact(
        *("--workspace", workspace.path, "people", "invite", "Elira Hoxha", "--role", "manager"),
        *("--organisation", "ARSIS", "--at", "https://map.example.org/", "--json"),
    ).json
    link = urlsplit(invited["link"])
    assert (link.scheme, link.netloc, link.path) == ("https", "map.example.org", "/invitation")
    secret = parse_qs(link.query)["invitation"][0]
    person, _ = people.renew_factor(Accounts.open(workspace.accounts), secret)
    assert (person.name, person.role) == ("Elira Hoxha", "manager")
    listed = tact("--workspace", workspace.path, "people", "list", "--json").json
    assert listed == [
        {
            "name": "Elira Hoxha",
            "role": "manager",
            "organisation": "ARSIS",
            "countries": [],
            "until": "",
            "state": "invited",
        }
    ]
    assert tact("--workspace", workspace.path, "people", "revoke", "elira hoxha").code == 0
    assert "revoked" in tact("--workspace", workspace.path, "people", "list").out


def test_a_limit_to_countries_is_listed_and_stays_until_it_is_lifted(tact, workspace):
    def invite(*options):
        command = ("--workspace", workspace.path, "people", "invite", "Elira", "--role", "partner", *options)
        code = tact(*command).code
        return code, tact("--workspace", workspace.path, "people", "list", "--json").json[0]["countries"]

    assert invite() == (0, [])
    assert invite("--countries", "al") == (0, ["AL"])
    assert invite() == (0, ["AL"]), "a lost phone gives nobody more"
    assert invite("--countries", "GR, AL") == (0, ["AL", "GR"])
    for wrong in ("IT", "AL,", " "):
        assert invite("--countries", wrong) == (2, ["AL", "GR"])
    assert invite("--countries", "all") == (0, [])
    rows = tact("--workspace", workspace.path, "log", "show", "--json").json
    assert [row.get("countries") for row in rows] == [None, "AL", None, "AL GR", "all"]


def test_a_last_day_is_said_listed_and_lifted_and_what_is_none_is_refused(tact, workspace):
    def invite(role, *options):
        return tact("--workspace", workspace.path, "people", "invite", " Elira  Hoxha ", "--role", role, *options)

    assert "can sign in until 2999-05-31 (UTC)" in invite("partner", "--until", "2999-05-31").out
    (person,) = tact("--workspace", workspace.path, "people", "list", "--json").json
    assert (person["until"], person["state"]) == ("2999-05-31", "invited")
    assert "2999-05-31" in tact("--workspace", workspace.path, "people", "list").out
    for wrong, words in (("31.5.2999", "2027-01-31"), ("2999-02-30", "2027-01-31"), ("2009-05-31", "is over")):
        answer = invite("partner", "--until", wrong)
        assert (answer.code, words in answer.err) == (2, True)
    assert invite("partner", "--json").json["until"] == "2999-05-31"
    assert "sign in until" not in invite("partner", "--until", "never").out
    assert "sign in until" in invite("guest").out


def test_it_is_said_for_which_address_a_link_is_if_none_was_named(tact, workspace):
    invite = ("--workspace", workspace.path, "people", "invite", "Elira", "--role", "partner")
    assert "The link is for a map at http://127.0.0.1:8642. If `tact serve --people` says" in tact(*invite).out
    assert "The link is for" not in tact(*invite, "--at", "http://127.0.0.1:8643").out
    head, row = tact("--workspace", workspace.path, "people", "list").out.splitlines()
    assert (head.split()[-1], row.split()[-1]) == ("state", "invited")


def test_a_server_without_a_workspace_has_a_file_of_its_own(tact, tmp_path):
    file = ("--accounts", tmp_path / "accounts.sqlite")
    assert tact("people", "invite", "Elira", "--role", "partner", *file).code == 0
    assert [row["event"] for row in tact("log", "show", "--json", *file).json] == ["invited"]


@pytest.mark.parametrize(
    "address",
    [
        *("http://map.example.org", "map.example.org", "https://", "https://a.b/map", "ftp://a", "https://[::1"),
        *("https://a.b:99999", "https://a.b:x", "https://name:word@a.b", "https://a.b#map"),
    ],
)
def test_a_link_that_could_be_read_on_its_way_is_not_made(tact, workspace, address):
    answer = tact("--workspace", workspace.path, "people", "invite", "Elira", "--role", "partner", "--at", address)
    assert answer.code == 2
    assert not workspace.accounts.exists()


def test_errors_say_the_remedy(tact, workspace):
    assert "tact people invite" in (answer := tact("--workspace", workspace.path, "people", "list")).err
    assert answer.code == 3
    answer = tact("--workspace", workspace.path, "people", "invite", "Elira", "--role", "boss")
    assert (answer.code, "manager" in answer.err) == (2, True)


def test_the_log_is_shown_and_a_change_is_found(tact, workspace):
    for name in ("Elira", "Nikos"):
        tact("--workspace", workspace.path, "people", "invite", name, "--role", "partner")
    shown = tact("--workspace", workspace.path, "log", "show", "--person", "Nikos").out
    assert "Nikos" in shown
    assert "Elira" not in shown
    assert "There is no such row" in tact("--workspace", workspace.path, "log", "show", "--person", "X").out
    verified = tact("--workspace", workspace.path, "log", "verify", "--json")
    assert (verified.code, verified.json["rows"], verified.json["problem"]) == (0, 2, "")
    with closing(sqlite3.connect(workspace.accounts)) as connection:
        connection.executescript("DROP TRIGGER log_keeps_rows; DELETE FROM log WHERE number = 2;")
    broken = tact("--workspace", workspace.path, "log", "verify")
    assert (broken.code, "missing at the end" in broken.out) == (5, True)


def test_meetings_stay_as_long_as_governance_says(tact, workspace, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "officer7")
    stores = [Accounts.open_or_create(path) for path in (workspace.accounts, find_local_file(workspace.derived))]
    for store in stores:
        for day in ("2009-05-01", "2999-05-01"):
            key = create_meeting(store, "A meeting", day, first=Item("map", "2009-05-001", "A sentence"))
            (item,) = next(meeting for meeting in list_meetings(store) if meeting.key == key).items
            add_decision(store, key, item.id, Decision("Two more days", "the municipality", day))
    shorten = ("--workspace", workspace.path, "meetings", "shorten")
    assert "meeting_months" in tact(*shorten).err
    (workspace.path / "governance.toml").write_text("[retention]\nmeeting_months = 36\n")
    assert tact(*shorten, "--months", "35").code == 2
    assert tact(*shorten, "--json").json["meetings"] == 2
    assert tact(*shorten, "--delete", "1").code == 2
    assert [len(list_meetings(store)) for store in stores] == [2, 2]
    assert tact("meetings", "shorten", "--months", "12", "--accounts", workspace.path / "none").code != 0
    assert tact(*shorten, "--delete", "2", "--json").json["removed"]
    for store in stores:
        (meeting,) = list_meetings(store)
        assert (meeting.day, len(meeting.items[0].decisions)) == ("2999-05-01", 1)
        with store.read() as connection:
            assert connection.execute("SELECT count(*) FROM agenda_items").fetchone()[0] == 1
    (row,) = read_log(stores[0])
    assert (row.content["number"], row.content["user"]) == ("1", "officer7")


def test_the_log_is_shortened_as_governance_says(tact, workspace, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "officer7")
    accounts = Accounts.open_or_create(workspace.accounts, clock=lambda: 1_600_000_000.0)
    for name in ("Elira", "Nikos"):
        people.invite(accounts, name, "partner")
    people.invite(Accounts.open(workspace.accounts), "Zana", "partner")
    shorten = ("--workspace", workspace.path, "log", "shorten")
    answer = tact(*shorten)
    assert (answer.code, "log_months" in answer.err) == (2, True)
    assert tact(*shorten, "--months", "12").out.endswith("2. To remove them: tact log shorten --delete 2\n")
    governed = workspace.path / "governance.toml"
    alone = ("log", "shorten", "--accounts", workspace.accounts)
    governed.write_text("[retention]\nlog_months = 24\n")
    assert tact(*alone, "--months", "23").code == 2
    governed.write_text("[retention]\nlog_months = 12\n")
    assert tact(*shorten, "--json").json["rows"] == 2
    assert (tact(*shorten, "--months", "11").code, tact(*shorten, "--months", "13").code) == (2, 0)
    assert (tact(*alone, "--months", "11").code, tact(*alone, "--months", "12").code) == (2, 0)
    assert tact(*shorten, "--delete", "3").code == 2
    assert tact(*shorten, "--delete", "2", "--json").json["removed"]
    assert tact("--workspace", workspace.path, "log", "verify", "--json").json["rows"] == 2
    assert tact("--workspace", workspace.path, "log", "show", "--json").json[-1]["user"] == "officer7"


def test_a_server_says_what_people_need(tact, workspace, tmp_path):
    serve = ("--workspace", workspace.path, "serve")
    for arguments, code, words in (
        (("--people",), 3, "tact people invite"),
        (("--accounts", tmp_path / "x"), 2, "--people"),
        (("--people", "--tier", "public"), 2, "partner tier"),
        (("--name", "map.example.org"), 2, "--people"),
        (("--people", "--published", tmp_path, "--signed-by", "0" * 64), 2, "signed by this key"),
    ):
        answer = tact(*serve, *arguments)
        assert (answer.code, words in answer.err) == (code, True), arguments


def test_a_server_names_what_is_wrong_in_the_file_of_the_provider(tact, workspace):
    path = write_access(workspace.path, "https://login.example.org")
    path.write_text(path.read_text(encoding="utf-8").replace('= "officer"', '= "king"'), encoding="utf-8")
    answer = tact("--workspace", workspace.path, "serve", "--people")
    assert answer.code == 2
    assert f"{path}, [roles] \"tact officers\" is 'king'" in " ".join(answer.err.split())


def test_who_was_revoked_at_their_organisation_is_admitted_again(tact, workspace):
    accounts = Accounts.open_or_create(workspace.accounts)
    identity = people.Identity("https://login.example.org", "5", "Drita Marku")
    sign_in_from_provider(accounts, identity, Role.PARTNER)
    command = ("--workspace", workspace.path, "people")
    tact(*command, "revoke", "Drita Marku")
    assert sign_in_from_provider(accounts, identity, Role.PARTNER) == Refusal(reason=Reason.REVOKED)
    assert tact(*command, "admit", "Drita Marku").code == 0
    assert tact(*command, "list", "--json").json[0]["state"] == "active"
    assert isinstance(sign_in_from_provider(accounts, identity, Role.PARTNER), str)
    assert tact(*command, "admit", "Drita Marku").code == 2


def test_who_is_revoked_or_limited_gets_no_second_account_at_their_organisation(tact, workspace):
    command, role = ("--workspace", workspace.path, "people"), ("--role", "partner")
    assert "door of its own" not in tact(*command, "invite", "Elira Hoxha", *role, "--countries", "AL").out
    write_access(workspace.path, "https://login.example.org")
    assert "door of its own" in tact(*command, "invite", "Elira Hoxha", *role, "--countries", "AL").out
    accounts = Accounts.open(workspace.accounts)
    first, second = (people.Identity("https://login.example.org", subject, "Elira  HOXHA") for subject in "56")
    assert sign_in_from_provider(accounts, first, Role.PARTNER) == Refusal(reason=Reason.NAMESAKE)
    assert "door of its own" in tact(*command, "revoke", "Elira Hoxha").out
    assert sign_in_from_provider(accounts, first, Role.MANAGER) == Refusal(reason=Reason.NAMESAKE)
    assert tact(*command, "admit", "Elira Hoxha").code == 0
    person = find_person(accounts, sign_in_from_provider(accounts, first, Role.MANAGER))
    assert (person.name, person.role, person.countries) == ("Elira Hoxha", "manager", {"AL"})
    assert sign_in_from_provider(accounts, second, Role.PARTNER) == Refusal(reason=Reason.NAMESAKE)
    assert tact(*command, "admit", "Elira Hoxha").code == 2
    assert len(people.list_people(accounts)) == 1


def test_who_was_invited_until_a_day_gets_no_longer_at_their_organisation(workspace):
    now = [1_700_000_000.0]  # 2023-11-14
    accounts = Accounts.open_or_create(workspace.accounts, clock=lambda: now[0])
    identity = people.Identity("https://login.example.org", "5", "Drita Marku")
    people.invite(accounts, "Drita Marku", "partner", last_day="2023-11-15")
    assert sign_in_from_provider(accounts, identity, Role.PARTNER) == Refusal(reason=Reason.NAMESAKE)
    people.admit(accounts, "Drita Marku")
    session = sign_in_from_provider(accounts, identity, Role.PARTNER)
    assert find_open(accounts, [session])
    now[0] += 2 * 86_400
    assert not find_open(accounts, [session])
    assert sign_in_from_provider(accounts, identity, Role.PARTNER) == Refusal(reason=Reason.REVOKED)
    with pytest.raises(InputError, match=r"is over: 2023-11-15.*--until"):
        people.admit(accounts, "Drita Marku")
    people.admit(accounts, "Drita Marku", "2023-11-20")
    assert find_open(accounts, [(session := sign_in_from_provider(accounts, identity, Role.PARTNER))]) == {session}
    with pytest.raises(InputError, match="was not revoked"):
        people.admit(accounts, "Drita Marku")
    people.admit(accounts, "Drita Marku", "")
    assert not find_open(accounts, [session]), "another day ends what is open"
    now[0] += 90 * 86_400
    assert isinstance(sign_in_from_provider(accounts, identity, Role.PARTNER), str)


def test_another_last_day_makes_no_account_one_of_the_organisation(tact, workspace):
    command = ("--workspace", workspace.path, "people")
    tact(*command, "invite", "Elira Hoxha", "--role", "partner")
    assert tact(*command, "admit", "Elira Hoxha", "--until", "2999-05-31").code == 2
    tact(*command, "revoke", "Elira Hoxha")
    assert tact(*command, "admit", "Elira Hoxha", "--until", "31.5.2999").code == 2
    assert "until 2999-05-31 (UTC)" in tact(*command, "admit", "Elira Hoxha", "--until", "2999-05-31").out
    assert tact(*command, "list", "--json").json[0]["until"] == "2999-05-31"


def test_who_came_through_the_organisation_before_a_revocation_is_named(tact, workspace):
    command = ("--workspace", workspace.path, "people")
    assert tact(*command, "invite", "Elira Hoxha", "--role", "partner").code == 0
    write_access(workspace.path, "https://login.example.org")
    accounts = Accounts.open(workspace.accounts)
    identity = people.Identity("https://login.example.org", "5", "Elira Hoxha")
    assert find_person(accounts, sign_in_from_provider(accounts, identity, Role.PARTNER)).name == "Elira Hoxha 2"
    assert "tact people revoke 'Elira Hoxha 2'" in tact(*command, "revoke", "Elira Hoxha").out
    assert "can no longer sign in" in tact(*command, "revoke", "Elira Hoxha 2").out
    assert "Hoxha 2'" not in tact(*command, "revoke", "Elira Hoxha").out


def test_another_role_at_the_organisation_ends_what_is_open(workspace):
    accounts = Accounts.open_or_create(workspace.accounts)
    identity = people.Identity("https://login.example.org", "5", "Drita Marku")
    roles = (Role.MANAGER, Role.MANAGER, Role.GUEST)
    first, second, third = (sign_in_from_provider(accounts, identity, role) for role in roles)
    assert find_open(accounts, [first, second, third]) == {third}


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_doctor_names_a_file_that_others_can_read_and_a_log_that_was_changed(tact, workspace):
    def ask():
        return [p for p in tact("--workspace", workspace.path, "doctor", "--json").json["problems"] if is_about(p)]

    def is_about(problem):
        return "accounts.sqlite" in problem or "audit log" in problem

    for name in ("Elira", "Nikos"):
        tact("--workspace", workspace.path, "people", "invite", name, "--role", "partner")
    assert ask() == []
    workspace.accounts.chmod(0o640)
    assert [problem[:6] for problem in ask()] == ["Others"]
    workspace.accounts.chmod(0o600)
    with closing(sqlite3.connect(workspace.accounts)) as connection:
        connection.executescript("DROP TRIGGER log_keeps_rows; DELETE FROM log WHERE number = 1;")
    assert "Entry 1 is missing" in ask()[0]
    workspace.accounts.write_bytes(b"no database " * 500)
    assert "no file of accounts" in ask()[0]
