"""The installer's promises: pins agree, a failure is one line, a stamp means done."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(package): version for package, version in found}


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "tools" / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    venv.mkdir()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", venv)
    monkeypatch.setattr(module, "LOG", venv / "install.log")
    monkeypatch.setattr(module, "VENV_PYTHON", Path(sys.executable))
    (tmp_path / "wanted.txt").write_text("one")
    return module


def needed(lines: list[str]) -> set[str]:
    """Names of all the distributions that these requirements bring here, whatever they bring in turn."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in lines]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        found.add(name)
        for extra in ("", *sorted(wanted.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in metadata.requires(name) or []:
                inner = Requirement(line)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append(inner)
    return found


def test_everything_installed_is_pinned_and_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = pins("requirements.lock")
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for wanted in map(Requirement, lines):
        assert locked[canonicalize_name(wanted.name)] in wanted.specifier, f"{wanted} is locked otherwise"
    missing = sorted(needed(lines) - locked.keys())
    # A torch with CUDA pins NVIDIA's packages itself.
    missing = [name for name in missing if not name.startswith(("nvidia-", "cuda-", "triton"))]
    assert not missing, f"requirements.lock lacks {missing}: run make lock"


def test_the_models_are_pinned_alike_in_both_places() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extra = dict(line.split("==") for line in project["optional-dependencies"]["models"])
    assert {canonicalize_name(name): version for name, version in extra.items()} == pins(
        "requirements-models.txt"
    )
    assert len(extra) == 23


def test_a_step_is_stamped_only_when_it_succeeded(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNITUTOR_PIP", "--no-index")
    with pytest.raises(installer.StepFailed) as failed:
        installer.pip("step", "Installing", ["no-such-package-of-unitutor"], ["wanted.txt"])
    assert "\n" not in str(failed.value) and "install.log" in str(failed.value)
    assert not installer.done("step", ["wanted.txt"])
    installer.pip("step", "Installing", ["--dry-run", "pip"], ["wanted.txt"])
    assert installer.done("step", ["wanted.txt"])
    assert capsys.readouterr().err.count("done in") == 1
    (installer.ROOT / "wanted.txt").write_text("two")
    assert not installer.done("step", ["wanted.txt"])


@pytest.mark.skipif(os.name == "nt", reason="the program put in uv's place is a shell script")
def test_uv_looks_where_pip_would_and_pip_follows_where_it_fails(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("UNITUTOR_PIP", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", "/some/wheels")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://one.test/simple file:///two")
    monkeypatch.setattr(installer, "BIN", tmp_path)
    program = tmp_path / "uv"
    program.write_text('#!/bin/sh\necho uv "$@"\nexit 1\n')
    program.chmod(0o755)
    installer.pip("step", "Installing", ["--no-index", "--dry-run", "pip"], ["wanted.txt"])
    assert installer.done("step", ["wanted.txt"])
    told = next(line for line in installer.LOG.read_text().splitlines() if line.startswith("uv pip"))
    assert "--find-links /some/wheels" in told and "--extra-index-url https://one.test/simple" in told
    assert "file:///two" not in told and told.endswith("--dry-run pip")


def test_an_old_python_is_told_in_one_line(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installer, "OLDEST", (99, 0))
    assert installer.main() == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="a Makefile wants a POSIX shell")
def test_make_without_a_python_says_what_to_do() -> None:
    done = subprocess.run(
        ["make", "chat", "PYTHON="], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0 and done.stderr.startswith("Unitutor needs Python 3.11 or newer")


@pytest.mark.skipif(os.name == "nt", reason="a Makefile wants a POSIX shell")
def test_make_ask_hands_the_question_on_as_it_is() -> None:
    question = """What's "P(x)" at $5 for `x`?"""
    shown = subprocess.run(
        ["make", "-n", "ask", f"Q={question}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert '"$UNITUTOR_QUESTION"' in shown and question not in shown
