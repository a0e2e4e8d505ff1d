"""--help loads nothing heavy and is whole, and the README names the commands and options that there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ui.cli import app

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    command.name or command.callback.__name__ for command in app.registered_commands if command.callback
}


def test_help_loads_nothing_heavy() -> None:
    look = (
        "import sys; sys.argv = ['unitutor', '--help']\n"
        "from ui.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'torch', 'transformers', 'gradio', 'langchain_core', 'faiss', 'sqlalchemy'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.rstrip().endswith("[]")


def test_a_reader_that_leaves_early_hears_no_complaint() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ui.cli", "ask", "--help"],
            cwd=ROOT,
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(write)
    assert done.stderr == b"" and done.returncode in (0, 1)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_says_what_it_does(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    parameters = typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
    assert not [p.name for p in parameters if not getattr(p, "help", None)]


def test_the_readme_names_real_commands_and_options() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    text = readme.read_text("utf-8")
    calls = re.findall(r"\bunitutor ((?:[a-z]+)(?: [^`\n|]*)?)", text)
    named = {call.split()[0] for call in calls}
    assert named >= COMMANDS, f"the README leaves out {COMMANDS - named}"
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for call in calls:
        name = call.split()[0]
        if name not in commands:
            continue  # a word of a sentence, or a command still to come
        known = {option for p in commands[name].params for option in (*p.opts, *p.secondary_opts)} | {
            "--help"
        }
        for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", call):
            assert option in known, f"the README has `unitutor {name} {option}`"
