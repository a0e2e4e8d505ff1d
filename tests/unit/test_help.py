"""--help loads nothing heavy and is whole, and the README names the commands and options that there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ui.cli import app

ROOT = Path(__file__).resolve().parents[2]


def leaves(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that does something, with the words it is called by."""
    if not hasattr(command, "commands"):
        yield words, command
    else:
        for name, part in command.commands.items():
            yield from leaves(part, *words, name)


COMMANDS = dict(leaves(typer.main.get_command(app)))


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


@pytest.mark.parametrize("words", sorted(COMMANDS), ids=" ".join)
def test_every_option_says_what_it_does(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"])
    assert shown.exit_code == 0
    assert not [p.name for p in COMMANDS[words].params if not getattr(p, "help", None)]


def test_the_readme_names_real_commands_and_options() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    calls = [call.split() for call in re.findall(r"\bunitutor ((?:[a-z]+)(?: [^`\n|]*)?)", text)]
    named = {words for words in COMMANDS if any(tuple(call[: len(words)]) == words for call in calls)}
    assert named == set(COMMANDS), f"the README leaves out {set(COMMANDS) - named}"
    for call in calls:
        words = next((tuple(call[:n]) for n in (2, 1) if tuple(call[:n]) in COMMANDS), None)
        if words is None:
            continue  # a word of a sentence, or a group of commands
        known = {option for p in COMMANDS[words].params for option in (*p.opts, *p.secondary_opts)} | {
            "--help"
        }
        for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(call)):
            assert option in known, f"the README has `unitutor {' '.join(words)} {option}`"
