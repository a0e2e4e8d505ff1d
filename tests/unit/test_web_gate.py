"""Pages with accounts, by HTTP: strangers get nothing, students nothing of the instructor's."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.testclient import TestClient

from rag.sessions import Sessions
from tests.browser.scripted import tutor
from tests.browser.scripted_quiz import Maker, quizzing
from tests.classroom import HTML, SECRET, WORD, Class
from ui.web import gate, who
from ui.web.app import build_app
from ui.web.mounting import mounted


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
        where = course.attempt if fn.page == "quiz" else course.talk
        values = dict.fromkeys(("ut_where", "check_talk", "quiz_where", "None"), where)
        for event in events(course) if told_by else (None,):
            for browser in (bob, eve) if event is None or event["name"] == "c0-1" else (bob,):
                told = call(browser, course, number, event, **values)
                assert SECRET not in told.text, (fn.name, event)
                asked += 1
                reached += told.status_code == 200
    assert asked > 100 and reached > 60  # most came as far as the handler
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


def test_without_accounts_the_pages_are_anyones(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions.sqlite")
    app = mounted(build_app(tutor(), sessions, quizzing(Maker())))  # type: ignore[arg-type]
    browser = TestClient(app)
    assert browser.get("/desk").status_code == 200 and browser.get("/signin").status_code == 404
    page = browser.get("/").text
    assert 'href=\\"desk' in page and "Sign out" not in page and "--ut-" in page
