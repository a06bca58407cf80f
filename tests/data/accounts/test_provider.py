"""access.toml: what it says, and for each fault its place and remedy."""

import pytest

from data.accounts.provider import find_provider_file, read_provider
from data.errors import InputError
from tests.helpers.provider import ACCESS, SECRET, write_access

ISSUER = "https://login.example.org/realms/ngo"


def test_it_names_the_provider_and_the_roles_of_groups_in_their_order(tmp_path):
    access = read_provider(write_access(tmp_path, ISSUER))
    assert (access.issuer, access.client_id, access.client_secret) == (ISSUER, "tact-map", SECRET)
    assert (access.groups_claim, access.name_claim, access.scope) == ("groups", "name", "openid profile")
    assert access.find_role(["tact partners", "tact managers"]) == "manager"
    assert access.find_role(["others"]) is None
    assert SECRET not in repr(access)


def test_the_secret_may_be_a_variable(tmp_path, monkeypatch):
    path = write_access(tmp_path, ISSUER, ACCESS.replace("client_secret_file = ", "client_secret_env = "))
    path.write_text(path.read_text().replace('"client-secret"', '"NGO_SECRET"'))
    monkeypatch.setenv("NGO_SECRET", " abc\n")
    assert read_provider(path).client_secret == "abc"
    monkeypatch.delenv("NGO_SECRET")
    with pytest.raises(InputError, match="NGO_SECRET, which has no secret"):
        read_provider(path)
    path.write_text(path.read_text().replace("NGO_SECRET", "TACT_SECRET"))
    with pytest.raises(InputError, match="no variable whose name begins with TACT_"):
        read_provider(path)


FAULTS = [
    ("[openid]", "[openid", "line 2"),
    ("[roles]", "[role]", "role is not known"),
    ('title = "Example NGO"', "", r"\[openid\] title is missing"),
    ('title = "Example NGO"', f'title = "{"x" * 61}"', "more than 60"),
    ('client_id = "tact-map"', "client_id = 5", r"\[openid\] client_id is missing"),
    ('client_id = "tact-map"', 'client = "tact-map"', r"\[openid\] client is not known"),
    (ISSUER, "http://login.example.org", "issuer is 'http://login.example.org'"),
    (ISSUER, "login.example.org", "issuer is"),
    (ISSUER, f"{ISSUER}?tenant=1", "issuer is"),
    (ISSUER, "https://[login.example.org", "issuer is"),
    ('"client-secret"', '"elsewhere"', "elsewhere, which cannot be read"),
    ('client_secret_file = "client-secret"', "", "say one of them"),
    ('"tact officers" = "officer"', '"tact officers" = "king"', r"officers\" is 'king'. There are: public"),
    ('title = "Example NGO"', 'title = "A"\nscope = "profile"', "has to name openid"),
]


@pytest.mark.parametrize(("right", "wrong", "words"), FAULTS)
def test_each_fault_names_its_place_and_what_is_allowed(tmp_path, right, wrong, words):
    path = write_access(tmp_path, ISSUER)
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong))
    with pytest.raises(InputError, match=words) as raised:
        read_provider(path)
    assert str(path) in str(raised.value)
    assert SECRET not in str(raised.value)


def test_no_roles_and_an_empty_secret_are_faults(tmp_path):
    path = write_access(tmp_path, ISSUER, ACCESS.partition('"tact officers"')[0])
    with pytest.raises(InputError, match=r"\[roles\] is missing"):
        read_provider(path)
    path = write_access(tmp_path, ISSUER)
    (tmp_path / "client-secret").write_text("\n")
    with pytest.raises(InputError, match="has no secret"):
        read_provider(path)


def test_it_is_looked_for_beside_the_accounts_first(tmp_path):
    assert find_provider_file(tmp_path / "server", tmp_path) is None
    outer = write_access(tmp_path, ISSUER)
    assert find_provider_file(tmp_path / "server", tmp_path) == outer
    inner = write_access(tmp_path / "server", ISSUER)
    assert find_provider_file(tmp_path / "server", tmp_path) == inner
