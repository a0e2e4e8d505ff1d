"""People who may use a Unitutor with accounts: their names, roles and passwords, in rag/database.py.

Passwords are kept as Argon2id (RFC 9106) hashes by argon2-cffi, and hashed anew where its parameters
have changed since. What is not here: who is signed in at which browser (rag/signins.py), how often a
password may be tried (ui/web/tries.py), and a university's own sign-in (ui/web/oidc.py).
"""

from __future__ import annotations

import threading
import time
import unicodedata
import uuid
from dataclasses import dataclass
from typing import Any, Literal, cast

import argon2
import sqlalchemy as sa
from argon2.exceptions import InvalidHashError, VerificationError

from ingest.errors import BadRequest
from rag.database import Database, encodable
from rag.database import api_keys as _key
from rag.database import people as _person
from rag.database import signins as _signin
from rag.wordsearch import folded

ROLES = ("student", "instructor")
LONGEST_NAME = 100  # characters
SHORTEST, LONGEST = 8, 200  # characters of a password; the longest bounds the work of hashing it
AT_ONCE = 2  # passwords hashed at a time: each takes 64 MiB

Role = Literal["student", "instructor"]

_UNKNOWN = "There is nobody called {name!r}: see `unitutor users list`."
_TAKEN = "There is somebody called {name!r} already: choose another name."


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `id` is what conversations, quizzes and API keys belong to."""

    id: str  # 32 hex digits
    name: str
    role: Role
    subject: str  # '', or OpenID Connect's 'issuer subject'
    created: float  # seconds since 1970
    has_password: bool

    @property
    def teaches(self) -> bool:
        """Whether the instructor's pages are theirs to use."""
        return self.role == "instructor"


