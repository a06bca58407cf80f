"""The provider of an organisation: what it says is believed only where it is right in every part."""

import asyncio
import time
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboard.web import openid
from dashboard.web.openid import Provider
from dashboard.web.organisation import Fault, ProviderError, derive
from data.accounts.provider import read_provider
from tests.helpers.provider import make_key, write_access

REDIRECT = "https://map.example.org/sign-in/answer"
SECRET = "s" * 43


@pytest.fixture
def client(provider, tmp_path):
    return Provider(read_provider(write_access(tmp_path, provider.issuer)), REDIRECT)


def come_back(client, provider, secret=SECRET, change=None):
    answer = provider.let_in(asyncio.run(client.make_address(secret)))
    answer |= change or {}
    return asyncio.run(client.identify(secret, answer))


def refuse(client, provider, fault, words=" ", **more):
    with pytest.raises(ProviderError, match=words) as raised:
        come_back(client, provider, **more)
    assert raised.value.fault == fault
    assert "Drita" not in str(raised.value)


def test_the_address_asks_for_a_code_with_state_nonce_and_challenge_and_names_the_fixed_redirect(client, provider):
    address = urlsplit(asyncio.run(client.make_address(SECRET)))
    asked = dict(parse_qsl(address.query))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.issuer}/authorize"
    assert asked["redirect_uri"] == REDIRECT
    assert asked["scope"] == "openid profile"
    assert asked["state"] == derive("state", SECRET)
    assert len({asked["state"], asked["nonce"], asked["code_challenge"], SECRET}) == 4
    assert SECRET not in address.query


def test_who_comes_back_is_known_with_their_groups(client, provider):
    identity, groups = come_back(client, provider)
    assert (identity.issuer, identity.subject, identity.name) == (provider.issuer, "248289761001", "Drita Marku")
    assert groups == {"tact managers"}
    assert provider.asked.count("/keys") == 1
    come_back(client, provider)
    assert (provider.asked.count("/keys"), provider.asked.count("/.well-known/openid-configuration")) == (1, 1)


CLAIMS = {
    "another nonce": (lambda claims: claims.update(nonce="n"), "invalid_claim nonce"),
    "no nonce": (lambda claims: claims.pop("nonce"), "missing_claim nonce"),
    "another client": (lambda claims: claims.update(aud="another-client"), "invalid_claim aud"),
    "no client": (lambda claims: claims.pop("aud"), "missing_claim aud"),
    "several clients and not for us": (
        lambda claims: claims.update(aud=["tact-map", "b"], azp="b"),
        "invalid_claim azp",
    ),
    "another issuer": (lambda claims: claims.update(iss="https://evil.example"), "invalid_claim iss"),
    "no issuer": (lambda claims: claims.pop("iss"), "missing_claim iss"),
    "expired": (lambda claims: claims.update(exp=int(time.time()) - 61), "expired_token"),
    "no end": (lambda claims: claims.pop("exp"), "missing_claim exp"),
    "from the future": (lambda claims: claims.update(iat=int(time.time()) + 120), "iat"),
    "not valid yet": (lambda claims: claims.update(nbf=int(time.time()) + 120), "nbf"),
    "nobody": (lambda claims: claims.pop("sub"), "missing_claim sub"),
    "a number for a subject": (lambda claims: claims.update(sub=5), "invalid_claim sub|TypeError"),
    "of another access token": (lambda claims: claims.update(at_hash="AAAA"), "at_hash"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_token_with_a_wrong_claim_is_not_believed(client, provider, name):
    provider.change, words = CLAIMS[name]
    refuse(client, provider, Fault.UNBELIEVED, words)


def test_clocks_may_differ_by_less_than_a_minute(client, provider):
    now = int(time.time())
    provider.change = lambda claims: claims.update(exp=now - 30, iat=now + 30)
    come_back(client, provider)


@pytest.mark.parametrize("way", ["sign_by_nothing", "sign_by_public_key"])
def test_a_token_that_no_private_key_has_signed_is_not_believed(client, provider, way):
    provider.sign = getattr(provider, way)
    refuse(client, provider, Fault.UNBELIEVED, "does not hold")


def test_a_token_of_another_key_by_the_known_name_is_not_believed(client, provider):
    forged = make_key("second")
    provider.sign = lambda claims: provider.__class__.sign_rightly(_With(forged, provider.key.kid), claims)
    refuse(client, provider, Fault.UNBELIEVED, "bad_signature")


class _With:
    """A signer with one key under the name of another."""

    def __init__(self, key, kid):
        data = key.as_dict(private=True) | {"kid": kid}
        self.key = type(key).import_key(data)


def test_the_keys_are_read_again_where_a_new_one_signs(client, provider):
    come_back(client, provider)
    provider.key = make_key("second")
    provider.published = [make_key("first"), provider.key]
    come_back(client, provider)
    assert provider.asked.count("/keys") == 2
    provider.key = make_key("third")
    refuse(client, provider, Fault.UNBELIEVED, "invalid_key_id")


def test_a_secret_among_the_published_keys_signs_nothing(client, provider):
    provider.pages["/keys"] = (200, {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "first"}]})
    refuse(client, provider, Fault.UNBELIEVED)


