"""Accounts: names, passwords, roles; who is signed in, for how long; how often a password may be tried."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import argon2
import pytest
import sqlalchemy as sa

from ingest.errors import BadRequest
from rag import signins as signins_module
from rag.database import Database, api_keys, people, signins
from rag.people import LONGEST, People
from rag.signins import IDLE, SignIns
from ui.web import tries as tries_module
from ui.web.tries import Tries

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WORD = "correct horse"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("empty") / "sessions.sqlite"
    Database(made).close()
    return made


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Database:
    shutil.copy(empty, tmp_path)
    return Database(tmp_path / empty.name)


@pytest.fixture
def accounts(database: Database) -> People:
    return People(database, CHEAP)


def secret(accounts: People, name: str) -> str:
    with accounts.database.read() as db:
        return str(db.scalar(sa.select(people.c.secret).where(people.c.name == name)))


def test_a_password_is_kept_as_argon2id_and_nothing_else_opens(accounts: People) -> None:
    ada = accounts.add("Ada", WORD, "instructor")
    kept = secret(accounts, "Ada")
    assert kept.startswith("$argon2id$") and WORD not in kept
    assert accounts.verified("Ada", WORD) == ada and ada.teaches
    assert len(ada.id) == 32 and int(ada.id, 16)
    for name, word in (
        ("Ada", WORD + "!"),
        ("Ada", ""),
        ("Bob", WORD),
        ("", ""),
        ("Ada", kept),
        ("Ada", "x" * 10**6),
    ):
        assert accounts.verified(name, word) is None


def test_what_a_real_hash_costs_is_what_the_rfc_says(database: Database) -> None:
    accounts = People(database)
    accounts.add("Ada", WORD)
    assert secret(accounts, "Ada").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert accounts.verified("Ada", WORD) is not None


def test_names_are_the_same_in_any_case_and_spelling(accounts: People) -> None:
    jose = accounts.add("  José   Núñez ", WORD)
    assert jose.name == "José Núñez"
    for name in ("JOSÉ NÚÑEZ", "Jose\u0301 Nu\u0301n\u0303ez", "ｊosé núñez"):
        assert accounts.find(name) == jose
        assert accounts.verified(name, WORD) == jose
        with pytest.raises(BadRequest, match="already"):
            accounts.add(name, WORD)
    assert accounts.list() == (jose,)


def test_a_password_is_the_same_however_its_letters_are_composed(accounts: People) -> None:
    accounts.add("Ada", "pässwort 1")
    assert accounts.verified("Ada", "pa\u0308sswort 1") is not None


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\u202eb", "\ud800"])
def test_a_name_that_cannot_be_one(accounts: People, name: str) -> None:
    with pytest.raises(BadRequest, match="name"):
        accounts.add(name, WORD)
    assert accounts.list() == () and accounts.find(name) is None and accounts.verified(name, WORD) is None


@pytest.mark.parametrize("word", ["", "short", "x" * (LONGEST + 1), "ADA LOVELACE"])
def test_a_password_that_cannot_be_one(accounts: People, word: str) -> None:
    with pytest.raises(BadRequest, match="password"):
        accounts.add("Ada Lovelace", word)
    accounts.add("Ada Lovelace", WORD)
    with pytest.raises(BadRequest, match="password"):
        accounts.set_password("Ada Lovelace", word)
    assert accounts.verified("Ada Lovelace", WORD) is not None


def test_a_name_nobody_has_costs_what_a_wrong_password_costs(
    accounts: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(hasher: argon2.PasswordHasher, kept: str, word: str) -> bool:
        seen.append(kept.rpartition("$")[0].rpartition("$")[0])  # the parameters
        return verify(hasher, kept, word)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    accounts.add("Ada", WORD)
    accounts.add("By the university", None, subject="https://u.example 7")
    for name in ("Ada", "Nobody", "By the university"):
        seen.clear()
        assert accounts.verified(name, "a wrong one") is None
        assert len(seen) == 1
    assert len(set(seen)) == 1


def test_a_hash_of_other_parameters_is_made_anew(database: Database, accounts: People) -> None:
    accounts.add("Ada", WORD)
    before = secret(accounts, "Ada")
    dearer = People(database, argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert dearer.verified("Ada", "a wrong one") is None and secret(accounts, "Ada") == before
    assert dearer.verified("Ada", WORD) is not None
    assert "m=16,t=2" in secret(accounts, "Ada") and dearer.verified("Ada", WORD) is not None


def test_roles(accounts: People) -> None:
    accounts.add("Ada", WORD)
    assert [one.role for one in accounts.list()] == ["student"]
    accounts.set_role("ada", "instructor")
    assert accounts.called("ADA").teaches
    with pytest.raises(BadRequest, match="role"):
        accounts.set_role("Ada", "root")
    with pytest.raises(BadRequest, match="role"):
        accounts.add("Bob", WORD, "root")
    with pytest.raises(BadRequest, match="nobody"):
        accounts.set_role("Bob", "student")


def test_a_sign_in_lasts_until_it_is_ended(database: Database, accounts: People) -> None:
    doors = SignIns(database)
    ada, bob = accounts.add("Ada", WORD), accounts.add("Bob", WORD)
    one, two, other = doors.begin(ada), doors.begin(ada), doors.begin(bob)
    assert doors.person(one) == ada and doors.person(other) == bob
    with database.read() as db:
        kept = " ".join(map(str, db.execute(sa.select(signins)).all()))
    assert one not in kept and other not in kept
    doors.end(one)
    assert doors.person(one) is None and doors.person(two) == ada
    for nobody in ("", one, "x", two + "x", "é" * 20, "x" * 1000):
        assert doors.person(nobody) is None


def test_another_password_and_a_closed_account_end_sign_ins(database: Database, accounts: People) -> None:
    ada, bob = accounts.add("Ada", WORD), accounts.add("Bob", WORD)
    begun, other = SignIns(database).begin(ada), SignIns(database).begin(bob)
    accounts.set_password("Ada", "another horse")
    assert SignIns(database).person(begun) is None and SignIns(database).person(other) == bob
    now = {"scopes": "", "per_minute": 1, "created": 1.0}
    with database.write() as db:
        for one in (ada, bob):
            db.execute(api_keys.insert().values(id=one.id, owner=one.id, name="k", hashed=one.id, **now))
    accounts.remove("bob")
    with database.read() as db:
        revoked = dict(db.execute(sa.select(api_keys.c.owner, api_keys.c.revoked)).all())
    assert revoked[ada.id] is None and revoked[bob.id] > 1
    assert SignIns(database).person(other) is None
    assert accounts.verified("Bob", WORD) is None and accounts.verified("Ada", "another horse") == ada


def test_another_process_hears_of_it_in_seconds(
    database: Database, accounts: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = SignIns(database)
    begun = doors.begin(accounts.add("Ada", WORD))
    assert doors.person(begun) is not None
    accounts.set_role("Ada", "instructor")
    SignIns(database).end("another")
    now = time.time()
    monkeypatch.setattr(signins_module.time, "time", lambda: now + signins_module.CACHED + 0.1)
    found = doors.person(begun)
    assert found is not None and found.teaches
    accounts.remove("Ada")
    monkeypatch.setattr(signins_module.time, "time", lambda: now + 2 * signins_module.CACHED + 0.2)
    assert doors.person(begun) is None


def test_a_sign_in_runs_out(database: Database, accounts: People, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = accounts.add("Ada", WORD)
    begun, now = SignIns(database).begin(ada), time.time()
    used = now
    while used - now < signins_module.LONGEST - IDLE:  # used every few days it lasts, but not for ever
        used += IDLE - 10
        monkeypatch.setattr(signins_module.time, "time", lambda at=used: at)
        assert SignIns(database).person(begun) == ada
    monkeypatch.setattr(signins_module.time, "time", lambda: used + IDLE + 10)
    assert SignIns(database).person(begun) is None
    SignIns(database).begin(ada)
    with database.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(signins)) == 1  # the old one is gone


def test_what_a_university_sign_in_needs_is_given_back_once(
    database: Database, accounts: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = SignIns(database)
    held = doors.hold({"state": "s"})
    assert doors.person(held) is None
    assert doors.held(held) == {"state": "s"} and doors.held(held) is None and doors.held("x") is None
    late, now = doors.hold({"state": "s"}), time.time()
    monkeypatch.setattr(signins_module.time, "time", lambda: now + signins_module.BEGUN + 1)
    assert doors.held(late) is None
    signed = doors.begin(accounts.add("Ada", WORD))
    assert doors.held(signed) is None and doors.person(signed) is not None


def test_a_subject_has_one_account_and_takes_over_no_other(accounts: People) -> None:
    local = accounts.add("Ada", WORD, "instructor")
    first = accounts.known("https://u.example", "7", "Ada")
    assert first.id != local.id and first.name == "Ada (2)" and not first.teaches
    assert accounts.known("https://u.example", "7", "Ada L.") == first
    assert accounts.known("https://u.example", "8", "Ada").name == "Ada (3)"
    assert accounts.known("https://v.example", "7", "Ada").id != first.id
    assert accounts.known("https://u.example", "7", "Ada", "instructor").teaches
    assert accounts.known("https://u.example", "7", "Ada").teaches  # no claim decides: as it was
    assert accounts.known("https://u.example", "9", "\x00\n ").name == "Somebody"
    assert accounts.verified("Ada (2)", "") is None
    assert accounts.called("Ada") == local


def test_five_wrong_passwords_and_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = Tries()
    assert [tries.begin("Ada", "10.0.0.1") for _ in range(5)] == [0] * 5
    assert 0 < tries.begin("ADA", "10.0.0.1") <= 300
    assert tries.begin("Bob", "10.0.0.1") == 0  # nobody else waits
    assert tries.begin("Ada", "10.0.0.2") == 0  # and Ada can sign in from her own machine


def test_a_right_password_forgives_the_wrong_ones() -> None:
    tries = Tries()
    for _ in range(4):
        tries.begin("Ada", "10.0.0.1")
    tries.right("Ada", "10.0.0.1")
    assert [tries.begin("Ada", "10.0.0.1") for _ in range(5)] == [0] * 5


def test_an_address_that_tries_all_names_is_slowed(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = Tries()
    for number in range(tries_module.ADDRESS.amount):
        assert tries.begin(f"n{number}", "10.0.0.1") == 0
        tries.failed("10.0.0.1")
    assert tries.begin("Ada", "10.0.0.1") > 0 and tries.begin("Ada", "10.0.0.2") == 0


def test_a_name_tried_from_everywhere_is_slowed() -> None:
    tries = Tries()
    waits = [tries.begin("Ada", f"10.0.{n % 50}.1") for n in range(tries_module.NAME.amount + 1)]
    assert waits[:-1] == [0] * tries_module.NAME.amount and waits[-1] > 0
    assert tries.begin("Bob", "10.0.0.1") == 0
