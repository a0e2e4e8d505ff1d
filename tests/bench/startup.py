"""Seconds from `unitutor chat` to its printed address: the first time ever after the install, and later.

    python -m tests.bench.startup

The first start prepares the language model and indexes data/notes in empty folders of its own; the
later ones find both. Prints a table and writes it to tests/bench/out/startup.md.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.labelled import OUT

ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--later", type=int, default=3, help="how many later starts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first, *later = [start(Path(folder)) for _ in range(1 + options.later)]
    table = (
        "| start | seconds |\n| --- | --- |\n"
        f"| first ever: model prepared, notes indexed | {first:.0f} |\n"
        f"| later, median of {len(later)} | {statistics.median(later):.1f} |\n"
    )
    OUT.mkdir(exist_ok=True)
    (OUT / "startup.md").write_text(table, "utf-8")
    print(table)


def start(folder: Path) -> float:
    """Seconds until the chat's address is printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from ui.cli import main; main()", "chat", "--port", str(port)]
    command += ["--index", str(folder / "index"), "--notes", str(ROOT / "data" / "notes")]
    command += ["--sessions", str(folder / "sessions")]
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "UNITUTOR_CACHE": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        took = time.perf_counter() - started
        server.terminate()
    if "http://" not in line:
        raise SystemExit(f"the chat did not start: {line}")
    return took


if __name__ == "__main__":
    main()
