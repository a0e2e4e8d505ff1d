"""What goes wrong in a class, made to go wrong: what is said of it, and whether anything is lost.

Each fault is real as far as one machine can have it: a database that another program holds, a disk
without room, an index built anew under an answer, a model's server whose line breaks, a clock set back.
Conversations are asked for as the chat page does (ui/web/job.py), the API over a real port.

Run: python -m tests.bench.faults
"""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from langchain_core.language_models import FakeListChatModel

from ingest.build import build
from ingest.store import open_index
from rag.chain import answer_chain
from rag.database import Database
from rag.database import turns as turn_table
from rag.retrieve import Retriever
from rag.sessions import Sessions
from rag.types import Ask
from tests.api_server import serving
from tests.browser import scripted
from tests.ingest_fakes import FakeEncoder
from ui.living import LivingTutor
from ui.tutor import Tutor
from ui.web.job import Job
from ui.web.listing import SHOWN, listing

OUT = Path(__file__).with_name("out") / "faults.md"
QUESTION = "What is a GAN?"
# What the stand-in for an encoder finds in the notes: it knows no word by another.
ABOUT_GANS = "A GAN trains two networks against each other in a game"
MANY = 10_000
Result = tuple[str, bool]  # what is said, and whether nothing was lost


def main() -> None:
    """Make each fault, print the table, and write it to out/faults.md."""
    lines = ["| fault | what is said or done | nothing lost | seconds |", "| --- | --- | --- | --- |"]
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as place:
            began = time.monotonic()
            said, kept = fault(Path(place))
            took = time.monotonic() - began
        what = (fault.__doc__ or "").splitlines()[0].rstrip(".")
        lines.append(f"| {what} | {said.replace('|', '/')} | {'yes' if kept else 'NO'} | {took:.1f} |")
        print(lines[-1], flush=True)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("\n".join(lines) + "\n", "utf-8")


