"""The doors of the API: who may in, what is refused and how, what is noted, and who left."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.routing import iter_route_contexts
from typer.testing import CliRunner

from ingest.errors import UnitutorError
from rag.apikeys import SCOPES
from rag.database import Database
from rag.decoding import GREEDY
from rag.people import People
from rag.sessions import Sessions
from rag.types import Answer
from tests.api_server import PLENTY, Api, free_port, serving, together
from tests.browser import scripted
from tests.waiting import until
from ui import tutor
from ui.api.app import build_api
from ui.api.door import Bounds
from ui.api.guard import PUBLIC
from ui.cli import app

QUESTION = {"messages": [{"role": "user", "content": "What is a GAN?"}]}
PICTURE = {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}
# What each route asks for; a route that is added must be added here.
NEEDS = {
    ("GET", "/v1/models"): "chat",
    ("GET", "/v1/models/{model}"): "chat",
    ("POST", "/v1/chat/completions"): "chat",
    ("POST", "/v1/search"): "search",
    ("POST", "/v1/ground"): "ground",
    ("POST", "/v1/quiz"): "quiz",
    ("GET", "/v1/notes"): "notes",
    ("POST", "/v1/notes"): "notes",
    ("DELETE", "/v1/notes/{id}"): "notes",
    ("GET", "/metrics"): "metrics",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("api")) as running:
        yield running


def said(response: Any, status: int) -> dict[str, Any]:
    """The error of a response, which has OpenAI's shape and one line."""
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    assert found["message"] and "\n" not in found["message"] and "Traceback" not in found["message"]
    return found


def test_every_route_is_closed_to_strangers_and_to_keys_without_its_scope(api: Api) -> None:
    routes = {
        (method, route.path)
        for route in iter_route_contexts(build_api(api.door).routes)
        for method in route.methods or ()
        if route.path not in PUBLIC
    }
    assert routes == set(NEEDS)
    for (method, path), scope in NEEDS.items():
        address = path.replace("{model}", "unitutor").replace("{id}", "0" * 12)
        others = api.new_key(*[one for one in SCOPES if one != scope])
        for key, status in (("", 401), ("ut-" + "x" * 43, 401), (others, 403)):
            with api.client(key) as client:
                said(client.request(method, address), status)
        with api.client() as client:
            assert client.request(method, address).status_code in (200, 400, 404), (
                "the right key gets further"
            )


def test_what_is_not_there_is_closed_too(api: Api) -> None:
    with api.client("") as client:
        said(client.get("/v1/nothing"), 401)
        assert client.get("/v1/models").headers["www-authenticate"] == "Bearer"
    with api.client() as client:
        said(client.get("/v1/nothing"), 404)
        said(client.put("/v1/models"), 405)


def test_a_revoked_key_is_refused_at_once(api: Api) -> None:
    text = api.new_key("chat")
    with api.client(text) as client:
        assert client.get("/v1/models").status_code == 200
        known = api.keys.known(text)
        assert known is not None
        api.keys.revoke(known.id)
        said(client.get("/v1/models"), 401)


def test_a_key_has_its_rate_and_is_told_when_to_come_again(api: Api) -> None:
    with api.client(api.new_key("chat", per_minute=3)) as client:
        assert [client.get("/v1/models").status_code for _ in range(3)] == [200] * 3
        refused = client.get("/v1/models")
        assert said(refused, 429)["code"] == "rate_limit_exceeded"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
    with api.client() as other:
        assert other.get("/v1/models").status_code == 200


