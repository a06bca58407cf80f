"""Signing in through the provider of an organisation: OpenID Connect Core 1.0, authorization code flow with PKCE.

State, nonce and code verifier are derived from a secret of the browser that begins, each for its own purpose. So an
answer belongs to one browser and one attempt, and this process stores nothing meanwhile. A token of the provider is
accepted only if it is signed by the provider's key, made for this client and this attempt, and not expired. The
libraries are loaded only if access.toml names a provider, see dashboard/server.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from dashboard.web.organisation import Fault, ProviderError, derive
from data.accounts.addresses import split_safe
from data.accounts.people import Identity
from data.accounts.provider import ProviderSettings

# Only signatures by key pairs: so a public key cannot be used as a secret, and the algorithm "none" is refused.
_ALGORITHMS = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)]
_KEY_TYPES = ("RSA", "EC")
_SECONDS = 10.0  # for all requests to the provider at one step
_MOST_BYTES = 256 * 1024  # of one answer
_FRESH = 3600.0  # seconds for which addresses and keys of the provider are kept
_DRIFT = 60  # seconds by which its clock may differ
_AT_ONCE, _WAITING = 4, 40
# The errors that RFC 6749 defines. Any other text of a provider is not repeated.
_ERRORS = ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type")
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """The provider of an organisation, as this map asks it. redirect : the address to which it sends browsers back."""

    def __init__(self, settings: ProviderSettings, redirect: str, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.redirect = settings, redirect
        self._clock = clock
        self._about: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def make_address(self, secret: str) -> str:
        """Return the address at the provider to which a browser with a secret is sent. Raises ProviderError."""
        address: str = await self._ask(lambda client: self._make_address(client, secret))
        return address

    async def identify(self, secret: str, answer: Mapping[str, str]) -> tuple[Identity, frozenset[str]]:
        """Return the person who comes back with an answer, and their groups.

        Raises ProviderError if the answer is wrong, or the provider cannot be used.
        """
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:  # RFC 9207
            raise ProviderError(Fault.UNBELIEVED, "the answer is of another issuer")
        if "error" in answer or not answer.get("code"):
            raise ProviderError(Fault.REFUSED, "the answer has no code")
        claims = await self._ask(lambda client: self._exchange(client, secret, answer["code"]))
        names = (claims.get(name) for name in (self.settings.name_claim, "preferred_username", "email", "sub"))
        name = next(name for name in names if isinstance(name, str) and name.strip())
        groups = claims.get(self.settings.groups_claim)
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        identity = Identity(self.settings.issuer, claims["sub"], name, self.settings.organisation)
        return identity, frozenset(group for group in listed if isinstance(group, str))

    async def _ask(self, work: Callable[[AsyncOAuth2Client], Any]) -> Any:  # noqa: ANN401
        """Run requests to the provider, a few at once, with a time limit; turn each failure into a ProviderError."""
        if self._waiting >= _WAITING:
            raise ProviderError(Fault.BUSY, "too many sign in at once")
        self._waiting += 1
        try:
            async with asyncio.timeout(_SECONDS), self._at_once, self._open() as client:
                return await work(client)
        except (TimeoutError, httpx2.TimeoutException):
            raise ProviderError(Fault.DOWN, f"no answer within {_SECONDS:.0f} seconds") from None
        except httpx2.HTTPStatusError as error:
            raise ProviderError(Fault.DOWN, f"status {error.response.status_code}") from None
        except httpx2.HTTPError as error:
            raise ProviderError(Fault.DOWN, f"no connection ({type(error).__name__})") from None
        except OAuthError as error:
            code = error.error if error.error in _ERRORS else "another error"
            raise ProviderError(Fault.REFUSED, f"the code was not taken ({code})") from None
        except JoseError as error:
            claim = getattr(error, "claim", "")
            raise ProviderError(Fault.UNBELIEVED, f"the ID token does not hold ({error.error} {claim})") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ProviderError(Fault.UNBELIEVED, f"an answer cannot be read ({type(error).__name__})") from None
        finally:
            self._waiting -= 1

    def _open(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self.settings.client_id,
            self.settings.client_secret,
            scope=self.settings.scope,
            redirect_uri=self.redirect,
            code_challenge_method="S256",
            transport=_Transport(),
            timeout=_SECONDS,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
        )

    async def _make_address(self, client: AsyncOAuth2Client, secret: str) -> str:
        about = await self._read_about(client)
        verifier, nonce = derive("verifier", secret), derive("nonce", secret)
        address, _ = client.create_authorization_url(
            about["authorization_endpoint"], derive("state", secret), verifier, nonce=nonce
        )
        return str(address)

    async def _exchange(self, client: AsyncOAuth2Client, secret: str, code: str) -> CodeIDToken:
        """Exchange a code for an ID token, check its claims (Core 1.0, section 3.1.3.7) and return them."""
        about = await self._read_about(client)
        methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" not in methods and "client_secret_post" in methods:
            client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105 (the name of a method)
        token = await client.fetch_token(
            about["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=derive("verifier", secret),
        )
        read = await self._verify(client, token["id_token"])
        options = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
            "sub": {"essential": True},
        }
        parameters = {
            "nonce": derive("nonce", secret),
            "client_id": self.settings.client_id,
            "access_token": token.get("access_token"),
        }
        claims = CodeIDToken(read.claims, read.header, options, parameters)
        claims.validate(now=int(self._clock()), leeway=_DRIFT)
        if not isinstance(claims["sub"], str):  # older versions of joserfc take a number
            raise TypeError("sub is no text")
        return claims

    async def _verify(self, client: AsyncOAuth2Client, token: str) -> jwt.Token:
        """Return a token that a key of the provider has signed. For an unknown key, the keys are requested again."""
        registry = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(token, await self._read_keys(client), registry=registry)
        except InvalidKeyIdError:
            self._keys = None
            return jwt.decode(token, await self._read_keys(client), registry=registry)

    async def _read_about(self, client: AsyncOAuth2Client) -> Mapping[str, Any]:
        """Return the provider's metadata (Discovery 1.0, section 4), which are kept for `_FRESH` seconds.

        Raises ProviderError if they are of another issuer, or name an address without encryption.
        """
        if self._about is None or not 0 <= self._clock() - self._about[0] < _FRESH:
            about = await _get(client, f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if about["issuer"] != self.settings.issuer:
                raise ProviderError(Fault.UNBELIEVED, "its configuration names another issuer")
            for name in _ADDRESSES:
                if split_safe(about[name]) is None:  # only this machine may do without encryption
                    raise ProviderError(Fault.UNBELIEVED, f"its {name} is no https address")
            self._about = (self._clock(), about)
        return self._about[1]

    async def _read_keys(self, client: AsyncOAuth2Client) -> KeySet:
        if self._keys is None or not 0 <= self._clock() - self._keys[0] < _FRESH:
            document = await _get(client, (await self._read_about(client))["jwks_uri"])
            listed = [key for key in document["keys"] if key["kty"] in _KEY_TYPES and key.get("use", "sig") == "sig"]
            self._keys = (self._clock(), KeySet.import_key_set({"keys": listed}))
        return self._keys[1]


class _Transport(httpx2.AsyncHTTPTransport):
    """A transport that refuses long or compressed answers. Unpacked, an answer can be a thousand times longer."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        body = b""
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("packed")
            async for part in response.aiter_raw():
                body += part
                if len(body) > _MOST_BYTES:
                    raise ValueError("too long")
        finally:
            await response.aclose()
        return httpx2.Response(response.status_code, headers=response.headers, content=body, request=request)


async def _get(client: AsyncOAuth2Client, address: str) -> dict[str, Any]:
    response = await client.request("GET", address, withhold_token=True)
    if response.status_code != httpx2.codes.OK:
        raise ProviderError(Fault.DOWN, f"status {response.status_code}")
    document = response.json()
    if not isinstance(document, dict):
        raise TypeError("no object")
    return document
