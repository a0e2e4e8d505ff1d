"""A small OpenID Connect provider on loopback: discovery, code flow with PKCE, keys, signed ID tokens.

It checks the client, the redirect address and the PKCE verifier as RFC 6749 and 7636 say; the RSA
keys are real. `spoil` names what it does wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT, SECRET = "unitutor", "a secret that only the two know"


@dataclass
class Provider:
    """A provider that signs everybody in as `claims` say."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "7", "name": "Ada Lovelace"})
    spoil: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)  # what came to the sign-in page

    def __post_init__(self) -> None:
        """Listen."""
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.other = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._get(self)

            def do_POST(self) -> None:
                provider._post(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()

    def _get(self, at: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(at.path)
        if parts.path == "/.well-known/openid-configuration":
            _json(at, self._metadata())
        elif parts.path == "/keys":
            _json(at, KeySet([self.key]).as_dict(private=False))
        elif parts.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.asked.append(asked)
            code = secrets.token_urlsafe(16)
            self._codes[code] = asked
            state = "forged" if self.spoil == "state" else asked["state"]
            back = {"code": code, "state": state}
            if self.spoil == "denied":
                back = {"error": "access_denied", "state": state}
            at.send_response(302)
            at.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
            at.end_headers()
        else:
            _json(at, {}, 404)

    def _post(self, at: BaseHTTPRequestHandler) -> None:
        raw = at.rfile.read(int(at.headers["Content-Length"])).decode()
        sent = {name: values[0] for name, values in parse_qs(raw).items()}
        given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self._codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if at.headers.get("Authorization") != f"Basic {given}":
            _json(at, {"error": "invalid_client"}, 401)
        elif (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != sent.get("redirect_uri")
        ):
            _json(at, {"error": "invalid_grant"}, 400)
        else:
            token = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300}
            if self.spoil != "no ID token":
                token["id_token"] = self._id_token(asked)
            _json(at, token)

    def _metadata(self) -> dict[str, Any]:
        here = self.issuer
        return {
            "issuer": "https://another.example" if self.spoil == "metadata" else here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256", "none"]
            if self.spoil == "weak only"
            else ["RS256", "HS256", "none"],
        }

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        late = 3600 if self.spoil == "late" else 0
        claims = {
            "iss": "https://another.example" if self.spoil == "issuer" else self.issuer,
            "aud": "another client" if self.spoil == "audience" else CLIENT,
            "iat": now - late,
            "exp": now + 300 - late,
            "nonce": "forged" if self.spoil == "nonce" else asked["nonce"],
            **self.claims,
        }
        if self.spoil == "no signature":
            parts = ({"alg": "none"}, claims)
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts)
                + "."
            )
        if self.spoil == "signed with the secret":
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])
        key = self.other if self.spoil == "another's key" else self.key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


def _json(at: BaseHTTPRequestHandler, values: dict[str, Any], status: int = 200) -> None:
    body = json.dumps(values).encode()
    at.send_response(status)
    at.send_header("Content-Type", "application/json")
    at.send_header("Content-Length", str(len(body)))
    at.end_headers()
    at.wfile.write(body)
