"""API keys: shown once, kept as a hash, limited to scopes and roles, refused once revoked or ownerless."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from ingest.errors import BadRequest
from rag.apikeys import SCOPES, USUAL, ApiKeys
from rag.database import Database
from rag.people import People
from rag.requestlog import RequestLog
from ui.cli import app


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "kept.db")


def test_a_key_is_shown_once_and_kept_as_a_hash(database: Database, tmp_path: Path) -> None:
    keys = ApiKeys(database)
    made, text = keys.create("for   the\nlab")
    assert text.startswith("ut-") and len(text) >= 3 + 256 // 6
    assert made.name == "for the lab" and made.scopes == USUAL and keys.known(text) == made
    with database.read() as db:
        (row,) = db.execute(sa.text("SELECT * FROM api_key")).all()
    assert row.hashed == hashlib.sha256(text.encode()).hexdigest()
    database.close()
    assert not [path for path in tmp_path.iterdir() if text[3:].encode() in path.read_bytes()]


@pytest.mark.parametrize("text", ["", "ut-", "ut-" + "a" * 43, "ut-ü", "ut-" + "a" * 10_000, "x' OR 1=1 --"])
def test_a_strangers_key_is_not_known(database: Database, text: str) -> None:
    keys = ApiKeys(database)
    keys.create("one")
    assert keys.known(text) is None


def test_a_revoked_key_is_refused_and_named_by_its_first_letters(database: Database) -> None:
    keys = ApiKeys(database)
    made, text = keys.create("one")
    keys.create("two")
    for unclear in ("", "zz"):
        with pytest.raises(BadRequest, match="keys list"):
            keys.revoke(unclear)
    assert keys.revoke(made.id[:8]).id == made.id
    assert keys.known(text) is None
    assert [bool(one.revoked) for one in keys.list()] == [False, True]


@pytest.mark.parametrize(
    "bad", [{"name": " "}, {"name": "x" * 81}, {"scopes": ["admin"]}, {"per_minute": 0}, {"owner": "0" * 32}]
)
def test_what_a_key_cannot_be(database: Database, bad: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        ApiKeys(database).create(**{"name": "one", **bad})  # type: ignore[arg-type]
    assert ApiKeys(database).list() == ()


def test_use_is_noted_now_and_then(database: Database) -> None:
    keys = ApiKeys(database)
    made, text = keys.create("one")
    assert made.used is None
    keys.use(made)
    known = keys.known(text)
    assert known is not None and known.used is not None
    keys.use(known)
    assert keys.list()[0].used == known.used


def test_a_students_key_never_has_the_instructors_scopes(database: Database) -> None:
    keys, people = ApiKeys(database), People(database)
    ada = people.add("Ada", None, "student")
    with pytest.raises(BadRequest, match="scope notes"):
        keys.create("one", ada.id, ["notes"])
    people.set_role("Ada", "instructor")
    _, text = keys.create("one", ada.id, ["chat", "notes", "metrics"])
    people.set_role("Ada", "student")
    known = keys.known(text)
    assert known is not None and known.scopes == ("chat",)


def test_keys_go_with_their_owner_and_with_the_first_account(database: Database) -> None:
    keys, people = ApiKeys(database), People(database)
    _, nobodys = keys.create("before there were accounts")
    assert keys.known(nobodys) is not None
    ada = people.add("Ada")
    assert keys.known(nobodys) is None
    with pytest.raises(BadRequest, match="belongs to somebody"):
        keys.create("one")
    _, hers = keys.create("one", ada.id)
    assert keys.known(hers) is not None and [one.name for one in keys.list(ada.id)] == ["one"]
    people.remove("Ada")
    assert keys.known(hers) is None


def test_the_commands(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["keys", *words, "--sessions", str(tmp_path)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    assert "no keys" in run("list")
    text = run("create", "the lab", "--scopes", "chat,notes", "--per-minute", "7")
    keys = ApiKeys(Database(tmp_path / "conversations.db"))
    made = keys.known(text)
    assert made is not None and made.scopes == ("chat", "notes") and made.per_minute == 7
    (shown,) = json.loads(run("list", "--json"))
    assert shown["id"] == made.id and shown["scopes"] == ["chat", "notes"] and text not in str(shown)
    assert "the lab: chat, notes; 7 a minute" in run("list") and "never used" in run("list")
    assert "refused from now on" in run("revoke", made.id[:6])
    assert keys.known(text) is None and "revoked" in run("list")
    People(Database(tmp_path / "conversations.db")).add("Ada")
    theirs = keys.known(run("create", "hers", "--user", "ada"))
    assert theirs is not None and theirs.scopes == USUAL and set(SCOPES) > set(USUAL)
    with pytest.raises(BadRequest):
        CliRunner().invoke(
            app, ["keys", "create", "x", "--user", "Bob", "--sessions", str(tmp_path)], catch_exceptions=False
        )


def test_the_log_of_requests_forgets_a_key(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "kept")
    for key in ("a", "b", "a"):
        log.note({"key": key, "route": "/v1/models"})
    log.close()
    assert log.forget({"a"}) == 2
    assert [json.loads(line)["key"] for line in log.path.read_text().splitlines()] == ["b"]
    log.note({"key": "c"})
    log.close()
    assert len(log.path.read_text().splitlines()) == 2
    log.delete()
    assert not log.path.exists()
