"""`unitutor chat` prints its address once it answers there, and ends quietly with Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAT = """
import sys
from tests.browser import scripted
from ui import cli, tutor
tutor.open_tutor = lambda *a, **k: scripted.tutor()
sys.argv = ["unitutor", "chat", *sys.argv[1:]]
cli.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_the_address_is_printed_once_it_answers(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", CHAT, "--port", str(port), "--sessions", str(tmp_path / "kept")]
    command += ["--index", str(tmp_path / "index")]
    # A shell's background jobs ignore Ctrl-C, and so would what they start.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        try:
            assert running.stdout and running.stderr
            line = running.stdout.readline()
            assert line.startswith(f"Unitutor is at http://127.0.0.1:{port}"), running.stderr.read()
            with urllib.request.urlopen(line.split()[-1], timeout=30) as page:
                assert page.status == 200 and b"Unitutor" in page.read()
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=120) == 130
            assert running.stdout.read() == "" and running.stderr.read() == ""
        finally:
            running.kill()
    assert (tmp_path / "kept" / "conversations.db").exists()
