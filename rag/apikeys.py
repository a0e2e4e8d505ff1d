"""Keys by which programs are known at the HTTP API: made, shown once, limited to scopes, revoked.

A key is 256 random bits, so its SHA-256 keeps it as safely as a slow hash would: there is nothing to
guess (NIST SP 800-63B, 5.1.2.2, asks for slow hashes below 112 bits). What is not here: how many
requests a key has made this minute (ui/api/access.py), and people (rag/people.py).
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from ingest.errors import BadRequest
from rag.database import Database, api_keys, encodable, people

PREFIX = "ut-"
SCOPES = ("chat", "search", "ground", "quiz", "notes", "metrics")
USUAL = ("chat", "search", "ground", "quiz")  # the scopes of a key where none are named
STAFF = ("notes", "metrics")  # scopes that a student's key never has
PER_MINUTE = 30  # requests, unless told otherwise
MOST_PER_MINUTE = 100_000
LONGEST_NAME = 80  # characters
_FRESH = 30.0  # seconds for which `used` is not written again


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key: not the key. Times are seconds since 1970."""

    id: str
    owner: str  # a person's id, '' on a machine without accounts
    name: str
    scopes: tuple[str, ...]
    per_minute: int
    created: float
    used: float | None
    revoked: float | None


class ApiKeys:
    """The keys in one database. Safe to share between threads and between processes."""

    def __init__(self, database: Database) -> None:
        """Keys are read from and written to `database`."""
        self._database = database

    def create(
        self, name: str, owner: str = "", scopes: Sequence[str] = (), per_minute: int = PER_MINUTE
    ) -> tuple[ApiKey, str]:
        """A new key: what is kept of it, and its text, which cannot be had again.

        Raises BadRequest for a name, scope or limit that cannot be, an owner who is not there, or a
        scope beyond the owner's role.
        """
        name = " ".join(encodable(name).split())
        if not name or len(name) > LONGEST_NAME:
            raise BadRequest(f"A key needs a name of 1 to {LONGEST_NAME} characters.")
        chosen = _chosen(scopes)
        if not 1 <= per_minute <= MOST_PER_MINUTE:
            raise BadRequest(f"A key may ask 1 to {MOST_PER_MINUTE:,} times a minute, not {per_minute:,}.")
        text = PREFIX + secrets.token_urlsafe(32)
        made = ApiKey(uuid.uuid4().hex, owner, name, chosen, per_minute, time.time(), None, None)
        with self._database.write() as db:
            role = _role(db, owner)
            if owner and role is None:
                raise BadRequest("There is no such person: see unitutor users list.")
            if not owner and db.scalar(sa.select(sa.func.count()).select_from(people)):
                raise BadRequest("There are accounts here, so a key belongs to somebody: name them.")
            if role == "student" and (beyond := [one for one in chosen if one in STAFF]):
                raise BadRequest(f"A student's key cannot have the scope {beyond[0]}: an instructor's can.")
            db.execute(
                api_keys.insert().values(
                    id=made.id,
                    owner=owner,
                    name=name,
                    hashed=_hash(text),
                    scopes=" ".join(chosen),
                    per_minute=per_minute,
                    created=made.created,
                )
            )
        return made, text

    def known(self, text: str) -> ApiKey | None:
        """The key that `text` is; None for a stranger's, a revoked one, or one whose owner has gone.

        Its scopes are those that its owner's role allows now.
        """
        if not text.startswith(PREFIX) or not text.isascii() or len(text) > 100:
            return None
        with self._database.read() as db:
            row = db.execute(sa.select(api_keys).where(api_keys.c.hashed == _hash(text))).first()
            if row is None or row.revoked is not None:
                return None
            role = _role(db, row.owner)
            accounts = row.owner or db.scalar(sa.select(sa.func.count()).select_from(people))
        if accounts and role is None:  # also a key from before there were accounts: nobody answers for it
            return None
        found = _key(row)
        if role == "student":
            kept = tuple(one for one in found.scopes if one not in STAFF)
            found = replace(found, scopes=kept)
        return found

    def use(self, key: ApiKey) -> None:
        """Note that the key was used now; within half a minute this is noted once."""
        now = time.time()
        if key.used is None or abs(now - key.used) > _FRESH:
            with self._database.write() as db:
                db.execute(api_keys.update().where(api_keys.c.id == key.id).values(used=now))

    def list(self, owner: str | None = None) -> tuple[ApiKey, ...]:
        """All keys, or one owner's, the newest first, revoked ones among them."""
        query = sa.select(api_keys).order_by(api_keys.c.created.desc(), api_keys.c.id)
        if owner is not None:
            query = query.where(api_keys.c.owner == owner)
        with self._database.read() as db:
            return tuple(_key(row) for row in db.execute(query))

    def revoke(self, id: str) -> ApiKey:
        """Refuse a key from now on; it may be named by the first letters of its id.

        Raises BadRequest where none or several begin so.
        """
        found = [one for one in self.list() if one.id.startswith(id.strip().lower())] if id.strip() else []
        if len(found) != 1:
            many = f"{len(found)} keys begin" if found else "No key begins"
            raise BadRequest(f"{many} with '{id[:40]}': see unitutor keys list.")
        with self._database.write() as db:
            still = sa.and_(api_keys.c.id == found[0].id, api_keys.c.revoked.is_(None))
            db.execute(api_keys.update().where(still).values(revoked=time.time()))
        return found[0]


def _chosen(scopes: Sequence[str]) -> tuple[str, ...]:
    for one in scopes:
        if one not in SCOPES:
            raise BadRequest(f"There is no scope '{one[:40]}': choose among {', '.join(SCOPES)}.")
    return tuple(one for one in SCOPES if one in (scopes or USUAL))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _role(db: sa.Connection, owner: str) -> str | None:
    if not owner:
        return None
    found = db.scalar(sa.select(people.c.role).where(people.c.id == owner))
    return None if found is None else str(found)


def _key(row: Any) -> ApiKey:
    scopes = tuple(row.scopes.split())
    return ApiKey(row.id, row.owner, row.name, scopes, row.per_minute, row.created, row.used, row.revoked)
