"""A PostgreSQL server of Debian's package for tests: in a folder of its own, that goes with the test.

It listens on a socket in that folder and on no port. It does not wait for the disk, which only matters
where the machine itself loses its power. PostgreSQL refuses to run as root: there it runs as the
package's own user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MISSING = "PostgreSQL is not installed (on Debian: apt install postgresql), so it is not tried with it"


def programs() -> Path | None:
    """The folder of initdb and postgres, the newest where there are several; None where there is none."""
    found = [Path(name).resolve().parent for name in [shutil.which("initdb")] if name]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda at: -float(at.parent.name))
    return next((folder for folder in found if (folder / "initdb").exists()), None)


class Server:
    """A server that runs; `url` names one of its databases, `kill` ends it as a power cut does."""

    def __init__(self, folder: Path) -> None:
        self._bin = programs()
        assert self._bin is not None, MISSING
        self._folder = folder
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "-U", "unitutor", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-k {self._folder} -c listen_addresses='' -c max_connections=60"
        options += " -c shared_buffers=16MB -c fsync=off"
        self._run("pg_ctl", "-w", "-o", options, "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """End it, and whoever is connected."""
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def kill(self) -> None:
        """End it at once, as SIGKILL does: what is in its memory alone is lost."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def url(self, name: str = "postgres") -> str:
        """The URL of a database, for SQLAlchemy; this one is there from the beginning, and empty."""
        return f"postgresql+pg8000://unitutor@/{name}?unix_sock={self._folder}/.s.PGSQL.5432"

    def _run(self, program: str, *arguments: str) -> None:
        assert self._bin is not None
        command = [str(self._bin / program), "-D", str(self._folder / "data"), *arguments]
        # The server goes on after pg_ctl and keeps what it writes to: a pipe would never end.
        with (self._folder.parent / f"{self._folder.name}.said").open("w+") as said:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", timeout=60, **self._as
            )
            said.seek(0)
            assert done.returncode == 0, f"{program}: {said.read()}"


@contextmanager
def server() -> Iterator[Server]:
    """A new server, in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="unitutor-postgres-") as name:
        home = Path(name)
        home.chmod(0o755)  # its user must come through
        (home / "server").mkdir()
        made = Server(home / "server")
        try:
            yield made
        finally:
            made.kill()
