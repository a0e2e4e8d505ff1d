"""A model behind a URL: what is asked of it, what it answers, and each way it fails, as one line."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from ingest.errors import BadRequest, ModelUnusable
from rag.decoding import decoding
from rag.engines.remote import RemoteModel, connect, sampling

ASKED = [HumanMessage("What is a GAN?")]
WORDS = ("A GAN ", "has two ", "parts.")


@dataclass
class Behaviour:
    """How the server of one test behaves, and what it saw."""

    status: int = 200
    refuses: tuple[str, ...] = ()  # fields that are a 400
    breaks_off: bool = False  # closes the connection after the words
    says_finished: bool = True
    never_ends: bool = False
    silent: bool = False  # takes the question and says nothing
    page: bool = False  # a web page wherever one looks
    asked: list[dict[str, Any]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)  # the client has closed the connection


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": "small", "object": "model"}]})

    def do_POST(self) -> None:
        how = self.behaviour
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        how.asked.append(body)
        if how.silent:
            self._wait_until_left()
        elif unknown := [name for name in how.refuses if name in body]:
            self._send({"error": {"message": f"Unknown field:\n{unknown[0]}"}}, 400)
        elif how.status != 200 or how.page:
            self._send({})
        else:
            self._stream()

    def _stream(self) -> None:
        how = self.behaviour
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()  # no length: the end of the connection is the end of the answer
        try:
            for word in WORDS:
                self._event([{"index": 0, "delta": {"content": word}, "finish_reason": None}])
            while how.never_ends:
                self._event([{"index": 0, "delta": {"content": "and "}, "finish_reason": None}])
                time.sleep(0.02)
        except OSError:
            how.left.set()
            return
        if how.breaks_off:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if how.says_finished:
            self._event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        self._event([], {**usage, "prompt_tokens_details": {"cached_tokens": 4}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> None:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "small"}
        data = json.dumps({**chunk, "choices": choices, "usage": usage})
        self.wfile.write(f"data: {data}\n\n".encode())

    def _wait_until_left(self) -> None:
        self.connection.settimeout(60)
        if not self.connection.recv(1):
            self.behaviour.left.set()

    def _send(self, body: dict[str, Any], status: int | None = None) -> None:
        status = status or self.behaviour.status
        data = json.dumps(body if status == 200 or body.get("error") else {"error": {"message": "no"}})
        if self.behaviour.page:
            data = "<html>Welcome</html>"
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if self.behaviour.page else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data.encode())

    def log_message(self, *_: object) -> None:
        pass


Serve = Callable[..., tuple[str, Behaviour]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def start(**how: Any) -> tuple[str, Behaviour]:
        behaviour = Behaviour(**how)
        handler = type("Handler", (Handler,), {"behaviour": behaviour})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/v1", behaviour

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def failure(act: Callable[[], object], error: type[Exception] = ModelUnusable) -> str:
    with pytest.raises(error) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_first_model_named_answers(serve: Serve) -> None:
    model = connect(serve()[0])
    assert model.model_name == "small"
    answer = model.invoke(ASKED)
    assert answer.content == "A GAN has two parts."
    assert answer.usage_metadata and answer.usage_metadata["input_tokens"] == 7
    assert answer.usage_metadata["input_token_details"]["cache_read"] == 4


def test_a_stream_comes_in_pieces(serve: Serve) -> None:
    assert [piece.text for piece in connect(serve()[0]).stream(ASKED) if piece.text] == list(WORDS)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "refused the key: set UNITUTOR_API_KEY"),
        (403, "refused the key"),
        (404, "ends in /v1"),
        (429, "try again in a moment"),
        (500, r"failed \(no\)"),
        (503, r"failed \(no\)"),
    ],
)
def test_a_status_is_one_line(serve: Serve, status: int, says: str) -> None:
    url, behaviour = serve(status=status)
    for act in (lambda: connect(url), lambda: connect(url, "small").invoke(ASKED)):
        with pytest.raises(ModelUnusable, match=says):
            act()
        failure(act)
    behaviour.status = 200
    assert connect(url, "small").invoke(ASKED).content  # and all is well again


def test_a_web_page_is_no_model_server(serve: Serve) -> None:
    url, _ = serve(page=True)
    assert "ends in /v1" in failure(lambda: connect(url))
    failure(lambda: connect(url, "small").invoke(ASKED))


def test_nobody_there_is_one_line() -> None:
    assert "No model server answers" in failure(lambda: connect("http://127.0.0.1:9/v1"))
    assert "No model server answers" in failure(lambda: connect("http://127.0.0.1:9/v1", "small").invoke("?"))


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://here/v1", "http://", "http://[", "http://a:port/v1"]
)
def test_what_is_no_url_is_told_so(url: str) -> None:
    assert "is no URL" in failure(lambda: connect(url), BadRequest)


def test_a_silent_server_is_given_up(serve: Serve) -> None:
    url, behaviour = serve(silent=True)
    model = connect(url, "small", timeout=0.4)
    assert "silent for 0.4 s" in failure(lambda: model.invoke(ASKED))
    assert behaviour.left.wait(30)
    assert len(behaviour.asked) == 1  # no second try that doubles the wait
    behaviour.silent = False
    assert model.invoke(ASKED).content


@pytest.mark.parametrize("how", [{"breaks_off": True}, {"says_finished": False}])
def test_an_answer_cut_short_is_told(serve: Serve, how: dict[str, bool]) -> None:
    url, behaviour = serve(**how)
    model, heard = connect(url, "small"), []

    def act() -> None:
        heard.extend(piece.text for piece in model.stream(ASKED))

    assert "broke off in the middle" in failure(act)
    assert "".join(heard) == "".join(WORDS)  # what was said before is not lost
    behaviour.breaks_off, behaviour.says_finished = False, True
    assert model.invoke(ASKED).content


@pytest.mark.parametrize("how", [{"silent": True}, {"never_ends": True}])
def test_stop_closes_the_connection_at_once(serve: Serve, how: dict[str, bool]) -> None:
    url, behaviour = serve(**how)
    halt = threading.Event()

    def stop_once_asked() -> None:
        while not behaviour.asked:
            time.sleep(0.02)
        halt.set()

    threading.Thread(target=stop_once_asked, daemon=True).start()
    for _ in connect(url, "small").stream(ASKED, halt=halt):
        pass
    assert halt.is_set()
    assert behaviour.left.wait(30)


def test_a_reader_who_leaves_closes_the_connection(serve: Serve) -> None:
    url, behaviour = serve(never_ends=True)
    stream = connect(url, "small").stream(ASKED)
    assert next(stream).text
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    assert behaviour.left.wait(30)


def asked(url: str, behaviour: Behaviour, **how: Any) -> dict[str, Any]:
    connect(url, "small").invoke(ASKED, decoding=decoding(**how))
    return behaviour.asked[-1]


def test_the_decoding_goes_with_the_question(serve: Serve) -> None:
    url, behaviour = serve()
    greedy = asked(url, behaviour)
    assert greedy["temperature"] == 0 and "seed" not in greedy
    assert greedy["max_tokens"] == greedy["max_completion_tokens"] == 320
    nucleus = asked(url, behaviour, name="top-p", p=0.8, temperature=0.7, seed=2**40 + 5)
    assert (nucleus["top_p"], nucleus["temperature"], nucleus["seed"]) == (0.8, 0.7, 5)
    assert (nucleus["top_k"], nucleus["min_p"]) == (-1, 0)  # a server's own defaults are switched off
    both = asked(url, behaviour, name="top-k", k=7, min_p=0.2)
    assert (both["top_k"], both["min_p"], both["top_p"], both["temperature"]) == (7, 0.2, 1, 1)
    assert asked(url, behaviour, name="random", temperature=0)["temperature"] == 0


def test_a_schema_goes_with_the_question(serve: Serve) -> None:
    url, behaviour = serve()
    schema = {"type": "object", "properties": {"question": {"type": "string"}}}
    connect(url).invoke(ASKED, schema=schema)
    form = behaviour.asked[-1]["response_format"]
    assert form["type"] == "json_schema" and form["json_schema"]["schema"] == schema
    connect(url).invoke(ASKED)
    assert "response_format" not in behaviour.asked[-1]


def test_a_strict_server_is_asked_in_the_protocols_words(serve: Serve) -> None:
    url, behaviour = serve(refuses=("top_k", "max_tokens"))
    last = asked(url, behaviour, name="top-p", p=0.8)
    assert last["top_p"] == 0.8 and "top_k" not in last and len(behaviour.asked) == 2
    both = asked(*serve(refuses=("max_tokens",)), name="top-k", k=3)
    assert both["top_k"] == 3


def test_top_k_is_never_dropped_in_silence(serve: Serve) -> None:
    url, behaviour = serve(refuses=("top_k",))
    told = failure(lambda: asked(url, behaviour, name="top-k", k=3), BadRequest)
    assert "takes no top-k or min-p (Unknown field: top_k)" in told
    assert all(body["top_k"] == 3 for body in behaviour.asked)


def test_a_prompt_too_long_is_told_in_the_servers_words(serve: Serve) -> None:
    url, _ = serve(refuses=("messages",))
    assert "Unknown field: messages" in failure(lambda: asked(url, _, name="top-k"))


def test_beam_search_is_refused() -> None:
    told = failure(lambda: sampling(decoding("beam")), BadRequest)
    assert "no beam search: choose greedy" in told


def test_it_is_a_langchain_model(serve: Serve) -> None:
    model = connect(serve()[0])
    assert isinstance(model, RemoteModel)
    assert model.batch([ASKED, ASKED])[1].content == "A GAN has two parts."
