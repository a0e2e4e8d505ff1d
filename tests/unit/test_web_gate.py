"""Pages with accounts, by HTTP: strangers get nothing, students nothing of the instructor's."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import argon2
import gradio as gr
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.testclient import TestClient

from rag.database import Database, metadata
from rag.decoding import GREEDY
from rag.feedback import Feedback
from rag.items.attempts import Attempts
from rag.items.bank import Bank
from rag.journal import Journal
from rag.people import People
from rag.sessions import Sessions
from rag.types import Answer
from tests.browser.scripted import CITATIONS, SENTENCES, tutor
from tests.browser.scripted_quiz import Maker, quizzing
from tests.ingest_fakes import FakeEncoder
from tests.quiz_items import choice
from ui.web import gate, who
from ui.web.app import build_app
from ui.web.mounting import mounted
from ui.web.signin import local

ORIGIN = {"origin": "http://testserver"}
HTML = {"accept": "text/html"}
WORD = "correct horse"
SECRET = "PRIVATE-TO-ADA"


class Class:
    """A class with accounts: two students, an instructor, and what the first student did."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "sessions.sqlite")
        cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.people = People(self.database, cheap)
        self.ids = {
            name: self.people.add(name, WORD, role).id
            for name, role in (("Ada", "student"), ("Bob", "student"), ("Eve", "instructor"))
        }
        self.sessions = Sessions(self.database)
        mine = self.sessions.of(self.ids["Ada"])
        self.talk = mine.create(f"{SECRET} title")
        mine.add(
            self.talk,
            Answer(
                f"{SECRET} question?",
                GREEDY,
                stage="done",
                answer=f"{SECRET} answer [1].",
                citations=CITATIONS,
                sentences=SENTENCES,
            ),
        )
        Feedback(self.database, self.ids["Ada"]).set(self.talk, 0, "down", "wrong", f"{SECRET} comment")
        self.bank = Bank(self.database)
        self.bank.add([choice(0), choice(1)])
        attempts = Attempts(self.database)
        quiz = self.bank.keep_quiz([choice(0)], f"{SECRET} quiz", student=self.ids["Ada"])
        self.attempt = attempts.begin([choice(0)], f"{SECRET} quiz", quiz, self.ids["Ada"]).id
        attempts.answer(self.attempt, 0, 1, "", 2.0, self.ids["Ada"])
        index = SimpleNamespace(passages=(), manifest=SimpleNamespace(files={}))
        notes = SimpleNamespace(index=index, places={}, encoder=FakeEncoder())
        made = tutor()
        held = {**vars_of(made), "journal": Journal(folder), "folder": folder, "retriever": notes}
        alive: Any = SimpleNamespace(**held)
        self.blocks = build_app(alive, self.sessions, quizzing(Maker()), accounts=True)
        self.app = mounted(self.blocks, self.people)

    def rows(self) -> str:
        """All that is kept, but for who is signed in."""
        tables = [table for table in metadata.sorted_tables if table.name != "signin"]
        with self.database.read() as db:
            return "\n".join(
                f"{table.name}: {sorted(map(str, db.execute(sa.select(table))))}" for table in tables
            )

    def client(self, name: str = "") -> TestClient:
        """A browser, signed in by its form."""
        browser = TestClient(self.app, follow_redirects=False, headers=ORIGIN)
        if name:
            told = browser.post("/signin", data={"name": name, "password": WORD, "next": "/"})
            assert told.status_code == 303, told.text
        return browser

    def functions(self, *pages: str) -> list[int]:
        """The numbers of the functions of some pages."""
        return [number for number, fn in self.blocks.fns.items() if fn.page in pages and callable(fn.fn)]