def locked(folder: Path) -> Result:
    """Another program holds the database while a question is asked."""
    sessions, conversation, before = conversations(folder)
    other = sqlite3.connect(folder / "kept.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    job = asked(sessions, conversation)
    other.execute("ROLLBACK")
    after = asked(sessions, conversation)  # and once it is free again
    whole = [one.answer.answer for one in sessions.records(conversation)]
    return str(job.error), whole[:2] == before and whole[2:] == [after.answer.answer]


def full(folder: Path) -> Result:
    """The disk is full while an answer is kept."""
    disk = folder / "disk"
    with small(disk) as there:
        if not there:
            return "not tried: this machine lets no small disk be mounted", True
        sessions, conversation, before = conversations(disk)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        job = asked(sessions, conversation)
        filler.unlink()
        after = asked(sessions, conversation)
        whole = [one.answer.answer for one in sessions.records(conversation) if one.state == "whole"]
        sound = sessions.database
        with sound.read() as db:
            sane = db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        sessions.close()
        return str(job.error), sane and whole[:2] == before and whole[-1] == after.answer.answer


def replaced(folder: Path) -> Result:
    """The index is replaced while a question is answered from it."""
    notes, index, encoder = folder / "notes", folder / "index", FakeEncoder(dimension=64)
    notes.mkdir()
    (notes / "gan.md").write_text(f"# GANs\n\n{ABOUT_GANS}.\n")
    build([notes], index, encoder)
    retriever = Retriever(open_index(index, encoder), encoder)
    model: Any = FakeListChatModel(
        responses=["A GAN trains two networks against each other."] * 9, sleep=0.02
    )
    tutor = LivingTutor(
        Tutor(answer_chain(retriever, model), retriever, retriever.sources, (), model, index), index
    )
    sessions = Sessions(folder / "kept.db")
    job = Job(tutor.chain, sessions, Ask(ABOUT_GANS), "", 0)
    job.start()
    until(lambda: bool(job.answer.answer) or not job.running)
    (notes / "gan.md").write_text("# Trees\n\nAn oak drops its leaves in the autumn of each year.\n")
    build([notes], index, encoder)
    took_over = tutor.look()
    list(job.updates())
    (kept,) = sessions.records(job.conversation)
    old = bool(kept.answer.citations) and "GAN" in kept.answer.citations[0].text
    new = "oak" in tutor.retriever.search("oak leaves", 1)[0].passage.text
    said = "the answer ends from the index it was begun with; the next question is asked of the new one"
    return said, took_over and kept.state == "whole" and old and new and job.error is None


def gone_server(folder: Path) -> Result:
    """The model's server goes in the middle of an answer."""
    from rag.engines.remote import connect

    sessions, conversation, before = conversations(folder)
    notes, encoder = folder / "notes", FakeEncoder(dimension=64)
    notes.mkdir()
    (notes / "gan.md").write_text(f"# GANs\n\n{ABOUT_GANS}.\n")
    build([notes], folder / "index", encoder)
    retriever = Retriever(open_index(folder / "index", encoder), encoder)
    with breaking() as url:
        chain = answer_chain(retriever, connect(url, "m"))
        ask = Ask(ABOUT_GANS)
        job = Job(chain, sessions, ask, conversation, 2)
        job.start()
        list(job.updates())
    records = sessions.records(conversation)
    partial = records[2].answer if len(records) == 3 else None
    kept = partial is not None and partial.answer.startswith("A GAN trains") and partial.stopped
    return str(job.error), kept and [one.answer.answer for one in records[:2]] == before


def gone_client(folder: Path) -> Result:
    """A client goes in the middle of a stream."""
    with serving(folder, pause=0.02) as api:
        body = json.dumps({"messages": [{"role": "user", "content": "a long one"}], "stream": True})
        at = urlsplit(api.url)
        with socket.create_connection((at.hostname or "", at.port or 0)) as line:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            line.sendall((head + body).encode())
            while b"networks" not in line.recv(65536):
                pass
        left = time.monotonic()
        free = until(lambda: api.door.queue.busy() == (0, 0), 10)
        return f"the engine is free {1000 * (time.monotonic() - left):.0f} ms later", free


def clock(folder: Path) -> Result:
    """The clock is set back by a day, and on by two."""
    sessions, conversation, before = conversations(folder)
    real = time.time
    with serving(folder / "api") as api:
        key = api.new_key("chat", per_minute=2)
        with api.client(key) as client:
            codes = [client.get("/v1/models").status_code for _ in range(3)]
            for day in (-1, 2):
                with mock.patch("time.time", lambda day=day: real() + day * 86_400):
                    codes.append(client.get("/v1/models").status_code)
                    asked(sessions, conversation)
    whole = [one.answer.answer for one in sessions.records(conversation)]
    listed = [one.id for one in sessions.list()] == [conversation]
    right = codes == [200, 200, 429, 200, 200]
    return "turns keep their order, keys their rate", right and listed and whole[:2] == before and len(
        whole
    ) == 4


def large(folder: Path) -> Result:
    """A message of 10 MB."""
    sessions, conversation, before = conversations(folder)
    job = asked(sessions, conversation, "x" * (10 << 20))
    with serving(folder / "api") as api, api.client() as client:
        body = {"messages": [{"role": "user", "content": "x" * (10 << 20)}]}
        refused = client.post("/v1/chat/completions", json=body)
    said = f"page: {job.error} API: {refused.status_code}, {refused.json()['error']['message']}"
    return said, [one.answer.answer for one in sessions.records(conversation)] == before and not job.began


def many(folder: Path) -> Result:
    """10,000 conversations in the list."""
    sessions, _, _ = conversations(folder)
    rows = [
        {"id": f"{n:032x}", "title": f"Conversation {n}", "created": n, "updated": n} for n in range(MANY)
    ]
    from rag.database import conversations as table

    with sessions.database.write() as db:
        db.execute(table.insert(), rows)
    began = time.monotonic()
    shown = listing(sessions.list(limit=SHOWN + 1), "", date.today())
    took = time.monotonic() - began
    return f"the list is read and drawn in {1000 * took:.0f} ms", took < 1 and len(
        sessions.list()
    ) == MANY + 1 and bool(shown)


def corrupted(folder: Path) -> Result:
    """A row of a conversation is damaged."""
    sessions, conversation, before = conversations(folder)
    first = sessions.records(conversation)[0]
    with sessions.database.write() as db:
        db.execute(turn_table.update().where(turn_table.c.id == first.id).values(answer='{"answer": 7'))
    records = sessions.records(conversation)
    rest = [one.state for one in records] == ["unreadable", "whole"] and records[1].answer.answer == before[1]
    question = records[0].answer.question == QUESTION
    asked(sessions, conversation)
    said = "the turn is shown as unreadable with its question; the others, and new ones, are whole"
    return said, rest and question and len(sessions.records(conversation)) == 3


FAULTS: tuple[Callable[[Path], Result], ...] = (
    locked, full, replaced, gone_server, gone_client, clock, large, many, corrupted,
)  # fmt: skip


def conversations(folder: Path) -> tuple[Sessions, str, list[str]]:
    """A database with one conversation of two turns; its id, and their texts."""
    sessions = Sessions(Database(folder / "kept.db"))
    job = asked(sessions, "")
    asked(sessions, job.conversation)
    return sessions, job.conversation, [one.answer.answer for one in sessions.records(job.conversation)]


def asked(sessions: Sessions, conversation: str, question: str = QUESTION) -> Job:
    """A question asked as the page does, to its end."""
    keep = len(sessions.records(conversation)) if conversation else 0
    job = Job(scripted.tutor(0, 0).chain, sessions, Ask(question), conversation, keep)
    job.start()
    list(job.updates())
    return job


def until(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it became true in time."""
    end = time.monotonic() + seconds
    while not (now := true()) and time.monotonic() < end:
        time.sleep(0.005)
    return now


@contextmanager
def small(place: Path) -> Iterator[bool]:
    """A disk of 24 megabytes at `place`, where one can be mounted."""
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    there = bool(mount) and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield there
    finally:
        if there:
            subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


@contextmanager
def breaking() -> Iterator[str]:
    """A model's server that breaks off in the middle of its answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._head("application/json")
            self.wfile.write(b'{"object": "list", "data": [{"id": "m", "object": "model"}]}')

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._head("text/event-stream")
            for word in "A GAN trains two networks against".split():
                chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
                choice = {"index": 0, "delta": {"content": word + " "}, "finish_reason": None}
                self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
                self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()  # a reset, and no end

        def _head(self, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
