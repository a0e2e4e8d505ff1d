"""Fifty students at once over the HTTP API: what fails, who waits how long, who is served, what grows.

The server is a process of its own. First 200 questions to a model that answers from a script, some
students asking all of theirs at once; then the same students for so many minutes, with the server's
memory each second; then 8 questions to the real model.

Run: python -m tests.bench.load [--minutes 30] [--real 8]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(__file__).with_name("out") / "load.md"
STUDENTS, EACH = 50, 4
CLIENT = httpx.Client(timeout=900, verify=False, limits=httpx.Limits(max_connections=None))
HUNGRY = 5  # each fifth student asks all questions at once, the others one after the other
REAL = (
    "What is a latent space?", "Who proposed GANs, and in which year?", "What does temperature do?",
    "What is nucleus sampling?", "What does a vector database store?", "What is a token?",
    "What are the two networks of a GAN?", "What is greedy decoding?",
)  # fmt: skip


@dataclass
class Seen:
    """What became of the questions."""

    first: list[float] = field(default_factory=list)  # seconds to the first word
    whole: list[float] = field(default_factory=list)
    order: list[int] = field(default_factory=list)  # the students, as their answers ended
    errors: list[str] = field(default_factory=list)
    lost: int = 0  # answers that ended without all of their text
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    """Measure, print the tables, and write them to out/load.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--real", type=int, default=len(REAL), help="questions to the real model; 0 for none")
    parser.add_argument("--serve", choices=["scripted", "real"], help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.serve:
        serve(wanted.serve)
        return
    lines = [f"{STUDENTS} students over HTTP, {psutil.cpu_count()} cores, load average "
             f"{psutil.getloadavg()[0]:.1f} at the start", ""]  # fmt: skip
    lines += [
        "| what | questions | errors | lost | first word p50 | p95 | whole p50 | p95 |",
        "|" + " --- |" * 8,
    ]
    with Server("scripted") as server:
        began, seen = time.monotonic(), Seen()
        students([server.asker(student, seen) for student in range(STUDENTS)], EACH)
        lines.append(row(f"scripted model, {time.monotonic() - began:.0f} s", STUDENTS * EACH, seen))
        fair = [f"{fairness(seen.order):.2f} of the {STUDENTS * EACH}"]
        if wanted.minutes:
            steady, memory = Seen(), server.steady(wanted.minutes)
            asked = len(steady_run(server, steady))
            lines.append(row(f"all the time for {wanted.minutes:g} min", asked, steady))
            fair.append(
                f"{fairness(steady.order):.2f} while some had four questions in the line all the time"
            )
    if wanted.real:
        with Server("real") as server:
            seen = Seen()
            askers = [server.asker(student, seen) for student in range(wanted.real)]
            students(askers, 1, hungry=0)
            lines.append(row("the real model", wanted.real, seen))
    lines += ["", f"Most served / least served of all students: {', '.join(fair)}."]
    if wanted.minutes:
        lines += ["", told(memory)]
    text = "\n".join(lines)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(text + "\n", "utf-8")
    print(text)


class Server:
    """A server in a process of its own."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, "-m", "tests.bench.load", "--serve", kind]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = ""
        while not line.startswith("{"):
            line = self.process.stdout.readline()
            assert line, "the server did not start"
        values = json.loads(line)
        self.url, self.keys = values["url"], values["keys"]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)

    def asker(self, student: int, seen: Seen) -> Any:
        """What asks one question for a student."""
        question = REAL[student % len(REAL)]

        def ask(number: int) -> None:
            began = time.monotonic()
            try:
                first, whole = streamed(self.url, self.keys[student], f"{question} {'?' * number}")
            except (httpx.HTTPError, ValueError, KeyError, RuntimeError) as error:
                with seen.lock:
                    seen.errors.append(f"{type(error).__name__}: {error}"[:200])
                return
            with seen.lock:
                seen.order.append(student)
                seen.lost += not whole
                seen.first.append(first - began)
                seen.whole.append(time.monotonic() - began)

        return ask

    def steady(self, minutes: float) -> list[tuple[float, float]]:
        """Minutes and megabytes, filled by a thread for so long."""
        rows: list[tuple[float, float]] = []
        process = psutil.Process(self.process.pid)

        def look() -> None:
            began = time.monotonic()
            while (passed := time.monotonic() - began) < 60 * minutes:
                rows.append((passed / 60, process.memory_info().rss / 2**20))
                time.sleep(1)

        threading.Thread(target=look, daemon=True).start()
        self.until = time.monotonic() + 60 * minutes
        return rows


def steady_run(server: Server, seen: Seen) -> list[int]:
    """All students ask one question after the other until the time is over, some of them four at a time."""
    asked: list[int] = []

    def student(ask: Any, number: int) -> None:
        while time.monotonic() < server.until:
            asked.append(number)
            ask(0)

    askers = [server.asker(number, seen) for number in range(STUDENTS)]
    # Some always have several questions in the line: they must not be served more often for it.
    askers += [server.asker(number, seen) for number in range(0, STUDENTS, HUNGRY)] * (EACH - 1)
    threads = [threading.Thread(target=student, args=(ask, n), daemon=True) for n, ask in enumerate(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return asked


def streamed(url: str, key: str, question: str) -> tuple[float, bool]:
    """When the first word came, and whether the answer came whole. Raises where it is an error."""
    body = {"model": "unitutor", "stream": True, "messages": [{"role": "user", "content": question}]}
    headers = {"Authorization": f"Bearer {key}"}
    first, text, own = 0.0, "", None
    with CLIENT.stream("POST", f"{url}v1/chat/completions", json=body, headers=headers) as got:
        if got.status_code != 200:
            got.read()
            raise RuntimeError(f"{got.status_code}: {got.text[:150]}")
        for line in got.iter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            values = json.loads(line[6:])
            if "error" in values:
                raise RuntimeError(values["error"]["message"])
            piece = values["choices"][0]["delta"].get("content")
            if piece:
                first = first or time.monotonic()
                text += piece
            own = values.get("unitutor", own)
    return first, bool(own and text.strip().endswith(own["answer"].strip()) and not own["stopped"])


def students(askers: list[Any], each: int, hungry: int = HUNGRY) -> None:
    """All ask at the same time: some everything at once, the others one after the other."""
    threads: list[threading.Thread] = []
    for student, ask in enumerate(askers):
        if hungry and student % hungry == 0:
            threads += [threading.Thread(target=ask, args=(number,)) for number in range(each)]
        else:
            threads.append(threading.Thread(target=lambda ask=ask: [ask(number) for number in range(each)]))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fairness(order: list[int]) -> float:
    """How often the student served most was, over the one served least."""
    had = Counter(order)
    return max(had.values(), default=0) / max(1e-9, min(had.get(one, 0) for one in range(STUDENTS)))


def row(what: str, asked: int, seen: Seen) -> str:
    """A row of the table."""
    if seen.errors:
        print("errors:", Counter(seen.errors).most_common(5))
    missing = asked - len(seen.order) - len(seen.errors)
    shares = [
        f"{np.percentile(times or [0], p):.2f} s" for times in (seen.first, seen.whole) for p in (50, 95)
    ]
    return f"| {what} | {asked} | {len(seen.errors)} | {seen.lost + missing} | {' | '.join(shares)} |"


def told(memory: list[tuple[float, float]]) -> str:
    """How the server's memory went, after a first fifth in which everything is used for the first time."""
    rows = np.array(memory[len(memory) // 5 :])
    slope = np.polyfit(rows[:, 0], rows[:, 1], 1)[0]
    return (
        f"Memory of the server over {memory[-1][0]:.1f} minutes: {memory[0][1]:.0f} MB at first, "
        f"{rows[0, 1]:.0f} MB after a fifth, {rows[-1, 1]:.0f} MB at the end; slope after the first fifth "
        f"{slope:+.3f} MB a minute."
    )


def serve(kind: str) -> None:
    """Be the server until stdin ends."""
    from tests.api_server import PLENTY, free_port, serving

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if kind == "scripted":
            with serving(folder, pause=0.002, reading=0.02) as api:
                keys = [api.new_key("chat") for _ in range(STUDENTS)]
                print(json.dumps({"url": api.url + "/", "keys": keys}), flush=True)
                sys.stdin.read()
            return
        from rag.database import Database
        from ui.api.serve import both
        from ui.tutor import build_index, open_tutor
        from ui.web.mounting import Served

        build_index([ROOT / "data" / "notes"], folder / "index", None)
        tutor = open_tutor(folder / "index", None, None, None)
        database = Database(folder / "kept.db")
        app, door = both(tutor, database, folder, folder / "index", ())
        served = Served(app, "127.0.0.1", free_port())
        keys = [door.keys.create("load", scopes=["chat"], per_minute=PLENTY)[1] for _ in REAL]
        print(json.dumps({"url": served.url, "keys": keys}), flush=True)
        sys.stdin.read()
        served.stop()


if __name__ == "__main__":
    main()