class People:
    """The accounts in one database. Safe to share between threads and between processes."""

    def __init__(self, database: Database, hasher: argon2.PasswordHasher | None = None) -> None:
        """`hasher` sets what a hash costs; the default is the RFC's second recommendation."""
        self.database = database
        self._hasher = hasher or argon2.PasswordHasher()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = ""  # the hash that a password for an unknown name is compared with

    def add(self, name: str, password: str | None = None, role: str = "student", subject: str = "") -> Person:
        """A new account. Raises BadRequest where the name is taken, or anything cannot be used.

        Without a password only a university's sign-in, `subject`, leads to it.
        """
        name = checked_name(name)
        secret = "" if password is None else self._hash(checked_password(password, name))
        made = uuid.uuid4().hex
        values = {
            "id": made,
            "name": name,
            "folded": folded(name),
            "role": checked_role(role),
            "secret": secret,
            "subject": encodable(subject),
            "created": time.time(),
        }
        with self.database.write(conflict=_TAKEN.format(name=name)) as db:
            db.execute(_person.insert().values(values))
        found = self.get(made)
        assert found is not None
        return found

    def list(self) -> tuple[Person, ...]:
        """All of them, by name."""
        with self.database.read() as db:
            return tuple(read(row) for row in db.execute(sa.select(_person).order_by(_person.c.folded)))

    def any(self) -> bool:
        """Whether there is anybody."""
        with self.database.read() as db:
            return db.scalar(sa.select(_person.c.id).limit(1)) is not None

    def get(self, id: str) -> Person | None:
        """The person of this id, or None."""
        return self._one(_person.c.id == id)

    def find(self, name: str) -> Person | None:
        """The person called so in any case and spelling of its letters (NFKC), or None."""
        return self._one(_person.c.folded == encodable(folded(name)))

    def called(self, name: str) -> Person:
        """The person called so. Raises BadRequest where there is none."""
        found = self.find(name)
        if found is None:
            raise BadRequest(_UNKNOWN.format(name=name))
        return found

    def remove(self, name: str) -> Person:
        """Close an account, sign it out everywhere, and revoke its API keys. Returns who it was.

        What was asked and answered stays: see rag/forget.py.
        """
        found = self.called(name)
        open_keys = (_key.c.owner == found.id) & _key.c.revoked.is_(None)
        with self.database.write() as db:
            db.execute(_person.delete().where(_person.c.id == found.id))
            db.execute(_signin.delete().where(_signin.c.person == found.id))
            db.execute(_key.update().where(open_keys).values(revoked=time.time()))
        return found

    def set_role(self, name: str, role: str) -> None:
        """Make somebody a student or an instructor."""
        found = self.called(name)
        with self.database.write() as db:
            db.execute(_person.update().where(_person.c.id == found.id).values(role=checked_role(role)))

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password, and sign it out everywhere."""
        found = self.called(name)
        secret = self._hash(checked_password(password, found.name))
        with self.database.write() as db:
            db.execute(_person.update().where(_person.c.id == found.id).values(secret=secret))
            db.execute(_signin.delete().where(_signin.c.person == found.id))

    def verified(self, name: str, password: str) -> Person | None:
        """The person whose name and password these are, or None.

        A name that nobody has, and an account without a password, cost as much time as a wrong one.
        """
        if len(name) > LONGEST_NAME or len(password) > LONGEST:
            return None  # longer than any that was accepted
        with self.database.read() as db:
            row = db.execute(sa.select(_person).where(_person.c.folded == encodable(folded(name)))).first()
        secret = row.secret if row is not None else ""
        if not secret and not self._nobody:
            self._nobody = self._hash(uuid.uuid4().hex)
        right = self._matches(secret or self._nobody, normal(password))
        if row is None or not secret or not right:
            return None
        if self._hasher.check_needs_rehash(secret):
            again = self._hash(normal(password))
            with self.database.write() as db:  # unless another has been chosen meanwhile
                mine = (_person.c.id == row.id) & (_person.c.secret == secret)
                db.execute(_person.update().where(mine).values(secret=again))
        return read(row)

    def known(self, issuer: str, subject: str, name: str, role: Role | None = None) -> Person:
        """Whom a university's sign-in calls `subject`: made at the first time, with a name that is free.

        The name is only what is shown: it never leads to an account that is there already. With `role`
        theirs is brought up to it each time; without it a new account is a student's.
        """
        key = encodable(f"{issuer} {subject}")
        found = self._one(_person.c.subject == key)
        if found is None:
            found = self._made(key, name, role or "student")
        elif role is not None and found.role != role:
            with self.database.write() as db:
                db.execute(_person.update().where(_person.c.id == found.id).values(role=role))
            found = self.get(found.id) or found
        return found

    def _made(self, key: str, name: str, role: Role) -> Person:
        shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())[: LONGEST_NAME - 8]
        shown = shown or "Somebody"
        for number in range(1, 100):
            free = shown if number == 1 else f"{shown} ({number})"
            if self.find(free) is None:
                try:
                    return self.add(free, role=role, subject=key)
                except BadRequest:  # taken in this moment, maybe by the same person's other tab
                    if found := self._one(_person.c.subject == key):
                        return found
        raise BadRequest("An account could not be made: ask whoever runs this Unitutor.")

    def _one(self, where: sa.ColumnElement[bool]) -> Person | None:
        with self.database.read() as db:
            row = db.execute(sa.select(_person).where(where)).first()
        return read(row) if row is not None else None

    def _hash(self, password: str) -> str:
        with self._places:
            return self._hasher.hash(password)

    def _matches(self, secret: str, password: str) -> bool:
        try:
            with self._places:
                return self._hasher.verify(secret, password)
        except (VerificationError, InvalidHashError):
            return False


def checked_name(name: str) -> str:
    """A name without needless blanks. Raises BadRequest where it cannot be one."""
    name = " ".join(unicodedata.normalize("NFKC", name).split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadRequest(f"A name has 1 to {LONGEST_NAME} characters, none of them a control character.")
    return encodable(name)


def checked_password(password: str, name: str) -> str:
    """A password as it is hashed. Raises BadRequest where it is too short, too long, or the name."""
    password = normal(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequest(f"A password has {SHORTEST} to {LONGEST} characters, this one {len(password)}.")
    if folded(password) == encodable(folded(name)):
        raise BadRequest("A password must not be the name: choose another.")
    return password


def checked_role(role: str) -> Role:
    """Raises BadRequest where it is none of ROLES."""
    if role not in ROLES:
        raise BadRequest(f"There is no role {role[:40]!r}: choose one of {', '.join(ROLES)}.")
    return cast(Role, role)


def normal(password: str) -> str:
    """A password in NFKC (NIST SP 800-63B, 3.1.1.2): keyboards compose its letters differently."""
    return encodable(unicodedata.normalize("NFKC", password))


def read(row: Any) -> Person:
    """The person of a row."""
    role: Role = "instructor" if row.role == "instructor" else "student"
    return Person(row.id, row.name, role, row.subject, row.created, bool(row.secret))