def vars_of(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(tmp_path_factory.mktemp("class"))


def _value(component: Any) -> Any:
    """What is in a component; in an empty field words that Ada's conversation has."""
    held = getattr(component, "value", None)
    return held or ("answer" if isinstance(component, gr.Textbox) else held)


def call(
    browser: TestClient, course: Class, number: int, event: Any = None, session: str = "", **values: Any
) -> Any:
    """Call a function as a page does: `values` by the components' elem_id, or '' for all the others."""
    fn = course.blocks.fns[number]
    data = [values.get(str(one.elem_id).replace("-", "_"), _value(one)) for one in fn.inputs]
    sent = {
        "fn_index": number,
        "data": data,
        "event_data": event,
        "session_hash": session or "s" + browser.name,
    }  # type: ignore[attr-defined]
    return browser.post("/gradio_api/run/predict", json=sent)


@pytest.fixture
def ada(course: Class) -> TestClient:
    return named(course, "Ada")


@pytest.fixture
def bob(course: Class) -> TestClient:
    return named(course, "Bob")


@pytest.fixture
def eve(course: Class) -> TestClient:
    return named(course, "Eve")


def named(course: Class, name: str) -> TestClient:
    made = course.client(name)
    made.name = name  # type: ignore[attr-defined]
    return made


def addresses(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path there is, a letter in the place of each parameter."""
    for route in app.router.routes:
        if isinstance(route, Mount):
            for inner in route._base_app.router.routes:  # type: ignore[attr-defined]
                yield from _addresses(inner)
        else:
            yield from _addresses(route)


def _addresses(route: Any) -> Iterator[tuple[str, str]]:
    path = getattr(route, "path", "")
    if not getattr(route, "methods", None):
        for inner in getattr(getattr(route, "original_router", None), "routes", ()):
            yield from _addresses(inner)
        return
    parts = [("x" if part.startswith("{") else part) for part in path.split("/")]
    for method in route.methods:
        yield method, "/".join(parts)


def test_a_stranger_gets_the_page_to_sign_in_at_and_nothing_else(course: Class) -> None:
    stranger = course.client()
    seen = 0
    for method, path in {*addresses(course.app), ("GET", "/no/such"), ("PUT", "/"), ("POST", "/login")}:
        if path.startswith(("/signin", "/signout", "/account")):
            continue
        told = stranger.request(method, path, params={"session_hash": "x"})
        assert told.status_code == 401, (method, path, told.status_code)
        assert SECRET not in told.text
        seen += 1
    assert seen > 60
    told = stranger.get("/quiz?c=x&d=1", headers=HTML)
    assert told.status_code == 303 and told.headers["location"] == "/signin?next=%2Fquiz%3Fc%3Dx%26d%3D1"
    assert stranger.post("/account", data={"password": WORD}).headers["location"].startswith("/signin")
    assert stranger.get("/account").headers["location"].startswith("/signin")
    assert "Sign in" in stranger.get("/signin").text


def test_a_student_gets_nothing_of_the_instructors(course: Class, ada: TestClient, eve: TestClient) -> None:
    before = course.rows()
    for page in gate.INSTRUCTORS:
        for path in (f"/{page}", f"/{page}/"):
            assert ada.get(path, headers=HTML).status_code == 403
        assert eve.get(f"/{page}", headers=HTML).status_code == 200
    numbers = course.functions(*gate.INSTRUCTORS)
    assert len(numbers) > 20
    for number in numbers:
        for to in ("run/predict", "queue/join", "run/show", "cancel"):
            sent = {"fn_index": number, "data": [], "session_hash": "sAda", "event_id": "e"}
            told = ada.post(f"/gradio_api/{to}", json=sent)
            assert told.status_code == 403 and "instructor" in told.text, (number, to)
    assert course.rows() == before
    (loads,) = [
        n for n in course.functions("gaps") if ("load" in {t[1] for t in course.blocks.fns[n].targets})
    ]
    told = call(eve, course, loads)
    assert told.status_code == 200 and "gp-" in told.text


def test_the_navigation_shows_what_one_may_use(course: Class, ada: TestClient, eve: TestClient) -> None:
    (number,) = [n for n in course.functions("") if course.blocks.fns[n].name == "_of"]
    assert all(word not in ada.get("/", headers=HTML).text for word in ('href=\\"desk', 'href=\\"gaps'))
    shown = {one.name: call(one, course, number).json()["data"][0] for one in (ada, eve)}  # type: ignore[attr-defined]
    for page in gate.INSTRUCTORS:
        assert f'href="{page}"' in shown["Eve"] and f'href="{page}"' not in shown["Ada"]
    assert "Ada · Sign out" in shown["Ada"] and 'href="account"' in shown["Ada"] and "Ada" not in shown["Eve"]


def events(course: Class) -> list[Any]:
    """What a page's script may send: what is Ada's, named in all the ways in which it is named."""
    talk, attempt = course.talk, course.attempt
    base = {
        "id": talk,
        "title": "renamed",
        "turn": 0,
        "page": None,
        "on": True,
        "place": 0,
        "answers": [],
        "by": 1,
    }
    more = {
        "verdict": "up",
        "reason": "",
        "comment": "",
        "run": 0,
        "token": 0,
        "index": 0,
        "value": {"text": "answer question"},
        "question": "answer question",
        "text": "answer question",
        "kind": "json",
        "large": False,
        "count": 100,
    }
    acts = [{**base, **more, "name": name} for name in ("c0-1", "s0-0", "i0", "again", "return", "finish")]
    ids = [{**acts[0], "id": attempt}]
    return [*acts, *ids, {**acts[0], "verdict": "approved"}]


def test_nothing_of_another_is_read_or_changed_by_any_function(
    course: Class, ada: TestClient, bob: TestClient, eve: TestClient
) -> None:
    before = course.rows()
    asked = reached = 0
    for number in course.functions("", "check", "quiz", "lab"):
        fn = course.blocks.fns[number]
        if fn.queue:
            continue  # what follows a page's work finds no page, see below
        told_by = "EventData" in str(inspect.signature(fn.fn))
        for where in (course.talk, course.attempt) if fn.inputs else ("",):
            for event in events(course) if told_by else (None,):
                values = dict.fromkeys(("ut_where", "check_talk", "quiz_where", "None"), where)
                for browser in (bob, eve) if event is None or event["name"] == "c0-1" else (bob,):
                    told = call(browser, course, number, event, **values)
                    assert SECRET not in told.text, (fn.name, event)
                    asked += 1
                    reached += told.status_code == 200
    assert asked > 150 and reached > 100  # most came as far as the handler
    for path in (f"/?c={course.talk}", f"/quiz?c={course.talk}", f"/quiz?a={course.attempt}"):
        assert SECRET not in bob.get(path, headers=HTML).text
    after = course.rows()
    mine = [line for line in after.split("\n") if SECRET in line]
    assert mine == [line for line in before.split("\n") if SECRET in line]


def test_ones_own_is_there(course: Class, ada: TestClient) -> None:
    def one(name: str, page: str) -> int:
        return next(n for n in course.functions(page) if course.blocks.fns[n].name == name)

    told = call(ada, course, one("export", ""), ut_where=course.talk)
    assert f"{SECRET} answer" in told.text
    told = call(ada, course, one("open", ""), {"id": course.talk})
    assert f"{SECRET} question" in told.text
    told = call(ada, course, one("opened", "quiz"), {"id": course.attempt})
    assert f"{SECRET} quiz" in told.text


def test_only_an_instructor_adds_to_the_regression_set(course: Class, ada: TestClient) -> None:
    number = next(n for n in course.functions("") if course.blocks.fns[n].name == "judge")
    told = call(ada, course, number, {"turn": 0, "verdict": "approved"}, ut_where=course.talk)
    assert told.status_code == 200 and "for instructors" in told.text
    shown = call(ada, course, next(n for n in course.functions("") if course.blocks.fns[n].name == "open"),
                 {"id": course.talk}).text  # fmt: skip
    assert "#up-0" in shown and "#more-0" not in shown


def test_another_persons_page_is_not_answered(course: Class, ada: TestClient, bob: TestClient) -> None:
    number = next(n for n in course.functions("") if course.blocks.fns[n].name == "new")
    assert call(ada, course, number, session="adas-page").status_code == 200
    assert call(bob, course, number, session="adas-page").status_code == 403
    sent = {"fn_index": number, "data": [], "session_hash": "adas-page", "event_id": "e"}
    for to in ("queue/join", "cancel", "run/predict"):
        assert bob.post(f"/gradio_api/{to}", json=sent).status_code == 403
    for to in ("queue/data?session_hash=adas-page", "heartbeat/adas-page"):
        assert bob.get(f"/gradio_api/{to}").status_code == 403
    for to in ("queue/data", "queue/data?session_hash=a&session_hash=b", "queue/data?session_hash="):
        assert bob.get(f"/gradio_api/{to}").status_code in (400, 403)


def test_a_forged_page_finds_nothing_behind_the_gate_either(course: Class) -> None:
    def request(owner: str) -> gr.Request:
        return gr.Request(username=owner or None, session_hash="adas-page")

    assert len({who.tab(request(owner)) for owner in ("", "a", "b")}) == 3
    assert who.owner(request("")) == "" and who.teaches(request("")) and not who.teaches(request("a"))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://testserver", "sec-fetch-site": "cross-site"},
        {"origin": "http://testserver", "sec-fetch-site": "same-site"},
    ],
)
def test_what_another_site_sends_is_refused(course: Class, ada: TestClient, headers: dict[str, str]) -> None:
    before = course.rows()
    number = next(n for n in course.functions("") if course.blocks.fns[n].name == "new")
    sent = {"fn_index": number, "data": [], "session_hash": "sAda"}
    assert ada.post("/gradio_api/run/predict", json=sent, headers=headers).status_code == 403
    assert ada.post("/signout", headers=headers).status_code == 403
    assert ada.get("/account").status_code == 200  # still signed in
    form = {"password": WORD, "new": "another horse", "again": "another horse"}
    assert ada.post("/account", data=form, headers=headers).status_code == 400
    told = course.client().post("/signin", data={"name": "Ada", "password": WORD}, headers=headers)
    assert told.status_code == 400 and "set-cookie" not in told.headers
    assert course.rows() == before


@pytest.mark.parametrize(
    "path",
    ["/login", "/logout", "/gradio_api/upload", "/gradio_api/user", "/gradio_api/token", "/gradio_api/app_id",
     "/gradio_api/file=/etc/passwd", "/gradio_api/proxy=http://x", "/gradio_api/deep_link", "/monitoring",
     "/gradio_api/api/predict", "/gradio_api/call/new", "/gradio_api/runs", "/gradio_api/vibe-edit",
     "/gradio_api/component_server", "/gradio_api/stream/x", "/gradio_api/dev/reload"],
)  # fmt: skip
def test_what_the_pages_do_not_need_is_not_there(ada: TestClient, path: str) -> None:
    assert ada.get(path).status_code == 404 and ada.post(path, json={}).status_code == 404


@pytest.mark.parametrize(
    "sent",
    [b"", b"[]", b"{", b"null", b'"x"', b'{"fn_index": 0}', b'{"session_hash": "x"}',
     b'{"session_hash": "x", "fn_index": true, "data": []}', b'{"session_hash": "x", "fn_index": "0"}',
     b'{"session_hash": 1, "fn_index": 0}', b'{"session_hash": "x", "fn_index": 99999}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_call_is_refused(ada: TestClient, sent: bytes) -> None:
    for to in ("run/predict", "queue/join", "cancel"):
        told = ada.post(f"/gradio_api/{to}", content=sent, headers={"content-type": "application/json"})
        assert told.status_code in (400, 404), (sent, told.text)


def test_a_call_that_is_too_large(ada: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "LARGEST", 1000)
    sent = json.dumps({"session_hash": "x", "fn_index": 0, "data": ["x" * 1000]})
    assert ada.post("/gradio_api/queue/join", content=sent).status_code == 413


def test_the_cookie(course: Class) -> None:
    told = course.client().post("/signin", data={"name": "Ada", "password": WORD, "next": "/quiz?c=1"})
    assert told.headers["location"] == "/quiz?c=1"
    cookie = told.headers["set-cookie"].lower()
    assert cookie.startswith("unitutor=") and "httponly" in cookie and "samesite=lax" in cookie
    assert "path=/" in cookie and "secure" not in cookie and course.ids["Ada"] not in cookie
    secure = TestClient(course.app, base_url="https://testserver", follow_redirects=False)
    told = secure.post(
        "/signin", data={"name": "Ada", "password": WORD}, headers={"origin": "https://testserver"}
    )
    cookie = told.headers["set-cookie"]
    assert cookie.startswith("__Host-unitutor=") and "Secure" in cookie and "Domain" not in cookie
    assert secure.get("/", headers=HTML).status_code == 200
    assert secure.get("/", headers=HTML).headers["cache-control"] == "no-store"


def test_signing_out_is_told_to_the_server(course: Class) -> None:
    browser = course.client("Ada")
    kept = dict(browser.cookies)
    assert browser.get("/", headers=HTML).status_code == 200
    assert browser.post("/signout").headers["location"] == "/signin"
    assert browser.get("/config").status_code == 401
    assert course.client().get("/config", cookies=kept).status_code == 401


def test_wrong_passwords(course: Class) -> None:
    browser = course.client()
    for name in ("Bob", "Nobody <b>"):
        told = [browser.post("/signin", data={"name": name, "password": "wrong one"}) for _ in range(6)]
        assert [one.status_code for one in told] == [403] * 5 + [429]
        assert 0 < int(told[-1].headers["retry-after"]) <= 300 and "wait" in told[-1].text
        assert (
            "The name or the password is wrong." in told[0].text
            and "<b>" not in told[0].text.partition("<h1>")[2]
        )
        assert all("set-cookie" not in one.headers for one in told)
    told = [browser.post("/signin", data={"name": "Bob", "password": WORD}) for _ in range(1)]
    assert told[0].status_code == 429  # even the right one


def test_another_password(course: Class) -> None:
    course.people.add("Cyd", WORD)
    one, other = course.client("Cyd"), course.client("Cyd")

    def change(old: str, new: str, again: str) -> Any:
        return one.post("/account", data={"password": old, "new": new, "again": again})

    assert "is another" in change("wrong one", "another horse", "another horse").text
    assert "two ways" in change(WORD, "another horse", "another h0rse").text
    assert "8 to 200" in change(WORD, "short", "short").text
    assert other.get("/config").status_code == 200
    told = change(WORD, "another horse", "another horse")
    assert told.status_code == 200 and "is changed" in told.text
    assert one.get("/config").status_code == 200 and other.get("/config").status_code == 401
    assert course.people.verified("Cyd", WORD) is None


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "http://evil.example",
        "/\\evil.example",
        "javascript:x",
        "",
        "x",
        "/" + "x" * 3000,
        "/a\nb",
    ],
)
def test_a_sign_in_leads_to_no_other_site(course: Class, to: str) -> None:
    assert local(to) == "/"
    told = course.client().post("/signin", data={"name": "Ada", "password": WORD, "next": to})
    assert told.headers["location"] == "/"


def test_without_accounts_the_pages_are_anyones(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions.sqlite")
    app = mounted(build_app(tutor(), sessions, quizzing(Maker())))  # type: ignore[arg-type]
    browser = TestClient(app)
    assert browser.get("/desk").status_code == 200 and browser.get("/signin").status_code == 404
    page = browser.get("/").text
    assert 'href=\\"desk' in page and "Sign out" not in page and "--ut-" in page
