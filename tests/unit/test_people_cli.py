"""unitutor users …: accounts made, listed, changed and closed; and who may listen beyond this machine."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from rag.database import Database
from rag.people import People
from ui import cli, tutor
from ui.accounts import accounts, check_reach, loopback
from ui.serving import CannotServe

WORD = "correct horse"
Run = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """Somebody sits at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs unitutor with something piped in: its exit status, its output, its errors."""
    monkeypatch.chdir(tmp_path)
    for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"UNITUTOR_OIDC_{name}", raising=False)

    def ran(*arguments: str, piped: str = "", terminal: bool = False) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["unitutor", *arguments])
        monkeypatch.setattr(sys, "stdin", Terminal() if terminal else io.StringIO(piped))
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        told = capsys.readouterr()
        return status, told.out, told.err

    return ran


def people() -> People:
    return People(Database(tutor.database_of(tutor.SESSIONS)))


def test_an_account_from_its_making_to_its_end(run: Run) -> None:
    assert run("users", "list") == (0, "There are no accounts: unitutor users add NAME.\n", "")
    status, out, err = run(
        "users", "add", "Ada", "--role", "instructor", "--password-stdin", piped=WORD + "\n"
    )
    assert (status, out) == (0, "Ada is an instructor now.\n") and "ask everyone to sign in" in err
    status, out, err = run("users", "add", "Bob", "--password-stdin", piped="another horse")
    assert (status, out, err) == (0, "Bob is a student now.\n", "")
    found = people().verified("ada", WORD)
    assert found is not None and found.teaches and people().verified("Bob", "another horse") is not None
    status, out, _ = run("users", "list")
    assert [line.split("  ")[1].split(", since")[0] for line in out.splitlines()] == [
        "Ada: instructor, password", "Bob: student, password"
    ]  # fmt: skip
    listed = json.loads(run("users", "list", "--json")[1])
    assert [one["name"] for one in listed] == ["Ada", "Bob"] and listed[0]["id"] == found.id
    assert not any("argon2" in str(value) for one in listed for value in one.values())
    assert run("users", "role", "bob", "instructor")[1] == "Bob is an instructor now.\n"
    status, out, _ = run("users", "password", "ADA", "--password-stdin", piped="third horse\r\n")
    assert out.startswith("Ada has another password")
    assert people().verified("Ada", WORD) is None and people().verified("Ada", "third horse") is not None
    status, out, err = run("users", "remove", "ada")
    assert out == "Ada can sign in no longer.\n" and f"unitutor data delete --user {found.id}" in err
    assert "ask nobody" not in err and "ask nobody" in run("users", "remove", "Bob")[2]
    assert people().list() == ()


@pytest.mark.parametrize(
    ("arguments", "piped", "words"),
    [
        (["add", "Ada"], WORD, "--password-stdin"),  # no terminal to ask at
        (["add", "Ada", "--password-stdin"], "short\n", "8 to 200"),
        (["add", "Ada", "--password-stdin"], "", "8 to 200"),
        (["add", "Ada", "--role", "root", "--password-stdin"], WORD, "no role"),
        (["add", " ", "--password-stdin"], WORD, "A name has"),
        (["add", "EVE", "--password-stdin"], WORD, "already"),
        (["remove", "Nobody"], "", "nobody called"),
        (["password", "Nobody", "--password-stdin"], WORD, "nobody called"),
        (["role", "Eve", "root"], "", "no role"),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, arguments: list[str], piped: str, words: str) -> None:
    run("users", "add", "Eve", "--password-stdin", piped=WORD)
    status, out, err = run("users", *arguments, piped=piped)
    assert status == 1 and out == "" and words in err and err.count("\n") == 1, err
    assert [one.name for one in people().list()] == ["Eve"]


def test_a_password_is_asked_for_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["one horse", "two horses", WORD, WORD])
    monkeypatch.setattr(f"{typer.prompt.__module__}.hidden_prompt_func", lambda prompt: next(typed))
    status, out, err = run("users", "add", "Ada", terminal=True)
    assert status == 0 and out == "Ada is a student now.\n" and WORD not in out + err
    assert people().verified("Ada", WORD) is not None and next(typed, None) is None


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.0.2.7", False), ("", False), ("no.such.host.invalid", False)],
)  # fmt: skip
def test_which_addresses_only_this_machine_reaches(host: str, here: bool) -> None:
    assert loopback(host) == here


def test_beyond_this_machine_there_must_be_accounts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tutor, "open_tutor", lambda *_: pytest.fail("a model was loaded first"))
    for command in ("chat", "serve"):
        status, out, err = run(command, "--host", "0.0.0.0", "--port", "17860")
        assert status == 1 and out == "" and err.count("\n") == 1
        assert "no accounts" in err and "unitutor users add" in err and "--open-to-all" in err
    check_reach(tutor.SESSIONS, "127.0.0.1", False)
    check_reach(tutor.SESSIONS, "0.0.0.0", True)
    with pytest.raises(CannotServe):
        check_reach(tutor.SESSIONS, "0.0.0.0", False)
    run("users", "add", "Ada", "--password-stdin", piped=WORD)
    check_reach(tutor.SESSIONS, "0.0.0.0", False)


def test_a_universitys_sign_in_is_accounts_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(tutor.database_of(tutor.SESSIONS))
    assert not accounts(database).on
    for name, value in (("ISSUER", "https://u.example"), ("CLIENT_ID", "u"), ("CLIENT_SECRET", "s")):
        monkeypatch.setenv(f"UNITUTOR_OIDC_{name}", value)
    assert accounts(database).on and accounts(database).university is not None
    check_reach(tutor.SESSIONS, "0.0.0.0", False)
