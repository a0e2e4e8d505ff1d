"""Whether whoever opens the pages must sign in, and who may reach them at all.

There are accounts once somebody was added (`unitutor users add`), or a university's sign-in is set. What
is not here: the accounts (rag/people.py), and what stands before the pages (ui/web/gate.py).
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ui.serving import CannotServe
from ui.tutor import database_of

if TYPE_CHECKING:
    from rag.database import Database
    from rag.people import People
    from ui.web.oidc import Settings

BEYOND = (
    "{host} can be reached from other machines, and there are no accounts: whoever finds it would read and "
    "delete everyone's conversations. Add who may use it (unitutor users add NAME --role instructor), "
    "listen on this machine alone (--host 127.0.0.1), or, where all who can reach it may do that, add "
    "--open-to-all."
)


@dataclass(frozen=True)
class Accounts:
    """Who may sign in, and by which ways."""

    people: People | None  # None where nobody needs to
    university: Settings | None = None

    @property
    def on(self) -> bool:
        """Whether one must sign in."""
        return self.people is not None


def accounts(database: Database) -> Accounts:
    """The accounts of a database. Raises BadRequest where a university's sign-in is set by halves."""
    from rag.people import People
    from ui.web.oidc import settings

    people, university = People(database), settings()
    return Accounts(people if university or people.any() else None, university)


def check_reach(sessions: Path, host: str, open_to_all: bool) -> None:
    """Raise CannotServe where other machines would reach pages that ask nobody to sign in.

    Looked at before anything large is loaded. Raises SessionsUnusable where the folder `sessions` cannot
    be read.
    """
    if open_to_all or loopback(host):
        return
    from rag.database import Database

    database = Database(database_of(sessions))
    try:
        if not accounts(database).on:
            raise CannotServe(BEYOND.format(host=host))
    finally:
        database.close()


def loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`. A name counts by all its addresses."""
    try:
        found = {str(one[4][0]).partition("%")[0] for one in socket.getaddrinfo(host, None)}
        return bool(found) and all(ipaddress.ip_address(address).is_loopback for address in found)
    except (OSError, ValueError):
        return False
