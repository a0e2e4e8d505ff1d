"""How long the chat page takes to open in Chromium, with 10 and with 10,000 conversations in its list.

    python -m tests.bench.opening [--many 10000] [--runs 7]

From asking for the address until the newest conversation's title is drawn in the list, on a page over a
scripted tutor: the first time in a new browser context, where nothing is cached, and again in the same
one, as who comes back has it. Needs Chromium (in $CHROMIUM or on the path). Prints a table and writes it
to tests/bench/out/opening.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from rag.database import conversations as table
from rag.sessions import Sessions
from tests.api_server import free_port
from tests.bench.labelled import OUT
from tests.browser.conftest import FLAGS, chromium
from tests.browser.scripted import tutor
from ui.web.app import build_app
from ui.web.mounting import Served, mounted

FEW = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--many", type=int, default=10_000, help="conversations in the longer list")
    parser.add_argument("--runs", type=int, default=7, help="how often the page is opened")
    options = parser.parse_args()
    found = chromium()
    if not found:
        raise SystemExit("No Chromium found: install one or name it in $CHROMIUM.")
    lines = ["| conversations | first time, s, median | most | again, s, median | most |", "|" + " --- |" * 5]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for count in (FEW, options.many):
            with served(count) as url:
                took = [opening(browser, url, count) for _ in range(options.runs + 1)][1:]  # one warms up
            told = [f"{statistics.median(each):.2f} | {max(each):.2f}" for each in zip(*took, strict=True)]
            lines.append(f"| {count:,} | {' | '.join(told)} |")
            print(lines[-1], flush=True)
        browser.close()
    OUT.mkdir(exist_ok=True)
    (OUT / "opening.md").write_text("\n".join(lines) + "\n", "utf-8")


@contextmanager
def served(count: int) -> Iterator[str]:
    """The address of the pages over so many conversations."""
    with tempfile.TemporaryDirectory() as place:
        sessions = Sessions(Path(place) / "conversations.db")
        rows = [
            {"id": f"{n:032x}", "title": f"Conversation {n}", "created": n, "updated": n}
            for n in range(1, count + 1)
        ]
        with sessions.database.write() as db:
            db.execute(table.insert(), rows)
        made = Served(mounted(build_app(tutor(), sessions)), "127.0.0.1", free_port())  # type: ignore[arg-type]
        try:
            yield made.url
        finally:
            made.stop()
            sessions.close()


def opening(browser: Browser, url: str, newest: int) -> tuple[float, float]:
    """Seconds until a page shows the newest conversation: the first page of a context, and the next."""
    context, took = browser.new_context(), []
    for _ in range(2):
        page = context.new_page()
        began = time.monotonic()
        page.goto(url, wait_until="commit")
        page.get_by_text(f"Conversation {newest}", exact=True).first.wait_for(timeout=60_000)
        took.append(time.monotonic() - began)
        page.close()
    context.close()
    return took[0], took[1]


if __name__ == "__main__":
    main()