def test_a_code_counts_once_and_for_the_browser_that_began(client, provider):
    answer = provider.let_in(asyncio.run(client.make_address(SECRET)))
    asyncio.run(client.identify(SECRET, answer))
    for secret, again in ((SECRET, answer), ("t" * 43, provider.let_in(asyncio.run(client.make_address(SECRET))))):
        with pytest.raises(ProviderError, match="invalid_grant") as raised:
            asyncio.run(client.identify(secret, again))
        assert raised.value.fault == Fault.REFUSED


def test_an_answer_of_another_issuer_or_with_an_error_asks_for_no_token(client, provider):
    refuse(client, provider, Fault.UNBELIEVED, "another issuer", change={"iss": "https://evil.example"})
    refuse(client, provider, Fault.REFUSED, change={"error": "access_denied"})
    refuse(client, provider, Fault.REFUSED, change={"code": ""})
    assert "/token" not in provider.asked


@pytest.mark.parametrize(
    ("path", "page", "fault"),
    [
        ("/.well-known/openid-configuration", (500, b"down"), Fault.DOWN),
        ("/.well-known/openid-configuration", (200, b"no json"), Fault.UNBELIEVED),
        ("/.well-known/openid-configuration", (200, []), Fault.UNBELIEVED),
        ("/.well-known/openid-configuration", (200, b"{}" + b" " * 300_000), Fault.UNBELIEVED),
        ("/.well-known/openid-configuration", (302, b""), Fault.DOWN),
        ("/token", (503, b"down"), Fault.DOWN),
        ("/token", (200, b"<html>"), Fault.UNBELIEVED),
        ("/token", (200, {"access_token": "a", "token_type": "Bearer"}), Fault.UNBELIEVED),
        ("/token", (401, {"error": "invalid_client"}), Fault.REFUSED),
        ("/keys", (404, {}), Fault.DOWN),
        ("/keys", (200, {"keys": []}), Fault.UNBELIEVED),
        ("/keys", (200, {}), Fault.UNBELIEVED),
    ],
)
def test_each_fault_of_the_provider_is_one_that_a_page_can_say(client, provider, path, page, fault):
    provider.pages[path] = page
    refuse(client, provider, fault)


def test_a_packed_answer_is_not_unpacked(client, provider):
    provider.pages["headers"] = {"content-encoding": "gzip"}
    refuse(client, provider, Fault.UNBELIEVED)


def test_a_slow_provider_and_none_at_all_are_down(client, provider, tmp_path, monkeypatch):
    gone = Provider(read_provider(write_access(tmp_path / "gone", "http://127.0.0.1:9")), REDIRECT)
    refuse(gone, provider, Fault.DOWN, "no connection")
    # Only now: under load even "no connection" may take longer.
    monkeypatch.setattr(openid, "_SECONDS", 0.2)
    provider.pages["/.well-known/openid-configuration"] = lambda: time.sleep(0.5) or (200, provider.about)
    refuse(client, provider, Fault.DOWN, "0 seconds")


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_configuration_that_names_another_issuer_or_no_encryption_is_not_used(client, provider, change):
    provider.about |= change
    refuse(client, provider, Fault.UNBELIEVED)


def test_others_are_asked_to_come_again_where_many_wait(client, provider, monkeypatch):
    monkeypatch.setattr(openid, "_WAITING", 0)
    refuse(client, provider, Fault.BUSY)
