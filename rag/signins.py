"""Which browser is signed in as whom: rows in rag/database.py, found by what the browser's cookie holds.

Kept in the database and not in the cookie, so signing out, another password or a closed account ends
them at once, in every process of a campus. The database holds a hash of a cookie only. What is not
here: the cookie itself and the pages to sign in at (ui/web/signin.py).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from typing import Any

import sqlalchemy as sa

from rag.database import Database, encodable
from rag.database import people as _person
from rag.database import signins as _signin
from rag.people import Person, read

HOUR = 60 * 60.0
LONGEST = 30 * 24 * HOUR  # after which one signs in again, in seconds
IDLE = 7 * 24 * HOUR  # without a request
BEGUN = 15 * 60.0  # how long a university's sign-in may take
SEEN_EVERY = HOUR  # how exact `seen` is: not every request is a write
CACHED = 5.0  # how long another process may take to hear of a sign-out


class SignIns:
    """The browsers that are signed in. Safe to share between threads and between processes."""

    def __init__(self, database: Database) -> None:
        """Of the people of this database."""
        self._database = database
        self._cache: dict[str, tuple[float, Person]] = {}

    def begin(self, person: Person) -> str:
        """Sign a browser in; what its cookie shall hold."""
        return self._insert(person.id, {})

    def person(self, token: str) -> Person | None:
        """Who is signed in with this cookie, or None."""
        if not token or len(token) > 100:
            return None
        key, now = _hashed(token), time.time()
        at, found = self._cache.get(key, (0.0, None))
        if found is not None and 0 <= now - at < CACHED:
            return found
        query = (
            sa.select(_person, _signin.c.seen)
            .join(_signin, _signin.c.person == _person.c.id)
            .where(_signin.c.id == key, _signin.c.created > now - LONGEST, _signin.c.seen > now - IDLE)
        )
        with self._database.read() as db:
            row = db.execute(query).first()
        if row is None:
            self._cache.pop(key, None)
            return None
        if now - row.seen > SEEN_EVERY:
            with self._database.write() as db:
                db.execute(_signin.update().where(_signin.c.id == key).values(seen=now))
        if len(self._cache) > 10_000:
            self._cache.clear()
        self._cache[key] = (now, read(row))
        return self._cache[key][1]

    def end(self, token: str) -> None:
        """Sign a browser out."""
        self._cache.pop(_hashed(token), None)
        with self._database.write() as db:
            db.execute(_signin.delete().where(_signin.c.id == _hashed(token)))

    def forget(self, person: str) -> None:
        """Do not remember for a moment that somebody of this id is signed in: something has changed."""
        self._cache = {key: kept for key, kept in self._cache.items() if kept[1].id != person}

    # A university's sign-in that has begun

    def hold(self, data: dict[str, Any]) -> str:
        """Keep what a sign-in needs when it comes back; what the browser's cookie shall hold."""
        return self._insert("", data)

    def held(self, token: str) -> dict[str, Any] | None:
        """What was kept, once: it is gone after, so an answer cannot be used twice. None where it ran out."""
        key = _hashed(token)
        waits = (_signin.c.id == key) & (_signin.c.person == "")
        with self._database.write() as db:
            row = db.execute(sa.select(_signin.c.data, _signin.c.created).where(waits)).first()
            gone = db.execute(_signin.delete().where(waits)).rowcount
        if row is None or not gone or row.created < time.time() - BEGUN:
            return None
        found: dict[str, Any] = json.loads(row.data)
        return found

    def _insert(self, person: str, data: dict[str, Any]) -> str:
        """A row more, and those gone that have run out."""
        token, now = secrets.token_urlsafe(32), time.time()
        old = (_signin.c.created < now - LONGEST) | (_signin.c.seen < now - IDLE)
        old |= (_signin.c.person == "") & (_signin.c.created < now - BEGUN)
        row = {"id": _hashed(token), "person": person, "data": encodable(json.dumps(data))}
        with self._database.write() as db:
            db.execute(_signin.delete().where(old))
            db.execute(_signin.insert().values(created=now, seen=now, **row))
        return token


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
