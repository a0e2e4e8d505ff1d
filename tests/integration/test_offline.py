"""No socket leaves loopback: the real commands, in processes that end at the first attempt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]

# Python imports a module of this name at start-up, so the hook is there before any of our code.
GUARD = """
import ipaddress, os, sys

def guard(event, values):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = values[0]
    elif event in ("socket.connect", "socket.sendto"):
        host = values[1][0] if isinstance(values[1], tuple) else None
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return
    try:
        inside = ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        inside = False
    if not inside:
        os.write(2, f"REACHED OUT: {event} {host}".encode())
        os._exit(99)

sys.addaudithook(guard)
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which every Python process has the guard, and nobody's settings of ours."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD)
    from ui.offline import DEFAULTS

    inherited = {name: value for name, value in os.environ.items() if name not in DEFAULTS}
    return {**inherited, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(environment, "-m", "ui.cli", *arguments)


def python(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


@pytest.fixture(scope="module")
def index(guarded: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("index") / "index"
    notes = tmp_path_factory.mktemp("notes")
    text = "# GANs\\n\\nA GAN consists of two networks, a generator and a discriminator.\\n"
    (notes / "unit.md").write_text(text.replace("\\n", "\n"))
    done = run(guarded, "ingest", str(notes), "--index", str(folder))
    assert done.returncode == 0, done.stderr
    return str(folder)


def test_the_guard_bites(guarded: dict[str, str]) -> None:
    reach = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    done = subprocess.run([sys.executable, "-c", reach], env=guarded, capture_output=True, check=False)
    assert done.returncode == 99


def test_search_stays_here_and_loads_no_language_model(guarded: dict[str, str], index: str) -> None:
    look = (  # one program that searches and then says what it has loaded
        "import sys; sys.argv = ['unitutor', 'search', 'What is a GAN?', '--json', '--index', sys.argv[1]]\n"
        "from ui.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('gradio', 'rag.engines.local', 'transformers.models.qwen2') "
        "if m in sys.modules], file=sys.stderr)"
    )
    done = python(guarded, "-c", look, index)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["source"] == "unit.md"
    assert done.stderr.rstrip().endswith("[]")


def test_ask_stays_here(guarded: dict[str, str], index: str) -> None:
    done = run(guarded, "ask", "What does a GAN consist of?", "--index", index, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "generator" in found["answer"] and found["citations"][0]["source"] == "unit.md"


def test_ground_stays_here_and_finds_the_words(guarded: dict[str, str], index: str, tmp_path: Path) -> None:
    true, false = (
        "A GAN has two networks: a generator and a discriminator.",
        "Bananas grow on Mars since 1871.",
    )
    lines = [
        {"id": "index", "text": f"{true} {false}"},
        {"id": "own", "text": true, "passages": ["The Moon is far away.", f"Here it is. {true}"]},
        {"id": "bad"},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    out, page = tmp_path / "out.jsonl", tmp_path / "report.html"
    arguments = ("--batch", str(tmp_path / "in.jsonl"), "--out", str(out), "--report", str(page))
    done = run(guarded, "ground", *arguments, "--index", index, "--fast")
    assert done.returncode == 0 and "1 of 3 lines" in done.stderr, done.stderr
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [one["id"] for one in found] == ["index", "own", "bad"] and "Line 3" in found[2]["error"]
    said, invented = found[0]["sentences"]
    assert (said["label"], said["source"]) == ("supported", "unit.md")
    assert said["quote"] == "A GAN consists of two networks, a generator and a discriminator."
    assert invented["support"] < 0.2 < said["support"]
    assert invented["label"] in ("unsupported", "contradicted")
    assert found[1]["sentences"][0]["quote"] == true
    assert "<section" in page.read_text("utf-8")