def test_a_clock_set_back_refuses_no_key_for_a_day(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    with api.client(api.new_key("chat", per_minute=1)) as client:
        assert [client.get("/v1/models").status_code for _ in range(2)] == [200, 429]
        monkeypatch.setattr(time, "time", lambda: real() - 86_400)
        assert [client.get("/v1/models").status_code for _ in range(2)] == [200, 429]


def test_the_command_says_where_both_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def serve(*arguments: Any) -> None:
        given.extend(arguments)
        arguments[-1]("http://127.0.0.1:1234/")

    monkeypatch.setattr(tutor, "open_tutor", lambda *_, **__: scripted.tutor())
    monkeypatch.setattr("ui.api.serve.serve", serve)
    words = ["serve", "--index", str(tmp_path / "index"), "--sessions", str(tmp_path), "--log-text"]
    words += ["--no-read-ahead", "--port", str(free_port())]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.stdout == "Unitutor is at http://127.0.0.1:1234/, its API at http://127.0.0.1:1234/v1\n"
    assert given[1:4] == [tmp_path, tmp_path / "index", ()] and given[6] is True
    with pytest.raises(UnitutorError, match="no accounts"):
        CliRunner().invoke(app, [*words, "--host", "0.0.0.0"], catch_exceptions=False)


def test_only_health_and_the_schema_are_open(api: Api) -> None:
    with api.client("") as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert "/v1/chat/completions" in client.get("/openapi.json").json()["paths"]
        page = client.get("/docs").text
    assert "POST /v1/chat/completions" in page
    assert "<script" not in page and "//cdn" not in page and "src=" not in page


@pytest.mark.parametrize(
    "path, body, where",
    [
        ("/v1/chat/completions", {"messages": []}, "messages"),
        ("/v1/chat/completions", {"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ("/v1/chat/completions", {**QUESTION, "temperature": 9}, "temperature"),
        ("/v1/chat/completions", {**QUESTION, "n": 2}, "n"),
        ("/v1/chat/completions", {**QUESTION, "tools": [{"type": "function"}]}, "tools"),
        ("/v1/chat/completions", {**QUESTION, "response_format": {"type": "json_object"}}, "response_format"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": " "}]}, None),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x" * 5000}]}, None),
        ("/v1/chat/completions", {"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ("/v1/chat/completions", PICTURE, "messages.0.content"),
        ("/v1/chat/completions", {**QUESTION, "unitutor": {"sources": ["../../etc/passwd"]}}, None),
        ("/v1/search", {"query": ""}, None),
        ("/v1/search", {"query": "copper", "n": 0}, "n"),
        ("/v1/search", {"query": "copper", "sources": ["none.pdf"]}, None),
        ("/v1/ground", {"text": " "}, None),
        ("/v1/quiz", {"count": 21}, "count"),
        ("/v1/quiz", {"topic": "quantum chromodynamics", "kinds": ["essay"]}, "kinds.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_a_line(
    api: Api, path: str, body: dict[str, Any], where: str | None
) -> None:
    with api.client() as client:
        assert said(client.post(path, json=body), 400)["param"] == where


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'{"messages": NaN}', b"\xff\xfe", b'{"query": "\\ud800"}']
)
def test_what_is_no_request_is_told_in_a_line(api: Api, body: bytes) -> None:
    with api.client() as client:
        for path in ("/v1/chat/completions", "/v1/search"):
            said(client.post(path, content=body, headers={"Content-Type": "application/json"}), 400)
        said(client.post("/v1/chat/completions", json={**QUESTION, "model": "gpt-4"}), 404)


def test_a_large_request_is_refused_before_it_is_read(api: Api) -> None:
    large = json.dumps({"messages": [{"role": "user", "content": "x" * (10 << 20)}]}).encode()
    with api.client() as client:
        assert said(client.post("/v1/chat/completions", content=large), 413)["code"] == "request_too_large"

        def pieces() -> Iterator[bytes]:  # without a Content-Length
            yield from (large[at : at + 65536] for at in range(0, len(large), 65536))

        said(client.post("/v1/chat/completions", content=pieces()), 413)


def test_search_ground_and_quiz_give_what_their_commands_give(api: Api) -> None:
    with api.client() as client:
        found = client.post("/v1/search", json={"query": "What carries current?", "n": 2}).json()["data"]
        assert found and set(found[0]) == {"source", "page", "heading", "text", "score"}
        checked = client.post(
            "/v1/ground", json={"text": "Gold keeps its shine for centuries in coins."}
        ).json()
        assert checked["claims"] == 1 and checked["sentences"][0]["quotes"]
        own = {"text": "Tin is red.", "passages": ["Tin is red and soft."], "fast": True}
        assert client.post("/v1/ground", json=own).json()["sentences"][0]["label"] == "supported"
        made = client.post("/v1/quiz", json={"count": 2, "seed": 1}).json()
        assert made["asked"] == 2 and made["items"] and made["items"][0]["options"]
        gift = client.post("/v1/quiz", json={"count": 1, "format": "gift"})
        assert (
            gift.headers["content-disposition"] == 'attachment; filename="quiz.gift"' and b"{" in gift.content
        )


def test_a_client_who_left_is_not_worked_for(tmp_path: Path) -> None:
    with serving(tmp_path, pause=0.02) as api:
        body = json.dumps({"messages": [{"role": "user", "content": "a long one"}], "stream": True})
        at = urlsplit(api.url)
        with socket.create_connection((at.hostname, at.port)) as line:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            line.sendall((head + body).encode())
            while b"networks" not in line.recv(65536):
                pass
            assert api.door.queue.busy() == (1, 0)
        until(lambda: api.door.queue.busy() == (0, 0), 15)  # the answer would take half a minute


def test_ten_of_one_key_do_not_hold_up_one_of_another(tmp_path: Path) -> None:
    ended: list[str] = []
    with serving(tmp_path, places=1, pause=0.0005, reading=0.05) as api:
        keys = [api.new_key("chat"), api.new_key("chat")]

        def ask(key: str, who: str, after: float = 0.0) -> Any:
            def asked() -> None:
                time.sleep(after)
                with api.client(key) as client:
                    assert client.post("/v1/chat/completions", json=QUESTION).status_code == 200
                    ended.append(who)

            return asked

        together(*[ask(keys[0], "many") for _ in range(10)], ask(keys[1], "one", after=0.3))
    assert len(ended) == 11 and ended.index("one") < 8


def test_a_full_line_is_429_with_when_to_come_again(tmp_path: Path) -> None:
    with serving(tmp_path, places=1, pause=0.01) as api:
        api.door.queue._each = 2
        seen: list[Any] = []

        def ask() -> None:
            with api.client() as client:
                seen.append(client.post("/v1/chat/completions", json=QUESTION))

        together(*[ask] * 8)
    full = [one for one in seen if one.status_code != 200]
    assert full and len(seen) == 8
    assert all(said(one, 429)["code"] == "queue_full" and int(one.headers["retry-after"]) > 0 for one in full)


def test_an_answer_has_its_time_and_a_turn_that_never_comes_is_told(tmp_path: Path) -> None:
    with serving(tmp_path, places=1, pause=0.02, bounds=Bounds(answering=1.0)) as api:
        seen: list[Any] = []

        def ask() -> None:
            with api.client() as client:
                body = {"messages": [{"role": "user", "content": "a long one"}]}
                seen.append(client.post("/v1/chat/completions", json=body))

        together(ask, ask, ask)
    cut = [one for one in seen if one.status_code == 200]
    assert cut and all(one.json()["choices"][0]["finish_reason"] == "length" for one in cut)
    assert all(said(one, 503)["code"] == "queue_timeout" for one in seen if one not in cut)


def lines_in(log: Path, count: int) -> bool:
    return log.exists() and len(log.read_bytes().splitlines()) == count


def test_a_request_is_noted_without_its_text_unless_told_to(tmp_path: Path) -> None:
    for texts in (False, True):
        with serving(tmp_path / str(texts), texts=texts) as api:
            with api.client() as client:
                client.post("/v1/chat/completions", json=QUESTION)
                client.get("/v1/secret-word")
            with api.client("") as client:
                client.get("/v1/models")
            log = api.door.log.path
            until(partial(lines_in, log, 3))  # a request is noted after its answer is out
            api.door.log.close()
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            known = api.keys.known(api.key)
            assert known is not None and known.used is not None
            assert [(one["status"], one["key"]) for one in lines] == [
                (200, known.id),
                (404, known.id),
                (401, ""),
            ]
            assert lines[0]["route"] == "/v1/chat/completions" and lines[0]["output_tokens"] > 0
            assert ("GAN" in str(lines)) == texts and "secret-word" not in str(lines)
            assert api.key not in str(lines)


def test_nothing_of_anybody_is_kept_or_reached(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        database = Database(tmp_path / "kept" / "conversations.db")
        people = People(database)
        ada, bob = people.add("Ada", None, "student"), people.add("Bob", None, "instructor")
        hers = Sessions(database, ada.id)
        conversation = hers.create("My secret title")
        hers.add(conversation, Answer("My secret question", GREEDY, stage="done", answer="Secret answer."))
        _, key = api.keys.create("his", bob.id, SCOPES, PLENTY)
        seen = []
        with api.client(key) as client:
            for text in ("What is my history?", "secret", conversation):
                body = {"messages": [{"role": "user", "content": text}], "user": ada.id}
                seen.append(client.post("/v1/chat/completions", json=body).json())
                seen.append(client.post("/v1/search", json={"query": text, "sources": []}).json())
            seen += [
                client.get(path).text for path in ("/v1/notes", "/metrics", f"/v1/models/{conversation}")
            ]
            assert client.delete(f"/v1/notes/{conversation}").status_code == 404
        assert "ecret answer" not in str(seen) and "secret title" not in str(seen)
        assert [len(Sessions(database, one).list()) for one in (ada.id, bob.id, "")] == [1, 0, 0]
        database.close()


def test_metrics_count_and_name_nobody(api: Api) -> None:
    with api.client() as client:
        client.post("/v1/chat/completions", json=QUESTION)
        text = client.get("/metrics").text
    assert 'unitutor_answers_total{end="whole"}' in text and "unitutor_waiting 0.0" in text
    assert 'route="/v1/chat/completions",status="200"' in text and "GAN" not in text
