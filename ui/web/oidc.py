"""A university's sign-in by OpenID Connect (OpenID Connect Core 1.0, code flow with PKCE), by Authlib.

Authlib makes state, nonce and verifier, and checks the ID token's signature, issuer, audience, nonce and
time against what the provider publishes (OpenID Connect Discovery 1.0). What is not here: the account
that a subject leads to (rag/people.py), and the cookie (ui/web/signin.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from authlib.integrations.starlette_client import OAuth

from ingest.errors import BadRequest, UnitutorError
from rag.people import Role

if TYPE_CHECKING:
    from starlette.requests import Request

PREFIX = "UNITUTOR_OIDC_"
SIGNED = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
WORDS = "Sign in with your university"
PATIENCE = 10.0  # seconds for an answer of the provider
LOOPBACK = ("localhost", "127.0.0.1", "::1")

_FAILED = "The university's sign-in did not work ({why}): try again, or ask whoever runs this Unitutor."


@dataclass(frozen=True, slots=True)
class Settings:
    """A provider, and what this Unitutor is there."""

    issuer: str  # as the provider writes it; its discovery document lies below
    client_id: str
    client_secret: str
    words: str = WORDS  # on the button
    claim: str = ""  # a claim whose values say who teaches, '' for none
    instructors: tuple[str, ...] = ()  # those of its values that do


@dataclass(frozen=True, slots=True)
class Said:
    """What the provider says of somebody."""

    subject: str
    name: str
    role: Role | None  # None where no claim decides it


def settings(environment: Mapping[str, str] = os.environ) -> Settings | None:
    """The settings of UNITUTOR_OIDC_…, None without an issuer. Raises BadRequest where they are not whole."""
    issuer = environment.get(f"{PREFIX}ISSUER", "").strip()
    if not issuer:
        return None
    name, secret = (environment.get(PREFIX + key, "").strip() for key in ("CLIENT_ID", "CLIENT_SECRET"))
    if not name or not secret:
        raise BadRequest(f"{PREFIX}ISSUER is set: set {PREFIX}CLIENT_ID and {PREFIX}CLIENT_SECRET, too.")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise BadRequest(f"{PREFIX}ISSUER must begin with https://, not {issuer[:80]!r}.")
    claim = environment.get(f"{PREFIX}ROLE_CLAIM", "").strip()
    values = tuple(filter(None, environment.get(f"{PREFIX}INSTRUCTORS", "").split(",")))
    if bool(claim) != bool(values):
        raise BadRequest(f"{PREFIX}ROLE_CLAIM and {PREFIX}INSTRUCTORS go together: set both, or neither.")
    words = environment.get(f"{PREFIX}WORDS", "").strip() or WORDS
    return Settings(issuer, name, secret, words, claim, tuple(one.strip() for one in values))


class University:
    """The way to a provider and back."""

    def __init__(self, how: Settings) -> None:
        """Nothing is fetched before the first sign-in."""
        self.issuer = how.issuer
        self.words = how.words
        self._how = how
        oauth = OAuth()
        oauth.register(
            "university",
            client_id=how.client_id,
            client_secret=how.client_secret,
            server_metadata_url=f"{how.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile",
                "code_challenge_method": "S256",
                "timeout": PATIENCE,
            },
        )
        self._client: Any = oauth.university

    async def begin(self, back: str) -> tuple[str, dict[str, Any]]:
        """Where the browser is to go, and what is to be kept for when it is `back`.

        Raises BadRequest where the provider does not answer as it should.
        """
        try:
            await self._metadata()
            made = await self._client.create_authorization_url(back)
        except Exception as error:  # see `end`
            raise _failed(error) from error
        return made["url"], {**{key: made[key] for key in made if key != "url"}, "redirect_uri": back}

    async def end(self, kept: Mapping[str, Any], request: Request) -> Said:
        """Who came back with `request`; `kept` is what `begin` gave. Raises BadRequest where it is nobody."""
        asked = request.query_params
        if refused := asked.get("error"):
            raise BadRequest(_FAILED.format(why=" ".join(refused.split())[:80]))
        if not asked.get("code") or asked.get("state") != kept.get("state"):
            raise BadRequest(_FAILED.format(why="it does not belong to this browser"))
        try:
            await self._metadata()
            sent = {key: kept[key] for key in ("redirect_uri", "code_verifier") if key in kept}
            token = await self._client.fetch_access_token(code=asked["code"], **sent)
            if "id_token" not in token or not kept.get("nonce"):
                raise BadRequest(_FAILED.format(why="it sent no ID token"))
            claims = await self._client.parse_id_token(
                token,
                nonce=kept["nonce"],
                claims_options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._how.client_id},
                    "sub": {"essential": True},
                },
            )
        except UnitutorError:
            raise
        except Exception as error:  # Authlib's, joserfc's or its HTTP client's, whatever a provider sent
            raise _failed(error) from error
        return self._said(claims)

    async def _metadata(self) -> None:
        """The provider's own description. Raises ValueError where it is another's, or signs too weakly."""
        found = await self._client.load_server_metadata()
        if found.get("issuer") != self.issuer:
            found.pop("_loaded_at", None)  # what was read may not have been the provider's: read it again
            raise ValueError(f"it calls itself {str(found.get('issuer'))[:80]!r}")
        offered = found.get("id_token_signing_alg_values_supported") or ["RS256"]
        usable = [name for name in offered if name in SIGNED]
        if not usable:
            raise ValueError("it signs with none of the ways that are accepted")
        found["id_token_signing_alg_values_supported"] = usable

    def _said(self, claims: Mapping[str, Any]) -> Said:
        subject = str(claims["sub"])
        names = (claims.get(key) for key in ("name", "preferred_username", "email"))
        name = next((one for one in names if isinstance(one, str) and one.strip()), "Somebody")
        role: Role | None = None
        if self._how.claim:
            value = claims.get(self._how.claim)
            values = value if isinstance(value, list) else str(value or "").split()
            teaches = any(isinstance(one, str) and one in self._how.instructors for one in values)
            role = "instructor" if teaches or value in self._how.instructors else "student"
        return Said(subject, name, role)


def _failed(error: Exception) -> BadRequest:
    why = " ".join(str(error).split())[:120] or type(error).__name__
    return BadRequest(_FAILED.format(why=why))
